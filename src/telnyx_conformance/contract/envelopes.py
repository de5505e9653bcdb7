"""Where a success body carries its resource: `data`, a named list, or the body itself; read off the response schema."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from collections.abc import Mapping

    from telnyx_conformance.contract.model import Edition, Operation

# Names under which lists stand when there is no `data`, in the products that answer in another style.
LIST_NAMES = ("records", "calls", "conferences", "participants", "recordings", "transcriptions", "log_messages")
JSON = "application/json"


class Envelope(msgspec.Struct, frozen=True, kw_only=True):
    """`slot` is the property that holds the resource (empty: the body itself); `is_list` says whether it holds many."""

    slot: str
    is_list: bool
    item: dict[str, Any]
    media_type: str

    def place(self, identifier: str, *, index: int = 0) -> str:
        """Return the dotted path to `identifier` of the resource, or of the resource number `index` of a list."""
        parts = [self.slot, str(index) if self.is_list else "", identifier]
        return ".".join(part for part in parts if part)


def envelope_of(edition: Edition, operation: Operation) -> Envelope:
    """Return the envelope of the documented success; `item` is empty where the document says nothing about the body."""
    content = operation.success.content
    if JSON not in content:
        return Envelope(slot="", is_list=False, item={}, media_type=next(iter(content), ""))
    schema = edition.resolve(content[JSON])
    if "array" in _types(schema):
        return Envelope(slot="", is_list=True, item=schema.get("items") or {}, media_type=JSON)
    properties = properties_of(edition, schema)
    for name in ("data", *LIST_NAMES):
        if name not in properties:
            continue
        part = edition.resolve(properties[name])
        if "array" in _types(part) and (name == "data" or operation.method == "GET"):
            return Envelope(slot=name, is_list=True, item=part.get("items") or {}, media_type=JSON)
        if name == "data":
            return Envelope(slot=name, is_list=False, item=properties[name], media_type=JSON)
    return Envelope(slot="", is_list=False, item=content[JSON], media_type=JSON)


def properties_of(edition: Edition, schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return the properties of an object schema, those of its parts included.

    Where parts disagree, the schema itself wins.
    """
    node = edition.resolve(schema)
    found: dict[str, Any] = {}
    for keyword in ("allOf", "anyOf", "oneOf"):
        for branch in node.get(keyword, ()):
            found = {**properties_of(edition, branch), **found}
    return {**found, **node.get("properties", {})}


def _types(schema: Mapping[str, Any]) -> tuple[str, ...]:
    named = schema.get("type", ())
    return (named,) if isinstance(named, str) else tuple(named)
