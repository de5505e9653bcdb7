"""Where in a success body a fault can be planted so that it breaks the documented schema beyond doubt."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from telnyx_conformance.contract.envelopes import Envelope
    from telnyx_conformance.contract.model import Edition

ALTERNATIVES = ("anyOf", "oneOf", "if", "not")
EACH = "[]"


def typed_places(
    edition: Edition, schema: Mapping[str, Any], envelope: Envelope
) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield the dotted places of a body with what breaks them: `type`, `null`, `missing`.

    Places within alternatives are left out: what one branch forbids another may allow.
    """
    yield from _members(edition, schema, "")
    if envelope.slot:
        own = _own(edition, schema)
        holder = own and own[0].get(envelope.slot)
        if isinstance(holder, dict) and not set(ALTERNATIVES) & set(edition.resolve(holder)):
            yield from _members(edition, envelope.item, f"{envelope.slot}{EACH if envelope.is_list else ''}.")


def _members(edition: Edition, schema: Mapping[str, Any], stem: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    own = _own(edition, schema)
    if own is None:
        return
    properties, required = own
    for name, part in properties.items():
        if not isinstance(part, dict):
            continue
        node = edition.resolve(part)
        if node.get("writeOnly") or "." in name:
            continue
        named = node.get("type")
        plain = isinstance(named, str) and not set(ALTERNATIVES) & set(node)
        facts = [v for v, holds in (("type", plain), ("null", plain), ("missing", name in required)) if holds]
        if facts:
            yield f"{stem}{name}", tuple(facts)


def _own(edition: Edition, schema: Mapping[str, Any]) -> tuple[dict[str, Any], frozenset[str]] | None:
    """Return an object's properties and required names, parts included; `None` where it depends on alternatives."""
    node = edition.resolve(schema)
    if set(ALTERNATIVES) & set(node):
        return None
    properties: dict[str, Any] = {}
    required = frozenset(node.get("required", ()))
    for part in node.get("allOf", ()):
        inner = _own(edition, part)
        if inner is None:
            return None
        properties |= inner[0]
        required |= inner[1]
    return {**properties, **node.get("properties", {})}, required


def wrong_value(schema: Mapping[str, Any]) -> Any:
    """Return a value of another JSON type than a schema names."""
    return 7 if schema.get("type") == "string" else "of another type"
