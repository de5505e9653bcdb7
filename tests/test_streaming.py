"""Streams as an application hears them: a real WebSocket, on a manual clock that waits until a connection is decided."""

from __future__ import annotations

import asyncio
import base64
import threading
from typing import TYPE_CHECKING, Any, TypeVar

import httpx
import msgspec
import pytest

from telnyx_conformance.contract.document import load_edition
from telnyx_conformance.emulator.core import Emulator
from telnyx_conformance.emulator.embedded import EmbeddedTransport
from telnyx_conformance.emulator.products.calls.media_frames import interval, rtp_packet
from telnyx_conformance.inbox.receiver import Inbox

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

T = TypeVar("T")
KEY = "KEYTEST_stream"
WORD = "media"


class Booth:
    """An application with an answered call, an inbox for its webhooks and its media."""

    def __init__(self, transport: EmbeddedTransport, inbox: Inbox) -> None:
        self.emulator, self.inbox = transport.emulator, inbox
        self.http = httpx.AsyncClient(
            transport=transport, base_url="http://emulator", headers={"authorization": f"Bearer {KEY}"}
        )
        self.leg = ""

    async def post(self, path: str, **body: Any) -> httpx.Response:
        return await self.http.post(path, json=body)

    async def answered(self, **body: Any) -> None:
        made = await self.post(
            "/v2/call_control_applications", application_name="a", webhook_event_url=self.inbox.url("hook"),
            webhook_api_version="2",
        )  # fmt: skip
        dial = {"to": "+12025550100", "from": "+12025550199", "connection_id": made.json()["data"]["id"], **body}
        self.leg = (await self.post("/v2/calls", **dial)).json()["data"]["call_control_id"]
        await self.advance(2)

    async def command(self, action: str, **body: Any) -> str:
        document = (await self.post(f"/v2/calls/{self.leg}/actions/{action}", **body)).json()
        return "ok" if "data" in document else str(document["errors"][0]["code"])

    async def advance(self, seconds: float) -> None:
        await self.post("/_control/clock", advance=seconds)

    async def settle(self) -> None:
        await self.post("/_control/settle")

    async def press(self, digits: str) -> None:
        await self.post(f"/_control/calls/{self.leg}/digits", digits=digits)

    async def heard(self, count: int) -> list[dict[str, Any]]:
        """Return what the socket received, once there are so many messages; fail when they do not come."""
        assert await self.inbox.until(lambda: len(self.inbox.streams.messages(WORD)) >= count, 10)
        return [message.document for message in self.inbox.streams.messages(WORD)]

    def told(self) -> list[str]:
        return [event.type for event in self.inbox.events("hook")]

    def payload(self, event_type: str) -> dict[str, Any]:
        return next(event.payload for event in self.inbox.events("hook") if event.type == event_type)


def played(scene: Callable[[Booth], Awaitable[T]]) -> T:
    async def work() -> T:
        emulator = Emulator(load_edition(), clock="manual", seed=7)
        async with Inbox() as inbox:
            booth = Booth(EmbeddedTransport(emulator), inbox)
            async with booth.http:
                return await scene(booth)

    return asyncio.run(work())


def test_a_stream_says_connected_start_media_digits_and_stop() -> None:
    async def scene(booth: Booth) -> None:
        await booth.answered(client_state="YQ==")
        assert await booth.command("streaming_start", stream_url=booth.inbox.socket_url(WORD)) == "ok"
        await booth.settle()
        await booth.press("5")
        await booth.advance(2)
        assert await booth.command("streaming_stop") == "ok"
        await booth.settle()
        messages = await booth.heard(7)
        assert [m["event"] for m in messages] == ["connected", "start", "media", "dtmf", "media", "media", "stop"]
        assert messages[0] == {"event": "connected", "version": "1.0.0"}
        assert [m["sequence_number"] for m in messages[1:]] == ["1", "2", "3", "4", "5", "6"]
        started = booth.payload("streaming.started")
        assert {m["stream_id"] for m in messages[1:]} == {started["stream_id"]}
        begin = messages[1]["start"]
        assert (begin["call_control_id"], begin["client_state"]) == (booth.leg, "YQ==")
        assert begin["media_format"] == {"encoding": "PCMU", "sample_rate": 8000, "channels": 1}
        assert messages[3]["dtmf"] == {"digit": "5"}
        assert [m["media"]["chunk"] for m in messages if m["event"] == "media"] == ["1", "2", "3"]
        assert base64.b64decode(messages[2]["media"]["payload"]) == b"\xff" * 160
        assert messages[-1]["stop"] == {"user_id": begin["user_id"], "call_control_id": booth.leg}
        assert booth.told()[2:] == ["streaming.started", "call.dtmf.received", "streaming.stopped"]

    played(scene)


