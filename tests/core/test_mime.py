import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.core.mime import MimeLimits, decode_body, decode_uu, normalize, parse_mime, parse_params
from tests.mails import mail_bytes, multipart, part

LIMITS = MimeLimits(parts=10, depth=4)


def types(raw: bytes) -> list[str]:
    root, _ = parse_mime(raw, limits=LIMITS)
    return [one.content_type for one in root.walk()]


def bodies(raw: bytes) -> list[bytes]:
    root, _ = parse_mime(raw, limits=LIMITS)
    return [decode_body(raw, one) for one in root.walk() if not one.parts]


def defects(raw: bytes) -> tuple[str, ...]:
    return parse_mime(raw, limits=LIMITS)[1]


def test_a_plain_mail_is_one_part():
    raw = mail_bytes("hello\n")
    assert types(raw) == ["text/plain"] and bodies(raw) == [b"hello\r\n"] and defects(raw) == ()


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b"From: a\r\n\r\nx", (b"From: a\r\n\r\nx", "")),
        (b"From: a\r\rx\r", (b"From: a\n\nx\n", "lines end in CR only")),
        ("From: ä\n\nx".encode("utf-16"), ("From: ä\n\nx".encode(), "stored as UTF-16")),
        (b"\xef\xbb\xbf\r\nFrom: a\n\nx", (b"From: a\n\nx", "something stood before the header")),
        (b"\r\n\r\nonly a body", (b"\r\n\r\nonly a body", "")),
    ],
)
def test_a_mail_kept_by_an_odd_program_is_made_readable(raw, expected):
    assert normalize(raw) == expected


def test_headers_are_unfolded_and_kept_in_order():
    root, _ = parse_mime(b"Received: a\r\nRECEIVED: b\r\n\tc\r\nSubject : x \r\n\r\n", limits=LIMITS)
    assert root.headers["received"] == (b"a", b"b\tc") and root.header("subject") == b"x" and root.header("no") == b""


def test_parts_are_nested_and_lose_the_newline_before_the_boundary():
    inner = multipart([part("text/plain", b"one"), part("text/html", b"<p>two")], kind="alternative", boundary="in")
    raw = multipart([inner, part("image/png", b"aGk=", Content_Transfer_Encoding="base64")])
    assert types(raw) == ["multipart/mixed", "multipart/alternative", "text/plain", "text/html", "image/png"]
    assert bodies(raw) == [b"one", b"<p>two", b"hi"]


def test_a_boundary_that_begins_like_another_is_not_taken_for_it():
    inner = multipart([part("text/plain", b"one")], boundary="frontier2")
    assert types(multipart([inner])) == ["multipart/mixed", "multipart/mixed", "text/plain"]


def test_a_missing_closing_boundary_keeps_the_last_part():
    raw = multipart([part("text/plain", b"one")]).replace(b"--frontier--\r\n", b"")
    assert bodies(raw) == [b"one\r\n"] and "closing boundary missing" in defects(raw)


def test_a_boundary_line_at_the_very_end_opens_an_empty_part():
    assert bodies(b'Content-Type: multipart/mixed; boundary="x"\n\n--x') == [b""]


def test_a_wrong_boundary_is_guessed():
    raw = multipart([part("text/plain", b"one")]).replace(b'boundary="frontier"', b'boundary="other"')
    assert bodies(raw) == [b"one"] and "boundary did not match and was guessed" in defects(raw)


def test_a_multipart_mail_without_parts_is_text():
    raw = mail_bytes("just words\n", extra={"Content-Type": "multipart/mixed"})
    assert types(raw) == ["text/plain"] and "no parts found in a multipart mail" in defects(raw)


def test_parts_beyond_the_limit_become_a_defect():
    raw = multipart([part("text/plain", b"x")] * 10_000)
    assert len(types(raw)) == LIMITS.parts
    assert "more than 10 parts; the rest is in the original only" in defects(raw)


def test_three_thousand_levels_are_not_followed():
    raw = b"".join(b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (i, i) for i in range(3000))
    assert len(types(raw)) == LIMITS.depth + 1
    assert "nested deeper than 4 levels; the rest is in the original only" in defects(raw)


@pytest.mark.parametrize(
    ("raw", "subject", "body", "defect"),
    [
        (b"From dana Sat Sep 13 2003\nSubject: a\n\nbody", b"a", b"body", ""),
        (b"Subject: a\n>From dana once\nTo: b\n\nbody", b"a", b"body", ""),
        (b"Subject: a\nno colon here\nTo: b\n\nbody", b"a no colon here", b"body", "broken header line"),
        (
            b"Subject: a\nHello, no empty line\nmore\n\nbody",
            b"a",
            b"Hello, no empty line\nmore\n\nbody",
            "no empty line after the header",
        ),
        (b"just words\nand more", b"", b"just words\nand more", "no header"),
        (b"broken first\nSubject: a\n\nbody", b"a", b"body", "broken header line"),
        (b"Subject: a", b"a", b"", ""),
        (b"", b"", b"", ""),
    ],
)
def test_broken_headers_lose_no_words(raw, subject, body, defect):
    root, found = parse_mime(raw, limits=LIMITS)
    assert root.header("subject") == subject and raw[root.start : root.end] == body
    assert not defect or defect in found


