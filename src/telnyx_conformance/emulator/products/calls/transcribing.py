"""Transcription in real time: what the far end says becomes events. What the application plays is not heard here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from telnyx_conformance.emulator.account import Refusal
from telnyx_conformance.emulator.products.calls.activity import Activity, Command, Feature, going_on, refusal
from telnyx_conformance.emulator.products.calls.recording import listens_for_silence

if TYPE_CHECKING:
    from collections.abc import Mapping

    from telnyx_conformance.emulator.products.calls.activity import Body
    from telnyx_conformance.emulator.products.calls.legs import Leg
    from telnyx_conformance.emulator.products.calls.switch import Switch

CONFIDENCE = 0.98
WITH_TRACKS = "B"  # the engine whose events name the track


class Transcription(Activity):
    """The transcription of one leg."""

    name = "transcription"

    def __init__(self, switch: Switch, leg: Leg, body: Body) -> None:
        super().__init__(switch, leg)
        self.text = ""
        self.is_final = True
        config = body.get("transcription_engine_config") or {}
        self._names_track = body.get("transcription_engine", "A") == WITH_TRACKS
        self._tells_parts: bool = config.get("interim_results", False)
        self._hears_far_end = body.get("transcription_tracks", "inbound") != "outbound"

    def payload(self, event_type: str) -> Mapping[str, Any]:  # noqa: ARG002 - it sends one type only
        """Return what was understood."""
        track = {"transcription_track": "inbound"} if self._names_track else {}
        said = {"confidence": CONFIDENCE, "is_final": self.is_final, "transcript": self.text}
        return {"transcription_data": said | track}

    def do_hear(self) -> None:
        """Tell what the far end said: its first word too, if what is not final was asked for."""
        if not self._hears_far_end:
            return
        whole = self.text
        if self._tells_parts:
            self.happen("heard_in_part", text=whole.partition(" ")[0])
        self.happen("heard_out", text=whole)


class Transcribing(Feature):
    """The commands that transcribe a leg."""

    def __init__(self, switch: Switch) -> None:
        super().__init__(switch)
        self.commands = {
            "StartCallTranscription": Command(self._start, self._may_start),
            "StopCallTranscription": Command(self._stop, self._may_stop),
        }

    def begin(self, leg: Leg, body: Body) -> None:
        """Transcribe from the answer, unless the leg is transcribed already."""
        if body.get("transcription") and not going_on(leg, "transcription"):
            config = body.get("transcription_config") or {}
            Transcription(self.switch, leg, config).happen("transcribe_from_answer")

    @staticmethod
    def _may_start(leg: Leg, _: Body) -> None:
        if going_on(leg, "transcription"):
            raise refusal("transcription", "running", "StartCallTranscription")

    def _start(self, leg: Leg, body: Body) -> None:
        Transcription(self.switch, leg, body).happen("StartCallTranscription")

    @staticmethod
    def _may_stop(leg: Leg, _: Body) -> None:
        if listens_for_silence(leg):
            raise Refusal(422, "90055", bare=True)

    def _stop(self, leg: Leg, _: Body) -> None:
        self.switch.tell(leg, "StopCallTranscription")
