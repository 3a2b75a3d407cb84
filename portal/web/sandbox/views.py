"""Phones on a page: texts arrive, answers are typed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from flask import abort, g, render_template, request, url_for
from sqlalchemy import Select, select
from werkzeug.wrappers import Response

from portal.integrations.sandbox.adapter import PhoneText, SandboxGateway
from portal.models import Phone, User
from portal.services.answers import ask_provider_soon
from portal.services.paging_rules import SANDBOX
from portal.web.auth import requires
from portal.web.htmx import saved, wants_partial
from portal.web.sandbox import bp
from portal.web.state import config, context, reads, site, write
from portal.wiring import sandbox_gateway

_SHOWN = 60


@dataclass(frozen=True)
class DrawnPhone:
    """A member's phone with its latest texts. `seen` changes whenever something on the screen does."""

    id: int
    name: str
    number: str
    texts: Sequence[PhoneText]

    @property
    def seen(self) -> str:
        last = self.texts[-1] if self.texts else None
        return f"{len(self.texts)}-{last.at.timestamp() if last else 0}-{last.state if last else ''}"


@bp.get("")
@requires("sandbox.use")
def show() -> str:
    """All phones of active members."""
    phones = [_draw(row.id, row.name, row.number) for row in g.read.execute(_phones())]
    return render_template("sandbox/show.html", phones=phones, is_in_use=site().sms_provider == SANDBOX)


@bp.get("/phones/<int:phone_id>")
@requires("sandbox.use")
def screen(phone_id: int) -> str | Response:
    """One screen for htmx, which asks every two seconds; 204 while nothing is new."""
    phone = _find(phone_id)
    if request.args.get("seen") == phone.seen:
        return Response(status=204)
    return render_template("sandbox/_screen.html", phone=phone)


@bp.post("/reply")
@requires("sandbox.use")
def reply() -> Response | str:
    """The phone's owner answers."""
    phone = _find(request.form.get("phone", 0, type=int))
    text = request.form.get("text", "").strip()
    if text:
        _gateway().reply(phone.number, text[:1600])
        with write() as uow:
            ask_provider_soon(uow)
    if wants_partial():
        return render_template("sandbox/_screen.html", phone=_find(phone.id))
    return saved(url_for("sandbox.show"))


def _gateway() -> SandboxGateway:
    return sandbox_gateway(config(), context().clock)


def _phones() -> Select[int, str, str]:
    query = select(Phone.id, User.name, Phone.number).join(User, User.id == Phone.user_id).where(User.is_active)
    return query.order_by(User.name, Phone.position, Phone.id)


def _find(phone_id: int) -> DrawnPhone:
    row = reads().execute(_phones().where(Phone.id == phone_id)).first()
    if row is None:
        abort(404)
    return _draw(row.id, row.name, row.number)


def _draw(phone_id: int, name: str, number: str) -> DrawnPhone:
    return DrawnPhone(phone_id, name, number, _gateway().list_phone_texts(number, limit=_SHOWN))
