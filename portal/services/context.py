"""What a service needs of the world: one frozen value, made by `portal.wiring`, handed along."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from portal.core.ports import CalendarFetcher, Clock, JobQueue, MailTransport, Randomness, SecretBox, SmsGateway
from portal.models import Database


@dataclass(frozen=True)
class Context:
    """Database, clocks and ports.

    Attributes:
        sms: makes the gateway of the provider that is set up now; raises GatewayError when there is none.
        calendars: fetches iCal files from the web; None where none is to be fetched.
        mail: makes mailboxes and senders of accounts.
        site_url: the address for links, "" when people cannot reach one from outside.
    """

    database: Database
    clock: Clock
    random: Randomness
    box: SecretBox
    queue: JobQueue
    sms: Callable[[], SmsGateway]
    mail: MailTransport
    data_dir: Path
    site_url: str = ""
    calendars: CalendarFetcher | None = None
