"""Request schemas made plain: references followed, `allOf` merged, read-only fields left out, alternatives named.

JSON Schema lets one fact stand in many ways; requirements and probes need it in one. A `Node` is what is true of one
place of a request. Source: JSON Schema 2020-12 core, section 10 (applicators); OpenAPI 3.1 Schema Object (`readOnly`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal

import msgspec

from telnyx_conformance.contract.model import Edition, Level, Schema

SCALAR_KEYWORDS = (
    "const", "enum", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf",
    "minLength", "maxLength",
    "pattern", "format", "contentEncoding", "minItems", "maxItems", "uniqueItems", "minProperties", "maxProperties",
    "default", "examples",
)  # fmt: skip
TIGHTER: dict[str, Any] = {
    "minimum": max, "exclusiveMinimum": max, "minLength": max, "minItems": max, "minProperties": max,
    "maximum": min, "exclusiveMaximum": min, "maxLength": min, "maxItems": min, "maxProperties": min,
}  # fmt: skip
ALL_TYPES = ("object", "array", "string", "integer", "number", "boolean", "null")


class Provenance(msgspec.Struct, frozen=True):
    """Who put a keyword there, and how binding it is."""

    source: str
    level: Level


class Choice(msgspec.Struct, frozen=True, kw_only=True):
    """Alternatives.

    The value fits exactly one (`oneOf`) or at least one (`anyOf`) of the branches, which are named in `names`.
    """

    keyword: Literal["oneOf", "anyOf"]
    branches: tuple[dict[str, Any], ...]
    names: tuple[str, ...]
    made: Provenance | None = None


class Condition(msgspec.Struct, frozen=True, kw_only=True):
    """`if`, `then`, `else` of a schema; an absent part is an empty schema."""

    test: dict[str, Any]
    then: dict[str, Any]
    otherwise: dict[str, Any]
    made: Provenance | None = None


class Node(msgspec.Struct, frozen=True, kw_only=True):
    """What holds at one place: JSON types (none named.

    Any), plain keywords, members, alternatives, and rules between members.

    `inferred` says that the schema names no type and has members; then nothing but an object is meant, yet another type
    breaks no keyword. `wrapped` says that all of it stands in the only branch of an alternative, which a validator
    reports as a whole.
    """

    types: tuple[str, ...] = ()
    facts: dict[str, Any] = {}
    properties: dict[str, dict[str, Any]] = {}
    required: tuple[str, ...] = ()
    items: dict[str, Any] | None = None
    additional: dict[str, Any] | bool | None = None
    choices: tuple[Choice, ...] = ()
    exclusive: tuple[tuple[str, ...], ...] = ()
    dependent: dict[str, tuple[str, ...]] = {}
    conditions: tuple[Condition, ...] = ()
    provenance: dict[str, Provenance] = {}
    inferred: bool = False
    wrapped: bool = False

    @property
    def nullable(self) -> bool:
        """Whether null is a value by the schema's own words."""
        return "null" in self.types or None in self.facts.get("enum", ())

    @property
    def kind(self) -> str:
        """The JSON type of an ordinary value, empty when the schema names none."""
        return next((t for t in self.types if t != "null"), "")

    def level(self, keyword: str, default: Level) -> Level:
        """Return how binding a keyword is: as hardened, else `default`."""
        made = self.provenance.get(keyword)
        return made.level if made else default

    def source(self, keyword: str) -> str:
        """Return where a keyword stands."""
        made = self.provenance.get(keyword)
        return made.source if made else "schema"


