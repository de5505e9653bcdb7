"""What fields of events and answers must be: literals, what was asked or answered, what another event says."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

from telnyx_conformance.checks.finding import shown
from telnyx_conformance.checks.history import LEG_FIELDS, Unjudged, allowed, equal, known_legs, moment
from telnyx_conformance.checks.trial import Failure, Ruling, Trial, absence, answer_to, found_as, often, outline
from telnyx_conformance.contract.sequence import ABSENT, Answer, Expectation, Wanted, value_at

if TYPE_CHECKING:
    from telnyx_conformance.contract.exchange import Event


def has_payload(subject: tuple[Wanted, Expectation], trial: Trial) -> Ruling:
    """Judge a field of an event, at each of its occurrences."""
    item, expected = subject
    found = found_as(item, trial)
    if not found:
        return absence(item, trial)
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
        return Unjudged(f"{item.name} occurs {often(len(found))}")
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


def has_answered(said: Answer, trial: Trial) -> Ruling:
    """Judge a field of a step's answer."""
    sent = answer_to(said.step, trial)
    if isinstance(sent, Unjudged):
        return sent
    if sent.status not in range(200, 300):
        return Unjudged(f"{said.step} was refused: {outline(sent)}")
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
