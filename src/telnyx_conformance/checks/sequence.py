"""The judge of sequences: what was observed against what a contract says must, may and must not follow a command."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import msgspec

from telnyx_conformance.checks.finding import shown
from telnyx_conformance.checks.history import (
    MICROSECONDS,
    Bindings,
    Unjudged,
    allowed,
    history_of,
    moment,
)
from telnyx_conformance.checks.sequence_fields import has_answered, has_payload
from telnyx_conformance.checks.stream import has_stream
from telnyx_conformance.checks.trial import (
    NOTHING_CAME,
    Failure,
    Ruling,
    Trial,
    absence,
    answer_to,
    found_as,
    often,
    outline,
)
from telnyx_conformance.contract.exchange import Event
from telnyx_conformance.contract.sequence_requirements import Constraint, Kind, constraints

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from telnyx_conformance.contract.sequence import (
        Order,
        Repeat,
        Send,
        Sequence,
        Timing,
        Unwanted,
        Wanted,
    )
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


class Pair(msgspec.Struct, frozen=True):
    """Two events and the time from the first to the second; of repetitions, the last and the first."""

    first: Event
    second: Event
    microseconds: int


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
    found = found_as(item, trial)
    if len(found) == item.times:
        return None
    if found:
        return Failure(f"it occurs {often(len(found))}", found[:MOST_SHOWN])
    elsewhere = [e for e in trial.history.events if trial.history.legs.get(e.arrival) == item.leg]
    came = ", ".join(event.type for event in elsewhere[:MOST_NAMED]) or "nothing"
    came += ", …" if len(elsewhere) > MOST_NAMED else ""
    return Failure(f"it does not occur; on leg {item.leg} came: {came}", tuple(elsewhere[:MOST_SHOWN]))


def _is_delivered(item: Wanted, trial: Trial) -> Ruling:
    found = found_as(item, trial)
    if not found:
        return absence(item, trial)
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
        found = found_as(item, trial)
        if len(found) > item.times:
            return Failure(f"{item.event} occurs on leg {item.leg} {often(len(found))}", found[-1:])
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
    sent = answer_to(step.name, trial)
    if isinstance(sent, Unjudged):
        return sent
    return None if sent.status in range(200, 300) else Failure(outline(sent))


def _is_refused(step: Send | Repeat, trial: Trial) -> Ruling:
    sent = answer_to(step.name, trial)
    if isinstance(sent, Unjudged) or step.refused is None:
        return sent if isinstance(sent, Unjudged) else None
    same = sent.status == step.refused.status and step.refused.code in ("", *sent.codes)
    return None if same else Failure(outline(sent))


RULES: Mapping[Kind, Callable[[Any, Trial], Ruling]] = {
    "present": _is_present,
    "payload": has_payload,
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
    "answer": has_answered,
    "stream": has_stream,
}


def _pair(item: Order | Timing, trial: Trial) -> Pair | Unjudged | None:
    """Return the two events and the time from the first to the second, or what it means that one is missing."""
    names = [trial.sequence.wanted[name] for name in (item.first, item.second)]
    several = [found_as(name, trial) for name in names]
    if not all(several):
        rulings = [absence(name, trial) for name, found in zip(names, several, strict=True) if not found]
        return next((ruling for ruling in rulings if ruling), None)
    first, second = several[0][: names[0].times][-1], several[1][0]
    moments = moment(first), moment(second)
    if min(moments) < 0:
        return Unjudged("occurred_at is not ISO 8601")
    return Pair(first, second, moments[1] - moments[0])
