"""Accounting for the events of one step: each must be explained by the model, and none that is due may be missing. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from telnyx_conformance.contract.machines import Row
from telnyx_conformance.contract.model_requirements import EVENTS
from telnyx_conformance.modelling.steps import letter
from telnyx_conformance.modelling.world import BY_COMPANY, BY_FAR_END, ENDED, LegModel, World, agrees

if TYPE_CHECKING:
    from collections.abc import Iterable

    from telnyx_conformance.contract.exchange import Event

TRANSFER = "TransferCall"
HANGUP, INITIATED, BRIDGED = "call.hangup", "call.initiated", "call.bridged"


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """Where target and model part: at a step of `operation` (empty for what is no command), in answer or events."""

    operation: str
    kind: str
    expected: str
    actual: str

    def is_like(self, other: Difference | None) -> bool:
        """Whether two differences are of one kind, at one command."""
        return other is not None and (self.kind, self.operation) == (other.kind, other.operation)


class Reckoning:
    """One step's account. `addressed` is the leg a command went to; `happenings` are the triggers that the step allows.

    Without `happenings` no time passes: only legs in somebody's company are moved, by that company.
    """

    def __init__(
        self, world: World, operation: str, addressed: LegModel | None = None, happenings: frozenset[str] | None = None
    ) -> None:
        self._world, self._operation, self._happenings = world, operation, happenings
        self._addressed = addressed
        self._company = {addressed} if addressed is not None else set()
        self._due: dict[tuple[LegModel, str], Row] = {}
        self._missing: list[tuple[LegModel, str]] = []
        self._left_alone: list[LegModel] = []

    def await_events(self, leg: LegModel, row: Row) -> None:
        """Expect the events of a row on a leg, each once, telling what the row fixes."""
        for event in row.events:
            self._due[leg, event] = row
            self._missing.append((leg, event))

    def leave_alone(self, legs: Iterable[LegModel]) -> None:
        """Expect these legs, whose peer is gone, to hang up or to be parked."""
        self._left_alone += legs
        self._company.update(self._left_alone)

    def bridge(self, first: LegModel, second: LegModel) -> None:
        """Join two legs, which both are told of it."""
        self.leave_alone(self._world.pair(first, second))
        for leg in (first, second):
            leg.state = "bridged"
            self._company.add(leg)
            self.await_events(leg, Row(leg.state, events=(BRIDGED,)))

    def difference(self, events: Iterable[Event]) -> Difference | None:
        """Return the first event that is not explained, or what is missing at the end."""
        for event in events:
            wrong = self._account(event)
            if wrong is not None:
                return wrong
        if self._missing:
            said = ", ".join(f"{event} on leg {letter(leg.place)}" for leg, event in self._missing)
            return self._differs(said, "it does not come")
        for leg in self._left_alone:
            if leg.state == "bridged" and leg.peer is None:
                if not leg.parks:
                    return self._differs(f"{HANGUP} on leg {letter(leg.place)}, whose peer is gone", "it does not come")
                leg.state = "answered"
        if any(not conference.members and not conference.is_over for conference in self._world.conferences):
            return self._differs("conference.ended, when the last has left", "it does not come")
        return None

    def _account(self, event: Event) -> Difference | None:
        leg = self._world.known(event.payload)
        if leg is None:
            return self._newcomer(event)
        due = self._due.get((leg, event.type))
        if due is not None:
            if not agrees(due, event.payload):
                return self._differs(f"{event.type} with {dict(due.sets)} on leg {letter(leg.place)}", _told(event))
            if (leg, event.type) not in self._missing:
                return self._differs(f"one {event.type} on leg {letter(leg.place)}", f"another {_told(event)}")
            self._missing.remove((leg, event.type))
            self._world.note_conference(leg, event.type, event.payload)
            return None
        before = leg.state
        known = self._world.documented(event.type)
        if known and not self._world.explain(leg, event.type, event.payload, self._allowed(leg)):
            return self._differs(f"no {event.type} on leg {letter(leg.place)}, which is {before}", _told(event))
        self._world.note_conference(leg, event.type, event.payload)
        if event.type == BRIDGED and leg.origin is not None:
            self.leave_alone(self._world.pair(leg, leg.origin))
        if leg.state == ENDED and before != ENDED:
            self.leave_alone(self._world.part(leg))
        return None

    def _newcomer(self, event: Event) -> Difference | None:
        """Take note of a leg that nobody knows: it comes of a transfer, and begins with `call.initiated`."""
        if not event.payload.get("call_control_id") and not event.payload.get("call_leg_id"):
            return None  # of a conference
        if self._operation == TRANSFER and event.type == INITIATED and self._addressed is not None:
            made, _ = self._world.add(event.payload, "transferred")
            made.origin = self._addressed
            return None
        return self._differs("events of known legs only", _told(event))

    def _allowed(self, leg: LegModel) -> frozenset[str]:
        """Return the triggers that the step makes possible on a leg."""
        if self._happenings is not None:
            return self._happenings | {BY_FAR_END} if leg.is_leaving else self._happenings
        in_company = leg.peer or leg.origin or leg in self._company or any(o.origin is leg for o in self._world.legs)
        return BY_COMPANY if in_company else frozenset()

    def _differs(self, expected: str, actual: str) -> Difference:
        return Difference(operation=self._operation, kind=EVENTS, expected=expected, actual=actual)


def _told(event: Event) -> str:
    cause = event.payload.get("hangup_cause") or event.payload.get("status") or event.payload.get("reason")
    return f"{event.type}{f' ({cause})' if cause else ''} at {event.occurred_at}"