def test_a_stream_of_a_dial_begins_with_the_answer_and_ends_before_the_hang_up() -> None:
    async def scene(booth: Booth) -> None:
        url = booth.inbox.socket_url(WORD)
        await booth.answered(stream_url=url, stream_track="both_tracks", stream_codec="PCMA")
        assert await booth.command("hangup") == "ok"
        await booth.settle()
        messages = await booth.heard(5)
        assert [m["event"] for m in messages] == ["connected", "start", "media", "media", "stop"]
        assert [m["media"]["track"] for m in messages[2:4]] == ["inbound", "outbound"]
        assert messages[1]["start"]["media_format"]["encoding"] == "PCMA"
        assert booth.told() == [
            "call.initiated", "call.answered", "streaming.started", "streaming.stopped", "call.hangup",
        ]  # fmt: skip
        assert booth.payload("streaming.stopped")["stream_url"] == url

    played(scene)


@pytest.mark.parametrize(
    "url",
    ["ws://127.0.0.1:9/nobody", "wss://media.example.com/far", "ws://192.0.2.1/far"],
    ids=["refused", "far", "address"],
)
def test_a_stream_that_reaches_nobody_fails_and_another_may_be_begun(url: str) -> None:
    async def scene(booth: Booth) -> None:
        await booth.answered()
        for _ in range(2):
            assert await booth.command("streaming_start", stream_url=url, stream_track="both_tracks") == "ok"
            await booth.settle()
        assert booth.told()[2:] == ["streaming.failed", "streaming.failed"]
        failed = booth.payload("streaming.failed")
        assert (failed["failure_reason"], failed["stream_type"]) == ("connection_failed", "websocket")
        assert failed["stream_params"] == {"stream_url": url, "track": "both_tracks"}

    played(scene)


def test_there_is_one_stream_at_a_time_and_none_beside_a_fork() -> None:
    async def scene(booth: Booth) -> None:
        await booth.answered()
        url, port = booth.inbox.socket_url(WORD), booth.inbox.streams.port("fork")
        assert await booth.command("streaming_stop") == "90048"
        assert await booth.command("streaming_start", stream_url=url) == "ok"
        assert await booth.command("streaming_start", stream_url=url) == "90045"
        assert await booth.command("fork_start", rx=port, tx=port) == "90045"
        assert await booth.command("streaming_stop", stream_id="11111111-1111-4111-8111-111111111111") == "ok"
        assert await booth.command("streaming_start", stream_url=url) == "90045"
        assert await booth.command("streaming_stop") == "ok"
        assert await booth.command("fork_stop") == "90031"
        assert await booth.command("fork_start", rx=port, tx=port) == "ok"
        assert await booth.command("streaming_start", stream_url=url) == "90045"
        assert await booth.command("fork_stop", stream_type="decrypted") == "ok"

    played(scene)


