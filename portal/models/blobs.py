"""Raw mails and attachments as rows (decisions.md 5)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from sqlalchemy import ForeignKey, LargeBinary, String, insert, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from portal.models.base import Base

CHUNK = 1024 * 1024


class Blob(Base):
    """The existence and size of a content, known by its SHA-256 in hexadecimal."""

    __tablename__ = "blob"
    sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    size: Mapped[int]


class BlobChunk(Base):
    """At most 1 MiB of a blob."""

    __tablename__ = "blob_chunk"
    sha256: Mapped[str] = mapped_column(ForeignKey("blob.sha256", ondelete="CASCADE"), primary_key=True)
    n: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    data: Mapped[bytes] = mapped_column(LargeBinary)


class SessionBlobStore:
    """The BlobStore port over the session of the caller's transaction."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def put(self, data: bytes, *, sha256: str = "") -> str:
        """Store the same content once; returns the SHA-256, which large contents bring along."""
        sha256 = sha256 or hashlib.sha256(data).hexdigest()
        if self._session.scalar(select(Blob.size).where(Blob.sha256 == sha256)) is None:
            self._session.execute(insert(Blob), {"sha256": sha256, "size": len(data)})
            for n, start in enumerate(range(0, len(data), CHUNK)):
                chunk = data[start : start + CHUNK]
                self._session.execute(insert(BlobChunk), {"sha256": sha256, "n": n, "data": chunk})
        return sha256

    def get(self, sha256: str) -> bytes:
        """The whole content. Raises KeyError."""
        return b"".join(self.chunks(sha256))

    def chunks(self, sha256: str) -> Iterator[bytes]:
        """The content in pieces of at most 1 MiB, read one at a time. Raises KeyError."""
        size = self._session.scalar(select(Blob.size).where(Blob.sha256 == sha256))
        if size is None:
            raise KeyError(sha256)
        for n in range((size + CHUNK - 1) // CHUNK):
            yield self._session.scalars(
                select(BlobChunk.data).where(BlobChunk.sha256 == sha256, BlobChunk.n == n)
            ).one()
