"""Faults that only a program of several commands shows: each is found, named, and told with a program that has no step too many."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

ENDED = {"errors": [{"code": "90018", "title": "", "detail": ""}]}


def refuses(operation: str) -> Any:
    async def answer(asked: Any, request: httpx.Request, real: Any) -> httpx.Response:
        if asked.operation == operation:
            return httpx.Response(422, json=ENDED)
        response: httpx.Response = await real(request)
        return response

    return answer


def takes(operation: str, code: str = "") -> Any:
    """Take what is refused, or refuse it with another code."""

    async def answer(asked: Any, request: httpx.Request, real: Any) -> httpx.Response:
        response: httpx.Response = await real(request)
        if asked.operation != operation or response.status_code < 400:
            return response
        if code:
            return httpx.Response(422, json={"errors": [{"code": code, "title": "", "detail": ""}]})
        return httpx.Response(200, json={"data": {"result": "ok"}})

    return answer


def without(event: str) -> Any:
    def post(posting: Any) -> Iterable[Any]:
        return [] if posting.event == event else [posting]

    return post


def again(event: str, **changes: Any) -> Any:
    """Send an event twice, the second time under another id."""

    def post(posting: Any) -> Iterable[Any]:
        other = posting.with_data(id="0ccc7b54-4df3-4bca-a65a-3da1ecc777f0").with_payload(**changes)
        return [posting, other] if posting.event == event else [posting]

    return post


def bent(event: str, **changes: Any) -> Any:
    def post(posting: Any) -> Iterable[Any]:
        return [posting.with_payload(**changes) if posting.event == event else posting]

    return post


def peers_stay() -> Callable[[Any], Iterable[Any]]:
    """Forget to tell of the second hang-up of a session."""
    told: set[str] = set()

    def post(posting: Any) -> Iterable[Any]:
        if posting.event != "call.hangup":
            return [posting]
        moment = posting.url + posting.document["data"]["occurred_at"]
        is_second = moment in told
        told.add(moment)
        return [] if is_second else [posting]

    return post


@pytest.mark.parametrize("operation", ["TransferCall", "EnqueueCall"])
def test_the_emulator_agrees_with_the_model(target: Any, operation: str) -> None:
    report = target.prove("models", operation)
    assert [v.verdict for v in report.verdicts] == ["pass", "pass"], report.verdicts


@pytest.mark.parametrize(
    ("operation", "answer", "longest"),
    [
        ("SpeakCall", refuses("SpeakCall"), 4),
        ("EnqueueCall", takes("EnqueueCall"), 3),
        ("RejectCall", takes("RejectCall", "90018"), 2),
        ("DialCall", refuses("DialCall"), 1),
        ("JoinConference", takes("JoinConference"), 5),
    ],
    ids=["refuses what is legal", "takes what is illegal", "another code", "nobody can dial", "joins twice"],
)
def test_a_wrong_answer_is_found(target: Any, operation: str, answer: Any, longest: int) -> None:
    report = target.prove("models", operation, answer=answer)
    assert report.failed == {(f"{operation}:models:answer", "model-answer")}
    assert report.unjudged == {
        f"{operation}:models:events": "judgeable"
    }  # the search ended: no pass for the other half
    assert steps(report) <= longest


@pytest.mark.parametrize(
    ("operation", "post", "longest"),
    [
        ("HangupCall", without("call.hangup"), 3),
        ("AnswerCall", again("call.answered"), 2),
        ("BridgeCall", without("call.bridged"), 4),
        ("RejectCall", again("call.hangup"), 3),
        ("HangupCall", bent("call.hangup", hangup_cause="not_found"), 3),
        ("BridgeCall", again("call.bridged", call_control_id="v3:nobody", call_leg_id="nobody"), 4),
        ("HangupCall", peers_stay(), 5),
        ("CreateConference", without("conference.participant.joined"), 4),
        ("ReferCall", again("call.refer.started"), 4),
    ],
    ids=[
        "missing",
        "twice",
        "not bridged",
        "after the end",
        "another cause",
        "another leg",
        "peers stay",
        "joined unheard",
        "referred twice",
    ],
)
def test_wrong_events_are_found(target: Any, operation: str, post: Any, longest: int) -> None:
    report = target.prove("models", operation, post=post)
    assert report.failed == {(f"{operation}:models:events", "model-events")}
    assert report.unjudged == {f"{operation}:models:answer": "judgeable"}
    assert steps(report) <= longest


def test_a_difference_at_another_command_is_no_verdict_on_this_one(target: Any) -> None:
    report = target.prove("models", "SpeakCall", answer=refuses("TransferCall"))
    assert report.failed == set()
    assert report.unjudged == {f"SpeakCall:models:{kind}": "judgeable" for kind in ("answer", "events")}


def steps(report: Any) -> int:
    [failed] = [v for v in report.verdicts if v.verdict == "fail"]
    assert failed.exchanges, "the program is in the evidence"
    story: str = failed.actual.partition("(after: ")[2]
    return story.count(";") + 1
