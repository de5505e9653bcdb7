"""Nothing of Call Control is left unsaid: each command has its success, its refusals, its repetition, its end in the middle."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

import pytest

from telnyx_conformance.contract.document import load_edition
from telnyx_conformance.contract.sequence import Repeat, Send, Sequence
from telnyx_conformance.contract.sequences import load_sequences

if TYPE_CHECKING:
    from collections.abc import Mapping

    from telnyx_conformance.contract.model import Operation

EDITION = load_edition()
GROUPS = ("Call Commands", "Conference Commands", "Queue Commands", "Call Information")
OPERATIONS = {o.id: o for o in EDITION.operations if o.group in GROUPS}
COMMANDS = {id_: o for id_, o in OPERATIONS.items() if o.group == "Call Commands" and id_ != "DialCall"}
SEQUENCES: Mapping[str, list[Sequence]] = defaultdict(list)
for _sequence in load_sequences(EDITION.name):
    SEQUENCES[_sequence.command].append(_sequence)

# What is documented otherwise, or for no state at all.
NOT_REFUSED_BEFORE_THE_ANSWER = {
    "AnswerCall": "it answers",
    "RejectCall": "it is for calls that are not answered",
    "HangupCall": "a call that rings is called off",
    "UpdateClientState": "any leg has a state",
    "TransferCall": "an inbound call is transferred before it is answered",
    "StartCallRecord": "its error before the answer is 90020",
}
NOT_CUT_SHORT = {
    "CallStopAIAssistant": "it ends something", "HangupCall": "it is the hang-up", "LeaveQueue": "it ends something",
    "RejectCall": "it ends the call", "ResumeCallRecording": "what it resumes is the recording, which is hung up there",
    "StopCallFork": "it ends something", "StopCallPlayback": "it ends something", "StopCallRecording": "it ends something",
    "StopCallStreaming": "it ends something",
    "StopSiprecSession": "it ends something", "StopCallGather": "it ends something",
}  # fmt: skip
NO_STATE_ECHOED = {"PauseCallRecording": "nobody is told of it", "ResumeCallRecording": "nobody is told of it"}


def fields(operation: Operation) -> set[str]:
    if operation.body is None:
        return set()
    return set(EDITION.resolve(operation.body.content[operation.body.media_type]).get("properties", {}))


def first(sequence: Sequence) -> Send:
    step = sequence.steps[0]
    assert isinstance(step, Send)
    return step


def codes(operation: str) -> set[str]:
    return {refused.code for s in SEQUENCES[operation] if (refused := first(s).refused) is not None}


def is_cut_short(sequence: Sequence) -> bool:
    later = sequence.steps[1:]
    return any(
        getattr(step, "operation", "") == "HangupCall" or getattr(step, "act", "") == "hang_up" for step in later
    )


@pytest.mark.parametrize("operation", OPERATIONS)
def test_every_operation_has_a_sequence_that_succeeds(operation: str) -> None:
    assert [s.name for s in SEQUENCES[operation] if first(s).refused is None]


@pytest.mark.parametrize("operation", COMMANDS)
def test_every_command_is_refused_once_the_call_has_ended(operation: str) -> None:
    assert "90018" in codes(operation)


@pytest.mark.parametrize("operation", sorted(COMMANDS.keys() - NOT_REFUSED_BEFORE_THE_ANSWER.keys()))
def test_every_command_is_refused_before_the_answer_unless_it_makes_sense_there(operation: str) -> None:
    assert "90034" in codes(operation)


@pytest.mark.parametrize("operation", [id_ for id_, o in OPERATIONS.items() if "command_id" in fields(o)])
def test_every_command_with_an_id_is_repeated(operation: str) -> None:
    assert [s.name for s in SEQUENCES[operation] if any(isinstance(step, Repeat) for step in s.steps)]


@pytest.mark.parametrize(
    "operation", [id_ for id_, o in COMMANDS.items() if "client_state" in fields(o) and id_ not in NO_STATE_ECHOED]
)
def test_every_command_that_carries_a_state_shows_it_on_events(operation: str) -> None:
    assert [s.name for s in SEQUENCES[operation] if "client_state" in first(s).request]


@pytest.mark.parametrize("operation", sorted(COMMANDS.keys() - NOT_CUT_SHORT.keys()))
def test_every_command_that_begins_something_is_cut_short_by_a_hang_up(operation: str) -> None:
    assert [s.name for s in SEQUENCES[operation] if is_cut_short(s)]


def test_the_exceptions_are_still_exceptions() -> None:
    assert not [id_ for id_ in NOT_REFUSED_BEFORE_THE_ANSWER if "90034" in codes(id_)]
    assert not [id_ for id_ in NOT_CUT_SHORT if any(is_cut_short(s) for s in SEQUENCES[id_])]
    assert COMMANDS.keys() >= NOT_CUT_SHORT.keys() | NOT_REFUSED_BEFORE_THE_ANSWER.keys() | NO_STATE_ECHOED.keys()
