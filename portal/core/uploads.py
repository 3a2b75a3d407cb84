"""Files that people send with a form: what is taken, and under which name."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

from portal.core.errors import DomainError

MAX_FILES = 10
MAX_FILE_BYTES = 25_000_000
MAX_TOTAL_BYTES = 50_000_000
LIMITS = "Up to 10 files, 25 MB each, 50 MB together."

_UNSAFE = re.compile(r"[\x00-\x1f\x7f/\\:*?\"<>|]+")


@dataclass(frozen=True)
class Upload:
    """One file as it was sent. `content_type` is the sender's word and never trusted."""

    filename: str
    content_type: str
    data: bytes = field(repr=False)

    @cached_property
    def sha256(self) -> str:
        """In hexadecimal. Ask before the transaction: it takes a while for a large file."""
        return hashlib.sha256(self.data).hexdigest()


def clean_filename(name: str) -> str:
    """The last part of a path, without what a file system or a header could take amiss; at most 120 characters."""
    last = re.split(r"[/\\]", unicodedata.normalize("NFC", name))[-1]
    safe = "".join(c for c in _UNSAFE.sub("_", last) if unicodedata.category(c) not in ("Cc", "Cf", "Cs")).strip(" .")
    stem, dot, ending = safe.rpartition(".")
    if len(safe) > 120:
        safe = f"{stem[: 119 - len(ending)]}.{ending}" if dot and len(ending) <= 10 else safe[:120]
    return safe or "file"


def check_uploads(files: Sequence[tuple[str, int]]) -> None:
    """Names and sizes in bytes, asked before anything is read into memory.

    Raises DomainError with one sentence that names the file and the limit.
    """
    if len(files) > MAX_FILES:
        raise DomainError(f"At most {MAX_FILES} files at once, please.")
    for name, size in files:
        if size > MAX_FILE_BYTES:
            raise DomainError(f"{name} is {size / 1_000_000:.0f} MB; a file may have up to 25 MB.")
    if sum(size for _, size in files) > MAX_TOTAL_BYTES:
        raise DomainError("These files are more than 50 MB together. Please send some of them later.")
