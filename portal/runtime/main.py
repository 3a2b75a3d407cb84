"""From the configuration to a running supervisor."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from portal.config import Config, ConfigError, load_config
from portal.core.work import OUTSIDE, URGENT
from portal.runtime.listener import AddressError
from portal.runtime.lockfile import AlreadyRunningError
from portal.runtime.supervisor import RunPlan, StartError, Supervisor


def run(arguments: Sequence[str], *, script: Path) -> int:
    """Run until stopped. 1 and one sentence on the console when there is no start.

    `script` is run_production.py, which is also what each child runs: `--child ROLE`.
    """
    parser = argparse.ArgumentParser(prog="run_production.py", description="Run Nightdesk on this machine.")
    parser.add_argument("--demo", action="store_true", help="with sample data and sandbox phones")
    options = parser.parse_args(arguments)
    try:
        Supervisor(plan_run(load_config(), script=script, demo=options.demo), say=_say).run()
    except (ConfigError, StartError, AddressError, AlreadyRunningError) as error:
        print(error, file=sys.stderr)  # noqa: T201 - for the person at the console
        return 1
    return 0


def plan_run(config: Config, *, script: Path, demo: bool = False) -> RunPlan:
    """What runs under this configuration: a preparation, the web processes, and the two workers."""
    roles = [f"web-{number}" for number in range(1, config.web_processes + 1)]
    roles += [f"worker-{URGENT}", f"worker-{OUTSIDE}"]
    return RunPlan(
        data_dir=config.data_dir.resolve(),
        host=config.host,
        port=config.port,
        site_url=config.site_url,
        path_prefix=config.path_prefix,
        prepare=[*_command(script, "prepare"), *(["--demo"] if demo else [])],
        commands={role: _command(script, role) for role in roles},
        env=os.environ,
        embedded_queue=config.queue == "rq" and not config.redis_url,
    )


def _command(script: Path, role: str) -> list[str]:
    return [sys.executable, str(script), "--child", role]


def _say(line: str) -> None:
    print(line, flush=True)  # noqa: T201 - for the person at the console
