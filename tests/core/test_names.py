import pytest

from portal.core.errors import DomainError
from portal.core.names import check_name


def test_a_name_is_kept_with_single_spaces():
    assert check_name("  Acme \n Ltd ", noun="customer", longest=8, taken=["Bolt"]) == "Acme Ltd"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (" \t", "Give the customer a name."),
        ("x" * 9, "The name may have at most 8 characters."),
        ("STRASSE", "There is a customer called STRASSE already."),
    ],
)
def test_one_that_is_missing_too_long_or_taken_is_refused(text, words):
    with pytest.raises(DomainError, match=words):
        check_name(text, noun="customer", longest=8, taken=["straße"])