class Reader:
    """Reads nodes of one edition; those of shared schemas are kept, because hundreds of operations refer to them."""

    def __init__(self, edition: Edition) -> None:
        self.edition = edition
        self._kept: dict[str, Node] = {}

    def node(self, schema: Schema) -> Node:
        """Return what holds where `schema` applies."""
        reference = schema.get("$ref")
        if len(schema) == 1 and reference is not None:
            if reference not in self._kept:
                self._kept[reference] = self._read(self.edition.resolve(schema))
            return self._kept[reference]
        return self._read(self.edition.resolve(schema))

    def is_read_only(self, schema: Schema) -> bool:
        """Tell whether a client does not send this field."""
        resolved = self.edition.resolve(schema)
        return bool(resolved.get("readOnly")) or any(self.is_read_only(part) for part in resolved.get("allOf", ()))

    def _read(self, schema: Mapping[str, Any]) -> Node:
        node = self._own(schema)
        marks = _provenance(schema)
        for part in schema.get("allOf", ()):
            read = self.node(part)
            inherited = marks.get("allOf")
            if inherited is not None:
                read = msgspec.structs.replace(
                    read, provenance={**dict.fromkeys(_said(read), inherited), **read.provenance}
                )
            node = self.merge(node, read)
        for keyword in ("oneOf", "anyOf"):
            if keyword in schema:
                node = self._with_alternatives(node, keyword, schema)
        hidden = {name for name, part in node.properties.items() if self.is_read_only(part)}
        if hidden:
            node = msgspec.structs.replace(
                node,
                properties={name: part for name, part in node.properties.items() if name not in hidden},
                required=tuple(name for name in node.required if name not in hidden),
            )
        return node

    def _own(self, schema: Mapping[str, Any]) -> Node:
        named = schema.get("type", ())
        types = (named,) if isinstance(named, str) else tuple(named)
        inferred = not types and ("properties" in schema or "additionalProperties" in schema)
        return Node(
            types=("object",) if inferred else types,
            inferred=inferred,
            facts={key: schema[key] for key in SCALAR_KEYWORDS if key in schema},
            properties=dict(schema.get("properties", {})),
            required=tuple(schema.get("required", ())),
            items=schema.get("items"),
            additional=schema.get("additionalProperties"),
            exclusive=_exclusive(schema.get("not")),
            dependent={name: tuple(needed) for name, needed in schema.get("dependentRequired", {}).items()},
            conditions=_conditions(schema),
            provenance=_provenance(schema),
        )

    def _with_alternatives(self, node: Node, keyword: Any, schema: Mapping[str, Any]) -> Node:
        branches = [branch for branch in schema[keyword] if self.edition.resolve(branch).get("type") != "null"]
        nullable = len(branches) < len(schema[keyword])
        if len(branches) == 1:
            only = self.node(branches[0])
            if nullable and only.types and "null" not in only.types:
                only = msgspec.structs.replace(only, types=(*only.types, "null"))
            return msgspec.structs.replace(self.merge(node, only), wrapped=True)
        names = self._names(branches, schema.get("discriminator"))
        made = _provenance(schema).get(keyword)
        choice = Choice(keyword=keyword, branches=tuple(dict(b) for b in branches), names=names, made=made)
        return msgspec.structs.replace(node, choices=(*node.choices, choice))

    def _names(self, branches: list[dict[str, Any]], discriminator: Mapping[str, Any] | None) -> tuple[str, ...]:
        """Return a readable, permanent name for each branch.

        By discriminator, reference, type, required fields, or format.
        """
        mapped = {ref: value for value, ref in (discriminator or {}).get("mapping", {}).items()}
        names: list[str] = []
        for number, branch in enumerate(branches):
            reference = branch.get("$ref", "")
            node = self.node(branch)
            facts = node.facts
            words = [
                mapped.get(reference, ""),
                reference.rpartition("/")[2],
                "+".join(node.required) if not node.properties or node.required else "",
                str(facts["const"]) if "const" in facts else "",
                str(facts.get("format", "")),
                node.kind,
                f"branch{number}",
            ]
            names.append(next((w for w in words if w and w not in names), f"branch{number}"))
        return tuple(names)

    def merge(self, one: Node, other: Node) -> Node:
        """Return what holds where both hold."""
        facts = dict(one.facts)
        for key, value in other.facts.items():
            facts[key] = _both(key, facts[key], value) if key in facts else value
        properties = dict(one.properties)
        for name, part in other.properties.items():
            properties[name] = (
                {"allOf": [properties[name], part]} if name in properties and properties[name] != part else part
            )
        if one.items is not None and other.items is not None and one.items != other.items:
            items: dict[str, Any] | None = {"allOf": [one.items, other.items]}
        else:
            items = one.items if one.items is not None else other.items
        dependent = dict(one.dependent)
        for name, needed in other.dependent.items():
            dependent[name] = tuple(dict.fromkeys((*dependent.get(name, ()), *needed)))
        return Node(
            types=_common_types(one.types, other.types),
            facts=facts,
            properties=properties,
            required=tuple(dict.fromkeys((*one.required, *other.required))),
            items=items,
            additional=one.additional if one.additional not in (None, True) else other.additional,
            choices=(*one.choices, *other.choices),
            exclusive=tuple(dict.fromkeys((*one.exclusive, *other.exclusive))),
            dependent=dependent,
            conditions=(*one.conditions, *other.conditions),
            provenance={**one.provenance, **other.provenance},
            inferred=(one.inferred or not one.types) and (other.inferred or not other.types),
            wrapped=one.wrapped or other.wrapped,
        )

    def chosen(self, node: Node, choice: int, branch: int) -> Node:
        """Return the node with one of its choices made."""
        made = node.choices[choice]
        rest = msgspec.structs.replace(node, choices=(*node.choices[:choice], *node.choices[choice + 1 :]))
        return self.merge(rest, self.node(made.branches[branch]))

    def separate(self, choice: Choice) -> bool:
        """Tell whether no value fits two branches: they differ in JSON type, or in a required field of fixed values."""
        nodes = [self.node(branch) for branch in choice.branches]
        kinds = [frozenset(n.types or ALL_TYPES) for n in nodes]
        if _disjoint(kinds):
            return True
        shared = set(nodes[0].required).intersection(*(n.required for n in nodes[1:]))
        return any(_disjoint([self._fixed(n, name) for n in nodes]) for name in sorted(shared))

    def reachable(self, choice: Choice) -> tuple[str, ...]:
        """Return the names of the branches that some value fits as the choice asks.

        Where branches of `oneOf` overlap, a value fits exactly one only if each other branch demands a member that it
        lacks.
        """
        if choice.keyword == "anyOf" or self.separate(choice):
            return choice.names
        nodes = [self.node(branch) for branch in choice.branches]
        return tuple(
            name
            for number, name in enumerate(choice.names)
            if all(set(other.required) - set(nodes[number].required) for n, other in enumerate(nodes) if n != number)
        )

    def _fixed(self, node: Node, name: str) -> frozenset[Any]:
        facts = self.node(node.properties.get(name, {})).facts
        values = [facts["const"]] if "const" in facts else facts.get("enum", ())
        return frozenset(v for v in values if isinstance(v, str | int | bool))


