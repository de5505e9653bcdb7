"""Webhook delivery over real HTTP on loopback."""

from __future__ import annotations

import asyncio
import base64
import hmac
import json
from typing import TYPE_CHECKING, Any, cast

import pytest
from aiohttp import web
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from telnyx_conformance.contract.document import load_edition
from telnyx_conformance.contract.webhook_wire import decode_get
from telnyx_conformance.emulator import courier as carrying
from telnyx_conformance.emulator.account import Account, Ask
from telnyx_conformance.emulator.addresses import is_loopback
from telnyx_conformance.emulator.clock import Clock, ClockMode
from telnyx_conformance.emulator.courier import Courier
from telnyx_conformance.emulator.ids import Ids
from telnyx_conformance.emulator.products.calls import Calls
from telnyx_conformance.emulator.products.deliveries import entry
from telnyx_conformance.emulator.retries import failure_code

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from telnyx_conformance.emulator.outbox import Attempt, Outbox, Parcel

START = 1_750_000_000.0
WALL = 1_760_000_123.9
EVENT = {"data": {"record_type": "event", "id": "e-1", "event_type": "call.initiated", "payload": {"name": "Zoë"}}}


class Receiver:
    """A web server on loopback that answers from a script (then 200) and keeps what it got."""

    def __init__(self, *answers: int) -> None:
        self.answers = list(answers)
        self.got: list[tuple[web.BaseRequest, bytes]] = []
        self.url = ""

    async def receive(self, request: web.BaseRequest) -> web.StreamResponse:
        self.got.append((request, await request.read()))
        status = self.answers.pop(0) if self.answers else 200
        headers = {"location": self.url + "elsewhere"} if status in (301, 307) else {}
        return web.Response(status=status, headers=headers, text="answer")

    def documents(self) -> list[dict[str, Any]]:
        return [json.loads(body) for _, body in self.got]


def deliver(
    receiver: Receiver,
    scenario: Callable[[Outbox, Courier], Awaitable[None]],
    *,
    mode: ClockMode = "auto",
    limit: int = 100,
) -> Outbox:
    """Run `scenario` with a started courier and a listening receiver."""

    async def run() -> Outbox:
        runner = web.ServerRunner(web.Server(receiver.receive))
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        port = runner.addresses[0][1]
        receiver.url = f"http://127.0.0.1:{port}/hook/"
        courier = Courier(wall=lambda: WALL)
        outbox = courier.outbox(Clock(start=START, mode=mode), limit=limit)
        await courier.start()
        async with asyncio.timeout(20):
            await scenario(outbox, courier)
        await courier.stop()
        await runner.cleanup()
        return outbox

    return asyncio.run(run())


def test_a_webhook_arrives_signed_over_its_raw_bytes() -> None:
    receiver = Receiver()
    keys: list[str] = []

    async def scenario(outbox: Outbox, courier: Courier) -> None:
        keys.append(courier.public_key)
        outbox.post(receiver.url, EVENT)
        await outbox.idle()

    outbox = deliver(receiver, scenario)
    request, body = receiver.got[0]
    assert (request.method, request.headers["content-type"]) == ("POST", "application/json")
    assert request.headers["user-agent"] == "telnyx-webhooks"
    assert request.headers["telnyx-timestamp"] == "1760000123"
    signature = base64.b64decode(request.headers["telnyx-signature-ed25519"])
    key = Ed25519PublicKey.from_public_bytes(base64.b64decode(keys[0]))
    key.verify(signature, b"1760000123|" + body)
    with pytest.raises(InvalidSignature):
        key.verify(signature, b"1760000124|" + body)
    assert json.loads(body) == EVENT | {"meta": {"attempt": 1, "delivered_to": receiver.url}}
    assert [entry.status for entry in outbox.log] == ["delivered"]


def test_a_retry_keeps_the_event_and_raises_the_attempt() -> None:
    receiver = Receiver(500, 503)

    async def scenario(outbox: Outbox, courier: Courier) -> None:
        outbox.post(receiver.url, EVENT)
        await courier.idle()

    outbox = deliver(receiver, scenario)
    assert [d["data"] for d in receiver.documents()] == [EVENT["data"]] * 3
    assert [d["meta"]["attempt"] for d in receiver.documents()] == [1, 2, 3]
    assert [(a.status, a.code) for a in outbox.log[0].attempts] == [(500, "75500"), (503, "75599"), (200, "")]
    assert [a.started_at - START for a in outbox.log[0].attempts] == [0, 1, 3]


def test_after_three_attempts_the_failover_url_is_tried() -> None:
    receiver = Receiver(500, 500, 500)

    async def scenario(outbox: Outbox, courier: Courier) -> None:
        outbox.post(receiver.url, EVENT, failover_url=receiver.url + "failover")
        await courier.idle()

    outbox = deliver(receiver, scenario)
    assert [request.path for request, _ in receiver.got] == ["/hook/"] * 3 + ["/hook/failover"]
    assert [d["meta"]["attempt"] for d in receiver.documents()] == [1, 2, 3, 4]
    assert outbox.log[0].status == "delivered"


