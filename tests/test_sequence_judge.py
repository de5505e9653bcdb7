"""The judge of sequences passes what conforms in any order of arrival, and names just the statement that is broken."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from telnyx_conformance.checks.event_schema import event_validators
from telnyx_conformance.checks.history import Bindings, LegIds, Sent, history_of, leg_ids, moment
from telnyx_conformance.checks.sequence import RULES, has_occurred, is_complete, judge_sequence
from telnyx_conformance.checks.timeline import timeline
from telnyx_conformance.contract.document import load_edition
from telnyx_conformance.contract.exchange import Event
from telnyx_conformance.contract.media_stream import StreamMessage
from telnyx_conformance.contract.sequence import (
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
    resolved,
    value_at,
)
from telnyx_conformance.contract.sequence_requirements import KINDS, Constraint, constraints
from telnyx_conformance.contract.sequences import load_sequences

EPOCH = datetime(2025, 6, 16, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
GAP = 0.01  # seconds between the occurrences of an event that repeats
UNLISTED = "call.refer.started"
SAMPLES = load_sequences("2025-06-16", Path(__file__).parent / "sequences")
LANGUAGE = [sequence for sequence in SAMPLES if sequence.file.endswith("language.yaml")]
"""Sequences that use every word of the language."""
SEQUENCES = {sequence.name: sequence for sequence in (*load_sequences("2025-06-16"), *LANGUAGE)}
CONSTRAINTS = [(sequence, one) for sequence in SEQUENCES.values() for one in constraints(sequence)]
History = dict[str, Event]
IDENTITY = ("call_control_id", "call_leg_id", "call_session_id")
"""Fields whose change makes an event another leg's or session's: more than one statement notices."""


class Complaint(msgspec.Struct, frozen=True):
    message: str
    instance_path: tuple[str, ...] = ()


class Fussy:
    """A schema that admits every event but those marked as broken."""

    def is_valid(self, instance: Any, /) -> bool:
        return not self.iter_errors(instance)

    def iter_errors(self, instance: Any, /) -> list[Complaint]:
        return [Complaint("broken")] if "broken" in instance["data"]["payload"] else []


EVENT_TYPES = {item.event for sequence in SEQUENCES.values() for item in sequence.wanted.values()}
VALIDATORS = dict.fromkeys(EVENT_TYPES | {"call.hangup"}, Fussy())


def symbol(value: Symbol) -> Any:
    return f"{value.kind} {value.name}"


def sent_by(sequence: Sequence) -> dict[str, Sent]:
    bodies: dict[str, dict[str, Any]] = {}
    for step in sequence.every_step:
        if isinstance(step, Send):
            bodies[step.name] = {"from": "+1", "to": "+2", "connection_id": "7", **resolved(step.request, symbol)}
    answers = {
        step.name: Sent(
            body=bodies[sequence.original(step.name)],
            status=step.refused.status if step.refused else 200,
            codes=(step.refused.code,) if step.refused and step.refused.code else (),
            data=ids("A") | {"call_session_id": "session", "id": f"id of {step.name}"},
        )
        for step in sequence.every_step
        if isinstance(step, Send | Repeat)
    }
    given = {
        item.leg: Sent(
            body={"from": "+1", "to": "+2", **resolved(item.request, symbol)}, status=200, data=ids(item.leg)
        )
        for item in sequence.given
    }
    return answers | given


def ids(leg: str) -> dict[str, Any]:
    return {field: f"{field} {leg}" for field in IDENTITY[:2]}


def expected_value(expected: Expectation, sent: dict[str, Sent], number: int = 0) -> Any:
    if expected.rule == "same_as":
        return f"same {expected.value.step}.{expected.value.field}"
    if isinstance(expected.value, Reference):
        step = sent[expected.value.step]
        return value_at(step.body if expected.rule == "echoes" else step.data, expected.value.field)
    if expected.rule == "each":
        return expected.value[number]
    return expected.value[0] if expected.rule == "one_of" else expected.value


def changed(holder: Any, path: str, value: Any) -> Any:
    """A copy of an object, or of a list, with another value at a path."""
    name, _, rest = path.partition(".")
    if name.isdigit():
        first = holder[0] if isinstance(holder, list) and holder else {}
        return [changed(first, rest, value) if rest else value]
    inner = changed(holder.get(name, {}), rest, value) if rest else value
    return {**holder, name: inner}


def spoilt(holder: Any, expected: Expectation) -> Any:
    return changed(holder, expected.field, None if expected.rule == "present" else "something else")


def same_values(sequence: Sequence) -> dict[str, dict[str, str]]:
    """What events must have in fields that others refer to, by name and field."""
    found: dict[str, dict[str, str]] = {}
    rules = [e for item in sequence.wanted.values() for e in item.payload] + [a.expected for a in sequence.answers]
    for expected in rules:
        if expected.rule == "same_as":
            found.setdefault(expected.value.step, {})[expected.value.field] = expected_value(expected, {})
    return found


def event(leg: str, kind: str, at: float, **more: Any) -> Event:
    payload = {
        "call_control_id": f"call_control_id {leg}",
        "call_leg_id": f"call_leg_id {leg}",
        "call_session_id": "session",
        "connection_id": "7",
    }
    data = {
        "record_type": "event",
        "event_type": kind,
        "id": f"{leg} {kind} {at}",
        "occurred_at": (EPOCH + timedelta(seconds=at)).isoformat(),
        "payload": payload | more,
    }
    document = {"data": data, "meta": {"attempt": 1}}
    return Event(token="main", arrival=0, method="POST", path="/main", document=document, signature="valid")


def of_conference(one: Event, step: str) -> Event:
    """The same event, but of the conference that a step created and of no leg."""
    assert one.document
    payload = {name: value for name, value in one.payload.items() if name not in IDENTITY}
    data = {**one.data, "payload": {"conference_id": f"id of {step}", **payload}}
    return msgspec.structs.replace(one, document={**one.document, "data": data})


def times(sequence: Sequence) -> dict[str, float]:
    """Seconds at which the events of a conforming history occur: as early as order and timing allow."""
    when = {name: float(place) for place, name in enumerate(sequence.wanted, start=1)}
    takes = {item.name: GAP * (item.times - 1) for item in sequence.wanted.values()}
    for _ in when:
        for order in sequence.before:
            when[order.second] = max(when[order.second], when[order.first] + takes[order.first] + 1)
        for timing in sequence.timing:
            if timing.at_least is not None:
                last = when[timing.first] + takes[timing.first]
                when[timing.second] = max(when[timing.second], last + timing.at_least)
    return when


def occurrence(sequence: Sequence, item: Wanted, sent: dict[str, Sent], number: int, at: float) -> Event:
    """One occurrence of a wanted event, with all that it must have."""
    fields: dict[str, Any] = {}
    for expected in (*item.where, *item.payload):
        fields = changed(fields, expected.field, expected_value(expected, sent, number))
    for field, value in same_values(sequence).get(item.name, {}).items():
        fields = changed(fields, field, value)
    made = event(item.leg, item.event, at, **fields)
    if item.leg in sequence.conferences:
        made = of_conference(made, sequence.conferences[item.leg])
    if item.delivery:
        token = f"token {item.delivery.inbox}" if item.delivery.inbox else made.token
        made = msgspec.structs.replace(made, token=token, method=item.delivery.method or "POST")
    return made


def situation(sequence: Sequence) -> dict[str, Event]:
    """The events of the given legs, and what was prepared."""
    history: dict[str, Event] = {}
    for given_leg in sequence.given:
        for place, kind in enumerate(GIVEN_EVENTS[given_leg.state]):
            history[f"given {given_leg.leg} {kind}"] = event(given_leg.leg, kind, place - 100)
    for step in sequence.prepare:
        for caused in step.causes if isinstance(step, Send | FarEnd) else ():
            history[f"prepared {len(history)}"] = event(caused.leg, caused.event, len(history) - 50)
    return history


def heard(listener: Listener) -> tuple[StreamMessage, ...]:
    """What a socket or port hears of a stream that conforms."""
    if listener.form == "rtp":
        return (StreamMessage(raw=b"\x80" + bytes(171)), StreamMessage(raw=b"\x80" + bytes(171)))
    call = {"call_control_id": f"call_control_id {listener.leg}"}
    said: list[tuple[str, dict[str, Any]]] = [
        ("start", call | {"media_format": {"encoding": "PCMU", "sample_rate": 8000, "channels": 1}})
    ]
    said += [("media", {"track": track, "chunk": "1", "payload": "/w=="}) for track in listener.tracks]
    said += [("dtmf", {"digit": digit}) for digit in listener.digits]
    said += [("stop", call)] if listener.closed else []
    numbered = [
        {"event": kind, "sequence_number": str(number), "stream_id": "stream", kind: content}
        for number, (kind, content) in enumerate(said, start=1)
    ]
    return tuple(
        StreamMessage(raw=msgspec.json.encode(message), connection=0)
        for message in [{"event": "connected", "version": "1.0.0"}, *numbered]
    )


STREAM_FAULTS: dict[str, tuple[str, dict[str, Any]]] = {
    "numbers": ("media", {"sequence_number": "1"}),
    "identity": ("start", {"stream_id": "another"}),
    "format": ("media", {"payload": "%"}),
    "tracks": ("media", {"track": "sideways"}),
    "digits": ("dtmf", {"digit": "#"}),
}
"""For each aspect of a stream the messages that break it, and what is wrong with them."""


def spoilt_stream(listener: Listener, aspect: str) -> tuple[StreamMessage, ...]:
    messages = heard(listener)
    if aspect == "packets":
        return (*messages, StreamMessage(raw=b"no RTP"))
    if aspect == "flow":
        return messages[1:]
    kind, wrong = STREAM_FAULTS[aspect]

    def spoil(message: StreamMessage) -> StreamMessage:
        own = {**message.document, **wrong}
        inner = {**message.document, kind: {**message.content, **wrong}}
        document = own if aspect in ("numbers", "identity") else inner
        return StreamMessage(raw=msgspec.json.encode(document), connection=0)

    return tuple(spoil(message) if message.event == kind else message for message in messages)


def conforming(sequence: Sequence, *, without: frozenset[str] = frozenset()) -> tuple[dict[str, Event], Bindings]:
    """A history that conforms, keyed by the names of its events; those of the situation come first."""
    sent = sent_by(sequence)
    history = situation(sequence)
    when = times(sequence)
    for item in sequence.wanted.values():
        for number in range(0 if item.name in without else item.times):
            at = when[item.name] + GAP * number
            history[f"{item.name}#{number + 1}" if number else item.name] = occurrence(sequence, item, sent, number, at)
    for answer in sequence.answers:
        said = sent[answer.step]
        data = changed(said.data, answer.expected.field, expected_value(answer.expected, sent))
        sent[answer.step] = msgspec.structs.replace(said, data=data)
    bound = {item.leg for item in sequence.given} | ({"A"} if sequence.command == "DialCall" else set())
    bindings = Bindings(
        legs={leg: LegIds(call_control_id=f"call_control_id {leg}", call_leg_id=f"call_leg_id {leg}") for leg in bound},
        sent=sent,
        inboxes={"own": "token own"},
        streams={listener.word: heard(listener) for listener in sequence.streams},
    )
    return history, bindings


def arrived(events: list[Event]) -> list[Event]:
    return [msgspec.structs.replace(one, arrival=arrival) for arrival, one in enumerate(events)]


def altered(one: Event, fields: dict[str, Any] | None = None, *, at: datetime | None = None) -> Event:
    assert one.document
    data = {**one.data, "payload": one.payload | (fields or {})}
    if at is not None:
        data["occurred_at"] = at.isoformat()
    return msgspec.structs.replace(one, document={**one.document, "data": data})


def occurred(one: Event) -> datetime:
    return datetime.fromisoformat(one.occurred_at)


def failures(sequence: Sequence, events: list[Event], bindings: Bindings) -> set[str]:
    outcomes = judge_sequence(sequence, events, bindings, VALIDATORS)
    return {outcome.requirement for outcome in outcomes if outcome.verdict == "fail"}


def spoil_event(history: History, sequence: Sequence, one: Constraint) -> None:
    """Break a statement about one event."""
    if one.kind == "present":
        del history[one.subject.name]
    elif one.kind == "payload":
        item, expected = one.subject
        history[item.name] = altered(history[item.name], spoilt(history[item.name].payload, expected))
    elif one.kind == "delivery":
        name = one.subject.name
        history[name] = msgspec.structs.replace(history[name], token="elsewhere", method="PUT")
    else:
        assert one.kind == "share"
        free = [name for name in history if not is_fixed(sequence, name, one.subject)]
        history[free[-1]] = altered(history[free[-1]], {one.subject: "another"})


def spoil_time(history: History, sequence: Sequence, one: Constraint) -> None:
    """Move one of two events so that order or timing breaks; what a bound of time holds is not moved for an order."""
    first, second = one.subject.first, one.subject.second
    repeated = f"{first}#{sequence.wanted[first].times}"
    first = repeated if repeated in history else first
    if one.kind == "timing":
        bound = one.subject.at_least
        seconds = timedelta(seconds=one.subject.less_than if bound is None else bound)
        history[second] = altered(
            history[second], at=occurred(history[first]) + seconds - (MICROSECOND if bound is not None else timedelta())
        )
    elif any(second == timing.second for timing in sequence.timing):
        history[first] = altered(history[first], at=occurred(history[second]) + MICROSECOND)
    else:
        history[second] = altered(history[second], at=occurred(history[first]) - MICROSECOND)


def spoil_whole(history: History, sequence: Sequence, one: Constraint) -> None:
    """Break a statement about all events: add one too many, or spoil the last."""
    if one.kind == "never":
        history["more"] = event(one.subject.leg, one.subject.event, 1e6)
    elif one.kind in ("closed", "legs"):
        history["more"] = event(sequence.legs[0] if one.kind == "closed" else "Z", UNLISTED, 1e6)
    elif one.kind in ("schema", "signature"):
        last = list(history)[-1]
        history[last] = (
            altered(history[last], {"broken": True})
            if one.kind == "schema"
            else msgspec.structs.replace(history[last], signature="invalid")
        )


SPOILERS = {
    **dict.fromkeys(("present", "payload", "delivery", "share"), spoil_event),
    **dict.fromkeys(("order", "timing"), spoil_time),
    **dict.fromkeys(("never", "closed", "legs", "schema", "signature"), spoil_whole),
}


def broken(sequence: Sequence, one: Constraint) -> tuple[list[Event], Bindings]:
    """A history that breaks `one` and nothing else."""
    optional = frozenset(item.name for item in sequence.may if item.event != "call.initiated")
    named = {one.subject.first, one.subject.second} if isinstance(one.subject, Order | Timing) else set()
    history, bindings = conforming(sequence, without=optional - named if named else frozenset())
    if one.kind in SPOILERS:
        SPOILERS[one.kind](history, sequence, one)
    elif one.kind == "stream":
        listener, aspect = one.subject
        streams = bindings.streams | {listener.word: spoilt_stream(listener, aspect)}
        bindings = msgspec.structs.replace(bindings, streams=streams)
    elif one.kind == "answer":
        said = bindings.sent[one.subject.step]
        said = msgspec.structs.replace(said, data=spoilt(said.data, one.subject.expected))
        bindings = msgspec.structs.replace(bindings, sent=bindings.sent | {one.subject.step: said})
    else:
        status = 500 if one.kind == "accepted" else 200
        said = msgspec.structs.replace(bindings.sent[one.subject.name], status=status)
        bindings = msgspec.structs.replace(bindings, sent=bindings.sent | {one.subject.name: said})
    return arrived(list(history.values())), bindings


def is_fixed(sequence: Sequence, name: str, field: str) -> bool:
    item = sequence.wanted.get(name)
    return item is not None and any(expected.field == field for expected in item.payload)


def test_every_kind_of_requirement_has_a_rule_and_is_in_use() -> None:
    assert set(RULES) == set(KINDS) == {one.kind for _, one in CONSTRAINTS}


@pytest.mark.parametrize("sequence", SEQUENCES.values(), ids=SEQUENCES)
def test_a_conforming_history_passes_every_requirement(sequence: Sequence) -> None:
    history, bindings = conforming(sequence)
    events = arrived(list(history.values()))
    assert {o.verdict for o in judge_sequence(sequence, events, bindings, VALIDATORS)} == {"pass"}
    assert is_complete(sequence, events, bindings)


@pytest.mark.parametrize(("sequence", "one"), CONSTRAINTS, ids=[one.id for _, one in CONSTRAINTS])
def test_each_requirement_is_named_when_it_alone_is_broken(sequence: Sequence, one: Constraint) -> None:
    events, bindings = broken(sequence, one)
    found = failures(sequence, events, bindings)
    if one.kind == "payload" and one.subject[1].field in (*IDENTITY, *sequence.share):
        assert one.id in found
    else:
        assert found == {one.id}


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_neither_order_of_arrival_nor_duplicates_change_a_verdict(data: st.DataObject) -> None:
    sequence, one = data.draw(st.sampled_from(CONSTRAINTS))
    straight, bindings = broken(sequence, one) if data.draw(st.booleans()) else whole(sequence)
    copies = data.draw(st.lists(st.sampled_from(straight), max_size=8)) if straight else []
    shuffled = arrived(data.draw(st.permutations(straight + copies)))
    assert failures(sequence, shuffled, bindings) == failures(sequence, straight, bindings)


def whole(sequence: Sequence) -> tuple[list[Event], Bindings]:
    history, bindings = conforming(sequence)
    return arrived(list(history.values())), bindings


def test_two_events_of_one_kind_are_not_one_event_delivered_twice() -> None:
    sequence = SEQUENCES["transfer-answered"]
    history, bindings = conforming(sequence)
    history["second"] = event("B", "call.bridged", 50)
    assert failures(sequence, arrived(list(history.values())), bindings) == {
        "TransferCall:webhooks.transfer-answered.bridged-b:present"
    }


def test_an_optional_event_that_comes_twice_is_reported() -> None:
    sequence = SEQUENCES["transfer-inbound"]
    history, bindings = conforming(sequence)
    history["second"] = event("A", "call.bridged", 50)
    assert failures(sequence, arrived(list(history.values())), bindings) == {
        "TransferCall:webhooks.transfer-inbound:closed"
    }


def test_a_repeated_command_that_dials_again_is_reported() -> None:
    sequence = SEQUENCES["transfer-repeated"]
    history, bindings = conforming(sequence)
    history["again"] = event("X", "call.initiated", 50)
    assert failures(sequence, arrived(list(history.values())), bindings) == {
        "TransferCall:commands.transfer-repeated:legs"
    }


def test_ids_that_name_two_legs_belong_to_neither() -> None:
    sequence = SEQUENCES["transfer-answered"]
    history, bindings = conforming(sequence)
    history["mixed"] = altered(event("B", "call.dtmf.received", 50), {"call_control_id": "call_control_id A"})
    assert failures(sequence, arrived(list(history.values())), bindings) == {
        "TransferCall:commands.transfer-answered:legs"
    }


def test_where_nothing_came_only_presence_and_the_command_are_judged() -> None:
    sequence = SEQUENCES["transfer-webhook-url"]
    _, bindings = conforming(sequence)
    outcomes = judge_sequence(sequence, [], bindings, VALIDATORS)
    by_verdict = {verdict: {o.kind for o in outcomes if o.verdict == verdict} for verdict in ("pass", "fail")}
    assert by_verdict == {"pass": {"accepted"}, "fail": {"present"}}


def test_a_signature_is_not_judged_without_the_public_key() -> None:
    sequence = SEQUENCES["transfer-answered"]
    history, bindings = conforming(sequence)
    unsigned = arrived([msgspec.structs.replace(one, signature="invalid") for one in history.values()])
    keyless = msgspec.structs.replace(bindings, verifiable=False)
    verdicts = {o.kind: o.verdict for o in judge_sequence(sequence, unsigned, keyless, VALIDATORS)}
    assert verdicts["signature"] == "inconclusive"


def language_sequence(name: str) -> tuple[Sequence, dict[str, Event], Bindings]:
    return (SEQUENCES[name], *conforming(SEQUENCES[name]))


def verdicts(sequence: Sequence, history: dict[str, Event], bindings: Bindings) -> dict[str, str]:
    outcomes = judge_sequence(sequence, arrived(list(history.values())), bindings, VALIDATORS)
    return {o.requirement.partition(f"{sequence.name}")[2]: o.verdict for o in outcomes if o.verdict != "pass"}


def test_repetitions_at_one_moment_have_their_values_in_any_order() -> None:
    sequence, history, bindings = language_sequence("queue-two-songs")
    at = occurred(history["digits"])
    history["digits#2"], history["digits"] = (
        altered(history["digits"], {"digit": "1"}, at=at),
        altered(history["digits#2"], {"digit": "2"}, at=at),
    )
    assert verdicts(sequence, history, bindings) == {}
    history["digits#2"] = altered(history["digits#2"], {"digit": "3"})
    assert verdicts(sequence, history, bindings) == {".digits.digit:payload": "fail"}


def test_a_repetition_too_many_or_too_few_is_a_matter_of_presence_alone() -> None:
    sequence, history, bindings = language_sequence("queue-two-songs")
    del history["digits#2"]
    told = {".digits:present": "fail", ".digits.digit:payload": "inconclusive"}
    assert verdicts(sequence, history, bindings) == told
    for place in (1, 2):
        at = times(sequence)["digits"] + place * GAP / 4
        history[f"more {place}"] = event("A", "call.dtmf.received", at, digit="2", **{"from": "caller"})
    assert verdicts(sequence, history, bindings) == told


def test_what_selects_an_event_must_be_known() -> None:
    sequence, history, bindings = language_sequence("queue-two-songs")
    sent = bindings.sent | {"again": msgspec.structs.replace(bindings.sent["again"], body={})}
    told = verdicts(sequence, history, msgspec.structs.replace(bindings, sent=sent))
    assert told[".second:present"] == "inconclusive"
    assert ".first:present" not in told


def test_an_event_that_fits_no_selection_goes_to_the_name_that_makes_none() -> None:
    sequence, history, bindings = language_sequence("queue-two-songs")
    history["more"] = event("A", "call.playback.started", 60, media_url="another")
    assert verdicts(sequence, history, bindings) == {":closed": "fail"}  # two of them are among those that may be
    del history["other"]
    assert verdicts(sequence, history, bindings) == {}
    history["spoken?"] = event("B", "call.speak.ended", 60, status="failed")
    assert verdicts(sequence, history, bindings) == {":closed": "fail"}


@pytest.mark.parametrize("value", [None, "absent"])
def test_what_another_event_lacks_cannot_be_agreed_with(value: str | None) -> None:
    sequence, history, bindings = language_sequence("queue-two-songs")
    assert history["saved"].document
    payload = history["saved"].document["data"]["payload"]
    if value:
        del payload["recording_id"]
    else:
        payload["recording_id"] = None
    assert verdicts(sequence, history, bindings) == {
        ".saved.recording_id:payload": "fail",
        ".failed.recording_id:payload": "inconclusive",
        ".command.recording.id:answer": "inconclusive",
    }


def test_an_answer_that_is_a_refusal_says_nothing_of_its_fields() -> None:
    sequence, history, bindings = language_sequence("queue-two-songs")
    read = msgspec.structs.replace(bindings.sent["read"], status=404, codes=("10005",))
    bindings = msgspec.structs.replace(bindings, sent=bindings.sent | {"read": read})
    told = verdicts(sequence, history, bindings)
    assert {place: word for place, word in told.items() if word == "fail"} == {".read:accepted": "fail"}
    assert {word for place, word in told.items() if place.endswith(":answer")} == {"inconclusive"}


@pytest.mark.parametrize("field", IDENTITY[:2])
@pytest.mark.parametrize("order", [1, -1])
def test_an_item_of_a_list_is_found_by_the_leg_it_names(field: str, order: int) -> None:
    sequence = next(s for s in SAMPLES if s.name == "leave-queue")
    history, bindings = conforming(sequence)
    first = {field: f"{field} A", "queue_position": 1}
    second = {field: f"{field} B", "queue_position": 2}
    full = msgspec.structs.replace(bindings.sent["full"], data=[first, second][::order])
    rest = msgspec.structs.replace(
        bindings.sent["rest"],
        data=[{**ids("B"), "queue_position": 1}],
    )
    sent = bindings.sent | {"full": full, "rest": rest}
    assert verdicts(sequence, history, msgspec.structs.replace(bindings, sent=sent)) == {}
    sent["rest"] = full
    assert {
        place for place, word in verdicts(sequence, history, msgspec.structs.replace(bindings, sent=sent)).items()
        if word == "fail"
    } >= {".rest.B.queue_position:answer"}  # fmt: skip


def test_an_event_of_a_conference_that_nobody_declared_belongs_nowhere() -> None:
    sequence, history, bindings = language_sequence("conference-speak")
    history["stray"] = altered(history["ended"], {"conference_id": "another"}, at=occurred(history["ended"]))
    assert history["stray"].document
    history["stray"].document["data"]["id"] = "another"
    assert verdicts(sequence, history, bindings) == {":legs": "fail"}


def test_an_event_of_a_participant_belongs_to_the_leg() -> None:
    sequence, history, bindings = language_sequence("conference-speak")
    found = history_of(sequence, arrived(list(history.values())), bindings)
    assert {name: found.legs[events[0].arrival] for name, events in found.found.items()} == {
        "started": "K", "ended": "K", "heard": "A",
    }  # fmt: skip
    assert leg_ids(sequence, arrived(list(history.values())), bindings).keys() == {"A", "B"}


def test_one_id_of_a_leg_is_enough() -> None:
    sequence, history, bindings = language_sequence("queue-two-songs")
    assert history["saved"].document
    del history["saved"].document["data"]["payload"]["call_control_id"]
    assert verdicts(sequence, history, bindings) == {}


def test_a_leg_that_was_prepared_comes_before_one_of_the_command() -> None:
    text = SAMPLES[[s.name for s in SAMPLES].index("hangup-bridged")]
    assert text.created == {"B": "transfer"}
    assert text.situation == {
        ("call.initiated", "A"): 1, ("call.answered", "A"): 1, ("call.bridged", "A"): 1,
        ("call.initiated", "B"): 1, ("call.answered", "B"): 1, ("call.bridged", "B"): 1,
    }  # fmt: skip


def test_true_is_not_one_and_null_is_absent() -> None:
    sequence = SEQUENCES["transfer-client-state-a"]
    history, bindings = conforming(sequence)
    assert "client_state" in history["initiated"].payload
    absent = {name: one for name, one in history.items() if name != "initiated"}
    absent["initiated"] = event("B", "call.initiated", 1)
    assert failures(sequence, arrived(list(absent.values())), bindings) == set()
    history["initiated"] = altered(history["initiated"], {"client_state": False})
    assert failures(sequence, arrived(list(history.values())), bindings) == {
        "TransferCall:webhooks.transfer-client-state-a.initiated.client_state:payload"
    }


@pytest.mark.parametrize("text", ["", "yesterday", "2025-13-01T00:00:00Z"])
def test_an_event_without_a_readable_time_has_no_order(text: str) -> None:
    sequence = SEQUENCES["transfer-answered"]
    history, bindings = conforming(sequence)
    assert history["answered"].document
    history["answered"].document["data"]["occurred_at"] = text
    outcomes = judge_sequence(sequence, arrived(list(history.values())), bindings, VALIDATORS)
    assert {o.verdict for o in outcomes if o.kind == "order"} == {"inconclusive"}


@pytest.mark.parametrize(
    ("text", "microseconds"),
    [
        ("1970-01-01T00:00:01.000002Z", 1_000_002),
        ("1970-01-01T01:00:00+01:00", 0),
        ("1970-01-01T00:00:00", 0),
        ("2025-06-16T00:00:00.123456789Z", 1_750_032_000_123_456),
    ],
)
def test_moments_are_read_to_the_microsecond(text: str, microseconds: int) -> None:
    one = Event(token="t", arrival=0, method="POST", path="/", document={"data": {"occurred_at": text}})
    assert moment(one) == microseconds


@given(
    st.lists(st.recursive(st.none() | st.integers() | st.text(), lambda x: st.dictionaries(st.text(), x)), max_size=5)
)
def test_whatever_arrives_is_judged(documents: list[Any]) -> None:
    sequence = SEQUENCES["transfer-answered"]
    _, bindings = conforming(sequence)
    base = event("B", "call.answered", 1)
    odd = [
        msgspec.structs.replace(base, document=document if isinstance(document, dict) else None, arrival=place)
        for place, document in enumerate([*documents, *({"data": {"payload": d, "id": d}} for d in documents)])
    ]
    outcomes = judge_sequence(sequence, odd, bindings, real_validators())
    assert len(outcomes) == len(constraints(sequence))
    assert timeline(sequence, odd, bindings, outcomes)


@cache
def real_validators() -> Any:
    edition = load_edition("2025-06-16")
    return event_validators(edition, [edition.operation("TransferCall")])


def test_the_callbacks_of_an_operation_give_one_schema_for_each_event_type() -> None:
    assert set(real_validators()) == {
        "call.initiated",
        "call.answered",
        "call.bridged",
        "call.hangup",
        "call.machine.detection.ended",
        "call.machine.greeting.ended",
        "call.machine.premium.detection.ended",
        "call.machine.premium.greeting.ended",
    }


@pytest.mark.parametrize(
    ("kind", "fields", "place"),
    [
        ("call.hangup", {"hangup_cause": "bored"}, "data/payload/hangup_cause"),
        ("call.initiated", {"direction": "sideways"}, "data/payload/direction"),
        ("call.machine.greeting.ended", {"result": "no_beep_detected"}, "data/payload/result"),
        ("call.answered", {"tags": "none"}, "data/payload/tags"),
    ],
)
def test_a_payload_that_breaks_its_callback_schema_is_found(kind: str, fields: dict[str, Any], place: str) -> None:
    validator = real_validators()[kind]
    sound = event("B", kind, 1)
    assert sound.document
    sound.document["data"]["id"] = "0ccc7b54-4df3-4bca-a65a-3da1ecc777f0"
    assert validator.is_valid(sound.document)
    [error] = validator.iter_errors(altered(sound, fields).document)
    assert "/".join(str(part) for part in error.instance_path) == place


def test_an_event_without_its_envelope_is_found() -> None:
    assert not real_validators()["call.answered"].is_valid({"event_type": "call.answered"})


def test_what_has_been_received_so_far_can_be_awaited() -> None:
    sequence = SEQUENCES["transfer-again"]
    history, bindings = conforming(sequence)
    so_far = arrived([one for name, one in history.items() if name.startswith("given") or name.endswith("-b")])
    assert has_occurred(sequence, ["hungup-b"], so_far, bindings)
    assert not is_complete(sequence, so_far, bindings)
    assert leg_ids(sequence, so_far, bindings)["B"] == LegIds(
        call_control_id="call_control_id B", call_leg_id="call_leg_id B"
    )


def test_the_events_of_the_situation_are_not_judged_but_their_repetition_is() -> None:
    sequence = SEQUENCES["hangup-answered"]
    history, bindings = conforming(sequence)
    events = arrived(list(history.values()))
    assert set(history_of(sequence, events, bindings).slots) == {("call.hangup", "A")}
    history["again"] = event("A", "call.answered", 50)
    assert failures(sequence, arrived(list(history.values())), bindings) == {
        "HangupCall:webhooks.hangup-answered:closed"
    }


def test_a_failing_history_is_shown_as_a_timeline_with_a_lane_for_each_leg() -> None:
    sequence = SEQUENCES["transfer-busy"]
    history, bindings = conforming(sequence)
    history["unwanted"] = event("A", "call.hangup", 3, hangup_cause="normal_clearing")
    events = arrived([*history.values(), history["hungup"]])
    outcomes = judge_sequence(sequence, events, bindings, VALIDATORS)
    assert timeline(sequence, events, bindings, outcomes).splitlines() == [
        "     seconds  A                                      B",
        "    0.000000  #0 call.initiated",
        "    1.000000  #1 call.answered",
        "  101.000000                                         #2 call.initiated",
        "  102.000000                                         #3 call.hangup user_busy 2 deliveries",
        "> 103.000000  #4 call.hangup normal_clearing",
        "fail TransferCall:webhooks.transfer-busy.call.hangup@A:never",
        "  expected: call.hangup does not occur on leg A",
        "  actual:   it occurs at 2025-06-16T00:00:03+00:00",
    ]
