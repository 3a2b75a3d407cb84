"""Files between the browser and us: read from a form, handed out again so that they can do no harm."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from urllib.parse import quote

from flask import Blueprint, Response, render_template, request, stream_with_context
from werkzeug.datastructures import FileStorage
from werkzeug.exceptions import RequestEntityTooLarge

from portal.core.uploads import Upload, check_uploads, clean_filename

# Above the limits of core/uploads.py, so that a form with a video in it is read, refused with a sentence, and shown
# again with everything that was typed.
LARGEST_POST = 256 * 1024 * 1024
_TOO_LARGE = (
    "What you sent is larger than we can read. Your browser's back button brings back what you typed; "
    "please leave out the largest file."
)


def read_uploads(name: str) -> tuple[Upload, ...]:
    """The files of one field; empty choices are left out. Raises DomainError when they are too many or too large."""
    sent = [file for file in request.files.getlist(name) if file.filename]
    check_uploads([(clean_filename(file.filename or ""), _size(file)) for file in sent])
    uploads = tuple(Upload(clean_filename(file.filename or ""), file.mimetype or "", file.read()) for file in sent)
    for upload in uploads:
        _ = upload.sha256  # now, not inside the transaction
    return uploads


def sent_names(name: str) -> list[str]:
    """The names of the files of one field, for the sentence that asks to choose them again."""
    return [clean_filename(file.filename) for file in request.files.getlist(name) if file.filename]


def take_large_posts(bp: Blueprint) -> None:
    """Let the area's forms be larger than others, and say what to do when even that is not enough."""

    def raise_limit(endpoint: str | None, values: dict[str, object] | None) -> None:
        request.max_content_length = LARGEST_POST

    def refuse(error: RequestEntityTooLarge) -> tuple[str, int]:
        return render_template("errors/error.html", code=413, title="Too large", text=_TOO_LARGE), 413

    bp.url_value_preprocessor(raise_limit)  # the only hook before the CSRF check, which reads the form
    bp.register_error_handler(RequestEntityTooLarge, refuse)


def _size(file: FileStorage) -> int:
    size = file.stream.seek(0, 2)
    file.stream.seek(0)
    return size


def download(filename: str, size: int, chunks: Iterable[bytes]) -> Response:
    """Always a download of bytes, never shown in our origin: what it contains was written by somebody else."""
    pieces: Iterator[bytes] = stream_with_context(iter(chunks))  # the read session stays until the last piece
    response = Response(pieces, mimetype="application/octet-stream")
    ascii_name = clean_filename(filename).encode("ascii", "replace").decode().replace("?", "_")
    response.headers["Content-Disposition"] = (
        f"attachment; filename=\"{ascii_name}\"; filename*=UTF-8''{quote(clean_filename(filename))}"
    )
    response.headers["Content-Length"] = str(size)
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Content-Security-Policy"] = "sandbox; default-src 'none'"
    return response
