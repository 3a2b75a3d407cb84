"""`make test-more`: PostgreSQL with a real Redis, polled mode, every kill point, the browser.

Each part is a pytest run of its own; all run even when one fails. Two run at a time: stories wait for leases to end and
for phones to ring while other parts compute.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
OWN = ("stories", "chaos", "browser", "__pycache__")
sys.path.insert(0, str(ROOT))

from tests.servers import postgresql, redis_server  # noqa: E402


@dataclass(frozen=True)
class Part:
    """One pytest run: its arguments, and what it has in its environment."""

    title: str
    arguments: tuple[str, ...]
    environ: dict[str, str] = field(default_factory=dict)


def plan(database: str, redis: str) -> list[Part]:
    """The parts in the order they start, the longest first."""
    pg, queue = {"NIGHTDESK_TEST_DATABASE_URL": database}, {"NIGHTDESK_TEST_REDIS_URL": redis}
    tests = sorted(one.name for one in (ROOT / "tests").iterdir() if one.is_dir() and one.name not in OWN)
    everywhere, steal = "not sqlite and not more", ("--dist", "worksteal")
    return [
        Part("Mail, killed at every step", ("-n", "4", *steal, "-m", "more", "tests/chaos"), pg),
        Part(
            "PostgreSQL: models, services, pages",
            ("-n", "2", "-m", everywhere, "tests/models", "tests/services", "tests/web"),
            pg,
        ),
        Part("The long runs", ("-n", "2", *steal, "-m", "more", *(f"tests/{name}" for name in tests))),
        Part("The kill story at every step", ("-n", "5", *steal, "-m", "more", "tests/stories")),
        Part("Browser", ("-n", "2", *steal, "-m", "more", "tests/browser")),
        Part("Stories on PostgreSQL and Redis", ("-n", "3", "-m", everywhere, "tests/stories"), pg | queue),
        Part(
            "Stories in polled mode", ("-n", "3", "-m", "not more", "tests/stories"), {"NIGHTDESK_TEST_QUEUE": "polled"}
        ),
    ]


def run(part: Part) -> bool:
    """Run one part, and tell all it said when it is over; True when it passed."""
    began = time.monotonic()
    command = [sys.executable, "-m", "pytest", "-q", "--durations=8", *part.arguments]
    with tempfile.TemporaryFile("w+", encoding="utf-8") as out:
        print(f"== {part.title}: started", flush=True)
        env = {**os.environ, **part.environ}
        code = subprocess.run(command, cwd=ROOT, env=env, stdout=out, stderr=subprocess.STDOUT, check=False).returncode
        out.seek(0)
        verdict = f"== {part.title}: {'passed' if code == 0 else 'FAILED'} in {time.monotonic() - began:.0f} s"
        print(f"\n{out.read()}{verdict}", flush=True)
    return code == 0


def main() -> int:
    """0 when every part passed."""
    with ExitStack() as stack, ThreadPoolExecutor(2) as lanes:
        results = list(lanes.map(run, plan(stack.enter_context(postgresql()), stack.enter_context(redis_server()))))
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
