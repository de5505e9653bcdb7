"""Rules on media streams: what a socket or port received, against what the documentation says of its messages.

Frames of media may come in any order, so only the first and the last message have a place of their own.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from telnyx_conformance.checks.finding import shown
from telnyx_conformance.checks.history import Unjudged
from telnyx_conformance.checks.trial import Failure, Ruling, Trial

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from telnyx_conformance.checks.history import Bindings
    from telnyx_conformance.contract import sequence as contract
    from telnyx_conformance.contract.media_stream import StreamMessage
    from telnyx_conformance.contract.sequence import Aspect, Listener

    Messages = Sequence[StreamMessage]

OPENING = ["connected", "start"]
BETWEEN = frozenset({"media", "dtmf", "mark"})
NOTHING_HEARD = Unjudged("nothing was heard")
RTP_HEADER_BYTES = 12
RTP_VERSION = 2


def has_stream(subject: tuple[Listener, Aspect], trial: Trial) -> Ruling:
    """Judge one aspect of what a socket or port received."""
    listener, aspect = subject
    messages = trial.bindings.streams.get(listener.word, ())
    if not messages and aspect not in ("flow", "packets"):
        return NOTHING_HEARD
    return ASPECTS[aspect](listener, messages, trial)


def is_heard(sequence: contract.Sequence, bindings: Bindings) -> bool:
    """Return whether nothing more is waited for on any socket or port of a sequence."""
    for listener in sequence.streams:
        heard = [message.event for message in bindings.streams.get(listener.word, ())]
        if not heard or (listener.form == "websocket" and ("stop" if listener.closed else "media") not in heard):
            return False
        if heard.count("dtmf") < len(listener.digits):
            return False
    return True


def _flows(listener: Listener, messages: Messages, _: Trial) -> Ruling:
    heard = [message.event for message in messages]
    last = ["stop"] if listener.closed else []
    middle = heard[len(OPENING) : len(heard) - len(last)]
    is_whole = heard[: len(OPENING)] == OPENING and heard[len(heard) - len(last) :] == last
    if is_whole and "media" in middle and set(middle) <= BETWEEN and len({m.connection for m in messages}) == 1:
        return None
    runs = [(event or "what is no message", len(list(run))) for event, run in itertools.groupby(heard)]
    said = ", ".join(event if count == 1 else f"{event} x {count}" for event, count in runs) or "nothing"
    return Failure(f"heard: {said}")


def _are_numbered(_: Listener, messages: Messages, __: Trial) -> Ruling:
    numbers: dict[int, str] = {}
    for message in messages:
        if message.event in ("connected", "error"):
            continue
        number = _number(message.document.get("sequence_number"))
        if number < 1 or number in numbers:
            return Failure(f"{message.event} has the number {shown(message.document.get('sequence_number'))}")
        numbers[number] = message.event
    ordered = [numbers[number] for number in sorted(numbers)]
    if "start" in ordered[1:] or "stop" in ordered[:-1]:
        return Failure(f"in the order of their numbers they are {', '.join(ordered)}")
    return None


def _are_of_one(listener: Listener, messages: Messages, trial: Trial) -> Ruling:
    ids = {shown(message.document.get("stream_id")) for message in messages if message.event != "connected"}
    told = [
        event.payload["stream_id"]
        for event in trial.history.events
        if trial.history.legs.get(event.arrival) == listener.leg and "stream_id" in event.payload
    ]
    ids |= {shown(one) for one in told}
    if len(ids) != 1 or "null" in ids:
        return Failure(f"the stream ids are {', '.join(sorted(ids))}")
    leg = _address(listener.leg, trial)
    for message in messages:
        if message.event in ("start", "stop") and message.content.get("call_control_id") != leg:
            return Failure(f"{message.event} names the call {shown(message.content.get('call_control_id'))}")
    return None


def _is_formed(_: Listener, messages: Messages, __: Trial) -> Ruling:
    for message in messages:
        if message.event == "start":
            form = message.content.get("media_format")
            wanted = {"encoding": str, "sample_rate": int, "channels": int}
            if not isinstance(form, dict) or not all(isinstance(form.get(k), kind) for k, kind in wanted.items()):
                return Failure(f"start says of the form of the media: {shown(form)}")
        if message.event == "media" and (not message.audio or _number(message.content.get("chunk")) < 1):
            return Failure(f"a media message holds no chunk of audio: {shown(message.content)}")
    return None


def _has_tracks(listener: Listener, messages: Messages, _: Trial) -> Ruling:
    tracks = {str(message.content.get("track")) for message in messages if message.event == "media"}
    if not tracks:
        return Unjudged("no media were heard")
    return None if tracks == set(listener.tracks) else Failure(f"the tracks are {', '.join(sorted(tracks))}")


def _has_digits(listener: Listener, messages: Messages, _: Trial) -> Ruling:
    digits = "".join(str(message.content.get("digit")) for message in messages if message.event == "dtmf")
    return None if digits == listener.digits else Failure(f"the keys are {shown(digits)}")


def _are_packets(_: Listener, messages: Messages, __: Trial) -> Ruling:
    if not messages:
        return Failure("no packet arrived")
    for message in messages:
        if len(message.raw) <= RTP_HEADER_BYTES or message.raw[0] >> 6 != RTP_VERSION:
            return Failure(f"a packet of {len(message.raw)} bytes is no RTP")
    return None


ASPECTS: Mapping[Aspect, Callable[[Listener, Messages, Trial], Ruling]] = {
    "flow": _flows,
    "numbers": _are_numbered,
    "identity": _are_of_one,
    "format": _is_formed,
    "tracks": _has_tracks,
    "digits": _has_digits,
    "packets": _are_packets,
}


def _number(said: object) -> int:
    """Return a number that is said as text, 0 for anything else."""
    return int(said) if isinstance(said, str) and said.isdecimal() else 0


def _address(leg: str, trial: Trial) -> str:
    """Return the call control id of a leg: as the runner knows it, else as its events name it."""
    known = trial.bindings.legs.get(leg)
    if known is not None and known.call_control_id:
        return known.call_control_id
    return next(
        (
            str(event.payload["call_control_id"])
            for event in trial.history.events
            if trial.history.legs.get(event.arrival) == leg and event.payload.get("call_control_id")
        ),
        "",
    )
