"""Answering-machine detection: what each mode finds in what is heard, and when. Pure arithmetic on the greeting.

The thresholds are those of `answering_machine_detection_config` with their documented defaults.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import msgspec

if TYPE_CHECKING:
    from collections.abc import Mapping

DEFAULT_MILLIS: Mapping[str, int] = {
    "total_analysis_time_millis": 3500,
    "after_greeting_silence_millis": 800,
    "greeting_duration_millis": 3500,
    "initial_silence_millis": 3500,
    "maximum_word_length_millis": 3500,
    "greeting_total_analysis_time_millis": 5000,
    "greeting_silence_duration_millis": 1500,
}
DEFAULT_WORDS = 5
# The documentation gives premium detection half a minute, its schema the 3.5 s of the standard one.
PREMIUM_LIMIT_SECONDS = 30.0
BEEP_LIMIT_SECONDS = 30.0
FAX_TONE_SECONDS = 2.0
# The results after which there is nobody to listen to what is played, or to press keys.
MACHINES = frozenset({"machine", "fax_detected"})


class Sound(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is heard after the answer: `words` between `starts` and `ends` (seconds), perhaps a `beep`.

    No words is silence. `is_fax` makes it a fax tone; `premium` is what premium detection calls the one who speaks.
    """

    starts: float = 0.0
    ends: float = 0.0
    words: int = 0
    beep: float | None = None
    is_fax: bool = False
    premium: Literal["human_residence", "human_business"] = "human_residence"


class Finding(msgspec.Struct, frozen=True):
    """What was found, `after` seconds from the answer; `happening` is the trigger in the table of states."""

    after: float
    happening: str
    result: str


def findings(mode: str, config: Mapping[str, Any], sound: Sound) -> list[Finding]:
    """Return what detection in `mode` reports, in the order of time; nothing when it is disabled."""
    if mode == "disabled":
        return []
    thresholds = _Thresholds(config)
    if mode == "premium":
        return _premium(thresholds, sound, limited="total_analysis_time_millis" in config)
    after, result = _verdict(thresholds, sound, thresholds.seconds("total_analysis_time_millis"))
    found = [Finding(after, "detected", result)]
    if result == "machine":
        found += _greeting(mode, thresholds, sound, after)
    return found


class _Thresholds:
    def __init__(self, config: Mapping[str, Any]) -> None:
        self._config = config
        self.words: int = config.get("maximum_number_of_words", DEFAULT_WORDS)

    def seconds(self, name: str) -> float:
        return float(self._config.get(name, DEFAULT_MILLIS[name])) / 1000


def _verdict(thresholds: _Thresholds, sound: Sound, limit: float) -> tuple[float, str]:
    """Return when it is decided who answered, and what; undecided at `limit` is `not_sure`."""
    moments: list[tuple[float, str]] = []
    initial_silence = thresholds.seconds("initial_silence_millis")
    if not sound.words or sound.starts > initial_silence:
        moments.append((initial_silence, "machine"))
    else:
        word = (sound.ends - sound.starts) / sound.words
        for longest, heard in (
            (thresholds.seconds("greeting_duration_millis"), sound.ends - sound.starts),
            (thresholds.seconds("maximum_word_length_millis"), word),
        ):
            if heard > longest:
                moments.append((sound.starts + longest, "machine"))
        if sound.words > thresholds.words:
            moments.append((sound.starts + (thresholds.words + 1) * word, "machine"))
        moments.append((sound.ends + thresholds.seconds("after_greeting_silence_millis"), "human"))
    first = min(moments, key=lambda moment: moment[0])
    return first if first[0] < limit else (limit, "not_sure")


def _greeting(mode: str, thresholds: _Thresholds, sound: Sound, since: float) -> list[Finding]:
    """Return how a machine's greeting ends: by a beep, or (not in `detect_beep`) by silence or by giving up."""
    ends: list[tuple[float, str]] = []
    if sound.beep is not None:
        ends.append((max(sound.beep, since), "beep_detected"))
    if mode == "greeting_end":
        silence = sound.ends + thresholds.seconds("greeting_silence_duration_millis")
        limit = since + thresholds.seconds("greeting_total_analysis_time_millis")
        ends.append((min(max(silence, since), limit), "ended"))
    elif mode == "detect_words":
        ends.append((since + BEEP_LIMIT_SECONDS, "not_sure"))
    elif mode != "detect_beep":
        return []
    return [Finding(after, "greeting_ended", result) for after, result in sorted(ends)[:1]]


def _premium(thresholds: _Thresholds, sound: Sound, *, limited: bool) -> list[Finding]:
    """Return the one result, and the beep; a beep that comes first makes the result superfluous."""
    limit = thresholds.seconds("total_analysis_time_millis") if limited else PREMIUM_LIMIT_SECONDS
    if sound.is_fax:
        after, result = sound.starts + FAX_TONE_SECONDS, "fax_detected"
    else:
        after, result = _verdict(thresholds, sound, limit)
        if not sound.words and result == "machine":
            result = "silence"
        elif result == "human":
            result = sound.premium
    if after >= limit:
        after, result = limit, "not_sure"
    if sound.beep is None:
        return [Finding(after, "premium_detected", result)]
    beep = Finding(sound.beep, "premium_greeting_ended", "beep_detected")
    return [beep] if sound.beep < after else [Finding(after, "premium_detected", result), beep]
