"""One exchange as the evidence holds it, in the shape that reproducers and the page need."""

from __future__ import annotations

import base64
import binascii
import json
from typing import Any

import msgspec

KEY = "$TELNYX_API_KEY"
REDACTED = "[redacted]"
"""Evidence holds this text wherever a secret stood."""
WRONG_KEY = "KEY-that-is-not-accepted"
BASE64 = "base64:"
EVENTS_ONLY = "WEBHOOKS"
"""The method of an exchange that nobody sent: it gathers the events of a whole scenario."""
TRANSPORT_HEADERS = frozenset(
    {"host", "content-length", "connection", "transfer-encoding", "accept-encoding", "user-agent"}
)


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """A request as sent and the answer as it came; `status` 0 and an `error` when none came."""

    method: str
    url: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    status: int = 0
    answer_headers: tuple[tuple[str, str], ...] = ()
    answer: bytes = b""
    error: str = ""
    events: tuple[dict[str, Any], ...] = ()

    @property
    def sent(self) -> bool:
        """Whether there was a request at all."""
        return self.method != EVENTS_ONLY


def step(exchange: dict[str, Any], *, key: str = KEY) -> Step:
    """Read a recorded exchange. Whatever `Authorization` it had, its secret becomes `key`: a report holds no secret."""
    request, response = _mapping(exchange.get("request")), _mapping(exchange.get("response"))
    headers = tuple(
        (name, _with_key(value, key) if name.lower() == "authorization" else value.replace(REDACTED, key))
        for name, value in _pairs(request.get("headers"))
        if name.lower() not in TRANSPORT_HEADERS
    )
    status = response.get("status")
    events = exchange.get("events")
    return Step(
        method=str(request.get("method") or "GET"),
        url=str(request.get("url") or ""),
        headers=headers,
        body=content(request.get("body")),
        status=status if isinstance(status, int) else 0,
        answer_headers=_pairs(response.get("headers")),
        answer=content(response.get("body")),
        error=str(exchange.get("error") or ""),
        events=tuple(event for event in events if isinstance(event, dict)) if isinstance(events, list) else (),
    )


def content(body: Any) -> bytes:
    """Return the bytes of a recorded body: a text, or `base64:…` for bytes that are no text."""
    if body is None:
        return b""
    text = body if isinstance(body, str) else json.dumps(body, ensure_ascii=False)
    if text.startswith(BASE64):
        try:
            return base64.b64decode(text.removeprefix(BASE64), validate=True)
        except (ValueError, binascii.Error):
            pass
    return text.encode(errors="surrogatepass")


def _with_key(value: str, key: str) -> str:
    scheme, space, _ = value.partition(" ")
    return f"{scheme} {key}" if space else key


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _pairs(headers: Any) -> tuple[tuple[str, str], ...]:
    if isinstance(headers, dict):
        return tuple((str(name), str(value)) for name, value in headers.items())
    if isinstance(headers, list):
        return tuple((str(pair[0]), str(pair[1])) for pair in headers if isinstance(pair, list) and len(pair) == 2)  # noqa: PLR2004 - a pair
    return ()
