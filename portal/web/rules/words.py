"""The words that speak for a category, or for how urgent a ticket is."""

from __future__ import annotations

from typing import Any

from flask import abort, g, render_template, request, url_for
from werkzeug.wrappers import Response

from portal.core.errors import DomainError
from portal.core.triage import TARGETS, Aspect, LexiconEntry
from portal.services.categories import list_categories
from portal.services.lexicon import TermEntry, count_terms, find_term, list_terms, remove_term, save_term
from portal.web.auth import may, requires
from portal.web.htmx import refused, render_partial, saved, wants_partial
from portal.web.rules import bp
from portal.web.rules.forms import TermForm
from portal.web.state import change, write

TITLES = {
    (Aspect.SCOPE, "everyone"): ("Everyone is hit", "The whole site, a server, the production line."),
    (Aspect.SCOPE, "group"): ("Several are hit", "A department, a team, customers who wait."),
    (Aspect.URGENCY, "blocked"): ("Work stands still", "Something is down or cannot be used."),
    (Aspect.URGENCY, "deadline"): ("Time presses", "The requester says that it is urgent."),
    (Aspect.URGENCY, "calm"): ("It can wait", "Questions, wishes, no hurry."),
    (Aspect.PRIORITY, "P1"): ("Always P1", "Whatever else the text says."),
    (Aspect.PRIORITY, "P2"): ("At least P2", "Whatever else the text says."),
    (Aspect.PRIORITY, "P3"): ("At least P3", "Whatever else the text says."),
    (Aspect.PRIORITY, "P4"): ("P4 when nothing speaks against it", "Wishes and ideas."),
}


@bp.get("/words")
@requires("rules.view")
def show_words() -> str:
    """Every category and sign with how many words it has."""
    counts = count_terms(g.read)
    names = [category.name for category in list_categories(g.read)]
    return render_template(
        "rules/words.html",
        categories=[(name, counts.get((Aspect.CATEGORY, name), 0)) for name in names],
        signs=[
            (str(aspect), target, *text, counts.get((aspect, target), 0)) for (aspect, target), text in TITLES.items()
        ],
    )


@bp.route("/words/<aspect>/<path:target>", methods=["GET", "POST"])
@requires("rules.view")
def edit_words(aspect: str, target: str) -> Response | tuple[str, int] | str:
    """The words of one, and a form to add another or change a weight."""
    known = _aspect(aspect, target)
    form = TermForm(formdata=request.form if request.method == "POST" else None)
    if request.method == "GET":
        return _page(known, target, form)
    if not may("rules.edit"):
        abort(403)
    if form.validate():
        try:
            with write() as uow:
                save_term(uow, LexiconEntry(form.term.data, known, target, form.weight.data), change=change())
        except DomainError as error:
            form.term.errors = [str(error)]
        else:
            if wants_partial():
                return _page(known, target, TermForm(formdata=None), added=form.term.data)
            return saved(url_for("rules.edit_words", aspect=aspect, target=target), f"“{form.term.data}” is saved.")
    return refused("rules/target.html", "rules/_target.html", **_values(known, target, form))


@bp.route("/words/<int:term_id>/remove", methods=["GET", "POST"])
@requires("rules.edit")
def remove_word(term_id: int) -> Response | str:
    """Ask, then remove."""
    entry = find_term(g.read, term_id) or abort(404)
    back = url_for("rules.edit_words", aspect=str(entry.aspect), target=entry.target)
    if request.method == "GET":
        return render_partial(
            "confirm.html",
            "_confirm.html",
            title=f"Remove “{entry.term}”?",
            text=f"It then no longer speaks for {title_of(entry)}.",
            url=request.path,
            yes="Remove the word",
            cancel_url=back,
        )
    with write() as uow:
        remove_term(uow, term_id, change=change())
    return saved(back, f"“{entry.term}” is removed.")


def title_of(entry: TermEntry) -> str:
    """What the page calls the category or sign of a word."""
    return TITLES.get((entry.aspect, entry.target), (entry.target, ""))[0]


def _aspect(aspect: str, target: str) -> Aspect:
    if aspect not in list(Aspect):
        abort(404)
    known = Aspect(aspect)
    names = [one.name for one in list_categories(g.read)] if known is Aspect.CATEGORY else TARGETS[known]
    return known if target in names else abort(404)


def _page(aspect: Aspect, target: str, form: TermForm, added: str = "") -> str:
    return render_partial("rules/target.html", "rules/_target.html", **_values(aspect, target, form), added=added)


def _values(aspect: Aspect, target: str, form: TermForm) -> dict[str, Any]:
    title, text = TITLES.get((aspect, target), (target, "Words and phrases that speak for this category."))
    return {
        "aspect": str(aspect),
        "target": target,
        "title": title,
        "text": text,
        "terms": list_terms(g.read, aspect=aspect, target=target),
        "form": form,
        "may_edit": may("rules.edit"),
    }
