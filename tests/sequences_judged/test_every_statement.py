"""Every statement of every sequence: a history that conforms passes, and one that breaks a statement has it named."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from telnyx_conformance.checks.sequence import RULES, is_complete, judge_sequence
from telnyx_conformance.contract.media_stream import StreamMessage
from telnyx_conformance.contract.sequence import Order, Sequence, Timing
from telnyx_conformance.contract.sequence_requirements import KINDS, Constraint, constraints

if TYPE_CHECKING:
    from telnyx_conformance.checks.history import Bindings
    from telnyx_conformance.contract.exchange import Event

UNHEARD_OF = "call.unheard.of"
LATE = 1e6  # seconds
STREAM_FAULTS: dict[str, tuple[str, dict[str, Any]]] = {
    "numbers": ("media", {"sequence_number": "1"}),
    "identity": ("start", {"stream_id": "another"}),
    "format": ("media", {"payload": "%"}),
    "tracks": ("media", {"track": "sideways"}),
    "digits": ("dtmf", {"digit": "#"}),
}
"""For each aspect of a stream the messages that break it, and what is wrong with them."""


def spoilt_stream(aspect: str, messages: tuple[StreamMessage, ...]) -> tuple[StreamMessage, ...]:
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


def spoilt_event(history: dict[str, Event], sequence: Sequence, one: Constraint, histories: Any) -> None:
    """Break what is said of one event, or of all events alike."""
    last = list(history)[-1]
    if one.kind == "present":
        del history[one.subject.name]
    elif one.kind == "delivery":
        name = one.subject.name
        history[name] = msgspec.structs.replace(history[name], token="elsewhere", method="PUT")
    elif one.kind == "share":
        free = [name for name in history if not is_fixed(sequence, name, one.subject)]
        history[free[-1]] = histories.altered(history[free[-1]], {one.subject: "another"})
    elif one.kind == "schema":
        history[last] = histories.altered(history[last], {"broken": True})
    else:
        assert one.kind == "signature"
        history[last] = msgspec.structs.replace(history[last], signature="invalid")


def is_fixed(sequence: Sequence, name: str, field: str) -> bool:
    item = sequence.wanted.get(name.partition("#")[0])
    return item is not None and any(expected.field == field for expected in item.payload)


def one_too_many(sequence: Sequence, one: Constraint, seen: set[str], histories: Any) -> Event:
    """Return an event that does not belong there."""
    if one.kind == "never":
        made: Event = histories.occurrence_of(sequence, one.subject.leg, one.subject.event, LATE)
    elif one.kind == "closed":
        made = histories.occurrence_of(sequence, sequence.legs[0], UNHEARD_OF, LATE)
    else:
        made = histories.event("Z", UNHEARD_OF, LATE)
        if set(sequence.created) - seen:  # a leg without an event would be taken for the one that may yet be created
            made = histories.of_conference(made, "id of nobody")
    return made


def broken(sequence: Sequence, one: Constraint, histories: Any) -> tuple[list[Event], Bindings]:
    """Return a history that breaks `one` and nothing else."""
    how: dict[str, Any] = {}
    if isinstance(one.subject, Order | Timing):
        named = {one.subject.first, one.subject.second}
        optional = {item.name for item in sequence.may if item.event != "call.initiated"}
        how = {"untimely": one.subject, "without": optional - named}
    elif one.kind == "payload":
        item, expected = one.subject
        how = {"wrong": histories.place("event", item.name, expected.field, item.times - 1)}
    elif one.kind == "answer":
        how = {"wrong": histories.place("answer", one.subject.step, one.subject.expected.field)}
    history, bindings = histories.conforming(sequence, **how)
    if one.kind in ("never", "closed", "legs"):
        seen = {item.leg for item in sequence.wanted.values()} | set(bindings.legs)
        history["more"] = one_too_many(sequence, one, seen, histories)
    elif one.kind == "stream":
        listener, aspect = one.subject
        streams = {**bindings.streams, listener.word: spoilt_stream(aspect, histories.heard(listener))}
        bindings = msgspec.structs.replace(bindings, streams=streams)
    elif one.kind in ("accepted", "refused"):
        said = msgspec.structs.replace(bindings.sent[one.subject.name], status=500 if one.kind == "accepted" else 200)
        bindings = msgspec.structs.replace(bindings, sent={**bindings.sent, one.subject.name: said})
    elif not how:
        spoilt_event(history, sequence, one, histories)
    return histories.arrived(history.values()), bindings


def companions(sequence: Sequence, one: Constraint, histories: Any) -> set[str]:
    """Return what no history can keep while it breaks `one`.

    Bounds of time that are stricter than what is broken and speak of the same two events; that all events agree in a field,
    when one of them must have a certain value there; that a list is empty, when it must not hold a certain leg either.
    """
    with_it: list[Any] = []
    if isinstance(one.subject, Order | Timing):
        with_it = histories.implied(sequence, one.subject)
    elif one.kind == "payload":
        with_it = [field for field in sequence.share if field == one.subject[1].field]
    elif one.kind == "answer" and one.subject.expected.field in {f"{leg}.call_control_id" for leg in sequence.legs}:
        said = [answer for answer in sequence.answers if answer.step == one.subject.step]
        with_it = [answer for answer in said if answer.expected.field == "0" and answer.expected.value is None]
    return {other.id for other in constraints(sequence) if other.subject in with_it}


def test_every_kind_of_requirement_has_a_rule_and_is_in_use(statements: list[Any]) -> None:
    assert set(RULES) == set(KINDS) == {one.kind for _, one in statements}


def test_a_conforming_history_passes_every_requirement(sequence: Sequence, histories: Any) -> None:
    history, bindings = histories.conforming(sequence)
    for events in both_ways(histories.arrived(history.values()), histories):
        verdicts = {o.requirement: o.verdict for o in judge_sequence(sequence, events, bindings, histories.validators)}
        assert {name: verdict for name, verdict in verdicts.items() if verdict != "pass"} == {}
        assert is_complete(sequence, events, bindings)


def test_each_requirement_is_named_when_it_alone_is_broken(
    sequence: Sequence, statement: Constraint, histories: Any
) -> None:
    straight, bindings = broken(sequence, statement, histories)
    for events in both_ways(straight, histories):
        found = histories.failures(sequence, events, bindings)
        assert found == {statement.id} | companions(sequence, statement, histories)


def both_ways(events: list[Event], histories: Any) -> tuple[list[Event], list[Event]]:
    """Return events as they are, and as they arrive the last first and each of them twice."""
    return events, histories.arrived([one for one in reversed(events) for _ in range(2)])


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_neither_order_of_arrival_nor_duplicates_change_a_verdict(
    statements: list[Any], histories: Any, data: st.DataObject
) -> None:
    sequence, one = data.draw(st.sampled_from(statements))
    if data.draw(st.booleans()):
        straight, bindings = broken(sequence, one, histories)
    else:
        history, bindings = histories.conforming(sequence)
        straight = histories.arrived(history.values())
    copies = data.draw(st.lists(st.sampled_from(straight), max_size=8)) if straight else []
    shuffled = histories.arrived(data.draw(st.permutations(straight + copies)))
    assert histories.failures(sequence, shuffled, bindings) == histories.failures(sequence, straight, bindings)
