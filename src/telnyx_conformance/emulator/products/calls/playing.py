"""Commands that let something be heard on a leg: play audio, speak, and stop either."""

from __future__ import annotations

from typing import TYPE_CHECKING

from telnyx_conformance.emulator.account import Refusal
from telnyx_conformance.emulator.products.calls.activity import Body, Command, Feature
from telnyx_conformance.emulator.products.calls.audio import Audio, audio_of, speech_seconds
from telnyx_conformance.emulator.products.calls.sounds import (
    Playback,
    Speech,
    admit_sound,
    enqueue,
    sounds,
    stop,
)

if TYPE_CHECKING:
    from telnyx_conformance.emulator.products.calls.legs import Leg
    from telnyx_conformance.emulator.products.calls.switch import Switch


class Playing(Feature):
    """Playbacks and speeches of a leg, heard in the order in which they were asked for."""

    def __init__(self, switch: Switch) -> None:
        super().__init__(switch)
        self.commands = {
            "StartCallPlayback": Command(self._play, self._may_play),
            "SpeakCall": Command(self._speak, lambda leg, _: admit_sound(leg)),
            "StopCallPlayback": Command(self._stop),
        }

    def _may_play(self, leg: Leg, body: Body) -> None:
        """Refuse audio that is not to be had in time, and an overlay without anything to lie over.

        The code of the latter is documented nowhere.
        """
        admit_sound(leg)
        admit_audio(audio_of(body, self.switch.has_media))
        if body.get("overlay") and not any(isinstance(s, Playback) and s.state == "playing" for s in sounds(leg)):
            raise Refusal(422, "10015", "Nothing is played that this could lie over.", pointer="/overlay")

    def _play(self, leg: Leg, body: Body) -> None:
        overlay = bool(body.get("overlay"))
        stop(leg, body.get("stop", ""), overlay=overlay)
        audio = audio_of(body, self.switch.has_media)
        enqueue(Playback(self.switch, leg, audio, loop=body.get("loop", 1), overlay=overlay))

    def _speak(self, leg: Leg, body: Body) -> None:
        stop(leg, body.get("stop", ""))
        enqueue(Speech(self.switch, leg, seconds=speech_seconds(body["payload"])))

    def _stop(self, leg: Leg, body: Body) -> None:
        stop(leg, body.get("stop", "all"), overlay=bool(body.get("overlay")))


def admit_audio(*files: Audio) -> None:
    """Refuse files that cannot be fetched in time."""
    if any(audio.fate == "refused" for audio in files):
        raise Refusal(400, "90040", bare=True)
