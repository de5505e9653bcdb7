"""The contract as frozen values: what operations there are and what each takes and gives.

Schemas stay plain JSON Schema 2020-12 dictionaries whose `$ref` point into `Edition.document`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any, Literal

import msgspec

from telnyx_conformance.errors import UnknownName

Schema = Mapping[str, Any]
Level = Literal["MUST", "SHOULD", "MAY"]
SafetyClass = Literal["safe_read", "reversible_write", "async", "destructive", "billable"]
CONFORMANCE_CLASSES = (
    "surface", "requests", "envelopes", "headers", "lifecycles", "commands", "webhooks", "models", "fuzz",
)  # fmt: skip
ON_REQUEST = frozenset({"fuzz"})
"""Classes that a run proves only when they are named: nothing of them is planned otherwise."""


class Parameter(msgspec.Struct, frozen=True, kw_only=True):
    """A query, path or header parameter. `style` and `explode` are OpenAPI's, defaults filled in."""

    name: str
    location: Literal["query", "path", "header"]
    required: bool
    schema: dict[str, Any]
    style: str
    explode: bool


class Body(msgspec.Struct, frozen=True, kw_only=True):
    """A request body: media type to schema (an empty schema where the document names none)."""

    required: bool
    content: dict[str, dict[str, Any]]

    @property
    def media_type(self) -> str:
        """The media type a client would choose: JSON when offered, else the first."""
        return "application/json" if "application/json" in self.content else next(iter(self.content), "")


class ResponseSpec(msgspec.Struct, frozen=True, kw_only=True):
    """One documented response. `status` is as written: `200`, `4XX`, `default`; no content means no body."""

    status: str
    content: dict[str, dict[str, Any]]


class Callback(msgspec.Struct, frozen=True, kw_only=True):
    """A webhook that an operation may cause: the callback's name and the schema of what is posted."""

    name: str
    schema: dict[str, Any]


class Operation(msgspec.Struct, frozen=True, kw_only=True):
    """One of the 739 things a client can ask. `path` is the template, such as `/calls/{call_control_id}/actions/transfer`."""

    id: str
    name: str
    group: str
    method: str
    path: str
    server: Literal["api", "storage"]
    secured: bool
    deprecated: bool
    parameters: tuple[Parameter, ...]
    body: Body | None
    responses: tuple[ResponseSpec, ...]
    callbacks: tuple[Callback, ...]
    safety: SafetyClass

    @property
    def success(self) -> ResponseSpec:
        """The documented answer to a request that is carried out: the lowest 2xx."""
        return min((r for r in self.responses if r.status.startswith("2")), key=lambda r: r.status)

    def parameters_in(self, location: str) -> tuple[Parameter, ...]:
        """Return the parameters of one location, in documented order."""
        return tuple(p for p in self.parameters if p.location == location)


class Requirement(msgspec.Struct, frozen=True, kw_only=True):
    """One testable statement with a permanent id such as `TransferCall:request.body.timeout_secs:minimum`.

    `place` is the middle part of the id, `kind` names the rule; `statement` says it in words; `source` says where it stands.
    """

    id: str
    operation: str
    group: str
    conformance_class: str
    level: Level
    kind: str
    place: str
    statement: str
    source: str


class Edition(msgspec.Struct, frozen=True, kw_only=True):
    """One dated state of the API, hardened. `document` is the merged OpenAPI 3.1 document that the operations were read from."""

    name: str
    document: dict[str, Any]
    operations: tuple[Operation, ...]
    by_id: dict[str, Operation]

    @property
    def groups(self) -> tuple[str, ...]:
        """The resource groups, sorted."""
        return tuple(sorted({o.group for o in self.operations}))

    def operation(self, operation_id: str) -> Operation:
        """Return the operation called `operation_id`; raise `UnknownName` with the nearest one otherwise."""
        try:
            return self.by_id[operation_id]
        except KeyError:
            raise UnknownName("operation", operation_id, self.by_id) from None

    def select(self, patterns: Sequence[str]) -> tuple[Operation, ...]:
        """Return the operations that match any of `patterns`: an operation id, a group, or a glob over either; all when empty."""
        if not patterns:
            return self.operations
        chosen: set[str] = set()
        for pattern in patterns:
            hits = {o.id for o in self.operations if pattern in (o.id, o.group)}
            hits = hits or {
                o.id for o in self.operations if fnmatchcase(o.id, pattern) or fnmatchcase(o.group, pattern)
            }
            if not hits:
                raise UnknownName("operation or group", pattern, [*self.by_id, *self.groups])
            chosen |= hits
        return tuple(o for o in self.operations if o.id in chosen)

    def resolve(self, schema: Mapping[str, Any]) -> dict[str, Any]:
        """Follow `$ref` to its end; keywords beside a reference are kept and win over the referenced ones."""
        beside: dict[str, Any] = {}
        node: Any = schema
        while "$ref" in node:
            beside = {**{k: v for k, v in node.items() if k != "$ref"}, **beside}
            node = pointed(self.document, node["$ref"])
        return {**node, **beside}


def pointed(document: Mapping[str, Any], reference: str) -> Any:
    """Return what the local reference `#/a/b` points at."""
    node: Any = document
    for part in reference.removeprefix("#/").split("/"):
        node = node[part.replace("~1", "/").replace("~0", "~")]
    return node
