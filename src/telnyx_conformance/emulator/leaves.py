"""Single values for success bodies: the given one when it fits, else one that the schema suggests."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from email.utils import formatdate
from functools import cache
from typing import Any, Final

import jsonschema_rs
import msgspec

from telnyx_conformance.contract import formats
from telnyx_conformance.contract.validators import ANNOTATIONS, Validator
from telnyx_conformance.emulator.plausible import Making, Proposal, proposals, snake

NESTING = frozenset({"properties", "items", "allOf", "anyOf", "oneOf"})
MOMENTS = frozenset({"date-time", "datetime", "datetime-iso8601"})
PLACEHOLDERS = (None, "string", "text")  # what stands in for examples here and there
# Tried in turn where a schema gives a pattern and no example.
SAMPLES = ("US", "+12025550123", "+120255501230", "12345", "CABC123", "Sample", "sample", "1", "1.50", "A1", "a")


class _Absent:
    __slots__ = ()

    def __bool__(self) -> bool:
        return False


ABSENT: Final = _Absent()


LeafMaker = Callable[[Making, Any], Any]


def types_in(node: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the types that a schema names itself."""
    named = node.get("type", ())
    return (named,) if isinstance(named, str) else tuple(named)


def leaf_maker(node: Mapping[str, Any], name: str) -> LeafMaker:
    """Return the maker of a value that is neither object nor array."""
    validator = scalar_validator(node)
    types = types_in(node)
    form = node.get("format", "") if "string" in types else ""
    value = next((c for c in _candidates(node, types) if validator.is_valid(c)), None if "null" in types else "")
    is_moment = form in MOMENTS
    is_id = name == "id" and form.lower() == "uuid"
    propose = _proposals(node, name, types, validator)
    spelt = snake(name)

    def invent(making: Making) -> Any:
        if is_moment:
            return making.stamp
        if form == "date":
            return making.stamp[:10]
        if form == "datetime-rfc2822":
            return formatdate(making.now)
        if is_id:
            return making.ids.uuid()
        if propose is not None:
            for proposed in propose[0](making, spelt, propose[1]):
                if validator.is_valid(proposed):
                    return proposed
        return value

    def make(making: Making, known: Any) -> Any:
        return known if known is not ABSENT and validator.is_valid(known) else invent(making)

    return make


def _proposals(
    node: Mapping[str, Any], name: str, types: tuple[str, ...], validator: Validator
) -> tuple[Proposal, Any] | None:
    """Return what proposes values, with the schema's own example; nothing where the schema leaves no choice."""
    if "enum" in node or "const" in node or ("string" not in types and name != "id"):
        return None
    stated = [*node.get("examples", ()), *([node["default"]] if "default" in node else ())]
    example = next((one for one in stated if one not in PLACEHOLDERS and validator.is_valid(one)), None)
    if "default" in node and example is not None:
        return None
    found = proposals(name, example)
    return None if found is None else (found, example)


def scalar_validator(node: Mapping[str, Any]) -> Validator:
    """Return a validator of what a schema says of a value itself, not of what is inside it; equal ones are shared."""
    return _shared_validator(
        msgspec.json.encode({k: v for k, v in node.items() if k not in ANNOTATIONS and k not in NESTING})
    )


@cache
def _shared_validator(schema: bytes) -> Validator:
    validator: Validator = jsonschema_rs.Draft202012Validator(
        msgspec.json.decode(schema), validate_formats=True, formats=dict(formats.FORMATS)
    )
    return validator


def _candidates(node: Mapping[str, Any], types: tuple[str, ...]) -> list[Any]:
    found: list[Any] = [*node.get("examples", ()), *([node["default"]] if "default" in node else ())]
    found += [word for word in node.get("enum", ()) if word is not None]
    if "const" in node:
        found.append(node["const"])
    if "string" in types or not types:
        known = formats.find(node.get("format", ""))
        found += known.examples if known else ()
        found += SAMPLES
        found.append("s" * int(node.get("minLength", 1)))
    if "integer" in types or "number" in types:
        found += [1, 0, node.get("minimum", 1), node.get("maximum", 1), node.get("exclusiveMinimum", 0) + 1]
    if "boolean" in types:
        found += [False, True]
    return found
