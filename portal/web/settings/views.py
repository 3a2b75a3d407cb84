"""A page for each group of settings, made from their list, and the switch "go live"."""

from __future__ import annotations

from flask import abort, render_template, request, url_for
from werkzeug.wrappers import Response

from portal.core.errors import DomainError
from portal.core.settings import BY_KEY, GROUPS, SPECS
from portal.services.checks import SMS, load_check
from portal.services.page_tests import load_test_page
from portal.services.people import list_people
from portal.services.readiness import load_readiness
from portal.services.settings import forget_secret, list_set_secrets, save_settings
from portal.web.auth import requires
from portal.web.htmx import render_partial, saved
from portal.web.setting_forms import SettingsForm, make_settings_form
from portal.web.settings import bp
from portal.web.state import change, config, context, now, reads, site, write

LIVE = "site.live"  # has a page of its own


@bp.route("", methods=["GET", "POST"])
@bp.route("/<group>", methods=["GET", "POST"])
@requires("settings.edit")
def show(group: str = "site") -> Response | str | tuple[str, int]:
    """The settings of one group."""
    if group not in GROUPS:
        abort(404)
    keys = [spec.key for spec in SPECS if spec.key.startswith(f"{group}.") and spec.key != LIVE]
    form = make_settings_form(keys, people=list_people(reads()), set_secrets=list_set_secrets(reads()))
    if request.method == "GET":
        form.fill(site())
        return _page(form, group)
    values = form.read_values()
    if values is None:
        return _page(form, group), 422
    try:
        with write() as uow:
            changed = save_settings(uow, values, change=change(), box=context().box)
    except DomainError as error:
        form.form_errors.extend(str(error).split("\n"))
        return _page(form, group), 422
    message = "Saved. It holds from now on." if changed else "Nothing was different."
    return saved(url_for("settings.show", group=group), message, "good" if changed else "info")


def _page(form: SettingsForm, group: str) -> str:
    return render_template(
        "settings/show.html",
        form=form,
        group=group,
        groups=GROUPS,
        secrets=list_set_secrets(reads()),
        site_url=config().site_url,
        check=load_check(reads(), SMS) if group == "sms" else None,
        test=load_test_page(reads()) if group == "sms" else None,
    )


@bp.route("/secrets/<key>/forget", methods=["GET", "POST"])
@requires("settings.edit")
def forget(key: str) -> Response | str:
    """Remove a stored secret."""
    spec = BY_KEY.get(key)
    if spec is None or spec.kind != "secret":
        abort(404)
    back = url_for("settings.show", group=key.split(".")[0])
    if request.method == "GET":
        text = "What needs it stops working until a new one is entered."
        return render_partial(
            "confirm.html", "_confirm.html", title=f"Forget the {spec.label}?", text=text, yes="Forget it",
            url=url_for("settings.forget", key=key), cancel_url=back,
        )  # fmt: skip
    with write() as uow:
        forget_secret(uow, key, change=change())
    return saved(back, f"The {spec.label} is forgotten.")


@bp.get("/live")
@requires("settings.edit")
def ask_live() -> str:
    """What the switch does, before it is pressed."""
    readiness = load_readiness(reads(), site(), now=now())
    missing = [item for item in readiness.items if not item.is_done and item.key != "live"]
    return render_template("settings/live.html", missing=missing)


@bp.post("/live")
@requires("settings.edit")
def set_live() -> Response:
    """Go live, or back to watching."""
    is_live = request.form.get("live") == "yes"
    with write() as uow:
        save_settings(uow, {LIVE: is_live}, change=change(), box=context().box)
    words = "Nightdesk is live: mails and texts go out." if is_live else "Watch mode is on: nothing leaves the house."
    return saved(url_for("settings.show"), words, "good" if is_live else "warn")
