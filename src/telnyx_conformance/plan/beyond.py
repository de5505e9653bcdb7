"""The value just beyond: for each constraint one that breaks it and, where that is possible, nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from telnyx_conformance.contract import formats
from telnyx_conformance.contract.nodes import ALL_TYPES, Choice, Node
from telnyx_conformance.errors import HarnessError
from telnyx_conformance.plan import samples
from telnyx_conformance.plan.boundaries import STEP, Rule, text_of_length
from telnyx_conformance.plan.values import Maker, broken, filled

if TYPE_CHECKING:
    from collections.abc import Mapping

    from telnyx_conformance.contract.constraints import Constraint
    from telnyx_conformance.contract.fields import Field

WRONG: tuple[Any, ...] = ("seven", 7, True, {"unexpected": "member"}, ["unexpected"])


def refused(maker: Maker, field: Field, constraint: Constraint) -> Any:
    """Return the value of a place that breaks `constraint`.

    Rules between members (`required`, `exclusive`, …) are broken by `violations`, not by one value.
    """
    rule = BEYOND.get(constraint.rule)
    if rule is None:
        raise HarnessError("a constraint that no value breaks", got=constraint.rule, where=field.place)
    return rule(maker, field, constraint)


def _limit(field: Field, constraint: Constraint) -> Any:
    return field.node.facts[constraint.keyword]


def _bound(_: Maker, field: Field, constraint: Constraint) -> Any:
    limit = _limit(field, constraint)
    step = field.node.facts.get("multipleOf", 1 if field.node.kind == "integer" else STEP)
    beyond = limit - step if constraint.rule == "minimum" else limit + step
    return beyond if isinstance(beyond, int) else round(beyond, 6)


def _step(maker: Maker, field: Field, constraint: Constraint) -> Any:
    plain, limit = maker.plain(field.node, field.name), _limit(field, constraint)
    return _nearest_breaking(field, "multipleOf", [plain + part for part in (1, limit / 2, STEP)])


def _length(maker: Maker, field: Field, constraint: Constraint) -> Any:
    limit = _limit(field, constraint)
    length = limit - 1 if constraint.rule == "minLength" else limit + 1
    made = text_of_length(maker, field, length)
    return made if made is not None else "a" * length


def _pattern(maker: Maker, field: Field, _: Constraint) -> Any:
    plain = str(filled(maker.plain(field.node, field.name)))
    return _nearest_breaking(field, "pattern", samples.missing(field.node.facts["pattern"], plain))


def _format(_maker: Maker, field: Field, _: Constraint) -> Any:
    form = formats.of_schema(field.node.facts)
    return _nearest_breaking(field, "format", list(form.near_misses) if form else [])


def _count(maker: Maker, field: Field, constraint: Constraint) -> Any:
    limit = _limit(field, constraint)
    count = limit - 1 if constraint.rule == "minItems" else limit + 1
    return list(maker.items(maker.reader.node(field.node.items or {}), count, field.name))


def _twice(maker: Maker, field: Field, _: Constraint) -> Any:
    item = maker.reader.node(field.node.items or {})
    one = maker.minimal(item, field.name)
    rest = list(maker.items(item, max(field.node.facts.get("minItems", 2), 2), field.name))
    return [one, one, *rest[2:]]


def _unexpected(maker: Maker, field: Field, _: Constraint) -> Any:
    return {**maker.minimal(field.node, field.name), "unexpected_member": "unexpected"}


def _of_wrong_type(_: Maker, field: Field, constraint: Constraint, nodes: list[Node] | None = None) -> Any:
    types = set(field.node.types)
    if nodes is not None:
        types = {t for n in nodes for t in n.types} if all(n.types for n in nodes) else set(ALL_TYPES)
    for value in WRONG:
        if broken(Node(types=tuple(sorted(types))), value) and (field.wire == "json" or isinstance(value, str)):
            return value
    raise HarnessError("no value has another type", expected=" or ".join(sorted(types)), where=constraint.kind)


def _of_no_branch(maker: Maker, field: Field, constraint: Constraint) -> Any:
    choice: Choice = constraint.argument
    return _of_wrong_type(maker, field, constraint, [maker.reader.node(branch) for branch in choice.branches])


def _unlisted(_maker: Maker, field: Field, _: Constraint) -> Any:
    return unlisted(field.node.facts)


def unlisted(facts: Mapping[str, Any]) -> Any:
    """Return a value close to the members of an enumeration that is none of them, not even in other case."""
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


def _nearest_breaking(field: Field, rule: str, candidates: list[Any]) -> Any:
    """Return the candidate that breaks this rule alone, else one that breaks it among others."""
    told = [(candidate, broken(field.node, candidate)) for candidate in candidates]
    for wanted in (1, 2, 3):
        for candidate, rules in told:
            if rule in rules and len(rules) <= wanted:
                return candidate
    raise HarnessError(f"nothing breaks {rule}", expected=str(field.node.facts), where=field.place)


BEYOND: dict[str, Rule] = {
    "null": lambda _maker, _field, _constraint: None,
    "type": _of_wrong_type,
    "oneOf": _of_no_branch,
    "anyOf": _of_no_branch,
    "enum": _unlisted,
    "const": _unlisted,
    "minimum": _bound,
    "maximum": _bound,
    "exclusiveMinimum": lambda _, field, constraint: _limit(field, constraint),
    "exclusiveMaximum": lambda _, field, constraint: _limit(field, constraint),
    "multipleOf": _step,
    "minLength": _length,
    "maxLength": _length,
    "pattern": _pattern,
    "format": _format,
    "named-format": _format,
    "minItems": _count,
    "maxItems": _count,
    "uniqueItems": _twice,
    "minProperties": lambda _maker, _field, _constraint: {},
    "additionalProperties": _unexpected,
}
