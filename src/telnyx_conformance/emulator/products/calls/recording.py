"""Recording a leg: begun by command or with the answer, paused and resumed, saved at the end whichever way it comes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from telnyx_conformance.emulator.account import Refusal
from telnyx_conformance.emulator.clock import MICROS
from telnyx_conformance.emulator.products.calls.activity import Activity, Command, Feature, going_on
from telnyx_conformance.emulator.products.calls.recordings import (
    MICROS_PER_MILLI,
    Recorded,
    keep_recording,
    keep_transcription,
    storage_problem,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from telnyx_conformance.emulator.products.calls.activity import Body
    from telnyx_conformance.emulator.products.calls.legs import Leg
    from telnyx_conformance.emulator.products.calls.switch import Switch

READING_SECONDS = 1.0
MOST_AT_ONCE = 10
FROM_ANSWER = "record_"


class RecordingOrder:
    """What was asked for, by either of the two ways: `record_start` and the `record_…` fields of other commands."""

    def __init__(self, body: Body, prefix: str = "") -> None:
        self.format = body.get(f"{prefix}format", "mp3")
        self.channels = body.get(f"{prefix}channels", "dual")
        self.longest: int = body.get(f"{prefix}max_length", 0)
        self.silence: int = body.get(f"{prefix}timeout_secs", 0)
        self.trims = body.get(f"{prefix}trim") == "trim-silence"
        self.transcribes: bool = not prefix and body.get("transcription", False)


class Recording(Activity):
    """One recording of a leg."""

    name = "recording"

    def __init__(self, switch: Switch, leg: Leg, order: RecordingOrder, id_: str) -> None:
        super().__init__(switch, leg)
        self.id, self.order = id_, order
        self.reason = ""
        self.text = ""  # the fact of the trigger `speech`
        self._texts: list[str] = []
        self._sounds: list[int] = []  # the first and the latest moment something was heard, in recorded time
        self._transcription_id = ""
        self._started_at = self._read_since = switch.clock.micros
        self._resumed_at: int | None = None
        self._micros = 0
        self.recorded: Recorded | None = None

    @property
    def is_on(self) -> bool:
        """Whether it can still be stopped."""
        return self.state in ("running", "paused")

    @property
    def _length(self) -> int:
        since = self._resumed_at
        return self._micros + (0 if since is None else self.switch.clock.micros - since)

    def payload(self, event_type: str) -> Mapping[str, Any]:
        """Return what is said of the file, of its text, or of why there is none."""
        if event_type == "call.recording.saved" and self.recorded is not None:
            return self.recorded.payload
        if event_type == "call.recording.error":
            return {"reason": self.reason}
        return {
            "calling_party_type": self.leg.party_type,
            "recording_id": self.id,
            "recording_transcription_id": self._transcription_id,
            "status": "completed",
            "transcription_text": " ".join(self._texts),
        }

    def do_begin(self) -> None:
        """Record for as long as was asked for."""
        self.do_resume()

    def do_hear(self) -> None:
        """Hear something: silence begins anew."""
        self._sounds = [*self._sounds[:1], self._length]
        if self.text:
            self._texts.append(self.text)
            self.text = ""
        self.forget_timers()
        self._limit()

    def do_pause(self) -> None:
        """Record nothing until it goes on."""
        self._micros, self._resumed_at = self._length, None
        self.forget_timers()

    def do_resume(self) -> None:
        """Go on recording."""
        self._resumed_at = self.switch.clock.micros
        self._limit()

    def do_finish(self) -> None:
        """Note what was recorded: the rest is done with the file alone."""
        self.do_pause()
        micros = self._micros
        if self.order.trims:
            micros = self._sounds[-1] - self._sounds[0] if self._sounds else 0
        self.recorded = Recorded(
            id=self.id, format=self.order.format, channels=self.order.channels, started_at=self._started_at,
            ended_at=self.switch.clock.micros, millis=micros // MICROS_PER_MILLI,
        )  # fmt: skip

    def do_save(self) -> None:
        """Put the recording where it can be read."""
        if self.recorded is None:
            return
        credentials = self.switch.registry.find("custom_storage_credentials", self.leg.connection_id)
        self.reason = storage_problem(credentials)
        if self.reason:
            self.happen("not_kept")
            return
        keep_recording(self.switch.registry, self.recorded, self.leg, self.switch.clock.micros)
        self.happen("kept_to_read" if self.order.transcribes else "kept")

    def do_read(self) -> None:
        """Begin to write down what was said."""
        self._transcription_id = self.switch.ids.uuid()
        self._read_since = self.switch.clock.micros
        self._keep_text(None)
        self.later(READING_SECONDS, "read")

    def do_keep_text(self) -> None:
        """Let the text be read."""
        self._keep_text(" ".join(self._texts))

    def _keep_text(self, text: str | None) -> None:
        if self.recorded is not None:
            times = (self._read_since, self.switch.clock.micros)
            keep_transcription(self.switch.registry, self._transcription_id, self.recorded, text, times)

    def _limit(self) -> None:
        """Stop after the longest time recorded and the longest silence; both wait for the far end or the application."""
        if self.order.longest:
            self.later(max(0.0, self.order.longest - self._length / MICROS), "length_reached", guard=True)
        if self.order.silence:
            self.later(self.order.silence, "silence_lasted", guard=True)


class RecordingCommands(Feature):
    """The commands that record a leg; one recording, the oldest, is saved where a leg would have too many."""

    def __init__(self, switch: Switch) -> None:
        super().__init__(switch)
        self.commands = {
            "StartCallRecord": Command(self._start, self._may_start),
            "StopCallRecording": Command(self._stop),
            "PauseCallRecording": Command(self._pause),
            "ResumeCallRecording": Command(self._resume),
        }

    def begin(self, leg: Leg, body: Body) -> None:
        """Record from the answer, or from the bridge."""
        if body.get("record"):
            id_ = leg.recording_id or self.switch.ids.uuid()
            self._record(leg, RecordingOrder(body, FROM_ANSWER), id_, "record_from_answer")

    @staticmethod
    def _may_start(leg: Leg, body: Body) -> None:
        if body.get("timeout_secs") and going_on(leg, "transcription"):
            raise Refusal(422, "90053", bare=True)

    def _start(self, leg: Leg, body: Body) -> None:
        self._record(leg, RecordingOrder(body), self.switch.ids.uuid(), "StartCallRecord")

    def _record(self, leg: Leg, order: RecordingOrder, id_: str, trigger: str) -> None:
        running = _running(leg)
        if len(running) >= MOST_AT_ONCE:
            running[0].happen("StopCallRecording")
        Recording(self.switch, leg, order, id_).happen(trigger)

    def _stop(self, leg: Leg, body: Body) -> None:
        _tell(leg, body, "StopCallRecording")

    def _pause(self, leg: Leg, body: Body) -> None:
        _tell(leg, body, "PauseCallRecording")

    def _resume(self, leg: Leg, body: Body) -> None:
        _tell(leg, body, "ResumeCallRecording")


def listens_for_silence(leg: Leg) -> bool:
    """Return whether a recording of the leg runs that silence would end."""
    return any(one.order.silence for one in _running(leg))


def _running(leg: Leg) -> list[Recording]:
    return [one for one in leg.activities or () if isinstance(one, Recording) and one.is_on]


def _tell(leg: Leg, body: Body, command: str) -> None:
    """Let the recording of the id that was named hear of a command, or all of the leg."""
    for recording in _running(leg):
        if body.get("recording_id") in (None, recording.id):
            recording.happen(command)
