"""The check of a roster and who carries how much of it, as pages; the sheet for pay."""

from datetime import datetime, timedelta

import pytest

from portal.models import AuditEvent, BusinessPeriod, Calendar, HolidayRow, Phone, RotationRow, ScheduleRow, ShiftRow
from tests.core.xlsx import read_xlsx
from tests.web.conftest import NOW
from tests.web.test_tickets import statements

ALICE, BOB, CAROL = 1, 2, 3
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@pytest.fixture
def shop(web):
    """Bob and Carol take turns by the week; only Bob has a phone. The shop is open on Mondays."""
    with web.database.unit_of_work() as uow:
        uow.session.add(RotationRow(name="Weeks", people=[BOB, CAROL], starts=datetime(2026, 6, 1, 9), unit="week"))
        uow.session.add(BusinessPeriod(weekday=0, opens=8 * 60, closes=18 * 60))
        uow.session.add(Phone(user_id=BOB, number="+15550101", verified_at=NOW))
    return web


def add(web, *added):
    with web.database.unit_of_work() as uow:
        uow.session.add_all(added)


def links(page):
    return {link.get_text().split(":")[0]: link["href"] for link in page.soup.select("#main .list-item a")}


def test_the_check_shows_what_was_found_with_a_way_to_mend_it(shop):
    add(shop, ShiftRow(user_id=CAROL, starts=datetime(2026, 12, 1), ends=datetime(2026, 12, 1, 8), level=0))
    page = shop.as_("alice").get("/oncall/report")
    assert (
        page.one("#check-phone li")
        .get_text()
        .startswith("Carol is on call from Mon 23 Nov 2026 09:00 and has no phone")
    )
    assert [figure.get_text() for figure in page.soup.select(".figure-number")] == ["1", "1", "0"]
    assert links(page)["Open the person"] == f"/people/{CAROL}"
    assert links(page)["Open the holidays"] == "/holidays?year=2026"
    for address in links(page).values():
        shop.as_("alice").get(address)


def test_links_lead_only_where_the_reader_may_go(shop):
    assert "Open the person" not in links(shop.as_("bob").get("/oncall/report"))
    for name in ("bob", "carol", "vera"):
        page = shop.as_(name).get("/oncall/report")
        for address in links(page).values():
            shop.as_(name).get(address)


def test_many_of_a_kind_are_folded(shop):
    days = [datetime(2026, 12, 1) + timedelta(days=day) for day in range(14)]
    add(shop, *(HolidayRow(observed_on=day.date(), name="Off", state="proposed") for day in days))
    group = shop.as_("alice").get("/oncall/report").one("#check-holiday")
    assert group.summary.get_text() == "and 11 more"
    assert len(group.select("li")) == 14


def test_a_roster_in_order_says_so(shop):
    add(shop, Phone(user_id=CAROL, number="+15550102", verified_at=NOW))
    add(shop, HolidayRow(observed_on=datetime(2026, 12, 25).date(), name="Christmas", state="accepted"))
    add(shop, HolidayRow(observed_on=datetime(2027, 12, 25).date(), name="Christmas", state="accepted"))
    assert "Nothing found" in shop.as_("alice").get("/oncall/report").text
    panel = shop.as_("alice").get("/oncall/report/panel", htmx=True)
    assert "Nothing that needs to be looked at." in panel.text
    assert panel.one("a")["href"] == "/oncall/report"


def test_the_calendar_asks_for_the_worst_and_is_a_link_without_javascript(shop):
    lazy = shop.as_("bob").get("/oncall").one("#roster-check")
    assert (lazy["hx-get"], lazy["hx-trigger"], lazy.a["href"]) == ("/oncall/report/panel", "load", "/oncall/report")
    panel = shop.as_("bob").get("/oncall/report/panel", htmx=True)
    assert [one.get_text().strip()[:26] for one in panel.soup.select("li")] == [
        "Carol is on call from Mon ", "Nobody has looked through ",
    ]  # fmt: skip


