"""Writes docs/config.md and docs/permissions.md from what the program itself goes by. `make docs` runs it."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from portal.app import create_app  # noqa: E402
from portal.config import Config, documented  # noqa: E402
from portal.core.permissions import ACTIONS, Role, is_allowed  # noqa: E402
from portal.core.site_file import SECTIONS, Key, Kind  # noqa: E402
from portal.web.auth import access_of, carries_signature  # noqa: E402

_NOTE = "<!-- Written by tools/make_docs.py from the program. Change it there. -->\n"
_NESTED = (Kind.MAP, Kind.MAPS)
_EXAMPLE = """\
```yaml
settings:
  site.name: Acme help desk
  site.zone: Europe/Berlin
  sms.provider: twilio
  sms.twilio_token: {env: TWILIO_TOKEN}
people:
  - {mail: alice@acme.example, name: Alice, role: admin, password: {env: ALICE_PASSWORD}}
  - {mail: bob@acme.example, name: Bob, phones: ["+49 151 12345678"]}
hours:
  mon: ["08:00-12:00", "13:00-17:00"]
  fri: 08:00-14:00
shifts:
  - {person: bob@acme.example, starts: 2026-11-21 17:00, ends: 2026-11-28 08:00}
calendars:
  - name: New York
    zone: America/New_York
    hours: {mon: 09:00-18:00, sat: ["22:00-02:00"]}
    special_hours:
      - {from: 2026-12-31 14:00, to: 2026-12-31 24:00, name: New Year's Eve}
holidays:
  - {date: 2026-12-24, name: Christmas Eve, closed: 13:00-24:00}
  - {date: 2026-12-25, name: Christmas Day, calendar: New York}
holiday_rules:
  - {name: Thanksgiving, day: 4th thu nov, calendar: New York}
schedules:
  - name: Servers
    zone: America/New_York
    calendar: New York
    rotations:
      - {name: Weeks, people: [alice@acme.example, bob@acme.example], starts: 2026-11-02 08:00}
      - name: Nights
        people: [bob@acme.example, alice@acme.example]
        starts: 2026-11-02 18:00
        unit: day
        week: {mon: 18:00-08:00, tue: 18:00-08:00, wed: 18:00-08:00}
        level: 1
    overrides:
      - {kind: replace, person: bob@acme.example, instead_of: alice@acme.example,
         starts: 2026-11-28 08:00, ends: 2026-11-29 08:00}
    holidays:
      - {date: 2026-12-25, policy: person, person: bob@acme.example}
queues:
  - {name: Servers, calendar: New York, schedule: Servers}
```
"""


def config_page() -> str:
    """docs/config.md."""
    parts = [
        _NOTE,
        "# Configuration\n",
        "Almost everything is set on pages. Two things are not: what the program must know before it can open its",
        "database (the environment), and everything at once (the settings file).\n",
        "## Environment\n",
        "Read from the environment and from the file `.env` beside `run_production.py`; the environment wins. A wrong",
        "value or an unknown `NIGHTDESK_` name stops the start and is named.\n",
        "| name | default | what |",
        "|---|---|---|",
        *(f"| `{name}` | {_code(default)} | {_cell(words)} |" for name, default, words in documented()),
        "\n## Settings file\n",
        "`portal config export FILE` writes all settings, `portal config import FILE` reads them, and",
        "`portal config import FILE --dry-run` says what would change. All or nothing: every fault is named with its",
        "line, and then nothing is changed. The same file again changes nothing. A section that is left out stays as",
        "it is.\n",
        "Secrets are never in the file. `{env: NAME}` names the variable of the environment that holds one during the",
        "import. Where that variable is not set, a secret that is stored already stays.\n",
        _EXAMPLE,
    ]
    for section in SECTIONS:
        parts += [f"### `{section.name}`\n", f"{section.help}\n", f"Type: {section.shape.kind}.\n"]
        if section.shape.keys:
            parts += [*_table(section.shape.keys), ""]
        parts += _inner_tables(f"`{section.name}`", section.shape.keys)
    return "\n".join(parts).rstrip() + "\n"


def _inner_tables(above: str, keys: tuple[Key, ...]) -> list[str]:
    parts: list[str] = []
    for key in keys:
        if key.keys:
            path = f"{above} > `{key.name}`"
            parts += [f"{path}:\n", *_table(key.keys), "", *_inner_tables(path, key.keys)]
    return parts


def _table(keys: tuple[Key, ...]) -> list[str]:
    rows = ["| key | type | default | what |", "|---|---|---|---|"]
    for key in keys:
        default = "required" if key.is_required else "" if key.kind in _NESTED else _code(key.default)
        rows.append(f"| `{key.name}` | {key.noun or key.kind} | {default} | {_cell(key.help)} |")
    return rows


def _code(value: Any) -> str:
    if value is None or value == "" or value == ():
        return ""
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def permissions_page() -> str:
    """docs/permissions.md: the table of the roles, and what each route asks for, from the route itself."""
    roles = [str(role) for role in Role]
    parts = [
        _NOTE,
        "# Permissions\n",
        "Every route declares one action; a route without a declaration stops the start. Who may do what:\n",
        f"| action | what | {' | '.join(roles)} |",
        f"|---|---|{'---|' * len(roles)}",
    ]
    for action, (words, _) in ACTIONS.items():
        marks = " | ".join("yes" if is_allowed(role, action) else "" for role in roles)
        parts.append(f"| `{action}` | {_cell(words)} | {marks} |")
    parts += [
        "\n## Routes\n",
        "*public*: anybody; what it shows is protected by a signed link or by nothing. *signature*: a webhook that",
        "checks its sender's signature. *setup*: the first run, 404 afterwards unless an administrator is signed in.\n",
        "| route | methods | needs |",
        "|---|---|---|",
        *_routes(),
    ]
    return "\n".join(parts) + "\n"


def _routes() -> list[str]:
    with tempfile.TemporaryDirectory() as folder:
        app = create_app(Config(data_dir=Path(folder), queue="polled"))
        rows = []
        for rule in sorted(app.url_map.iter_rules(), key=lambda rule: (rule.rule, sorted(rule.methods or ()))):
            methods = ", ".join(sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}))
            access = access_of(app, rule.endpoint) or "?"
            signed = carries_signature(app.view_functions[rule.endpoint])
            needs = "*signature*" if signed else f"`{access}`" if access in ACTIONS else f"*{access}*"
            rows.append(f"| `{rule.rule}` | {methods} | {needs} |")
        app.extensions["nightdesk"].database.dispose()
    return rows


PAGES = {"config.md": config_page, "permissions.md": permissions_page}


def main() -> None:
    """Write every page."""
    for name, page in PAGES.items():
        (ROOT / "docs" / name).write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