def _disjoint(sets: list[frozenset[Any]]) -> bool:
    return all(sets) and len(frozenset().union(*sets)) == sum(map(len, sets))


def _said(node: Node) -> tuple[str, ...]:
    """Return the keywords that a node carries, to be attributed as a whole."""
    names = [*node.facts]
    names += ["not"] if node.exclusive else []
    names += ["dependentRequired"] if node.dependent else []
    names += ["if"] if node.conditions else []
    names += ["required"] if node.required else []
    return (*names, *(choice.keyword for choice in node.choices))


def _provenance(schema: Mapping[str, Any]) -> dict[str, Provenance]:
    return {key: Provenance(row["source"], row["level"]) for key, row in schema.get("x-hardened", {}).items()}


def _exclusive(forbidden: Any) -> tuple[tuple[str, ...], ...]:
    """Return the sets of members that may not stand together, from `not: {required: […]}` and `not: {anyOf.

    [{required: […]}, …]}`.
    """
    if not isinstance(forbidden, Mapping):
        return ()
    parts: Iterable[Any] = forbidden.get("anyOf", (forbidden,))
    return tuple(tuple(part["required"]) for part in parts if len(part.get("required", ())) > 1 and len(part) == 1)


def _conditions(schema: Mapping[str, Any]) -> tuple[Condition, ...]:
    if "if" not in schema:
        return ()
    made = _provenance(schema).get("if")
    return (Condition(test=schema["if"], then=schema.get("then", {}), otherwise=schema.get("else", {}), made=made),)


def _common_types(one: tuple[str, ...], other: tuple[str, ...]) -> tuple[str, ...]:
    if not one or not other:
        return one or other
    kept = tuple(t for t in one if t in other or (t == "integer" and "number" in other))
    return kept or other


def _both(key: str, one: Any, other: Any) -> Any:
    if key in TIGHTER:
        return TIGHTER[key](one, other)
    if key == "enum":
        return [value for value in one if value in other]
    if key == "examples":
        return [*other, *(value for value in one if value not in other)]
    return other


_READERS: dict[int, Reader] = {}


def reader_of(edition: Edition) -> Reader:
    """Return the reader of an edition; it is kept, together with the edition, for the four editions used last."""
    kept = _READERS.get(id(edition))
    if kept is None or kept.edition is not edition:
        while len(_READERS) >= 4:  # noqa: PLR2004 - the loader keeps as many editions
            _READERS.pop(next(iter(_READERS)))
        kept = _READERS[id(edition)] = Reader(edition)
    return kept
