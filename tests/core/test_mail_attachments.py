import pytest

from portal.core.mail_attachments import MailAttachment, named_file, part_file, part_name, safe_name, take_embedded
from portal.core.mime import MimeLimits, parse_mime
from tests.mails import part

YENC = (
    b"hi\r\n=ybegin line=128 size=6 name=a.bin\r\n" + bytes((c + 42) & 255 for c in b"hello") + b"=\x49\r\n=yend size=6"
)


def read(raw: bytes):
    return parse_mime(raw, limits=MimeLimits())[0]


def test_a_uuencoded_file_is_taken_out_of_the_text():
    rest, files = take_embedded(b"see\r\nbegin 644 a.log\r\n%:&5L;&\\\r\n`\r\nend\r\nbye")
    assert rest.split() == [b"see", b"bye"] and files == (named_file("a.log", b"hello"),)


def test_a_yenc_file_is_taken_out_of_the_text():
    rest, (file,) = take_embedded(YENC + b"\r\nbye")
    assert rest.split() == [b"hi", b"bye"] and (file.filename, file.data) == ("a.bin", b"hello\xdf")
    assert take_embedded(YENC)[0].strip() == b"hi"
    assert take_embedded(b"\n=yend\n=ybegin name=x\nnever ended")[1] == ()


@pytest.mark.timeout(20)
def test_many_beginnings_without_an_end_cost_little():
    assert take_embedded(b"\n=yend\n" + b"=ybegin line=1 name=x\n" * 50_000)[1] == ()
    assert take_embedded(b"begin 644 x\n" * 50_000 + b"\nend no")[1] == ()


@pytest.mark.parametrize("block", [b"begin 644 x\nend\n", b"=ybegin line=1 name=x\na\n=yend\n"])
def test_of_thousands_of_files_in_a_text_a_hundred_are_taken_out(block):
    rest, files = take_embedded(b"see\n" + block * 5_000)
    assert len(files) == 100 and len(rest) > 4_900 * len(block)


def test_the_resource_fork_of_a_mac_file_is_named_as_such():
    raw = part("application/applefile; name=a.pdf", b"fork")
    assert part_file(read(raw), b"fork", charset="").filename == "._a.pdf"


@pytest.mark.parametrize(
    ("headers", "kind", "name"),
    [
        ({"Content_Location": "http://shop.example/a/pic%20one.gif?x=1"}, "image/gif", "pic one.gif"),
        ({"Content_Location": "http://[broken"}, "image/gif", "file.gif"),
        ({}, "application/pkcs7-mime", "smime.p7m"),
        ({}, "message/disposition-notification", "read-receipt.txt"),
        ({"Content_Description": "Report 1.pdf"}, "application/pdf", "Report 1.pdf"),
        ({"Content_Description": "What a report..."}, "application/pdf", "file.pdf"),
        ({}, "application/x-strange", "file"),
    ],
)
def test_a_file_without_a_name_is_given_one(headers, kind, name):
    assert part_file(read(part(kind, b"x", **headers)), b"x", charset="").filename == name


def test_a_name_in_raw_bytes_is_read_in_the_charset_of_the_mail():
    raw = b'Content-Disposition: attachment; filename="' + "日本語.pdf".encode("cp932") + b'"\r\n\r\n'
    assert part_name(read(raw), charset="shift_jis") == "日本語.pdf"
    assert part_name(read(b"Content-Disposition: attachment; filename=\r\n\r\n")) == ""


def test_a_safe_name_has_no_folders():
    assert safe_name("../../etc/passwd") == "passwd" and safe_name("C:\\a\\b.txt") == "b.txt" and safe_name("..") == ""


def test_a_file_of_which_only_the_name_is_known_gets_a_type():
    assert named_file("a.pdf", b"").content_type == "application/pdf"
    assert named_file("", b"x") == MailAttachment("file", "application/octet-stream", b"x")
    assert named_file("x", b"", content_type="image/png", content_id="a@b").is_inline
