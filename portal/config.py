"""The environment (and `.env`) as one frozen dataclass. A wrong value stops the start with a sentence that names it."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from dotenv import dotenv_values

PROJECT_ROOT = Path(__file__).resolve().parent.parent


class ConfigError(Exception):
    """What is wrong with the environment, one sentence a line."""


def _setting(default: Any, parse: Callable[[str], Any], help_text: str) -> Any:
    return field(default=default, metadata={"parse": parse, "help": help_text})


def _choice(*names: str) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if text not in names:
            raise ValueError(f"must be one of {', '.join(names)}")
        return text

    return parse


def _number(low: int, high: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        if not text.isascii() or not text.isdigit() or not low <= int(text) <= high:
            raise ValueError(f"must be a whole number from {low} to {high}")
        return int(text)

    return parse


def _site_url(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.netloc or parts.query or parts.fragment:
        raise ValueError("must be an address like https://help.example.com")
    return text.rstrip("/")


def _database_url(text: str) -> str:
    if not text.startswith(("sqlite:///", "postgresql+psycopg://", "postgresql://")):
        raise ValueError("must begin with sqlite:/// or postgresql://")
    return text.replace("postgresql://", "postgresql+psycopg://", 1)


def _redis_url(text: str) -> str:
    if not text.startswith(("redis://", "rediss://", "unix://")):
        raise ValueError("must begin with redis://, rediss:// or unix://")
    return text


def _path_prefix(text: str) -> str:
    if text and (not text.startswith("/") or text.endswith("/")):
        raise ValueError("must begin with a slash and not end with one, like /help")
    return text


def _default_queue() -> str:
    return "polled" if sys.platform == "win32" else "rq"


@dataclass(frozen=True)
class Config:
    """Everything the process must know before it can read its database. Names: `NIGHTDESK_` + the field in capitals."""

    data_dir: Path = _setting(PROJECT_ROOT / "instance", Path, "Folder for the database, keys and logs.")
    env: str = _setting("production", _choice("production", "testing"), "`testing` lets tests move the clock.")
    host: str = _setting("127.0.0.1", str, "Address to listen on. 0.0.0.0 for the whole network.")
    port: int = _setting(8060, _number(0, 65535), "Port to listen on. 0 picks a free one.")
    site_url: str = _setting("", _site_url, "Address people use, for links in mails and texts.")
    path_prefix: str = _setting("", _path_prefix, "Path in front of every page, when a proxy puts one there.")
    trusted_proxies: int = _setting(0, _number(0, 10), "How many proxies in front may be believed about the caller.")
    database_url: str = _setting("", _database_url, "SQLite in the data folder unless set; or postgresql://...")
    queue: str = field(
        default_factory=_default_queue,
        metadata={
            "parse": _choice("rq", "polled"),
            "help": "`rq` or `polled`. Polled needs no Redis and is the default on Windows.",
        },
    )
    redis_url: str = _setting("", _redis_url, "Your own Redis or Valkey. Unset: an embedded one.")
    web_processes: int = _setting(1, _number(1, 16), "How many web processes.")
    web_threads: int = _setting(8, _number(1, 64), "Threads in each web process.")
    key_file: Path | None = _setting(None, Path, "The key that seals secrets. Unset: secret.key in the data folder.")
    log_level: str = _setting("info", _choice("debug", "info", "warning", "error"), "How much goes to the log.")

    @property
    def database(self) -> str:
        """The SQLAlchemy URL in force."""
        return self.database_url or f"sqlite:///{(self.data_dir / 'nightdesk.sqlite3').as_posix()}"

    @property
    def is_testing(self) -> bool:
        return self.env == "testing"


def load_config(environ: Mapping[str, str] | None = None, *, dotenv: Path | None = None) -> Config:
    """Read `.env` and the environment (which wins).

    Raises ConfigError naming every wrong value and every unknown `NIGHTDESK_` name at once. `NIGHTDESK_TEST_*` is left
    to the tests.
    """
    if environ is None:
        environ = os.environ
        dotenv = dotenv or PROJECT_ROOT / ".env"
    merged = {key: value or "" for key, value in dotenv_values(dotenv).items()} if dotenv else {}
    merged.update(environ)
    known = {f"NIGHTDESK_{f.name.upper()}": f for f in fields(Config)}
    values: dict[str, Any] = {}
    wrong = []
    for name, text in sorted(merged.items()):
        if not name.startswith("NIGHTDESK_") or name.startswith("NIGHTDESK_TEST_"):
            continue
        if name not in known:
            wrong.append(f"{name} is not a setting of Nightdesk.")
        elif text.strip():
            try:
                values[known[name].name] = known[name].metadata["parse"](text.strip())
            except ValueError as error:
                wrong.append(f"{name} {error}.")
    if wrong:
        raise ConfigError("\n".join(wrong))
    return Config(**values)


def documented() -> list[tuple[str, str, str]]:
    """(name, default, help) of every setting, for the docs."""
    rows = []
    for f in fields(Config):
        default = "" if f.name in ("data_dir", "queue", "key_file") else str(f.default)
        rows.append((f"NIGHTDESK_{f.name.upper()}", default, f.metadata["help"]))
    return rows
