"""One judgement of a sequence: what it looks at, what it can come to, and the questions that several rules ask."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from telnyx_conformance.checks.history import Bindings, History, Sent, Unjudged
from telnyx_conformance.contract.exchange import Event
from telnyx_conformance.contract.sequence import Sequence, Wanted
from telnyx_conformance.contract.validators import Validator


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


Ruling = Failure | Unjudged | None
NOTHING_CAME = Unjudged("no event was received")


def found_as(item: Wanted, trial: Trial) -> tuple[Event, ...]:
    """Return the events that go by a name."""
    return trial.history.found.get(item.name, ())


def often(count: int) -> str:
    """Return a count in words."""
    return {1: "once", 2: "twice"}.get(count, f"{count} times")


def absence(item: Wanted, trial: Trial) -> Unjudged | None:
    """Say what an event's absence means to a statement about it: nothing when it may be absent."""
    if not trial.history.deliveries:
        return NOTHING_CAME
    return None if item in trial.sequence.may else Unjudged(f"{item.name} did not occur")


def answer_to(step: str, trial: Trial) -> Sent | Unjudged:
    """Return what a step was answered."""
    sent = trial.bindings.sent.get(step)
    return sent if sent and sent.status else Unjudged(f"{step} was not sent or not answered")


def outline(sent: Sent) -> str:
    """Return status and error codes of an answer in words."""
    return f"status {sent.status}" + (f" with code {', '.join(sent.codes)}" if sent.codes else "")
