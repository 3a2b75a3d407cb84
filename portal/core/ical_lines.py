"""The lines and components of a calendar file (RFC 5545, section 3.1), read with patience and within a budget."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

MAX_BYTES = 5_000_000
MAX_EVENTS = 20_000
_LINE = re.compile(r"([A-Za-z0-9-]+)\s*((?:;(?:[^\":]|\"[^\"]*\")*)?):(.*)", re.DOTALL)
_PARAMETER = re.compile(r";\s*([A-Za-z0-9-]+)\s*=((?:\"[^\"]*\"|[^\";])*)")
_FOLD = re.compile(rb"\r?\n[ \t]")
_ESCAPE = re.compile(r"\\([\\;,nN])")


@dataclass(frozen=True)
class Line:
    """One property. Parameter names are upper-case; a value is as it stands in the file, still escaped."""

    value: str
    parameters: Mapping[str, str] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """The value as text, without its escapes."""
        return unescape_text(self.value).strip()


@dataclass
class Component:
    """What stands between BEGIN and END. Property names are upper-case, each with its lines in the file's order."""

    name: str
    lines: dict[str, list[Line]] = field(default_factory=dict)
    children: list[Component] = field(default_factory=list)

    def first(self, name: str) -> Line | None:
        """The first line of this property."""
        found = self.lines.get(name)
        return found[0] if found else None

    def text(self, name: str) -> str:
        """The first line of this property as text, "" where there is none."""
        line = self.first(name)
        return line.text if line else ""


def read_calendars(data: bytes) -> tuple[tuple[Component, ...], tuple[str, ...]]:
    """The VCALENDAR components of a file, and a sentence for everything that could not be read. Never raises.

    A file that stops in the middle gives what came before, and says so.
    """
    if len(data) > MAX_BYTES:
        return (), (f"The file is larger than {MAX_BYTES // 1_000_000} MB, which no calendar needs.",)
    root, faults = _tree(_decode(data))
    calendars = tuple(one for one in root.children if one.name == "VCALENDAR")
    if not calendars:
        return (), ("This is not a calendar file: BEGIN:VCALENDAR is missing.",)
    return calendars, faults


def unescape_text(value: str) -> str:
    """A TEXT value without its escapes (section 3.3.11)."""
    return _ESCAPE.sub(lambda found: "\n" if found[1] in "nN" else found[1], value)


def _decode(data: bytes) -> str:
    """RFC 5545 says UTF-8, and folds lines by bytes, so a fold may lie within a letter. Some programs write the code
    page of their machine, or UTF-16 with its mark."""
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        data = data.decode("utf-16", "replace").encode()
    data = _FOLD.sub(b"", data)
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace")


def _tree(text: str) -> tuple[Component, tuple[str, ...]]:
    root = Component("")
    open_ones, faults, events, bad = [root], [], 0, 0
    for number, name, line in _lines(text):
        if line is None:
            bad += 1
            if bad <= 3:
                faults.append(f"Line {number} is not understood.")
        elif name == "BEGIN":
            child = Component(line.value.strip().upper())
            events += child.name == "VEVENT"
            if events > MAX_EVENTS:
                return root, (*faults, f"The file holds more than {MAX_EVENTS:,} events. The rest was not read.")
            if len(open_ones) > 8:
                return root, (*faults, f"Line {number}: too deep. The rest was not read.")
            open_ones[-1].children.append(child)
            open_ones.append(child)
        elif name == "END":
            while len(open_ones) > 1 and open_ones.pop().name != line.value.strip().upper():
                faults.append(f"Line {number}: the end of another part is missing before it.")
        else:
            open_ones[-1].lines.setdefault(name, []).append(line)
    if bad > 3:
        faults.append(f"{bad - 3} more lines are not understood.")
    if len(open_ones) > 1:
        faults.append("The file stops in the middle: its end is missing.")
    return root, tuple(faults)


def _lines(text: str) -> Iterator[tuple[int, str, Line | None]]:
    for number, raw in enumerate(text.split("\n"), start=1):
        raw = raw.rstrip("\r")
        if not raw.strip():
            continue
        found = _LINE.match(raw)
        if found is None:
            yield number, "", None
            continue
        parameters = {
            name.upper(): value.strip().replace('"', "") for name, value in _PARAMETER.findall(found[2])
        } if found[2] else {}  # fmt: skip
        yield number, found[1].upper(), Line(found[3], parameters)
