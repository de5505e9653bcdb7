"""What comes back as it was asked: the fields that the body of a creation or change shares with the answer to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from telnyx_conformance.contract.envelopes import JSON, envelope_of, properties_of
from telnyx_conformance.contract.lifecycles import load_lifecycles

if TYPE_CHECKING:
    from collections.abc import Mapping

    from telnyx_conformance.contract.model import Edition, Operation

ROLES = ("create", "update")
PLAIN = frozenset({"string", "integer", "number", "boolean"})
# Keywords by which an answer may be narrower than what was asked, or the same moment be written otherwise.
NARROWING = ("enum", "const", "pattern", "format", "minimum", "maximum", "minLength", "maxLength", "contentEncoding")
REWRITTEN = ("date-time", "date", "time", "password")
SECRETS = ("password", "secret", "token", "pin", "api_key")


def echoed_fields(edition: Edition, operation: Operation) -> tuple[str, ...]:
    """Return the fields that the answer must repeat, sorted: plain ones that request and answer describe alike.

    Only creations and changes answer with what they were asked for; a command answers with what it did.
    """
    body = operation.body
    if body is None or body.media_type != JSON or operation.server != "api":
        return ()
    envelope = envelope_of(edition, operation)
    placed = load_lifecycles(edition.name).of(operation.id)
    if envelope.is_list or envelope.media_type != JSON or placed.role not in ROLES:
        return ()
    kept = {placed.resource.identifier} if placed.role == "update" else set()  # what names a resource may not change
    return tuple(n for n in shared_fields(edition, body.content[JSON], envelope.item) if n not in kept)


def shared_fields(edition: Edition, asked: Mapping[str, Any], shown: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the plain fields that a request's and an answer's schema describe alike, sorted; secrets are none."""
    one, other = properties_of(edition, asked), properties_of(edition, shown)
    names = one.keys() & other.keys() - {n for n in one if n.endswith(SECRETS)}
    return tuple(sorted(n for n in names if _alike(edition, one[n], other[n])))


def default_fields(edition: Edition, operation: Operation) -> dict[str, Any]:
    """Return the documented defaults of a creation's fields, where request and answer agree on them."""
    names = echoed_fields(edition, operation)
    if not names or operation.body is None or load_lifecycles(edition.name).of(operation.id).role != "create":
        return {}
    asked = properties_of(edition, operation.body.content[JSON])
    answered = properties_of(edition, envelope_of(edition, operation).item)
    defaults = {name: edition.resolve(asked[name]).get("default") for name in names}
    return {
        name: default
        for name, default in defaults.items()
        if default is not None and edition.resolve(answered[name]).get("default") == default
    }


def _alike(edition: Edition, asked: Mapping[str, Any], answered: Mapping[str, Any]) -> bool:
    one, other = edition.resolve(asked), edition.resolve(answered)
    if one.get("readOnly") or other.get("readOnly") or one.get("writeOnly") or other.get("writeOnly"):
        return False
    if one.get("format") in REWRITTEN or not _types(one) or _types(one) != _types(other):
        return False
    return all(one.get(keyword) == other[keyword] for keyword in NARROWING if keyword in other)


def _types(schema: Mapping[str, Any]) -> frozenset[str]:
    """Return the plain types of a schema without null, nothing when it also takes others."""
    named = schema.get("type", ())
    types = frozenset((named,) if isinstance(named, str) else named) - {"null"}
    return types if types <= PLAIN else frozenset()