@pytest.mark.parametrize("status", [307, 400, 404, 410])
def test_a_redirect_or_plain_refusal_is_final_for_its_url(status: int) -> None:
    receiver = Receiver(status)

    async def scenario(outbox: Outbox, courier: Courier) -> None:
        outbox.post(receiver.url, EVENT)
        await courier.idle()

    outbox = deliver(receiver, scenario)
    assert (len(receiver.got), outbox.log[0].status) == (1, "failed")


@pytest.mark.parametrize("status", [408, 429])
def test_a_passing_refusal_is_retried(status: int) -> None:
    receiver = Receiver(status)

    async def scenario(outbox: Outbox, courier: Courier) -> None:
        outbox.post(receiver.url, EVENT)
        await courier.idle()

    deliver(receiver, scenario)
    assert len(receiver.got) == 2


def test_a_port_where_nobody_listens_is_given_up_after_three_attempts() -> None:
    async def scenario(outbox: Outbox, courier: Courier) -> None:
        outbox.post("http://127.0.0.1:1/", EVENT)
        await courier.idle()

    outbox = deliver(Receiver(), scenario)
    assert [(a.status, a.code) for a in outbox.log[0].attempts] == [(0, "75000")] * 3
    assert outbox.log[0].status == "failed"


@pytest.mark.parametrize(("seconds", "connections"), [(60.0, 1), (0.0, 2)])
def test_where_nobody_listens_nobody_is_called_again_for_a_moment(
    monkeypatch: pytest.MonkeyPatch, seconds: float, connections: int
) -> None:
    monkeypatch.setattr(carrying, "SECONDS_REFUSED", seconds)
    tried: list[str] = []

    async def scenario(outbox: Outbox, courier: Courier) -> None:
        attempt = courier._try

        async def counted(parcel: Parcel) -> Attempt:
            tried.append(parcel.urls[0])
            return await attempt(parcel)

        monkeypatch.setattr(courier, "_try", counted)
        for _ in range(2):
            outbox.post("http://127.0.0.1:1/", EVENT)
            await courier.idle()

    outbox = deliver(Receiver(), scenario)
    assert [len(entry.attempts) for entry in outbox.log] == [3, 3]
    assert len(tried) == connections


@pytest.mark.parametrize(
    "url",
    [
        "http://example.org/",
        "https://192.0.2.1/",
        "http://localhost.example.org/",
        "ftp://127.0.0.1/",
        "x",
        "http://[:/",
    ],
)
def test_only_loopback_is_delivered_to(url: str) -> None:
    async def scenario(outbox: Outbox, courier: Courier) -> None:
        outbox.post(url, EVENT)
        await courier.idle()

    outbox = deliver(Receiver(), scenario)
    assert [(entry.status, len(entry.attempts)) for entry in outbox.log] == [("failed", 1)]
    assert outbox.log[0].attempts[0].detail != ""


def test_loopback_is_known_by_name_or_address() -> None:
    hosts = ["localhost", "127.0.0.1", "127.8.8.8", "::1", "0.0.0.0", "10.0.0.1", "localhost.evil.example"]  # noqa: S104
    assert [is_loopback(host) for host in hosts] == [True, True, True, True, False, False, False]


def test_a_get_webhook_carries_its_document_in_the_query() -> None:
    receiver = Receiver()

    async def scenario(outbox: Outbox, courier: Courier) -> None:
        outbox.post(receiver.url + "?token=1", EVENT, method="GET")
        await courier.idle()

    deliver(receiver, scenario)
    request, body = receiver.got[0]
    assert (request.method, body, request.query["token"]) == ("GET", b"", "1")
    document = decode_get((key, value) for key, value in request.query.items() if key != "token")
    assert document == EVENT | {"meta": {"attempt": 1, "delivered_to": receiver.url + "?token=1"}}


def test_on_a_manual_clock_a_retry_waits_for_its_time() -> None:
    receiver = Receiver(500)
    seen: list[int] = []

    async def scenario(outbox: Outbox, courier: Courier) -> None:
        outbox.post(receiver.url, EVENT)
        await courier.idle()
        seen.append(len(receiver.got))
        await outbox.advance(0.5)
        seen.append(len(receiver.got))
        await outbox.advance(0.5)
        seen.append(len(receiver.got))

    deliver(receiver, scenario, mode="manual")
    assert seen == [1, 1, 2]


def test_one_long_advance_contains_the_retries_due_in_it() -> None:
    receiver = Receiver(500, 500)

    async def scenario(outbox: Outbox, _: Courier) -> None:
        outbox.clock.at(10, lambda: outbox.post(receiver.url, EVENT))
        await outbox.advance(60)

    outbox = deliver(receiver, scenario, mode="manual")
    assert [a.started_at - START for a in outbox.log[0].attempts] == [10, 11, 13]
    assert outbox.clock.now == START + 60


