"""The one table of a leg's states: what may happen in each, what follows, and which events tell of it.

- A row is (state, trigger) -> what follows; a trigger is a command (an operation id) or a happening (lower case).
- What is absent is illegal: a command is refused with `refusal_code`, a happening comes too late and is ignored.
- Time stamps of a state are set on entering it; then its events are sent, then its effects take place.
- Rows that keep the state and have neither effect nor event check the precondition of a command and do nothing more.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import msgspec

if TYPE_CHECKING:
    from collections.abc import Mapping

State = Literal["new", "parked", "dialling", "answered", "bridged", "queued", "conference", "ended"]
Cause = Literal[
    "", "call_rejected", "normal_clearing", "originator_cancel", "timeout", "time_limit", "user_busy", "not_found",
    "unspecified",
]  # fmt: skip
Side = Literal["", "ours", "theirs", "unknown"]

STATES: tuple[State, ...] = ("parked", "dialling", "answered", "bridged", "queued", "conference", "ended")
TALKING: tuple[State, ...] = ("answered", "bridged", "queued", "conference")


class Row(msgspec.Struct, frozen=True):
    """What follows. `cause` and `side` (who hung up) are set where the leg ends; an empty cause is the command's."""

    next: State
    effects: tuple[str, ...] = ()
    events: tuple[str, ...] = ()
    cause: Cause = ""
    side: Side = ""


# Commands whose only documented precondition is an answered leg; what they do beyond that is not emulated yet.
MEDIA_COMMANDS = (
    "BridgeCall", "CallStartAIAssistant", "CallStopAIAssistant", "EnqueueCall", "GatherCall", "GatherUsingAudio",
    "GatherUsingSpeak", "LeaveQueue", "PauseCallRecording", "ReferCall", "ResumeCallRecording", "SendDTMF",
    "SendSIPInfo", "SpeakCall", "StartCallFork", "StartCallPlayback", "StartCallRecord", "StartCallStreaming",
    "StartCallTranscription", "StartSiprecSession", "StopCallFork", "StopCallGather", "StopCallPlayback",
    "StopCallRecording", "StopCallStreaming", "StopCallTranscription", "StopSiprecSession", "callGatherUsingAI",
    "noiseSuppressionStart", "noiseSuppressionStop",
)  # fmt: skip
COMMANDS = ("AnswerCall", "HangupCall", "RejectCall", "TransferCall", "UpdateClientState", *MEDIA_COMMANDS)
DETECTIONS = {
    "detected": "call.machine.detection.ended",
    "greeting_ended": "call.machine.greeting.ended",
    "premium_detected": "call.machine.premium.detection.ended",
    "premium_greeting_ended": "call.machine.premium.greeting.ended",
}
HAPPENINGS = (
    "transferred", "invited", "far_answers", "far_busy", "far_rejects", "far_unknown", "far_hangs_up", "ring_timeout",
    "bridge", "withdrawn", "peer_ends", "time_limit", *DETECTIONS,
)  # fmt: skip


def _ends(cause: Cause, side: Side) -> Row:
    return Row("ended", ("part",), ("call.hangup",), cause, side)


_INITIATED, _ANSWERED, _BRIDGED = ("call.initiated",), ("call.answered",), ("call.bridged",)

TABLE: Mapping[tuple[State, str], Row] = {
    # how a leg comes to be
    ("new", "DialCall"): Row("dialling", ("ring",), _INITIATED),
    ("new", "transferred"): Row("dialling", ("ring",), _INITIATED),
    ("new", "invited"): Row("parked", (), _INITIATED),
    # inbound, not answered; a time limit is documented for the legs one dials only
    ("parked", "AnswerCall"): Row("answered", (), _ANSWERED),
    ("parked", "RejectCall"): _ends("", "ours"),
    ("parked", "HangupCall"): _ends("normal_clearing", "ours"),
    ("parked", "TransferCall"): Row("parked", ("dial_target",)),
    ("parked", "UpdateClientState"): Row("parked"),
    ("parked", "ReferCall"): Row("parked"),
    ("parked", "StartCallStreaming"): Row("parked"),
    ("parked", "StopCallStreaming"): Row("parked"),
    ("parked", "bridge"): Row("bridged", (), _BRIDGED),
    ("parked", "far_hangs_up"): _ends("originator_cancel", "theirs"),
    # outbound, not answered
    ("dialling", "far_answers"): Row("answered", ("win", "limit", "detect", "connect"), _ANSWERED),
    ("dialling", "far_busy"): _ends("user_busy", "theirs"),
    ("dialling", "far_rejects"): _ends("call_rejected", "theirs"),
    ("dialling", "far_unknown"): _ends("not_found", "unknown"),
    ("dialling", "ring_timeout"): _ends("timeout", "ours"),
    ("dialling", "withdrawn"): _ends("originator_cancel", "ours"),
    ("dialling", "HangupCall"): _ends("originator_cancel", "ours"),
    ("dialling", "UpdateClientState"): Row("dialling"),
    # between answer and bridge: the leg that waited for this one is gone
    ("answered", "withdrawn"): _ends("normal_clearing", "ours"),
    # answered, in whatever company
    **{
        (state, trigger): row
        for state in TALKING
        for trigger, row in {
            **{command: Row(state) for command in (*MEDIA_COMMANDS, "UpdateClientState")},
            **{trigger: Row(state, (), (event,)) for trigger, event in DETECTIONS.items()},
            "TransferCall": Row(state, ("dial_target",)),
            "HangupCall": _ends("normal_clearing", "ours"),
            "bridge": Row("bridged", (), _BRIDGED),
            "far_hangs_up": _ends("normal_clearing", "theirs"),
            "peer_ends": _ends("normal_clearing", "ours"),
            "time_limit": _ends("time_limit", "unknown"),
        }.items()
        if (state, trigger) != ("queued", "EnqueueCall") and (trigger != "LeaveQueue" or state == "queued")
    },
    # queues, so far as commands depend on them
    ("answered", "EnqueueCall"): Row("queued"),
    ("queued", "LeaveQueue"): Row("answered"),
}

_CODES_OF_STATES: Mapping[State, str] = {"ended": "90018", "parked": "90034", "dialling": "90034"}
_CODES_OF_COMMANDS: Mapping[tuple[State, str], str] = {
    ("dialling", "AnswerCall"): "90102",
    ("dialling", "RejectCall"): "90102",
    ("queued", "EnqueueCall"): "90038",
    **{(state, "LeaveQueue"): "90035" for state in TALKING if state != "queued"},
}
_COMMAND_IS_INVALID = "90102"

# Documented nowhere except 487 for a cancelled call; the others are what the SIP standard calls the same thing.
SIP_CODES: Mapping[Cause, str] = {
    "call_rejected": "603",
    "normal_clearing": "200",
    "originator_cancel": "487",
    "timeout": "480",
    "time_limit": "200",
    "user_busy": "486",
    "not_found": "404",
    "unspecified": "unspecified",
}


def refusal_code(state: State, command: str) -> str:
    """Return the error code with which `command`, which has no row in `state`, is refused."""
    return _CODES_OF_COMMANDS.get((state, command)) or _CODES_OF_STATES.get(state, _COMMAND_IS_INVALID)
