"""What was observed, made ready for judging: deliveries folded into events, events assigned to legs."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import msgspec

from telnyx_conformance.contract.exchange import Event
from telnyx_conformance.contract.sequence import GIVEN_EVENTS, Sequence

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

LEG_FIELDS = ("call_leg_id", "call_control_id")
MICROSECONDS = 1_000_000


class LegIds(msgspec.Struct, frozen=True, kw_only=True):
    """The ids by which events name a leg; either may be unknown (empty)."""

    call_control_id: str = ""
    call_leg_id: str = ""


class Sent(msgspec.Struct, frozen=True, kw_only=True):
    """A step that was carried out: the body as sent, and the answer's status, `data` object and error codes."""

    body: dict[str, Any] = {}
    status: int = 0
    data: dict[str, Any] = {}
    codes: tuple[str, ...] = ()


class Bindings(msgspec.Struct, frozen=True, kw_only=True):
    """What the runner knows and the events do not say.

    `legs` holds the given legs and any other whose ids are known (a leg that Dial answered with); the rest is found by
    order of appearance. `sent` is keyed by step name, and by leg for the request that made a given leg. `inboxes` maps
    names in requests to tokens. `verifiable` says whether the target's public key is known.
    """

    legs: dict[str, LegIds] = {}
    sent: dict[str, Sent] = {}
    inboxes: dict[str, str] = {}
    verifiable: bool = True


class History(msgspec.Struct, frozen=True, kw_only=True):
    """Events by their place in a sequence.

    `deliveries` are all that came, `events` the first delivery of each event id in order of occurrence, `legs` the leg
    of each event (by arrival number; absent when it is of no declared leg), `slots` what the sequence judges, by type
    and leg: the events of the situation are not among them.
    """

    deliveries: tuple[Event, ...]
    events: tuple[Event, ...]
    legs: dict[int, str]
    slots: dict[tuple[str, str], tuple[Event, ...]]
    strays: tuple[Event, ...]


def history_of(sequence: Sequence, observed: Iterable[Event], bindings: Bindings) -> History:
    """Fold, order and assign what was observed. Linear but for the sorting."""
    deliveries = tuple(observed)
    events = sorted(_folded(deliveries), key=lambda event: (moment(event), event.arrival))
    names = _leg_names(sequence, events, bindings)
    legs: dict[int, str] = {}
    strays: list[Event] = []
    slots: dict[tuple[str, str], list[Event]] = {}
    prior = Counter((kind, given.leg) for given in sequence.given for kind in GIVEN_EVENTS[given.state])
    for event in events:
        found = {names.get(_key(event, field), "") for field in LEG_FIELDS if event.payload.get(field)}
        leg = found.pop() if len(found) == 1 else ""
        if not leg:
            strays.append(event)
            continue
        legs[event.arrival] = leg
        slot = (event.type, leg)
        if prior[slot]:
            prior[slot] -= 1
        else:
            slots.setdefault(slot, []).append(event)
    return History(
        deliveries=deliveries,
        events=tuple(events),
        legs=legs,
        slots={slot: tuple(found) for slot, found in slots.items()},
        strays=tuple(strays),
    )


def leg_ids(sequence: Sequence, observed: Iterable[Event], bindings: Bindings) -> dict[str, LegIds]:
    """Return the ids of every leg known so far: bound or seen. A command to a leg that was created needs them."""
    history = history_of(sequence, observed, bindings)
    found = dict(bindings.legs)
    for event in history.events:
        leg = history.legs.get(event.arrival)
        if leg and leg not in bindings.legs:
            found[leg] = LegIds(**{field: str(event.payload.get(field, "")) for field in LEG_FIELDS})
    return found


def moment(event: Event) -> int:
    """Return when an event occurred, in microseconds since 1970; -1 when it does not say so in ISO 8601."""
    try:
        parsed = datetime.fromisoformat(event.occurred_at)
    except ValueError:
        return -1
    aware = parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)
    since = aware - datetime(1970, 1, 1, tzinfo=UTC)
    return (since.days * 86_400 + since.seconds) * MICROSECONDS + since.microseconds


def _folded(deliveries: Iterable[Event]) -> list[Event]:
    """Return the first delivery of each event id; an event without an id stands for itself."""
    first: dict[str, Event] = {}
    for event in sorted(deliveries, key=lambda delivery: delivery.arrival):
        first.setdefault(event.id or f"arrival {event.arrival}", event)
    return list(first.values())


def _leg_names(sequence: Sequence, events: Iterable[Event], bindings: Bindings) -> Mapping[tuple[str, str], str]:
    """Return which leg each id names: as bound, and for legs unknown until they appear, in that order."""
    names: dict[tuple[str, str], str] = {}
    for leg, ids in bindings.legs.items():
        names |= {(field, getattr(ids, field)): leg for field in LEG_FIELDS if getattr(ids, field)}
    unknown = iter([leg for leg in sequence.created if leg not in bindings.legs])
    for event in events:
        keys = [_key(event, field) for field in LEG_FIELDS if event.payload.get(field)]
        if not keys:
            continue
        named = next((names[key] for key in keys if key in names), None)
        new = next(unknown, "") if named is None else named
        for key in keys:
            names.setdefault(key, new)
    return names


def _key(event: Event, field: str) -> tuple[str, str]:
    return field, str(event.payload.get(field, ""))
