"""From OpenAPI 3.0 schemas to JSON Schema 2020-12, facts only.

What OpenAPI 3.0 says in its own way (`nullable`, boolean exclusive bounds, `example`, keywords beside `$ref`) is said in the
dialect of OpenAPI 3.1; what is prose (descriptions, titles, documentation links) is left out.
Source: OpenAPI 3.0.3 "Schema Object", OpenAPI 3.1.0 "Schema Object", JSON Schema 2020-12.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

KEPT = (
    "type", "format", "enum", "const", "default", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum",
    "multipleOf", "minLength", "maxLength", "pattern", "minItems", "maxItems", "uniqueItems", "minProperties",
    "maxProperties", "required", "readOnly", "writeOnly", "deprecated", "discriminator", "xml",
)  # fmt: skip
LONGEST_EXAMPLE = 64
TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,), "integer": (int,), "number": (int, float), "boolean": (bool,), "array": (list,), "object": (dict,),
}  # fmt: skip


def to_2020_12(schema: Mapping[str, Any]) -> dict[str, Any]:  # noqa: C901 - one branch for each kind of keyword
    """Return the facts of an OpenAPI 3.0 schema as JSON Schema 2020-12."""
    if "$ref" in schema:  # OpenAPI 3.0 ignores everything beside a reference
        return {"$ref": schema["$ref"]}
    facts: dict[str, Any] = {key: schema[key] for key in KEPT if key in schema}
    for key in ("allOf", "oneOf", "anyOf"):
        if key in schema:
            facts[key] = [to_2020_12(branch) for branch in schema[key]]
    for key in ("items", "not"):
        if key in schema:
            facts[key] = to_2020_12(schema[key])
    if "properties" in schema:
        facts["properties"] = {name: to_2020_12(node) for name, node in schema["properties"].items()}
    if isinstance(schema.get("additionalProperties"), Mapping):
        facts["additionalProperties"] = to_2020_12(schema["additionalProperties"])
    elif "additionalProperties" in schema:
        facts["additionalProperties"] = schema["additionalProperties"]
    if not isinstance(facts.get("required", []), list):  # a boolean here is a misplaced parameter keyword
        del facts["required"]
    _exclusive_bounds(facts)
    if schema.get("nullable") is True:
        facts = _nullable(facts)
    elif facts.get("default", 0) is None:  # null is no value of a type that does not admit it
        del facts["default"]
    if "example" in schema and is_short_value(schema["example"], facts):
        facts["examples"] = [schema["example"]]
    return facts


def is_short_value(value: Any, facts: Mapping[str, Any]) -> bool:
    """Tell whether an example is a plain short value of the schema: a fact worth keeping, not a text."""
    if isinstance(value, str) and (len(value) > LONGEST_EXAMPLE or value.count(" ") > 2):  # noqa: PLR2004 - a name has few words
        return False
    if not isinstance(value, str | int | float | bool):
        return False
    named = facts.get("type", ())
    admitted = [named] if isinstance(named, str) else list(named)
    if not any(_has_type(value, name) for name in admitted):
        return False
    return "enum" not in facts or value in facts["enum"]


def _has_type(value: Any, name: str) -> bool:
    if isinstance(value, bool) and name != "boolean":
        return False
    return isinstance(value, TYPES.get(name, ()))


def _exclusive_bounds(facts: dict[str, Any]) -> None:
    for exclusive, bound in (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")):
        flag = facts.get(exclusive)
        if flag is True and bound in facts:
            facts[exclusive] = facts.pop(bound)
        elif isinstance(flag, bool):
            del facts[exclusive]


def _nullable(facts: dict[str, Any]) -> dict[str, Any]:
    if "enum" in facts and None not in facts["enum"]:
        facts["enum"] = [*facts["enum"], None]
    named = facts.get("type")
    if isinstance(named, str):
        return {**facts, "type": [named, "null"]}
    if "allOf" in facts or "oneOf" in facts or "anyOf" in facts:
        return {"anyOf": [facts, {"type": "null"}]}
    return facts
