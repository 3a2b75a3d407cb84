"""The test buttons. The web calls nobody: it asks a worker and shows what came of it."""

from __future__ import annotations

from flask import abort, render_template, request, url_for
from flask_login import current_user
from werkzeug.wrappers import Response

from portal.core.errors import DomainError
from portal.models import User
from portal.services.checks import SMS, ask_check, load_check
from portal.services.page_tests import load_test_page
from portal.services.paging import page_test
from portal.services.paging_rules import load_paging_rules
from portal.web.auth import requires
from portal.web.htmx import local_path, saved, wants_partial
from portal.web.settings import bp
from portal.web.state import change, now, reads, site, write


@bp.post("/sms/check")
@requires("settings.edit")
def check_sms() -> Response | str:
    """Ask a worker to look at the SMS account."""
    with write() as uow:
        ask_check(uow, SMS, change=change())
    if wants_partial():
        return sms_state()
    return saved(
        local_path(request.form.get("next"), url_for("settings.show", group="sms")), "The account is looked at."
    )


@bp.get("/sms/check")
@requires("settings.edit")
def sms_state() -> str:
    """How the check stands: asks again by itself until there is an answer."""
    page = "settings/_check.html" if wants_partial() else "settings/check.html"
    return render_template(page, check=load_check(reads(), SMS))


@bp.post("/test")
@requires("settings.edit")
def test_page() -> Response | str:
    """A test page, to whoever is named or to oneself."""
    with write() as uow:
        person = uow.session.get(User, request.form.get("person", type=int) or current_user.id)
        if person is None or not person.is_active:
            abort(404)
        rules = load_paging_rules(uow.session, now=now())
        if not rules.provider:
            raise DomainError("Choose an SMS provider first.")
        page_test(uow, person, rules=rules)
        name = person.name
    if wants_partial():
        return test_state()
    back = local_path(request.form.get("next"), url_for("settings.show", group="sms"))
    return saved(back, f"A test page is on its way to {name}.")


@bp.get("/test")
@requires("settings.edit")
def test_state() -> str:
    """How the test page stands: asks again by itself until it is answered or lost."""
    page = "settings/_test.html" if wants_partial() else "settings/test.html"
    return render_template(page, test=load_test_page(reads()), provider=site().sms_provider)
