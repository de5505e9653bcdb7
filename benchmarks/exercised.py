"""Which requirements a request exercises: the definition that the comparison with Schemathesis rests on.

A requirement on a place of a request (a constraint of class `requests`) has up to two sides.

- refused side: the request breaks this rule and no other, judged by the validators of the hardened contract. A value of
  the wrong type breaks its type: what else is said of a place is said of values of its type.
- accepted side: the request is valid, and its value at the place is what the rule is about: exactly the bound, length or
  count; the member; the alternative; null where null is allowed; any value for type, pattern and format; a member that
  demands another, or the values that make a condition hold. Inside a bound that is exclusive, the nearest whole number.

A request with another method, another content type or a body that cannot be read exercises none of them. The same
definition judges our probes and everybody else's requests, from the bytes that were sent.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wire import ABSENT, Root, Sent, read

from telnyx_conformance.contract.constraints import Constraint, condition_of, constraints_of
from telnyx_conformance.contract.fields import ANY_KEY, Field, fields_of
from telnyx_conformance.contract.nodes import reader_of
from telnyx_conformance.contract.requirements import conformance_class, field_id
from telnyx_conformance.contract.validators import Validator, compiled
from telnyx_conformance.plan.boundaries import SHORTER
from telnyx_conformance.plan.selfcheck import REPORTED

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from telnyx_conformance.contract.model import Edition, Operation

Side = tuple[str, str]  # requirement id, and `accepted` or `refused`
Path = tuple[Any, ...]
Row = tuple[Path, str, str]  # where, by which keyword, which member
Broken = tuple[Root, Path, str, str]
DEEPEST = 5  # alternatives within alternatives


class Judge:
    """Tells for one operation what a request exercises."""

    def __init__(self, edition: Edition, operation: Operation) -> None:
        self._edition, self._operation = edition, operation
        self._reader = reader_of(edition)
        self._validators: dict[int, Validator] = {}
        self.held = [
            (field, constraint)
            for field in (fields_of(edition, operation) if operation.server == "api" else ())
            if conformance_class(field) == "requests"
            for constraint in constraints_of(self._reader, field)
            if constraint.accepts or constraint.refuses
        ]
        self.sources = {self._id(f, c): _source(f, c) for f, c in self.held}
        self.sides: set[Side] = {
            (self._id(f, c), side)
            for f, c in self.held
            for side, has in (("accepted", c.accepts), ("refused", c.refuses))
            if has
        }

    def exercised(self, sent: Sent) -> set[Side]:
        """Return the sides of requirements that a request exercises."""
        roots = read(self._edition, self._operation, sent)
        if roots is None:
            return set()
        try:
            readings = self._readings(roots)
        except ValueError:  # nested deeper than a validator goes
            return set()
        if not readings:
            return {(self._id(f, c), "accepted") for f, c in self.held if c.accepts and self._shows(f, c, roots)}
        single = [broken for broken in readings if len({(root, path) for root, path, _, _ in broken}) == 1]
        return {
            (self._id(f, c), "refused")
            for f, c in self.held
            if c.refuses and any(self._breaks(f, c, broken, roots) for broken in single)
        }

    def touched(self, sent: Sent) -> set[Side]:
        """Return the limits at which, or beyond which, a request has a value, whatever else is wrong with it."""
        roots = read(self._edition, self._operation, sent) or {}
        found: set[Side] = set()
        for field, constraint in self.held:
            if constraint.rule in BEYOND:
                limit = field.node.facts[constraint.keyword]
                for value in _values(roots.get(_root(field), ABSENT), field.path):
                    size = value if _is_number(value) else len(value) if isinstance(value, str | list) else None
                    if size is None or isinstance(value, str) != constraint.rule.endswith("Length"):
                        continue
                    if size == limit:
                        found.add((self._id(field, constraint), "accepted"))
                    elif BEYOND[constraint.rule](size, limit):
                        found.add((self._id(field, constraint), "refused"))
        return found

    def _id(self, field: Field, constraint: Constraint) -> str:
        return field_id(self._operation, field, constraint.kind)

    def _schema(self, root: Root) -> dict[str, Any]:
        location, name = root
        if location == "body" and self._operation.body is not None:
            return self._operation.body.content[self._operation.body.media_type]
        return next((p.schema for p in self._operation.parameters_in(location) if p.name == name), {})

    def _validator(self, schema: dict[str, Any]) -> Validator:
        if id(schema) not in self._validators:
            self._validators[id(schema)] = compiled(self._edition.document, schema, "request")
        return self._validators[id(schema)]

    def _readings(self, roots: Mapping[Root, Any]) -> list[list[Broken]]:
        """Return what is wrong with a request, once for each way to read it; none when it is valid."""
        wrong = {root: self._errors(root, value) for root, value in roots.items()}
        wrong = {root: errors for root, errors in wrong.items() if errors}
        missing = list(self._missing(roots))
        if len(wrong) == 1 and not missing:
            (root, errors) = next(iter(wrong.items()))
            return [[(root, *row) for row in rows] for rows in _together(errors, 0)]
        plain = [(root, *row) for root, errors in wrong.items() for rows in _together(errors, DEEPEST) for row in rows]
        return [[*missing, *plain]] if missing or plain else []

    def _errors(self, root: Root, value: Any) -> list[Any]:
        schema = self._schema(root)
        return list(self._validator(schema).iter_errors(value)) if schema else []

    def _missing(self, roots: Mapping[Root, Any]) -> Iterator[Broken]:
        for parameter in self._operation.parameters:
            if parameter.required and parameter.location in ("query", "path"):
                root = (parameter.location, parameter.name)
                if root not in roots:
                    yield root, (), "required", ""
        if self._operation.body is not None and self._operation.body.required and ("body", "") not in roots:
            yield ("body", ""), (), "required", ""

    def _breaks(self, field: Field, constraint: Constraint, broken: list[Broken], roots: Mapping[Root, Any]) -> bool:
        root, path = broken[0][0], broken[0][1]
        if root != _root(field):
            return False
        of_parent = constraint.rule == "required" and len(field.chain) > 1
        if not _is_at(field.path[:-1] if of_parent else field.path, path):
            return False
        keywords = {keyword for _, _, keyword, _ in broken}
        if "type" in keywords and constraint.rule == "type":
            keywords = {"type"}
        if not keywords <= _reported(field, constraint):
            return False
        value = _value(roots.get(root, ABSENT), path)
        return _fits(field, constraint, value, {member for _, _, _, member in broken})

    def _shows(self, field: Field, constraint: Constraint, roots: Mapping[Root, Any]) -> bool:
        return any(
            self._is_edge(field, constraint, value) for value in _values(roots.get(_root(field), ABSENT), field.path)
        )

    def _is_edge(self, field: Field, constraint: Constraint, value: Any) -> bool:
        if value is None or constraint.rule == "nullable":
            return value is None and constraint.rule == "nullable"
        if constraint.rule == "alternative":
            choices = (c for c in field.node.choices if c.keyword == constraint.keyword)
            named = (
                b for c in choices for b, name in zip(c.branches, c.names, strict=True) if name == constraint.argument
            )
            return any(self._validator(branch).is_valid(value) for branch in named)
        shows = EDGES.get(constraint.rule)  # what has none is shown by any valid value
        about = field.node.facts.get(constraint.keyword) if constraint.argument is None else constraint.argument
        return shows is None or bool(shows(value, about))


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_near(value: Any, limit: Any) -> bool:
    return _is_number(value) and abs(value - limit) <= 1


def _is_long(value: Any, limit: Any) -> bool:
    # base64 comes in fours: its longest valid text may be up to three characters shorter than the limit
    return isinstance(value, str) and len(value) in {limit - less for less in SHORTER}


def _same(one: Any, other: Any) -> bool:
    return bool(one == other) and isinstance(one, bool) == isinstance(other, bool)


def _holds(value: Any, argument: Any) -> bool:
    wanted = condition_of(argument[1]) or {}
    return isinstance(value, dict) and all(value.get(name) in values for name, values in wanted.items())


EDGES: dict[str, Any] = {
    "member": _same,
    "const": _same,
    "dependentRequired": lambda value, names: isinstance(value, dict) and names[0] in value,
    "required-if": _holds,
    "minimum": lambda value, limit: _is_number(value) and value == limit,
    "maximum": lambda value, limit: _is_number(value) and value == limit,
    "exclusiveMinimum": _is_near,
    "exclusiveMaximum": _is_near,
    "minLength": lambda value, limit: isinstance(value, str) and len(value) == limit,
    "maxLength": _is_long,
    "minItems": lambda value, limit: isinstance(value, list) and len(value) == limit,
    "maxItems": lambda value, limit: isinstance(value, list) and len(value) == limit,
    "uniqueItems": lambda value, _: isinstance(value, list) and len(value) > 1,
    "minProperties": lambda value, limit: isinstance(value, dict) and len(value) == limit,
}


def _reported(field: Field, constraint: Constraint) -> set[str]:
    """Return the keywords by which a validator may report a rule; within alternatives it may report those as a whole."""
    own = REPORTED.get(constraint.rule, REPORTED.get(constraint.keyword, (constraint.keyword,)))
    within = any(link.branch or link.node.wrapped for link in field.chain)
    return {*own, "oneOf", "anyOf"} if within and constraint.rule in ("type", "null", "enum", "const") else set(own)


BEYOND: dict[str, Any] = {
    **dict.fromkeys(("minimum", "minLength", "minItems"), lambda size, limit: size < limit),
    **dict.fromkeys(("maximum", "maxLength", "maxItems"), lambda size, limit: size > limit),
}


def _fits(field: Field, constraint: Constraint, value: Any, members: set[str]) -> bool:
    """Tell whether what was broken with the right keyword at the right place is this very rule."""
    name = constraint.argument
    said = {
        "null": value is None,
        "type": value is not None,
        "enum": value is not None,
        "const": value is not None,
        "required": len(field.chain) == 1 or members == {field.path[-1]},
        "required-if": members == {name[0]} and name[0] not in field.node.required
        if isinstance(name, tuple)
        else False,
    }
    if constraint.rule in said:
        return said[constraint.rule]
    if constraint.rule == "exclusive":
        return isinstance(value, dict) and all(one in value for one in name)
    if constraint.rule == "dependentRequired":
        return isinstance(value, dict) and name[0] in value and members <= {name[1], ""}
    return True


def _readings(error: Any, depth: int = 0) -> Iterator[list[Row]]:
    """Yield what an error says, as rows of (path, keyword, member); within alternatives, once for each that may be meant.

    An alternative may be meant when the value has its type.
    """
    name = str(error.kind.name)
    path = tuple(error.instance_path)
    if not name.startswith(("anyOf", "oneOf")):
        keyword = "additionalProperties" if name in ("falseSchema", "unevaluatedProperties") else name
        yield [(path, keyword, str(error.kind.property) if name == "required" else "")]
        return
    yield [(path, name[:5], "")]
    for branch in (list(branch) for branch in getattr(error.kind, "context", [])) if depth < DEEPEST else ():
        if not any(inner.kind.name == "type" and tuple(inner.instance_path) == path for inner in branch):
            yield from _together(branch, depth + 1)


def _together(errors: list[Any], depth: int) -> Iterator[list[Row]]:
    """Yield the readings of errors that stand side by side: each reading of one alone, the plainest of several."""
    if len(errors) == 1:
        yield from _readings(errors[0], depth)
    elif errors:
        yield [row for error in errors for row in next(_readings(error, depth))]


def _source(field: Field, constraint: Constraint) -> str:
    holder = field.chain[-2].node if constraint.of_parent and len(field.chain) > 1 else field.node
    return holder.source(constraint.keyword)


def _root(field: Field) -> Root:
    return field.location, field.parameter.name if field.parameter else ""


def _is_at(asked: Path, path: Path) -> bool:
    """Tell whether a path is that of a place: any item is an item, any key of a map its key."""
    if len(asked) != len(path):
        return False
    return all(
        isinstance(key, int) if one == 0 and isinstance(one, int) else one in (key, ANY_KEY)
        for one, key in zip(asked, path, strict=True)
    )


def _value(root: Any, path: Path) -> Any:
    value = root
    for key in path:
        try:
            value = value[key]
        except (KeyError, IndexError, TypeError):
            return ABSENT
    return value


def _values(root: Any, path: Path) -> Iterator[Any]:
    """Yield every value at a place."""
    if root is ABSENT:
        return
    if not path:
        yield root
        return
    key, rest = path[0], path[1:]
    if isinstance(key, int):
        for item in root if isinstance(root, list) else ():
            yield from _values(item, rest)
    elif isinstance(root, dict):
        if key in root:
            yield from _values(root[key], rest)
        elif key == ANY_KEY:
            for item in root.values():
                yield from _values(item, rest)
