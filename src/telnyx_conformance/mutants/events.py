"""Faults of webhooks and of time, planted where an account's events go out and its timers are set."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any
from uuid import UUID

from msgspec.structs import replace

from telnyx_conformance.emulator.fault import Fault

if TYPE_CHECKING:
    from collections.abc import Mapping

    from telnyx_conformance.contract.sequence import Sequence, Wanted
    from telnyx_conformance.emulator.account import Account, Ask
    from telnyx_conformance.emulator.mail import Letter, Outgoing
    from telnyx_conformance.mutants.mutant import Mutant

OF_A_LEG = ("call_leg_id", "call_control_id")
ELSEWHERE = str(UUID(int=0xE15E, version=4))
LONG_AGO = "2000-01-01T00:00:00.000000Z"
THOUSAND = 1000
LATE = 4  # seconds beyond the bound: two legs' limits may run from moments that lie apart
OTHERS = ("call.dtmf.received", "call.refer.started", "call.fork.started", "siprec.started", "streaming.started")


def another_type(sequence: Sequence) -> str:
    """Return a type of event that a sequence does not speak of."""
    spoken = {item.event for item in sequence.wanted.values()} | {item.event for item in sequence.never}
    return next(kind for kind in OTHERS if kind not in spoken)


class EventFault(Fault):
    """Bends the events of one type on one leg (its number in the order in which an account's legs are first heard of)."""

    def __init__(self, mutant: Mutant, sequence: Sequence) -> None:
        super().__init__()
        self._mutant, self._sequence = mutant, sequence
        self.legs = [given.leg for given in sequence.given] + [
            leg for leg in sequence.created if leg not in {given.leg for given in sequence.given}
        ]
        self.conferences = list(sequence.conferences)
        self.place = mutant.site.removeprefix(f"{sequence.name}").removeprefix(".")
        self.event, self.leg = self._subject()
        self.another_type = another_type(sequence)
        self.before = sequence.situation[self.event, self.leg] if sequence.must or mutant.kind != "never" else 0

    def means(self, number: int) -> bool:
        """Whether the fault is about this occurrence of its event on its leg, counted from 0 behind the situation.

        Events that a contract tells apart by their payload are taken to come in the order in which it names them.
        """
        item = self._wanted()
        if item is None or not item.where:
            return True
        alike = [i for i in self._sequence.wanted.values() if (i.event, i.leg) == (item.event, item.leg) and i.where]
        first = sum(other.times for other in alike[: alike.index(item)])
        return number in range(first, first + item.times)

    def _wanted(self) -> Wanted | None:
        name = self.place.partition("<")[2] if self._mutant.kind == "order" else self.place.partition(".")[0]
        return self._sequence.wanted.get(name)

    def _subject(self) -> tuple[str, str]:
        must = self._sequence.must
        item = self._wanted()
        if self._mutant.kind == "share":
            of_legs = [item for item in must if item.leg not in self.conferences]
            item = next(reversed([*must, *of_legs]), None)  # a conference's own events lack what only legs have
        elif self._mutant.kind == "never":
            if not must:  # the situation's own event comes a second time
                return "call.initiated", self.unwanted()[1]
            item = ([one for one in must if one.leg == self.unwanted()[1]] or list(must))[-1]
        return (item.event, item.leg) if item else ("", "")

    def moves_in(self, account: Account) -> None:
        """Bend the clock or the outbox of a new account."""
        variant = self._mutant.variant
        if self._mutant.category == "time":
            account.clock.stretch = self._stretched
        elif self._mutant.kind == "signature":
            account.outbox.seal = self._unsigned if variant == "missing" else self._wrongly_signed
        elif self._mutant.category == "webhooks":
            account.outbox.bend = _Bending(self, self._mutant).bend

    def asked(self, ask: Ask) -> Ask:
        """Forget the id of a command, where that is the fault."""
        if self._mutant.category != "idempotency" or not isinstance(ask.body, dict) or "command_id" not in ask.body:
            return ask
        self.bites()
        return replace(ask, body={name: value for name, value in ask.body.items() if name != "command_id"})

    def _stretched(self, delay: float) -> float:
        first, _, rest = self.place.partition("..")
        second = rest.rpartition(".")[0]
        bounds = [t for t in self._sequence.timing if (t.first, t.second) == (first, second)]
        least = next((t.at_least for t in bounds if t.at_least is not None), None)
        most = next((t.less_than for t in bounds if t.less_than is not None), None)
        if not (least or 0) <= delay < (most or delay + 1):
            return delay
        self.bites()
        if self._mutant.variant == "unit":
            return delay / THOUSAND
        return (least or delay) - 1 if self._mutant.variant == "early" else (most or delay) + LATE

    def _unsigned(self, letter: Letter) -> Letter:
        self.bites()
        return replace(letter, headers={k: v for k, v in letter.headers.items() if not k.startswith("telnyx-")})

    def _wrongly_signed(self, letter: Letter) -> Letter:
        self.bites()
        wrong = {"telnyx-signature-ed25519": base64.b64encode(bytes(64)).decode()}
        return replace(letter, headers={**letter.headers, **wrong})

    def unwanted(self) -> tuple[str, str]:
        """Return type and leg of the event that must not be."""
        event, _, leg = self.place.rpartition("@")
        return event, leg

    def changed(self, payload: Mapping[str, Any]) -> dict[str, Any]:
        """Return a payload with another value where the sequence says what it must be."""
        field = self.place.partition(".")[2]
        item = self._wanted()
        rules = {expected.rule for expected in item.payload if expected.field == field} if item else set()
        return _changed_at(payload, field, present="present" not in rules)


def _changed_at(holder: Mapping[str, Any], path: str, *, present: bool) -> dict[str, Any]:
    """Return an object with another value at a path with dots; not `present`: with none."""
    field, _, rest = path.partition(".")
    value = holder.get(field)
    if rest:
        return {**holder, field: _changed_at(value if isinstance(value, dict) else {}, rest, present=present)}
    if not present:
        return {name: other for name, other in holder.items() if name != field}
    other: Any = f"{value}-other" if value is not None else "unexpected"
    if field == "client_state":
        other = base64.b64encode(b"another state").decode()
    elif field == "hangup_cause":
        other = "originator_cancel" if value != "originator_cancel" else "normal_clearing"
    elif isinstance(value, bool):
        other = not value
    elif isinstance(value, int | float):
        other = value + 1
    return {**holder, field: other}


class _Bending:
    """What one account has sent so far."""

    def __init__(self, fault: EventFault, mutant: Mutant) -> None:
        self._fault, self._variant = fault, mutant.variant
        self._legs: list[set[str]] = []
        self._conferences: list[str] = []
        self._latest: dict[str, Outgoing] = {}
        self._first_url = ""
        self._made = self._seen = 0

    def bend(self, one: Outgoing) -> list[Outgoing]:
        """Return what goes out in place of `one`."""
        data = one.document["data"]
        leg = self._name(data["payload"])
        self._latest[leg] = one
        self._first_url = self._first_url or one.url
        if data["event_type"] != self._fault.event or leg != self._fault.leg:
            return [one]
        self._seen += 1
        if self._seen <= self._fault.before or not self._fault.means(self._seen - self._fault.before - 1):
            return [one]
        self._fault.bites()
        return self._bent(one, data)

    def _name(self, payload: Mapping[str, Any]) -> str:
        """Return what the sequence calls the leg or conference of an event, by the order in which they are heard of."""
        ids = {str(payload[field]) for field in OF_A_LEG if payload.get(field)}
        if not ids:
            conference = str(payload.get("conference_id", ""))
            if conference not in self._conferences:
                self._conferences.append(conference)
            return _at(self._fault.conferences, self._conferences.index(conference))
        number = next((number for number, leg in enumerate(self._legs) if leg & ids), len(self._legs))
        if number == len(self._legs):
            self._legs.append(set())
        self._legs[number] |= ids
        return _at(self._fault.legs, number)

    def _bent(self, one: Outgoing, data: dict[str, Any]) -> list[Outgoing]:  # noqa: C901, PLR0911 - one way out for each fault
        payload = data["payload"]
        match self._variant:
            case "missing":
                return []
            case "doubled":
                return [one, _with(one, id=self._fresh())]
            case "extra":
                return [one, *self._unwanted(one)]
            case "type":
                return [_with(one, event_type=self._fault.another_type)]
            case "before":
                return [_with(one, occurred_at=LONG_AGO)]
            case "leg":
                return [_with(one, payload={**payload, "call_leg_id": ELSEWHERE, "call_control_id": ELSEWHERE})]
            case "session":
                return [_with(one, payload={**payload, "call_session_id": ELSEWHERE})]
            case "schema":
                return [_with(one, payload={**payload, "connection_id": 7})]
            case "share":
                return [_with(one, payload={**payload, self._fault.place: ELSEWHERE})]
            case "changed":
                return [_with(one, payload=self._fault.changed(payload))]
            case "url":
                return [replace(one, url=self._first_url)]
            case _:
                return [replace(one, method="POST" if one.method == "GET" else "GET")]

    def _unwanted(self, one: Outgoing) -> list[Outgoing]:
        event, name = self._fault.unwanted()
        if name in self._latest:
            return [_with(self._latest[name], event_type=event, id=self._fresh())]
        if name not in self._fault.conferences:
            return []
        # A conference of which nothing was told yet: what names no leg is told of the conference that it names.
        payload = {field: value for field, value in one.document["data"]["payload"].items() if field not in OF_A_LEG}
        return [_with(one, event_type=event, id=self._fresh(), payload=payload)]

    def _fresh(self) -> str:
        self._made += 1
        return str(UUID(int=0xF4E54 + self._made, version=4))


def _at(names: list[str], number: int) -> str:
    return names[number] if number < len(names) else ""


def _with(one: Outgoing, **changes: Any) -> Outgoing:
    return replace(one, document={**one.document, "data": {**one.document["data"], **changes}})
