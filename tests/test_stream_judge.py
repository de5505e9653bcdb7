"""What a socket hears is judged: each way to go wrong is named, and media may come in any order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from telnyx_conformance.checks.history import Bindings, LegIds
from telnyx_conformance.checks.sequence import judge_sequence
from telnyx_conformance.checks.stream import is_heard
from telnyx_conformance.contract.media_stream import StreamMessage
from telnyx_conformance.contract.sequences import load_sequences
from telnyx_conformance.errors import ContractError

if TYPE_CHECKING:
    from pathlib import Path

[SEQUENCE] = [s for s in load_sequences("2025-06-16") if s.name == "streaming-heard"]
STEM = "StartCallStreaming:webhooks.streaming-heard.ear."
FORM = {"encoding": "PCMU", "sample_rate": 8000, "channels": 1}


def said(event: str, number: int, **content: Any) -> dict[str, Any]:
    return {"event": event, "sequence_number": str(number), "stream_id": "s", event: content}


def whole() -> list[dict[str, Any]]:
    return [
        {"event": "connected", "version": "1.0.0"},
        said("start", 1, call_control_id="A", media_format=FORM),
        said("media", 2, track="inbound", chunk="1", payload="/w=="),
        said("dtmf", 3, digit="5"),
        said("media", 4, track="inbound", chunk="2", payload="/w=="),
        said("stop", 5, call_control_id="A"),
    ]


def bindings(messages: list[dict[str, Any]]) -> Bindings:
    heard = tuple(StreamMessage(raw=msgspec.json.encode(message), connection=0) for message in messages)
    return Bindings(legs={"A": LegIds(call_control_id="A")}, streams={"ear": heard})


def failed(messages: list[dict[str, Any]]) -> dict[str, str]:
    outcomes = judge_sequence(SEQUENCE, (), bindings(messages), {})
    return {o.requirement.removeprefix(STEM): o.actual for o in outcomes if o.kind == "stream" and o.verdict == "fail"}


def test_a_stream_that_conforms_passes() -> None:
    assert failed(whole()) == {}
    assert is_heard(SEQUENCE, bindings(whole()))


def test_media_may_arrive_in_another_order_than_they_were_numbered() -> None:
    messages = whole()
    messages[2], messages[4] = messages[4], messages[2]
    assert failed(messages) == {}


def test_nothing_heard_is_one_failure() -> None:
    assert failed([]) == {"flow:stream": "heard: nothing"}
    assert not is_heard(SEQUENCE, bindings([]))


@pytest.mark.parametrize("missing", [0, 1, 5])
def test_a_first_or_last_message_that_is_missing_breaks_the_flow(missing: int) -> None:
    messages = whole()
    del messages[missing]
    assert "flow:stream" in failed(messages)


def test_a_stream_is_waited_for_until_its_keys_and_its_end_were_heard() -> None:
    assert not is_heard(SEQUENCE, bindings(whole()[:-1]))
    assert not is_heard(SEQUENCE, bindings([m for m in whole() if m["event"] != "dtmf"]))


@pytest.mark.parametrize(
    ("aspect", "place", "wrong"),
    [
        ("flow", 5, {"event": "media"}),
        ("flow", 2, {"event": "greeting"}),
        ("numbers", 4, {"sequence_number": "2"}),
        ("numbers", 4, {"sequence_number": 4}),
        ("numbers", 1, {"sequence_number": "9"}),
        ("numbers", 5, {"sequence_number": "0"}),
        ("identity", 3, {"stream_id": "t"}),
        ("identity", 5, {"stop": {"call_control_id": "B"}}),
        ("identity", 1, {"start": {"call_control_id": "B", "media_format": FORM}}),
        ("format", 1, {"start": {"call_control_id": "A", "media_format": {"encoding": "PCMU"}}}),
        ("format", 2, {"media": {"track": "inbound", "chunk": "1", "payload": ""}}),
        ("format", 2, {"media": {"track": "inbound", "chunk": "0", "payload": "/w=="}}),
        ("tracks", 2, {"media": {"track": "outbound", "chunk": "1", "payload": "/w=="}}),
        ("digits", 3, {"dtmf": {"digit": "6"}}),
    ],
)
def test_each_way_to_go_wrong_is_named(aspect: str, place: int, wrong: dict[str, Any]) -> None:
    messages = whole()
    messages[place] = {**messages[place], **wrong}
    found = failed(messages)
    assert f"{aspect}:stream" in found
    assert found[f"{aspect}:stream"]


def test_a_second_connection_breaks_the_flow() -> None:
    heard = bindings(whole()).streams["ear"]
    again = (*heard[:-1], msgspec.structs.replace(heard[-1], connection=1))
    outcomes = judge_sequence(
        SEQUENCE, (), Bindings(legs={"A": LegIds(call_control_id="A")}, streams={"ear": again}), {}
    )
    assert [o.requirement for o in outcomes if o.kind == "stream" and o.verdict == "fail"] == [STEM + "flow:stream"]


def test_a_socket_that_no_request_names_is_refused(tmp_path: Path) -> None:
    (tmp_path / "wrong.yaml").write_text("""
deaf:
  claim: A stream that goes nowhere.
  command: StartCallStreaming
  given: {A: {state: answered}}
  legs: {A: addressed}
  request: {stream_url: {socket: ear}}
  streams: {eye: {leg: A}}
  level: MUST
  source: none
""")
    with pytest.raises(ContractError, match="no such socket or port"):
        load_sequences("2025-06-16", tmp_path)
