"""A calendar file made into shifts: choose it, look at what it would change, then do that."""

from __future__ import annotations

import base64
import binascii
import zlib
from typing import Any

from flask import g, request, url_for
from werkzeug.wrappers import Response

from portal.core.errors import DomainError
from portal.core.ical_lines import MAX_BYTES
from portal.core.shift_import import describe_import
from portal.services.schedules import StoredSchedule
from portal.services.shift_import import ImportPreview, import_shifts, plan_shift_import
from portal.web.auth import requires
from portal.web.feeds import bp
from portal.web.htmx import refused, render_partial, saved
from portal.web.roster_frame import asked_schedule, schedule_args
from portal.web.state import change, now, write

_PAGE = ("feeds/import.html", "feeds/_import.html")
_MOST_PACKED = 1_500_000
_FEW_ROWS, _MOST_ROWS = 10, 300
Answer = Response | str | tuple[str, int]


@bp.route("/import", methods=["GET", "POST"])
@requires("schedule.edit")
def take_in() -> Answer:
    """The file, then the preview, which carries the file along until it is taken."""
    stored = asked_schedule()
    if request.method == "GET":
        return render_partial(*_PAGE, **_values(stored))
    try:
        data = _sent_file()
        if request.form.get("do") == "import":
            return _take(stored, data)
        preview = plan_shift_import(g.read, data, now=now(), schedule_id=stored.head.id)
        return render_partial(*_PAGE, **_values(stored, preview=preview, packed=_pack(data)))
    except DomainError as error:
        return refused(*_PAGE, **_values(asked_schedule(), error=str(error)))


def _take(stored: StoredSchedule, data: bytes) -> Answer:
    seen = request.form.get("version", -1, type=int)
    try:
        with write() as uow:
            done = import_shifts(uow, data, change=change(), schedule_id=stored.head.id, version=seen)
    except DomainError as error:
        preview = plan_shift_import(g.read, data, now=now(), schedule_id=stored.head.id)
        values = _values(asked_schedule(), preview=preview, packed=_pack(data), error=str(error))
        return refused(*_PAGE, **values)
    return saved(url_for("oncall.show", **schedule_args(stored.head.id)), describe_import(done.plan))


def _sent_file() -> bytes:
    """The file of this form, or the one the preview carried along."""
    packed = request.form.get("packed", "")
    if packed:
        return _unpack(packed)
    file = request.files.get("file")
    if file is None or not file.filename:
        raise DomainError("Choose a calendar file (.ics).")
    with file.stream as stream:
        return stream.read(MAX_BYTES + 1)


def _pack(data: bytes) -> str:
    packed = base64.b64encode(zlib.compress(data)).decode()
    if len(packed) > _MOST_PACKED:
        raise DomainError("This file is too large for this page. Use the command `portal oncall import`.")
    return packed


def _unpack(packed: str) -> bytes:
    """Never more than we would have read from a file."""
    try:
        return zlib.decompressobj().decompress(base64.b64decode(packed, validate=True), MAX_BYTES + 1)
    except (binascii.Error, zlib.error):
        raise DomainError("The file was lost on the way. Choose it again.") from None


def _values(
    stored: StoredSchedule, *, preview: ImportPreview | None = None, packed: str = "", error: str = ""
) -> dict[str, Any]:
    return {
        "schedule_name": stored.head.name,
        "zone_name": stored.roster.zone.key,
        "own": schedule_args(stored.head.id),
        "preview": preview,
        "packed": packed,
        "error": error,
        "summary": describe_import(preview.plan) if preview else "",
        "few": _FEW_ROWS,
        "most": _MOST_ROWS,
    }
