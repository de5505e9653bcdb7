"""Builds, for any sequence contract, a history that conforms to it, or one in which a single value is wrong."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import msgspec
import pytest

from telnyx_conformance.checks.history import Bindings, LegIds, Sent
from telnyx_conformance.checks.sequence import judge_sequence
from telnyx_conformance.contract.exchange import Event
from telnyx_conformance.contract.media_stream import StreamMessage
from telnyx_conformance.contract.sequence import (
    ABSENT,
    GIVEN_EVENTS,
    Expectation,
    FarEnd,
    Listener,
    Order,
    Reference,
    Repeat,
    Send,
    Sequence,
    Symbol,
    Timing,
    Wanted,
    reference,
    resolved,
    value_at,
)
from telnyx_conformance.contract.sequence_requirements import constraints
from telnyx_conformance.contract.sequences import load_sequences

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

EPOCH = datetime(2025, 6, 16, tzinfo=UTC)
SECOND = 1_000_000  # microseconds
GAP = SECOND // 100  # between the occurrences of an event that repeats
AFTER = SECOND  # between events whose order is prescribed, where nothing says more
IDENTITY = ("call_control_id", "call_leg_id", "call_session_id")
COMMON = {"call_session_id": "session", "connection_id": "7", "stream_id": "stream"}
"""What all legs, answers and events of a history agree in."""
WRONG = "something else"
SAMPLES = load_sequences("2025-06-16", Path(__file__).parent.parent / "sequences")
SHIPPED = load_sequences("2025-06-16")
JUDGED = (*SHIPPED, *(one for one in SAMPLES if one.file.endswith("language.yaml")))
"""The shipped sequences, and those that use every word of the language."""
SEQUENCES = {sequence.name: sequence for sequence in JUDGED}
BY_PLACE = {(sequence.file, sequence.name): sequence for sequence in (*SHIPPED, *SAMPLES)}

History = dict[str, Event]


class Place(msgspec.Struct, frozen=True):
    """A field of an event, by the event's name, or of a step's answer. `number` is that of a repetition, from 0."""

    kind: Literal["event", "answer"]
    name: str
    field: str
    number: int = 0


class Complaint(msgspec.Struct, frozen=True):
    message: str
    instance_path: tuple[str, ...] = ()


class Fussy:
    """A schema that admits every event but those marked as broken."""

    def is_valid(self, instance: Any, /) -> bool:
        return not self.iter_errors(instance)

    def iter_errors(self, instance: Any, /) -> list[Complaint]:
        return [Complaint("broken")] if "broken" in instance["data"]["payload"] else []


EVENT_TYPES = {item.event for sequence in JUDGED for item in sequence.wanted.values()}
EVENT_TYPES |= {kind for events in GIVEN_EVENTS.values() for kind in events}
EVENT_TYPES |= {kind for sequence in JUDGED for kind, _ in sequence.situation}
VALIDATORS = dict.fromkeys(EVENT_TYPES, Fussy())


class Rules(msgspec.Struct, frozen=True):
    """What a sequence says of fields, by where they stand, and which other fields it refers to."""

    said: dict[tuple[str, str, str], Expectation]
    fields: dict[tuple[str, str], tuple[str, ...]]
    sends: dict[str, Send]


@cache
def rules_of(file: str, name: str) -> Rules:
    sequence = BY_PLACE[file, name]
    said = {("answer", answer.step, answer.expected.field): answer.expected for answer in sequence.answers}
    for item in sequence.wanted.values():
        said |= {("event", item.name, rule.field): rule for rule in (*item.payload, *item.where)}
    fields: dict[tuple[str, str], list[str]] = {}
    for kind, holder, field in [*said, *_referred(said.values())]:
        fields.setdefault((kind, holder), []).append(field)
    sends = {step.name: step for step in sequence.every_step if isinstance(step, Send)}
    return Rules(said, {holder: tuple(dict.fromkeys(several)) for holder, several in fields.items()}, sends)


def _referred(rules: Iterable[Expectation]) -> Iterator[tuple[str, str, str]]:
    for rule in rules:
        if rule.rule == "same_as":
            yield "event", rule.value.step, rule.value.field
        elif rule.rule == "returned":
            yield "answer", rule.value.step, rule.value.field


class Values:
    """The fields of all requests, answers and events of one history: what is referred to agrees.

    The field at `wrong` is not as it must be; what refers to it agrees with it nonetheless, so that nothing else is wrong.
    """

    def __init__(self, sequence: Sequence, wrong: Place | None) -> None:
        self.sequence = sequence
        self.rules = rules_of(sequence.file, sequence.name)
        self.wrong = wrong
        self.dialled = {
            step: leg
            for leg, step in reversed(sequence.created.items())
            if step in self.rules.sends and self.rules.sends[step].operation == "DialCall"
        }
        """The leg that the answer of a Dial bears the ids of: the first, where it makes several."""

    def at(self, place: Place) -> Any:
        """Return what stands in a field, `ABSENT` where nothing does."""
        expected = self.rules.said.get((place.kind, place.name, place.field))
        if place == self.wrong:
            return ABSENT if expected and expected.rule == "present" else WRONG
        if expected is None or expected.rule == "present":
            return self._invented(place)
        if expected.rule == "echoes":
            return value_at(self.asked(expected.value.step), expected.value.field)
        if isinstance(expected.value, Reference):
            kind: Literal["event", "answer"] = "event" if expected.rule == "same_as" else "answer"
            return self.at(Place(kind, expected.value.step, expected.value.field))
        if expected.rule == "each":
            return expected.value[place.number]
        return expected.value[0] if expected.rule == "one_of" else expected.value

    def asked(self, step: str) -> dict[str, Any]:
        """Return the body of a step's request, or of the one that made a given leg."""
        given = next((item.request for item in self.sequence.given if item.leg == step), None)
        body = self.rules.sends[self.sequence.original(step)].request if given is None else given
        return {"from": "+1", "to": "+2", "connection_id": COMMON["connection_id"], **resolved(body, self._symbol)}

    def answered(self, step: str) -> dict[str, Any] | list[Any]:
        """Return the data of a step's answer, or of the one that made a given leg."""
        fields = self.rules.fields.get(("answer", step), ())
        heads = {field.partition(".")[0] for field in fields}
        if any(head.isdigit() or head in self.sequence.legs for head in heads):
            return self._listed(step, fields)
        leg = self.dialled.get(step, step if step in self.sequence.legs else "")
        data: dict[str, Any] = {"id": f"id of {step}", **(ids(leg) if leg else {})}
        return self._filled(data, [Place("answer", step, field) for field in fields])

    def told(self, item: Wanted, number: int) -> dict[str, Any]:
        """Return the fields of an event's payload of which the sequence speaks, at one of its occurrences."""
        fields = self.rules.fields.get(("event", item.name), ())
        return self._filled({}, [Place("event", item.name, field, number) for field in fields])

    def _listed(self, step: str, fields: Iterable[str]) -> list[Any]:
        """Return a list: its numbered items where they must be, those of legs in the places that are left."""
        items: dict[str, dict[str, Any]] = {}
        for field in fields:
            head, _, rest = field.partition(".")
            value = self.at(Place("answer", step, field))
            of_leg = head in self.sequence.legs
            tells_of_item = not rest or (of_leg and rest in IDENTITY[:2])
            if tells_of_item and self._is_null(step, field):
                if value is not None:
                    items.setdefault(head, dict(ids(head)) if of_leg else {})
                continue
            items[head] = with_value(items.get(head, ids(head) if of_leg else {}), rest, value)
        numbered = {int(head): item for head, item in items.items() if head.isdigit()}
        others = [item for head, item in items.items() if not head.isdigit()]
        length = max([len(items), *(number + 1 for number in numbered)])
        return [numbered[n] if n in numbered else others.pop(0) if others else {} for n in range(length)]

    def _is_null(self, step: str, field: str) -> bool:
        expected = self.rules.said.get(("answer", step, field))
        return expected is not None and expected.rule == "equals" and expected.value is None

    def _filled(self, holder: dict[str, Any], places: Iterable[Place]) -> dict[str, Any]:
        for place in places:
            holder = with_value(holder, place.field, self.at(place))
        return holder

    def _invented(self, place: Place) -> Any:
        *way, last = place.field.split(".")
        leg = self.dialled.get(place.name, place.name) if place.kind == "answer" and not way else "".join(way[:1])
        if place.kind == "event":
            item = self.sequence.wanted[place.name]
            leg = "" if way or item.leg in self.sequence.conferences else item.leg
        known = ids(leg) if leg in self.sequence.legs else {}
        return known.get(last) or COMMON.get(last) or f"{place.field} of {place.name}"

    def _symbol(self, value: Symbol) -> Any:
        if value.kind == "leg":
            return ids(value.name)["call_control_id"]
        if value.kind == "returned":
            wanted = reference(value.name)
            return self.at(Place("answer", wanted.step, wanted.field))
        return f"{value.kind} {value.name}"


