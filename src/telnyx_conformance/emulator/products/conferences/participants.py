"""Participants: the stay of a leg in a conference, and what was arranged for it (mute, hold, supervision, exit)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from telnyx_conformance.emulator.products.calls.activity import Activity
from telnyx_conformance.emulator.products.calls.legs import stamp
from telnyx_conformance.emulator.products.conferences.events import announce

if TYPE_CHECKING:
    from telnyx_conformance.emulator.products.calls.activity import Body
    from telnyx_conformance.emulator.products.calls.legs import Leg
    from telnyx_conformance.emulator.products.conferences.conference import Conference
    from telnyx_conformance.emulator.products.conferences.performances import Performance


class Participant(Activity):
    """One leg's stay in one conference. `arrangements` is the body of the command that brought it in."""

    name = "participant"

    def __init__(self, conference: Conference, leg: Leg, arrangements: Body) -> None:
        super().__init__(conference.switch, leg)
        self.conference = conference
        self.id = self.switch.ids.uuid()
        self.created_at = self.updated_at = self.switch.clock.micros
        self.performance: Performance | None = None
        self.is_held: bool = arrangements.get("hold", False)
        self.is_silenced: bool = arrangements.get("mute", False)
        self.ends_conference: bool = arrangements.get("end_conference_on_exit", False)
        self.ends_softly: bool = arrangements.get("soft_end_conference_on_exit", False)
        self.role = "none"
        self.whispers_to: list[str] = []
        self.supervise(arrangements)

    def supervise(self, body: Body) -> None:
        """Take the role that a command gives. Who may whisper to nobody only listens."""
        self.role = body.get("supervisor_role", "none")
        self.whispers_to = list(body.get("whisper_call_control_ids", ())) if self.role == "whisper" else []

    def touch(self) -> None:
        """Take note that something about it was changed now."""
        self.updated_at = self.switch.clock.micros

    @property
    def is_muted(self) -> bool:
        """Whether nobody hears it: by command, or because it only listens."""
        return self.is_silenced or self.role == "monitor" or (self.role == "whisper" and not self.whispers_to)

    @property
    def is_on_hold(self) -> bool:
        """Whether it is apart from the others: by command, or because the conference has not started."""
        return self.is_held or self.conference.state == "init"

    @property
    def is_whispering(self) -> bool:
        """Whether only some hear it."""
        return bool(self.whispers_to)

    def announce(self, event_type: str) -> None:
        """Send an event of the conference about this leg."""
        announce(self.conference, event_type, self.leg)

    def document(self) -> dict[str, Any]:
        """Return the participant as a list shows it."""
        return {
            "record_type": "participant",
            "id": self.id,
            "call_leg_id": self.leg.leg_id,
            "call_control_id": self.leg.call_control_id,
            "conference": {"id": self.conference.id, "name": self.conference.title},
            "whisper_call_control_ids": self.whispers_to,
            "created_at": stamp(self.created_at),
            "updated_at": stamp(self.updated_at),
            "end_conference_on_exit": self.ends_conference,
            "soft_end_conference_on_exit": self.ends_softly,
            "status": self.state,
            "muted": self.is_muted,
            "on_hold": self.is_on_hold,
        }

    def do_enter(self) -> None:
        """Be heard, if nobody else is."""
        self.touch()
        if self.conference.floor is None:
            self.do_speak_up()

    def do_speak_up(self) -> None:
        """Have the floor, unless nobody could hear it."""
        if not (self.is_muted or self.is_on_hold or self.is_whispering):
            self.conference.give_floor(self)

    def do_depart(self) -> None:
        """Let the conference go on without this leg, or end."""
        self.touch()
        self.conference.depart(self)
