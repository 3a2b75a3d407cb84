from datetime import date

import pytest

from portal.core.errors import DomainError
from portal.core.holiday_lists import Country, Region, list_countries, list_regions, propose_holidays


def proposals(country, **keywords):
    return {proposal.on: proposal for proposal in propose_holidays(country, years=[2026], **keywords)}


def test_countries_have_names_a_person_reads():
    countries = list_countries()
    assert Country("DE", "Germany") in countries
    assert Country("BA", "Bosnia and Herzegovina") in countries
    assert [country.name for country in countries] == sorted(country.name for country in countries)


def test_regions_carry_their_name_and_fall_back_to_their_code():
    assert Region("BY", "Bayern") in list_regions("de")
    assert Region("971", "Guadeloupe") in list_regions("FR")
    assert list_regions("VA") == ()
    assert all(region.name for country in list_countries() for region in list_regions(country.code))


def test_a_region_adds_its_own_days():
    epiphany = date(2026, 1, 6)
    assert epiphany not in proposals("DE")
    assert proposals("DE", region="BY")[epiphany].name == "Epiphany"
    assert proposals("DE", region="BY")[epiphany].region == "BY"


def test_names_are_in_english_where_the_list_has_them():
    assert proposals("DE")[date(2026, 10, 3)].name == "German Unity Day"


def test_each_date_comes_once_in_order_and_public_days_come_first():
    days = propose_holidays("US", years=[2026])
    assert [day.on for day in days] == sorted({day.on for day in days})
    assert proposals("US")[date(2026, 12, 25)].kind == "public"
    assert proposals("US")[date(2026, 10, 31)].kind == "unofficial"


def test_only_the_years_asked_for_are_proposed():
    years = {day.on.year for day in propose_holidays("GB", years=[2026, 2027])}
    assert years == {2026, 2027}


def test_worked_saturdays_and_school_breaks_are_not_proposed_as_days_off():
    assert all(
        day.kind not in ("workday", "school")
        for country in list_countries()
        for day in propose_holidays(country.code, years=[2026])
    )


def test_a_country_without_a_list_is_refused():
    with pytest.raises(DomainError, match="no holiday list for the country “XX”"):
        propose_holidays("XX", years=[2026])
    with pytest.raises(DomainError, match="no holiday list"):
        list_regions("Atlantis")


def test_an_unknown_region_is_refused():
    with pytest.raises(DomainError, match="DE knows no region “ZZ”"):
        propose_holidays("DE", years=[2026], region="ZZ")


def test_a_year_the_list_does_not_know_gives_nothing():
    assert propose_holidays("DE", years=[2500]) == ()
