import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.core.rtf import read_rtf, unpack_rtf
from tests.tnef import packed_rtf

# The example of MS-OXRTFCP section 4.1.
HELLO = bytes.fromhex(
    "2d0000002b0000004c5a4675f1c5c7a703000a00726370673132354232 0af32068656c09002062770 5b06c647d0a800fa0".replace(
        " ", ""
    )
)


def test_packed_rtf_is_unpacked_as_the_vendor_shows():
    assert unpack_rtf(HELLO, most=1000) == b"{\\rtf1\\ansi\\ansicpg1252\\pard hello world}\r\n"
    assert unpack_rtf(HELLO, most=10) == b"{\\rtf1\\ans"


@pytest.mark.parametrize("data", [b"", b"short", bytes(20), struct.pack("<4I", 1, 9, 0x75465A4C, 0)])
def test_what_is_no_packed_rtf_is_nothing(data):
    assert unpack_rtf(data, most=1000) == b""


def test_rtf_stored_as_it_is_is_cut_at_the_limit():
    assert unpack_rtf(struct.pack("<4I", 20, 8, 0x414C454D, 0) + b"{\\rtf1 }", most=5) == b"{\\rtf"
    assert unpack_rtf(packed_rtf(b"{\\rtf1 hello there}"), most=1000) == b"{\\rtf1 hello there}"


@pytest.mark.parametrize(
    ("rtf", "text"),
    [
        (rb"{\rtf1\ansi hello\par world}", "hello\nworld"),
        (rb"{\rtf1{\fonttbl{\f0 Arial;}}{\colortbl;\red0;}\f0 words}", "words"),
        (rb"{\rtf1{\*\generator x;}words{\*\unknown y}}", "words"),
        (rb"{\rtf1\ansicpg1252 Dr\'fccker}", "Drücker"),
        (rb"{\rtf1\ansicpg1251 \'cf\'f0}", "Пр"),
        (rb"{\rtf1\uc1 Dr\u252?cker \u-10179?x}", "Drücker \ufffdx"),
        (rb"{\rtf1\uc0 Dr\u252 cker}", "Drücker"),
        (rb"{\rtf1 a\tab b\~c \{x\} \\ \ldblquote q\rdblquote}", "a\tb\xa0c {x} \\ “q”"),
        (rb"{\rtf1{\field{\*\fldinst HYPERLINK x}{\fldrslt link}}}", "link"),
        (rb"}}}{\rtf1 odd", "odd"),
    ],
)
def test_rtf_becomes_text(rtf, text):
    assert read_rtf(rtf) == (text, "")


def test_rtf_made_from_html_becomes_that_html_again():
    rtf = (
        rb"{\rtf1\ansi\ansicpg1252\fromhtml1 {\*\htmltag19 <html>}{\*\htmltag64 <p>}\htmlrtf \par \htmlrtf0 "
        rb"Dr\'fccker{\*\htmltag84 &nbsp;}\htmlrtf \'a0\htmlrtf0 kaputt{\*\htmltag72 </p>}{\*\mhtmltag84 x}}"
    )
    assert read_rtf(rtf) == ("", "<html><p>Drücker&nbsp;kaputt</p>")


@given(st.binary(max_size=300))
def test_no_bytes_make_it_raise(data):
    unpack_rtf(HELLO[:16] + data, most=100)
    for text in read_rtf(b"{\\rtf1 " + data):
        text.encode("utf-8")


@pytest.mark.timeout(20)
@pytest.mark.parametrize("piece", [b"{", b"\\u9?", b"\\'e4", b"\\htmlrtf ", b"}{", b"\\"])
def test_a_megabyte_of_anything_is_read_in_linear_time(piece):
    assert isinstance(read_rtf(b"{\\rtf1\\fromhtml1 " + piece * (1_000_000 // len(piece)))[1], str)
