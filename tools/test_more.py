"""`make test-more`: PostgreSQL with a real Redis, polled mode, every kill point, the browser.

Each part is a pytest run of its own; all run even when one fails.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
OWN = ("stories", "chaos", "browser", "__pycache__")
sys.path.insert(0, str(ROOT))

from tests.servers import postgresql, redis_server  # noqa: E402


def run(title: str, *arguments: str, **environ: str) -> bool:
    """One pytest run; True when it passed."""
    print(f"\n== {title}", flush=True)
    began = time.monotonic()
    env = {**os.environ, **environ}
    code = subprocess.run([sys.executable, "-m", "pytest", "-q", *arguments], cwd=ROOT, env=env, check=False).returncode
    print(f"== {title}: {'passed' if code == 0 else 'FAILED'} in {time.monotonic() - began:.0f} s", flush=True)
    return code == 0


def main() -> int:
    """0 when every part passed."""
    results = []
    with ExitStack() as stack:
        database = stack.enter_context(postgresql())
        redis = stack.enter_context(redis_server())
        results.append(
            run(
                "PostgreSQL: models, services, pages",
                "-n", "2", "-m", "not sqlite and not more", "tests/models", "tests/services", "tests/web",
                NIGHTDESK_TEST_DATABASE_URL=database,
            )
        )  # fmt: skip
        results.append(
            run(
                "Stories on PostgreSQL and Redis", "-n", "3", "-m", "not sqlite and not more", "tests/stories",
                NIGHTDESK_TEST_DATABASE_URL=database, NIGHTDESK_TEST_REDIS_URL=redis,
            )
        )  # fmt: skip
        results.append(
            run(
                "Mail, killed at every step", "-n", "3", "--dist", "worksteal", "-m", "more", "tests/chaos",
                NIGHTDESK_TEST_DATABASE_URL=database,
            )
        )  # fmt: skip
    # Stories wait more than they work, those with a death in them for leases to end.
    results.append(
        run("Stories in polled mode", "-n", "3", "-m", "not more", "tests/stories", NIGHTDESK_TEST_QUEUE="polled")
    )
    results.append(run("The kill story at every step", "-n", "5", "--dist", "worksteal", "-m", "more", "tests/stories"))
    results.append(run("Browser", "-m", "more", "tests/browser"))
    rest = [f"tests/{one.name}" for one in sorted((ROOT / "tests").iterdir()) if one.is_dir() and one.name not in OWN]
    results.append(run("The long runs", "-n", "3", "--dist", "worksteal", "-m", "more", *rest))
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
