"""`portal status --json`: what runs, and what waits."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from portal.runtime.runfile import is_alive, read_run_file
from portal.services.status import SiteStatus


def report(data_dir: Path, site: SiteStatus, due: Mapping[str, int]) -> dict[str, Any]:
    """Processes with pid and role, schema version, due work by kind, unexplained mails, open pages.

    On Windows the processes are those of the last start: whether they live cannot be asked there.
    """
    run = read_run_file(data_dir)
    return {
        "address": run.address if run else "",
        "processes": _processes(data_dir),
        "schema": site.schema,
        "due": dict(due),
        "unexplained_mails": site.unexplained_mails,
        "open_pages": site.open_pages,
    }


def _processes(data_dir: Path) -> list[dict[str, Any]]:
    run = read_run_file(data_dir)
    if run is None:
        return []
    supervisor = {"role": "supervisor", "pid": run.pid, "started_at": run.started_at, "restarts": 0}
    processes = [supervisor, *(asdict(process) for process in run.processes)]
    return [process for process in processes if is_alive(process["pid"]) or sys.platform == "win32"]
