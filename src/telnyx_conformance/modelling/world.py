"""The model: legs and what goes on on them, moved by the contract's state machines and by what is observed.

Commands are predicted: a row takes them, its absence refuses them with the table's code. What networks and far ends do
is observed: an event must be explained by a row of its leg's state whose trigger the step makes possible.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from telnyx_conformance.contract.machines import Machine, Row, is_command, machines
from telnyx_conformance.contract.model_requirements import JOIN

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

LEG, PARTICIPANT = "leg", "participant"
UNKNOWN, FORGOTTEN_SECONDS = "90015", 600.0
ENDED_CONFERENCE, JOINED_ALREADY, NO_MEMBER = "90019", "90044", "90033"
ENDED, TALKING = "ended", ("answered", "bridged", "queued", "conference")
# Triggers of the leg's table that need a reason other than time: who acts, and on whom.
BY_FAR_END, BY_KEYS = "far_hangs_up", "digit"
BY_COMPANY = frozenset({"peer_ends", "unbridged", "withdrawn", "bridge", "conference_ends", "transferred"})
# Events of other machines that move the leg too.
REFERRED = "call.refer.completed"  # the far end leaves by itself
COUPLED: Mapping[str, str] = {"call.dequeued": "dequeued", "conference.participant.left": "conference_left"}


class Expected(msgspec.Struct, frozen=True):
    """How a command should be answered: taken, or refused with one of these codes (each names a reason that holds)."""

    taken: bool
    codes: tuple[str, ...] = ()


class Going:
    """Something that goes on on a leg: an instance of a machine."""

    def __init__(self, of: Machine) -> None:
        self.machine, self.state = of, of.initial

    @property
    def states(self) -> frozenset[str]:
        """The states that it may be in: what happens silently is not known."""
        return self.machine.silently_reached(self.state)


class LegModel:
    """A leg as far as the model knows it."""

    def __init__(self, place: int, call_control_id: str, leg_id: str, state: str, since: float) -> None:
        self.place, self.id, self.leg_id, self.state, self.since = place, call_control_id, leg_id, state, since
        self.peer: LegModel | None = None
        self.origin: LegModel | None = None
        self.parks = False
        self.owed: list[str] = []
        self.is_leaving = False
        self.going: list[Going] = []


class Conference:
    """A conference as far as the model knows it."""

    def __init__(self, id_: str) -> None:
        self.id, self.is_over = id_, False
        self.members: set[LegModel] = set()


class World:
    """All legs and conferences of a program."""

    def __init__(self) -> None:
        self.machines = machines()
        self.leg_machine = self.machines[LEG]
        self.others = tuple(one for name, one in self.machines.items() if name != LEG)
        self.legs: list[LegModel] = []
        self.conferences: list[Conference] = []
        self.now = 0.0

    def known(self, payload: Mapping[str, Any]) -> LegModel | None:
        """Return the leg that a payload names, by either id."""
        ids = (payload.get("call_control_id"), payload.get("call_leg_id"))
        return next((leg for leg in self.legs if leg.id == ids[0] or (leg.leg_id and leg.leg_id == ids[1])), None)

    def add(self, payload: Mapping[str, Any], trigger: str) -> tuple[LegModel, Row]:
        """Let the leg that a payload names come to be; return it and the row whose events must tell of it."""
        row = self.leg_machine.rows[self.leg_machine.initial, trigger]
        ids = str(payload["call_control_id"]), str(payload.get("call_leg_id", ""))
        leg = LegModel(len(self.legs), *ids, row.next, self.now)
        self.legs.append(leg)
        return leg, row

    def pair(self, first: LegModel, second: LegModel) -> list[LegModel]:
        """Join two legs and return those that lose their peer by it."""
        left = [leg.peer for leg in (first, second) if leg.peer is not None and leg.peer not in (first, second)]
        first.peer, second.peer = second, first
        first.origin = second.origin = None
        for leg in left:
            leg.peer = None
        return left

    @staticmethod
    def part(leg: LegModel) -> list[LegModel]:
        """Take a leg from its peer and return the peer."""
        peer, leg.peer = leg.peer, None
        if peer is None:
            return []
        peer.peer = None
        return [peer]

    def row(self, leg: LegModel, trigger: str) -> Row | None:
        """Return what the leg's table says of a trigger now."""
        return self.leg_machine.rows.get((leg.state, trigger))

    def expected(self, leg: LegModel, operation: str, other: LegModel | None) -> Expected:
        """Return how a command to `leg` should be answered; `other` is the leg it names besides."""
        if self.row(leg, operation) is None:
            return Expected(taken=False, codes=self._refusals(leg, operation))
        if operation == "BridgeCall" and other is not None:
            if other is leg:
                return Expected(taken=False, codes=("90015",))
            if self.row(other, "bridge") is None:
                return Expected(taken=False, codes=(self.leg_machine.refusal_code(other.state, "bridge"),))
        for machine in self.others:
            code = self._refused_by(machine, leg, operation)
            if code:
                return Expected(taken=False, codes=(code,))
        return Expected(taken=True)

    def _refusals(self, leg: LegModel, operation: str) -> tuple[str, ...]:
        """Return the codes with which the leg's table refuses a command; one that ended long ago may be forgotten."""
        code = self.leg_machine.refusal_code(leg.state, operation)
        is_forgotten = leg.state == ENDED and self.now >= FORGOTTEN_SECONDS
        return (code, UNKNOWN) if is_forgotten else (code,)

    def expected_in_conference(self, leg: LegModel, operation: str, conference: Conference) -> Expected:
        """Return how a command should be answered that lets `leg` join or leave a conference."""
        codes = [ENDED_CONFERENCE] if conference.is_over else []
        if self.row(leg, operation) is None:
            codes += self._refusals(leg, operation)
        elif (leg in conference.members) == (operation == JOIN):
            codes.append(JOINED_ALREADY if operation == JOIN else NO_MEMBER)
        return Expected(taken=not codes, codes=tuple(codes))

    def enter(self, leg: LegModel) -> Row:
        """Let a leg become a participant; return the row whose events tell of it."""
        going = Going(self.machines[PARTICIPANT])
        row = going.machine.rows[going.state, "entered"]
        going.state = row.next
        leg.going.append(going)
        return row

    def note_conference(self, leg: LegModel, event: str, payload: Mapping[str, Any]) -> None:
        """Keep account of who is in which conference, and which is over."""
        conference = next((one for one in self.conferences if one.id == payload.get("conference_id")), None)
        if conference is None:
            return
        if event == "conference.participant.joined":
            conference.members.add(leg)
        elif event == "conference.participant.left":
            conference.members.discard(leg)
        elif event == "conference.ended":
            conference.is_over = True
        if leg.state == "answered" and any(leg in one.members for one in self.conferences):
            leg.state = "conference"  # it left one for another

    @staticmethod
    def _refused_by(machine: Machine, leg: LegModel, operation: str) -> str:
        """Return the code with which a machine refuses a command that the leg would take, empty if it does not.

        Before anything goes on, a machine is in its initial state.
        """
        going = [state for going in leg.going if going.machine is machine for state in going.states]
        states = going or [machine.initial]
        if any((state, operation) in machine.rows for state in states):
            return ""
        explicit = [rule for rule in machine.refusals if operation in rule.commands]
        return next((rule.code for rule in explicit for state in states if state in rule.states), "")

    def carry_out(self, leg: LegModel, operation: str) -> Iterator[Row]:
        """Move the leg, and what goes on on it, by a command that was taken; yield the rows, whose events must follow."""
        row = self.row(leg, operation)
        if row is not None:
            leg.state = row.next
            yield row
        for going in list(leg.going):
            step = next((r for s in going.states if (r := going.machine.rows.get((s, operation))) is not None), None)
            if step is not None:
                yield step
                self._move(leg, going, step)
        for machine in self.others:
            first = machine.rows.get((machine.initial, operation))
            if first is not None or operation in machine.begun_by:
                leg.going.append(Going(machine))
            if first is not None:
                yield first
                self._move(leg, leg.going[-1], first)

    def explain(self, leg: LegModel, event: str, payload: Mapping[str, Any], allowed: frozenset[str]) -> bool:
        """Find a row that sends `event` in the state of the leg, or of something on it, and go along with it.

        What else the row sends is owed to the leg, and explained when it comes.
        """
        if event in leg.owed:
            leg.owed.remove(event)
            return True
        for (state, trigger), row in self.leg_machine.rows.items():
            if state == leg.state and event in row.events and trigger in allowed and agrees(row, payload):
                leg.state = row.next
                return True
        for going in leg.going:
            for (state, _), row in going.machine.rows.items():
                if state in going.states and event in row.events and agrees(row, payload):
                    leg.owed += [other for other in row.events if other != event]
                    self._move(leg, going, row)
                    self._couple(leg, event)
                    return True
        return self._begins(leg, event, payload)

    def _begins(self, leg: LegModel, event: str, payload: Mapping[str, Any]) -> bool:
        for machine in self.others:
            if machine.begun_by or machine.begins_with_a_command:
                continue
            first = machine.silently_reached(machine.initial)
            for (state, _), row in machine.rows.items():
                if state in first and event in row.events and agrees(row, payload):
                    going = Going(machine)
                    leg.going.append(going)
                    self._move(leg, going, row)
                    self._couple(leg, event)
                    return True
        return False

    def _couple(self, leg: LegModel, event: str) -> None:
        leg.is_leaving = leg.is_leaving or event == REFERRED
        row = self.row(leg, COUPLED.get(event, ""))
        if row is not None:
            leg.state = row.next

    @staticmethod
    def _move(leg: LegModel, going: Going, row: Row) -> None:
        going.state = row.next
        if going.state in going.machine.final:
            leg.going.remove(going)

    def documented(self, event: str) -> bool:
        """Return whether any machine sends an event of that type."""
        return any(event in row.events for machine in self.machines.values() for row in machine.rows.values())

    @property
    def happenings(self) -> frozenset[str]:
        """The triggers of the leg's table that are no commands."""
        return frozenset(t for _, t in self.leg_machine.rows if not is_command(t))


def agrees(row: Row, payload: Mapping[str, Any]) -> bool:
    """Whether an event tells the facts that the row fixes, as far as it speaks of them."""
    cause = row.sets.get("cause")
    told = payload.get("hangup_cause")
    if cause is not None and told is not None and told != cause:
        return False
    return all(payload.get(fact, value) == value for fact, value in row.sets.items() if fact in ("status", "reason"))
