"""What the events of conferences carry. All go where the owner's go, with the owner's client state.

The owner is the leg that the conference was made from: its state is told in every event of the conference, also of others'.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from telnyx_conformance.emulator.products.calls.legs import stamp

if TYPE_CHECKING:
    from collections.abc import Mapping

    from telnyx_conformance.emulator.products.calls.legs import Leg
    from telnyx_conformance.emulator.products.conferences.conference import Conference

NOTHING: Mapping[str, Any] = {}
# These carry the time in the envelope only.
WITHOUT_TIME = ("conference.participant.joined", "conference.participant.left", "conference.recording.saved")


def announce(conference: Conference, event_type: str, leg: Leg | None, fields: Mapping[str, Any] = NOTHING) -> None:
    """Send an event of a conference, about `leg` if it is about one, with `fields` beside what all such events carry."""
    owner, switch = conference.owner, conference.switch
    payload: dict[str, Any] = {"connection_id": conference.connection_id, "conference_id": conference.id}
    if leg is not None:
        payload |= {
            "call_control_id": leg.call_control_id,
            "connection_id": leg.connection_id,
            "call_leg_id": leg.leg_id,
            "call_session_id": leg.session_id,
            "client_state": owner.client_state,
        }
    if event_type not in WITHOUT_TIME:
        payload["occurred_at"] = stamp(switch.clock.micros)
    switch.send_of(owner.route, event_type, {**payload, **fields})
