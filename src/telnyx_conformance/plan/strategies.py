"""Hypothesis strategies over requests: public, built on the same boundaries and values as the plan.

Each yields a `Probe`; `build_request` makes it a request. What cannot be generated is refused when the strategy is
asked for, not when an example is drawn.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st
from msgspec.structs import replace

from telnyx_conformance.contract.document import load_edition
from telnyx_conformance.contract.requirements import field_id
from telnyx_conformance.errors import UnknownName, UsageError
from telnyx_conformance.plan.boundaries import Value
from telnyx_conformance.plan.covering import Offer, Row
from telnyx_conformance.plan.planner import Planner
from telnyx_conformance.plan.surface import header_shapes
from telnyx_conformance.plan.values import broken

if TYPE_CHECKING:
    from collections.abc import Callable

    from telnyx_conformance.contract.constraints import Constraint
    from telnyx_conformance.contract.fields import Field
    from telnyx_conformance.contract.model import Edition, Operation
    from telnyx_conformance.plan.probe import Plan, Probe

SEED = 1
MOST_FIELDS = 12
FAR = 1000  # how far beyond a bound a refused value may lie


def valid(operation: Operation | str, *, edition: Edition | None = None) -> st.SearchStrategy[Probe]:
    """Return a strategy of valid requests: what is required, and any optional places with any valid values.

    Shrinks to the smallest.
    """
    planner, plan = _planned(operation, edition)
    offers = [*planner.offers("requests"), *planner.offers("headers")]
    if not offers:
        return _named(st.just(plan.probes[0]), f"valid({planner.operation.id!r})")

    @st.composite
    def make(draw: st.DrawFn) -> Probe:
        row = Row(copy.deepcopy(planner.base), optional=True)
        for offer in draw(st.lists(st.sampled_from(offers), max_size=MOST_FIELDS, unique_by=lambda o: o.field.place)):
            row.takes(planner.maker, _redrawn(draw, planner, offer), planner.is_valid)
        return planner.accepted(row, "valid")

    return _named(make(), f"valid({planner.operation.id!r})")


def boundary(operation: Operation | str, *, edition: Edition | None = None) -> st.SearchStrategy[Probe]:
    """Return a strategy of valid requests at the edges of what is allowed: the plan's accepted probes."""
    planner, plan = _planned(operation, edition)
    accepted = [p for p in plan.probes if p.expect == "accept" and p.conformance_class in ("requests", "headers")]
    return _named(st.sampled_from(accepted), f"boundary({planner.operation.id!r})")


def invalid(
    operation: Operation | str, requirement: str, *, edition: Edition | None = None
) -> st.SearchStrategy[Probe]:
    """Return a strategy of requests that break one requirement and nothing else.

    `requirement` is an id, or its part after the operation (`request.body.timeout_secs:minimum`). Raises `UnknownName`
    for one that the operation does not have and `UsageError` for one that no request can break.
    """
    planner, plan = _planned(operation, edition)
    prefix = f"{planner.operation.id}:"
    asked = requirement if requirement.startswith(prefix) else prefix + requirement
    if asked not in planner.wanted:
        raise UnknownName("requirement", asked, planner.wanted)
    planned = next((p for p in plan.probes if p.violation is not None and p.violation.requirement == asked), None)
    if planned is None:
        raise UsageError(f"no request can break {asked}", advice="it says what is accepted, or how an answer looks")
    name = f"invalid({planner.operation.id!r}, {asked.removeprefix(prefix)!r})"
    held = next(((f, c) for f, cs in planner.held for c in cs if field_id(planner.operation, f, c.kind) == asked), None)
    values = _violating(*held) if held else None
    if held is None or values is None:
        return _named(st.just(planned), name)
    return _named(values.map(_placing(planner, planned, held[0])), name)


