"""One conference: who is in it, who has the floor, what is heard and recorded, and how it ends."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from telnyx_conformance.emulator.clock import MICROS
from telnyx_conformance.emulator.products.calls.activity import Instance
from telnyx_conformance.emulator.products.calls.legs import CommandIds, stamp
from telnyx_conformance.emulator.products.conferences.events import announce

if TYPE_CHECKING:
    from telnyx_conformance.emulator.products.calls.activity import Body
    from telnyx_conformance.emulator.products.calls.legs import Leg
    from telnyx_conformance.emulator.products.calls.switch import Switch
    from telnyx_conformance.emulator.products.conferences.participants import Participant
    from telnyx_conformance.emulator.products.conferences.performances import Performance
    from telnyx_conformance.emulator.products.conferences.recording import Recording

MOST_MINUTES = 240
DEFAULT_MAX_PARTICIPANTS = 250
MOST_LEFT = 200
REGION = "sv1"


class Conference(Instance):
    """A conference made from the leg `owner` by a command with this `body`. Times are microseconds."""

    name = "conference"

    def __init__(self, switch: Switch, owner: Leg, body: Body) -> None:
        super().__init__(switch)
        self.id = switch.ids.uuid()
        self.title: str = body["name"]
        self.owner = owner
        self.connection_id = owner.connection_id
        self.limit: int = body.get("max_participants", DEFAULT_MAX_PARTICIPANTS)
        minutes = min(max(body.get("duration_minutes", MOST_MINUTES), 0), MOST_MINUTES)
        self.created_at = self.updated_at = switch.clock.micros
        self.expires_at = self.created_at + minutes * 60 * MICROS
        self.end_reason = ""
        self.ended_by: Leg | None = None
        self.members: list[Participant] = []
        self.gone: list[Participant] = []
        self.floor: Participant | None = None
        self.performance: Performance | None = None
        self.recordings: list[Recording] = []
        self.command_ids = CommandIds()
        self.later(minutes * 60, "time_exceeded", guard=True)

    @property
    def status(self) -> str:
        """What the API calls the state; on the way out it is still in progress."""
        return "in_progress" if self.state == "ending" else self.state

    def member(self, leg: Leg) -> Participant | None:
        """Return the participant that `leg` is here."""
        return next((member for member in self.members if member.leg is leg), None)

    def named(self, call_control_ids: list[str] | None) -> list[Participant]:
        """Return the participants of those legs, all when none is named."""
        if not call_control_ids:
            return list(self.members)
        return [member for member in self.members if member.leg.call_control_id in call_control_ids]

    def document(self) -> dict[str, Any]:
        """Return the conference as the API shows it."""
        data: dict[str, Any] = {
            "record_type": "conference",
            "id": self.id,
            "name": self.title,
            "created_at": stamp(self.created_at),
            "expires_at": stamp(self.expires_at),
            "updated_at": stamp(self.updated_at),
            "region": REGION,
            "status": self.status,
            "connection_id": self.connection_id,
        }
        if self.end_reason:
            data["end_reason"] = self.end_reason
        if self.ended_by is not None:
            leg = self.ended_by
            data["ended_by"] = {"call_control_id": leg.call_control_id, "call_session_id": leg.session_id}
        return data

    def announce(self, event_type: str) -> None:
        """Send an event about the conference as a whole: it names the owner's leg."""
        announce(self, event_type, self.owner, {"reason": self.end_reason} if self.end_reason else {})

    def begin(self, participant: Participant, *, started: bool) -> None:
        """Come to be, with the owner as the first participant."""
        if started:
            self.give_floor(participant)  # as seen live: the floor is told of before the conference that it is in
        self.happen("CreateConference")
        if started:
            self.happen("started")
        self.admit(participant)

    def admit(self, participant: Participant) -> None:
        """Let one more in."""
        self.members.append(participant)
        participant.happen("entered")

    def give_floor(self, participant: Participant) -> None:
        """Let `participant` be the one that is heard."""
        if self.floor is not participant:
            self.floor = participant
            announce(self, "conference.floor.changed", participant.leg)

    def depart(self, participant: Participant) -> None:
        """Let a participant go, and what only it heard with it; that may be the end of the conference."""
        if participant.performance is not None:
            participant.performance.end()
        self.members.remove(participant)
        self.gone = [*self.gone, participant][-MOST_LEFT:]
        self.yield_floor(participant)
        reason = "host_left" if participant.ends_conference else "host_left_softly" if participant.ends_softly else ""
        reason = reason or ("" if self.members else "all_left")
        if reason:
            self.happen(reason, ended_by=participant.leg)

    def yield_floor(self, participant: Participant) -> None:
        """Let nobody have the floor that `participant` had."""
        if self.floor is participant:
            self.floor = None

    def leave(self) -> None:
        """Take no further commands and wait for nothing."""
        super().leave()
        self.updated_at = self.switch.clock.micros

    def do_release(self) -> None:
        """Let those who waited for the start be heard."""
        self.updated_at = self.switch.clock.micros
        for member in tuple(self.members):
            member.do_enter()

    def do_hang_up(self) -> None:
        """Hang up every leg that is still here."""
        for member in tuple(self.members):
            self.switch.happen(member.leg, "conference_ends")

    def do_hang_up_owner(self) -> None:
        """Hang up the leg that the conference was made from, wherever it is by now, unless it is the one that ended it."""
        if self.owner is not self.ended_by:
            self.switch.happen(self.owner, "conference_ends")

    def do_park(self) -> None:
        """Leave every leg that is still here answered and alone."""
        for member in tuple(self.members):
            self.switch.happen(member.leg, "conference_left")

    def do_finish(self) -> None:
        """End what was heard and recorded, and then the conference."""
        if self.performance is not None:
            self.performance.end()
        for recording in tuple(self.recordings):
            recording.save()
        self.happen("emptied")
