"""The web child: waits for the database, serves, and ends without dropping anybody."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from portal.config import Config, load_config
from portal.runtime.child import Parent
from portal.runtime.listener import take_over
from portal.runtime.logs import set_up_logging
from portal.runtime.runfile import read_run_file
from portal.runtime.server import Server


def serve(parent: Parent, role: str, create_app: Callable[[Config], Any]) -> None:
    """Run until told to stop."""
    config = load_config()
    set_up_logging(config.log_level, role=role, stream=parent.out)
    app = create_app(config)  # opens no connection: that waits for the database to be ready
    if not parent.wait_for_go():
        return
    app.config.update(CAN_RESTART=True, LOAD_PROCESSES=lambda: _load_processes(config))
    server = Server(app, take_over(parent.orders["listener"]), threads=config.web_threads)
    parent.tell("ready")
    server.serve(parent.stopping)


def _load_processes(config: Config) -> list[Any]:
    run = read_run_file(config.data_dir)
    return run.processes if run else []