def headers(operation: Operation | str, *, edition: Edition | None = None) -> st.SearchStrategy[Probe]:
    """Return a strategy of valid requests with any of the header shapes that must be understood."""
    planner, plan = _planned(operation, edition)
    shapes = header_shapes(planner.operation, planner.wanted, plan.probes[0])
    if not shapes:
        raise UsageError(f"{planner.operation.id} is held to no header shape", advice="try another operation")

    def carrying(chosen: list[tuple[str, dict[str, str]]]) -> Probe:
        added = {name: value for _, shape in chosen for name, value in shape.items()}
        covers = tuple(requirement for requirement, _ in chosen)
        ident = f"{planner.operation.id}:headers"
        return replace(plan.probes[0], id=ident, conformance_class="headers", headers=added, covers=covers)

    some = st.lists(st.sampled_from(shapes), min_size=1, max_size=len(shapes), unique_by=lambda shape: shape[0])
    return _named(some.map(carrying), f"headers({planner.operation.id!r})")


def _planned(operation: Operation | str, edition: Edition | None) -> tuple[Planner, Plan]:
    used = edition or load_edition()
    known = used.operation(operation) if isinstance(operation, str) else operation
    planner = Planner(used, known, SEED)
    return planner, planner.plan()


def _redrawn(draw: st.DrawFn, planner: Planner, offer: Offer) -> Offer:
    """Return the offer with another valid value of its place, where there are more than the planned ones."""
    node, value = offer.field.node, offer.value.value
    if node.kind not in ("integer", "number") or not isinstance(value, int | float) or "enum" in node.facts:
        return offer
    low, high = node.facts.get("minimum"), node.facts.get("maximum")
    if node.kind == "integer":
        drawn: Any = draw(st.one_of(st.just(value), st.integers(low, high)))
    else:
        drawn = draw(st.one_of(st.just(value), st.floats(low, high, allow_nan=False, allow_infinity=False)))
    return (
        replace(offer, value=Value(value=drawn, kinds=offer.value.kinds)) if planner.maker.fits(node, drawn) else offer
    )


def _violating(field: Field, constraint: Constraint) -> st.SearchStrategy[Any] | None:
    """Return a strategy of values that break a constraint, `None` where the planned value is the only one known."""
    node, limit = field.node, field.node.facts.get(constraint.keyword)
    if constraint.rule in ("minimum", "maximum") and node.kind == "integer" and isinstance(limit, int):
        return (
            st.integers(limit - FAR, limit - 1) if constraint.rule == "minimum" else st.integers(limit + 1, limit + FAR)
        )
    if constraint.rule == "enum" and node.kind == "string":
        taken = {str(member).lower() for member in node.facts["enum"]}
        return st.text(st.characters(codec="ascii", categories=["L", "N"]), min_size=1).filter(
            lambda t: t.lower() not in taken
        )
    if constraint.rule == "type" and field.wire == "json" and not node.choices:
        wrong = st.one_of(
            st.text(), st.integers(), st.booleans(), st.just({"unexpected": "member"}), st.just(["unexpected"])
        )
        return wrong.filter(lambda value: broken(node, value) == ["type"])
    return None


def _placing(planner: Planner, planned: Probe, field: Field) -> Callable[[Any], Probe]:
    def place(value: Any) -> Probe:
        if field.location == "body":
            return replace(planned, body=planner.maker.value_at(field.chain, copy.deepcopy(planned.body), value))
        name = field.parameter.name if field.parameter else ""
        values = getattr(planned, field.location if field.location != "header" else "headers")
        root = planner.maker.value_at(field.chain, copy.deepcopy(values.get(name)), value)
        return replace(planned, **{"headers" if field.location == "header" else field.location: {**values, name: root}})

    return place


def _named(strategy: st.SearchStrategy[Probe], name: str) -> st.SearchStrategy[Probe]:
    """Return the strategy under a name by which failures show it."""

    @st.composite
    def named(draw: st.DrawFn) -> Probe:
        return draw(strategy)

    made = named()
    made.__class__ = type("Named", (type(made),), {"__repr__": lambda _: name})
    return made
