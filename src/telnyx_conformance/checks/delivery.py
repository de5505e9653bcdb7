"""The judge of deliveries: the attempts that receivers saw, and what the log tells, against what a contract says of them."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import msgspec

from telnyx_conformance.checks import delivery_log
from telnyx_conformance.checks.attempts import Heard, Ruling, Seen, Trial, Unjudged, attempts_of, record_of, type_of
from telnyx_conformance.checks.finding import Finding, shown
from telnyx_conformance.checks.history import MICROSECONDS, moment
from telnyx_conformance.contract.delivery_requirements import DeliveryKind, delivery_statements

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from telnyx_conformance.contract.delivery import BackOff, DeliveryContract, Since, Tried
    from telnyx_conformance.contract.exchange import Event

LEGACY_SIGNATURE = "x-telnyx-signature"
LEGACY_FIELDS = {"record_type", "id", "event_type", "created_at", "payload"}


def judge_delivery(contract: DeliveryContract, seen: Seen) -> dict[str, Finding | Unjudged | None]:
    """Return what is to be said of each requirement of `contract`: a finding, why none can be had, or nothing.

    A statement about an attempt that was never made is unjudged: its absence is reported once, by the attempt itself.
    """
    trial = Trial(contract=contract, seen=seen, attempts=attempts_of(contract, seen))
    said: dict[str, Finding | Unjudged | None] = {}
    for one in delivery_statements(contract):
        ruling = RULES[one.kind](one.subject, trial)
        said[one.id] = (
            Finding(check=f"delivery-{one.kind}", expected=one.statement, actual=ruling)
            if isinstance(ruling, str)
            else ruling
        )
    return said


def _is_made(subject: tuple[int, Tried], trial: Trial) -> Ruling:
    number, one = subject
    event = trial.at(number)
    if event is None:
        return f"{len(trial.attempts)} attempts were made" if trial.attempts else "no attempt was made"
    inbox = trial.seen.tokens.get(event.token, event.token)
    return None if inbox == one.inbox else f"it came to the inbox {inbox}"


def _has_method(subject: tuple[int, Tried], trial: Trial) -> Ruling:
    number, one = subject
    event = trial.at(number)
    if event is None:
        return _not_made(number)
    return None if event.method == one.method else f"it came by {event.method}"


def _has_meta(subject: tuple[int, Tried, str], trial: Trial) -> Ruling:
    number, one, field = subject
    event = trial.at(number)
    if event is None:
        return _not_made(number)
    meta = (event.document or {}).get("meta")
    if not isinstance(meta, dict) or field not in meta:
        return f"meta has no {field}"
    wanted = number if field == "attempt" else trial.seen.urls[one.inbox]
    return None if meta[field] == wanted and meta[field] is not True else f"it is {shown(meta[field])}"


def _is_signed(subject: tuple[int, Tried], trial: Trial) -> Ruling:
    number = subject[0]
    event = trial.at(number)
    if event is None:
        return _not_made(number)
    if trial.contract.version == "1":
        return None if any(name == LEGACY_SIGNATURE for name, _ in event.headers) else "there is no such header"
    if not trial.seen.verifiable:
        return Unjudged("the target's public key is not known")
    return None if event.signature == "valid" else f"its signature is {event.signature}"


def _is_in_query(subject: tuple[int, Tried], trial: Trial) -> Ruling:
    number = subject[0]
    event = trial.at(number)
    if event is None:
        return _not_made(number)
    if not dict(event.query):
        return "its query is empty"
    return None if event.payload else "its query holds no payload"


def _has_one_id(_: object, trial: Trial) -> Ruling:
    if len(trial.attempts) < 2:  # noqa: PLR2004 - nothing to compare
        return Unjudged("fewer than two attempts were made")
    ids = dict.fromkeys(shown(record_of(one.event).get("id")) for one in trial.attempts)
    return None if len(ids) == 1 and "null" not in ids else f"the ids are {', '.join(ids)}"


def _has_one_body(_: object, trial: Trial) -> Ruling:
    if len(trial.attempts) < 2:  # noqa: PLR2004 - nothing to compare
        return Unjudged("fewer than two attempts were made")
    first, *others = [_parts(one.event) for one in trial.attempts]
    for number, other in enumerate(others, 2):
        if other is None or first is None:
            return f"attempt {1 if first is None else number} is no JSON object"
        if other != first:
            changed = [key for key, _ in other if (key, dict(other)[key]) not in first]
            return f"attempt {number} differs from the first in {', '.join(changed) or 'what it holds'}"
    return None


def _parts(event: Event) -> list[tuple[str, bytes]] | None:
    """Return the members of a delivery's document in their order, undecoded; `meta` may differ and is left out."""
    if event.method == "GET":
        return [(key, value.encode()) for key, value in event.query if key != "meta"]
    try:
        members = msgspec.json.decode(event.raw, type=dict[str, msgspec.Raw])
    except (msgspec.DecodeError, msgspec.ValidationError):
        return None
    return [(key, bytes(value)) for key, value in members.items() if key != "meta"]


