"""What a place of a request is held to, one constraint per requirement.

Read by the enumerator and by the planner alike.

A constraint may have two sides. `accepts`: some value shows that what is allowed is taken. `refuses`: some value breaks
this rule and, as far as a schema can be broken in one way, only this one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from telnyx_conformance.contract import formats
from telnyx_conformance.contract.nodes import Condition, Provenance

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from telnyx_conformance.contract.fields import Field
    from telnyx_conformance.contract.nodes import Choice, Node, Reader

BOUNDS = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf")
LENGTHS = ("minLength", "maxLength")
COUNTS = ("minItems", "maxItems")
# What a condition may ask of the value of a member, beyond that it be there.
NARROWING = ("const", "enum", "pattern", *BOUNDS, *LENGTHS, *COUNTS)
MEASURED = ("integer", "number", "boolean")


class Constraint(msgspec.Struct, frozen=True, kw_only=True):
    """One rule at one place.

    `kind` ends the requirement's id, `rule` names it in `KINDS`, `keyword` is where it stands in the schema.

    `argument` is the enum member, branch, or names the rule is about; `of_parent` says that the schema of the parent
    states it.
    """

    kind: str
    rule: str
    keyword: str
    accepts: bool = True
    refuses: bool = True
    argument: Any = None
    of_parent: bool = False
    origin: Provenance | None = None

    @property
    def made(self) -> Provenance | None:
        """Who put a condition or an alternative there; a place may have several, of different levels."""
        return self.argument[1].made if self.rule in ("required-if", "allowed-if", "narrowed") else self.origin


def constraints_of(reader: Reader, field: Field) -> tuple[Constraint, ...]:
    """Return what a place is held to, in a fixed order."""
    node = field.node
    found = [
        *_presence(field),
        *_types(reader, field, node),
        *_values(field, node),
        *_members(field, node),
        *_conditional(reader, field, node),
    ]
    if any(c.refuses for c in found):
        found.append(Constraint(kind="pointer", rule="pointer", keyword="", accepts=False, refuses=False))
        found.append(Constraint(kind="code", rule="code", keyword="", accepts=False, refuses=False))
    return tuple(found)


def _presence(field: Field) -> Iterator[Constraint]:
    if field.required and field.location != "path" and field.closed:
        yield Constraint(kind="required", rule="required", keyword="required", accepts=False, of_parent=True)


def _types(reader: Reader, field: Field, node: Node) -> Iterator[Constraint]:
    json = field.wire == "json"
    fixed = "enum" in node.facts or "const" in node.facts
    if node.choices:
        yield from _alternatives(reader, field, node)
        if json and field.closed and node.types and not node.inferred and _leave_the_type(reader, node):
            yield Constraint(kind="type", rule="type", keyword="type", accepts=False)
    elif fixed:
        pass
    elif json and node.types:
        yield Constraint(kind="type", rule="type", keyword="type", refuses=field.closed and not node.inferred)
    elif not json and node.types and set(node.types) <= {*MEASURED, "null"}:
        yield Constraint(
            kind="type", rule="type", keyword="type", refuses=field.closed, accepts=field.location != "path"
        )
    elif field.location != "path" and (field.path == () or field.path[-1] != 0):
        yield Constraint(kind="accepted", rule="accepted", keyword="type", refuses=False)
    if json and not (field.location == "body" and len(field.chain) == 1):
        if node.nullable:
            yield Constraint(kind="nullable", rule="nullable", keyword="type", refuses=False)
        elif field.closed and ((node.types and not node.inferred) or fixed):
            yield Constraint(kind="null", rule="null", keyword="type", accepts=False)


def _alternatives(reader: Reader, field: Field, node: Node) -> Iterator[Constraint]:
    for number, choice in enumerate(node.choices):
        again = any(earlier.keyword == choice.keyword for earlier in node.choices[:number])
        for name in reader.reachable(choice):
            yield Constraint(
                kind=f"{choice.keyword}={name}",
                rule="alternative",
                keyword=choice.keyword,
                refuses=False,
                argument=name,
                origin=choice.made,
            )
        if field.closed and missable(reader, choice, field.wire):
            kind = f"{choice.keyword}-{'+'.join(choice.names)}" if again else choice.keyword
            yield Constraint(
                kind=kind, rule=choice.keyword, keyword=choice.keyword, accepts=False, argument=choice,
                origin=choice.made,
            )  # fmt: skip


def _leave_the_type(reader: Reader, node: Node) -> bool:
    """Tell whether no alternative names a type, so that another one breaks what stands beside them alone."""
    return not any(reader.node(branch).types for choice in node.choices for branch in choice.branches)


def missable(reader: Reader, choice: Choice, wire: str) -> bool:
    """Tell whether it is known how to make a value that fits no branch.

    Another JSON type, or none of the demanded members.
    """
    nodes = [reader.node(branch) for branch in choice.branches]
    kinds = {t for n in nodes for t in n.types}
    if all(n.types for n in nodes):
        return wire == "json" and not ({"object", "string", "array"} <= kinds)
    return all(n.required for n in nodes)


def _values(field: Field, node: Node) -> Iterator[Constraint]:
    facts = node.facts
    takes = field.location != "path"
    if "const" in facts:
        yield Constraint(
            kind="const", rule="const", keyword="const", argument=facts["const"], refuses=field.closed, accepts=takes
        )
    elif "enum" in facts:
        members = [m for m in facts["enum"] if m is not None]
        if takes:
            for member in members:
                yield Constraint(
                    kind=f"enum={shown(member)}", rule="member", keyword="enum", refuses=False, argument=member
                )
        if field.closed and members:
            yield Constraint(kind="enum", rule="enum", keyword="enum", accepts=False)
        return
    yield from (_plain(field, key) for key in _applicable(field, node))
    form = formats.of_schema(facts) if "string" in node.types or not node.types else None
    if form is not None:
        keyword = "contentEncoding" if "contentEncoding" in facts else "format"
        yield Constraint(
            kind=keyword, rule="format" if form.standard else "named-format", keyword=keyword, argument=form.name,
            refuses=field.closed, accepts=takes,
        )  # fmt: skip


def _plain(field: Field, key: str) -> Constraint:
    shown_at_edge = not (
        key == "minLength" and formats.of_schema(field.node.facts)
    )  # the format may ask for more characters
    accepts = field.location != "path" and shown_at_edge
    return Constraint(kind=key, rule=key, keyword=key, refuses=field.closed, accepts=accepts)


def _applicable(field: Field, node: Node) -> Iterator[str]:
    facts, types = node.facts, node.types
    if "integer" in types or "number" in types:
        yield from (key for key in BOUNDS if key in facts)
    if "string" in types:
        yield from (key for key in LENGTHS if key in facts and not (key == "minLength" and facts[key] < 1))
        if "pattern" in facts:
            yield "pattern"
    if "array" in types:
        yield from (key for key in COUNTS if key in facts and not (key == "minItems" and facts[key] < _least(field)))
        if facts.get("uniqueItems"):
            yield "uniqueItems"
    if "object" in types and facts.get("minProperties", 0) > 0:
        yield "minProperties"


def _least(field: Field) -> int:
    """Return how many items a list must be asked to have before fewer can be sent: text cannot say an empty list."""
    return 1 if field.wire == "json" else 2


def _members(field: Field, node: Node) -> Iterator[Constraint]:
    if not field.closed:
        return
    for names in node.exclusive:
        if all(name in node.properties for name in names):
            yield Constraint(
                kind=f"exclusive={'+'.join(names)}",
                rule="exclusive",
                keyword="not",
                accepts=False,
                argument=tuple(names),
            )
    for name, needed in node.dependent.items():
        for other in needed:
            if name in node.properties and other in node.properties and other not in node.required:
                yield Constraint(
                    kind=f"dependentRequired={name}+{other}", rule="dependentRequired", keyword="dependentRequired",
                    argument=(name, other),
                )  # fmt: skip
    if node.additional is False:
        yield Constraint(
            kind="additionalProperties", rule="additionalProperties", keyword="additionalProperties", accepts=False
        )


def _conditional(reader: Reader, field: Field, node: Node) -> Iterator[Constraint]:
    if not field.closed:
        return
    for condition in (one for said in node.conditions for one in (said, *_opposite(said))):
        said = condition_of(condition)
        if said is None:
            continue
        words = "+".join(f"{name}={shown(values[0])}" for name, values in said.items())
        for needed in condition.then.get("required", ()):
            if needed in node.properties and needed not in node.required and needed not in said:
                yield Constraint(
                    kind=f"required={needed}-if-{words}", rule="required-if", keyword="if", argument=(needed, condition)
                )
        for name, part in condition.then.get("properties", {}).items():
            if name in node.properties and name not in said and restricts(reader.node(node.properties[name]), part):
                yield Constraint(
                    kind=f"allowed={name}-if-{words}", rule="allowed-if", keyword="if", argument=(name, condition),
                    accepts=False,
                )  # fmt: skip
            elif name in node.properties and name not in said:
                for keyword in (key for key in NARROWING if key in part):
                    yield Constraint(
                        kind=f"{keyword}={name}-if-{words}", rule="narrowed", keyword="if",
                        argument=(name, condition, keyword),
                    )  # fmt: skip


def _opposite(condition: Condition) -> Iterator[Condition]:
    """Yield what `else` says as a condition of its own, where the other case is one value: the other truth value."""
    said = condition_of(condition)
    if said is None or len(said) != 1 or not condition.otherwise:
        return
    [(name, values)] = said.items()
    if len(values) == 1 and isinstance(values[0], bool):
        test = {"properties": {name: {"const": not values[0]}}}
        yield Condition(test=test, then=condition.otherwise, otherwise={}, made=condition.made)


def restricts(node: Node, part: Mapping[str, Any]) -> bool:
    """Tell whether a condition leaves a member some of its values only, and it is known how to make another one."""
    words = {word for word in part if not word.startswith("x-")}
    if words == {"type"}:
        return part["type"] == "null" and bool(node.kind) and "const" not in node.facts
    return words in ({"const"}, {"enum"}) and bool(left_out(node, part))


def left_out(node: Node, part: Mapping[str, Any]) -> list[Any]:
    """Return the listed values of a member, or truth values, that a condition with `const` or `enum` leaves out."""
    values = node.facts.get("enum", [True, False] if node.kind == "boolean" else [])
    allowed = part.get("enum", [part.get("const")])
    return [value for value in values if value is not None and value not in allowed]


def condition_of(condition: Condition) -> Mapping[str, tuple[Any, ...]] | None:
    """Return the values that members must have for a condition to hold, `None` when it asks for anything else.

    Where it asks for a form rather than for values, its `examples` are the values to hold it with.
    """
    said: dict[str, tuple[Any, ...]] = {}
    for name, part in condition.test.get("properties", {}).items():
        if "const" in part:
            said[name] = (part["const"],)
        elif part.get("enum") or part.get("examples"):
            said[name] = tuple(part.get("enum") or part["examples"])
        else:
            return None
    if not said or set(condition.test) - {"properties", "required", "type"}:
        return None
    return said


def shown(value: Any) -> str:
    """Return an enum member or condition value as it stands in an id."""
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()
