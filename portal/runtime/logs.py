"""How log lines look. Children write them to standard output; the supervisor keeps the one rotating file.

A line has a time, a level, a role, an event and bound values. Bodies and secrets are never logged; a phone number that
slips in with an error of a library is masked.
"""

from __future__ import annotations

import logging
import re
from collections.abc import MutableMapping
from typing import Any, TextIO

import structlog

_NUMBER = re.compile(r"\+\d[\d ()-]{6,16}\d")
# Libraries that write bodies, addresses or numbers at their lower levels.
_LOUD = ("twilio", "urllib3", "O365", "msal", "requests_oauthlib", "rq", "alembic", "waitress", "symspellpy")


def set_up_logging(level: str, *, role: str, stream: TextIO | Any) -> None:
    """Send `logging` and `structlog` alike to `stream`. `level` is the name NIGHTDESK_LOG_LEVEL takes."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    last = structlog.stdlib.ProcessorFormatter.wrap_for_formatter
    structlog.configure(
        processors=[structlog.stdlib.filter_by_level, *shared, last],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                _Line(role),
            ],
        )
    )
    logging.raiseExceptions = False
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for name in _LOUD:
        logging.getLogger(name).setLevel(logging.WARNING)


class _Line:
    """`2026-11-21T02:10:00.123Z info worker-urgent portal.jobs.drain: message key=value`, traceback below."""

    def __init__(self, role: str) -> None:
        self._role = role

    def __call__(self, logger: Any, method: str, event: MutableMapping[str, Any]) -> str:
        head = [str(event.pop(name, "-")) for name in ("timestamp", "level")]
        source, message, trace = event.pop("logger", "-"), event.pop("event", ""), event.pop("exception", "")
        values = "".join(f" {name}={value!s}" for name, value in event.items())
        line = f"{' '.join(head)} {self._role} {source}: {message}{values}"
        return mask_numbers(f"{line}\n{trace}" if trace else line)


def mask_numbers(text: str) -> str:
    """Phone numbers in international form become `+…` and their last two digits."""
    return _NUMBER.sub(lambda match: "+…" + match.group()[-2:], text)
