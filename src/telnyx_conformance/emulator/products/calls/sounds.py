"""What is heard on a leg: playbacks, speeches and spoken prompts, one after the other, overlays in a queue of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from telnyx_conformance.emulator.account import Refusal
from telnyx_conformance.emulator.products.calls.activity import Activity
from telnyx_conformance.emulator.products.calls.audio import Audio, audio_table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from telnyx_conformance.emulator.products.calls.legs import Leg
    from telnyx_conformance.emulator.products.calls.switch import Switch

# A file that cannot be had is given up after a moment.
FETCH_SECONDS = 1.0
# Bounds the memory that one call can take; the documentation names no bound.
MOST_QUEUED = 500
DETAILS: Mapping[str, str] = {
    "file_not_found": "There is no such file.",
    "failed": "The file is no audio that can be played.",
}


class Sound(Activity):
    """One thing that is heard. `seconds` is `None` for what never ends by itself; `then` is called when it is over."""

    overlay: bool = False

    def __init__(
        self, switch: Switch, leg: Leg, *, seconds: float | None, then: Callable[[], object] | None = None
    ) -> None:
        super().__init__(switch, leg)
        self.status = ""
        self._seconds = seconds
        self._then = then

    def payload(self, event_type: str) -> Mapping[str, Any]:
        """Return how it ended, in the event that says so."""
        return {"status": self.status} if event_type.endswith(".ended") else {}

    def take_turn(self) -> None:
        """Begin to be heard."""
        self.happen("turn")

    def do_play(self) -> None:
        """Be heard for as long as it lasts."""
        if self._seconds is not None:
            self.later(self._seconds, "played")

    def do_yield(self) -> None:
        """Let the next be heard."""
        self.do_report()
        waiting = next(sounds(self.leg, overlay=self.overlay), None)
        if waiting is not None and waiting.state == "waiting":
            waiting.take_turn()

    def do_report(self) -> None:
        """Tell who asked for it that it is over."""
        if self._then is not None:
            self._then()

    def hush(self) -> None:
        """Stop on behalf of who asked for it, who need not be told."""
        self._then = None
        self.happen("stopped")


class Speech(Sound):
    """A text that is spoken."""

    name = "speech"


class Prompt(Sound):
    """A text that is spoken on behalf of a gather, of which no event tells."""

    name = "prompt"


class Playback(Sound):
    """A file that is played, over the other sounds if it is an overlay."""

    name = "playback"

    def __init__(
        self,
        switch: Switch,
        leg: Leg,
        audio: Audio,
        *,
        loop: str | int = 1,
        overlay: bool = False,
        then: Callable[[], object] | None = None,
    ) -> None:
        seconds = None if loop == "infinity" else audio_table().seconds * int(loop)
        super().__init__(switch, leg, seconds=seconds, then=then)
        self.audio, self.overlay = audio, overlay

    def payload(self, event_type: str) -> Mapping[str, Any]:
        """Return which file it is, and how it ended."""
        detail = {"status_detail": DETAILS[self.status]} if self.status in DETAILS else {}
        return {**self.audio.fields, "overlay": self.overlay, **super().payload(event_type), **detail}

    def take_turn(self) -> None:
        """Begin to be heard, or to look for a file that there is not."""
        self.happen("turn" if self.audio.fate == "playable" else "turn_in_vain")

    def do_seek(self) -> None:
        """Find out in a moment what is wrong with the file."""
        self.later(FETCH_SECONDS, self.audio.fate)


def sounds(leg: Leg, *, overlay: bool = False) -> Iterator[Sound]:
    """Yield the sounds of one of a leg's two queues in their order; the first is heard, the others wait."""
    for activity in leg.activities or ():
        if isinstance(activity, Sound) and activity.overlay == overlay:
            yield activity


def admit_sound(leg: Leg) -> None:
    """Refuse when far too many sounds wait on a leg."""
    if len(leg.activities or ()) >= MOST_QUEUED:
        raise Refusal(422, "10015", f"More than {MOST_QUEUED} sounds wait on this call.", bare=True)


def enqueue(sound: Sound) -> None:
    """Put a new sound behind those of its queue; it begins when it is the only one."""
    sound.happen("queued")
    if next(sounds(sound.leg, overlay=sound.overlay)) is sound:
        sound.take_turn()


def stop(leg: Leg, which: str, *, overlay: bool = False) -> None:
    """Stop what is heard (`current`), after which the next begins, or clear the whole queue (`all`); else do nothing."""
    queue = list(sounds(leg, overlay=overlay))
    if which == "all":
        for waiting in queue[1:]:
            waiting.happen("stopped")
    if which in ("all", "current") and queue:
        queue[0].happen("stopped")
