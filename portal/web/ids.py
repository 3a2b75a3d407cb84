"""Ids in addresses: a number that no row can have leads nowhere, instead of into the database."""

from __future__ import annotations

from typing import Any

from flask import Flask
from werkzeug.routing import IntegerConverter, Map

_LARGEST = 2**63 - 1  # what a column of ids holds, on both engines


class RowIdConverter(IntegerConverter):
    """`<int:...>` in every route."""

    def __init__(self, map: Map, *args: Any, **kwargs: Any) -> None:
        super().__init__(map, *args, **{"max": _LARGEST, **kwargs})


def install(app: Flask) -> None:
    """Before any route is made."""
    app.url_map.converters["int"] = RowIdConverter
