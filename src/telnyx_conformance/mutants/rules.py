"""Faults of validation: a rule not checked, off by one, or kept too well; a refusal that misleads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from telnyx_conformance.contract import formats
from telnyx_conformance.emulator.fault import Fault
from telnyx_conformance.emulator.refusals import Problem

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from telnyx_conformance.contract.constraints import Constraint
    from telnyx_conformance.contract.fields import Field
    from telnyx_conformance.contract.model import Operation
    from telnyx_conformance.emulator.account import Ask
    from telnyx_conformance.emulator.reply import Reply
    from telnyx_conformance.mutants.mutant import Mutant

# What validation calls the rules, where it has other names for them.
CALLED = {
    "named-format": {"format"}, "format": {"format"}, "null": {"null", "type", "enum", "const"},
    "exclusive": {"not"}, "dependentRequired": {"required", "dependentRequired"}, "required-if": {"required"},
    "additionalProperties": {"additionalProperties", "unevaluatedProperties"},
    "allowed-if": {"const", "enum", "type", "null"},
}  # fmt: skip
CONDITIONAL = frozenset({"required-if", "allowed-if", "narrowed"})
ALTERNATIVES = frozenset({"anyOf", "oneOf"})
NO_NUMBER = "99999"


def blamed(field: Field, constraint: Constraint) -> frozenset[str]:
    """Return the pointers at which validation may report that a rule at `field` is broken; every item counts as the first."""
    own = _plain(field.pointer)
    found = {own}
    if constraint.rule in ("exclusive", "dependentRequired"):
        found |= {f"{own}/{name}" for name in constraint.argument}
    if constraint.rule in CONDITIONAL:
        found.add(f"{own}/{constraint.argument[0]}")
    return frozenset(found)


def _plain(pointer: str) -> str:
    """Return a pointer with every index 0 and the root as nothing."""
    parts = ["0" if part.isdigit() else part for part in pointer.split("/")]
    return "/".join(parts).rstrip("/")


class _AtField(Fault):
    def __init__(self, operation: Operation, field: Field, constraints: tuple[Constraint, ...]) -> None:
        super().__init__()
        self._operation, self._field, self._constraints = operation, field, constraints
        self._parameter = field.parameter.name if field.parameter else ""
        self._pointers = frozenset[str]().union(*(blamed(field, c) for c in constraints))
        self._below = any(c.rule in {*ALTERNATIVES, "additionalProperties"} for c in constraints)

    def _is_here(self, problem: Problem) -> bool:
        if self._parameter:
            return problem.parameter == self._parameter
        if problem.parameter:
            return False
        at = _plain(problem.pointer)
        if at in self._pointers or (self._below and at.startswith(f"{_plain(self._field.pointer)}/")):
            return True
        within_alternative = self._field.within < len(self._field.chain)
        return within_alternative and problem.kind in ALTERNATIVES and _plain(self._field.pointer).startswith(at)

    def _values(self, ask: Ask) -> Iterator[Any]:
        """Yield what a request has at the place."""
        location, name = self._field.location, self._parameter
        if location == "body":
            roots = [ask.body] if ask.body is not None else []
        elif location == "query":
            roots = [ask.query[name]] if name in ask.query else []
        elif location == "path":
            roots = [ask.path[name]] if name in ask.path else []
        else:
            text = ask.headers.get(name.lower())
            roots = [] if text is None else [text]
        for key in self._field.path:
            roots = [part for root in roots for part in _step(root, key)]
        yield from roots


def branch_of(field: Field, constraint: Constraint) -> Mapping[str, Any]:
    """Return the schema of the alternative that a constraint is about; an empty one when there is none of that name."""
    for choice in field.node.choices:
        if choice.keyword == constraint.keyword and constraint.argument in choice.names:
            return choice.branches[choice.names.index(constraint.argument)]
    return {}


def _step(value: Any, key: str | int) -> list[Any]:
    if isinstance(key, int):
        return value if isinstance(value, list) else []
    return [value[key]] if isinstance(value, dict) and key in value else []


class RuleFault(_AtField):
    """One rule at one place, not kept or kept too well."""

    def __init__(self, mutant: Mutant, operation: Operation, field: Field, constraint: Constraint) -> None:
        super().__init__(operation, field, (constraint,))
        self._variant, self._constraint = mutant.variant, constraint
        rule = constraint.argument[2] if constraint.rule == "narrowed" else constraint.rule
        self._kinds = CALLED.get(rule, {rule})
        self.fits: Callable[[Any], bool] = lambda _: False  # whether a value fits the alternative that is refused
        self._limit: Any = field.node.facts.get(constraint.keyword)

    def problems(self, ask: Ask, found: list[Problem]) -> list[Problem]:
        """Drop the problems that the fault does not see, or add the one that it sees without reason."""
        if ask.operation.id != self._operation.id:
            return found
        if self._variant in ("refused", "edge-refused"):
            return self._refusing(ask, found)
        if self._variant == "beyond-accepted" and not any(map(self._is_just_beyond, self._values(ask))):
            return found
        kept = [problem for problem in found if not self._is_overlooked(problem)]
        if len(kept) != len(found):
            self.bites()
        return kept

    def _is_overlooked(self, problem: Problem) -> bool:
        if not self._is_here(problem):
            return False
        return problem.kind in self._kinds or self._constraint.rule in ALTERNATIVES or problem.kind in ALTERNATIVES

    def _refusing(self, ask: Ask, found: list[Problem]) -> list[Problem]:
        refuses = self._is_edge if self._variant == "edge-refused" else self._is_refused
        if not any(map(refuses, self._values(ask))):
            return found
        self.bites()
        kind = (
            next(iter(self._kinds))
            if self._constraint.rule not in (*ALTERNATIVES, "accepted", "member", "nullable", "alternative")
            else "type"
        )
        where = {"parameter": self._parameter} if self._parameter else {"pointer": self._field.pointer or "/"}
        return [*found, Problem(kind=kind, detail="This value is not taken.", **where)]

    def _is_refused(self, value: Any) -> bool:
        if self._constraint.rule == "alternative":
            return self.fits(value)
        if self._constraint.rule == "member":
            return _same(value, self._constraint.argument)
        return (value is None) == (self._constraint.rule == "nullable")

    def _is_edge(self, value: Any) -> bool:
        keyword = self._constraint.keyword
        if keyword in ("minimum", "maximum"):
            return _is_number(value) and value == self._limit
        size = _size(value, keyword)
        if size is None:
            return False
        shorter = 3 if keyword == "maxLength" and formats.of_schema(self._field.node.facts) else 0
        return bool(self._limit - shorter <= size <= self._limit)

    def _is_just_beyond(self, value: Any) -> bool:
        keyword, outward = self._constraint.keyword, -1 if self._constraint.keyword.startswith("min") else 1
        if keyword in ("minimum", "maximum"):
            return _is_number(value) and 0 < (value - self._limit) * outward <= 1
        size = _size(value, keyword)
        # Some formats come in steps: a text of base64 is four characters longer or none.
        step = 4 if keyword.endswith("Length") and formats.of_schema(self._field.node.facts) else 1
        return size is not None and 0 < (size - self._limit) * outward <= step


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _size(value: Any, keyword: str) -> int | None:
    wanted = str if keyword.endswith("Length") else list
    return len(value) if isinstance(value, wanted) else None


def _same(value: Any, member: Any) -> bool:
    if isinstance(value, str) and not isinstance(member, str):
        return value == msgspec.json.encode(member).decode()
    return bool(value == member) and isinstance(value, bool) == isinstance(member, bool)


class WordingFault(_AtField):
    """Refusals because of one place name another culprit, or another code, or none."""

    def __init__(self, mutant: Mutant, operation: Operation, field: Field, held: tuple[Constraint, ...]) -> None:
        super().__init__(operation, field, held)
        self._kind, self._variant = mutant.kind, mutant.variant
        self._is_about_me = False

    def problems(self, ask: Ask, found: list[Problem]) -> list[Problem]:
        """Take note whether this refusal is about the place."""
        self._is_about_me = ask.operation.id == self._operation.id and any(map(self._is_here, found))
        return found

    def answered(self, operation: Operation, reply: Reply) -> Reply:
        """Reword it."""
        if not self._is_about_me or operation.id != self._operation.id:
            return reply
        self._is_about_me = False
        self.bites()
        said = msgspec.json.decode(reply.body)
        for entry in said["errors"]:
            if self._kind == "code":
                entry.pop("code") if self._variant == "missing" else entry.update(code=NO_NUMBER)
            elif self._variant == "missing":
                entry.pop("source", None)
            else:
                entry["source"] = {"parameter": "elsewhere"} if self._parameter else {"pointer": "/else/where"}
        body = msgspec.json.encode(said)
        return msgspec.structs.replace(reply, body=body, headers=with_length(reply.headers, body))


def with_length(headers: list[tuple[bytes, bytes]], body: bytes) -> list[tuple[bytes, bytes]]:
    """Return headers that announce the length of `body`."""
    return [*(row for row in headers if row[0] != b"content-length"), (b"content-length", b"%d" % len(body))]
