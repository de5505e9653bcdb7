"""Success bodies: the documented media type, envelope and schema, and what was asked comes back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from telnyx_conformance.checks.finding import NOT_JSON, Finding, json_body, outline, shown
from telnyx_conformance.contract.nesting import MOST_LEVELS

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from telnyx_conformance.contract.exchange import Exchange

MOST_ERRORS = 3
WILDCARD = "*/*"


def has_media_type(exchange: Exchange, documented: Mapping[str, Any]) -> Finding | None:
    """A body comes in a documented media type; an operation that documents no body sends none."""
    response = exchange.response
    if response is None:
        return Finding(check="media-type", expected=" or ".join(documented) or "no body", actual=exchange.error)
    if not documented:
        if not response.body:
            return None
        return Finding(
            check="media-type", expected="no body", actual=f"{len(response.body)} bytes of {response.media_type}"
        )
    named = {media.partition(";")[0].strip().lower() for media in documented}
    if response.media_type in named or (WILDCARD in named and response.media_type):
        return None
    return Finding(
        check="media-type", expected=" or ".join(documented), actual=response.media_type or "no content-type"
    )


def satisfies(exchange: Exchange, validator: Any) -> Finding | None:
    """A JSON body satisfies its schema. `validator` has `iter_errors`, as jsonschema-rs gives it."""
    body = json_body(exchange)
    if body is NOT_JSON:
        return Finding(check="schema", expected=f"JSON, at most {MOST_LEVELS} levels deep", actual=outline(exchange))
    errors = list(_first(validator.iter_errors(body), MOST_ERRORS))
    if not errors:
        return None
    rows = [f"/{'/'.join(str(p) for p in e.instance_path)}: {shown(e.message)}" for e in errors]
    rules = [f"/{'/'.join(str(p) for p in e.schema_path)}" for e in errors]
    return Finding(check="schema", expected="; ".join(rules), actual="; ".join(rows))


def has_envelope(exchange: Exchange, required: Mapping[str, type]) -> Finding | None:
    """The body is an object with the documented keys, each of its documented kind."""
    body = json_body(exchange)
    if not isinstance(body, dict):
        return Finding(check="envelope", expected="a JSON object", actual=outline(exchange))
    for key, kind in required.items():
        if key not in body:
            return Finding(check="envelope", expected=f"key {key}", actual=f"keys {', '.join(body) or '(none)'}")
        if not isinstance(body[key], kind):
            return Finding(check="envelope", expected=f"{key}: {kind.__name__}", actual=f"{key}: {shown(body[key])}")
    return None


def repeated(exchange: Exchange, names: Collection[str]) -> dict[str, tuple[Any, Any]]:
    """Return (asked, got) for those of the fields `names` that were asked for and stand in the answer."""
    try:
        asked = msgspec.json.decode(exchange.request.body)
    except msgspec.DecodeError:
        return {}
    body = json_body(exchange)
    data = body.get("data", body) if isinstance(body, dict) else None
    if not isinstance(data, dict) or not isinstance(asked, dict):
        return {}
    return {n: (asked[n], data[n]) for n in names if n in data and asked.get(n) is not None}


def echoes(pairs: Mapping[str, tuple[Any, Any]]) -> Finding | None:
    """What stands in the answer is what was asked. Only null is free: what it stands for is the target's to say."""
    wrong = [
        f"{name}: asked {shown(asked)}, got {shown(got)}"
        for name, (asked, got) in pairs.items()
        if asked != got or isinstance(asked, bool) != isinstance(got, bool)
    ]
    if not wrong:
        return None
    return Finding(check="echo", expected="what was asked", actual="; ".join(wrong[:MOST_ERRORS]))


def left_out(exchange: Exchange, defaults: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    """Return (default, got) for those of the fields that the request left out and the answer holds."""
    try:
        asked = msgspec.json.decode(exchange.request.body)
    except msgspec.DecodeError:
        return {}
    body = json_body(exchange)
    data = body.get("data", body) if isinstance(body, dict) else None
    if not isinstance(data, dict) or not isinstance(asked, dict):
        return {}
    return {name: (default, data[name]) for name, default in defaults.items() if name in data and name not in asked}


def has_defaults(pairs: Mapping[str, tuple[Any, Any]]) -> Finding | None:
    """What was left out stands in the answer with its documented default."""
    wrong = [
        f"{name}: default {shown(default)}, got {shown(got)}"
        for name, (default, got) in pairs.items()
        if default != got or isinstance(default, bool) != isinstance(got, bool)
    ]
    if not wrong:
        return None
    return Finding(check="default", expected="the documented defaults", actual="; ".join(wrong[:MOST_ERRORS]))


def _first(items: Iterator[Any], most: int) -> Iterator[Any]:
    for _, item in zip(range(most), items, strict=False):
        yield item
