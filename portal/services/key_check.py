"""Whether the key file is the one the database's secrets were sealed with (decisions.md 5)."""

from __future__ import annotations

import json

from portal.core.errors import DomainError
from portal.models import SettingRow
from portal.services.context import Context

_KEY = "key.check"
_TEXT = "nightdesk"


def check_key(context: Context) -> None:
    """Raises DomainError when the key does not open the stored check value, which the first start stores."""
    with context.database.unit_of_work() as uow:
        row = uow.session.get(SettingRow, _KEY)
        if row is None:
            uow.session.add(SettingRow(key=_KEY, value=json.dumps(context.box.seal(_TEXT))))
            return
        try:
            fits = context.box.open(json.loads(row.value)) == _TEXT
        except DomainError:
            fits = False
    if not fits:
        raise DomainError(
            "The key file does not fit this database. Put the right one in place, or name it with NIGHTDESK_KEY_FILE."
        )