def test_many_webhooks_are_under_way_at_once_and_all_arrive() -> None:
    receiver = Receiver()

    async def scenario(outbox: Outbox, courier: Courier) -> None:
        for number in range(300):
            outbox.post(receiver.url, {"data": {"id": number}})
        await courier.idle()

    outbox = deliver(receiver, scenario, limit=1000)
    assert sorted(d["data"]["id"] for d in receiver.documents()) == list(range(300))
    assert outbox.is_idle


def test_what_exceeds_the_queue_is_dropped_and_counted() -> None:
    receiver = Receiver()

    async def scenario(outbox: Outbox, courier: Courier) -> None:
        for number in range(12):
            outbox.post(receiver.url, {"data": {"id": number}})
        await courier.idle()

    outbox = deliver(receiver, scenario, limit=10)
    assert (len(receiver.got), outbox.dropped) == (10, 2)


def test_stopping_leaves_nobody_waiting() -> None:
    gate = asyncio.Event()

    class Silent(Receiver):
        async def receive(self, request: web.BaseRequest) -> web.StreamResponse:
            self.got.append((request, b""))
            await gate.wait()
            return web.Response()

    receiver = Silent()

    async def scenario(outbox: Outbox, courier: Courier) -> None:
        outbox.post(receiver.url, EVENT, timeout=60)
        waiting = asyncio.create_task(outbox.idle())
        await asyncio.sleep(0)
        await courier.stop()
        await waiting
        gate.set()

    outbox = deliver(receiver, scenario)
    assert [entry.status for entry in outbox.log] == ["failed"]


def test_a_transfer_is_told_over_http_in_all_its_steps() -> None:
    receiver = Receiver()

    async def scenario(outbox: Outbox, _: Courier) -> None:
        account = Account(
            key="KEYTEST",
            mode="stateful",
            clock=outbox.clock,
            ids=Ids(1),
            outbox=outbox,
            store=cast("Any", None),
        )
        application = {"webhook_event_url": receiver.url, "webhook_api_version": "2"}
        calls = Calls(account, edition=load_edition(), find_application=lambda _: application)
        leg = calls.inbound("1", "+12025550199", "+12025550100")["data"]["call_control_id"]
        transfer = Ask(
            operation=load_edition().operation("TransferCall"),
            path={"call_control_id": leg},
            query={},
            headers={},
            body={"to": "+12025550100"},
        )
        calls.handlers["TransferCall"](transfer)
        outbox.clock.settle()
        await outbox.idle()

    deliver(receiver, scenario)
    events = sorted((d["data"]["occurred_at"], d["data"]["event_type"]) for d in receiver.documents())
    assert [name for _, name in events] == [
        "call.initiated",
        "call.initiated",
        "call.answered",
        "call.bridged",
        "call.bridged",
    ]


def test_a_webhook_of_api_v1_is_one_flat_record_with_a_code_over_its_bytes() -> None:
    receiver = Receiver(500)
    document = {"data": {**EVENT["data"], "occurred_at": "2025-06-16T12:00:00.000000Z"}}

    async def scenario(_: Outbox, courier: Courier) -> None:
        outbox = courier.outbox(Clock(start=START), secret="KEYTEST")
        outbox.post(receiver.url, document, version="1")
        await courier.idle()

    deliver(receiver, scenario)
    assert [json.loads(body) for _, body in receiver.got] == [
        {
            "record_type": "event", "id": "e-1", "event_type": "call_initiated",
            "created_at": "2025-06-16T12:00:00.000000Z", "payload": {"name": "Zoë"},
        }
    ] * 2  # fmt: skip
    request, body = receiver.got[0]
    assert request.headers["x-telnyx-signature"] == hmac.new(b"KEYTEST", body, "sha256").hexdigest()
    assert "telnyx-signature-ed25519" not in request.headers


def test_the_log_tells_what_was_sent_and_what_came_back() -> None:
    receiver = Receiver(500)

    async def scenario(outbox: Outbox, courier: Courier) -> None:
        outbox.post(receiver.url, EVENT)
        await courier.idle()

    told = entry(deliver(receiver, scenario).log[0])
    first, second = told["attempts"]
    assert (told["status"], told["webhook"]) == ("delivered", EVENT["data"])
    assert [(one["status"], one["errors"]) for one in told["attempts"]] == [("failed", [75500]), ("delivered", [])]
    assert (first["started_at"], second["started_at"]) == ("2025-06-15T15:06:40.000Z", "2025-06-15T15:06:41.000Z")
    assert first["http"]["request"]["url"] == receiver.url
    assert "telnyx-timestamp" in dict(first["http"]["request"]["headers"])
    assert (first["http"]["response"]["status"], first["http"]["response"]["body"]) == (500, "answer")


def test_every_status_has_its_delivery_error() -> None:
    assert [failure_code(s) for s in (200, 204, 302, 400, 404, 410, 500, 502, 0)] == [
        "", "75299", "75300", "75400", "75404", "75499", "75500", "75599", "75000",
    ]  # fmt: skip
