"""What happened behind a verdict in lanes: our requests in the first, the events of each leg in one of its own."""

from __future__ import annotations

import datetime as dt
import json
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from telnyx_conformance.report.text import clipped, visible

if TYPE_CHECKING:
    from collections.abc import Iterable

    from telnyx_conformance.report.recorded import Step

MOST_MARKS = 40
LONGEST_LABEL = 90
LONGEST_PATH = 32
LEG_KEYS = ("call_leg_id", "call_control_id", "conference_id", "fax_id", "id")
NOTES = ("direction", "state", "hangup_cause", "result", "status", "client_state")


def timeline(steps: Iterable[Step]) -> dict[str, Any] | None:
    """Return lanes and marks, nothing when no event followed.

    `{"lanes": ["requests", "leg A", …], "marks": [[lane, label, time, note, is it well], …], "more": 0}`; times are
    seconds since the first event, as text, by the events' own clock.
    """
    steps = list(steps)
    if not any(step.events for step in steps):
        return None
    legs: dict[str, int] = {}
    marks: list[list[Any]] = []
    seen: set[Any] = set()
    zero: dt.datetime | None = None
    for step in steps:
        if step.sent:
            marks.append([0, _label(f"{step.method} {_short(urlsplit(step.url).path)}"), "", _answer(step), True])
        for event in sorted(step.events, key=_moment):
            arrival = event.get("arrival", len(seen))
            if repr(arrival) in seen:
                continue
            seen.add(repr(arrival))
            data, payload = _parts(event)
            moment = _instant(data.get("occurred_at"))
            zero = zero or moment
            leg = next((str(payload[key]) for key in LEG_KEYS if payload.get(key)), "")
            lane = legs.setdefault(leg, len(legs) + 1)
            at = f"+{(moment - zero).total_seconds():.3f} s" if moment and zero else ""
            label = _label(str(data.get("event_type") or "no event type"))
            marks.append([lane, label, at.replace("+-", "-"), _note(event, payload), _well(event)])
    lanes = ["requests", *(f"leg {_letter(number)}" if leg else "no leg" for number, leg in enumerate(legs))]
    return {"lanes": lanes, "marks": marks[:MOST_MARKS], "more": max(0, len(marks) - MOST_MARKS)}


def _parts(event: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    document = event.get("document")
    data = document.get("data", document) if isinstance(document, dict) else None  # API v1 has no `data`
    data = data if isinstance(data, dict) else {}
    payload = data.get("payload")
    return data, payload if isinstance(payload, dict) else {}


def _moment(event: dict[str, Any]) -> tuple[str, int]:
    arrival = event.get("arrival")
    return str(_parts(event)[0].get("occurred_at", "")), arrival if isinstance(arrival, int) else 0


def _instant(value: Any) -> dt.datetime | None:
    try:
        moment = dt.datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)


def _note(event: dict[str, Any], payload: dict[str, Any]) -> str:
    notes = [f"{key} {_plain(payload[key])}" for key in NOTES if payload.get(key)]
    if not _well(event):
        notes.append(f"signature {event.get('signature')}")
    return _label(", ".join(notes))


def _answer(step: Step) -> str:
    return str(step.status) if step.status else _label(step.error)


def _short(path: str) -> str:
    """Return the end of a path, which tells the command; the ids before it are long."""
    return path if len(path) <= LONGEST_PATH else "…/" + "/".join(path.split("/")[-2:])


def _well(event: dict[str, Any]) -> bool:
    return bool(event.get("signature", "valid") == "valid")


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _label(text: str) -> str:
    return clipped(visible(text), LONGEST_LABEL)


def _letter(number: int) -> str:
    return chr(ord("A") + number) if number < 26 else str(number + 1)  # noqa: PLR2004 - letters of the alphabet
