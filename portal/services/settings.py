"""The site's settings in the database: loaded as one value, saved with a trace, secrets sealed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from portal.core.errors import DomainError
from portal.core.ports import SecretBox
from portal.core.settings import BY_KEY, SiteSettings, build_settings, parse_value
from portal.models import SettingRow, UnitOfWork, User
from portal.models.versions import load_site_state
from portal.services.audit import Change, record_change

_HIDDEN = "(secret)"


def load_settings(session: Session) -> SiteSettings:
    """Everything but the secrets, which stay sealed and are empty here. One statement a transaction."""
    rows = load_site_state(session).settings.items()
    found = {key: json.loads(value) for key, value in rows if key in BY_KEY and BY_KEY[key].kind != "secret"}
    return build_settings(found)


def open_secret(session: Session, key: str, *, box: SecretBox) -> str:
    """A secret in the clear, for the adapter that needs it. "" when none is set. Raises DomainError for a wrong key."""
    sealed = session.scalar(select(SettingRow.value).where(SettingRow.key == key))
    return box.open(json.loads(sealed)) if sealed else ""


def list_set_secrets(session: Session) -> set[str]:
    """The keys of secrets that are set: all that a page may know of them."""
    secrets = [key for key, spec in BY_KEY.items() if spec.kind == "secret"]
    return set(session.scalars(select(SettingRow.key).where(SettingRow.key.in_(secrets))))


def list_chosen(session: Session) -> set[str]:
    """The keys somebody has set, if only to the default."""
    return set(session.scalars(select(SettingRow.key)))


def save_settings(uow: UnitOfWork, values: Mapping[str, Any], *, change: Change, box: SecretBox) -> list[str]:
    """Check and store settings by key. Returns the keys that changed; all or nothing.

    An empty secret keeps the stored one. Raises DomainError with one sentence a line.
    """
    parsed = _parse_all(uow.session, values)
    before = {row.key: row for row in uow.session.scalars(select(SettingRow))}
    current = load_settings(uow.session)
    changed = []
    for key, value in parsed.items():
        spec = BY_KEY[key]
        if spec.kind == "secret":
            if not value:
                continue
            stored, old, new = box.seal(value), _HIDDEN, _HIDDEN
            if key in before and box.open(json.loads(before[key].value)) == value:
                continue
        else:
            stored, old, new = value, getattr(current, spec.attribute), value
            if old == new:
                if key not in before:  # chosen, though it is the default: `list_chosen` knows
                    uow.session.add(SettingRow(key=key, value=json.dumps(stored)))
                continue
        uow.session.merge(SettingRow(key=key, value=json.dumps(stored)))
        record_change(uow, change, "setting.edit", key, before=old, after=new)
        changed.append(key)
    uow.session.flush()
    return changed


def forget_secret(uow: UnitOfWork, key: str, *, change: Change) -> None:
    """Remove a stored secret."""
    uow.session.execute(delete(SettingRow).where(SettingRow.key == key))
    record_change(uow, change, "setting.forget", key)


def _parse_all(session: Session, values: Mapping[str, Any]) -> dict[str, Any]:
    parsed, wrong = {}, []
    for key, value in values.items():
        try:
            parsed[key] = parse_value(key, value)
            if BY_KEY[key].kind == "person" and parsed[key] and not _is_member(session, parsed[key]):
                raise DomainError(f"{BY_KEY[key].label}: this person is not here any more.")
        except DomainError as error:
            wrong.append(str(error))
    if wrong:
        raise DomainError("\n".join(wrong))
    return parsed


def _is_member(session: Session, user_id: int) -> bool:
    user = session.get(User, user_id)
    return user is not None and user.is_active
