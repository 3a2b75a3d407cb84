from portal.core.mbox import is_mbox, split_mbox
from tests.mails import mail_bytes

FROM = b"From dana@customer.example Fri Nov 21 10:00:00 2025\n"


def split(data: bytes) -> list[bytes]:
    return list(split_mbox(data.splitlines(keepends=True)))


def test_mails_are_split_at_from_lines_after_an_empty_line():
    one, two = b"Subject: one\n\nhello\n", b"Subject: two\n\nFrom here on it is text\n"
    assert split(FROM + one + b"\n" + FROM + two) == [one, two]


def test_a_from_line_in_the_middle_of_a_text_does_not_split():
    mail = b"Subject: one\n\nhello\n" + FROM + b"more\n"
    assert split(FROM + mail) == [mail]


def test_quoted_from_lines_lose_one_mark():
    assert split(FROM + b"Subject: a\n\n>From me\n>>From you\n") == [b"Subject: a\n\nFrom me\n>From you\n"]


def test_windows_line_ends_and_real_mails_survive():
    raw = mail_bytes()
    assert split(FROM.replace(b"\n", b"\r\n") + raw + b"\r\n" + FROM + raw) == [raw, raw]


def test_an_empty_file_holds_no_mail_and_a_headless_start_is_one():
    assert split(b"") == [] and split(b"\n\n") == []
    assert split(b"Subject: a\n\nb\n") == [b"Subject: a\n\nb\n"]


def test_an_mbox_is_told_from_a_single_mail():
    assert is_mbox(FROM + b"Subject: x\n") and is_mbox(b"From MAILER-DAEMON  Fri Nov 15 14:16:10 2013\n")
    assert not is_mbox(mail_bytes()) and not is_mbox(b"From here on\n") and not is_mbox(b"")