def ids(leg: str) -> dict[str, str]:
    return {**{field: f"{field} {leg}" for field in IDENTITY[:2]}, "call_session_id": COMMON["call_session_id"]}


def with_value(holder: Any, path: str, value: Any) -> Any:
    """Return a copy of an object, or of a list, with another value at a path; `ABSENT` takes away what stands there."""
    name, _, rest = path.partition(".")
    if isinstance(holder, list):
        assert name == "0"
        return [with_value({}, rest, value)] if rest else [] if value is None else [value]
    inner = with_value(holder.get(name, [] if rest[:1].isdigit() else {}), rest, value) if rest else value
    return {field: one for field, one in {**holder, name: inner}.items() if one is not ABSENT}


def event(leg: str, kind: str, at: float, **more: Any) -> Event:
    """Return an event of a leg, `at` seconds after the epoch of the history."""
    payload = {**ids(leg), "connection_id": COMMON["connection_id"]}
    data = {
        "record_type": "event",
        "event_type": kind,
        "id": f"{leg} {kind} {at}",
        "occurred_at": (EPOCH + timedelta(seconds=at)).isoformat(),
        "payload": payload | more,
    }
    document = {"data": data, "meta": {"attempt": 1}}
    return Event(token="main", arrival=0, method="POST", path="/main", document=document, signature="valid")


