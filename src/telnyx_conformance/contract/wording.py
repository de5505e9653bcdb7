"""Checking the schemas as they stand after hardening: an overlay may say anything, so its typos show only here."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import jsonschema_rs

from telnyx_conformance.contract.files import contract_schema, suggestion
from telnyx_conformance.errors import ContractError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
ONE = (
    "items",
    "not",
    "if",
    "then",
    "else",
    "additionalProperties",
    "contains",
    "propertyNames",
    "unevaluatedProperties",
)
SEVERAL = ("allOf", "anyOf", "oneOf", "prefixItems")
NAMED = ("properties", "patternProperties", "dependentSchemas")
PLAIN = (
    "$ref", "type", "format", "enum", "const", "default", "examples", "minimum", "maximum", "exclusiveMinimum",
    "exclusiveMaximum", "multipleOf", "minLength", "maxLength", "pattern", "minItems", "maxItems", "uniqueItems",
    "minContains", "maxContains", "minProperties", "maxProperties", "required", "dependentRequired", "contentEncoding",
    "contentMediaType", "readOnly", "writeOnly", "deprecated", "discriminator", "xml", "x-hardened", "x-rules",
)  # fmt: skip
KEYWORDS = frozenset((*ONE, *SEVERAL, *NAMED, *PLAIN))
DIALECT = "https://json-schema.org/draft/2020-12/schema"


def problems(document: Mapping[str, Any], where: str) -> Iterator[ContractError]:
    """Yield what is wrong with the schemas and named rules of a merged document."""
    for place, node in schemas(document):
        yield from _schema_problems(node, f"{where}: {place}")
    for path, item in document["paths"].items():
        for method in (m for m in METHODS if m in item):
            yield from _rule_problems(item[method], f"{where}: {method.upper()} {path}")


def _schema_problems(node: Mapping[str, Any], where: str) -> Iterator[ContractError]:
    for word in node.keys() - KEYWORDS:
        yield ContractError("unknown schema keyword", got=word, where=where, advice=suggestion(word, sorted(KEYWORDS)))
    plain = {key: node[key] for key in PLAIN if key in node and key not in ("$ref", "discriminator", "xml")}
    try:
        jsonschema_rs.meta.validate({"$schema": DIALECT, **plain})
    except jsonschema_rs.ValidationError as broken:
        at = "/".join(str(part) for part in broken.instance_path)
        yield ContractError("not a JSON Schema", got=broken.message, where=f"{where}/{at}")
    if "pattern" in node:
        try:
            re.compile(node["pattern"])
        except re.error as broken:
            yield ContractError(
                "not a regular expression", got=f"{node['pattern']}: {broken}", where=f"{where}/pattern"
            )
    yield from _rule_problems(node, where)


def _rule_problems(node: Mapping[str, Any], where: str) -> Iterator[ContractError]:
    if "x-rules" in node:
        for error in contract_schema("rules").iter_errors(node["x-rules"]):
            words = getattr(error.kind, "options", None) or []
            advice = suggestion(error.instance, list(words)) if isinstance(error.instance, str) else ""
            yield ContractError("not a rule", got=error.message[:300], where=f"{where}/x-rules", advice=advice)


def schemas(document: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield every schema of a merged document with its place, references not followed."""
    components = document["components"]
    for name, node in components.get("schemas", {}).items():
        yield from _below(node, f"schemas/{name}")
    for name, node in components.get("parameters", {}).items():
        yield from _below(node.get("schema", {}), f"parameters/{name}/schema")
    for kind in ("requestBodies", "responses"):
        for name, node in components.get(kind, {}).items():
            yield from _content(node, f"{kind}/{name}")
    for path, item in document["paths"].items():
        for method in (m for m in METHODS if m in item):
            yield from _operation(item[method], f"{method.upper()} {path}")


def _operation(node: Mapping[str, Any], place: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for parameter in node.get("parameters", []):
        yield from _below(parameter.get("schema", {}), f"{place} {parameter.get('in')} {parameter.get('name')}")
    yield from _content(node.get("requestBody", {}), f"{place} request")
    for status, answer in node.get("responses", {}).items():
        yield from _content(answer, f"{place} {status}")
    for name, expressions in node.get("callbacks", {}).items():
        for item in expressions.values():
            for posted in item.values():
                yield from _content(posted.get("requestBody", {}), f"{place} {name}")


def _content(node: Mapping[str, Any], place: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for media, part in node.get("content", {}).items():
        yield from _below(part.get("schema", {}), f"{place} {media}")


def _below(node: Any, place: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    if not isinstance(node, dict):
        return
    yield place, node
    for key in ONE:
        if key in node:
            yield from _below(node[key], f"{place}/{key}")
    for key in SEVERAL:
        for number, branch in enumerate(node.get(key, [])):
            yield from _below(branch, f"{place}/{key}/{number}")
    for key in NAMED:
        for name, child in node.get(key, {}).items():
            yield from _below(child, f"{place}/{key}/{name}")
