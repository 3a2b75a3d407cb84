"""The short-lived child that readies the database while nobody else uses it."""

from __future__ import annotations

import sys
from typing import Any

import structlog
from sqlalchemy.exc import SQLAlchemyError

from portal.config import load_config
from portal.core.errors import DomainError
from portal.models.schema import upgrade
from portal.runtime.child import Parent
from portal.runtime.logs import set_up_logging
from portal.services.audit import Change
from portal.services.context import Context
from portal.services.jobs import sync_jobs
from portal.services.key_check import check_key
from portal.services.lexicon import seed_triage
from portal.services.restarts import newest_restart_id, settle_restarts
from portal.services.setup_token import ensure_setup_token
from portal.wiring import build

log = structlog.get_logger(__name__)


def prepare(parent: Parent, *, demo: bool = False) -> None:
    """Migrate, check the key, and report; or report the sentence that says why not, and end with 1."""
    config = load_config()
    set_up_logging(config.log_level, role="prepare", stream=parent.out)
    if not parent.wait_for_go():
        return
    try:
        parent.tell("prepared", **_prepare(build(config), is_first=bool(parent.orders["is_first"]), demo=demo))
    except DomainError as error:
        parent.tell("failed", sentence=str(error))
        sys.exit(1)
    except SQLAlchemyError as error:
        log.exception("the database could not be prepared")
        parent.tell("failed", sentence=f"The database cannot be used: {_first_line(error)}")
        sys.exit(1)


def _prepare(context: Context, *, is_first: bool, demo: bool) -> dict[str, Any]:
    upgrade(context.database)
    check_key(context)
    sync_jobs(context)
    with context.database.unit_of_work() as uow:
        seed_triage(uow, change=Change(None, context.clock.now()))
    sign_in = _load_demo(context) if demo else ""
    seen = settle_restarts(context) if is_first else newest_restart_id(context)
    token = ensure_setup_token(context, context.data_dir)
    return {"restart_seen": seen, "setup_path": f"/setup?token={token}" if token else "", "sign_in": sign_in}


def _load_demo(context: Context) -> str:
    from portal.services.demo import load_demo  # a real start has no use for it

    return load_demo(context)


def _first_line(error: SQLAlchemyError) -> str:
    return str(error).splitlines()[0].rstrip(".") + "."
