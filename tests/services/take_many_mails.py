"""Takes in N mails in a process of its own, listing to ticket: `python -m tests.services.take_many_mails DIR N`."""

from __future__ import annotations

import sys
from pathlib import Path

from portal.models import Database
from portal.services.mail_fetch import fetch_next
from portal.services.mail_intake import take_next
from tests.mails import mail_bytes
from tests.services.mail_world import NOW, add_mailbox, make_mail_world


def main(folder: Path, number: int) -> int:
    """Gives how many verdicts were given."""
    world = make_mail_world(folder)
    # As in a real run: those of the tests do not flush at all.
    world.database = Database(world.database.writer.url.render_as_string(hide_password=False))
    add_mailbox(world)
    server = world.mail.add("imap.shop.example")
    fetch_next(world)
    for n in range(number):
        server.deliver(mail_bytes(f"Mail {n}", message_id=f"<{n}@c>", sender=f"dana{n % 40}@customer.example"), at=NOW)
    world.clock.move(20)
    while fetch_next(world):
        continue
    taken = 0
    while take_next(world):
        taken += 1
    world.database.dispose()
    return taken


if __name__ == "__main__":
    print(main(Path(sys.argv[1]), int(sys.argv[2])))