def of_conference(one: Event, conference: str) -> Event:
    """Return the same event, but of a conference and of no leg."""
    assert one.document
    payload = {name: value for name, value in one.payload.items() if name not in IDENTITY}
    data = {**one.data, "payload": {"conference_id": conference, **payload}}
    return msgspec.structs.replace(one, document={**one.document, "data": data})


def altered(one: Event, fields: dict[str, Any] | None = None, *, at: datetime | None = None) -> Event:
    assert one.document
    data = {**one.data, "payload": one.payload | (fields or {})}
    if at is not None:
        data["occurred_at"] = at.isoformat()
    return msgspec.structs.replace(one, document={**one.document, "data": data})


def arrived(events: Iterable[Event]) -> list[Event]:
    return [msgspec.structs.replace(one, arrival=arrival) for arrival, one in enumerate(events)]


def failures(sequence: Sequence, events: list[Event], bindings: Bindings) -> set[str]:
    outcomes = judge_sequence(sequence, events, bindings, VALIDATORS)
    return {outcome.requirement for outcome in outcomes if outcome.verdict == "fail"}


def occurrence_of(sequence: Sequence, leg: str, kind: str, at: float, **more: Any) -> Event:
    """Return an event of a leg, or of the conference that a leg of the contract stands for."""
    made = event(leg, kind, at, **more)
    step = sequence.conferences.get(leg)
    return of_conference(made, f"id of {step}") if step else made


