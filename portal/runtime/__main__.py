"""What the supervisor starts: `python -m portal.runtime ROLE`. Each child loads only what its role needs."""

from __future__ import annotations

import sys

from portal.runtime.child import Parent


def main(role: str, arguments: list[str]) -> None:
    """Run one child until its supervisor says stop, or is gone."""
    parent = Parent()
    parent.attach()
    if role == "prepare":
        from portal.runtime.prepare import prepare

        prepare(parent, demo="--demo" in arguments)
    elif role.startswith("web"):
        from portal.runtime.web import serve

        serve(parent, role)
    else:
        from portal.runtime.worker import work

        work(parent, role)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
