"""Compiled JSON Schema validators over an edition's schemas: stand-alone, direction-aware, formats checked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, Protocol

import jsonschema_rs

from telnyx_conformance.contract.formats import ENCODINGS, FORMATS
from telnyx_conformance.contract.model import pointed

Direction = Literal["request", "response"]
ANNOTATIONS = frozenset({"examples", "example", "default", "xml", "discriminator", "externalDocs"})
HIDDEN = {"request": "readOnly", "response": "writeOnly"}


class Validator(Protocol):
    """What `compiled` returns."""

    def is_valid(self, instance: Any, /) -> bool:
        """Return whether `instance` satisfies the schema."""

    def iter_errors(self, instance: Any, /) -> Any:
        """Yield the errors of `instance`."""


def compiled(document: Mapping[str, Any], schema: Mapping[str, Any], direction: Direction) -> Validator:
    """Return a validator for `schema`, whose references point into `document`.

    In a request a required property that is read-only may be absent, in a response one that is write-only.
    """
    alone = standalone(document, schema, direction)
    validator: Validator = jsonschema_rs.Draft202012Validator(alone, validate_formats=True, formats=dict(FORMATS))
    return validator


def standalone(document: Mapping[str, Any], schema: Mapping[str, Any], direction: Direction) -> dict[str, Any]:
    """Return `schema` with everything it refers to under `$defs`, adapted to `direction`."""
    gathering = _Gathering(document, direction)
    root = gathering.copy(schema)
    while gathering.waiting:
        reference, name = gathering.waiting.popitem()
        gathering.definitions[name] = gathering.copy(pointed(document, reference))
    return {**root, "$defs": gathering.definitions} if gathering.definitions else root


class _Gathering:
    def __init__(self, document: Mapping[str, Any], direction: Direction) -> None:
        self._document = document
        self._hidden = HIDDEN[direction]
        self._names: dict[str, str] = {}
        self.waiting: dict[str, str] = {}
        self.definitions: dict[str, Any] = {}

    def copy(self, node: Mapping[str, Any]) -> dict[str, Any]:
        made: dict[str, Any] = {}
        for keyword, value in node.items():
            if keyword == "$ref":
                made["$ref"] = self._refer(value)
            elif keyword in ("properties", "patternProperties", "dependentSchemas"):
                made[keyword] = {name: self._any(part) for name, part in value.items()}
            elif keyword == "required":
                made[keyword] = [name for name in value if not self._is_hidden(node, name)]
            elif keyword not in ANNOTATIONS and not keyword.startswith("x-"):
                made[keyword] = value if keyword in ("enum", "const") else self._any(value)
        encoding = made.get("contentEncoding")
        if isinstance(encoding, str) and encoding in ENCODINGS:  # JSON Schema only annotates it
            made.setdefault("format", ENCODINGS[encoding])
        return made

    def _any(self, node: Any) -> Any:
        if isinstance(node, Mapping):
            return self.copy(node)
        return [self._any(part) for part in node] if isinstance(node, list) else node

    def _refer(self, reference: str) -> str:
        if reference not in self._names:
            name = f"s{len(self._names)}"
            self._names[reference] = self.waiting[reference] = name
        return f"#/$defs/{self._names[reference]}"

    def _is_hidden(self, node: Mapping[str, Any], name: str) -> bool:
        part = node.get("properties", {}).get(name, {})
        while isinstance(part, Mapping) and "$ref" in part and not part.get(self._hidden):
            part = pointed(self._document, part["$ref"])
        return isinstance(part, Mapping) and bool(part.get(self._hidden))
