import struct

from hypothesis import given
from hypothesis import strategies as st

from portal.core.tnef import TnefFile, TnefMail, read_tnef
from tests.tnef import (
    BODY,
    CODEPAGE,
    FILE_DATA,
    FILE_PROPERTIES,
    FILE_TITLE,
    NEW_FILE,
    PROPERTIES,
    packed_rtf,
    properties,
    tnef,
)

LONG_NAME = (0x1F, 0x3707, "Drücker.pdf\0".encode("utf-16-le"))
FILE = ((NEW_FILE, bytes(14)), (FILE_TITLE, b"DRCKER~1.PDF\0"), (FILE_DATA, b"%PDF"))


def test_files_come_out_with_their_long_names_and_types():
    data = tnef(*FILE, (FILE_PROPERTIES, properties(LONG_NAME, (0x1E, 0x370E, b"Application/PDF\0"))))
    assert read_tnef(data) == TnefMail("", "", (TnefFile("Drücker.pdf", "application/pdf", b"%PDF"),))
    assert read_tnef(tnef(*FILE)).files[0].name == "DRCKER~1.PDF"


def test_a_picture_keeps_its_content_id():
    block = properties((0x1F, 0x3712, "a@b\0".encode("utf-16-le")), (0x102, 0x3701, b"GIF"))
    (file,) = read_tnef(tnef((NEW_FILE, b""), (FILE_PROPERTIES, block))).files
    assert (file.content_id, file.data) == ("a@b", b"GIF")


def test_properties_of_every_type_are_passed_over():
    odd = [(kind, 0x10, bytes(size)) for kind, size in ((2, 4), (3, 4), (5, 8), (0x0B, 4), (0x40, 8), (0x48, 16))]
    block = properties(*odd, (0x1003, 0x11, struct.pack("<III", 2, 1, 1)), (3, 0x8001, bytes(4)), LONG_NAME)
    named = struct.pack("<I", 2) + struct.pack("<HH", 3, 0x8002) + bytes(16) + struct.pack("<II", 1, 4) + b"a\0b\0"
    named += bytes(4) + properties(LONG_NAME)[4:]
    for one in (block, named):
        assert read_tnef(tnef(*FILE, (FILE_PROPERTIES, one))).files[0].name == "Drücker.pdf"


def test_the_body_is_found_wherever_it_is_kept():
    rtf = packed_rtf(rb"{\rtf1\ansi Hello from\par Outlook}")
    html = packed_rtf(rb"{\rtf1\fromhtml1 {\*\htmltag <p>}Hello{\*\htmltag </p>}}")
    cases = [
        ((BODY, b"Dr\xfccker\r\nkaputt\0"), ("Drücker\nkaputt", "")),
        ((PROPERTIES, properties((0x1F, 0x1000, "Hi\0".encode("utf-16-le")))), ("Hi", "")),
        ((PROPERTIES, properties((0x102, 0x1013, b"<p>Hi"), (3, 0x3FDE, struct.pack("<I", 65001)))), ("", "<p>Hi")),
        ((PROPERTIES, properties((0x1E, 0x1013, b"<p>Hi\0"))), ("", "<p>Hi")),
        ((PROPERTIES, properties((0x102, 0x1009, rtf))), ("Hello from\nOutlook", "")),
        ((PROPERTIES, properties((0x102, 0x1009, html))), ("", "<p>Hello</p>")),
    ]
    for attribute, bodies in cases:
        found = read_tnef(tnef((CODEPAGE, struct.pack("<Q", 1252)), attribute))
        assert (found.text, found.html) == bodies


def test_a_mail_within_gives_its_words_and_its_files():
    inner = tnef((BODY, b"inner words\0"), *FILE)
    block = properties((0x0D, 0x3701, bytes(16) + inner), (0x1F, 0x3001, "Old mail\0".encode("utf-16-le")))
    files = read_tnef(tnef((NEW_FILE, b""), (FILE_PROPERTIES, block))).files
    assert [(one.name, one.data) for one in files] == [("Old mail.txt", b"inner words"), ("DRCKER~1.PDF", b"%PDF")]


def test_what_is_none_or_empty_is_none():
    assert read_tnef(b"") is None and read_tnef(b"garbage") is None and read_tnef(tnef()) is None
    assert read_tnef(tnef((NEW_FILE, b""))) is None


def test_a_mail_within_a_mail_within_a_mail_ends_somewhere():
    data = tnef((BODY, b"deepest\0"))
    for _ in range(50):
        data = tnef((NEW_FILE, b""), (FILE_PROPERTIES, properties((0x0D, 0x3701, bytes(16) + data))))
    assert len(read_tnef(data).files) == 1


@given(st.binary(max_size=200), st.integers(0, 200))
def test_no_bytes_make_it_raise(data, cut):
    whole = tnef(*FILE, (FILE_PROPERTIES, properties(LONG_NAME)), (PROPERTIES, data))
    for raw in (tnef() + data, whole, whole[:cut], tnef((NEW_FILE, b""), (FILE_PROPERTIES, b"\x05\0\0\0" + data))):
        read_tnef(raw)
