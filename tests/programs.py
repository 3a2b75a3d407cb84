"""Programs that some tests need. Missing: skipped with a reason, or a failure where the run says all are there."""

from __future__ import annotations

import os
import shutil

import pytest


def require_program(name: str) -> str:
    """The program's path. With NIGHTDESK_TEST_REQUIRE=all a missing one fails the test instead of skipping it."""
    path = shutil.which(name, path=os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"]))
    if path:
        return path
    reason = f"the program {name} is not installed"
    if os.environ.get("NIGHTDESK_TEST_REQUIRE") == "all":
        pytest.fail(reason)
    pytest.skip(reason)
