"""Reading YAML nodes against a schema: every fault is noted with its line, and reading goes on."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import Any

import yaml

_ENV_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_MOMENT = re.compile(r"(\d{4}-\d{2}-\d{2})[T ](?:(24):00|(\d{1,2}):(\d{2}))(?::00)?")  # with :00 as programs write it
_NUMBER = re.compile(r"-?\d{1,9}")
_YES, _NO = ("true", "yes", "on"), ("false", "no", "off")


class Kind(StrEnum):
    """What a value is; the words are those of the docs."""

    TEXT = "text"
    TEXTS = "list of texts"
    NUMBER = "whole number"
    FLAG = "true or false"
    DATE = "date"
    MOMENT = "date and time"
    REFERENCE = "reference"
    MAP = "mapping"
    MAPS = "list of mappings"
    NAMES = "list of names or mappings"
    WORDS = "mapping of mappings"


@dataclass(frozen=True, order=True)
class Fault:
    """One thing that is wrong, and the line it stands on (from 1)."""

    line: int
    text: str

    def __str__(self) -> str:
        return f"Line {self.line}: {self.text}"


@dataclass(frozen=True)
class EnvRef:
    """A secret that lies in this variable of the environment."""

    name: str


@dataclass(frozen=True)
class Key:
    """One key of a mapping. Without `default` a key that is left out stays out of the result. `noun` names the type in
    the docs where it says more than the kind does."""

    name: str
    kind: Kind
    help: str
    default: Any = None
    is_required: bool = False
    keys: tuple[Key, ...] = ()
    noun: str = ""


@dataclass(frozen=True)
class Shape:
    """What a value must look like."""

    kind: Kind
    keys: tuple[Key, ...] = ()


class _WrongError(Exception):
    """Internal: a scalar that is not of its kind."""


def read_node(node: yaml.Node, shape: Shape, *, faults: list[Fault]) -> Any:
    """The value of a node. What is wrong is added to `faults`; the value is then incomplete and must not be used."""
    if shape.kind is Kind.MAP:
        return _read_map(node, shape.keys, faults)
    if shape.kind is Kind.MAPS:
        return [_read_map(item, shape.keys, faults) for item in _items(node, faults)]
    if shape.kind is Kind.NAMES:
        return [_read_named(item, shape.keys, faults) for item in _items(node, faults)]
    if shape.kind is Kind.TEXTS:
        return [_read_scalar(item, Kind.TEXT, faults) for item in _items(node, faults, one_is_fine=True)]
    if shape.kind is Kind.WORDS:
        return {name: _read_weights(value, faults) for name, value in _pairs(node, faults)}
    if shape.kind is Kind.REFERENCE:
        return _read_secret(node, faults)
    return _read_scalar(node, shape.kind, faults)


def _line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1


def _is_empty(node: yaml.Node) -> bool:
    return isinstance(node, yaml.ScalarNode) and node.tag == "tag:yaml.org,2002:null"


def _pairs(node: yaml.Node, faults: list[Fault]) -> list[tuple[str, yaml.Node]]:
    if _is_empty(node):
        return []
    if not isinstance(node, yaml.MappingNode):
        faults.append(Fault(_line(node), "Here must stand keys with values, like “name: Bob”."))
        return []
    found: dict[str, yaml.Node] = {}
    for key, value in node.value:
        if not isinstance(key, yaml.ScalarNode):
            faults.append(Fault(_line(key), "A key must be a word."))
        elif key.value in found:
            faults.append(Fault(_line(key), f"“{key.value}” stands here twice."))
        else:
            found[key.value] = value
    return list(found.items())


def _items(node: yaml.Node, faults: list[Fault], *, one_is_fine: bool = False) -> list[yaml.Node]:
    if _is_empty(node):
        return []
    if isinstance(node, yaml.SequenceNode):
        return list(node.value)
    if one_is_fine and isinstance(node, yaml.ScalarNode):
        return [node]
    faults.append(Fault(_line(node), "Here must stand a list: entries that begin with “- ”."))
    return []


def _read_named(node: yaml.Node, keys: tuple[Key, ...], faults: list[Fault]) -> Any:
    """A name alone, or a mapping that says more of it."""
    is_map = isinstance(node, yaml.MappingNode)
    return _read_map(node, keys, faults) if is_map else _read_scalar(node, Kind.TEXT, faults)


def _read_map(node: yaml.Node, keys: tuple[Key, ...], faults: list[Fault]) -> dict[str, Any]:
    known = {key.name: key for key in keys}
    values: dict[str, Any] = {}
    for name, value in _pairs(node, faults):
        if name in known:
            values[name] = read_node(value, Shape(known[name].kind, known[name].keys), faults=faults)
        else:
            faults.append(Fault(_line(value), f"“{name}” is not known here. Use {', '.join(known)}."))
    for key in keys:
        if key.name in values:
            continue
        if key.is_required:
            faults.append(Fault(_line(node), f"“{key.name}” is missing."))
        elif key.default is not None and "." not in key.name:  # a setting that is left out stays as it is
            values[key.name] = list(key.default) if isinstance(key.default, tuple) else key.default
    return values


def _read_weights(node: yaml.Node, faults: list[Fault]) -> dict[str, float]:
    weights = {}
    for term, value in _pairs(node, faults):
        try:
            weights[term] = float(value.value)
        except (TypeError, ValueError):
            faults.append(Fault(_line(value), f"The weight of “{term}” must be a number."))
    return weights


def _read_secret(node: yaml.Node, faults: list[Fault]) -> EnvRef | None:
    if isinstance(node, yaml.MappingNode):
        pairs = _pairs(node, faults)
        if len(pairs) == 1 and pairs[0][0] == "env" and _ENV_NAME.fullmatch(str(pairs[0][1].value)):
            return EnvRef(pairs[0][1].value)
    faults.append(Fault(_line(node), "A secret is not written here. Give the variable that holds it: {env: NAME}."))
    return None


def _read_scalar(node: yaml.Node, kind: Kind, faults: list[Fault]) -> Any:
    try:
        if not isinstance(node, yaml.ScalarNode):
            raise _WrongError("Here must stand a single value.")
        return _SCALARS[kind]("" if _is_empty(node) else node.value)
    except _WrongError as error:
        faults.append(Fault(_line(node), str(error)))
        return None


def _flag(text: str) -> bool:
    if text.lower() not in _YES + _NO:
        raise _WrongError(f"“{text}” must be true or false.")
    return text.lower() in _YES


def _number(text: str) -> int:
    if not _NUMBER.fullmatch(text):
        raise _WrongError(f"“{text}” must be a whole number.")
    return int(text)


def _date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise _WrongError(f"“{text}” is not a date. Write it like 2026-12-25.") from None


def _moment(text: str) -> datetime:
    match = _MOMENT.fullmatch(text.strip())
    try:
        if not match:
            raise ValueError
        midnight = datetime.combine(date.fromisoformat(match[1]), time())
        return midnight + timedelta(days=1) if match[2] else midnight.replace(hour=int(match[3]), minute=int(match[4]))
    except (ValueError, OverflowError):
        raise _WrongError(f"“{text}” is not a date and time. Write it like 2026-11-21 17:00.") from None


_SCALARS: dict[Kind, Callable[[str], Any]] = {
    Kind.TEXT: str,
    Kind.FLAG: _flag,
    Kind.NUMBER: _number,
    Kind.DATE: _date,
    Kind.MOMENT: _moment,
}
