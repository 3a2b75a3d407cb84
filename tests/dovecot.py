"""A real Dovecot for tests: own configuration in a temporary folder, loopback, free ports, stopped by its pid."""

from __future__ import annotations

import getpass
import grp
import imaplib
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from tests.ports import free_port, wait_for_port
from tests.programs import require_program

_CONFIG = """
protocols = imap
base_dir = {root}/run
state_dir = {root}/state
log_path = {root}/dovecot.log
listen = 127.0.0.1
mail_location = maildir:{root}/mail/%u
mail_uid = {mail_uid}
mail_gid = {mail_gid}
first_valid_uid = 1
{users}
auth_mechanisms = plain
auth_failure_delay = 0
disable_plaintext_auth = no
mail_max_userip_connections = 50
ssl = yes
ssl_cert = <{root}/cert.pem
ssl_key = <{root}/key.pem
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = {tls_port}
  }}
}}
service anvil {{
  chroot =
}}
service stats {{
  chroot =
}}
passdb {{
  driver = passwd-file
  args = scheme=PLAIN username_format=%u {root}/users/%u
}}
userdb {{
  driver = static
  args = uid={mail_uid} gid={mail_gid} home={root}/mail/%u
}}
namespace inbox {{
  inbox = yes
  separator = /
  mailbox Outbox {{
    special_use = \\Sent
  }}
}}
"""

_USERS = """default_internal_user = {user}
default_internal_group = {group}
default_login_user = {user}"""


class Dovecot:
    """A running server. `port` is plain and STARTTLS, `tls_port` TLS with the certificate in `ca_file`."""

    def __init__(self, root: Path, process: subprocess.Popen[bytes], port: int, tls_port: int) -> None:
        self.root = root
        self.process = process
        self.port = port
        self.tls_port = tls_port
        self.ca_file = str(root / "cert.pem")

    def create_user(self, user: str, password: str) -> None:
        """A mailbox with an empty INBOX."""
        # A file each: Dovecot reads a changed file anew only when its second changes.
        (self.root / "users" / user).write_text(f"{user}:{{PLAIN}}{password}\n")

    def connect(self, user: str, password: str) -> imaplib.IMAP4:
        """An ordinary client, for looking at what our adapter left untouched."""
        client = imaplib.IMAP4("127.0.0.1", self.port, timeout=10)
        client.login(user, password)
        return client

    def append(self, user: str, password: str, raw: bytes, *, at: datetime, folder: str = "INBOX") -> None:
        """Deliver a message with this INTERNALDATE (aware). Dovecot takes the present instead of a time to come, so a
        story that moves the clock moves it back."""
        client = self.connect(user, password)
        try:
            status, data = client.append(f'"{folder}"', "", at.strftime('"%d-%b-%Y %H:%M:%S %z"'), raw)
            assert status == "OK", data
        finally:
            client.logout()

    def cut_connections(self) -> None:
        """Kill every open session at once, as a restarting server or a firewall does. New ones are accepted."""
        for pid in self._session_pids():
            os.kill(pid, signal.SIGKILL)

    def _session_pids(self) -> list[int]:
        listing = subprocess.run(["ps", "-eo", "pid=,ppid=,comm="], capture_output=True, text=True, check=True).stdout
        rows = [line.split(None, 2) for line in listing.splitlines()]
        children = [(int(pid), name) for pid, parent, name in rows if int(parent) == self.process.pid]
        return [pid for pid, name in children if name in ("imap", "imap-login")]


@contextmanager
def running_dovecot() -> Iterator[Dovecot]:
    """Start, wait until it answers, stop."""
    program = require_program("dovecot")
    # Not below pytest's folder: the mail user of a run as root may not enter that.
    root = Path(tempfile.mkdtemp(prefix="nd-dovecot-"))
    try:
        _prepare(root)
        port, tls_port = free_port(), free_port()
        is_root = os.getuid() == 0
        config = _CONFIG.format(
            root=root,
            port=port,
            tls_port=tls_port,
            # Root runs it as the package means it; anybody else runs all of it as themselves.
            users="" if is_root else _USERS.format(user=getpass.getuser(), group=_group()),
            mail_uid=65534 if is_root else os.getuid(),
            mail_gid=65534 if is_root else os.getgid(),
        )
        (root / "dovecot.conf").write_text(config)
        with (root / "out.log").open("wb") as out:
            process = subprocess.Popen([program, "-F", "-c", str(root / "dovecot.conf")], stdout=out, stderr=out)
        try:
            _wait(process, root, port)
            yield Dovecot(root, process, port, tls_port)
        finally:
            process.terminate()
            process.wait(10)
    finally:
        shutil.rmtree(root, ignore_errors=True)


def _prepare(root: Path) -> None:
    root.chmod(0o755)
    (root / "users").mkdir()
    mail = root / "mail"
    mail.mkdir()
    if os.getuid() == 0:
        os.chown(mail, 65534, 65534)
    openssl = require_program("openssl")
    request = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
    names = ["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
    files = ["-keyout", str(root / "key.pem"), "-out", str(root / "cert.pem")]
    subprocess.run([openssl, *request, *names, *files], check=True, capture_output=True)


def _group() -> str:
    return grp.getgrgid(os.getgid()).gr_name


def _wait(process: subprocess.Popen[bytes], root: Path, port: int) -> None:
    try:
        wait_for_port(port)
    except TimeoutError:
        logs = [path.read_text() for path in (root / "out.log", root / "dovecot.log") if path.exists()]
        raise RuntimeError(f"Dovecot did not start (exit {process.poll()}): {''.join(logs)}") from None
