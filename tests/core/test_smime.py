from hypothesis import given
from hypothesis import strategies as st

from portal.core.smime import signed_content

SIGNED = bytes.fromhex("06092a864886f70d010702")
DATA = bytes.fromhex("06092a864886f70d010701")
VERSION = b"\x02\x01\x01"
WORDS = b"Content-Type: text/plain\r\n\r\nhello"


def der(tag: int, content: bytes) -> bytes:
    size = len(content)
    length = bytes([size]) if size < 128 else b"\x82" + size.to_bytes(2, "big")
    return bytes([tag]) + length + content


def ber(tag: int, content: bytes) -> bytes:
    return bytes([tag]) + b"\x80" + content + b"\x00\x00"


def test_the_content_of_an_opaque_signature_is_read():
    content = der(0x30, DATA + der(0xA0, der(0x04, WORDS * 10)))
    assert signed_content(der(0x30, SIGNED + der(0xA0, der(0x30, VERSION + der(0x31, b"") + content)))) == WORDS * 10


def test_a_content_in_pieces_without_lengths_is_read():
    pieces = ber(0x24, der(0x04, WORDS[:9]) + der(0x04, WORDS[9:]))
    content = ber(0x30, DATA + ber(0xA0, pieces))
    assert signed_content(ber(0x30, SIGNED + ber(0xA0, ber(0x30, VERSION + der(0x31, b"") + content)))) == WORDS


def test_encrypted_mail_and_garbage_have_no_content():
    enveloped = bytes.fromhex("06092a864886f70d010703")
    for data in (b"", b"\x30", b"words", der(0x30, enveloped + der(0xA0, b"")), der(0x30, SIGNED), der(0x30, b"")):
        assert signed_content(data) == b""
    assert signed_content(der(0x30, SIGNED + der(0xA0, b""))) == b""
    assert signed_content(der(0x30, SIGNED + der(0xA0, der(0x30, VERSION + der(0x30, der(0x04, b"")))))) == b""
    assert signed_content(b"\x30\x80" * 50_000) == b""


@given(st.binary(max_size=200))
def test_no_bytes_make_it_raise(data):
    for raw in (data, der(0x30, SIGNED + data), der(0x30, SIGNED + der(0xA0, der(0x30, data)))):
        signed_content(raw)
