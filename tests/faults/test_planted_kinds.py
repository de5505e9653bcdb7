"""Every kind of requirement is shown to fail: a target that ignores the rule, and one that refuses what the rule allows."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from msgspec.structs import replace

from telnyx_conformance.contract.constraints import constraints_of
from telnyx_conformance.contract.document import load_edition
from telnyx_conformance.contract.fields import fields_of
from telnyx_conformance.contract.kinds import KINDS
from telnyx_conformance.contract.model import Body, Edition
from telnyx_conformance.contract.nodes import reader_of
from telnyx_conformance.contract.requirements import conformance_class, enumerate_requirements, field_id

if TYPE_CHECKING:
    from collections.abc import Callable

IGNORED = (
    "malformed", "content-type", "required", "type", "null", "enum", "const", "minimum", "maximum",
    "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "minLength", "maxLength", "pattern", "format",
    "named-format", "minItems", "maxItems", "uniqueItems", "minProperties", "additionalProperties", "exclusive",
    "dependentRequired", "required-if", "allowed-if", "narrowed", "oneOf", "anyOf",
    "auth:missing", "auth:malformed", "auth:unknown",
    "method:not-allowed", "resource:unknown",
)  # fmt: skip
REFUSED = (
    "minimal", "media", "type", "accepted", "nullable", "member", "const", "minimum", "maximum", "exclusiveMinimum",
    "exclusiveMaximum", "multipleOf", "minLength", "maxLength", "pattern", "format", "named-format", "minItems",
    "maxItems", "uniqueItems", "minProperties", "dependentRequired", "required-if", "narrowed", "alternative", "route:exists",
    "headers:accept", "headers:content-type-charset", "headers:authorization-case",
)  # fmt: skip
WORDED = ("pointer", "code")
# Kinds that no operation of the edition has (yet) are planted in one that has been given them.
ARMOURED = {
    "type": "object",
    "required": ["name"],
    "properties": {
        "name": {"type": "string"},
        "fixed": {"type": "string", "const": "as-it-is"},
        "ceiling": {"type": "number", "exclusiveMaximum": 10},
        "step": {"type": "integer", "multipleOf": 5},
        "bag": {"type": "object", "minProperties": 1, "properties": {"item": {"type": "string"}}},
        "cause": {"type": "string"},
        "effect": {"type": "string"},
        "mode": {"type": "string", "enum": ["auto", "manual"]},
        "level": {"type": "integer"},
        "closed": {"type": "object", "additionalProperties": False, "properties": {"item": {"type": "string"}}},
        "floor": {"type": "number", "exclusiveMinimum": 1},
        "few": {"type": "array", "items": {"type": "string"}, "minItems": 2, "maxItems": 3},
        "tag": {"oneOf": [{"type": "integer"}, {"type": "string"}]},
        "mark": {"anyOf": [{"type": "integer"}, {"type": "boolean"}]},
        "left": {"type": "string"},
        "right": {"type": "string"},
    },
    "dependentRequired": {"cause": ["effect"]},
    "not": {"required": ["left", "right"]},
    "if": {"properties": {"mode": {"const": "manual"}}, "required": ["mode"]},
    "then": {"required": ["level"]},
}
Place = tuple[int, Edition, str, str, str]  # fields of the operation, edition, class, operation, requirement


@cache
def armoured_edition() -> Edition:
    edition = load_edition()
    plain = edition.operation("CreateBillingGroup")
    armoured = replace(plain, body=Body(required=True, content={"application/json": ARMOURED}))
    return replace(edition, operations=(armoured,), by_id={**edition.by_id, armoured.id: armoured})


@cache
def places() -> dict[tuple[str, str], Place]:
    """Return, for each kind and side, the requirement of the smallest operation that has it."""
    found: dict[tuple[str, str], Place] = {}
    for edition in (load_edition(), armoured_edition()):
        of_this: dict[tuple[str, str], Place] = {}
        for key, place in _places_in(edition):
            if key not in of_this or place[0] < of_this[key][0]:
                of_this[key] = place
        found = {**of_this, **found}
    return found


def _places_in(edition: Edition) -> Any:
    reader = reader_of(edition)
    for operation in edition.operations:
        if operation.server != "api":
            continue
        fields = fields_of(edition, operation)
        for field in fields:
            for constraint in constraints_of(reader, field):
                where = conformance_class(field), operation.id, field_id(operation, field, constraint.kind)
                for side, has in (("ignored", constraint.refuses), ("refused", constraint.accepts)):
                    if has:
                        yield (constraint.rule, side), (len(fields), edition, *where)
        for requirement in enumerate_requirements(edition, operation):
            where = requirement.conformance_class, operation.id, requirement.id
            stem = "media" if ":media=" in requirement.id else f"{requirement.place}:{requirement.kind}"
            whole = stem.removeprefix("request.body:").removeprefix("request:")
            for side in ("ignored", "refused"):
                yield (whole, side), (len(fields), edition, *where)
            if requirement.kind in WORDED:
                yield (requirement.kind, "worded"), (len(fields), edition, *where)


@pytest.fixture(scope="session")
def prove(open_target: Any) -> Callable[..., Any]:
    targets: dict[int, Any] = {}

    def proving(edition: Edition, proven: str, operation: str, answer: Any) -> tuple[Any, Any]:
        target = targets.setdefault(id(edition), None) or open_target(edition)
        targets[id(edition)] = target
        subject = edition.operation(operation)
        return target.prove(proven, subject, answer=answer), target.session.plan(subject)

    return proving


def answering(status: int, body: Any, meant: Callable[[Any], bool]) -> Any:
    async def answer(asked: Any, request: httpx.Request, real: Any) -> httpx.Response:
        if asked.probe is not None and meant(asked.probe):
            return httpx.Response(status, json=body)
        response: httpx.Response = await real(request)
        return response

    return answer


@pytest.mark.parametrize("kind", IGNORED)
def test_a_rule_that_is_ignored_is_reported_and_nothing_else(prove: Any, kind: str) -> None:
    _, edition, proven, operation, name = places()[kind, "ignored"]
    breaks = answering(200, {"data": {}}, lambda probe: bool(probe.violation) and probe.violation.requirement == name)
    report, plan = prove(edition, proven, operation, breaks)
    [violation] = [p.violation for p in plan.probes if p.violation and p.violation.requirement == name]
    assert report.failed == {(name, "refused")}
    assert set(report.unjudged) == {violation.pointer_requirement, violation.code_requirement} - {""}


@pytest.mark.parametrize("kind", REFUSED)
def test_a_valid_value_that_is_refused_is_reported_and_nothing_else(prove: Any, kind: str) -> None:
    _, edition, proven, operation, name = places()[kind, "refused"]
    status = 404 if proven == "surface" else 422
    report, plan = prove(edition, proven, operation, answering(status, {}, lambda probe: name in probe.covers))
    failed = {requirement for requirement, _ in report.failed}
    bare = set(plan.probes[0].covers)  # what stands in the smallest request cannot be told apart
    place = name.rpartition(":")[0]
    assert name in failed
    assert failed - {r for r in failed if r.rpartition(":")[0] == place} <= (bare if name in bare else set())
    assert {check for _, check in report.failed} == {"routed" if proven == "surface" else "accepted"}
    assert report.unjudged == {}


@pytest.mark.parametrize("kind", WORDED)
def test_a_refusal_that_says_nothing_is_reported_and_nothing_else(prove: Any, kind: str) -> None:
    _, edition, proven, operation, name = places()[kind, "worded"]
    place = name.rpartition(":")[0]
    silent = answering(422, {}, lambda p: bool(p.violation) and p.violation.requirement.rpartition(":")[0] == place)
    report, _ = prove(edition, proven, operation, silent)
    assert {requirement for requirement, _ in report.failed} == {f"{place}:pointer", f"{place}:code"}
    assert report.unjudged == {}


def test_every_kind_that_probes_judge_has_a_planted_fault() -> None:
    probed = {name for name, kind in KINDS.items() if kind.judge == "probes"}
    assert {*IGNORED, *REFUSED, *WORDED} == probed


def test_without_a_fault_every_requirement_passes(prove: Any) -> None:
    sides = {"ignored": IGNORED, "refused": REFUSED, "worded": WORDED}
    used = [places()[kind, side] for side, kinds in sides.items() for kind in kinds]
    proofs = {(id(edition), proven, operation): edition for _, edition, proven, operation, _ in used}
    obedient = answering(200, {}, lambda _: False)
    reports = [prove(edition, proven, operation, obedient)[0] for (_, proven, operation), edition in proofs.items()]
    assert [row for report in reports for row in (report.failed, report.unjudged) if row] == []
