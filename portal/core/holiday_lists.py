"""Public holidays of countries and regions, as proposals: nothing closes the shop until a person accepts it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from holidays import HolidayBase, country_holidays
from holidays.registry import COUNTRIES

from portal.core.calendars import WHOLE_DAY, Period
from portal.core.errors import DomainError

PUBLIC = "public"
# No days off for a shop: Saturdays that are worked instead of a bridge day, and the weeks of the schools.
_NOT_HOLIDAYS = {"workday", "school"}
_LANGUAGE = "en_US"
_SMALL_WORDS = {"And", "Of", "The"}


@dataclass(frozen=True)
class Country:
    """A country with a list; `code` is ISO 3166-1 alpha-2."""

    code: str
    name: str


@dataclass(frozen=True)
class Region:
    """A part of a country with days of its own; `code` as the list knows it."""

    code: str
    name: str


@dataclass(frozen=True, order=True)
class Proposal:
    """A day of a list. `kind` is public, bank, government, half_day, optional ...; `region` may be empty. Lists do not
    say which part of a half-day is closed, so `closed` is the whole day there."""

    on: date
    name: str
    kind: str
    country: str
    region: str = ""
    closed: Period = WHOLE_DAY


@lru_cache(maxsize=1)
def list_countries() -> tuple[Country, ...]:
    """Every country with a list, by name."""
    countries = (Country(codes[1], _country_name(module)) for module, codes in COUNTRIES.items())
    return tuple(sorted(countries, key=lambda country: country.name))


@lru_cache(maxsize=32)
def list_regions(country: str) -> tuple[Region, ...]:
    """The regions of a country, by name; often none. Raises DomainError for a country without a list."""
    calendar = _calendar(country)
    aliases = calendar.subdivisions_aliases.items()
    regions = (
        Region(code, max((name for name, known in aliases if known == code), key=len, default=code))
        for code in calendar.subdivisions
    )
    return tuple(sorted(regions, key=lambda region: region.name))


def propose_holidays(country: str, *, years: Iterable[int], region: str = "") -> tuple[Proposal, ...]:
    """The days of a list in order, each date once: a public holiday hides what else falls on its date.

    Raises DomainError for an unknown country or region. Years the list does not know give nothing.
    """
    code, years = country.strip().upper(), tuple(years)
    known = _calendar(code, region=region).supported_categories
    kinds = sorted(set(known) - _NOT_HOLIDAYS, key=lambda kind: (kind != PUBLIC, kind))
    found: dict[date, Proposal] = {}
    for kind in kinds:
        for on, name in _calendar(code, region=region, years=years, kind=kind).items():
            found.setdefault(on, Proposal(on, name, kind, code, region))
    return tuple(sorted(found.values()))


def _calendar(country: str, *, region: str = "", years: tuple[int, ...] = (), kind: str = PUBLIC) -> HolidayBase:
    code = country.strip().upper()
    if code not in {known.code for known in list_countries()}:
        raise DomainError(
            f"There is no holiday list for the country “{country}”. Add its days by hand or as days of every year, "
            "or read a calendar file."
        )
    try:
        # Without `expand` only the years asked for: a look-up must not add others behind our back.
        return country_holidays(
            code, subdiv=region or None, years=years, expand=False, language=_LANGUAGE, categories=kind
        )
    except NotImplementedError:
        raise DomainError(f"The holiday list of {code} knows no region “{region}”.") from None


def _country_name(module: str) -> str:
    words = module.replace("_", " ").title().split()
    return " ".join(word.lower() if word in _SMALL_WORDS else word for word in words)
