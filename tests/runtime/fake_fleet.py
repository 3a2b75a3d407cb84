"""A supervisor with children that do next to nothing: `python -m tests.runtime.fake_fleet DATA_DIR PORT QUEUE`.

A file in the data folder changes what the children do: `break-load` (new ones die while loading), `break-prepare`
(the migration fails), `kill-prepare` (it is killed once), `slow` (the web answers after that many seconds), `stubborn`
(workers do not stop).
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from pathlib import Path

from portal.runtime.child import Parent


def main() -> None:
    from portal.runtime.listener import AddressError
    from portal.runtime.lockfile import AlreadyRunningError
    from portal.runtime.supervisor import RunPlan, StartError, Supervisor

    data_dir, port, queue = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3] == "queue"
    command = [sys.executable, "-m", "tests.runtime.fake_fleet", "--child", str(data_dir)]
    plan = RunPlan(
        data_dir=data_dir,
        host="127.0.0.1",
        port=port,
        prepare=[*command, "prepare"],
        commands={role: [*command, role] for role in ("web-1", "worker-urgent", "worker-outside")},
        env=os.environ,
        embedded_queue=queue,
    )
    try:
        Supervisor(plan, say=lambda line: print(line, flush=True)).run()
    except (StartError, AddressError, AlreadyRunningError) as error:
        sys.exit(str(error))


def child(data_dir: Path, role: str) -> None:
    parent = Parent()
    parent.on("note_restart", lambda order: note(data_dir, order))
    if (data_dir / "break-load").exists():
        sys.exit("cannot load")
    parent.attach()
    if not parent.wait_for_go():
        return
    if role == "prepare":
        prepare(parent, data_dir)
    elif role.startswith("web"):
        web(parent, data_dir)
    else:
        work(parent, data_dir)


def prepare(parent: Parent, data_dir: Path) -> None:
    with (data_dir / "prepared").open("a") as file:
        file.write("x")
    if (data_dir / "kill-prepare").exists():
        (data_dir / "kill-prepare").unlink()
        os.kill(os.getpid(), signal.SIGKILL)
    if (data_dir / "break-prepare").exists():
        parent.tell("failed", sentence="The key file does not fit.")
        sys.exit(1)
    parent.tell("prepared", setup_path="/setup?token=T", restart_seen=0)


def web(parent: Parent, data_dir: Path) -> None:
    from portal.runtime.listener import take_over
    from portal.runtime.server import Server

    def application(environ, start_response):
        slow = data_dir / "slow"
        if slow.exists():
            time.sleep(float(slow.read_text()))
        body = str(os.getpid()).encode()
        start_response("200 OK", [("Content-Length", str(len(body)))])
        return [body]

    server = Server(application, take_over(parent.orders["listener"]), threads=4)
    parent.tell("ready")
    server.serve(parent.stopping)


def work(parent: Parent, data_dir: Path) -> None:
    parent.out.write(f"queue at {os.environ.get('NIGHTDESK_REDIS_URL') or os.environ.get('NIGHTDESK_QUEUE')}\n")
    parent.tell("ready")
    while not parent.stopping.wait(0.02):
        asked = data_dir / "restart"
        if asked.exists():
            parent.tell("restart", id=int(asked.read_text()))
    if (data_dir / "stubborn").exists():
        threading.Event().wait()


def note(data_dir: Path, order: dict) -> None:
    line = f"{order['id']} {order['state']} {order['text']}".strip() + "\n"
    path = data_dir / "notes"
    if line not in (path.read_text().splitlines(keepends=True) if path.exists() else ()):
        with path.open("a") as file:
            file.write(line)


if __name__ == "__main__":
    if sys.argv[1] == "--child":
        child(Path(sys.argv[2]), sys.argv[3])
    else:
        main()
