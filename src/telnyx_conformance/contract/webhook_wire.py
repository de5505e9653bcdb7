"""How a webhook travels: as GET, and in the form of API v1.

As GET it has one query parameter for each top-level key of its document, the value as JSON: the documentation only says
that the payload is in the query; emulator and inbox agree on this form.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from telnyx_conformance.contract.nesting import decoded

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


def encode_get(document: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return the query parameters, undecoded, in the document's order."""
    return [(key, msgspec.json.encode(value).decode()) for key, value in document.items()]


def decode_get(query: Iterable[tuple[str, str]]) -> dict[str, Any] | None:
    """Return the document that `query` carries, or `None`; parameters that are not JSON are no part of it."""
    document: dict[str, Any] = {}
    for key, text in query:
        try:
            document[key] = decoded(text.encode(errors="surrogatepass"))
        except ValueError:
            continue
    return document or None


def flat(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return the API v1 form of a webhook of API v2: one flat record, the event type with an underscore."""
    data = document["data"]
    return {
        "record_type": "event",
        "id": data.get("id"),
        "event_type": str(data.get("event_type", "")).replace(".", "_"),
        "created_at": data.get("occurred_at"),
        "payload": data.get("payload"),
    }
