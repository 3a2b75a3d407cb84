from portal.core.site_file import SiteFile
from portal.services.audit import Change
from portal.services.site_file_import import Run, apply_sections
from tests.services.ticket_world import NOW


def test_only_the_sections_of_the_file_are_applied(database):
    with database.unit_of_work() as uow:
        run = Run(uow, SiteFile({"queues": ["Phones", "Desktop"]}), Change(None, NOW), context=None, environ={})
        apply_sections(run)
    assert run.changes == ["queues: Phones added", "queues: another order"]
    assert run.faults == []
