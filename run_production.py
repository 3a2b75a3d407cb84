"""Run Nightdesk on this machine: web pages, workers and everything they need. Ctrl-C stops it.

The supervisor starts this file again for each child (`--child ROLE`). It stands above all layers, so it may join the
runtime, which knows processes, with the application and the work; each child loads only what its role needs.
"""

import sys
from pathlib import Path


def start_child(role: str, options: list[str]) -> None:
    """Run one child until the supervisor says stop, or is gone."""
    from portal.runtime.child import Parent

    parent = Parent()
    parent.attach()
    if role == "prepare":
        from portal.runtime.prepare import prepare

        prepare(parent, demo="--demo" in options)
    elif role.startswith("web"):
        from portal.app import create_app
        from portal.runtime.web import serve

        serve(parent, role, create_app)
    else:
        from portal.jobs.shop import Shop
        from portal.runtime.worker import work

        work(parent, role, Shop)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--child"]:
        start_child(sys.argv[2], sys.argv[3:])
    else:
        from portal.runtime.main import run

        sys.exit(run(sys.argv[1:], script=Path(__file__).resolve()))
