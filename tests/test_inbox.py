"""The inbox keeps what arrives, judges signatures over raw bytes, and misbehaves when told to."""

from __future__ import annotations

import asyncio
import base64
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import aiohttp
import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from telnyx_conformance.contract.webhook_wire import decode_get, encode_get
from telnyx_conformance.errors import IncompleteError, UsageError
from telnyx_conformance.inbox import Inbox, Reply, Verifier

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from telnyx_conformance.contract.exchange import Event

NOW = 1_750_000_000
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC = base64.b64encode(KEY.public_key().public_bytes_raw()).decode()
PATIENCE = 30.0  # a test that waits so long has failed; none is meant to
DOCUMENT = {
    "data": {"event_type": "call.answered", "id": "e1", "occurred_at": "2025-06-16T00:00:00Z", "payload": {"to": "é"}},
    "meta": {"attempt": 1},
}
BODY = msgspec.json.encode(DOCUMENT)


def signed(body: bytes, timestamp: int = NOW) -> dict[str, str]:
    signature = KEY.sign(f"{timestamp}|".encode() + body)
    return {"telnyx-signature-ed25519": base64.b64encode(signature).decode(), "telnyx-timestamp": str(timestamp)}


@asynccontextmanager
async def receiving(**options: Any) -> AsyncIterator[tuple[Inbox, aiohttp.ClientSession]]:
    async with (
        Inbox(public_key=PUBLIC, clock=lambda: float(NOW), **options) as inbox,
        aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(PATIENCE)) as session,
    ):
        yield inbox, session


def run(scenario: Callable[[], Awaitable[None]]) -> None:
    async def whole() -> None:
        await scenario()

    asyncio.run(asyncio.wait_for(whole(), PATIENCE))


def test_a_delivery_is_kept_byte_for_byte_under_its_token() -> None:
    async def scenario() -> None:
        async with receiving() as (inbox, session):
            first, second = inbox.url("first"), inbox.url("second")
            spaced = b' {"data" : {"event_type":"call.answered"}}\n'
            async with session.post(first, data=spaced, headers={"X-Odd": "Value"}) as answer:
                assert answer.status == 200
            await session.post(second, data=BODY)
            [event] = inbox.events("first")
            assert (event.raw, event.type, event.arrival, event.method) == (spaced, "call.answered", 0, "POST")
            assert dict(event.headers)["x-odd"] == "Value"
            assert [one.arrival for one in inbox.events("second")] == [1]

    run(scenario)


@pytest.mark.parametrize(
    ("headers", "body", "verdict"),
    [
        pytest.param(signed(BODY), BODY, "valid", id="as signed"),
        pytest.param(signed(BODY), BODY + b" ", "invalid", id="one byte more"),
        pytest.param(signed(BODY), BODY.replace(b"call", b"cell"), "invalid", id="altered"),
        pytest.param(signed(BODY) | {"telnyx-timestamp": str(NOW + 1)}, BODY, "invalid", id="another timestamp"),
        pytest.param(signed(BODY) | {"telnyx-timestamp": "now"}, BODY, "invalid", id="no timestamp"),
        pytest.param(signed(BODY) | {"telnyx-timestamp": "9" * 5000}, BODY, "invalid", id="endless timestamp"),
        pytest.param(signed(BODY) | {"telnyx-signature-ed25519": "AAAA"}, BODY, "invalid", id="too short"),
        pytest.param(signed(BODY) | {"telnyx-signature-ed25519": "é"}, BODY, "invalid", id="not base64"),
        pytest.param(signed(BODY, NOW - 300), BODY, "valid", id="as old as allowed"),
        pytest.param(signed(BODY, NOW - 301), BODY, "stale", id="too old"),
        pytest.param(signed(BODY, NOW + 301), BODY, "stale", id="too far ahead"),
        pytest.param({}, BODY, "missing", id="unsigned"),
        pytest.param({"telnyx-timestamp": str(NOW)}, BODY, "missing", id="timestamp only"),
    ],
)
def test_a_signature_is_judged_over_the_raw_bytes(headers: dict[str, str], body: bytes, verdict: str) -> None:
    assert Verifier(PUBLIC).verdict(headers, body, NOW) == verdict


def test_a_delivery_carries_the_verdict_on_its_signature() -> None:
    async def scenario() -> None:
        async with receiving() as (inbox, session):
            url = inbox.url("t")
            for headers in (signed(BODY), signed(b"other"), {}, signed(BODY, NOW - 1000)):
                await session.post(url, data=BODY, headers=headers)
            assert [event.signature for event in inbox.events("t")] == ["valid", "invalid", "missing", "stale"]

    run(scenario)


def test_a_public_key_of_the_wrong_size_is_refused() -> None:
    with pytest.raises(UsageError, match="not an Ed25519 public key"):
        Inbox(public_key=base64.b64encode(b"short").decode())


def test_a_webhook_by_get_decodes_to_the_same_document() -> None:
    async def scenario() -> None:
        async with receiving() as (inbox, session):
            await session.post(inbox.url("t"), data=BODY)
            query = urlencode(encode_get(DOCUMENT))
            await session.get(f"{inbox.url('t')}?{query}", headers=signed(b""))
            posted, got = inbox.events("t")
            assert got.document == posted.document == DOCUMENT
            assert (got.method, got.raw, got.signature) == ("GET", b"", "valid")

    run(scenario)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


