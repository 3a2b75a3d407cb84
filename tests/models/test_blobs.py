"""Contents as rows of at most 1 MiB."""

from __future__ import annotations

import hashlib

import pytest
from sqlalchemy import func, select

from portal.models import Blob, BlobChunk, SessionBlobStore
from portal.models.blobs import CHUNK


@pytest.mark.parametrize("size", [0, 1, CHUNK, CHUNK + 1, 3 * CHUNK])
def test_a_content_comes_back_whole(database, size):
    data = bytes(range(256)) * (size // 256) + b"x" * (size % 256)
    with database.unit_of_work() as uow:
        sha256 = SessionBlobStore(uow.session).put(data)
    with database.read_session() as session:
        assert SessionBlobStore(session).get(sha256) == data
        assert all(len(chunk) <= CHUNK for chunk in SessionBlobStore(session).chunks(sha256))
    assert sha256 == hashlib.sha256(data).hexdigest()


def test_the_same_content_is_stored_once(database):
    for _ in range(2):
        with database.unit_of_work() as uow:
            SessionBlobStore(uow.session).put(b"photo")
    with database.read_session() as session:
        assert session.scalar(select(func.count()).select_from(Blob)) == 1
        assert session.scalar(select(func.count()).select_from(BlobChunk)) == 1


def test_an_unknown_content_is_a_key_error(database):
    with database.read_session() as session, pytest.raises(KeyError):
        SessionBlobStore(session).get("0" * 64)
