"""The mail inside an opaque S/MIME signature. Only read, never checked: pages say "signed" and not by whom."""

from __future__ import annotations

_SIGNED_DATA = bytes.fromhex("2a864886f70d010702")
_DATA = bytes.fromhex("2a864886f70d010701")
_DEEPEST = 20
_SEQUENCE, _SET, _OID, _OCTETS, _TAGGED = 0x30, 0x31, 0x06, 0x04, 0xA0
_CONSTRUCTED_OCTETS = 0x24


def signed_content(data: bytes) -> bytes:
    """The content of a CMS SignedData (RFC 5652 section 5.1) in DER or BER; b"" for anything else, encrypted mail
    among it."""
    outer = _children(data, 0, len(data))
    if len(outer) != 1 or outer[0][0] != _SEQUENCE:
        return b""
    wrapped = _children(data, *outer[0][1:])
    if len(wrapped) < 2 or data[slice(*wrapped[0][1:])] != _SIGNED_DATA:
        return b""
    for kind, start, end in _children(data, *_inside(data, wrapped[1])):
        if kind != _SEQUENCE:
            continue
        content = _children(data, start, end)
        if len(content) == 2 and content[0][0] == _OID and data[slice(*content[0][1:])] == _DATA:
            return _octets(data, _children(data, *content[1][1:]), 0)
    return b""


def _inside(data: bytes, explicit: tuple[int, int, int]) -> tuple[int, int]:
    """Where the SEQUENCE in an explicit tag begins and ends."""
    found = _children(data, *explicit[1:])
    return found[0][1:] if found and found[0][0] == _SEQUENCE else (0, 0)


def _octets(data: bytes, found: list[tuple[int, int, int]], depth: int) -> bytes:
    pieces = []
    for kind, start, end in found:
        if kind == _OCTETS:
            pieces.append(data[start:end])
        elif kind == _CONSTRUCTED_OCTETS and depth < _DEEPEST:
            pieces.append(_octets(data, _children(data, start, end), depth + 1))
    return b"".join(pieces)


def _children(data: bytes, start: int, end: int) -> list[tuple[int, int, int]]:
    """(tag, start, end of its content) of the elements in a stretch; what is cut off ends the list."""
    found: list[tuple[int, int, int]] = []
    while start + 2 <= end and len(found) < 100_000:
        tag, content, stop, start = _element(data, start, end, 0)
        if content < 0 or tag == 0:
            break
        found.append((tag, content, stop))
    return found


def _element(data: bytes, start: int, end: int, depth: int) -> tuple[int, int, int, int]:
    """(tag, start and end of its content, start of the next); content -1: unreadable."""
    tag, size = data[start], data[start + 1]
    content = start + 2
    if size == 0x80:  # indefinite: up to two zero bytes
        if depth > _DEEPEST:
            return tag, -1, end, end
        position = content
        while position + 2 <= end and data[position : position + 2] != b"\x00\x00":
            _, inner, _, position = _element(data, position, end, depth + 1)
            if inner < 0:
                return tag, -1, end, end
        return tag, content, position, position + 2
    if size > 0x80:
        count = size & 0x7F
        size = int.from_bytes(data[content : content + count], "big") if count <= 4 else end + 1
        content += count
    stop = content + size
    return (tag, content, stop, stop) if stop <= end else (tag, -1, end, end)
