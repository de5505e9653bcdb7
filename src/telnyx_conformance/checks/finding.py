"""What a judge says when something is wrong: which check, what was expected, what came."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from telnyx_conformance.contract.nesting import decoded

if TYPE_CHECKING:
    from telnyx_conformance.contract.exchange import Exchange

LONGEST = 300


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """A difference between contract and exchange. `check` is the name of the judge that found it."""

    check: str
    expected: str
    actual: str


def shown(value: Any) -> str:
    """Return a value as a short JSON text for a message."""
    text = value if isinstance(value, str) else msgspec.json.encode(value).decode(errors="replace")
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}… ({len(text)} characters)"


def outline(exchange: Exchange) -> str:
    """Return what came back in one line: status and the start of the body, or why nothing came."""
    if exchange.response is None:
        return exchange.error
    body = exchange.response.body[:LONGEST].decode(errors="replace").strip()
    return f"{exchange.response.status} {body}".strip()


NOT_JSON: Any = object()


def json_body(exchange: Exchange) -> Any:
    """Return the decoded JSON body, `NOT_JSON` when there is none or it is nested too deeply."""
    if exchange.response is None:
        return NOT_JSON
    try:
        return decoded(exchange.response.body)
    except ValueError:
        return NOT_JSON
