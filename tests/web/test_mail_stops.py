"""What does not go out is listed, with the buttons that let it go again."""

from portal.models import BreakerTrip, OutgoingMail
from portal.services.breaker import HELD_BACK
from portal.services.mail_suspensions import find_suspended
from tests.web.conftest import NOW

PAGE = "/mail/stopped"


def add_trip(web) -> int:
    with web.database.unit_of_work() as uow:
        trip = BreakerTrip(
            scope="address", value="robot@c.example", reason="3 automatic mails came back.", tripped_at=NOW, held_back=2
        )
        uow.session.add(trip)
        uow.session.add(
            OutgoingMail(
                event="confirmation", dedupe_key="x", to=["robot@c.example"], subject="[#9] Away", text="t",
                message_id="<x@y>", created_at=NOW, state="cancelled", last_error=f"{HELD_BACK}3 automatic mails",
            )
        )  # fmt: skip
        uow.session.flush()
        return trip.id


def test_with_nothing_stopped_it_says_so(web) -> None:
    page = web.as_("bob").get(PAGE)
    assert "Nothing is stopped" in page.text and "No address is held back." in page.text
    assert not page.soup.select("main form[method=post]")
    web.as_("vera").get(PAGE, status=403)
    web.anonymous().get(PAGE, status=303)


def test_a_trip_is_shown_with_reason_counts_and_held_back_mails_and_resumed(web) -> None:
    trip_id = add_trip(web)
    alice = web.as_("alice")
    panel = alice.get(PAGE).one("#breaker").text
    assert "robot@c.example" in panel and "2 mails were held back" in panel and "[#9] Away" in panel
    page = alice.follow(alice.post(f"{PAGE}/{trip_id}/resume", status=303))
    assert "Automatic mail to robot@c.example goes out again." in page.text and "Nothing is stopped" in page.text
    assert "goes out there already" in alice.follow(alice.post(f"{PAGE}/{trip_id}/resume", status=303)).text


def test_an_address_is_stopped_by_hand_and_resumed(web) -> None:
    alice = web.as_("alice")
    page = alice.follow(alice.post(PAGE, {"address": " Dana@C.example", "reason": "She asked for it."}, status=303))
    assert "dana@c.example" in page.one("#suspended").text and "She asked for it." in page.text
    page = alice.follow(alice.post(f"{PAGE}/resume-address", {"address": "dana@c.example"}, status=303))
    assert "goes out again" in page.text and "No address is held back." in page.text
    assert "not held back" in alice.follow(alice.post(f"{PAGE}/resume-address", {"address": "x@y.example"})).text


def test_what_is_no_address_is_refused_and_kept(web) -> None:
    page = web.as_("alice").post(PAGE, {"address": "dana", "reason": "r"}, status=422)
    assert "Please enter a mail address" in page.text and page.one("#stop-form input[name=address]")["value"] == "dana"
    assert web.as_("alice").post(PAGE, {"address": ""}, status=422)
    web.as_("alice").post(PAGE, {"address": "a@b.example"})
    assert "held back already" in web.as_("alice").post(PAGE, {"address": "A@b.example"}, status=422).text


def test_only_admins_change_it(web) -> None:
    trip_id = add_trip(web)
    for name in ("bob", "carol"):
        web.as_(name).post(PAGE, {"address": "a@b.example"}, status=403)
        web.as_(name).post(f"{PAGE}/{trip_id}/resume", status=403)
        web.as_(name).post(f"{PAGE}/resume-address", {"address": "a@b.example"}, status=403)
    with web.database.read_session() as session:
        assert find_suspended(session, ["a@b.example"]) == frozenset()
