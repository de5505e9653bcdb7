"""Which statement of a sequence contract speaks of a command in a state: read off the contract, by its steps and the tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from telnyx_conformance.contract.machines import machine
from telnyx_conformance.contract.model_requirements import CREATE, JOIN, LEAVE
from telnyx_conformance.contract.sequence import Send, Symbol
from telnyx_conformance.contract.sequence_requirements import constraints

if TYPE_CHECKING:
    from collections.abc import Iterator

    from telnyx_conformance.contract.sequence import Sequence, Step

GIVEN = {"parked": "parked", "ringing": "dialling", "answered": "answered", "ended": "ended"}
"""The states of the leg's machine that the situations of sequences are."""

BRIDGE, CONFERENCE_ID = "BridgeCall", "id"


class Spoken(msgspec.Struct, frozen=True):
    """A statement: in `state` of `machine`, `command` is taken or refused as the table says."""

    machine: str
    state: str
    command: str
    requirement: str


def spoken(sequence: Sequence) -> Iterator[Spoken]:
    """Yield what the binding statements of a sequence say of commands in states that its steps lead to for certain."""
    bound = {
        one.place.partition(".")[2].removeprefix(f"{sequence.name}."): one.id
        for one in constraints(sequence)
        if one.kind in ("accepted", "refused") and one.level != "MAY"
    }
    walk = _Walk(sequence)
    for step in sequence.prepare:
        walk.take(step)
    for step in sequence.steps:
        if isinstance(step, Send) and step.name in bound:
            yield from (
                Spoken(name, state, step.operation, bound[step.name])
                for name, state in walk.looked_up(step)
                if _is_of_the_table(name, state, step)
            )
        walk.take(step)


def _is_of_the_table(name: str, state: str, step: Send) -> bool:
    """Whether it is the table that takes or refuses a command, and not something else that is wrong with it."""
    table = machine(name)
    if (state, step.operation) in table.rows:
        return step.refused is None
    code = table.refusal_code(state, step.operation)
    return step.refused is not None and step.refused.code in {"", code}


class _Walk:
    """The states of a sequence's legs, and of its conference if it has but one, as far as commands alone move them."""

    def __init__(self, sequence: Sequence) -> None:
        self._leg = machine("leg")
        self._states = {given.leg: GIVEN[given.state] for given in sequence.given}
        created = [s for s in sequence.every_step if isinstance(s, Send) and s.operation == CREATE]
        self._has_one = len(created) == 1
        self._conference, self._members = "", set[str]()

    def looked_up(self, step: Send) -> Iterator[tuple[str, str]]:
        """Yield the machines in which a command is looked up, each with the state it is in; the first that refuses is last."""
        if self._conference and CONFERENCE_ID in step.path:
            yield "conference", self._conference
            if (self._conference, step.operation) not in machine("conference").rows:
                return
        state = self._states.get(_addressed(step), "")
        if state and step.operation in self._leg.commands:
            yield "leg", state

    def take(self, step: Step) -> None:
        """Go on by one step. After anything but a command nothing is certain any more."""
        if not isinstance(step, Send):
            self._states, self._conference = {}, ""
            return
        leg = _addressed(step)
        row = self._leg.rows.get((self._states.get(leg, ""), step.operation))
        if step.refused is not None or row is None:
            return
        if row.next != self._states[leg] or step.operation == BRIDGE:
            self._states = {name: state for name, state in self._states.items() if state != "bridged"}
        self._states[leg] = row.next
        other = step.request.get("call_control_id")
        if step.operation == BRIDGE:
            self._states.pop(leg)
            if isinstance(other, Symbol) and other.kind == "leg":
                self._states |= {leg: "bridged", other.name: "bridged"}
        self._confer(step, leg)

    def _confer(self, step: Send, leg: str) -> None:
        if step.operation == CREATE and self._has_one:
            started = step.request.get("start_conference_on_create", True)
            self._conference, self._members = "in_progress" if started else "init", {leg}
        elif step.operation == JOIN:
            self._members.add(leg)
            self._conference = self._conference and "in_progress"
        elif step.operation == LEAVE:
            self._members.discard(leg)
            self._conference = self._conference and ("in_progress" if self._members else "completed")


def _addressed(step: Send) -> str:
    """Return the leg that a command is about: that of its path, or the one that its body names."""
    named = step.request.get("call_control_id")
    return step.leg or (named.name if isinstance(named, Symbol) and named.kind == "leg" else "")