def test_each_schedule_has_its_own_pages(shop):
    add(shop, Calendar(id=2, name="Night hours", changed_at=NOW))
    add(shop, ScheduleRow(id=2, name="Servers", changed_at=NOW, calendar_id=2))
    alice = shop.as_("alice")
    page = alice.get("/oncall/report?schedule=2")
    assert "Nobody is on call in the next twelve months" in page.text
    assert "calendar=2" in links(page)["Open the holidays"]
    assert "schedule=2" in links(page)["Open the week"]
    assert "Nobody was on call on these days" in alice.get("/oncall/report/fairness?schedule=2").text
    for path in ("", "/panel", "/fairness"):
        alice.get(f"/oncall/report{path}?schedule=3", status=404)


def test_everybodys_share_is_a_table_with_bars_nobody_has_to_see(shop):
    page = shop.as_("vera").get("/oncall/report/fairness?first=2026-11-02&last=2026-11-15")
    table = page.one("table.loads")
    assert [head.get_text() for head in table.select("thead th")] == [
        "Person", "Nights", "Weekends", "Holidays", "Other closed hours", "While open", "Total", "Pages",
    ]  # fmt: skip
    bob, carol = ([cell.get_text(" ") for cell in row.select("th, td")] for row in table.select("tbody tr"))
    assert bob == ["Bob", "40 6 nights", "48 1 weekend", "0", "70", "10", "168", "0"]
    assert carol == ["Carol", *bob[1:]]
    assert all(bar["aria-hidden"] == "true" for bar in page.soup.select(".load-bar"))
    widths = [sum(float(rect["width"]) for rect in bar.select("rect")) for bar in page.soup.select(".load-bar")]
    assert max(widths) == pytest.approx(100, abs=0.1)
    assert "Every minute counts once" in page.text


def test_without_days_it_is_the_last_twelve_months_and_with_wrong_ones_too(shop):
    page = shop.as_("bob").get("/oncall/report/fairness")
    assert [field["value"] for field in page.soup.select("input[type=date]")] == ["2025-11-22", "2026-11-21"]
    for asked, words in (
        ("first=2026-11-20&last=2026-11-01", "It ends before it starts."),
        ("first=tomorrow", "Write a day like 2026-12-31."),
        ("first=1999-01-01&last=1999-02-01", "The years must lie between 2000 and 2199."),
        ("first=2010-01-01", "Choose at most three years."),
    ):
        page = shop.as_("bob").get(f"/oncall/report/fairness?{asked}", status=422)
        assert words in page.one("#main .notice").get_text()
        assert page.soup.select_one("#last")["value"] == "2026-11-21"


def test_managers_download_the_hours_for_pay_and_it_is_noted(shop):
    carol = shop.as_("carol")
    form = carol.get("/oncall/report/fairness?first=2026-11-01&last=2026-11-30").one("form.inline-form[action*=pay]")
    answer = carol.client.post(form["action"])
    assert (answer.status_code, answer.mimetype) == (200, XLSX)
    assert answer.headers["Content-Disposition"] == "attachment; filename=on-call-2026-11-01-to-2026-11-30.xlsx"
    assert answer.headers["Cache-Control"] == "no-store"
    totals = read_xlsx(answer.data)["Totals"]
    assert [row[0] for row in totals] == ["Person", "Bob", "Carol", "All"]
    assert totals[-1][-1] == 30 * 24
    with shop.database.read_session() as session:
        (event,) = session.query(AuditEvent).filter_by(action="schedule.pay").all()
        assert (event.actor_id, event.data) == (CAROL, {"first": "2026-11-01", "last": "2026-11-30"})


@pytest.mark.parametrize("name", ["bob", "vera"])
def test_others_do_not_get_the_hours_for_pay(shop, name):
    browser = shop.as_(name)
    assert browser.get("/oncall/report/fairness").soup.select("form[action*=pay]") == []
    browser.post("/oncall/report/pay.xlsx", status=403)


def test_a_sheet_of_wrong_days_is_refused(shop):
    answer = shop.as_("carol").post("/oncall/report/pay.xlsx?first=2026-12-01&last=2026-11-01", status=(409, 422, 400))
    assert "It ends before it starts." in answer.text
    shop.anonymous().get("/oncall/report", status=303)


def test_the_pages_ask_the_database_a_few_times_only(shop):
    for path in ("", "/panel", "/fairness"):
        shop.as_("bob").get(f"/oncall/report{path}")
        assert statements(shop, shop.as_("bob"), f"/oncall/report{path}") <= 8
