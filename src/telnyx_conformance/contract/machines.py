"""State machines as data: `contracts/machines/*.yaml`. What the words mean is said in the README beside them.

The emulator's interpreter, the model of random programs and the diagrams in the documentation read these tables.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import msgspec

from telnyx_conformance.contract.files import contracts_folder, read_contract_file
from telnyx_conformance.errors import ContractError, nearest

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path


class Row(msgspec.Struct, frozen=True):
    """What follows a trigger in a state: the next state, facts that are set, then events, then effects."""

    next: str
    sets: Mapping[str, Any] = {}
    events: tuple[str, ...] = ()
    effects: tuple[str, ...] = ()


class RefusalRule(msgspec.Struct, frozen=True):
    """The error code of commands that have no row; no states or commands means any."""

    states: frozenset[str]
    commands: frozenset[str]
    code: str


class Machine(msgspec.Struct, frozen=True, kw_only=True):
    """One machine. `rows` maps (state, trigger) to what follows; what is absent is illegal.

    `begun_by` are the operations that begin an instance each time they are carried out, if no others do.
    """

    name: str
    claim: str
    source: str
    initial: str
    states: Mapping[str, str]
    final: frozenset[str]
    rows: Mapping[tuple[str, str], Row]
    refusals: tuple[RefusalRule, ...] = ()
    begun_by: frozenset[str] = frozenset()

    @property
    def commands(self) -> frozenset[str]:
        """The operations that some state takes."""
        return frozenset(trigger for _, trigger in self.rows if is_command(trigger))

    @property
    def happenings(self) -> frozenset[str]:
        """The triggers that are no commands."""
        return frozenset(trigger for _, trigger in self.rows if not is_command(trigger))

    @property
    def begins_with_a_command(self) -> bool:
        """Whether nothing but commands and an answer to them can begin an instance."""
        return any(state == self.initial and is_command(trigger) for state, trigger in self.rows)

    def silently_reached(self, state: str) -> frozenset[str]:
        """Return the states that an instance may be in after `state` without anybody having been told."""
        reached, seen = {state}, set[str]()
        while reached - seen:
            here = min(reached - seen)
            seen.add(here)
            reached |= {
                row.next for (at, t), row in self.rows.items() if at == here and not row.events and not is_command(t)
            }
        return frozenset(reached)

    def refusal_code(self, state: str, command: str) -> str:
        """Return the error code with which `command`, which has no row in `state`, is refused; empty if none is said."""
        for rule in self.refusals:
            if (not rule.states or state in rule.states) and (not rule.commands or command in rule.commands):
                return rule.code
        return ""


def is_command(trigger: str) -> bool:
    """Return whether a trigger is an operation: happenings are written in lower case only."""
    return trigger != trigger.lower()


@cache
def machine(name: str) -> Machine:
    """Return the machine of that name. Raises `ContractError` when there is none or its file is wrong."""
    return load_machine(contracts_folder() / "machines" / f"{name}.yaml")


def machines() -> Mapping[str, Machine]:
    """Return all machines by name."""
    return {file.stem: machine(file.stem) for file in sorted((contracts_folder() / "machines").glob("*.yaml"))}


def load_machine(file: Path) -> Machine:
    """Return what a file says. Raises `ContractError` for a word that nothing bears and for two rows of one place."""
    node = read_contract_file(file, "machines")
    return machine_of(file.stem, node, where=str(file))


def machine_of(name: str, node: Mapping[str, Any], *, where: str) -> Machine:
    """Return the machine that a document of the right form describes."""
    states, groups = node["states"], node.get("groups", {})
    for words in ([node["initial"]], node.get("final", ()), *groups.values()):
        _known(words, states, where)
    rows: dict[tuple[str, str], Row] = {}
    for item in node["rows"]:
        for state in _states(item["in"], states, groups, where):
            row = Row(
                next=item.get("next", state),
                sets=MappingProxyType(dict(item.get("sets", {}))),
                events=tuple(item.get("events", ())),
                effects=tuple(item.get("effects", ())),
            )
            _known([row.next], states, where)
            for trigger in _list(item["when"]):
                if (state, trigger) in rows:
                    raise ContractError("two rows for one state and trigger", got=f"{trigger} in {state}", where=where)
                rows[state, trigger] = row
    return Machine(
        name=name,
        claim=node["claim"],
        source=node["source"],
        initial=node["initial"],
        states=MappingProxyType(dict(states)),
        final=frozenset(node.get("final", ())),
        rows=MappingProxyType(rows),
        refusals=tuple(
            RefusalRule(
                frozenset(_states(item.get("in", []), states, groups, where)),
                frozenset(_list(item.get("when", []))),
                item["code"],
            )
            for item in node.get("refusals", ())
        ),
        begun_by=frozenset(node.get("begun_by", ())),
    )


def machine_problems(name: str, node: Mapping[str, Any], where: str) -> Iterator[ContractError]:
    """Yield what is wrong with a machine although its file satisfies the schema, for the linter."""
    try:
        found = machine_of(name, node, where=where)
    except ContractError as problem:
        yield problem
        return
    reached = {found.initial, *(row.next for row in found.rows.values())}
    for state in found.states:
        if state not in reached:
            yield ContractError("no row leads to this state", got=state, where=where)
        if (state in found.final) == any(at == state for at, _ in found.rows):
            expected = "no row from a final state, at least one from every other"
            yield ContractError("a state is final in name or in fact only", expected=expected, got=state, where=where)


def _states(words: Any, states: Mapping[str, str], groups: Mapping[str, Any], where: str) -> list[str]:
    found: list[str] = []
    for word in _list(words):
        members = groups.get(word, [word])
        _known(members, {**states, **groups}, where)
        found += [member for member in members if member not in found]
    return found


def _known(words: Iterable[str], known: Mapping[str, Any], where: str) -> None:
    for word in words:
        if word not in known:
            near = nearest(word, known)
            raise ContractError(
                "no such state in this machine",
                expected=", ".join(known),
                got=word,
                where=where,
                advice=f"did you mean {near}?" if near else "",
            )


def _list(words: Any) -> list[str]:
    return [words] if isinstance(words, str) else list(words)
