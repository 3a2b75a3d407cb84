"""How a mail is shown on the page of its ticket, and as it was sent."""

from __future__ import annotations

import base64

import pytest

from portal.models import Ticket
from portal.services.mail_files import import_mails
from tests.mails import mail_bytes, multipart, part
from tests.web.test_tickets import load, statements

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
HTML = (
    b'<p style="color:red">The printer looks like this:</p><img src="cid:fire@x" alt="fire">'
    b'<img src="https://tracker.example/1.gif" alt="logo"><img src="cid:gone@x"><script>alert(1)</script>'
)
CALENDAR = (
    b"BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nBEGIN:VEVENT\r\nUID:1\r\nSUMMARY:Look at the printer\r\n"
    b"DTSTART:20261125T090000Z\r\nDTEND:20261125T100000Z\r\nLOCATION:Floor 2\r\n"
    b"ORGANIZER:mailto:dana@customer.example\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
)


def picture(name: str, data: bytes, kind: str = "image/png", **headers: str) -> bytes:
    encoded = base64.encodebytes(data)
    return part(f'{kind}; name="{name}"', encoded, Content_Transfer_Encoding="base64", **headers)


@pytest.fixture
def take(web, tmp_path):
    """Takes a mail in; gives the id of its ticket."""

    def take(raw: bytes) -> int:
        (tmp_path / "one.eml").write_bytes(raw)
        import_mails(web.context, [tmp_path / "one.eml"], pause=lambda seconds: None)
        return load(web, Ticket)[-1].id

    return take


@pytest.fixture
def fire(web, take) -> int:
    """A ticket from an HTML mail with a picture of its own, one from elsewhere, and a file."""
    related = [part("text/html", HTML), picture("fire.png", PNG, Content_Id="<fire@x>")]
    loose = picture("scan.png", PNG, Content_Id="<loose@x>", Content_Disposition="inline")
    return take(multipart([*related, loose], kind="related"))


def test_the_ticket_page_shows_the_mails_own_pictures_and_no_others(web, fire):
    page = web.as_("vera").get(f"/tickets/{fire}")
    shown = page.one(".message-html")
    own, remote, gone = shown.select("img")
    assert own["src"].endswith("/picture") and "src" not in remote.attrs and "src" not in gone.attrs
    assert not page.soup.select(".message-html [style], .message-html script")
    assert "Pictures from the internet are not shown" in page.text
    assert [link.get_text(" ", strip=True).split()[0] for link in page.soup.select(".file-link")] == ["scan.png"]
    assert web.as_("vera").client.get(own["src"]).data == PNG


def test_a_screenshot_in_a_mail_stands_with_its_words_and_once(web, take):
    shot, logo = PNG + bytes(20_000), PNG + bytes(2_000)
    html = b'<p>It looks like this:</p><img src="cid:shot@x"><img src="cid:logo@x">'
    files = [picture("shot.png", shot, Content_Id="<shot@x>"), picture("logo.png", logo, Content_Id="<logo@x>")]
    ticket_id = take(multipart([part("text/html", html), *files], kind="related"))
    answer = multipart([part("text/html", b"<p>And?</p>" + html), *files], kind="related", message_id="<two@x>")
    take(b"In-Reply-To: <one@customer.example>\r\n" + answer)
    page = web.as_("vera").get(f"/tickets/{ticket_id}")
    shown = page.soup.select(".message-body > p > a > img")
    assert [img["alt"] for img in shown] == ["Picture in the mail: shot.png"] and len(page.soup.select(".message")) == 2
    assert web.as_("vera").client.get(shown[0]["src"]).data == shot


def test_a_mail_as_it_was_sent_stands_alone_and_lets_nothing_run(web, fire):
    bob = web.as_("bob")
    (link,) = bob.get(f"/tickets/{fire}").soup.select("a[href*='/messages/']")
    page = bob.get(link["href"])
    policy = page.response.headers["Content-Security-Policy"]
    assert "sandbox" in policy and "allow-scripts" not in policy and "https:" not in policy
    assert page.response.headers["Referrer-Policy"] == "no-referrer"
    assert page.one(".message-html p")["style"] == "color:red" and not page.soup.select("script")
    assert [img.get("src", "").split("/")[-1] for img in page.soup.select(".message-html img")] == ["picture", "", ""]


def test_pictures_from_the_internet_come_for_one_look_after_a_click(web, fire):
    bob = web.as_("bob")
    (link,) = bob.get(f"/tickets/{fire}").soup.select("a[href*='/messages/']")
    asked = next(one for one in bob.get(link["href"]).soup.select("a") if "Show them" in one.text)
    page = bob.get(asked["href"])
    assert page.soup.select("img[src='https://tracker.example/1.gif']")
    policy = page.response.headers["Content-Security-Policy"]
    assert "img-src 'self' data: https: http:" in policy and "default-src 'none'" in policy
    assert not bob.get(link["href"]).soup.select("img[src^=https]")


