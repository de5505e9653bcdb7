"""The emulator behind a socket and in process: served, controlled, refused politely."""

from __future__ import annotations

import asyncio
import socket
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import TYPE_CHECKING

import httpx
import pytest

from telnyx_conformance.contract.document import load_edition
from telnyx_conformance.emulator.core import MOST_BODY_BYTES, Emulator
from telnyx_conformance.emulator.embedded import EmbeddedTransport
from telnyx_conformance.emulator.server import Server, listening_socket
from telnyx_conformance.errors import UsageError
from telnyx_conformance.mutants.carriage import Sent

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from telnyx_conformance.emulator.fault import Fault
    from telnyx_conformance.emulator.reply import Sending

KEY = {"authorization": "Bearer KEYTEST_server"}


@asynccontextmanager
async def served() -> AsyncIterator[httpx.AsyncClient]:
    server = Server(Emulator(load_edition()), listening_socket(port=0))
    task = asyncio.ensure_future(server.serve())
    await server.ready()
    try:
        async with httpx.AsyncClient(base_url=server.base_url, headers=KEY) as client:
            yield client
    finally:
        server.stop()
        await task


@asynccontextmanager
async def embedded() -> AsyncIterator[httpx.AsyncClient]:
    transport = EmbeddedTransport.for_edition(load_edition(), seed=3)
    async with httpx.AsyncClient(transport=transport, base_url="http://emulator", headers=KEY) as client:
        yield client


@pytest.mark.parametrize("where", [served, embedded])
def test_the_same_emulator_answers_over_http_and_in_process(
    where: Callable[[], AbstractAsyncContextManager[httpx.AsyncClient]],
) -> None:
    async def scene() -> None:
        async with where() as client:
            made = await client.post("/v2/billing_groups", json={"name": "mine"})
            read = await client.get(f"/v2/billing_groups/{made.json()['data']['id']}")
            gone = await client.delete("/v2/nowhere")

        assert (made.status_code, read.json()["data"]["name"], gone.status_code) == (200, "mine", 404)

    asyncio.run(scene())


def test_a_body_beyond_the_limit_is_refused_over_http() -> None:
    async def scene() -> int:
        async with served() as client:
            reply = await client.post("/v2/messages", content=b"x" * (MOST_BODY_BYTES + 1))
            return reply.status_code

    assert asyncio.run(scene()) == 413


def test_the_clock_is_read_moved_and_changed() -> None:
    async def scene() -> None:
        async with embedded() as client:
            before = (await client.get("/_control/clock")).json()["data"]
            after = (await client.post("/_control/clock", json={"advance": 600})).json()["data"]
            mode = (await client.put("/_control/clock", json={"mode": "manual"})).json()["data"]["mode"]

        assert (after["now"] - before["now"], before["mode"], mode) == (600.0, "auto", "manual")

    asyncio.run(scene())


@pytest.mark.parametrize(
    ("method", "path", "document", "status"),
    [
        ("POST", "/clock", {"advance": -1}, 422),
        ("POST", "/clock", {"advance": "1"}, 422),
        ("PUT", "/clock", {"mode": "slow"}, 422),
        ("DELETE", "/clock", {}, 405),
        ("GET", "/nothing", None, 404),
        ("POST", "/inbound_calls", {"connection_id": "1", "from": "+12025550123"}, 422),
        ("POST", "/inbound_calls", {"connection_id": "1", "from": "+12025550123", "to": "+12025550100"}, 422),
        ("POST", "/reset", [], 422),
    ],
)
def test_a_wrong_control_request_is_refused(method: str, path: str, document: object, status: int) -> None:
    async def scene() -> int:
        async with embedded() as client:
            return (await client.request(method, "/_control" + path, json=document)).status_code

    assert asyncio.run(scene()) == status


