"""Gathers: the keys that the far end presses are collected until there are enough of them, or no more come.

What was pressed is judged when it is complete (as many keys as there may be, or the terminating one), when the pause after a
key grows too long, or when the time for the whole gather is up. Where there is a prompt it is heard again after each try in
vain, keys or none, as often as there may be tries; after wrong keys the prompt for those is heard before it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec

from telnyx_conformance.emulator.products.calls.activity import Activity, Body, Command, Feature
from telnyx_conformance.emulator.products.calls.audio import audio_of, speech_seconds
from telnyx_conformance.emulator.products.calls.playing import admit_audio
from telnyx_conformance.emulator.products.calls.sounds import Playback, Prompt, Sound, admit_sound, enqueue

if TYPE_CHECKING:
    from collections.abc import Iterator

    from telnyx_conformance.emulator.clock import Timer
    from telnyx_conformance.emulator.products.calls.legs import Leg
    from telnyx_conformance.emulator.products.calls.switch import Switch

# How soon a far end presses keys by itself (`presses` in the table of destinations), and the time from key to key.
FIRST_PRESS_SECONDS = 1.0
NEXT_PRESS_SECONDS = 0.5
Then = Callable[[], object]
MakeSound = Callable[[Then], Sound]


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """What a gather was asked for: how many keys and which, and how long to wait, in seconds.

    `prompt` and `reproach` make the sounds before the keys and after wrong ones, given what to do when they are over;
    `whole` bounds a gather without prompt. `fields` go into the event at the end.
    """

    minimum: int
    maximum: int
    terminator: str
    valid: frozenset[str]
    first: float
    between: float
    whole: float | None = None
    tries: int = 1
    prompt: MakeSound | None = None
    reproach: MakeSound | None = None
    fields: Mapping[str, str] = {}


class Gather(Activity):
    """One gather of a leg."""

    name = "gather"

    def __init__(self, switch: Switch, leg: Leg, wish: Wish) -> None:
        super().__init__(switch, leg)
        self.digit = self.status = ""
        self._wish = wish
        self._digits = ""
        self._tries = 0
        self._is_wrong = False
        self._sound: Sound | None = None
        self._patience: Timer | None = None
        self._coming: Iterator[str] = iter(())

    def begin(self) -> None:
        """Begin to prompt, or to listen."""
        self.happen("begun" if self._wish.prompt is None else "prompted")

    def call_off(self) -> None:
        """End, together with the prompt that may be heard."""
        self.do_hush()
        self.happen("stopped")

    def payload(self, event_type: str) -> Mapping[str, Any]:  # noqa: ARG002 - one event only has anything to say
        """Return the keys pressed, without the terminating one, and what came of it."""
        return {"digits": self._digits, "status": self.status, **self._wish.fields}

    def do_prompt(self) -> None:
        """Begin a try: after wrong keys by saying so, then with the prompt."""
        self.forget_timers()
        self._tries += 1
        self._digits = ""
        if self._is_wrong and self._wish.reproach is not None:
            self._play(self._wish.reproach, self._ask)
        else:
            self._ask()

    def _ask(self) -> None:
        if self._wish.prompt is not None:
            self._play(self._wish.prompt, partial(self.happen, "prompt_over"))

    def _play(self, make: MakeSound, then: Then) -> None:
        self._sound = make(then)
        enqueue(self._sound)

    def do_bound(self) -> None:
        """Bound the whole."""
        if self._wish.whole is not None:
            self.later(self._wish.whole, "time_is_up")

    def do_listen(self) -> None:
        """Wait for the first key; some far ends press by themselves."""
        self._patience = self.later(self._wish.first, "silence")
        presses = self.switch.far_end(self.leg).presses
        if presses:
            self._coming = iter(presses)
            self.later(FIRST_PRESS_SECONDS, "far_end_presses")

    def do_press(self) -> None:
        """Let the far end press the next of its keys, and the others after it."""
        key = next(self._coming, "")
        if key:
            self.later(NEXT_PRESS_SECONDS, "far_end_presses")
            self.switch.press(self.leg, key)

    def do_hush(self) -> None:
        """Interrupt the prompt."""
        sound, self._sound = self._sound, None
        if sound is not None:
            sound.hush()

    def do_collect(self) -> None:
        """Take a key, and wait for the next if there may be one."""
        if self._patience is not None:
            self._patience.cancel()
        if self.digit != self._wish.terminator:
            self._digits += self.digit
            if len(self._digits) < self._wish.maximum:
                self._patience = self.later(self._wish.between, "pause")
                return
        self.happen("complete")

    def do_judge(self) -> None:
        """End when the keys are valid ones and enough, otherwise ask again while there are tries."""
        self._is_wrong = not self._is_valid
        if not self._is_wrong:
            self.happen("accepted")
        else:
            self.happen("again" if self._tries < self._wish.tries else "rejected")

    def do_miss(self) -> None:
        """Ask again or give up: no key was pressed."""
        self._is_wrong = False
        self.happen("again" if self._tries < self._wish.tries else "expired")

    def do_close(self) -> None:
        """End with what there is."""
        self.happen("accepted" if self._is_valid else "expired")

    @property
    def _is_valid(self) -> bool:
        return len(self._digits) >= self._wish.minimum and self._wish.valid.issuperset(self._digits)


class Gathering(Feature):
    """Gathers, of which a leg has one at a time: another one takes the place of the first."""

    def __init__(self, switch: Switch) -> None:
        super().__init__(switch)
        self.commands = {
            "GatherCall": Command(self._gather),
            "GatherUsingAudio": Command(self._gather_by_audio, self._may_play),
            "GatherUsingSpeak": Command(self._gather_by_speech, lambda leg, _: admit_sound(leg)),
            "StopCallGather": Command(self._stop),
        }

    def _gather(self, leg: Leg, body: Body) -> None:
        fields = {"gather_id": body.get("gather_id") or self.switch.ids.uuid()}
        first = body.get("initial_timeout_millis", 5_000) / 1_000
        self._begin(leg, wish_of(body, first=first, whole=_timeout(body), tries=0, fields=fields))

    def _may_play(self, leg: Leg, body: Body) -> None:
        admit_sound(leg)
        admit_audio(*(audio_of(body, self.switch.has_media, prefix=prefix) for prefix in ("", "invalid_")))

    def _gather_by_audio(self, leg: Leg, body: Body) -> None:
        def playback(prefix: str) -> MakeSound:
            audio = audio_of(body, self.switch.has_media, prefix=prefix)
            return lambda then: Playback(self.switch, leg, audio, then=then)

        reproach = playback("invalid_") if {"invalid_audio_url", "invalid_media_name"} & set(body) else None
        self._begin(leg, wish_of(body, first=_timeout(body), prompt=playback(""), reproach=reproach))

    def _gather_by_speech(self, leg: Leg, body: Body) -> None:
        def prompt(text: str) -> MakeSound:
            return lambda then: Prompt(self.switch, leg, seconds=speech_seconds(text), then=then)

        reproach = prompt(body["invalid_payload"]) if "invalid_payload" in body else None
        self._begin(leg, wish_of(body, first=_timeout(body), prompt=prompt(body["payload"]), reproach=reproach))

    def _begin(self, leg: Leg, wish: Wish) -> None:
        self._stop(leg, {})
        Gather(self.switch, leg, wish).begin()

    def _stop(self, leg: Leg, _: Body) -> None:
        for activity in tuple(leg.activities or ()):
            if isinstance(activity, Gather):
                activity.call_off()


def wish_of(body: Body, **more: Any) -> Wish:
    """Return what a command asks for, by the documented defaults; `more` are the parts in which the commands differ."""
    return Wish(
        minimum=body.get("minimum_digits", 1),
        maximum=body.get("maximum_digits", 128),
        terminator=body.get("terminating_digit", "#"),
        valid=frozenset(body.get("valid_digits", "0123456789#*")),
        between=body.get("inter_digit_timeout_millis", 5_000) / 1_000,
        **{"tries": body.get("maximum_tries", 3), **more},
    )


def _timeout(body: Body) -> float:
    return float(body.get("timeout_millis", 60_000)) / 1_000
