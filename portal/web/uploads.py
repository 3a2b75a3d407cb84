"""Files between the browser and us: read from a form, handed out again so that they can do no harm."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from urllib.parse import quote

from flask import Response, request

from portal.core.uploads import Upload, check_uploads, clean_filename


def read_uploads(name: str) -> tuple[Upload, ...]:
    """The files of one field; empty choices are left out. Raises DomainError when they are too many or too large."""
    sent = (file for file in request.files.getlist(name) if file.filename)
    uploads = tuple(Upload(clean_filename(file.filename or ""), file.mimetype or "", file.read()) for file in sent)
    check_uploads(uploads)
    return uploads


def download(filename: str, size: int, chunks: Iterable[bytes]) -> Response:
    """Always a download of bytes, never shown in our origin: what it contains was written by somebody else."""
    pieces: Iterator[bytes] = iter(chunks)
    response = Response(pieces, mimetype="application/octet-stream")
    ascii_name = clean_filename(filename).encode("ascii", "replace").decode().replace("?", "_")
    response.headers["Content-Disposition"] = (
        f"attachment; filename=\"{ascii_name}\"; filename*=UTF-8''{quote(clean_filename(filename))}"
    )
    response.headers["Content-Length"] = str(size)
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Content-Security-Policy"] = "sandbox; default-src 'none'"
    return response