def test_a_mark_comes_back_when_what_was_sent_before_it_was_played_or_cleared() -> None:
    async def scene(booth: Booth) -> None:
        await booth.answered()
        url = booth.inbox.socket_url(WORD)
        await booth.command("streaming_start", stream_url=url, stream_bidirectional_mode="rtp")
        await booth.settle()

        async def say(event: str, **content: str) -> None:
            await booth.inbox.streams.say(WORD, msgspec.json.encode({"event": event, event: content}).decode())

        await say("mark", name="at once")
        assert (await booth.heard(4))[-1]["mark"] == {"name": "at once"}
        await say("media", payload=base64.b64encode(bytes(8000)).decode())
        await say("mark", name="after a second")
        await say("media", payload="not base64!")
        assert (await booth.heard(5))[-1]["payload"]["title"] == "invalid_media"
        await booth.advance(1)
        assert [m["event"] for m in (await booth.heard(7))[5:]] == ["media", "mark"]
        await say("media", payload=base64.b64encode(bytes(80_000)).decode())
        await say("mark", name="cleared")
        await say("clear")
        assert (await booth.heard(8))[-1]["mark"] == {"name": "cleared"}
        await booth.inbox.streams.say(WORD, "no JSON")
        assert (await booth.heard(9))[-1]["payload"] == {
            "code": 100_003, "title": "malformed_frame", "detail": "Malformed frame",
        }  # fmt: skip

    played(scene)


def test_one_file_a_second_may_be_played() -> None:
    async def scene(booth: Booth) -> None:
        await booth.answered()
        await booth.command("streaming_start", stream_url=booth.inbox.socket_url(WORD))
        await booth.settle()
        file = msgspec.json.encode({"event": "media", "media": {"payload": "SUQz"}}).decode()
        await booth.inbox.streams.say(WORD, file)
        await booth.inbox.streams.say(WORD, file)
        assert (await booth.heard(4))[-1]["payload"]["title"] == "rate_limit_reached"

    played(scene)


def test_an_application_that_hangs_up_its_socket_ends_the_stream() -> None:
    async def scene(booth: Booth) -> None:
        await booth.answered()
        await booth.command("streaming_start", stream_url=booth.inbox.socket_url(WORD))
        await booth.settle()
        await booth.inbox.streams.hang_up(WORD)
        assert await booth.inbox.until(lambda: "streaming.stopped" in booth.told(), 10)
        assert await booth.command("streaming_stop") == "90048"

    played(scene)


def test_a_fork_sends_packets_of_each_direction_to_its_port() -> None:
    async def scene(booth: Booth) -> None:
        await booth.answered()
        rx, tx = booth.inbox.streams.port("rx"), booth.inbox.streams.port("tx")
        assert await booth.command("fork_start", rx=rx, tx=tx) == "ok"
        await booth.advance(2)
        assert await booth.inbox.until(lambda: len(booth.inbox.streams.messages("tx")) >= 3, 10)
        packets = [message.raw for message in booth.inbox.streams.messages("rx")]
        assert [len(packet) for packet in packets] == [172, 172, 172]
        assert [packet[:4] for packet in packets] == [b"\x80\x00\x00\x00", b"\x80\x00\x00\x01", b"\x80\x00\x00\x02"]
        assert await booth.command("hangup") == "ok"
        await booth.settle()
        assert booth.told()[2:] == ["call.fork.started", "call.fork.stopped", "call.hangup"]
        assert booth.payload("call.fork.started")["stream_type"] == "decrypted"

    played(scene)


def test_a_reset_closes_the_connections_of_its_account() -> None:
    async def scene(booth: Booth) -> None:
        await booth.answered()
        await booth.command("streaming_start", stream_url=booth.inbox.socket_url(WORD))
        await booth.settle()
        assert booth.emulator.gateway.count == 1
        told = booth.told()
        await booth.post("/_control/reset")
        while booth.emulator.gateway.count:  # noqa: ASYNC110 - a task ends when the loop has had its turns
            await asyncio.sleep(0)
        assert booth.told() == told

    played(scene)


def test_nothing_is_left_behind_when_the_emulator_stops() -> None:
    threads = threading.active_count()

    async def scene(booth: Booth) -> Emulator:
        await booth.answered()
        await booth.command("streaming_start", stream_url=booth.inbox.socket_url(WORD))
        await booth.settle()
        return booth.emulator

    emulator = played(scene)
    assert emulator.gateway.count == 0
    assert threading.active_count() == threads


def test_frames_are_20_ms_of_real_time_and_a_second_of_virtual_time_apart() -> None:
    assert (interval("real"), interval("manual"), interval("auto")) == (0.02, 1.0, 1.0)
    assert len(rtp_packet(70_000, 1)) == 172
