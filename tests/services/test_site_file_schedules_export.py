from portal.services.site_file_schedules_export import collect_schedules, collect_shifts
from tests.services.site_file_world import SiteFileWorld


def test_what_is_over_on_the_clock_of_its_schedule_is_left_out(database):
    site = SiteFileWorld(database)
    # It is 12:00 in UTC: 13:00 in Berlin, 23:00 on Lord Howe.
    spans = [(f"2026-11-21 {hour:02}:00", f"2026-11-21 {hour + 1:02}:00") for hour in (11, 12, 13, 21, 22, 23)]
    spans[-1] = ("2026-11-21 23:00", "2026-11-22 08:00")
    shifts = [{"person": "bob@a.example", "starts": starts, "ends": ends} for starts, ends in spans]
    site.take({"shifts": shifts, "schedules": [{"name": "Isle", "zone": "Australia/Lord_Howe", "shifts": shifts}]})
    with database.read_session() as session:
        assert [one["starts"][11:13] for one in collect_shifts(session, site.now)] == ["13", "21", "22", "23"]
        own, isle = collect_schedules(session, site.now)
    assert own == {
        "name": "On call", "site": True, "zone": "", "calendar": "", "members": [], "rotations": [], "overrides": [],
        "holidays": [],
    }  # fmt: skip
    assert [one["starts"][11:13] for one in isle["shifts"]] == ["23"]
