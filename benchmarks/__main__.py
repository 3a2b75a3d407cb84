"""`make bench`: every benchmark, one after the other; `python -m benchmarks NAME [options]` runs one."""

from __future__ import annotations

import subprocess
import sys

ALL = ("growth", "latency", "mail", "roster", "runtime", "spelling")


def main(arguments: list[str]) -> int:
    """Each in a process of its own, so that none inherits the memory of another."""
    if arguments and arguments[0] in ALL:
        return subprocess.call([sys.executable, "-m", f"benchmarks.{arguments[0]}", *arguments[1:]])
    failed = 0
    for name in ALL:
        print(f"\n=== {name}", flush=True)
        failed |= subprocess.call([sys.executable, "-m", f"benchmarks.{name}"])
    return failed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
