"""Names that people give to things."""

from __future__ import annotations

from collections.abc import Iterable

from portal.core.errors import DomainError


def check_name(text: str, *, noun: str, longest: int, taken: Iterable[str] = ()) -> str:
    """A name as it is kept, with single spaces. Raises DomainError when it is missing, longer than so many characters,
    or one of those `taken`, in whatever case."""
    name = " ".join(text.split())
    if not name:
        raise DomainError(f"Give the {noun} a name.")
    if len(name) > longest:
        raise DomainError(f"The name may have at most {longest} characters.")
    if name.casefold() in {one.casefold() for one in taken}:
        raise DomainError(f"There is a {noun} called {name} already.")
    return name