def _are_so_many(_: object, trial: Trial) -> Ruling:
    if not trial.attempts:
        return Unjudged("no attempt was made")
    count = len(trial.attempts)
    return None if count <= len(trial.contract.attempts) else f"{count} attempts were made"


def _backs_off(back: BackOff, trial: Trial) -> Ruling:
    names = [one.name for one in trial.contract.attempts]
    numbers = [names.index(name) for name in back.attempts]
    if max(numbers) >= len(trial.attempts):
        return _not_made(max(numbers) + 1)
    waits = [_wait(trial.attempts[a], trial.attempts[b]) for a, b in pairwise(numbers)]
    if waits[0][1] < back.at_least:
        return f"the first wait lasts at most {waits[0][1]:.3g} s"
    for number, (former, latter) in enumerate(pairwise(waits), 2):
        if latter[1] < former[0] * back.factor:
            return f"wait {number} lasts at most {latter[1]:.3g} s, the one before at least {former[0]:.3g} s"
    return None


def _wait(former: Heard, latter: Heard) -> tuple[float, float]:
    """Return the least and the most time that can have passed between two deliveries."""
    return max(0.0, latter.earliest - former.latest), max(0.0, latter.latest - former.earliest)


def _is_silent(inbox: str, trial: Trial) -> Ruling:
    if not trial.seen.heard:
        return Unjudged("no event was received")
    found = [one.event for one in trial.seen.heard if trial.seen.tokens.get(one.event.token) == inbox]
    return f"{found[0].method} of {type_of(found[0]) or 'no event'} came" if found else None


def _is_not_held_up(event: str, trial: Trial) -> Ruling:
    wanted = len(trial.contract.attempts)
    last = trial.at(wanted)
    if last is None:
        return _not_made(wanted)
    arrivals = [one.event.arrival for one in trial.seen.heard if type_of(one.event) == event]
    if not arrivals:
        return "it was not delivered"
    return None if min(arrivals) < last.arrival else "it was delivered after the last attempt"


def _has_version(_: object, trial: Trial) -> Ruling:
    event = trial.at(1)
    if event is None:
        return Unjudged("no attempt was made")
    document = event.document or {}
    is_wrapped = isinstance(document.get("data"), dict)
    if trial.contract.version == "2":
        return None if is_wrapped else "it has no data object"
    if is_wrapped:
        return "it has a data object"
    missing = LEGACY_FIELDS - set(document)
    if missing:
        return f"it lacks {', '.join(sorted(missing))}"
    wanted = trial.contract.event.replace(".", "_")
    return None if document["event_type"] == wanted else f"its event_type is {shown(document['event_type'])}"


def _is_timed(since: Since, trial: Trial) -> Ruling:
    event = trial.at(1)
    start = next((one.event for one in trial.seen.heard if type_of(one.event) == since.event), None)
    if event is None or start is None:
        return Unjudged(f"{since.event if event else trial.contract.event} was not delivered")
    moments = [moment(one) for one in (start, event)]
    if min(moments) < 0:
        return Unjudged("occurred_at is not ISO 8601")
    seconds = (moments[1] - moments[0]) / MICROSECONDS
    early = since.at_least is not None and seconds < since.at_least
    late = since.less_than is not None and seconds >= since.less_than
    return f"{seconds:.15g} s passed" if early or late else None


def _is_absent(event: str, trial: Trial) -> Ruling:
    if not trial.seen.heard:
        return Unjudged("no event was received")
    return "it was delivered" if any(type_of(one.event) == event for one in trial.seen.heard) else None


def _not_made(number: int) -> Unjudged:
    return Unjudged(f"attempt {number} was not made")


RULES: Mapping[DeliveryKind, Callable[[Any, Trial], Ruling]] = {
    "attempt": _is_made,
    "method": _has_method,
    "meta": _has_meta,
    "signature": _is_signed,
    "query": _is_in_query,
    "event-id": _has_one_id,
    "body": _has_one_body,
    "attempts": _are_so_many,
    "backoff": _backs_off,
    "silence": _is_silent,
    "concurrency": _is_not_held_up,
    "version": _has_version,
    "timing": _is_timed,
    "absence": _is_absent,
    "logged": delivery_log.is_logged,
    "log-status": delivery_log.has_log_status,
    "log-attempts": delivery_log.has_log_attempts,
    "log-errors": delivery_log.has_log_errors,
    "log-http": delivery_log.has_log_http,
}
