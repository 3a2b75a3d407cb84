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
                "-n", "2", "-m", "not sqlite", "tests/models", "tests/services", "tests/web",
                NIGHTDESK_TEST_DATABASE_URL=database,
            )
        )  # fmt: skip
        results.append(
            run(
                "Stories on PostgreSQL and Redis", "-m", "not sqlite", "tests/stories",
                NIGHTDESK_TEST_DATABASE_URL=database, NIGHTDESK_TEST_REDIS_URL=redis,
            )
        )  # fmt: skip
    results.append(run("Stories in polled mode", "tests/stories", NIGHTDESK_TEST_QUEUE="polled"))
    results.append(run("Kill points, browser and the long runs", "-m", "more", "tests"))
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
