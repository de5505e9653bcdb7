"""In real time a scenario waits as long as what was asked for may take, and says so where the profile does not let it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from telnyx_conformance.contract.sequence import Advance, Send
from telnyx_conformance.opening import open_session
from telnyx_conformance.run.core import AsyncCore
from telnyx_conformance.run.patience import own_seconds
from telnyx_conformance.run.sequence_proof import prove_sequence
from telnyx_conformance.run.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from telnyx_conformance.contract.sequence import Sequence
    from telnyx_conformance.run.verdict import Verdict

SEQUENCES = {s.name: s for s in Settings(only=["DialCall", "TransferCall", "EnqueueCall", "HangupCall"]).all_sequences}


def asking(request: dict[str, Any]) -> Sequence:
    """A sequence whose command asks for this and nothing else."""
    plain = SEQUENCES["hangup-ringing"]
    return msgspec.structs.replace(
        plain, given=(), prepare=(),
        steps=(Send(name="command", operation="TransferCall", leg="A", request=request, refused=None),),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("request_", "seconds"),
    [
        ({}, 0.0),
        ({"timeout_secs": 60, "time_limit_secs": 14400}, 60.0),
        ({"max_wait_time_secs": 20}, 20.0),
        ({"timeout_millis": 6000, "inter_digit_timeout_millis": 500}, 6.5),
        ({"timeout_secs": "soon"}, 0.0),
        ({"answering_machine_detection": "disabled"}, 0.0),
        ({"answering_machine_detection": "detect"}, 8.5),
        ({"answering_machine_detection": "detect_words"}, 38.5),
        ({"answering_machine_detection": "premium", "timeout_secs": 5}, 43.5),
        (
            {
                "answering_machine_detection": "greeting_end",
                "answering_machine_detection_config": {"greeting_total_analysis_time_millis": 9000},
            },
            12.5,
        ),
    ],
)
def test_what_was_asked_for_says_how_long_it_may_take(request_: dict[str, Any], seconds: float) -> None:
    assert own_seconds(asking(request_)) == pytest.approx(seconds)


def test_what_takes_longer_than_an_event_may_is_let_pass_or_known_beforehand() -> None:
    """No sequence of a detection that listens for half a minute fails on a target in real time for its slowness."""
    slow = [s for s in SEQUENCES.values() if "machine-no-beep" in s.name and ("words" in s.name or "premium" in s.name)]
    assert slow
    assert all(own_seconds(s) >= 30 for s in slow)
    assert not any(isinstance(step, Advance) for s in slow for step in s.steps)


def played(folder: Path, name: str, until: Callable[[float], bool], **profile: float) -> list[Verdict]:
    """The verdicts on a sequence where time is real; `until` is told how long is waited, and whether it came in vain."""

    async def waiting(condition: Callable[[], bool], timeout: float) -> bool:  # noqa: ASYNC109 - the inbox's own name
        return until(timeout) and (condition() or True)

    async def work() -> list[Verdict]:
        session = await open_session(Settings(), folder, "main")
        session.control = None
        session.settings.profile = msgspec.structs.replace(session.settings.profile, **profile)
        session.inbox.until = waiting  # type: ignore[method-assign]
        try:
            return await prove_sequence(session, SEQUENCES[name])
        finally:
            await session.close()

    with AsyncCore() as core:
        return core.run(work())


def test_the_wait_for_a_detection_is_longer_than_for_an_event(tmp_path: Path) -> None:
    waited: list[float] = []

    def until(seconds: float) -> bool:
        waited.append(seconds)
        return True

    played(tmp_path, "dial-detect-words-machine-no-beep", until, event_seconds=10.0)
    assert max(waited) == pytest.approx(48.5)


def test_what_the_profile_does_not_wait_for_is_inconclusive_when_it_does_not_come(tmp_path: Path) -> None:
    verdicts = played(
        tmp_path, "dial-detect-words-machine-no-beep", lambda seconds: seconds < 2, event_seconds=1.0, real_wait_seconds=6
    )  # fmt: skip
    told = {v.actual for v in verdicts if v.verdict == "inconclusive"}
    reason = "what was asked for may take 38.5 s, the target's time is real, and no more than 6 s are waited for"
    assert told == {reason}
    assert "fail" not in {v.verdict for v in verdicts}