def test_a_call_comes_in_and_requests_are_remembered_until_reset() -> None:
    async def scene() -> None:
        async with embedded() as client:
            application = {"application_name": "a", "webhook_event_url": "http://127.0.0.1:9/hook"}
            made = await client.post("/v2/call_control_applications", json=application)
            wanted = {"connection_id": made.json()["data"]["id"], "from": "+12025550123", "to": "+12025550124"}
            call = (await client.post("/_control/inbound_calls", json=wanted)).json()["data"]
            status = await client.get(f"/v2/calls/{call['call_control_id']}")
            log = (await client.get("/_control/requests")).json()["data"]
            await client.post("/_control/reset", json={})
            empty = (await client.get("/_control/requests")).json()["data"]

        assert status.status_code == 200
        assert [entry["method"] for entry in log] == ["POST", "GET"]
        assert empty == []

    asyncio.run(scene())


def test_the_signing_key_is_told_and_settling_ends() -> None:
    async def scene() -> tuple[str, int]:
        async with embedded() as client:
            key = (await client.get("/_control/public_key")).json()["public_key"]
            return key, (await client.post("/_control/settle", json={})).status_code

    key, status = asyncio.run(scene())
    assert (len(key), status) == (44, 200)


def test_control_needs_a_key() -> None:
    async def scene() -> int:
        async with embedded() as client:
            return (await client.get("/_control/clock", headers={"authorization": "nobody"})).status_code

    assert asyncio.run(scene()) == 401


def test_a_port_in_use_is_said_to_be() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(UsageError, match="the port is in use"):
            listening_socket(port=taken.getsockname()[1])


def test_only_loopback_is_listened_on() -> None:
    with pytest.raises(UsageError, match="loopback only"):
        listening_socket("0.0.0.0", 0)  # noqa: S104 - refused, which is the point


@asynccontextmanager
async def served_with(fault: Fault) -> AsyncIterator[tuple[str, int]]:
    server = Server(Emulator(load_edition(), fault=fault), listening_socket(port=0))
    task = asyncio.ensure_future(server.serve())
    await server.ready()
    try:
        yield "127.0.0.1", int(server.base_url.rpartition(":")[2])
    finally:
        server.stop()
        await task


async def asked_for(address: tuple[str, int], path: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Send a request of which the server knows that no other follows."""
    reader, writer = await asyncio.open_connection(*address)
    writer.write(f"GET {path} HTTP/1.1\r\nhost: x\r\nauthorization: {KEY['authorization']}\r\n\r\n".encode())
    await writer.drain()
    return reader, writer


def test_an_answer_that_is_cut_ends_its_connection_short_of_what_it_announced() -> None:
    async def scene() -> None:
        async with served_with(Sent("cut", load_edition().operation("ListBillingGroups"))) as address:
            reader, writer = await asked_for(address, "/v2/billing_groups")
            head, _, body = (await reader.read()).partition(b"\r\n\r\n")
            writer.close()
        announced = int(head.lower().partition(b"content-length: ")[2].split()[0])
        assert head.startswith(b"HTTP/1.1 200")
        assert len(body) == announced // 2

    asyncio.run(scene())


def test_an_answer_that_never_comes_keeps_its_connection_while_others_are_answered() -> None:
    async def scene() -> None:
        async with served_with(Sent("never", load_edition().operation("ListBillingGroups"))) as address:
            silent, waiting = await asked_for(address, "/v2/billing_groups")
            heard, writer = await asked_for(address, "/v2/phone_numbers")
            assert (await heard.readline()).startswith(b"HTTP/1.1 200")
            assert not silent.at_eof()
            silent.feed_eof()
            assert await silent.read() == b""
            for one in (waiting, writer):
                one.close()

    asyncio.run(scene())


def test_an_answer_in_pieces_is_the_same_answer() -> None:
    async def scene() -> None:
        texts = []
        ways: tuple[Sending, ...] = ("whole", "in-pieces", "slow")
        for sending in ways:
            async with served_with(Sent(sending)) as (host, port), httpx.AsyncClient(headers=KEY) as client:
                texts.append((await client.get(f"http://{host}:{port}/v2/billing_groups")).text)
        assert len(set(texts)) == 1

    asyncio.run(scene())
