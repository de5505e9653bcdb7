"""No requirement passes whatever a target does: for each of a sample, one of a few crude liars makes it fail."""

from __future__ import annotations

from typing import Any

import httpx
import msgspec
import pytest

from telnyx_conformance.contract.document import load_edition

EDITION = load_edition()
SAMPLE = [*[o for o in EDITION.operations if o.server == "api"][::30], EDITION.operation("ListOutboundVoiceProfiles")]
CLASSES = ("surface", "requests", "envelopes", "headers")
CROWD = {"data": [{"id": str(number)} for number in range(300)], "meta": {"page_number": 99}}


def always(status: int, content: bytes, media_type: str = "application/json") -> Any:
    async def answer(asked: Any, request: httpx.Request, real: Any) -> httpx.Response:
        if asked.probe is not None:
            return httpx.Response(status, content=content, headers={"content-type": media_type} if media_type else {})
        response: httpx.Response = await real(request)
        return response

    return answer


async def other_values(asked: Any, request: httpx.Request, real: Any) -> httpx.Response:
    response: httpx.Response = await real(request)
    if asked.probe is None or response.status_code >= 300 or "json" not in response.headers.get("content-type", ""):
        return response
    return httpx.Response(response.status_code, json=bent(msgspec.json.decode(response.content)))


def bent(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: bent(part) for name, part in value.items()}
    if isinstance(value, list):
        return [bent(part) for part in value]
    if isinstance(value, bool):
        return not value
    if isinstance(value, int | float):
        return value + 1
    return f"{value}-other" if isinstance(value, str) else value


async def no_filters(asked: Any, request: httpx.Request, real: Any) -> httpx.Response:
    if asked.probe is not None and "filter" in str(request.url):
        request = httpx.Request(request.method, request.url.copy_with(query=None), headers=request.headers)
    response: httpx.Response = await real(request)
    return response


async def silent(asked: Any, request: httpx.Request, real: Any) -> httpx.Response:
    if asked.probe is not None:
        raise httpx.ReadTimeout("planted", request=request)
    response: httpx.Response = await real(request)
    return response


async def indiscreet(asked: Any, request: httpx.Request, real: Any) -> httpx.Response:
    response: httpx.Response = await real(request)
    if asked.probe is not None:
        response.headers["x-asked-by"] = request.headers.get("authorization", "")
    return response


LIARS = {
    "answers nothing": silent,
    "tells keys": indiscreet,
    "takes everything": always(200, b'{"data": {}}'),
    "takes everything, says nothing": always(203, b"garbage", "text/x-garbage"),
    "says nothing about what it says": always(200, b"garbage", ""),
    "refuses everything": always(422, b'{"detail": 7}'),
    "demands another key": always(401, b'{"detail": 7}'),
    "finds nothing": always(404, b'{"detail": 7}'),
    "lists too much": always(200, msgspec.json.encode(CROWD)),
    "has other values": other_values,
    "ignores filters": no_filters,
}


@pytest.mark.parametrize("operation", SAMPLE, ids=lambda operation: operation.id)
def test_every_requirement_fails_for_some_liar(target: Any, operation: Any) -> None:
    failed = {
        requirement
        for answer in LIARS.values()
        for proven in CLASSES
        for requirement, _ in target.prove(proven, operation, answer=answer).failed
    }
    required = {r.id for r in target.settings.required(operation) if r.conformance_class in CLASSES}
    assert required - failed == set()
