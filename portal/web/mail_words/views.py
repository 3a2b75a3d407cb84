"""One page per mail and language: the words, the places they may hold, and what becomes of them."""

from __future__ import annotations

from typing import Any

from flask import abort, g, render_template, url_for
from werkzeug.wrappers import Response

from portal.core.errors import DomainError
from portal.core.mail_templates import EVENTS, LANGUAGES, find_faults
from portal.services.mail_templates import (
    TemplateEntry,
    list_own_templates,
    load_template,
    reset_template,
    save_template,
)
from portal.services.mail_words import preview_letter
from portal.web.auth import requires
from portal.web.htmx import render_partial, saved
from portal.web.mail_words import bp
from portal.web.mail_words.forms import WordsForm
from portal.web.state import change, context, site, write


@bp.get("")
@requires("mail.edit")
def index() -> str:
    """All mails we send, in all languages."""
    own = {(entry.event, entry.language) for entry in list_own_templates(g.read)}
    return render_template("mail_words/index.html", events=EVENTS.values(), languages=LANGUAGES, own=own)


@bp.get("/<event>/<language>")
@requires("mail.edit")
def edit(event: str, language: str) -> str:
    """The words in force, to be changed."""
    entry = _load(event, language)
    form = WordsForm()
    form.fill(entry.template)
    return render_template("mail_words/edit.html", **_page(entry, form))


@bp.post("/<event>/<language>")
@requires("mail.edit")
def save(event: str, language: str) -> Response | tuple[str, int]:
    """Use these words from now on."""
    entry, form = _load(event, language), WordsForm()
    try:
        if not form.validate():
            raise DomainError("Please send the form again.")
        with write() as uow:
            is_changed = save_template(uow, event, language, form.read_template(), change=change())
    except DomainError as error:
        form.form_errors = str(error).split("\n")
        return render_template("mail_words/edit.html", **_page(entry, form)), 422
    words = "These words are used from now on." if is_changed else "Nothing was changed."
    return saved(url_for("mail_words.edit", event=event, language=language), words)


@bp.post("/<event>/<language>/preview")
@requires("mail.edit")
def preview(event: str, language: str) -> str:
    """What the mail would be; nothing is kept."""
    page = _page(_load(event, language), WordsForm())
    return render_partial("mail_words/edit.html", "mail_words/_preview.html", **page)


@bp.get("/<event>/<language>/reset")
@requires("mail.edit")
def confirm_reset(event: str, language: str) -> str:
    """Ask before the shop's words are gone."""
    _load(event, language)
    return render_partial(
        "confirm.html",
        "_confirm.html",
        title="Use our words again?",
        text="Your own words of this mail are removed. Other languages stay as they are.",
        url=url_for("mail_words.reset", event=event, language=language),
        yes="Use our words",
        cancel_url=url_for("mail_words.edit", event=event, language=language),
        kind="danger",
        fields={},
    )


@bp.post("/<event>/<language>/reset")
@requires("mail.edit")
def reset(event: str, language: str) -> Response:
    """The words we ship, again."""
    _load(event, language)
    with write() as uow:
        reset_template(uow, event, language, change=change())
    return saved(url_for("mail_words.edit", event=event, language=language), "Our words are used again.")


def _load(event: str, language: str) -> TemplateEntry:
    if event not in EVENTS or language not in LANGUAGES:
        abort(404)
    return load_template(g.read, event, language)


def _page(entry: TemplateEntry, form: WordsForm) -> dict[str, Any]:
    template = form.read_template()
    faults = find_faults(entry.event, template)
    letter = preview_letter(template, entry.event, entry.language, settings=site(), site_url=context().site_url)
    return {
        "entry": entry,
        "form": form,
        "spec": EVENTS[entry.event],
        "languages": LANGUAGES,
        "faults": faults,
        "letter": letter,
    }
