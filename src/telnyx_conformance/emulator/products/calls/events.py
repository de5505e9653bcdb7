"""The events of calls: what each type carries, in the form of API v2.

A leg's own fields come first; `client_state` is null where none was ever set, as seen live.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from telnyx_conformance.emulator.products.calls.legs import stamp
from telnyx_conformance.emulator.products.calls.machine import SIP_CODES

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from telnyx_conformance.emulator.products.calls.legs import Leg


# The events that say who called whom; the others name the leg only.
ADDRESSED = frozenset({
    "call.initiated", "call.answered", "call.bridged", "call.hangup", "call.dtmf.received", "call.gather.ended",
    "call.machine.detection.ended", "call.machine.greeting.ended", "call.machine.premium.detection.ended",
    "call.machine.premium.greeting.ended", "call.refer.started", "call.refer.completed", "call.refer.failed",
    "call.ai_gather.ended", "call.ai_gather.message_history_updated", "call.ai_gather.partial_results",
    "call.conversation.ended",
})  # fmt: skip
NOTHING: Mapping[str, Any] = {}


def event_document(
    leg: Leg, event_type: str, *, event_id: str, now: int, fields: Mapping[str, Any] = NOTHING
) -> dict[str, Any]:
    """Return the webhook's document for `event_type` of `leg`; `now` in microseconds, `fields` what it says besides."""
    payload: dict[str, Any] = {
        "call_control_id": leg.call_control_id,
        "connection_id": leg.connection_id,
        "call_leg_id": leg.leg_id,
        "call_session_id": leg.session_id,
        "client_state": leg.client_state,
    }
    if event_type in ADDRESSED:
        payload["from"] = leg.from_
        payload["to"] = leg.to
    more = _MORE.get(event_type)
    if more is not None:
        payload |= more(leg)
    if fields:
        payload |= fields
    return envelope(event_type, payload, event_id=event_id, now=now)


def envelope(event_type: str, payload: Mapping[str, Any], *, event_id: str, now: int) -> dict[str, Any]:
    """Return a payload in the envelope that every event of API v2 has; `now` in microseconds."""
    return {
        "data": {
            "record_type": "event",
            "event_type": event_type,
            "id": event_id,
            "occurred_at": stamp(now),
            "payload": payload,
        }
    }


def _initiated(leg: Leg) -> dict[str, Any]:
    return {
        "direction": leg.direction,
        "state": "parked" if leg.direction == "incoming" else "bridging",
        "start_time": stamp(leg.started_at),
        "caller_id_name": leg.display_name or leg.from_,
        "calling_party_type": leg.party_type,
        **leg.headers,
    }


def _answered(leg: Leg) -> dict[str, Any]:
    return {"state": "answered", "start_time": stamp(leg.started_at), **leg.headers}


def _hangup(leg: Leg) -> dict[str, Any]:
    return {
        "state": "hangup",
        "start_time": stamp(leg.started_at),
        "end_time": stamp(leg.ended_at),
        "hangup_cause": leg.cause,
        "hangup_source": leg.source,
        "sip_hangup_cause": SIP_CODES[leg.cause],
        "call_quality_stats": None,
        "telnyx_error": None,
        **leg.headers,
    }


_MORE: Mapping[str, Callable[[Leg], dict[str, Any]]] = {
    "call.initiated": _initiated,
    "call.answered": _answered,
    "call.hangup": _hangup,
}
