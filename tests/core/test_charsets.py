import pytest

from portal.core.charsets import decode_raw, decode_text, percent_bytes


@pytest.mark.parametrize(
    ("data", "charset", "text"),
    [
        ("Grüße".encode(), "utf-8", "Grüße"),
        ("Grüße".encode("latin-1"), "iso-8859-1", "Grüße"),
        ("“quoted” – €".encode("cp1252"), "ISO-8859-1", "“quoted” – €"),
        ("Grüße".encode(), "us-ascii", "Grüße"),
        ("Grüße".encode("cp1252"), "us-ascii", "Grüße"),
        ("Grüße".encode("cp1252"), "utf-8", "Grüße"),
        (b"Gr\xc3\xbc\xdfe", "utf-8", "Grüße"),
        (b"Gr\xc3\xbc\xdfe", "", "Grüße"),
        ("Grüße".encode(), "iso-8859-1", "Grüße"),
        ("Grüße €".encode("iso-8859-15"), "iso-8859-15", "Grüße €"),
        (b"\xed\xa0\xbd\xed\xb4\xa5", "utf-8", "🔥"),
        (b"\xed\xa0\xbd\xff", "utf-8", None),
        ("Grüße".encode("utf-16"), "", "Grüße"),
        (b"plain", "utf-16", "plain"),
        (b"\xef\xbb\xbfGr\xc3\xbc\xc3\x9fe", "utf-8", "Grüße"),
        ("こんにちは".encode("iso2022_jp"), "", "こんにちは"),
        ("こんにちは".encode("iso2022_jp"), "utf-8", "こんにちは"),
        ("Привет, мир".encode("cp1251"), "us-ascii", "Привет, мир"),
        ("Grüße".encode("cp1252"), "x-windows-1252", "Grüße"),
        ("Привет".encode("cp1251"), "win-1251", "Привет"),
        ("ł".encode("iso-8859-2"), "ISO 8859-2", "ł"),
        ("שלום".encode("iso-8859-8"), "iso-8859-8-i", "שלום"),
        ("Grüße".encode(), "iso-unheard-of", "Grüße"),
        ("Grüße".encode(), '"utf-8"', "Grüße"),
        ("绩效".encode("gbk"), "gb2312", "绩效"),
        (b"+ANw-ber", "unicode-1-1-utf-7", "Über"),
        (b"half +2AA- pair", "utf-7", "half ? pair"),
        (b"plain", "rot13", "plain"),
        (b"plain", "zip", "plain"),
        (b"plain", "\x00\x01", "plain"),
        ("①１都".encode("cp932"), "shift_jis", "①１都"),
        (b"\x1b$B!!-!#1\x1b(B end", "iso-2022-jp", "\u3000①１ end"),
        ("ツール".encode("cp932"), "iso-2022-jp", "ツール"),
        ("ツール".encode(), "iso-2022-jp", "ツール"),
        (b"\x1b(I1\x1b(B", "iso-2022-jp", "ｱ"),
        (b"\x1b$B\x7f\x7f\x1b(B!", "iso-2022-jp", None),
        (b"\xff\xfe\x00", "utf-16", None),
        (b"", "utf-8", ""),
        ("Vandrampal Đức".encode(), "windows-1258", "Vandrampal Đức"),
        ("Заявка".encode(), "koi8-r", "Заявка"),
        ("สวัสดี".encode("cp874"), "tis-620", "สวัสดี"),
        ("日本語のメール".encode("euc-jp"), "utf-8", "日本語のメール"),
        ("会议通知".encode("gbk"), "utf-8", "会议通知"),
        ("회의 안내".encode("euc-kr"), "utf-8", "회의 안내"),
        ("Заявка №15".encode("cp1251"), "utf-8", "Заявка №15"),
        ("Тестовое сообщение".encode("koi8-r"), "iso-8859-1", "Тестовое сообщение"),
        ("Сообщение".encode() + b" na\xefve " + "без вирусов".encode(), "iso-8859-1", "Сообщение naïve без вирусов"),
    ],
)
def test_text_is_decoded_whatever_the_charset_claims(data, charset, text):
    decoded = decode_text(data, charset=charset)
    assert isinstance(decoded, str)
    if text is not None:
        assert decoded == text


def test_raw_header_bytes_are_utf8_before_anything_else():
    assert decode_raw("Grüße".encode(), fallback="gb2312") == "Grüße"
    assert decode_raw("绩效".encode("gbk"), fallback="gb2312") == "绩效"
    assert decode_raw("Grüße".encode("latin-1")) == "Grüße"
    assert decode_raw("こんにちは".encode("iso2022_jp")) == "こんにちは"


def test_percent_encoding_of_file_names_is_undone():
    assert percent_bytes("a%C3%A4b%zz%") == "aäb%zz%".encode()
