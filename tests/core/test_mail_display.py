import pytest

from portal.core.mail_display import has_remote_pictures, picture_ids, picture_type, point_pictures, protection_of

HTML = '<img src="cid:a@x" alt="a"><img src="cid:b%20c@x"><img alt="left out"><a href="#">cid:d</a>'


def test_the_mails_own_pictures_are_found_and_pointed_to():
    assert picture_ids(HTML) == {"a@x", "b c@x"} and picture_ids("") == frozenset()
    pointed = point_pictures(HTML, urls={"a@x": "/files/1/picture?a=1&b=2"})
    assert '<img src="/files/1/picture?a=1&amp;b=2" alt="a">' in pointed and "cid:b" not in pointed


def test_pictures_that_were_left_out_are_noticed():
    assert has_remote_pictures(HTML) and not has_remote_pictures('<img src="cid:a">') and not has_remote_pictures("x")


@pytest.mark.parametrize(
    ("kinds", "text", "found"),
    [
        ([], "hello", ""),
        (["application/pgp-signature"], "hello", "signed"),
        (["application/pkcs7-signature", "image/png"], "", "signed"),
        (["application/pkcs7-mime"], "words", "signed"),
        (["application/x-pkcs7-mime"], " ", "encrypted"),
        (["application/pgp-encrypted"], "", "encrypted"),
        ([], "-----BEGIN PGP MESSAGE-----\nabc", "encrypted"),
        ([], "-----BEGIN PGP SIGNED MESSAGE-----\nabc", "signed"),
    ],
)
def test_signed_and_encrypted_mail_is_told_by_its_parts(kinds, text, found):
    assert protection_of(kinds, text=text) == found


@pytest.mark.parametrize(
    ("start", "kind"),
    [
        (b"\x89PNG\r\n\x1a\n....", "image/png"),
        (b"\xff\xd8\xff\xe0", "image/jpeg"),
        (b"GIF89a", "image/gif"),
        (b"RIFF\x00\x00\x00\x00WEBPVP8", "image/webp"),
        (b"RIFF\x00\x00\x00\x00AVI ", ""),
        (b"<svg", ""),
        (b"", ""),
    ],
)
def test_a_picture_is_what_its_bytes_say(start, kind):
    assert picture_type(start) == kind
