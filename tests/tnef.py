"""Builds winmail.dat files for tests (MS-OXTNEF), and RTF as Outlook packs it."""

from __future__ import annotations

import struct

BODY, CODEPAGE, PROPERTIES = 0x2800C, 0x69007, 0x69003
NEW_FILE, FILE_DATA, FILE_TITLE, FILE_PROPERTIES = 0x69002, 0x6800F, 0x18010, 0x69005


def tnef(*attributes: tuple[int, bytes]) -> bytes:
    """A winmail.dat of these attributes."""
    body = b"".join(
        struct.pack("<BII", 2 if tag in (NEW_FILE, FILE_DATA, FILE_TITLE, FILE_PROPERTIES) else 1, tag, len(value))
        + value
        + struct.pack("<H", sum(value) & 0xFFFF)
        for tag, value in attributes
    )
    return b"\x78\x9f\x3e\x22\x01\x00" + body


def properties(*values: tuple[int, int, bytes]) -> bytes:
    """A block of MAPI properties: (type, number, value)."""
    return struct.pack("<I", len(values)) + b"".join(_property(*one) for one in values)


def _property(kind: int, number: int, value: bytes) -> bytes:
    head = struct.pack("<HH", kind, number)
    if number >= 0x8000:
        head += bytes(16) + struct.pack("<II", 0, 0x8554)
    if kind in (0x1E, 0x1F, 0x0D, 0x102):
        return head + struct.pack("<II", 1, len(value)) + value + bytes(-len(value) % 4)
    return head + value


def packed_rtf(rtf: bytes) -> bytes:
    """RTF in the compressed form, all of it as literals."""
    pieces = [b"\x00" + rtf[at : at + 8] for at in range(0, len(rtf), 8)]
    body = b"".join(pieces)
    return struct.pack("<4I", len(body) + 12, len(rtf), 0x75465A4C, 0) + body
