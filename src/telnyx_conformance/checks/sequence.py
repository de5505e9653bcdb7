"""The judge of sequences: what was observed against what a contract says must, may and must not follow a command."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal

import msgspec

from telnyx_conformance.checks.finding import shown
from telnyx_conformance.checks.history import (
    LEG_FIELDS,
    MICROSECONDS,
    Bindings,
    History,
    Sent,
    Unjudged,
    allowed,
    equal,
    history_of,
    known_legs,
    moment,
)
from telnyx_conformance.contract.exchange import Event
from telnyx_conformance.contract.sequence import (
    ABSENT,
    Answer,
    Expectation,
    Order,
    Repeat,
    Send,
    Sequence,
    Timing,
    Unwanted,
    Wanted,
    value_at,
)
from telnyx_conformance.contract.sequence_requirements import Constraint, Kind, constraints
from telnyx_conformance.contract.validators import Validator

MOST_SHOWN = 3
MOST_NAMED = 20


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """One requirement judged. `arrivals` are the deliveries that make up the smallest counter-example."""

    requirement: str
    kind: Kind
    verdict: Literal["pass", "fail", "inconclusive"]
    expected: str
    actual: str = ""
    arrivals: tuple[int, ...] = ()


class Trial(msgspec.Struct, frozen=True, kw_only=True):
    """All that one judgement looks at."""

    sequence: Sequence
    history: History
    bindings: Bindings
    validators: Mapping[str, Validator]


class Failure(msgspec.Struct, frozen=True):
    """What came instead, and the deliveries that show it."""

    actual: str
    events: tuple[Event, ...] = ()


class Pair(msgspec.Struct, frozen=True):
    """Two events and the time from the first to the second; of repetitions, the last and the first."""

    first: Event
    second: Event
    microseconds: int


Ruling = Failure | Unjudged | None
NOTHING_CAME = Unjudged("no event was received")


def judge_sequence(
    sequence: Sequence,
    observed_events: Iterable[Event],
    bindings: Bindings,
    validators: Mapping[str, Validator],
) -> tuple[Outcome, ...]:
    """Return one outcome for each requirement of `sequence`, in the order of the contract.

    Order is judged by `occurred_at`, never by arrival, and deliveries that repeat an event id count once. `validators`
    judge a whole webhook document by its `event_type`. A statement about an event that never came is inconclusive: its
    absence is reported once, by the requirement that it is present.
    """
    history = history_of(sequence, observed_events, bindings)
    trial = Trial(sequence=sequence, history=history, bindings=bindings, validators=validators)
    return tuple(_outcome(one, trial) for one in constraints(sequence))


def is_complete(sequence: Sequence, observed_events: Iterable[Event], bindings: Bindings) -> bool:
    """Return whether every event that completes the sequence has been received: what an inbox waits for."""
    return has_occurred(sequence, sequence.complete, observed_events, bindings)


def has_occurred(
    sequence: Sequence, names: Iterable[str], observed_events: Iterable[Event], bindings: Bindings
) -> bool:
    """Return whether the named events of the sequence have been received."""
    found = history_of(sequence, observed_events, bindings).found
    return all(len(found.get(name, ())) >= sequence.wanted[name].times for name in names)


def _outcome(one: Constraint, trial: Trial) -> Outcome:
    ruling = RULES[one.kind](one.subject, trial)
    if ruling is None:
        return Outcome(requirement=one.id, kind=one.kind, verdict="pass", expected=one.statement)
    if isinstance(ruling, Unjudged):
        return Outcome(
            requirement=one.id, kind=one.kind, verdict="inconclusive", expected=one.statement, actual=ruling.reason
        )
    arrivals = tuple(sorted(event.arrival for event in ruling.events))
    return Outcome(
        requirement=one.id,
        kind=one.kind,
        verdict="fail",
        expected=one.statement,
        actual=ruling.actual,
        arrivals=arrivals,
    )


def _is_present(item: Wanted, trial: Trial) -> Ruling:
    for selected in item.where:
        values = allowed(selected, trial.bindings)
        if isinstance(values, Unjudged):
            return values
    found = _found(item, trial)
    if len(found) == item.times:
        return None
    if found:
        return Failure(f"it occurs {_often(len(found))}", found[:MOST_SHOWN])
    elsewhere = [e for e in trial.history.events if trial.history.legs.get(e.arrival) == item.leg]
    came = ", ".join(event.type for event in elsewhere[:MOST_NAMED]) or "nothing"
    came += ", …" if len(elsewhere) > MOST_NAMED else ""
    return Failure(f"it does not occur; on leg {item.leg} came: {came}", tuple(elsewhere[:MOST_SHOWN]))


def _has_payload(subject: tuple[Wanted, Expectation], trial: Trial) -> Ruling:
    item, expected = subject
    found = _found(item, trial)
    if not found:
        return _absent(item, trial)
    if expected.rule == "each":
        return _has_each(item, expected, found)
    values = _values(expected, trial)
    if isinstance(values, Unjudged):
        return values
    for event in found:
        wrong = _wrong(expected, event.payload, values)
        if wrong:
            return Failure(wrong, (event,))
    return None


def _values(expected: Expectation, trial: Trial) -> tuple[Any, ...] | Unjudged:
    """Return the values that a field may have."""
    if expected.rule != "same_as":
        return allowed(expected, trial.bindings)
    other = expected.value
    found = trial.history.found.get(other.step, ())
    if not found:
        return Unjudged(f"{other.step} did not occur")
    value = value_at(found[0].payload, other.field)
    return Unjudged(f"{other.step} has no {other.field}") if value in (ABSENT, None) else (value,)


def _wrong(expected: Expectation, holder: Any, values: tuple[Any, ...]) -> str:
    """Return what is wrong about a field of `holder`, empty when it is as it must be."""
    value = value_at(holder, expected.field)
    came = "absent" if value is ABSENT else shown(value)
    if expected.rule == "present":
        return f"{expected.field} is {came}" if value in (ABSENT, None) else ""
    if any(equal(value, one) for one in values):
        return ""
    return f"{expected.field} is {came}, wanted {' or '.join(shown(one) for one in values)}"


def _has_each(item: Wanted, expected: Expectation, found: tuple[Event, ...]) -> Ruling:
    """Hold the repetitions of an event against one value each; those that occurred at the same moment in any order."""
    if len(found) != item.times:
        return Unjudged(f"{item.name} occurs {_often(len(found))}")
    left = list(expected.value)
    for _, together in itertools.groupby(found, key=moment):
        now = list(together)
        wanted, left = left[: len(now)], left[len(now) :]
        for event in now:
            value = value_at(event.payload, expected.field)
            place = next((n for n, one in enumerate(wanted) if equal(value, one)), None)
            if place is None:
                came = "absent" if value is ABSENT else shown(value)
                return Failure(f"{expected.field} is {came}, wanted {' or '.join(map(shown, wanted))}", (event,))
            del wanted[place]
    return None


def _is_delivered(item: Wanted, trial: Trial) -> Ruling:
    found = _found(item, trial)
    if not found:
        return _absent(item, trial)
    how = item.delivery
    token = trial.bindings.inboxes.get(how.inbox, "") if how else ""
    if how and how.inbox and not token:
        return Unjudged(f"there is no inbox {how.inbox}")
    for event in found:
        if token and event.token != token:
            return Failure("it is delivered to another address", (event,))
        if how and how.method and event.method != how.method:
            return Failure(f"it is delivered by {event.method}", (event,))
    return None


def _is_ordered(order: Order, trial: Trial) -> Ruling:
    pair = _pair(order, trial)
    if not isinstance(pair, Pair):
        return pair
    if pair.microseconds >= 0:
        return None
    said = f"{pair.first.type} occurred at {pair.first.occurred_at}, {pair.second.type} at {pair.second.occurred_at}"
    return Failure(said, (pair.first, pair.second))


def _is_timed(timing: Timing, trial: Trial) -> Ruling:
    pair = _pair(timing, trial)
    if not isinstance(pair, Pair):
        return pair
    early = timing.at_least is not None and pair.microseconds < timing.at_least * MICROSECONDS
    late = timing.less_than is not None and pair.microseconds >= timing.less_than * MICROSECONDS
    if early or late:
        return Failure(f"{pair.microseconds / MICROSECONDS:.15g} s passed", (pair.first, pair.second))
    return None


def _never_occurs(item: Unwanted, trial: Trial) -> Ruling:
    found = trial.history.slots.get((item.event, item.leg), ())
    if found:
        return Failure(f"it occurs at {found[0].occurred_at}", found[:1])
    return None if trial.history.deliveries else NOTHING_CAME


def _is_shared(field: str, trial: Trial) -> Ruling:
    by_value: dict[str, Event] = {}
    for event in trial.history.events:
        leg = trial.history.legs.get(event.arrival, "")
        if leg and (
            field in event.payload or leg not in trial.sequence.conferences
        ):  # a conference has fields of its own
            by_value.setdefault(shown(event.payload.get(field)), event)
    if not by_value:
        return NOTHING_CAME
    if len(by_value) == 1:
        return None
    pair = list(by_value.items())[:2]
    return Failure("; ".join(f"{event.type} has {value}" for value, event in pair), tuple(event for _, event in pair))


def _is_closed(_: object, trial: Trial) -> Ruling:
    never = {(item.event, item.leg) for item in trial.sequence.never}
    legs = trial.history.legs
    for event in trial.history.unnamed:
        if (event.type, legs[event.arrival]) not in never:
            return Failure(f"{event.type} occurs on leg {legs[event.arrival]} although it is not listed", (event,))
    for item in trial.sequence.may:
        found = _found(item, trial)
        if len(found) > item.times:
            return Failure(f"{item.event} occurs on leg {item.leg} {_often(len(found))}", found[-1:])
    return None if trial.history.deliveries else NOTHING_CAME


def _has_legs(_: object, trial: Trial) -> Ruling:
    strays = trial.history.strays
    if not strays:
        return None if trial.history.deliveries else NOTHING_CAME
    first = strays[0]
    if not first.type:
        return Failure("a delivery holds no event", (first,))
    ids = shown({field: first.payload.get(field) for field in ("call_leg_id", "call_control_id")})
    return Failure(f"{first.type} belongs to no declared leg: {ids}", (first,))


def _has_schema(_: object, trial: Trial) -> Ruling:
    for event in trial.history.events:
        validator = trial.validators.get(event.type)
        if event.document is None:
            return Failure("a delivery is not a JSON object", (event,))
        if validator is None:
            continue  # undocumented, so without a schema to satisfy; that it came is for another requirement to report
        for error in validator.iter_errors(event.document):
            place = "/".join(str(part) for part in error.instance_path)
            return Failure(f"{event.type} /{place}: {shown(error.message)}", (event,))
    return None if trial.history.events else NOTHING_CAME


def _is_signed(_: object, trial: Trial) -> Ruling:
    if not trial.history.deliveries:
        return NOTHING_CAME
    if not trial.bindings.verifiable:
        return Unjudged("the target's public key is not known")
    for event in trial.history.deliveries:
        if event.signature != "valid":
            return Failure(f"the signature of {event.type} is {event.signature}", (event,))
    return None


def _is_accepted(step: Send | Repeat, trial: Trial) -> Ruling:
    sent = _answered(step, trial)
    if isinstance(sent, Unjudged):
        return sent
    return None if sent.status in range(200, 300) else Failure(_answer(sent))


def _is_refused(step: Send | Repeat, trial: Trial) -> Ruling:
    sent = _answered(step, trial)
    if isinstance(sent, Unjudged) or step.refused is None:
        return sent if isinstance(sent, Unjudged) else None
    same = sent.status == step.refused.status and step.refused.code in ("", *sent.codes)
    return None if same else Failure(_answer(sent))


def _has_answered(said: Answer, trial: Trial) -> Ruling:
    sent = trial.bindings.sent.get(said.step)
    if sent is None or not sent.status:
        return Unjudged(f"{said.step} was not sent or not answered")
    if sent.status not in range(200, 300):
        return Unjudged(f"{said.step} was refused: {_answer(sent)}")
    values = _values(said.expected, trial)
    if isinstance(values, Unjudged):
        return values
    wrong = _wrong(said.expected, _by_leg(sent.data, trial) if isinstance(sent.data, list) else sent.data, values)
    return Failure(wrong) if wrong else None


def _by_leg(items: list[Any], trial: Trial) -> dict[str, Any]:
    """Return the items of a list by their number, and those that name a leg of the sequence also by that leg."""
    by_id = {
        (field, item[field]): item
        for item in reversed(items)
        if isinstance(item, dict)
        for field in LEG_FIELDS
        if isinstance(item.get(field), str)
    }
    found = {str(number): item for number, item in enumerate(items)}
    for leg, ids in known_legs(trial.sequence, trial.history, trial.bindings).items():
        named = [(field, getattr(ids, field)) for field in LEG_FIELDS if getattr(ids, field)]
        item = next((by_id[key] for key in named if key in by_id), None)
        if item is not None:
            found[leg] = item
    return found


RULES: Mapping[Kind, Callable[[Any, Trial], Ruling]] = {
    "present": _is_present,
    "payload": _has_payload,
    "delivery": _is_delivered,
    "order": _is_ordered,
    "timing": _is_timed,
    "never": _never_occurs,
    "share": _is_shared,
    "closed": _is_closed,
    "legs": _has_legs,
    "schema": _has_schema,
    "signature": _is_signed,
    "accepted": _is_accepted,
    "refused": _is_refused,
    "answer": _has_answered,
}


def _found(item: Wanted, trial: Trial) -> tuple[Event, ...]:
    return trial.history.found.get(item.name, ())


def _often(count: int) -> str:
    return {1: "once", 2: "twice"}.get(count, f"{count} times")


def _absent(item: Wanted, trial: Trial) -> Unjudged | None:
    """Say what an event's absence means to a statement about it: nothing when it may be absent."""
    if not trial.history.deliveries:
        return NOTHING_CAME
    return None if item in trial.sequence.may else Unjudged(f"{item.name} did not occur")


def _pair(item: Order | Timing, trial: Trial) -> Pair | Unjudged | None:
    """Return the two events and the time from the first to the second, or what it means that one is missing."""
    names = [trial.sequence.wanted[name] for name in (item.first, item.second)]
    several = [_found(name, trial) for name in names]
    if not all(several):
        rulings = [_absent(name, trial) for name, found in zip(names, several, strict=True) if not found]
        return next((ruling for ruling in rulings if ruling), None)
    first, second = several[0][: names[0].times][-1], several[1][0]
    moments = moment(first), moment(second)
    if min(moments) < 0:
        return Unjudged("occurred_at is not ISO 8601")
    return Pair(first, second, moments[1] - moments[0])


def _answered(step: Send | Repeat, trial: Trial) -> Sent | Unjudged:
    sent = trial.bindings.sent.get(step.name)
    return sent if sent and sent.status else Unjudged(f"{step.name} was not sent or not answered")


def _answer(sent: Sent) -> str:
    return f"status {sent.status}" + (f" with code {', '.join(sent.codes)}" if sent.codes else "")
