"""Which network addresses a calendar may be fetched from."""

import pytest

from portal.integrations.ical.addresses import is_in_house, refusal


@pytest.mark.parametrize(
    "address", ["93.184.215.14", "8.8.8.8", "2606:2800:21f:cb07:6820:80da:af6b:8b2c", "64:ff9b::808:808"]
)
def test_the_internet_is_public(address):
    assert (refusal(address), is_in_house(address)) == ("", False)


@pytest.mark.parametrize(
    "address",
    ["10.0.0.5", "172.16.0.1", "172.31.255.255", "192.168.1.1", "fd12:3456::1", "::ffff:10.0.0.5", "64:ff9b::a00:5",
     "2002:a00:5::1"],
)  # fmt: skip
def test_the_house_is_told_apart(address):
    assert (refusal(address), is_in_house(address)) == ("", True)


@pytest.mark.parametrize(
    ("address", "why"),
    [
        ("127.0.0.1", "this machine itself"), ("127.8.9.1", "this machine itself"), ("::1", "this machine itself"),
        ("0.0.0.0", "this machine itself"), ("::", "this machine itself"), ("::ffff:127.0.0.1", "this machine itself"),
        ("64:ff9b::7f00:1", "this machine itself"), ("2002:7f00:1::", "this machine itself"),
        ("169.254.169.254", "own network"), ("fe80::1", "own network"), ("fd00:ec2::254", "own network"),
        ("::ffff:169.254.169.254", "own network"), ("64:ff9b::a9fe:a9fe", "own network"),
        ("100.100.100.200", "not on the internet"), ("192.0.2.1", "not on the internet"), ("198.18.0.1", "not on the"),
        ("224.0.0.1", "not on the internet"), ("255.255.255.255", "not on the internet"), ("240.0.0.1", "not on the"),
        ("ff02::1", "not on the internet"), ("2001:db8::1", "not on the internet"), ("172.15.0.1", ""),
        ("172.32.0.1", ""),
    ],
)  # fmt: skip
def test_what_is_no_place_for_a_calendar_says_why(address, why):
    assert why in refusal(address)
    assert not is_in_house(address)