def verdicts(sequence: Sequence, history: History, bindings: Bindings) -> dict[str, str]:
    """Return what did not pass, by what follows the name of the sequence in its id."""
    outcomes = judge_sequence(sequence, arrived(history.values()), bindings, VALIDATORS)
    return {o.requirement.partition(sequence.name)[2]: o.verdict for o in outcomes if o.verdict != "pass"}


class Bound(msgspec.Struct, frozen=True):
    """`second` occurs at least so many microseconds after `first`, counted from the first occurrences; may be negative."""

    first: str
    second: str
    microseconds: int


def bounds(sequence: Sequence, one: Order | Timing, *, broken: bool) -> Bound:
    """Return what an order or a timing demands, or what breaks it by as little as can be."""
    takes = GAP * (sequence.wanted[one.first].times - 1)
    if isinstance(one, Order):
        return Bound(one.second, one.first, 1 - takes) if broken else Bound(one.first, one.second, takes + AFTER)
    if one.at_least is not None:
        least = round(one.at_least * SECOND) + takes
        return Bound(one.second, one.first, 1 - least) if broken else Bound(one.first, one.second, least)
    most = round((one.less_than or 0) * SECOND) + takes
    return Bound(one.first, one.second, most) if broken else Bound(one.second, one.first, 1 - most)


def implied(sequence: Sequence, broken: Order | Timing) -> list[Timing]:
    """Return the bounds of time that cannot hold when `broken` does not: the stricter ones between the same two events."""
    low = 0.0 if isinstance(broken, Order) else broken.at_least
    high = None if isinstance(broken, Order) else broken.less_than
    pair = broken.first, broken.second
    between = [one for one in sequence.timing if (one.first, one.second) == pair and one != broken]
    return [
        one
        for one in between
        if (low is not None and one.at_least is not None and one.at_least >= low)
        or (high is not None and one.less_than is not None and one.less_than <= high)
    ]


def schedule(sequence: Sequence, names: Iterable[str], broken: Order | Timing | None = None) -> dict[str, int]:
    """Return when events occur: as early as order and timing allow, in the order of the contract where they say nothing."""
    when = {name: place * SECOND for place, name in enumerate(sequence.wanted, start=1) if name in set(names)}
    waived = [broken, *implied(sequence, broken)] if broken else []
    said: list[Order | Timing] = [*sequence.before, *sequence.timing]
    found = [bounds(sequence, one, broken=False) for one in said if one not in waived]
    found += [bounds(sequence, broken, broken=True)] if broken else []
    found = [one for one in found if one.first in when and one.second in when]
    for _ in range(len(when) + 1):
        late = [one for one in found if when[one.second] < when[one.first] + one.microseconds]
        for one in late:
            when[one.second] = max(when[one.second], when[one.first] + one.microseconds)
        if not late:
            return when
    raise AssertionError(f"no history of {sequence.name} breaks just {broken}")


def situation(sequence: Sequence) -> History:
    """Return the events of the given legs, and what was prepared."""
    history: History = {}
    for given in sequence.given:
        for place, kind in enumerate(GIVEN_EVENTS[given.state]):
            history[f"given {given.leg} {kind}"] = event(given.leg, kind, place - 100)
    for step in sequence.prepare:
        for caused in step.causes if isinstance(step, Send | FarEnd) else ():
            for _ in range(caused.times):
                made = occurrence_of(sequence, caused.leg, caused.event, len(history) - 50)
                history[f"prepared {len(history)}"] = made
    return history


def heard(listener: Listener) -> tuple[StreamMessage, ...]:
    """Return what a socket or port hears of a stream that conforms."""
    if listener.form == "rtp":
        return (StreamMessage(raw=b"\x80" + bytes(171)), StreamMessage(raw=b"\x80" + bytes(171)))
    call = {"call_control_id": ids(listener.leg)["call_control_id"]}
    said: list[tuple[str, dict[str, Any]]] = [
        ("start", call | {"media_format": {"encoding": "PCMU", "sample_rate": 8000, "channels": 1}})
    ]
    said += [("media", {"track": track, "chunk": "1", "payload": "/w=="}) for track in listener.tracks]
    said += [("dtmf", {"digit": digit}) for digit in listener.digits]
    said += [("stop", call)] if listener.closed else []
    numbered = [
        {"event": kind, "sequence_number": str(number), "stream_id": COMMON["stream_id"], kind: content}
        for number, (kind, content) in enumerate(said, start=1)
    ]
    return tuple(
        StreamMessage(raw=msgspec.json.encode(message), connection=0)
        for message in [{"event": "connected", "version": "1.0.0"}, *numbered]
    )