def test_a_message_without_formatting_has_no_such_page(web, take):
    ticket_id = take(mail_bytes())
    web.as_("bob").get(f"/tickets/{ticket_id}/messages/1", status=404)
    web.as_("bob").get(f"/tickets/{ticket_id}/messages/99", status=404)
    assert not web.as_("bob").get(f"/tickets/{ticket_id}").soup.select("a[href*='/messages/']")


def test_nobody_sees_a_message_without_signing_in_or_through_another_ticket(web, fire, take):
    other = take(mail_bytes(message_id="<2@x>"))
    (link,) = web.as_("bob").get(f"/tickets/{fire}").soup.select("a[href*='/messages/']")
    message_id = link["href"].split("/")[-1]
    web.as_("bob").get(f"/tickets/{other}/messages/{message_id}", status=404)
    web.as_("bob").get(f"/tickets/{other}/files/1/picture", status=404)
    assert web.anonymous().get(f"/tickets/{fire}/messages/{message_id}", status=303)
    assert web.anonymous().get(f"/tickets/{fire}/files/1/picture", status=303)


@pytest.mark.parametrize(
    ("data", "kind", "status"),
    [
        (PNG, "image/png", 200),
        (b"\xff\xd8\xff\xe0" + bytes(20), "image/jpeg", 200),
        (b"<svg xmlns='http://www.w3.org/2000/svg'><script>1</script></svg>", "image/svg+xml", 404),
        (b"<html><script>1</script></html>", "image/png", 404),
        (b"", "image/png", 404),
    ],
)
def test_only_what_is_a_picture_is_shown_as_one(web, take, data, kind, status):
    ticket_id = take(multipart([part("text/plain", b"see"), picture("a", data, kind)]))
    response = web.as_("bob").client.get(f"/tickets/{ticket_id}/files/1/picture")
    assert response.status_code == status
    if status == 200:
        assert response.content_type == kind
        assert response.headers["Content-Security-Policy"] == "sandbox; default-src 'none'"
        assert response.headers["X-Content-Type-Options"] == "nosniff"


def test_an_invitation_says_when_and_where(web, take):
    ticket_id = take(multipart([part("text/plain", b"Please come."), part("text/calendar; name=x.ics", CALENDAR)]))
    notice = web.as_("bob").get(f"/tickets/{ticket_id}").one(".message .notice").get_text(" ", strip=True)
    assert "Invitation: Look at the printer" in notice and "Floor 2" in notice and "By dana@customer.example" in notice
    assert "09:00" in notice or "10:00" in notice
    broken = take(multipart([part("text/plain", b"x"), part("text/calendar", b"nothing")], message_id="<b@x>"))
    assert not web.as_("bob").get(f"/tickets/{broken}").soup.select(".message .notice")


def test_signed_and_encrypted_mail_is_named_as_such(web, take):
    signed = take(multipart([part("text/plain", b"Hello"), part("application/pgp-signature", b"sig")], kind="signed"))
    assert "Signed, not checked" in web.as_("bob").get(f"/tickets/{signed}").text
    parts = [part("application/pgp-encrypted", b"Version: 1"), part("application/octet-stream; name=m.asc", b"-----")]
    sealed = take(multipart(parts, kind="encrypted", message_id="<s@x>"))
    page = web.as_("bob").get(f"/tickets/{sealed}")
    assert "This mail is encrypted" in page.text and "m.asc" in page.text


def test_quotes_and_signatures_are_folded_and_forwarded_text_is_not(web, take):
    answered = take(mail_bytes("It burns.\n\n-- \nDana\n\nOn 21 Nov 2025, Help wrote:\n> old\n"))
    page = web.as_("bob").get(f"/tickets/{answered}")
    assert [one.text for one in page.soup.select(".message summary")] == ["Signature", "Quoted text"]
    forwarded = "fyi\n\nFrom: Eve\nSent: Friday\nTo: Dana\nSubject: Printer\n\nIt burns.\n"
    ticket_id = take(mail_bytes(forwarded, subject="FW: Printer", message_id="<f@x>"))
    assert not web.as_("bob").get(f"/tickets/{ticket_id}").soup.select(".message summary")


def test_a_ticket_page_with_pictures_and_invitations_costs_little_more(web, take):
    html = part("text/html", HTML)
    ticket_id = take(multipart([html, picture("f.png", PNG, Content_Id="<fire@x>"), part("text/calendar", CALENDAR)]))
    assert statements(web, web.as_("bob"), f"/tickets/{ticket_id}") <= 14
