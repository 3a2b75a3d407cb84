"""Whom an answer is copied to."""

import pytest

from portal.core.copies import CIRCULAR, MOST, find_copies, is_list_address
from portal.core.mail import parse_mail

OWN = {"help@shop.example"}


def copies(to: str = "help@shop.example", cc: str = "", more: str = "") -> tuple[str, ...]:
    copied = f"Cc: {cc}\n" if cc else ""
    raw = f"From: Dana <dana@customer.example>\nTo: {to}\n{copied}{more}Subject: x\n\nHello\n"
    return find_copies(parse_mail(raw.encode()), own=OWN)


def test_who_was_written_to_beside_us_is_copied() -> None:
    assert copies("Help@Shop.example, Boss@customer.example", "Eve <eve@customer.example>, boss@CUSTOMER.example") == (
        "boss@customer.example", "eve@customer.example",
    )  # fmt: skip


def test_neither_we_nor_the_sender_nor_nobody_is() -> None:
    assert copies(cc="help@shop.example, dana@customer.example") == ()
    assert copies(cc="undisclosed-recipients:;") == ()
    assert copies(cc="root, root@localhost, x@y") == ()


@pytest.mark.parametrize(
    "header", ["List-Id: <all.customer.example>", "List-Post: <mailto:x@y.example>", "List-Unsubscribe: <mailto:x@y>"]
)
def test_of_a_mail_that_came_by_a_list_nobody_is(header: str) -> None:
    assert copies(cc="eve@customer.example", more=f"{header}\n") == ()


@pytest.mark.parametrize(
    ("address", "is_list"),
    [
        ("all@x.example", True), ("dev-list@x.example", True), ("linux-l@x.example", True),
        ("owner-dev@x.example", True), ("bounces+dana=x@x.example", True), ("no-reply@x.example", True),
        ("NOREPLY@x.example", True), ("mailer-daemon@x.example", True), ("alle-berlin@x.example", True),
        ("allen@x.example", False), ("liston@x.example", False), ("dana.l.reed@x.example", False),
        ("office@x.example", False),
    ],
)  # fmt: skip
def test_lists_and_robots_are_known_by_their_names(address: str, is_list: bool) -> None:
    assert is_list_address(address) is is_list


def test_a_circular_is_answered_to_its_sender_only_and_few_are_copied() -> None:
    many = [f"p{number}@customer.example" for number in range(CIRCULAR)]
    assert copies(cc=", ".join(many)) == ()
    assert len(copies(cc=", ".join(many[: MOST + 3]))) == MOST
