"""Files that people send: their names, their limits."""

import hashlib

import pytest

from portal.core.errors import DomainError
from portal.core.uploads import LIMITS, MAX_FILE_BYTES, MAX_FILES, Upload, check_uploads, clean_filename


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("IMG_0042.HEIC", "IMG_0042.HEIC"),
        ("C:\\Users\\dana\\screen.png", "screen.png"),
        ("../../etc/passwd", "passwd"),
        ('a"b\r\nSet-Cookie: x.txt', "a_b_Set-Cookie_ x.txt"),
        ("photo\u202egnp.exe", "photognp.exe"),
        ("...", "file"),
        ("", "file"),
        ("x" * 300 + ".jpeg", "x" * 115 + ".jpeg"),
    ],
)
def test_a_name_can_do_no_harm(sent, kept):
    assert clean_filename(sent) == kept


def test_files_within_the_limits_are_taken():
    check_uploads([("photo.heic", MAX_FILE_BYTES)] * 2)
    check_uploads([("photo.heic", MAX_FILE_BYTES // 5)] * MAX_FILES)


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ([("photo.heic", 30_000_000)], "photo.heic is 30 MB; a file may have up to 25 MB."),
        ([("a.txt", 1)] * (MAX_FILES + 1), "At most 10 files"),
        ([("a.mov", 20_000_000)] * 3, "more than 50 MB together"),
    ],
)
def test_a_file_over_a_limit_is_named(files, words):
    with pytest.raises(DomainError, match=words):
        check_uploads(files)


def test_the_limits_are_said_beforehand():
    assert LIMITS == "Up to 10 files, 25 MB each, 50 MB together."


def test_an_upload_knows_its_hash():
    assert Upload("a", "", b"photo").sha256 == hashlib.sha256(b"photo").hexdigest()
