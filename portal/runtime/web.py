"""The web child: waits for the database, serves, and ends without dropping anybody."""

from __future__ import annotations

from portal.app import create_app
from portal.config import load_config
from portal.runtime.child import Parent
from portal.runtime.listener import take_over
from portal.runtime.logs import set_up_logging
from portal.runtime.server import Server


def serve(parent: Parent, role: str) -> None:
    """Run until told to stop."""
    config = load_config()
    set_up_logging(config.log_level, role=role, stream=parent.out)
    if not parent.wait_for_go():
        return
    app = create_app(config)
    app.config["CAN_RESTART"] = True  # a supervisor listens
    server = Server(app, take_over(parent.orders["listener"]), threads=config.web_threads)
    parent.tell("ready")
    server.serve(parent.stopping)
