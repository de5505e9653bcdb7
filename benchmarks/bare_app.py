"""The peer that does the least: routes one path, checks the bearer, validates one body, answers."""

from __future__ import annotations

import json
import os
import re
from typing import TYPE_CHECKING, Any

import jsonschema_rs

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

SCHEMA = json.loads(os.environ["BARE_SCHEMA"])
VALIDATOR = jsonschema_rs.validator_for(SCHEMA)
ROUTE = re.compile(r"/v2/calls/([^/]+)/actions/transfer")
HEADERS = [(b"content-type", b"application/json")]


async def app(
    scope: dict[str, Any], receive: Callable[[], Awaitable[Any]], send: Callable[[Any], Awaitable[None]]
) -> None:
    if scope["type"] != "http":
        return
    body = b""
    more = True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    routed = scope["method"] == "POST" and ROUTE.fullmatch(scope["path"]) is not None
    valid = routed and dict(scope["headers"]).get(b"authorization", b"").startswith(b"Bearer ")
    valid = valid and VALIDATOR.is_valid(json.loads(body))
    reply = b'{"data":{"result":"ok"}}' if valid else b'{"errors":[{"code":"10015","title":"Bad Request"}]}'
    headers = [*HEADERS, (b"content-length", str(len(reply)).encode())]
    await send({"type": "http.response.start", "status": 200 if valid else 422, "headers": headers})
    await send({"type": "http.response.body", "body": reply})
