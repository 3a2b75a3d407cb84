"""`portal mail parse`: what we read in a mail. Touches no database, no network and no data folder."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

import click

from portal.core.mail import parse_mail
from portal.core.mail_kinds import decide_kind
from portal.core.mail_report import describe_failure, describe_mail

# Without the key of an installation only the shape of our own ids can be seen.
_OUR_ID = re.compile(r"<nd\.\d{1,18}\.\d{1,18}\.[a-z2-7]{8}\.[a-z2-7]{16}@", re.IGNORECASE)


@click.command("parse")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="FILE...")
@click.option("--json", "as_json", is_flag=True, help="One JSON list with an entry for each file, in their order.")
@click.option("--own", multiple=True, metavar="ADDRESS", help="An address of our own mailboxes; may be repeated.")
def parse(files: tuple[Path, ...], as_json: bool, own: tuple[str, ...]) -> None:
    """Show what is read in mails kept as files. Needs no running system and changes nothing.

    A file that cannot be read has its reason in `defects`, and the exit code is then 1.
    """
    own_addresses = frozenset(one.strip().lower() for one in own)
    has_failed = False
    out = sys.stdout.buffer
    for index, file in enumerate(files):
        try:
            entry = _entry(file.read_bytes(), own_addresses)
        except OSError as error:
            entry = describe_failure(error.strerror or type(error).__name__)
            has_failed = True
        text = json.dumps(entry, ensure_ascii=False) if as_json else _sentences(file, entry)
        before = ("[\n" if index == 0 else ",\n") if as_json else ""
        # Bytes, so that names in all alphabets come out on a Windows console too.
        out.write((before + text).encode("utf-8", "replace"))
    out.write(b"\n]\n" if as_json else b"")
    out.flush()
    sys.exit(1 if has_failed else 0)


def _entry(raw: bytes, own_addresses: frozenset[str]) -> dict[str, Any]:
    mail = parse_mail(raw)
    kind = decide_kind(mail, own_addresses=own_addresses, is_own_id=lambda one: _OUR_ID.match(one) is not None)
    return describe_mail(mail, kind=kind)


def _sentences(file: Path, entry: dict[str, Any]) -> str:
    sender = f"{entry['from_display_name']} <{entry['from_email']}>" if entry["from_email"] else "nobody"
    files = ", ".join(f"{one['filename']} ({one['size']:,} bytes)" for one in entry["attachments"])
    lines = [
        f"{file}",
        f"  From: {sender}",
        f"  Subject: {entry['subject']}",
        f"  Kind: {entry['kind']} ({entry['kind_reason']})",
        f"  Files: {files or 'none'}",
        *(f"  Noticed: {defect}" for defect in entry["defects"]),
    ]
    return "\n".join(lines) + "\n"
