"""Boundary values: for each constraint the values at its edge that are taken, and the nearest one beyond that is not."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from telnyx_conformance.contract import formats
from telnyx_conformance.contract.constraints import Constraint
from telnyx_conformance.contract.fields import Field
from telnyx_conformance.contract.nodes import ALL_TYPES, Choice, Node
from telnyx_conformance.errors import HarnessError
from telnyx_conformance.plan import samples
from telnyx_conformance.plan.values import NOWHERE, WEBHOOK, Maker, broken, filled, unfilled

WRONG: tuple[Any, ...] = ("seven", 7, True, {"unexpected": "member"}, ["unexpected"])
STEP = 0.01
SHORTER = range(4)  # base64 comes in fours: the longest valid text may be up to three characters shorter


class Value(msgspec.Struct, frozen=True, kw_only=True):
    """A valid value of a place, and the kinds of constraint at whose edge it lies."""

    value: Any
    kinds: tuple[str, ...]


def taken(maker: Maker, field: Field, constraints: tuple[Constraint, ...]) -> list[Value]:
    """Return the values of a place that must be accepted, each with what it proves; together they prove every accepting side."""
    found: dict[str, tuple[Any, list[str]]] = {}

    def add(value: Any, *kinds: str) -> None:
        key = msgspec.json.encode(value).decode()
        row = found.setdefault(key, (value, []))
        row[1].extend(k for k in kinds if k not in row[1])

    general = [c.kind for c in constraints if c.accepts and c.rule in ("type", "accepted")]
    for constraint in constraints:
        if not constraint.accepts or constraint.rule in ("type", "accepted"):
            continue
        for value in _edge(maker, field, constraint):
            add(value, constraint.kind)
    if general:
        if field.node.types == ("boolean",) or field.node.types == ("boolean", "null"):
            add(True, *general)
            add(False, *general)
        ordinary = next((row for row in found.values() if row[0] is not None), None)
        if ordinary is None:
            add(maker.minimal(field.node, field.name), *general)
        else:
            ordinary[1].extend(k for k in general if k not in ordinary[1])
    return [Value(value=value, kinds=tuple(kinds)) for value, kinds in found.values()]


def _edge(maker: Maker, field: Field, constraint: Constraint) -> Iterator[Any]:
    node, facts = field.node, field.node.facts
    rule, limit = constraint.rule, field.node.facts.get(constraint.keyword)
    if rule == "nullable":
        yield None
    elif rule in ("member", "const"):
        yield constraint.argument
    elif rule == "alternative":
        yield maker.minimal(_branch(maker, node, constraint), field.name)
    elif rule in ("minimum", "maximum"):
        yield limit
    elif rule in ("exclusiveMinimum", "exclusiveMaximum"):
        yield _inside(maker, node, limit, 1 if rule == "exclusiveMinimum" else -1)
    elif rule == "multipleOf":
        yield maker.plain(node, field.name)
    elif rule in ("minLength", "maxLength"):
        yield _of_length(maker, field, limit, SHORTER if rule == "maxLength" else (0,))
    elif rule == "pattern":
        yield _first(maker, node, (maker.plain(node, field.name), samples.matching(facts["pattern"])), field)
    elif rule in ("format", "named-format"):
        yield maker.plain(node, field.name)
    elif rule in ("minItems", "maxItems"):
        yield list(maker.items(maker.reader.node(node.items or {}), limit, field.name))
    elif rule == "uniqueItems":
        yield list(maker.items(maker.reader.node(node.items or {}), max(2, facts.get("minItems", 0)), field.name))
    elif rule == "minProperties":
        yield maker.minimal(node, field.name)


def _branch(maker: Maker, node: Node, constraint: Constraint) -> Node:
    for number, choice in enumerate(node.choices):
        if choice.keyword == constraint.keyword and constraint.argument in choice.names:
            return maker.reader.chosen(node, number, choice.names.index(constraint.argument))
    raise HarnessError("no such alternative", got=str(constraint.argument))


def _inside(maker: Maker, node: Node, limit: float, direction: int) -> Any:
    steps: tuple[float, ...] = (1,) if node.kind == "integer" else (STEP, 0.1, 0.5, 1)
    steps = (node.facts["multipleOf"], *steps) if "multipleOf" in node.facts else steps
    for step in steps:
        value = round(limit + direction * step, 6)
        if maker.fits(node, value):
            return value
    raise HarnessError("no value inside an exclusive bound", expected=str(node.facts))


def _of_length(maker: Maker, field: Field, length: int, shorter: range | tuple[int, ...]) -> str:
    node = field.node
    for less in shorter:
        made = _text_of_length(maker, field, length - less)
        if made is not None and maker.fits(node, made):
            return made
    raise HarnessError("no valid text of this length", expected=f"{length} characters", where=field.place)


def _text_of_length(maker: Maker, field: Field, length: int) -> str | None:
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


def _first(maker: Maker, node: Node, candidates: tuple[Any, ...], field: Field) -> Any:
    for candidate in candidates:
        if maker.fits(node, candidate):
            return candidate
    raise HarnessError("no valid value is known", expected=str(node.facts), where=field.place)


def refused(maker: Maker, field: Field, constraint: Constraint) -> Any:
    """Return the value of a place that breaks `constraint` and, where that is possible, nothing else.

    Rules between members (`required`, `exclusive`, …) are broken by `violations`, not by one value.
    """
    node, facts = field.node, field.node.facts
    rule, limit = constraint.rule, field.node.facts.get(constraint.keyword)
    if rule == "null":
        return None
    if rule in ("type", "oneOf", "anyOf"):
        return _of_wrong_type(maker, field, constraint)
    if rule in ("enum", "const"):
        return _unlisted(facts)
    if rule in ("minimum", "maximum"):
        step = 1 if node.kind == "integer" else STEP
        step = facts.get("multipleOf", step)
        beyond = limit - step if rule == "minimum" else limit + step
        return beyond if isinstance(beyond, int) else round(beyond, 6)
    if rule in ("exclusiveMinimum", "exclusiveMaximum"):
        return limit
    if rule == "multipleOf":
        return _nearest_breaking(node, rule, [maker.plain(node, field.name) + part for part in (1, limit / 2, STEP)])
    if rule in ("minLength", "maxLength"):
        length = limit - 1 if rule == "minLength" else limit + 1
        made = _text_of_length(maker, field, length)
        return made if made is not None else "a" * length
    if rule == "pattern":
        return _nearest_breaking(
            node, rule, samples.missing(facts["pattern"], str(filled(maker.plain(node, field.name))))
        )
    if rule in ("format", "named-format"):
        form = formats.of_schema(facts)
        return _nearest_breaking(node, "format", list(form.near_misses) if form else [])
    return _list_or_object(maker, field, constraint)


def _list_or_object(maker: Maker, field: Field, constraint: Constraint) -> Any:
    node, limit = field.node, field.node.facts.get(constraint.keyword)
    item = maker.reader.node(node.items or {})
    if constraint.rule in ("minItems", "maxItems"):
        return list(maker.items(item, limit - 1 if constraint.rule == "minItems" else limit + 1, field.name))
    if constraint.rule == "uniqueItems":
        one = maker.minimal(item, field.name)
        rest = list(maker.items(item, max(field.node.facts.get("minItems", 2), 2), field.name))
        return [one, one, *rest[2:]]
    if constraint.rule == "minProperties":
        return {}
    if constraint.rule == "additionalProperties":
        return {**maker.minimal(node, field.name), "unexpected_member": "unexpected"}
    raise HarnessError("a constraint that no value breaks", got=constraint.rule, where=field.place)


def _of_wrong_type(maker: Maker, field: Field, constraint: Constraint) -> Any:
    types = set(field.node.types)
    if isinstance(constraint.argument, Choice):
        nodes = [maker.reader.node(branch) for branch in constraint.argument.branches]
        types = {t for n in nodes for t in n.types} if all(n.types for n in nodes) else set(ALL_TYPES)
    for value in WRONG:
        if not broken(Node(types=tuple(sorted(types))), value):
            continue
        if field.wire == "json" or isinstance(value, str):
            return value
    raise HarnessError("no value has another type", expected=" or ".join(sorted(types)), where=field.place)


def _unlisted(facts: dict[str, Any]) -> Any:
    members = [m for m in facts.get("enum", [facts.get("const")]) if m is not None]
    texts = [m for m in members if isinstance(m, str)]
    if texts:
        lowered = {m.lower() for m in texts}
        base = next((m for m in texts if m), "")
        return next(c for c in (f"{base}_x", f"{base}x", f"x{base}", "unlisted-value") if c.lower() not in lowered)
    numbers = [m for m in members if isinstance(m, int | float) and not isinstance(m, bool)]
    if numbers:
        return max(numbers) + 1
    return "seven" if len(set(members)) > 1 else not members[0]


def _nearest_breaking(node: Node, rule: str, candidates: list[Any]) -> Any:
    """Return the candidate that breaks this rule alone, else one that breaks it among others."""
    told = [(candidate, broken(node, candidate)) for candidate in candidates]
    for wanted in (1, 2, 3):
        for candidate, rules in told:
            if rule in rules and len(rules) <= wanted:
                return candidate
    raise HarnessError(f"nothing breaks {rule}", expected=str(node.facts), got=str(candidates[:5]))
