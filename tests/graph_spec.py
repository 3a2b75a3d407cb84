"""Holds what went over the wire against Microsoft's own OpenAPI document, minus a reviewed list of deviations.

The document is read where it lies (../shared, or NIGHTDESK_TEST_SHARED) and never copied.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from openapi_core import Config, OpenAPI
from openapi_core.testing import MockRequest, MockResponse

from tests.graph_simulator import Exchange

ROOT = Path(__file__).parents[1]
SPEC = Path(os.environ.get("NIGHTDESK_TEST_SHARED", ROOT.parent / "shared")) / "vendors/specs/graph_v1_mail.subset.json"
HOST = "https://graph.microsoft.com"

# https://learn.microsoft.com/en-us/graph/api/resources/fileattachment
_FILE = {
    "title": "fileAttachment",
    "allOf": [
        {"$ref": "#/components/schemas/microsoft.graph.attachment"},
        {"type": "object", "properties": {"contentBytes": {"type": "string", "format": "base64url", "nullable": True}}},
    ],
}


@cache
def _api() -> OpenAPI | None:
    if not SPEC.exists():
        return None
    spec = json.loads(SPEC.read_text())
    spec["servers"] = [{"url": HOST}]
    spec["components"]["schemas"]["microsoft.graph.fileAttachment"] = _FILE
    _mend(spec)
    return OpenAPI.from_dict(spec, config=Config(spec_validator_cls=None))


def _mend(node: Any) -> None:
    """The known deviations of the document from the live service (specs/README.md).

    - `@odata.type` is required everywhere; nobody sends it.
    - `sendMail` and `send` answer 202, are listed as 204; `sendMail` and `messages` take MIME as text/plain.
    - `fileAttachment` is named and not described.
    - `$value` is listed as octet-stream and answers text/plain.
    """
    if isinstance(node, dict):
        if isinstance(node.get("required"), list):
            node["required"] = [name for name in node["required"] if name != "@odata.type"]
        for path, item in node.get("paths", {}).items() if isinstance(node.get("paths"), dict) else ():
            if path.endswith(("/sendMail", "/send")):
                item["post"]["responses"]["202"] = {"description": "Accepted"}
            if path.endswith("/sendMail"):
                item["post"]["requestBody"] = {"content": {"text/plain": {"schema": {"type": "string"}}}}
            if path.endswith("{user-id}/messages"):
                item["post"]["requestBody"]["content"]["text/plain"] = {"schema": {"type": "string"}}
            if path.endswith("/$value"):
                item["get"]["responses"]["2XX"]["content"] = {"text/plain": {"schema": {"type": "string"}}}
        for value in node.values():
            _mend(value)
    elif isinstance(node, list):
        for value in node:
            _mend(value)


def hold(exchanges: Iterable[Exchange]) -> int:
    """Every exchange with Graph fits the document; gives how many were held. Skips when it is not there."""
    api = _api()
    if api is None:
        pytest.skip(f"the vendor's document is not there: {SPEC}")
    count = 0
    for one in exchanges:
        if not one.path.startswith("/v1.0/"):
            continue
        path = re.sub(r"/messages/delta$", "/messages/delta()", one.path)  # both are OData; the document has one
        request = MockRequest(
            HOST, one.method.lower(), path, args=_args(one.query), headers=_headers(one), data=one.body or None,
            content_type=one.headers.get("Content-Type", one.headers.get("Content-type", "")),
        )  # fmt: skip
        if one.status < 400:
            api.validate_request(request)
        response = MockResponse(one.answer, status_code=one.status, content_type=one.content_type or "text/plain")
        if one.answer and not one.answer.startswith(b"<html>"):
            api.validate_response(request, response)
        count += 1
    return count


def _args(query: str) -> dict[str, str]:
    from urllib.parse import parse_qsl

    # Tokens of our own links and $filter of the delta query are the service's, not the document's.
    return {key: value for key, value in parse_qsl(query) if "token" not in key}


def _headers(one: Exchange) -> dict[str, str]:
    return {key: value for key, value in one.headers.items() if key.lower() != "content-length"}
