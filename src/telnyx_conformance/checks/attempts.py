"""What receivers saw of a webhook's journey, made ready for judging.

An attempt is any delivery of the watched event (its type, on the call of the contract) to any inbox, in order of arrival,
duplicates aside. Times are bounds, because a target's clock is seen only where it stands still.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from telnyx_conformance.contract.delivery import DeliveryContract
from telnyx_conformance.contract.exchange import Event


class Heard(msgspec.Struct, frozen=True, kw_only=True):
    """One delivery, received between `earliest` and `latest` (seconds since the situation began)."""

    event: Event
    earliest: float
    latest: float


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """All that one judgement looks at. `entry` is the log's delivery, empty without one; `unread` why the log is unknown.

    `urls` are the inboxes' addresses by name, `tokens` their names by token, `call` the call's control id.
    """

    call: str
    heard: tuple[Heard, ...]
    urls: Mapping[str, str]
    tokens: Mapping[str, str]
    verifiable: bool = True
    entry: Mapping[str, Any] = {}
    unread: str = ""


class Unjudged(msgspec.Struct, frozen=True):
    """Why a statement could not be judged."""

    reason: str


class Trial(msgspec.Struct, frozen=True, kw_only=True):
    """A contract before its judge: `attempts` are the deliveries of the watched event, in order of arrival."""

    contract: DeliveryContract
    seen: Seen
    attempts: tuple[Heard, ...]

    def at(self, number: int) -> Event | None:
        """Return the event of an attempt, counted from 1."""
        return self.attempts[number - 1].event if number <= len(self.attempts) else None


Ruling = str | Unjudged | None
"""What came instead, why it cannot be said, or nothing to complain of."""


def attempts_of(contract: DeliveryContract, seen: Seen) -> tuple[Heard, ...]:
    """Return the deliveries of the watched event.

    A webhook may be delivered twice: what bears the same id and number as an earlier one counts once. One that cannot be
    read is taken for an attempt where an attempt is awaited: what is wrong with it is then judged.
    """
    awaited = {one.inbox for one in contract.attempts}
    first: dict[object, Heard] = {}
    for one in seen.heard:
        if _is_attempt(one.event, contract.event, awaited, seen):
            first.setdefault(attempt_key(one.event), one)
    return tuple(first.values())


def attempt_key(event: Event) -> tuple[object, ...]:
    """Return what two deliveries of the same attempt have in common: inbox, event id, `meta.attempt` (API v1 has none)."""
    meta = (event.document or {}).get("meta")
    number = meta.get("attempt") if isinstance(meta, dict) else None
    if not event.id or not isinstance(number, int):
        return (event.token, "arrival", event.arrival)
    return (event.token, event.id, number)


def type_of(event: Event) -> str:
    """Return an event's type as API v2 writes it, whichever version the webhook has; only its first underscore was a dot."""
    return event.type or str((event.document or {}).get("event_type", "")).replace("_", ".", 1)


def record_of(event: Event) -> Mapping[str, Any]:
    """Return what holds the event's id and type: `data`, or in API v1 the document itself."""
    return event.data or event.document or {}


def _is_attempt(event: Event, watched: str, awaited: set[str], seen: Seen) -> bool:
    kind, payload = type_of(event), record_of(event).get("payload")
    if not kind:
        return seen.tokens.get(event.token) in awaited
    call = payload.get("call_control_id", seen.call) if isinstance(payload, dict) else seen.call
    return kind == watched and call == seen.call
