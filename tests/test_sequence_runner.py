"""A sequence is brought about as its contract says; what cannot be is inconclusive and says why."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import msgspec
import pytest

from telnyx_conformance.contract.exchange import Exchange, Request, Response
from telnyx_conformance.contract.sequences import load_sequences
from telnyx_conformance.opening import open_session
from telnyx_conformance.run.control import Control
from telnyx_conformance.run.core import AsyncCore
from telnyx_conformance.run.sequence_proof import prove_sequence
from telnyx_conformance.run.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from telnyx_conformance.run.session import Session
    from telnyx_conformance.run.verdict import Verdict

SEQUENCES = {s.name: s for s in load_sequences("2025-06-16", Path(__file__).parent / "sequences")}


class Stage:
    """A session with the emulator that remembers what was sent: operation and request."""

    def __init__(self, core: AsyncCore, folder: Path) -> None:
        self._core = core
        self.session: Session = core.run(open_session(Settings(), folder, "w"))
        self.sent: list[tuple[str, Request]] = []
        self._send = self.session.send
        self.session.send = self._sending  # type: ignore[method-assign]

    async def _sending(self, operation: Any, request: Request, **more: Any) -> Any:
        self.sent.append((operation.id, request))
        return await self._send(operation, request, **more)

    def play(self, name: str) -> list[Verdict]:
        return self._core.run(prove_sequence(self.session, SEQUENCES[name]))

    def bodies(self, operation: str) -> list[Any]:
        return [msgspec.json.decode(request.body) for name, request in self.sent if name == operation]

    def paths(self, operation: str) -> list[str]:
        return [request.target for name, request in self.sent if name == operation]

    def run(self, what: Any) -> Any:
        return self._core.run(what)

    def close(self) -> None:
        self._core.run(self.session.close())


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    with AsyncCore() as core:
        made = Stage(core, tmp_path)
        yield made
        made.close()


def told(verdicts: list[Verdict]) -> dict[str, str]:
    return {v.requirement.partition(":")[2]: f"{v.verdict}: {v.actual}".rstrip(": ") for v in verdicts}


def reasons(verdicts: list[Verdict]) -> set[str]:
    assert {v.verdict for v in verdicts} == {"inconclusive"}
    return {v.actual for v in verdicts}


@pytest.mark.parametrize("name", ["hangup-bridged", "transfer-again-and-again", "transfer-twice", "dial-read-back", "leave-queue",
                                  "press-digits"])  # fmt: skip
def test_what_conforms_passes_whatever_had_to_be_prepared(stage: Stage, name: str) -> None:
    verdicts = stage.play(name)
    assert {text for text in told(verdicts).values() if text != "pass"} == set()


def test_events_that_a_prepared_step_causes_belong_to_the_situation(stage: Stage) -> None:
    found = told(stage.play("hangup-bridged"))
    assert found["webhooks.hangup-bridged:closed"] == "pass"
    assert [operation for operation, _ in stage.sent][-3:] == ["TransferCall", "HangupCall", "RetrieveCallStatus"]
    assert not any(".transfer:" in requirement for requirement in found)


def test_copies_are_sent_at_once_and_count_as_one_step(stage: Stage) -> None:
    found = told(stage.play("transfer-again-and-again"))
    assert len({tuple(sorted(body.items())) for body in stage.bodies("TransferCall")}) == 1
    assert len(stage.bodies("TransferCall")) == 21
    assert [name for name in found if ".crowd" in name] == [
        "commands.transfer-again-and-again.crowd:accepted",
    ]


def test_path_and_query_are_filled_in(stage: Stage) -> None:
    stage.play("queue-read")
    [body] = stage.bodies("EnqueueCall")
    [one], [several] = stage.paths("RetrieveCallFromQueue"), stage.paths("ListQueueCalls")
    assert several == f"/queues/{body['queue_name']}/calls?page[size]=5"
    assert one.startswith(f"/queues/{body['queue_name']}/calls/v3:")
    assert dict(next(request.headers for name, request in stage.sent if name == "ListQueueCalls")).keys() == {
        "authorization"
    }


def test_an_object_within_a_list_is_filled_in(stage: Stage) -> None:
    stage.play("dial-read-back")
    [body] = stage.bodies("DialCall")
    assert body["custom_headers"][0]["name"].startswith("x-")


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("transfer-prepared-badly", "the situation could not be prepared: answer was answered 422 90018"),
        (
            "transfer-prepared-in-vain",
            "the situation could not be prepared: not all came of call.dtmf.received on leg A",
        ),
        ("dial-into-nothing", "the answer of A has no no_such_field, which a later request needs"),
    ],
)
def test_a_situation_that_cannot_be_had_is_inconclusive_and_says_why(stage: Stage, name: str, reason: str) -> None:
    assert reasons(stage.play(name)) == {reason}


def test_far_ends_need_the_control_api(stage: Stage) -> None:
    stage.session.control = None
    stage.session.settings.profile = msgspec.structs.replace(stage.session.settings.profile, event_seconds=0.01)
    [reason] = reasons(stage.play("transfer-far-end"))
    assert reason.startswith("far ends act through the control API")


class FarEnds:
    """A control client's target: the real one but for the far ends of calls, which do as they are told, or do not."""

    def __init__(self, real: Any, *, obedient: bool) -> None:
        self._real, self._obedient = real, obedient
        self.asked: list[tuple[str, bytes]] = []

    async def send(self, request: Request) -> Exchange:
        if not request.path.startswith("/calls/"):
            answer: Exchange = await self._real.send(request)
            return answer
        self.asked.append((request.path, request.body))
        return Exchange(request=request, response=Response(status=200 if self._obedient else 404, body=b"{}"))


def test_far_ends_press_speak_and_hang_up(stage: Stage) -> None:
    assert stage.session.control
    far = FarEnds(stage.session.control._client, obedient=True)
    stage.session.control = Control(far)  # type: ignore[arg-type]
    found = told(stage.play("transfer-far-end"))
    assert found["commands.transfer-far-end.command:accepted"] == "pass"
    assert [(path.rpartition("/")[2], body) for path, body in far.asked] == [
        ("digits", b'{"digits":"12#"}'), ("speech", b'{"text":"hello"}'), ("hangup", b"{}"),
    ]  # fmt: skip
    legs = Counter(path.split("/")[2] for path, _ in far.asked)
    assert sorted(legs.values()) == [1, 2]
    assert all(leg.startswith("v3%3A") for leg in legs)


def test_a_far_end_that_does_nothing_is_no_fault_of_the_command(stage: Stage) -> None:
    assert stage.session.control
    far = FarEnds(stage.session.control._client, obedient=False)
    stage.session.control = Control(far)  # type: ignore[arg-type]
    assert reasons(stage.play("transfer-far-end")) == {"the control API did not let the far end press"}


def test_media_have_addresses_of_their_own_that_can_be_fetched(stage: Stage) -> None:
    stage.play("streaming-socket")
    [stream] = stage.bodies("StartCallStreaming")
    assert stream["stream_url"].startswith("ws://127.0.0.1:")
    assert stream["stream_url"].endswith("-ear")
    first, second = (body["audio_url"] for body in stage.bodies("StartCallPlayback"))
    assert first != second

    async def fetched() -> httpx.Response:
        async with httpx.AsyncClient() as client:
            return await client.get(first)

    answer = stage.run(fetched())
    assert (answer.status_code, answer.headers["content-type"], answer.content[:4]) == (200, "audio/wav", b"RIFF")
