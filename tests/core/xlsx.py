"""Reads an .xlsx file as far as the tests need it: sheets as rows of texts and numbers, with no library that writes."""

import re
import zipfile
from datetime import datetime, timedelta
from io import BytesIO
from xml.etree import ElementTree

_NS = {"m": "http://schemas.openxmlformats.org/spreadsheetml/2006/main"}


def read_xlsx(data: bytes) -> dict[str, list[list[str | float]]]:
    """Sheet name -> rows. A formula anywhere is an error."""
    with zipfile.ZipFile(BytesIO(data)) as file:
        texts = _texts(file)
        book = ElementTree.fromstring(file.read("xl/workbook.xml"))
        names = [sheet.get("name") for sheet in book.findall("m:sheets/m:sheet", _NS)]
        return {name: _rows(file.read(f"xl/worksheets/sheet{n}.xml"), texts) for n, name in enumerate(names, 1)}


def day_of(serial: float) -> datetime:
    """The wall clock behind a date cell."""
    return datetime(1899, 12, 30) + timedelta(minutes=round(serial * 24 * 60))


def _texts(file: zipfile.ZipFile) -> list[str]:
    root = ElementTree.fromstring(file.read("xl/sharedStrings.xml"))
    return ["".join(part.text or "" for part in one.iter(f"{{{_NS['m']}}}t")) for one in root]


def _rows(data: bytes, texts: list[str]) -> list[list[str | float]]:
    root = ElementTree.fromstring(data)
    assert root.find(".//m:f", _NS) is None, "a formula"
    assert root.find(".//m:hyperlink", _NS) is None, "a link"
    rows = []
    for row in root.findall("m:sheetData/m:row", _NS):
        cells: list[str | float] = []
        for cell in row.findall("m:c", _NS):
            column = ord(re.match("[A-Z]", cell.get("r"))[0]) - ord("A")
            cells += [""] * (column - len(cells))
            value = cell.find("m:v", _NS)
            cells.append("" if value is None else texts[int(value.text)] if cell.get("t") == "s" else float(value.text))
        rows.append(cells)
    return rows
