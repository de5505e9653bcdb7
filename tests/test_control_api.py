"""The control API does what its contract says, and refuses what its contract refuses."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, TypeVar

import httpx
import pytest

from telnyx_conformance.contract.control import load_control
from telnyx_conformance.contract.document import load_edition
from telnyx_conformance.emulator.control_handlers import HANDLERS
from telnyx_conformance.emulator.embedded import EmbeddedTransport
from telnyx_conformance.run.client import Client
from telnyx_conformance.run.control import Control, control_url

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

T = TypeVar("T")
URL = "http://emulator/v2"
KEY = "KEYTEST_control"
FROM, ANSWERS, RINGS_OUT = "+12025550123", "+12025550100", "+12025550101"


class Api:
    """A client of the API and of its control API, and calls to work with."""

    def __init__(self, transport: EmbeddedTransport) -> None:
        self.transport = transport
        self.http = httpx.AsyncClient(
            transport=transport, base_url="http://emulator", headers={"authorization": f"Bearer {KEY}"}
        )
        self.control = Control(Client(control_url(URL), transport))

    async def application(self) -> str:
        body = {"application_name": "a", "webhook_event_url": "http://127.0.0.1:9/hook"}
        return str((await self.http.post("/v2/call_control_applications", json=body)).json()["data"]["id"])

    async def dialled(self, to: str) -> str:
        body = {"connection_id": await self.application(), "from": FROM, "to": to}
        return str((await self.http.post("/v2/calls", json=body)).json()["data"]["call_control_id"])

    async def parked(self) -> str:
        call = await self.control.inbound_call(KEY, await self.application(), FROM, "+12025550124")
        assert call is not None
        return str(call["call_control_id"])

    async def is_alive(self, leg: str) -> bool:
        return bool((await self.http.get(f"/v2/calls/{leg}")).json()["data"]["is_alive"])

    async def code(self, method: str, path: str, document: Any = None) -> tuple[int, str]:
        reply = await self.http.request(method, "/_control" + path, json=document)
        return reply.status_code, reply.json()["errors"][0]["code"] if reply.is_client_error else ""


def played(scene: Callable[[Api], Awaitable[T]]) -> T:
    async def work() -> T:
        api = Api(EmbeddedTransport.for_edition(load_edition(), seed=3))
        async with api.http:
            return await scene(api)

    return asyncio.run(work())


def test_every_operation_of_the_contract_is_carried_out_by_one_handler() -> None:
    assert set(HANDLERS) == set(load_control().by_id)


def test_the_far_end_of_an_answered_leg_presses_keys_speaks_and_hangs_up() -> None:
    async def scene(api: Api) -> tuple[bool, bool, bool, bool]:
        leg = await api.dialled(ANSWERS)
        pressed = await api.control.press(KEY, leg, "12#")
        said = await api.control.say(KEY, leg, "yes")
        return pressed, said, await api.control.hang_up(KEY, leg), await api.is_alive(leg)

    assert played(scene) == (True, True, True, False)


def test_a_caller_hangs_up_before_anybody_answers() -> None:
    async def scene(api: Api) -> tuple[bool, bool]:
        leg = await api.parked()
        return await api.control.hang_up(KEY, leg), await api.is_alive(leg)

    assert played(scene) == (True, False)


DEEDS: list[tuple[str, dict[str, str]]] = [("digits", {"digits": "1"}), ("speech", {"text": "yes"}), ("hangup", {})]


@pytest.mark.parametrize(("deed", "document"), DEEDS)
def test_a_far_end_that_is_not_there_is_refused_as_the_api_refuses(deed: str, document: dict[str, str]) -> None:
    async def scene(api: Api) -> list[tuple[int, str]]:
        ended = await api.dialled(ANSWERS)
        await api.control.hang_up(KEY, ended)
        await api.control.set_clock(KEY, "manual")
        ringing = await api.dialled(RINGS_OUT)
        return [await api.code("POST", f"/calls/{leg}/{deed}", document) for leg in ("v3:nobody", ended, ringing)]

    assert played(scene) == [(422, "90015"), (422, "90018"), (422, "90034")]


@pytest.mark.parametrize("deed", ["digits", "speech"])
def test_a_parked_leg_has_nobody_who_hears(deed: str) -> None:
    async def scene(api: Api) -> tuple[int, str]:
        return await api.code("POST", f"/calls/{await api.parked()}/{deed}", dict(DEEDS)[deed])

    assert played(scene) == (422, "90034")


@pytest.mark.parametrize(
    ("method", "path", "document", "pointer"),
    [
        ("POST", "/clock", {}, "/advance"),
        ("POST", "/clock", {"advance": True}, "/advance"),
        ("POST", "/clock", {"advance": 1, "by": 2}, "/by"),
        ("PUT", "/clock", {"mode": "slow"}, "/mode"),
        ("POST", "/settle", {"now": True}, "/"),
        ("POST", "/inbound_calls", {"connection_id": "1", "from": FROM}, "/to"),
        ("POST", "/inbound_calls", {"connection_id": "1", "from": FROM, "to": ANSWERS}, "/connection_id"),
        ("POST", "/calls/x/digits", {"digits": ""}, "/digits"),
        ("POST", "/calls/x/digits", {"digits": "1w2"}, "/digits"),
        ("POST", "/calls/x/digits", {"digits": 12}, "/digits"),
        ("POST", "/calls/x/speech", {"text": None}, "/text"),
        ("POST", "/calls/x/hangup", {"cause": "busy"}, "/"),
    ],
)
def test_a_refusal_points_at_the_culprit(method: str, path: str, document: object, pointer: str) -> None:
    async def scene(api: Api) -> tuple[int, str]:
        reply = await api.http.request(method, "/_control" + path, json=document)
        return reply.status_code, reply.json()["errors"][0]["source"]["pointer"]

    assert played(scene) == (422, pointer)


def test_the_log_of_requests_is_bounded_and_tells_the_time_of_the_account() -> None:
    async def scene(api: Api) -> tuple[list[dict[str, Any]], float]:
        await api.http.get("/v2/phone_numbers")
        await api.control.advance(KEY, 60)
        await api.http.get("/v2/addresses?page[size]=1")
        now = (await api.http.get("/_control/clock")).json()["data"]["now"]
        return (await api.http.get("/_control/requests?limit=1")).json()["data"], now

    log, now = played(scene)
    assert log == [{"method": "GET", "target": "/v2/addresses?page[size]=1", "status": 200, "at": now}]


@pytest.mark.parametrize("limit", ["0", "201", "many"])
def test_a_log_cannot_be_asked_for_out_of_bounds(limit: str) -> None:
    assert played(lambda api: api.code("GET", f"/requests?limit={limit}"))[0] == 422


def test_the_contract_is_served_to_anybody() -> None:
    async def scene(api: Api) -> tuple[int, dict[str, Any]]:
        reply = await api.http.get("/_control/openapi.json", headers={"authorization": ""})
        return reply.status_code, reply.json()

    assert played(scene) == (200, load_control().document)
