"""The named rules of an operation: what the documentation says and no JSON Schema keyword can, under `x-rules`.

docs/hardening.md says what each name means and who keeps it; `contracts/schemas/rules.schema.json` what each takes.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import jsonschema_rs
import msgspec

from telnyx_conformance.contract.model import Edition, Level, Operation, pointed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

DEEPEST = 8
OF_THE_RULE_ITSELF = ("rule", "level", "source")


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """One named rule. `place` is like `request.body.command_id`, or `request` for the operation as a whole."""

    name: str
    place: str
    level: Level
    source: str
    arguments: dict[str, Any]


def rules_of(edition: Edition, operation: Operation) -> tuple[Rule, ...]:
    """Return the rules of an operation: its own, then those of its parameters and its body, in documented order."""
    node = edition.document["paths"][operation.path][operation.method.lower()]
    found = list(_at("request", node))
    for parameter in operation.parameters:
        found += _below(edition, parameter.schema, f"request.{parameter.location}.{parameter.name}", 0)
    if operation.body is not None:
        found += _below(edition, operation.body.content.get(operation.body.media_type, {}), "request.body", 0)
    return tuple(found)


def is_effective(rule: Rule, enclosing: Any) -> bool:
    """Tell whether a field with the rule `effective-when` has an effect in the object that holds it."""
    return _condition(msgspec.json.encode(rule.arguments["when"])).is_valid(enclosing)


@lru_cache(maxsize=256)
def _condition(encoded: bytes) -> jsonschema_rs.Draft202012Validator:
    return jsonschema_rs.Draft202012Validator(msgspec.json.decode(encoded))


def _at(place: str, node: Mapping[str, Any]) -> Iterator[Rule]:
    for said in node.get("x-rules", []):
        arguments = {key: value for key, value in said.items() if key not in OF_THE_RULE_ITSELF}
        yield Rule(name=said["rule"], place=place, level=said["level"], source=said["source"], arguments=arguments)


def _below(edition: Edition, schema: Mapping[str, Any], place: str, depth: int) -> Iterator[Rule]:
    yield from _at(place, schema)
    if depth > DEEPEST:
        return
    if "$ref" in schema:
        yield from _below(edition, pointed(edition.document, schema["$ref"]), place, depth + 1)
    for key in ("allOf", "anyOf", "oneOf"):
        for branch in schema.get(key, []):
            yield from _below(edition, branch, place, depth + 1)
    for key in ("then", "else"):
        yield from _below(edition, schema.get(key, {}), place, depth + 1)
    for name, child in schema.get("properties", {}).items():
        yield from _below(edition, child, f"{place}.{name}", depth + 1)
    if "items" in schema:
        yield from _below(edition, schema["items"], f"{place}[]", depth + 1)
