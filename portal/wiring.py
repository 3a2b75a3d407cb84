"""The only place that names concrete adapters: configuration in, `Context` out."""

from __future__ import annotations

import json
from collections.abc import Callable

from portal.config import PROJECT_ROOT, Config, ConfigError
from portal.core.errors import GatewayError
from portal.core.ports import Clock, JobQueue, SecretBox, SmsGateway
from portal.integrations.ical.adapter import WebCalendars
from portal.integrations.mail_transport import MailServers
from portal.integrations.rq.adapter import PolledJobQueue, RqJobQueue
from portal.integrations.sandbox.adapter import SandboxGateway
from portal.integrations.system.clock import SystemClock
from portal.integrations.system.keyfile import load_box
from portal.integrations.system.randomness import SystemRandomness
from portal.integrations.twilio.adapter import TwilioAccount, TwilioGateway
from portal.models import Database
from portal.services.context import Context
from portal.services.settings import load_settings, open_secret

SANDBOX_FILE = "sandbox.sqlite3"


def build(config: Config) -> Context:
    """Everything the services need. Opens no connection yet. Raises ConfigError or DomainError with one sentence."""
    if not (PROJECT_ROOT / "templates").is_dir():
        raise ConfigError("templates/ does not lie beside portal/: install Nightdesk with `make install`, in place.")
    config.data_dir.mkdir(parents=True, exist_ok=True)
    clock = SystemClock(config.data_dir, testing=config.is_testing)
    box = load_box(config.key_file or config.data_dir / "secret.key")
    queue = _queue(config)
    database = Database(config.database, wake=queue.wake)
    return Context(
        database=database,
        clock=clock,
        random=SystemRandomness(),
        box=box,
        queue=queue,
        sms=_sms_factory(config, database, box=box, clock=clock),
        mail=MailServers(),
        calendars=WebCalendars(),
        data_dir=config.data_dir,
        site_url=config.site_url,
    )


def sandbox_gateway(config: Config, clock: Clock) -> SandboxGateway:
    """The pretended provider, for its page and its commands. It has a clock of its own, as a real one has."""
    return SandboxGateway(config.data_dir / SANDBOX_FILE, now=clock.lease_now)


def _queue(config: Config) -> JobQueue:
    if config.queue == "polled":
        return PolledJobQueue()
    url = config.redis_url or _embedded_queue(config)
    return RqJobQueue(url) if url else PolledJobQueue()


def _embedded_queue(config: Config) -> str:
    """A command beside a running supervisor uses its Valkey; without one the ticker wakes what we leave behind."""
    try:
        socket = json.loads((config.data_dir / "run.json").read_text())["queue_socket"]
    except (OSError, ValueError, KeyError):
        return ""
    return f"unix://{socket}" if socket else ""


def _sms_factory(config: Config, database: Database, *, box: SecretBox, clock: Clock) -> Callable[[], SmsGateway]:
    """Reads the settings at each call, so that a change on the page acts at once."""

    def make() -> SmsGateway:
        with database.read_session() as session:
            settings = load_settings(session)
            token = open_secret(session, "sms.twilio_token", box=box) if settings.sms_provider == "twilio" else ""
        if settings.sms_provider == "sandbox":
            return sandbox_gateway(config, clock)
        if settings.sms_provider == "twilio":
            callback = f"{config.site_url}/texts/twilio/status" if config.site_url.startswith("https://") else ""
            account = TwilioAccount(
                settings.sms_twilio_sid, token, settings.sms_twilio_from, settings.sms_twilio_url, callback
            )
            return TwilioGateway(account)
        raise GatewayError("No SMS provider is set up.", permanent=False, code="no-provider")

    return make
