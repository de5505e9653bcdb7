"""Boundary values: for each constraint the values at its edge that are taken. `beyond` has those that are not."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import msgspec

from telnyx_conformance.contract import formats
from telnyx_conformance.contract.constraints import Constraint, condition_of
from telnyx_conformance.contract.fields import Field, Link
from telnyx_conformance.errors import HarnessError
from telnyx_conformance.plan import samples
from telnyx_conformance.plan.values import NOWHERE, WEBHOOK, Maker, filled, unfilled

if TYPE_CHECKING:
    from telnyx_conformance.contract.nodes import Node

Rule = Callable[[Maker, Field, Constraint], Any]
GENERAL = ("type", "accepted")  # shown by any value at all
STEP = 0.01
SHORTER = range(4)  # base64 comes in fours: the longest valid text may be up to three characters shorter


class Value(msgspec.Struct, frozen=True, kw_only=True):
    """A valid value of a place, and the kinds of constraint at whose edge it lies."""

    value: Any
    kinds: tuple[str, ...]


def taken(maker: Maker, field: Field, constraints: tuple[Constraint, ...]) -> list[Value]:
    """Return the values of a place that must be accepted, each with what it proves.

    Together they prove every accepting side.
    """
    found: dict[str, tuple[Any, list[str]]] = {}

    def add(value: Any, *kinds: str) -> None:
        key = msgspec.json.encode(value).decode()
        row = found.setdefault(key, (value, []))
        row[1].extend(k for k in kinds if k not in row[1])

    general = [c.kind for c in constraints if c.accepts and c.rule in GENERAL]
    for constraint in constraints:
        if constraint.accepts and constraint.rule not in GENERAL:
            add(EDGES[constraint.rule](maker, field, constraint), constraint.kind)
    if general:
        if set(field.node.types) - {"null"} == {"boolean"}:
            for value in (True, False):
                add(value, *general)
        ordinary = next((row for row in found.values() if row[0] is not None), None)
        if ordinary is None:
            add(maker.minimal(field.node, field.name), *general)
        else:
            ordinary[1].extend(k for k in general if k not in ordinary[1])
    return [Value(value=value, kinds=tuple(kinds)) for value, kinds in found.values()]


def _limit(field: Field, constraint: Constraint) -> Any:
    return field.node.facts[constraint.keyword]


def _branch(maker: Maker, node: Node, constraint: Constraint) -> Node:
    for number, choice in enumerate(node.choices):
        if choice.keyword == constraint.keyword and constraint.argument in choice.names:
            return maker.reader.chosen(node, number, choice.names.index(constraint.argument))
    raise HarnessError("no such alternative", got=str(constraint.argument))


def _bound(_: Maker, field: Field, constraint: Constraint) -> Any:
    return _limit(field, constraint)


def _alternative(maker: Maker, field: Field, constraint: Constraint) -> Any:
    return maker.minimal(_branch(maker, field.node, constraint), field.name)


def _inside(maker: Maker, field: Field, constraint: Constraint) -> Any:
    node, limit = field.node, _limit(field, constraint)
    direction = 1 if constraint.rule == "exclusiveMinimum" else -1
    steps: tuple[float, ...] = (1,) if node.kind == "integer" else (STEP, 0.1, 0.5, 1)
    for step in (node.facts["multipleOf"], *steps) if "multipleOf" in node.facts else steps:
        value = round(limit + direction * step, 6)
        if maker.fits(node, value):
            return value
    raise HarnessError("no value inside an exclusive bound", expected=str(node.facts), where=field.place)


def _of_length(maker: Maker, field: Field, constraint: Constraint) -> str:
    node, length = field.node, _limit(field, constraint)
    for less in SHORTER if constraint.rule == "maxLength" else (0,):
        made = text_of_length(maker, field, length - less)
        if made is not None and maker.fits(node, made):
            return made
    form = formats.of_schema(node.facts)
    if constraint.rule == "maxLength" and form is not None:  # no text of the format is that long: the longest known
        return str(max((text for text in form.examples if maker.fits(node, text)), key=len))
    raise HarnessError("no valid text of this length", expected=f"{length} characters", where=field.place)


def text_of_length(maker: Maker, field: Field, length: int) -> str | None:
    """Return a text of this length that breaks no keyword but, perhaps, those on length."""
    node = field.node
    bare = msgspec.structs.replace(
        node, facts={k: v for k, v in node.facts.items() if k not in ("minLength", "maxLength")}
    )
    form = formats.of_schema(node.facts)
    plain = str(maker.plain(node, field.name))
    own = NOWHERE if WEBHOOK in plain else str(filled(plain))
    bases = [own] if WEBHOOK in plain else [own, *(form.examples if form else ())]
    if "pattern" in node.facts:
        bases.append(samples.matching(node.facts["pattern"]))
    for base in bases:
        made = samples.stretched(base, length, lambda text: maker.fits(bare, text))
        if made is not None:
            return unfilled(made)
    return None


def _plain(maker: Maker, field: Field, _: Constraint) -> Any:
    return maker.plain(field.node, field.name)


def _text(maker: Maker, field: Field, _: Constraint) -> Any:
    """Return a text for a rule on texts, where numbers would be taken, too."""
    return maker.plain(msgspec.structs.replace(field.node, types=("string",)), field.name)


def _counted(maker: Maker, field: Field, constraint: Constraint) -> Any:
    least = max(2, field.node.facts.get("minItems", 0))
    count = least if constraint.rule == "uniqueItems" else _limit(field, constraint)
    return list(maker.items(maker.reader.node(field.node.items or {}), count, field.name))


def _with_member(maker: Maker, field: Field, name: str) -> Any:
    here = maker.minimal(field.node, field.name)
    for added in (name, *field.node.dependent.get(name, ())):
        maker.make_room(here, field.node, added)
    maker.put(here, field.node, name, 0)
    return here


def _with_condition(maker: Maker, field: Field, constraint: Constraint) -> Any:
    here = maker.minimal(field.node, field.name)
    for name, values in (condition_of(constraint.argument[1]) or {}).items():
        here[name] = values[0]
    return maker.completed(here, field.node)


def narrowed(maker: Maker, field: Field, constraint: Constraint) -> Field:
    """Return the place of the member that a condition narrows, with what holds there while it does."""
    name, condition, _ = constraint.argument
    own, asked = field.node.properties[name], condition.then["properties"][name]
    node = maker.reader.merge(maker.reader.node(own), maker.reader.node(asked))
    return msgspec.structs.replace(
        field, place=f"{field.place}.{name}", chain=(*field.chain, Link(key=name, node=node)), required=False
    )


def _with_narrowed(maker: Maker, field: Field, constraint: Constraint) -> Any:
    here = _with_condition(maker, field, constraint)
    inner = narrowed(maker, field, constraint)
    return {**here, inner.name: maker.minimal(inner.node, inner.name)}


EDGES: dict[str, Rule] = {
    "nullable": lambda _maker, _field, _constraint: None,
    "member": lambda _maker, _field, constraint: constraint.argument,
    "const": lambda _maker, _field, constraint: constraint.argument,
    "alternative": _alternative,
    "minimum": _bound,
    "maximum": _bound,
    "exclusiveMinimum": _inside,
    "exclusiveMaximum": _inside,
    "multipleOf": _plain,
    "minLength": _of_length,
    "maxLength": _of_length,
    "pattern": _text,
    "format": _text,
    "named-format": _text,
    "minItems": _counted,
    "maxItems": _counted,
    "uniqueItems": _counted,
    "minProperties": lambda maker, field, _: maker.minimal(field.node, field.name),
    "dependentRequired": lambda maker, field, constraint: _with_member(maker, field, constraint.argument[0]),
    "required-if": _with_condition,
    "narrowed": _with_narrowed,
}
