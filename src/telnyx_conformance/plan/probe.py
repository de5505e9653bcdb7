"""A probe: one planned request, and what it is to show."""

from __future__ import annotations

from typing import Any, Literal

import msgspec


class Violation(msgspec.Struct, frozen=True, kw_only=True):
    """The one rule that a refused probe breaks.

    `requirement` is what the refusal proves. `kind` is the rule as the catalogue of errors names it (`minimum`,
    `format.e164`, `required`, …), empty where no value is at fault; `situation` is the catalogue's word for the request
    as a whole. `statuses` are those that count as a refusal, the expected first. `pointers` are the JSON pointers that
    name the culprit in the body, the exact one first; `parameter` is the name of the culprit parameter.
    `pointer_requirement` and `code_requirement` are the ids of what the wording of this refusal proves besides, empty
    where nothing is required of it.
    """

    requirement: str
    kind: str
    situation: str
    statuses: tuple[int, ...]
    pointers: tuple[str, ...] = ()
    parameter: str = ""
    pointer_requirement: str = ""
    code_requirement: str = ""

    @property
    def pointer(self) -> str:
        """The exact JSON pointer of the culprit, empty where the culprit is not in the body."""
        return self.pointers[0] if self.pointers else ""


class Probe(msgspec.Struct, frozen=True, kw_only=True):
    """One planned request.

    `path`, `query` and `headers` map parameter names to JSON values; a path parameter that is absent is filled in from
    a prerequisite (a resource that exists), one that stands in `path` is part of the probe. A header with an empty
    value is left out of the request; in header values `{key}` stands for the API key. `body` is a JSON value (also for
    forms), `None` when there is no body, and `raw` are bytes that replace it. `method` replaces the operation's own
    when it is not empty. In texts, `{fresh}`, `{uuid}` and `{webhook}` are filled in when the request is built.
    `covers` are the requirement ids that an accepted probe proves; `files` names the parts of a multipart body that are
    files; `references` maps JSON pointers (`/connection_id`) or `query.name` to the field whose value the run may
    replace by the id of something real.
    """

    id: str
    operation: str
    conformance_class: str
    expect: Literal["accept", "refuse"]
    path: dict[str, Any] = {}
    query: dict[str, Any] = {}
    headers: dict[str, str] = {}
    body: Any = None
    media_type: str = ""
    raw: bytes | None = None
    method: str = ""
    covers: tuple[str, ...] = ()
    violation: Violation | None = None
    files: tuple[str, ...] = ()
    references: dict[str, str] = {}


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """All probes of an operation, and for each class the number below which no plan that misses nothing can go.

    The bound is the number of single violations and the largest number of valid values of any place; every probe of the
    operation as a whole is its own bound.
    """

    operation: str
    probes: tuple[Probe, ...]
    bounds: dict[str, int]

    @property
    def lower_bound(self) -> int:
        """The bounds of all classes together."""
        return sum(self.bounds.values())