def conforming(
    sequence: Sequence,
    *,
    wrong: Place | None = None,
    without: Iterable[str] = (),
    untimely: Order | Timing | None = None,
) -> tuple[History, Bindings]:
    """Return a history that conforms, keyed by the names of its events; those of the situation come first.

    But for one value, or for the times of two events, where the caller says so; `without` names events that do not occur.
    """
    values = Values(sequence, wrong)
    history = situation(sequence)
    when = schedule(sequence, set(sequence.wanted) - set(without), untimely)
    for item in (sequence.wanted[name] for name in when):
        for number in range(item.times):
            at = (when[item.name] + GAP * number) / SECOND
            made = occurrence_of(sequence, item.leg, item.event, at, **values.told(item, number))
            if item.delivery:
                token = f"token {item.delivery.inbox}" if item.delivery.inbox else made.token
                made = msgspec.structs.replace(made, token=token, method=item.delivery.method or "POST")
            history[f"{item.name}#{number + 1}" if number else item.name] = made
    bound = {item.leg for item in sequence.given} | set(values.dialled.values())
    bindings = Bindings(
        legs={leg: LegIds(**{field: ids(leg)[field] for field in IDENTITY[:2]}) for leg in bound},
        sent=_sent(sequence, values),
        inboxes={"own": "token own"},
        streams={listener.word: heard(listener) for listener in sequence.streams},
    )
    return history, bindings


def _sent(sequence: Sequence, values: Values) -> dict[str, Sent]:
    found = {
        given.leg: Sent(body=values.asked(given.leg), status=200, data=values.answered(given.leg))
        for given in sequence.given
    }
    for step in sequence.every_step:
        if isinstance(step, Send | Repeat):
            codes = (step.refused.code,) if step.refused and step.refused.code else ()
            status = step.refused.status if step.refused else 200
            found[step.name] = Sent(
                body=values.asked(step.name), status=status, codes=codes, data=values.answered(step.name)
            )
    return found


def named(name: str) -> tuple[Sequence, History, Bindings]:
    """Return a sequence and a history that conforms to it."""
    return SEQUENCES[name], *conforming(SEQUENCES[name])


class Histories:
    """What the tests of the judge build histories with."""

    sequences = SEQUENCES
    samples = SAMPLES
    validators = VALIDATORS
    ids = staticmethod(ids)
    event = staticmethod(event)
    occurrence_of = staticmethod(occurrence_of)
    of_conference = staticmethod(of_conference)
    altered = staticmethod(altered)
    arrived = staticmethod(arrived)
    failures = staticmethod(failures)
    verdicts = staticmethod(verdicts)
    named = staticmethod(named)
    implied = staticmethod(implied)
    heard = staticmethod(heard)
    conforming = staticmethod(conforming)
    place = Place


STATEMENTS = [(sequence, one) for sequence in JUDGED for one in constraints(sequence)]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Hand each sequence, or each statement of each, to the tests that ask for one."""
    if "statement" in metafunc.fixturenames:
        metafunc.parametrize(("sequence", "statement"), STATEMENTS, ids=[one.id for _, one in STATEMENTS])
    elif "sequence" in metafunc.fixturenames:
        metafunc.parametrize("sequence", JUDGED, ids=[sequence.name for sequence in JUDGED])


@pytest.fixture(scope="session")
def histories() -> type[Histories]:
    return Histories


@pytest.fixture(scope="session")
def statements() -> list[Any]:
    """Every statement with its sequence."""
    return STATEMENTS
