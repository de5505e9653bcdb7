"""What was observed, made ready for judging: deliveries folded into events, events assigned to legs."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import msgspec

from telnyx_conformance.contract.exchange import Event
from telnyx_conformance.contract.media_stream import StreamMessage
from telnyx_conformance.contract.sequence import ABSENT, Expectation, Reference, Sequence, Wanted, value_at

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

LEG_FIELDS = ("call_leg_id", "call_control_id")
CONFERENCE_FIELD = "conference_id"
MICROSECONDS = 1_000_000


class LegIds(msgspec.Struct, frozen=True, kw_only=True):
    """The ids by which events name a leg; either may be unknown (empty)."""

    call_control_id: str = ""
    call_leg_id: str = ""


class Sent(msgspec.Struct, frozen=True, kw_only=True):
    """A step that was carried out: the body as sent, and the answer's status, `data` and error codes.

    `data` is an object, or the list of a list. Of copies sent at once it is the first answer that was no success, else the
    first.
    """

    body: dict[str, Any] = {}
    status: int = 0
    data: dict[str, Any] | list[Any] = {}
    codes: tuple[str, ...] = ()


class Bindings(msgspec.Struct, frozen=True, kw_only=True):
    """What the runner knows and the events do not say.

    `legs` holds the given legs and any other whose ids are known (a leg that Dial answered with); the rest is found by
    order of appearance. `sent` is keyed by step name, and by leg for the request that made a given leg. `inboxes` maps
    names in requests to tokens, `streams` names of sockets and ports to what they received. `verifiable` says whether the
    target's public key is known.
    """

    legs: dict[str, LegIds] = {}
    sent: dict[str, Sent] = {}
    inboxes: dict[str, str] = {}
    streams: dict[str, tuple[StreamMessage, ...]] = {}
    verifiable: bool = True


class History(msgspec.Struct, frozen=True, kw_only=True):
    """Events by their place in a sequence.

    `deliveries` are all that came, `events` the first delivery of each event id in order of occurrence, `legs` the leg
    of each event (by arrival number; absent when it is of no declared leg), `slots` what the sequence judges, by type
    and leg: the events of the situation are not among them. `found` are the same by the names that the sequence gives
    them; `unnamed` are those of which no name speaks.
    """

    deliveries: tuple[Event, ...]
    events: tuple[Event, ...]
    legs: dict[int, str]
    slots: dict[tuple[str, str], tuple[Event, ...]]
    found: dict[str, tuple[Event, ...]]
    unnamed: tuple[Event, ...]
    strays: tuple[Event, ...]


def history_of(sequence: Sequence, observed: Iterable[Event], bindings: Bindings) -> History:
    """Fold, order and assign what was observed. Linear but for the sorting."""
    deliveries = tuple(observed)
    events = sorted(_folded(deliveries), key=lambda event: (moment(event), event.arrival))
    names = _leg_names(sequence, events, bindings)
    legs: dict[int, str] = {}
    strays: list[Event] = []
    slots: dict[tuple[str, str], list[Event]] = {}
    prior = sequence.situation
    naming = _Naming(sequence, bindings)
    found: dict[str, list[Event]] = defaultdict(list)
    unnamed: list[Event] = []
    for event in events:
        leg = _leg_of(event, names)
        if not leg:
            strays.append(event)
            continue
        legs[event.arrival] = leg
        slot = (event.type, leg)
        if prior[slot]:
            prior[slot] -= 1
            continue
        slots.setdefault(slot, []).append(event)
        name = naming.name(event, leg)
        (found[name] if name else unnamed).append(event)
    return History(
        deliveries=deliveries,
        events=tuple(events),
        legs=legs,
        slots={slot: tuple(several) for slot, several in slots.items()},
        found={name: tuple(several) for name, several in found.items()},
        unnamed=tuple(unnamed),
        strays=tuple(strays),
    )


def leg_ids(sequence: Sequence, observed: Iterable[Event], bindings: Bindings) -> dict[str, LegIds]:
    """Return the ids of every leg known so far: bound or seen. A command to a leg that was created needs them."""
    return known_legs(sequence, history_of(sequence, observed, bindings), bindings)


def known_legs(sequence: Sequence, history: History, bindings: Bindings) -> dict[str, LegIds]:
    """Return the ids of every leg that is bound or that a history shows."""
    found = dict(bindings.legs)
    for event in history.events:
        leg = history.legs.get(event.arrival)
        if leg and leg not in bindings.legs and leg not in sequence.conferences:
            said = {field: str(event.payload.get(field) or "") for field in LEG_FIELDS}
            known = found.get(leg, LegIds())
            found[leg] = LegIds(**{field: getattr(known, field) or value for field, value in said.items()})
    return found


def has_come_about(
    sequence: Sequence, situation: Counter[tuple[str, str]], observed: Iterable[Event], bindings: Bindings
) -> bool:
    """Return whether the events of a situation (so many of each type and leg) have been received."""
    history = history_of(sequence, observed, bindings)
    seen = Counter((event.type, history.legs.get(event.arrival, "")) for event in history.events)
    return situation <= seen


class Unjudged(msgspec.Struct, frozen=True):
    """Why a statement could not be judged."""

    reason: str


def allowed(expected: Expectation, bindings: Bindings) -> tuple[Any, ...] | Unjudged:
    """Return the values that a field may have, by a literal, a choice, or what was requested or answered."""
    if expected.rule == "one_of":
        return tuple(expected.value)
    if not isinstance(expected.value, Reference):
        return (expected.value,)
    sent = bindings.sent.get(expected.value.step)
    source = None if sent is None else (sent.body if expected.rule == "echoes" else sent.data)
    value = value_at(source, expected.value.field)
    if value is ABSENT:
        part = "request" if expected.rule == "echoes" else "answer"
        return Unjudged(f"the {part} of {expected.value.step} has no {expected.value.field}")
    return (value,)


def equal(value: Any, wanted: Any) -> bool:
    """Return whether two JSON values are equal: true is not 1, and an absent value is null."""
    value = None if value is ABSENT else value
    return bool(value == wanted) and isinstance(value, bool) == isinstance(wanted, bool)


class _Naming:
    """Tells which name of a sequence an event goes by. A name that selects goes before one that does not."""

    def __init__(self, sequence: Sequence, bindings: Bindings) -> None:
        self._by_slot: dict[tuple[str, str], list[tuple[str, list[tuple[str, Any]]]]] = defaultdict(list)
        for item in sorted(sequence.wanted.values(), key=lambda item: not item.where):
            self._by_slot[item.event, item.leg].append((item.name, _selection(item, bindings)))

    def name(self, event: Event, leg: str) -> str:
        """Return the name of an event, empty when none speaks of it."""
        for name, selection in self._by_slot.get((event.type, leg), ()):
            if all(any(equal(value_at(event.payload, f), one) for one in values) for f, values in selection):
                return name
        return ""


def _selection(item: Wanted, bindings: Bindings) -> list[tuple[str, Any]]:
    """Return which values select: none for what is not known, so that nothing is taken for what it may not be."""
    by_field = [(selected.field, allowed(selected, bindings)) for selected in item.where]
    return [(field, () if isinstance(values, Unjudged) else values) for field, values in by_field]


def _leg_of(event: Event, names: Mapping[tuple[str, str], str]) -> str:
    """Return the leg of an event: the one that all its leg ids name; of an event without any, that of its conference."""
    fields = [field for field in LEG_FIELDS if event.payload.get(field)] or [CONFERENCE_FIELD]
    found = {names.get(_key(event, field), "") for field in fields}
    return found.pop() if len(found) == 1 else ""


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
    for leg, step in sequence.conferences.items():
        sent = bindings.sent.get(step)
        if sent and value_at(sent.data, "id") is not ABSENT:
            names[CONFERENCE_FIELD, str(value_at(sent.data, "id"))] = leg
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
