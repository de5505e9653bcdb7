"""How long a scenario waits: in steps of virtual time, or in real time as long as what was asked for may take by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from telnyx_conformance.contract.sequence import Send

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from telnyx_conformance.contract.sequence import Sequence

BEEP_SECONDS = 30.0  # how long detection listens for a beep, and how long premium detection takes at most
BEEP_MODES = ("detect_beep", "detect_words", "premium")
DETECTION = "answering_machine_detection"
ANALYSES = {"total_analysis_time_millis": 3500, "greeting_total_analysis_time_millis": 5000}
TIMEOUTS = {
    "timeout_secs": 1.0, "max_wait_time_secs": 1.0, "timeout_millis": 1e-3, "initial_timeout_millis": 1e-3,
    "inter_digit_timeout_millis": 1e-3,
}  # fmt: skip


def looks() -> Iterator[float]:
    """Yield the virtual seconds between looks: finely at first, 15 minutes in all."""
    yield 0.0
    yield from [1.0] * 30
    yield from [5.0] * 18
    yield from [30.0] * 26


def own_seconds(sequence: Sequence) -> float:
    """Return the seconds that the slowest of a sequence's requests may take by itself, time for the target's work apart.

    Ringing, waiting in a queue and gathering last until they time out; detection ends when it has heard enough. Limits
    that only cut off what could go on (`time_limit_secs`) are not meant: a sequence lets their time pass by a step.
    """
    sent = (step.request for step in sequence.every_step if isinstance(step, Send))
    asked = (*(given.request for given in sequence.given), *sent)
    return max((_timeouts(request) + _detection(request) for request in asked), default=0.0)


def _timeouts(request: Mapping[str, Any]) -> float:
    return sum(_number(request.get(name, 0)) * unit for name, unit in TIMEOUTS.items())


def _detection(request: Mapping[str, Any]) -> float:
    mode = request.get(DETECTION, "disabled")
    if mode == "disabled":
        return 0.0
    config = request.get(f"{DETECTION}_config", {})
    analyses = sum(_number(config.get(name, usual)) for name, usual in ANALYSES.items()) / 1000
    return analyses + (BEEP_SECONDS if mode in BEEP_MODES else 0.0)


def _number(value: Any) -> float:
    """Return a value that was asked for as a number; what is none (a wrong one, on purpose) takes no time."""
    return float(value) if isinstance(value, int | float) else 0.0
