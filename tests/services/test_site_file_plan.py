import pytest

from portal.core.errors import DomainError
from portal.core.rotations import Unit
from portal.core.shifts import Shift
from portal.models import ScheduleRow
from portal.services.audit import Change
from portal.services.site_file_import import Run
from portal.services.site_file_plan import make_plan, read_word, span_words
from tests.services.site_file_world import NOW, SiteFileWorld


def test_a_plan_knows_the_minute_on_the_clock_of_its_schedule(database):
    site = SiteFileWorld(database)
    site.take({"schedules": [{"name": "Lord Howe", "zone": "Australia/Lord_Howe"}]})
    with database.unit_of_work() as uow:
        run = Run(uow, None, Change(None, NOW), context=site.shop, environ={})
        plan = make_plan(run, uow.session.get_one(ScheduleRow, 2), "said")
        assert f"{plan.wall:%d %H:%M}" == "21 23:00"
        plan.note("shift.add", "words")
        assert run.changes == ["said: words"]


def test_words_of_the_file_are_read_and_written(database):
    assert read_word(Unit, "week", "unit") is Unit.WEEK
    with pytest.raises(DomainError, match=r"“weeks” is not a unit\. Use hour, day, week, month"):
        read_word(Unit, "weeks", "unit")
    when = NOW.replace(tzinfo=None)
    assert span_words(Shift(1, 1, when, when.replace(hour=14))) == "2026-11-21 12:00 to 2026-11-21 14:00"