@pytest.mark.parametrize("ending", [b"\r\n", b"\n"])
def test_a_header_of_a_megabyte_is_cut_and_the_body_found(ending):
    raw = b"Subject: a" + ending + (b"X-Junk: " + b"y" * 1000 + ending) * 1000 + ending + b"body"
    root, found = parse_mime(raw, limits=LIMITS)
    assert raw[root.start :] == b"body" and "header longer than can be read" in found


def test_a_header_without_end_is_all_header():
    root, found = parse_mime(b"X: y\n" * 5000, limits=LIMITS)
    assert root.start == root.end and "header longer than can be read" in found


@pytest.mark.parametrize("value", ["text", "text/plain/x", "/plain", "text/"])
def test_an_unreadable_content_type_is_text(value):
    raw = mail_bytes(extra={"Content-Type": value})
    assert types(raw) == ["text/plain"] and "unreadable Content-Type" in defects(raw)


@pytest.mark.parametrize("value", ["image/png name=x", "Image/PNG, text/html", "image/png;"])
def test_a_content_type_with_something_behind_it_is_still_read(value):
    assert types(mail_bytes(extra={"Content-Type": value})) == ["image/png"]


def test_a_digest_holds_messages():
    raw = multipart([b"\r\n" + mail_bytes("one")], kind="digest")
    assert types(raw) == ["multipart/digest", "message/rfc822"]


@pytest.mark.parametrize(
    ("encoding", "body", "expected"),
    [
        ("base64", b"aGVs\r\nbG8=\r\n", b"hello"),
        ("BASE64 ", b"aGVsbG8", b"hello"),
        ("base64", b"aGVsb*G8=!\x00", b"hello"),
        ("base64", b"aGVsbG8aa", b"hello\x1a"),
        ("quoted-printable", b"Dr=C3=BCcker=\r\n!", "Drücker!".encode()),
        ("quoted-printable", b"50=% =ZZ", b"50=% =ZZ"),
        ("8bit", b"\xff", b"\xff"),
        ("made-up", b"as is", b"as is"),
        ("x-uuencode", b"begin 644 a.txt\r\n%:&5L;&\\\r\n`\r\nend\r\n", b"hello"),
    ],
)
def test_transfer_encodings_are_undone_as_far_as_possible(encoding, body, expected):
    raw = b"Content-Transfer-Encoding: " + encoding.encode() + b"\r\n\r\n" + body
    root, _ = parse_mime(raw, limits=LIMITS)
    assert decode_body(raw, root) == expected


def test_a_damaged_uuencoded_line_is_passed_over():
    assert decode_uu(b"begin 644 a\n%:&5L;&\\ trailing\n\xff\xff\xff\n`\nend") == b"hello"


@pytest.mark.parametrize(
    ("value", "kind", "params"),
    [
        ('text/plain; charset="utf-8"; format=flowed', "text/plain", {"charset": "utf-8", "format": "flowed"}),
        ('a/b; name="with \\"quotes\\"; and"', "a/b", {"name": 'with "quotes"; and'}),
        ("attachment; filename*=UTF-8''Erkl%C3%A4rung.txt", "attachment", {"filename": "Erklärung.txt"}),
        ("attachment; filename*0=long; filename*1*=%20name; filename*x=!", "attachment", {"filename": "long! name"}),
        ("attachment; filename*0*=utf-8''a%C3; filename*1*=%A4", "attachment", {"filename": "aä"}),
        ("a/b; name='single'; empty=", "a/b", {"name": "'single'", "empty": ""}),
        ("", "", {}),
    ],
)
def test_parameters_are_read(value, kind, params):
    assert parse_params(value)[0] == kind
    if "filename*x" not in value:
        assert parse_params(value)[1] == params


@given(st.binary(max_size=400))
def test_no_bytes_make_it_raise(data):
    for raw in (data, b"Content-Type: multipart/mixed; boundary=x\n\n--x\n" + data + b"\n--x--"):
        root, _ = parse_mime(raw, limits=LIMITS)
        for one in root.walk():
            decode_body(raw, one)


def test_what_stands_below_a_header_line_of_a_megabyte_is_read():
    raw = b"To: " + b"someone@shop.example, " * 50_000 + b"\r\nSubject: late\r\n\r\nbody"
    root, defects = parse_mime(raw, limits=MimeLimits())
    assert root.header("subject") == b"late" and raw[root.start :] == b"body" and len(root.header("to")) < 400_000
    assert defects == ("header longer than can be read",)
