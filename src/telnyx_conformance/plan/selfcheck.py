"""The harness accuses itself: a probe that is not what it claims to be is our error, and is never sent.

An accepted probe satisfies the hardened contract in every part. A refused probe breaks the contract at one place, by
the keyword that its requirement names. (Keywords of one place may be inseparable: a text that is too long also misses a
pattern that counts.)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from telnyx_conformance.contract.kinds import KINDS
from telnyx_conformance.contract.requirements import field_id
from telnyx_conformance.errors import HarnessError
from telnyx_conformance.plan.values import filled

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from telnyx_conformance.contract.constraints import Constraint
    from telnyx_conformance.contract.fields import Field
    from telnyx_conformance.plan.planner import Planner
    from telnyx_conformance.plan.probe import Plan, Probe

# The keyword by which a validator reports a rule, where it is not the constraint's own.
REPORTED: Mapping[str, tuple[str, ...]] = {
    "required-if": ("required",),
    "allowed-if": ("const", "enum", "type"),
    "dependentRequired": ("required", "dependentRequired"),
    "contentEncoding": ("format",),
    "additionalProperties": ("additionalProperties", "unevaluatedProperties"),
    "null": ("type", "enum", "const", "oneOf", "anyOf"),
    "exclusive": ("not",),
    "enum": ("enum",),
}
# The places whose requirements are proven by probes; the rest is judged on any exchange, or by a script of the run.
PLANNED = ("request", "route", "auth", "method", "resource", "headers")
ON_ANY_EXCHANGE = tuple(f":{name}" for name, kind in KINDS.items() if kind.judge == "checks")
WHOLE = frozenset({"malformed_json", "wrong_content_type", "missing_body"})


def check_plan(planner: Planner, plan: Plan) -> None:
    """Raise `HarnessError` for the first probe that is not what it claims, and for a requirement that none proves."""
    held = {field_id(planner.operation, f, c.kind): (f, c) for f, cs in planner.held for c in cs}
    seen: set[str] = set()
    proven: set[str] = set()
    for probe in plan.probes:
        if probe.id in seen:
            raise HarnessError("two probes share an id", got=probe.id)
        seen.add(probe.id)
        if probe.expect == "accept":
            check_accepted(planner, probe)
        else:
            check_refused(planner, probe, held)
        proven.update(probe.covers)
        if probe.violation is not None:
            proven |= {
                probe.violation.requirement,
                probe.violation.pointer_requirement,
                probe.violation.code_requirement,
            }
    planned = (n for n in planner.wanted - proven if n.split(":")[1].startswith(PLANNED))
    unproven = sorted(name for name in planned if not name.endswith(ON_ANY_EXCHANGE))
    if unproven:
        raise HarnessError("no probe proves a requirement", where=unproven[0], got=f"{len(unproven)} of them")


def check_accepted(planner: Planner, probe: Probe) -> None:
    """Raise `HarnessError` unless every part of an accepted probe satisfies the contract."""
    for place, _, keyword, message in _errors(planner, probe):
        raise HarnessError(
            "a probe that is to be accepted is invalid", where=f"{probe.id} {place}", expected=keyword, got=message
        )
    if not probe.covers:
        raise HarnessError("a probe that proves nothing", where=probe.id)


def check_refused(planner: Planner, probe: Probe, held: Mapping[str, tuple[Field, Constraint]]) -> None:
    """Raise `HarnessError` unless a refused probe breaks its requirement, at its place, and nothing elsewhere."""
    violation = probe.violation
    if violation is None:
        raise HarnessError("a probe that is to be refused breaks nothing", where=probe.id)
    found = list(_errors(planner, probe))
    if violation.requirement not in held:
        if found and probe.body is not None and violation.situation not in WHOLE:
            raise HarnessError("a probe of the whole operation is invalid besides", where=probe.id, got=found[0][3])
        return
    field, constraint = held[violation.requirement]
    if not found:
        raise HarnessError("a probe that is to be refused is valid", where=probe.id, expected=constraint.kind)
    expected = _culprits(field, constraint)
    elsewhere = [row for row in found if (row[0], row[1]) not in expected]
    if elsewhere:
        place, path, _, message = elsewhere[0]
        raise HarnessError("a probe breaks more than its requirement", where=f"{probe.id} {place} {path}", got=message)
    keywords = {row[2] for row in found}
    if not keywords & set(_keywords(field, constraint)):
        raise HarnessError(
            "a probe breaks another rule than its requirement",
            where=probe.id,
            expected=constraint.kind,
            got=", ".join(keywords),
        )


def _culprits(field: Field, constraint: Constraint) -> set[tuple[str, tuple[Any, ...]]]:
    """Return (root, path) of every place that a validator may report.

    Within alternatives it reports the whole of them.
    """
    root = _root_name(field.location, field.parameter.name if field.parameter else "")
    path = field.path[:-1] if constraint.rule == "required" and len(field.chain) > 1 else field.path
    path = (*path, constraint.argument[0]) if constraint.rule in ("allowed-if", "narrowed") else path
    within = {path[:depth] for depth in range(field.within - 1, len(path))} if _is_alternative(field) else set()
    return {(root, one) for one in (path, *within)}


def _is_alternative(field: Field) -> bool:
    return any(link.branch or link.node.wrapped for link in field.chain)


def _keywords(field: Field, constraint: Constraint) -> tuple[str, ...]:
    if constraint.rule == "narrowed":
        return (constraint.argument[2],)
    own = REPORTED.get(constraint.rule, REPORTED.get(constraint.keyword, (constraint.keyword,)))
    return (*own, "oneOf", "anyOf") if _is_alternative(field) else own


def _root_name(location: str, name: str) -> str:
    return f"{location}.{name}" if name else location


def _errors(planner: Planner, probe: Probe) -> Iterator[tuple[str, tuple[Any, ...], str, str]]:
    """Yield (root, path, keyword, message) for everything in a probe that breaks the contract."""
    operation = planner.operation
    if probe.method or operation.server != "api":
        return
    described = operation.body is not None and probe.raw is None
    if described and probe.body is not None:
        yield from _broken(planner, ("body", ""), probe.body, probe.media_type)
    elif described and operation.body is not None and operation.body.required:
        yield "body", (), "required", "a body is required"
    for location, values in (("query", probe.query), ("header", probe.headers), ("path", probe.path)):
        for parameter in operation.parameters_in(location):
            if parameter.name in values:
                yield from _broken(planner, (location, parameter.name), values[parameter.name], "")
            elif parameter.required and location == "query":
                yield _root_name(location, parameter.name), (), "required", "the parameter is required"


def _broken(
    planner: Planner, root: tuple[str, str], value: Any, media_type: str
) -> Iterator[tuple[str, tuple[Any, ...], str, str]]:
    other = media_type not in ("", planner.media_type)
    validator = planner.validator_for(media_type) if other else planner.validator(root)
    if validator is None:
        return
    for error in validator.iter_errors(filled(value)):
        yield _root_name(*root), tuple(error.instance_path), str(error.kind.name), str(error.message)[:300]
