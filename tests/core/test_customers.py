import pytest

from portal.core.customers import list_keys, list_spellings, parse_address, parse_addresses
from portal.core.errors import DomainError


@pytest.mark.parametrize(
    ("text", "stored"),
    [
        ("acme.example", "acme.example"),
        (" ACME.Example. ", "acme.example"),
        ("@acme.example", "acme.example"),
        ("*.acme.example", "acme.example"),
        ("Jane.Doe+help@Gmail.com", "jane.doe+help@gmail.com"),
        ("müller.example", "xn--mller-kva.example"),
        ("eva@müller.example", "eva@xn--mller-kva.example"),
    ],
)
def test_a_domain_or_an_address_is_stored_in_one_form(text, stored):
    assert parse_address(text) == stored


@pytest.mark.parametrize(
    "text",
    ["", "acme", "@", "a b.example", "jane@", "jane@acme", "a@b@c.example", "-a.example", "acme..example", "x" * 260,
     "a.example/b", "<jane@acme.example>", "ü" * 80 + ".example"],
)  # fmt: skip
def test_what_is_neither_is_refused_by_name(text):
    with pytest.raises(DomainError, match="neither a domain"):
        parse_address(text)


@pytest.mark.parametrize("text", ["gmail.com", "@GMX.de", "*.outlook.com"])
def test_the_domain_of_a_provider_is_refused(text):
    with pytest.raises(DomainError, match="people of many companies"):
        parse_address(text)


def test_several_stand_between_commas_spaces_and_lines_each_once():
    assert parse_addresses("acme.example, jane@gmail.com;acme.example\n\tb.example ") == (
        "acme.example", "jane@gmail.com", "b.example",
    )  # fmt: skip
    assert parse_addresses(" \n") == ()


@pytest.mark.parametrize(
    ("email", "keys"),
    [
        ("Jane@Mail.Acme.Example", ("jane@mail.acme.example", "mail.acme.example", "acme.example")),
        ("jane@acme.example", ("jane@acme.example", "acme.example")),
        ("root@localhost", ("root@localhost", "localhost")),
        ("eva@müller.example", ("eva@xn--mller-kva.example", "xn--mller-kva.example")),
        ("", ()),
        ("nobody", ()),
        ("@acme.example", ()),
        ("jane@", ()),
    ],
)
def test_the_closest_comes_first(email, keys):
    assert list_keys(email) == keys


@pytest.mark.parametrize(
    ("address", "spellings"),
    [
        ("acme.example", ("acme.example",)),
        ("xn--mller-kva.example", ("xn--mller-kva.example", "müller.example")),
        ("eva@xn--mller-kva.example", ("eva@xn--mller-kva.example", "eva@müller.example")),
        ("xn--a.example", ("xn--a.example",)),
    ],
)
def test_a_domain_of_another_script_has_two_spellings(address, spellings):
    assert list_spellings(address) == spellings
