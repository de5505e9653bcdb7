"""A probe: one planned request, and what it is to show."""

from __future__ import annotations

from typing import Any, Literal

import msgspec


class Violation(msgspec.Struct, frozen=True, kw_only=True):
    """The one rule that a refused probe breaks.

    `kind` is the rule (`minimum`, `enum`, `required`, …); `pointer` is the JSON pointer of the culprit in the body, or empty;
    `parameter` is the name of the culprit parameter, or empty.
    """

    requirement: str
    kind: str
    pointer: str = ""
    parameter: str = ""


class Probe(msgspec.Struct, frozen=True, kw_only=True):
    """One planned request.

    `path`, `query` and `headers` map parameter names to JSON values; a path parameter that is absent is filled in from a
    prerequisite (a resource that exists). `body` is a JSON value (also for forms), `None` when there is no body, and
    `raw` are bytes that replace it. `covers` are the requirement ids that an accepted probe proves.
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
    covers: tuple[str, ...] = ()
    violation: Violation | None = None
