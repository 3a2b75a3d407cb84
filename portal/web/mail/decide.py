"""What a person decides about mails: one, or many at once."""

from __future__ import annotations

from flask import abort, request, url_for
from flask_login import current_user
from werkzeug.wrappers import Response

from portal.services.mail_quarantine import Decision, decide_mails
from portal.web.auth import requires
from portal.web.htmx import local_path, saved
from portal.web.mail import bp
from portal.web.mail.words import tell_outcome
from portal.web.state import change, write


@bp.post("/decide")
@requires("mail.decide")
def decide() -> Response:
    """`mark` names each mail as it was shown, `do` says what to do with them all, `next` where to go then."""
    wanted = request.form.get("do", "")
    if wanted not in tuple(Decision):
        abort(400, "Choose what to do with the mails.")
    decision = Decision(wanted)
    with write() as uow:
        outcome = decide_mails(uow, request.form.getlist("mark"), decision, change=change())
    message, tone = tell_outcome(outcome, decision, me=current_user.name)
    return saved(local_path(request.form.get("next"), url_for("mail.index")), message, tone)
