"""Files that people send with a form."""

import hashlib

import pytest

from portal.core.errors import DomainError
from portal.core.uploads import MAX_FILE_BYTES, Upload, check_uploads, clean_filename

MB = 1_000_000


@pytest.mark.parametrize(
    ("name", "clean"),
    [
        ("photo.jpg", "photo.jpg"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\Dana\\plan.pdf", "plan.pdf"),
        ('a"b<c>|d?.txt', "a_b_c_d_.txt"),
        ("a\r\nb.txt", "a_b.txt"),
        ("käse\u202egpj.exe", "käsegpj.exe"),
        ("...", "file"),
        ("", "file"),
        ("x" * 200 + ".jpeg", "x" * 115 + ".jpeg"),
        ("x" * 200, "x" * 120),
        ("x." + "y" * 200, "x." + "y" * 118),
    ],
)
def test_a_name_can_do_no_harm(name: str, clean: str):
    assert clean_filename(name) == clean


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ([("a", 1)] * 11, "At most 10 files"),
        ([("dump.bin", 30 * MB)], "dump.bin is 30 MB"),
        ([("a", 20 * MB), ("b", 20 * MB), ("c", 20 * MB)], "more than 50 MB together"),
    ],
)
def test_too_much_is_refused_with_the_limit(files: list[tuple[str, int]], words: str):
    with pytest.raises(DomainError, match=words):
        check_uploads(files)


def test_what_fits_is_taken():
    check_uploads([("a", MAX_FILE_BYTES), ("b", MAX_FILE_BYTES)])
    check_uploads([])


def test_a_file_knows_its_hash():
    assert Upload("a", "", b"abc").sha256 == hashlib.sha256(b"abc").hexdigest()
