"""A history as text: one lane for each leg, one line for each event, in order of occurrence, culprits marked."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from telnyx_conformance.checks.history import MICROSECONDS, Bindings, history_of, moment

if TYPE_CHECKING:
    from collections.abc import Iterable

    from telnyx_conformance.checks.sequence import Outcome
    from telnyx_conformance.contract.exchange import Event
    from telnyx_conformance.contract.sequence import Sequence

STRAY = "?"
SHOWN = ("result", "hangup_cause")


def timeline(
    sequence: Sequence, observed_events: Iterable[Event], bindings: Bindings, outcomes: Iterable[Outcome] = ()
) -> str:
    """Return the history as lines: seconds since the first event, a lane per leg, arrival numbers, then what failed."""
    history = history_of(sequence, observed_events, bindings)
    failed = [outcome for outcome in outcomes if outcome.verdict == "fail"]
    culprits = {arrival for outcome in failed for arrival in outcome.arrivals}
    copies = Counter(event.id for event in history.deliveries)
    lanes = [*sequence.legs, *([STRAY] if history.strays else [])]
    texts = {event.arrival: _text(event, copies[event.id]) for event in history.events}
    width = max([len(text) for text in texts.values()], default=0) + 2
    start = moment(history.events[0]) if history.events else 0
    lines = [f"{'seconds':>12}  " + "".join(f"{lane:<{width}}" for lane in lanes).rstrip()]
    for event in history.events:
        lane = lanes.index(history.legs.get(event.arrival, STRAY))
        mark = ">" if event.arrival in culprits else " "
        seconds = (moment(event) - start) / MICROSECONDS
        lines.append(f"{mark}{seconds:>11.6f}  " + " " * (width * lane) + texts[event.arrival])
    if not history.events:
        lines.append("              no event was received")
    for outcome in failed:
        lines += [f"fail {outcome.requirement}", f"  expected: {outcome.expected}", f"  actual:   {outcome.actual}"]
    return "\n".join(lines)


def _text(event: Event, copies: int) -> str:
    details = [str(event.payload[field]) for field in SHOWN if event.payload.get(field)]
    details += [f"{copies} deliveries"] if copies > 1 else []
    return " ".join([f"#{event.arrival}", event.type or "(no event)", *details])
