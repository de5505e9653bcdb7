"""Single values for success bodies: the given one when it fits, else one that the schema suggests."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from email.utils import formatdate
from typing import TYPE_CHECKING, Any, Final

import jsonschema_rs
import msgspec

from telnyx_conformance.contract import formats
from telnyx_conformance.contract.validators import ANNOTATIONS, Validator
from telnyx_conformance.emulator.ids import Ids

if TYPE_CHECKING:
    from telnyx_conformance.contract.model import Edition
    from telnyx_conformance.contract.validators import Validator

NESTING = frozenset({"properties", "items", "allOf", "anyOf", "oneOf"})
MOMENT_NAME = re.compile(r"(_at|[a-z]At)\Z")
MOMENT = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:")
MOMENTS = frozenset({"date-time", "datetime", "datetime-iso8601"})
# Tried in turn where a schema gives a pattern and no example.
SAMPLES = ("US", "+12025550123", "+120255501230", "12345", "CABC123", "Sample", "sample", "1", "1.50", "A1", "a")


class _Absent:
    __slots__ = ()

    def __bool__(self) -> bool:
        return False


ABSENT: Final = _Absent()


class Making(msgspec.Struct, frozen=True):
    """What makers need to know of the moment: ids, and the time in Unix seconds and as text."""

    ids: Ids
    now: float
    stamp: str


LeafMaker = Callable[[Making, Any], Any]


def types_in(node: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the types that a schema names itself."""
    named = node.get("type", ())
    return (named,) if isinstance(named, str) else tuple(named)


def leaf_maker(edition: Edition, node: Mapping[str, Any], name: str) -> LeafMaker:
    """Return the maker of a value that is neither object nor array."""
    del edition
    validator = scalar_validator(node)
    types = types_in(node)
    form = node.get("format", "") if "string" in types else ""
    value = next((c for c in _candidates(node, types) if validator.is_valid(c)), None if "null" in types else "")

    is_moment = form in MOMENTS or (MOMENT_NAME.search(name) is not None and MOMENT.match(str(value)) is not None)

    def invent(making: Making) -> Any:
        if is_moment:
            return making.stamp
        if form == "date":
            return making.stamp[:10]
        if form == "datetime-rfc2822":
            return formatdate(making.now)
        if name == "id" and form.lower() == "uuid":
            return making.ids.uuid()
        return value

    def make(making: Making, known: Any) -> Any:
        return known if known is not ABSENT and validator.is_valid(known) else invent(making)

    return make


def scalar_validator(node: Mapping[str, Any]) -> Validator:
    """Return a validator of what a schema says of a value itself, not of what is inside it."""
    kept = {k: v for k, v in node.items() if k not in ANNOTATIONS and k not in NESTING}
    validator: Validator = jsonschema_rs.Draft202012Validator(
        kept, validate_formats=True, formats=dict(formats.FORMATS)
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