@given(st.dictionaries(st.text(), JSON, min_size=1, max_size=4))
def test_a_document_survives_the_query_string(document: dict[str, Any]) -> None:
    assert decode_get(encode_get(document)) == document


@pytest.mark.parametrize("body", [b"", b"<html>", b"[1]", b'"text"', b"\xff\xfe", b"[" * 100_000, b'{"data":'])
def test_what_is_no_json_object_is_kept_without_a_document(body: bytes) -> None:
    async def scenario() -> None:
        async with receiving() as (inbox, session):
            await session.post(inbox.url("t"), data=body)
            [event] = inbox.events("t")
            assert (event.raw, event.document, event.type, event.payload) == (body, None, "", {})

    run(scenario)


def test_scripted_replies_are_given_in_order_and_then_200() -> None:
    async def scenario() -> None:
        async with receiving() as (inbox, session):
            url = inbox.url("t")
            inbox.script("t", [Reply(status=500), Reply(status=302, location="http://127.0.0.1:1/"), Reply(status=410)])
            answers = [await session.post(url, data=BODY, allow_redirects=False) for _ in range(4)]
            assert [answer.status for answer in answers] == [500, 302, 410, 200]
            assert answers[1].headers["location"] == "http://127.0.0.1:1/"
            assert [event.answered for event in inbox.events("t")] == [500, 302, 410, 200]

    run(scenario)


def test_a_scripted_hang_up_ends_the_connection_without_an_answer() -> None:
    async def scenario() -> None:
        async with receiving() as (inbox, session):
            inbox.script("t", [Reply(close=True)])
            with pytest.raises(aiohttp.ClientConnectionError):
                await session.post(inbox.url("t"), data=BODY)
            assert [event.answered for event in inbox.events("t")] == [0]

    run(scenario)


def test_a_slow_reply_is_received_at_once_and_ends_with_the_inbox() -> None:
    async def scenario() -> None:
        async with receiving() as (inbox, session):
            inbox.script("t", [Reply(delay=3600.0)])
            pending = asyncio.create_task(session.post(inbox.url("t"), data=BODY).__aenter__())
            [event] = await inbox.wait("t", bool, PATIENCE)
            assert event.type == "call.answered"
            assert not pending.done()
            await inbox.stop()
            await asyncio.wait([pending])

    run(scenario)


def test_waiting_ends_when_the_condition_holds() -> None:
    async def scenario() -> None:
        async with receiving() as (inbox, session):
            url = inbox.url("t")

            def two(events: tuple[Event, ...]) -> bool:
                return len(events) == 2

            waiting = asyncio.create_task(inbox.wait("t", two, PATIENCE))
            await session.post(url, data=BODY)
            assert not waiting.done()
            await session.post(url, data=BODY)
            assert len(await waiting) == 2
            assert len(await inbox.wait("t", two, PATIENCE)) == 2

    run(scenario)


def test_waiting_in_vain_returns_what_came_so_far() -> None:
    async def scenario() -> None:
        async with receiving() as (inbox, session):
            await session.post(inbox.url("t"), data=BODY)
            assert len(await inbox.wait("t", lambda events: len(events) > 1, 0.0)) == 1

    run(scenario)


def test_an_oversized_body_is_refused_counted_and_not_kept() -> None:
    async def scenario() -> None:
        async with receiving(body_bytes=1000) as (inbox, session):
            async with session.post(inbox.url("t"), data=b"x" * 1001) as answer:
                assert answer.status == 413
            await session.post(inbox.url("t"), data=b"x" * 1000)
            assert (inbox.dropped("t"), len(inbox.events("t"))) == (1, 1)

    run(scenario)


def test_more_events_than_a_token_may_hold_are_refused_and_counted() -> None:
    async def scenario() -> None:
        async with receiving(events_per_token=2) as (inbox, session):
            answers = [await session.post(inbox.url("t"), data=BODY) for _ in range(3)]
            assert [answer.status for answer in answers] == [200, 200, 507]
            assert (inbox.dropped("t"), len(inbox.events("t"))) == (1, 2)

    run(scenario)


def test_a_forgotten_token_holds_nothing_and_takes_nothing() -> None:
    async def scenario() -> None:
        async with receiving(tokens=1) as (inbox, session):
            url = inbox.url("t")
            await session.post(url, data=BODY)
            inbox.forget("t")
            async with session.post(url, data=BODY) as answer:
                assert answer.status == 404
            assert inbox.events("t") == ()
            inbox.url("another")
            with pytest.raises(UsageError, match="too many open tokens"):
                inbox.url("one-more")

    run(scenario)


@pytest.mark.parametrize("token", ["", "a/b", "ü", "x" * 129])
def test_a_token_that_no_address_could_carry_is_refused(token: str) -> None:
    async def scenario() -> None:
        with pytest.raises(UsageError, match="not a token"):
            Inbox().url(token)

    run(scenario)


def test_a_taken_port_is_named() -> None:
    async def scenario() -> None:
        async with receiving() as (inbox, _):
            port = int(inbox.url("t").split(":")[2].split("/")[0])
            with pytest.raises(IncompleteError, match=f"127.0.0.1:{port} to be free"):
                await Inbox(port=port).start()

    run(scenario)
