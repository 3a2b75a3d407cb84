"""How often the disk is asked to flush for a mail, counted from outside by strace."""

import subprocess
import sys

import pytest

from tests.programs import require_program

MAILS = 500


def count_flushes(tmp_path, name, number):
    strace = require_program("strace")
    folder, log = tmp_path / name, tmp_path / f"{name}.log"
    folder.mkdir()
    command = [sys.executable, "-m", "tests.services.take_many_mails", str(folder), str(number)]
    trace = [strace, "-f", "--seccomp-bpf", "-e", "trace=fsync,fdatasync", "-o", str(log)]
    done = subprocess.run([*trace, *command], capture_output=True, text=True, check=True, timeout=100)
    assert done.stdout.split()[-1] == str(number)
    return sum(1 for line in log.read_text().splitlines() if "sync(" in line)


@pytest.mark.sqlite
def test_taking_in_a_mail_costs_at_most_one_and_a_half_flushes(tmp_path):
    start = count_flushes(tmp_path, "start", 0)
    flushes = count_flushes(tmp_path, "many", MAILS) - start
    assert MAILS <= flushes <= 1.5 * MAILS
