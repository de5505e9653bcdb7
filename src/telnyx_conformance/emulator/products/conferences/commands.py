"""The operations on conferences: what each checks, does and answers. What follows stands in the machines.

A conference is addressed by its id, or by its name as long as no other took that. Beeps, comfort noise and hold music
are taken and heard by nobody.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from telnyx_conformance.emulator.account import Answer, Ask, Refusal
from telnyx_conformance.emulator.listing import page_of
from telnyx_conformance.emulator.products.calls.activity import Feature
from telnyx_conformance.emulator.products.calls.audio import audio_of, audio_table, speech_seconds
from telnyx_conformance.emulator.products.calls.legs import CommandIds
from telnyx_conformance.emulator.products.calls.machine import LEG
from telnyx_conformance.emulator.products.calls.playing import admit_audio
from telnyx_conformance.emulator.products.calls.sounds import FETCH_SECONDS
from telnyx_conformance.emulator.products.conferences.book import ConferenceBook
from telnyx_conformance.emulator.products.conferences.conference import Conference
from telnyx_conformance.emulator.products.conferences.participants import Participant
from telnyx_conformance.emulator.products.conferences.performances import Performance
from telnyx_conformance.emulator.products.conferences.recording import Recording

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from telnyx_conformance.emulator.products.calls.activity import Body
    from telnyx_conformance.emulator.products.calls.legs import Leg
    from telnyx_conformance.emulator.products.calls.switch import Switch

OK = Answer(document={"data": {"result": "ok"}})
SHOWN_OF_PAGE = ("page_number", "page_size", "total_pages", "total_results")


class Conferences(Feature):
    """The conferences of one account."""

    def __init__(self, switch: Switch) -> None:
        super().__init__(switch)
        self.book = ConferenceBook()
        self._creations = CommandIds()
        self._deeds: Mapping[str, Callable[[Conference, Body], None]] = {
            "JoinConference": self._join,
            "LeaveConference": self._leave,
            "HoldConferenceParticipants": self._hold,
            "UnholdConferenceParticipants": self._unhold,
            "MuteConferenceParticipants": self._mute,
            "UnmuteConferenceParticipants": self._unmute,
            "PlayConferenceAudio": self._play,
            "SpeakTextToConference": self._speak,
            "StopConferenceAudio": self._stop,
            "StartConferenceRecording": self._record,
            "StopConferenceRecording": self._save,
            "PauseConferenceRecording": self._pause,
            "ResumeConferenceRecording": self._resume,
            "UpdateConference": self._supervise,
        }
        self.handlers = {
            "CreateConference": self._create,
            "ListConferences": self._list,
            "RetrieveConference": self._read,
            "ListConferenceParticipants": self._participants,
            **dict.fromkeys(self._deeds, self._command),
        }

    def begin(self, leg: Leg, body: Body) -> None:
        """Bring a leg that was dialled for a conference into it; one that is not there is made where a name is given."""
        wanted = body.get("conference_config")
        if not wanted:
            return
        name = wanted.get("conference_name", "")
        conference = self.book.get(wanted.get("id", "")) or self.book.active(name)
        if conference is None and name:
            self._open(leg, {**wanted, "name": name})
        elif conference is not None and not conference.is_over and len(conference.members) < conference.limit:
            self._enter(conference, leg, wanted)

    def _command(self, ask: Ask) -> Answer:
        """Carry out a command to a conference: a repeated one is ignored, one to an ended conference is refused."""
        conference = self.book.find(ask.path["id"])
        if conference is None:
            raise Refusal(404, "90058", bare=True)
        body: Body = ask.body or {}
        now = self.switch.clock.micros
        command_id = body.get("command_id", "")
        if command_id and (seen := conference.command_ids.answer(command_id, now)):
            return seen  # type: ignore[no-any-return]
        command = ask.operation.id
        self.switch.tables.row(conference.machine, conference.state, command)
        self._deeds[command](conference, body)
        if command_id:
            conference.command_ids.remember(command_id, now, OK)
        return OK

    def _create(self, ask: Ask) -> Answer:
        body: Body = ask.body
        now = self.switch.clock.micros
        command_id = body.get("command_id", "")
        if command_id and (seen := self._creations.answer(command_id, now)):
            return seen  # type: ignore[no-any-return]
        leg = self._leg(body, "CreateConference")
        if self.book.active(body["name"]) is not None:
            raise Refusal(422, "90033", bare=True)
        answer = Answer(document={"data": self._open(leg, body).document()})
        if command_id:
            self._creations.remember(command_id, now, answer)
        return answer

    def _list(self, ask: Ask) -> Answer:
        return _paged([conference.document() for conference in self.book.soonest_last()], ask)

    def _read(self, ask: Ask) -> Answer:
        conference = self.book.get(ask.path["id"])
        if conference is None:
            raise Refusal(404, "90058", bare=True)
        return Answer(document={"data": conference.document()})

    def _participants(self, ask: Ask) -> Answer:
        """List those who are there after those who left, each in the order in which they came."""
        conference = self.book.get(ask.path["conference_id"])
        if conference is None:
            raise Refusal(404, "90058", bare=True)
        whispering = ask.query.get("filter[whispering]")
        everybody = [*conference.gone, *conference.members]
        return _paged([one.document() for one in everybody if whispering in (None, one.is_whispering)], ask)

    # Legs

    def _leg(self, body: Body, command: str) -> Leg:
        """Return the leg that a command names. Raises `Refusal` where it is unknown or in no state for that."""
        leg = self.switch.legs.get(body["call_control_id"])
        if leg is None:
            raise Refusal(422, "90015", bare=True)
        self.switch.tables.row(LEG, leg.state, command)
        return leg

    def _open(self, leg: Leg, body: Body) -> Conference:
        """Make a conference of a leg, which leaves whatever it was in."""
        self._move(leg, "CreateConference", body)
        conference = Conference(self.switch, leg, body)
        self.book.add(conference)
        conference.begin(Participant(conference, leg, {}), started=body.get("start_conference_on_create", True))
        return conference

    def _join(self, conference: Conference, body: Body) -> None:
        leg = self._leg(body, "JoinConference")
        if conference.member(leg) is not None:
            raise Refusal(422, "90044", bare=True)
        if len(conference.members) >= conference.limit:
            raise Refusal(422, "90032", bare=True)
        self._enter(conference, leg, body)

    def _enter(self, conference: Conference, leg: Leg, body: Body) -> None:
        self._move(leg, "JoinConference", body)
        conference.admit(Participant(conference, leg, body))
        if body.get("start_conference_on_enter"):
            conference.happen("started")

    def _move(self, leg: Leg, command: str, body: Body) -> None:
        """Take a leg out of its company, a former conference too."""
        self.switch.tell(leg, "moved")
        if "client_state" in body:
            leg.client_state = body["client_state"]
        self.switch.carry_out(leg, self.switch.tables.row(LEG, leg.state, command), body)

    def _leave(self, conference: Conference, body: Body) -> None:
        participant = self._participant(conference, body)
        row = self.switch.tables.row(LEG, participant.leg.state, "LeaveConference")
        self.switch.carry_out(participant.leg, row, body)

    def _supervise(self, conference: Conference, body: Body) -> None:
        participant = self._participant(conference, body)
        participant.supervise(body)
        participant.touch()
        if participant.is_muted or participant.is_whispering:
            conference.yield_floor(participant)

    def _participant(self, conference: Conference, body: Body) -> Participant:
        """Return the participant that a command names: a leg that could leave, and leave this conference."""
        participant = conference.member(self._leg(body, "LeaveConference"))
        if participant is None:
            raise Refusal(422, "90033", bare=True)
        return participant

    # Several at once

    def _hold(self, conference: Conference, body: Body) -> None:
        for participant in _named(conference, body):
            participant.is_held = True
            participant.touch()
            conference.yield_floor(participant)

    @staticmethod
    def _unhold(conference: Conference, body: Body) -> None:
        for participant in _named(conference, body):
            participant.is_held = False
            participant.touch()

    @staticmethod
    def _mute(conference: Conference, body: Body) -> None:
        for participant in _named(conference, body):
            participant.is_silenced = True
            participant.touch()
            conference.yield_floor(participant)

    @staticmethod
    def _unmute(conference: Conference, body: Body) -> None:
        for participant in _named(conference, body):
            participant.is_silenced = False
            participant.touch()

    # What is heard

    def _play(self, conference: Conference, body: Body) -> None:
        audio = audio_of(body, self.switch.has_media)
        admit_audio(audio)
        loop = body.get("loop", 1)
        seconds = None if loop == "infinity" else audio_table().seconds * int(loop)
        if audio.fate != "playable":
            seconds = FETCH_SECONDS
        for participant in _audience(conference, body):
            Performance(conference, participant, "playback", audio.fields, seconds)

    @staticmethod
    def _speak(conference: Conference, body: Body) -> None:
        for participant in _audience(conference, body):
            Performance(conference, participant, "speak", {}, speech_seconds(body["payload"]))

    @staticmethod
    def _stop(conference: Conference, body: Body) -> None:
        is_for_all = not body.get("call_control_ids")
        for participant in _named(conference, body):
            if participant.performance is not None:
                participant.performance.end()
            if conference.performance is not None and not is_for_all:
                conference.performance.spare(participant)
        if conference.performance is not None and is_for_all:
            conference.performance.end()

    # Recordings

    @staticmethod
    def _record(conference: Conference, body: Body) -> None:
        Recording(conference, body["format"])

    @staticmethod
    def _save(conference: Conference, body: Body) -> None:
        if "client_state" in body:
            conference.owner.client_state = body["client_state"]
        for recording in _recordings(conference, body):
            recording.save()

    @staticmethod
    def _pause(conference: Conference, body: Body) -> None:
        for recording in _recordings(conference, body):
            recording.pause()

    @staticmethod
    def _resume(conference: Conference, body: Body) -> None:
        for recording in _recordings(conference, body):
            recording.resume()


def _recordings(conference: Conference, body: Body) -> list[Recording]:
    """Return the recordings that a command is about, all when none is named."""
    return [one for one in conference.recordings if body.get("recording_id") in (None, one.id)]


def _named(conference: Conference, body: Body) -> list[Participant]:
    """Return the participants that a command is about. Raises `Refusal` when nobody whom it names is there."""
    found = conference.named(body.get("call_control_ids"))
    if not found:
        raise Refusal(422, "90033", bare=True)
    return found


def _audience(conference: Conference, body: Body) -> list[Participant] | list[None]:
    """Return the participants who are to hear something; `None` stands for the whole conference."""
    return _named(conference, body) if body.get("call_control_ids") else [None]


def _paged(documents: list[dict[str, Any]], ask: Ask) -> Answer:
    page = page_of(documents, ask.query)
    meta = page.frame(ask.operation.path)["meta"]
    return Answer(document={"data": page.records, "meta": {name: meta[name] for name in SHOWN_OF_PAGE}})
