"""Single violations: on the smallest valid request, exactly one rule broken, so that a verdict has one cause."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from telnyx_conformance.contract import formats
from telnyx_conformance.contract.catalogue import load_errors
from telnyx_conformance.contract.constraints import Constraint, condition_of, left_out
from telnyx_conformance.contract.fields import Field, pointer_of
from telnyx_conformance.contract.requirements import field_id
from telnyx_conformance.plan.beyond import refused
from telnyx_conformance.plan.boundaries import EDGES, narrowed
from telnyx_conformance.plan.covering import Root, root_of
from telnyx_conformance.plan.probe import Violation
from telnyx_conformance.plan.values import broken

if TYPE_CHECKING:
    from telnyx_conformance.contract.model import Operation
    from telnyx_conformance.contract.nodes import Condition, Node
    from telnyx_conformance.plan.values import Maker

BETWEEN_MEMBERS = frozenset(
    {
        "exclusive",
        "dependentRequired",
        "required-if",
        "allowed-if",
        "narrowed",
        "additionalProperties",
        "minProperties",
    }
)
# What the catalogue of errors calls a rule, where its name differs.
CATALOGUED = {"required-if": "required", "allowed-if": "if", "named-format": "format"}
ABSENT: Any = object()


def broken_roots(maker: Maker, base: dict[Root, Any], field: Field, constraint: Constraint) -> dict[Root, Any]:
    """Return the values of a request that breaks `constraint` at `field`, and nothing else where that can be."""
    roots = {root: copy.deepcopy(value) for root, value in base.items()}
    root = root_of(field)
    if constraint.rule == "required":
        if len(field.chain) == 1:
            roots.pop(root, None)
        else:
            roots[root] = maker.value_at(field.chain, _started(maker, roots, root, field), None, clear=True)
        return roots
    if constraint.rule in BETWEEN_MEMBERS or (
        constraint.rule in ("anyOf", "oneOf") and _by_members(maker, field, constraint)
    ):
        start = _started(maker, roots, root, field)
        here = _container(maker, field, start)
        made = _broken_members(maker, field, constraint, here)
        roots[root] = made if len(field.chain) == 1 else _replaced(start, field.path, made)
        return roots
    value = refused(maker, field, constraint)
    roots[root] = maker.value_at(field.chain, _started(maker, roots, root, field), value)
    return roots


def _started(maker: Maker, roots: dict[Root, Any], root: Root, field: Field) -> Any:
    value = roots.get(root)
    if value is None or field.chain[0].branch:
        return maker.minimal(field.chain[0].node, field.name)
    return value


def _container(maker: Maker, field: Field, root: Any) -> dict[str, Any]:
    """Return the object at the place, made on the way; it is part of `root`."""
    if len(field.chain) == 1:
        return root if isinstance(root, dict) else {}
    value = maker.minimal(field.node, field.name)
    maker.value_at(field.chain, root, value)
    return value if isinstance(value, dict) else {}


def _replaced(root: Any, path: tuple[Any, ...], value: Any) -> Any:
    node = root
    for key in path[:-1]:
        node = node[key]
    node[path[-1]] = value
    return root


def _by_members(maker: Maker, field: Field, constraint: Constraint) -> bool:
    nodes = [maker.reader.node(branch) for branch in constraint.argument.branches]
    return not all(n.types for n in nodes) or {"object"} == {t for n in nodes for t in n.types} == set(field.node.types)


def _broken_members(maker: Maker, field: Field, constraint: Constraint, here: dict[str, Any]) -> dict[str, Any]:
    node = field.node
    if constraint.rule == "exclusive":
        for name in constraint.argument:
            maker.put(here, node, name, 0)
        return here
    if constraint.rule == "dependentRequired":
        name, other = constraint.argument
        here[name] = maker.minimal(maker.reader.node(node.properties[name]), name)
        here.pop(other, None)
        return here
    if constraint.rule in ("required-if", "allowed-if"):
        make = _conditional if constraint.rule == "required-if" else _restricted
        return make(maker, node, constraint.argument, here)
    if constraint.rule == "narrowed":
        return {**here, **_narrowed(maker, field, constraint)}
    if constraint.rule in ("anyOf", "oneOf"):
        demanded = {name for branch in constraint.argument.branches for name in maker.reader.node(branch).required}
        return {name: value for name, value in here.items() if name not in demanded or name in node.required}
    made = refused(maker, field, constraint)
    return made if isinstance(made, dict) else here


def _narrowed(maker: Maker, field: Field, constraint: Constraint) -> dict[str, Any]:
    """Return an object whose member would be fine, did the condition not hold; where no such value is known, never."""
    name, _, keyword = constraint.argument
    inner = narrowed(maker, field, constraint)
    elsewhere = maker.reader.node(field.node.properties[name]).facts.get("enum", ())
    value = next((one for one in elsewhere if one is not None and broken(inner.node, one)), None)
    if value is None:
        value = refused(maker, inner, Constraint(kind=keyword, rule=keyword, keyword=keyword))
    return {**EDGES["narrowed"](maker, field, constraint), name: value}


def _conditional(maker: Maker, node: Node, argument: tuple[str, Condition], here: dict[str, Any]) -> dict[str, Any]:
    needed, condition = argument
    for name, values in (condition_of(condition) or {}).items():
        here[name] = values[0]
    maker.completed(here, node)
    here.pop(needed, None)
    return here


def _restricted(maker: Maker, node: Node, argument: tuple[str, Condition], here: dict[str, Any]) -> dict[str, Any]:
    name, condition = argument
    for other, values in (condition_of(condition) or {}).items():
        here[other] = values[0]
    maker.completed(here, node)
    member, part = maker.reader.node(node.properties[name]), condition.then["properties"][name]
    here[name] = next(iter(left_out(member, part)), None) or maker.minimal(member, name)
    return here


def violation_of(operation: Operation, field: Field, constraint: Constraint) -> Violation:
    """Return what a probe that breaks `constraint` at `field` shows, and how it may be refused."""
    body = field.location == "body"
    situation = "invalid_body" if body else "invalid_parameter"
    if body and constraint.rule == "required" and len(field.chain) == 1:
        situation = "missing_body"
    statuses = load_errors().situation(situation).statuses
    if field.location == "query":
        statuses = tuple(status for status in statuses if status != 404)  # noqa: PLR2004 - only a path can name what is not there
    return Violation(
        requirement=field_id(operation, field, constraint.kind),
        kind=_catalogued(field, constraint),
        situation=situation,
        statuses=statuses,
        pointers=tuple(dict.fromkeys(_pointers(field, constraint))) if body else (),
        parameter=field.parameter.name if field.parameter else "",
        pointer_requirement=field_id(operation, field, "pointer"),
        code_requirement=field_id(operation, field, "code"),
    )


def _catalogued(field: Field, constraint: Constraint) -> str:
    kind = constraint.argument[2] if constraint.rule == "narrowed" else CATALOGUED.get(constraint.rule, constraint.rule)
    if kind == "format":
        form = formats.of_schema(field.node.facts)
        return f"format.{form.name}" if form else kind
    if len(field.chain) > field.within and constraint.rule != "required":
        return kind
    return kind


def _pointers(field: Field, constraint: Constraint) -> list[str]:
    """Return the places that a refusal may blame.

    The culprit, for rules between members each of them, within alternatives the whole.
    """
    own = field.pointer
    found = [own or "/"]
    if not own:
        found.append("")
    if constraint.rule in ("exclusive", "dependentRequired"):
        found += [f"{own}/{name}" for name in constraint.argument]
        found = [*found[1:], found[0]] if constraint.rule == "dependentRequired" else found
    if constraint.rule in ("required-if", "allowed-if", "narrowed"):
        found = [f"{own}/{constraint.argument[0]}", *found]
    if constraint.rule in ("anyOf", "oneOf"):
        found += [f"{own}/{name}" for name in field.node.properties]
    if constraint.rule == "additionalProperties":
        found = [f"{own}/unexpected_member", *found]
    for depth in range(field.within, len(field.chain)):
        found.append(pointer_of(field.path[: depth - 1]) or "/")
    return found
