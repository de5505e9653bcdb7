"""The control API does what its contract says, and refuses what its contract refuses."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any, TypeVar

import httpx
import pytest

from telnyx_conformance.contract.control import load_control
from telnyx_conformance.contract.document import load_edition
from telnyx_conformance.contract.validators import Validator, compiled
from telnyx_conformance.emulator.control_handlers import HANDLERS
from telnyx_conformance.emulator.embedded import EmbeddedTransport
from telnyx_conformance.emulator.products.calls.destinations import MOST_OF_AN_ACCOUNT
from telnyx_conformance.emulator.products.messages.parts import encoded
from telnyx_conformance.inbox.receiver import Inbox
from telnyx_conformance.run.client import Client
from telnyx_conformance.run.control import Control, control_url
from telnyx_conformance.run.destinations import magic_destinations

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


def schema_of(name: str) -> Validator:
    edition = load_edition()
    return compiled(edition.document, edition.document["components"]["schemas"][name], "response")


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
        ("PUT", "/destinations/busy", {"outcome": "explodes"}, "/outcome"),
        ("PUT", "/destinations/busy", {"after": 1}, "/outcome"),
        ("PUT", "/destinations/busy", {"outcome": "busy", "hears": {"words": -1}}, "/hears/words"),
        ("POST", "/inbound_messages", {"from": FROM, "to": ANSWERS, "text": ""}, "/text"),
        ("POST", "/inbound_messages", {"from": FROM, "to": "nobody", "text": "hi"}, "/to"),
        ("POST", "/inbound_messages", {"from": FROM, "to": ANSWERS, "text": "hi"}, "/to"),
        ("POST", "/inbound_messages", {"from": FROM, "to": ANSWERS, "text": "é" * 1531}, "/text"),
        ("POST", "/inbound_messages", {"from": FROM, "to": ANSWERS, "text": "ж" * 671}, "/text"),
        ("POST", "/inbound_messages", {"from": FROM, "to": ANSWERS, "media": [{"url": 7}]}, "/media/0/url"),
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


def test_webhooks_are_counted_by_what_became_of_them() -> None:
    async def scene(api: Api) -> tuple[dict[str, int], dict[str, int]]:
        before = await api.control.webhooks(KEY)
        asked = {"application_name": "counted", "webhook_event_url": "https://example.com/nobody"}
        made = await api.http.post("/v2/call_control_applications", json=asked)
        await api.control.inbound_call(KEY, made.json()["data"]["id"], FROM, ANSWERS)
        return before, await api.control.webhooks(KEY)

    before, after = played(scene)
    nothing = {"posted": 0, "delivered": 0, "failed": 0, "dropped": 0, "under_way": 0}
    assert (before, after) == (nothing, {**nothing, "posted": 1, "failed": 1})


@pytest.mark.parametrize("limit", ["0", "201", "many"])
def test_a_log_cannot_be_asked_for_out_of_bounds(limit: str) -> None:
    assert played(lambda api: api.code("GET", f"/requests?limit={limit}"))[0] == 422


def test_the_contract_is_served_to_anybody() -> None:
    async def scene(api: Api) -> tuple[int, dict[str, Any]]:
        reply = await api.http.get("/_control/openapi.json", headers={"authorization": ""})
        return reply.status_code, reply.json()

    assert played(scene) == (200, load_control().document)


def test_the_table_of_destinations_is_what_the_fixtures_say() -> None:
    table = {row["name"]: row["number"] for row in played(lambda api: api.control.destinations(KEY))}
    assert table == magic_destinations()


@pytest.mark.parametrize("address", ["answers", ANSWERS, "+491701234567"])
def test_a_destination_does_what_it_was_told_in_this_account_only(address: str) -> None:
    async def scene(api: Api) -> tuple[list[bool], list[str]]:
        done = await api.control.set_destination(KEY, address, "rejects", after=1)
        number = ANSWERS if address == "answers" else address
        told = [row["outcome"] for row in await api.control.destinations(KEY) if row["number"] == number]
        elsewhere = [r["outcome"] for r in await api.control.destinations("KEYTEST_other") if r["number"] == number]
        return [done, await api.is_alive(await api.dialled(number))], told + elsewhere

    done, outcomes = played(scene)
    assert done == [True, False]
    assert outcomes == ["rejects"] + (["answers"] if address.endswith(("answers", "0100")) else [])


def test_what_is_heard_at_a_destination_can_be_chosen() -> None:
    hears = {"starts": 0.4, "ends": 5.4, "words": 14, "beep": 6.2}

    async def scene(api: Api) -> dict[str, Any]:
        await api.control.set_destination(KEY, "busy", "answers", after=2, hears=hears)
        return next(row for row in await api.control.destinations(KEY) if row["name"] == "busy")

    shown = played(scene)
    assert (shown["outcome"], shown["after"]) == ("answers", 2)
    assert shown["hears"] == {**hears, "is_fax": False, "premium": "human_residence"}


def test_a_reset_takes_the_destinations_back() -> None:
    async def scene(api: Api) -> Any:
        await api.control.set_destination(KEY, "answers", "busy")
        await api.control.reset(KEY)
        return {row["name"]: row["outcome"] for row in await api.control.destinations(KEY)}["answers"]

    assert played(scene) == "answers"


def test_neither_a_name_nor_a_number_is_no_destination() -> None:
    assert played(lambda api: api.code("PUT", "/destinations/somebody", {"outcome": "busy"})) == (404, "10005")


def test_an_account_has_a_bounded_number_of_destinations() -> None:
    async def scene(api: Api) -> tuple[bool, tuple[int, str]]:
        for number in range(MOST_OF_AN_ACCOUNT - len(magic_destinations())):
            await api.control.set_destination(KEY, f"+4917{number:08d}", "busy")
        known = await api.control.set_destination(KEY, "+491700000000", "rejects")
        return known, await api.code("PUT", "/destinations/%2B33123456789", {"outcome": "busy"})

    assert played(scene) == (True, (422, "10027"))


class Mailbox:
    """An inbox that the emulator delivers to, and profiles whose webhooks lead there."""

    def __init__(self, api: Api, inbox: Inbox) -> None:
        self.api, self.inbox = api, inbox

    async def profile(self, token: str, **more: Any) -> str:
        body = {"name": token, "whitelisted_destinations": ["US"], "webhook_url": self.inbox.url(token), **more}
        return str((await self.api.http.post("/v2/messaging_profiles", json=body)).json()["data"]["id"])

    async def number_of(self, profile: str) -> str:
        number = (await self.api.http.get("/v2/phone_numbers")).json()["data"][0]
        settings = {"messaging_profile_id": profile}
        await self.api.http.patch(f"/v2/phone_numbers/{number['id']}/messaging", json=settings)
        return str(number["phone_number"])


def written(scene: Callable[[Mailbox], Awaitable[T]]) -> T:
    async def work(api: Api) -> T:
        inbox = Inbox()
        await inbox.start()
        inbox.verify_with(await api.control.public_key(KEY))
        try:
            return await scene(Mailbox(api, inbox))
        finally:
            await inbox.stop()

    return played(work)


def test_a_message_that_comes_in_is_told_signed_and_can_be_read() -> None:
    async def scene(mailbox: Mailbox) -> None:
        api = mailbox.api
        await mailbox.profile("only")
        media = [{"url": "https://example.com/cat.png", "content_type": "image/png", "size": 4711}]
        message = await api.control.inbound_message(KEY, FROM, "+12025550124", "look", media)
        await api.control.settle(KEY)
        [event] = mailbox.inbox.events("only")
        assert message is not None
        read = (await api.http.get(f"/v2/messages/{message['id']}")).json()["data"]

        assert (event.type, event.payload, event.signature) == ("message.received", message, "valid")
        assert (read, read["type"], read["media"]) == (message, "MMS", media)
        assert list(schema_of("InboundMessageEvent").iter_errors(json.loads(event.raw))) == []

    written(scene)


def test_a_message_goes_to_the_profile_of_its_number() -> None:
    async def scene(mailbox: Mailbox) -> tuple[int, int]:
        await mailbox.profile("one")
        number = await mailbox.number_of(await mailbox.profile("other"))
        await mailbox.api.control.inbound_message(KEY, FROM, number, "hello")
        await mailbox.api.control.settle(KEY)
        return len(mailbox.inbox.events("one")), len(mailbox.inbox.events("other"))

    assert written(scene) == (0, 1)


@pytest.mark.parametrize(
    ("profiles", "of_number", "told"),
    [
        ([], False, "no profile has a webhook_url"),
        (["one", "two"], False, "2 profiles have a webhook_url"),
        (["deaf"], True, "has no webhook_url"),
    ],
)
def test_a_message_that_nobody_would_hear_of_is_refused(profiles: list[str], *, of_number: bool, told: str) -> None:
    async def scene(mailbox: Mailbox) -> dict[str, Any]:
        made = [await mailbox.profile(p, **({"webhook_url": None} if p == "deaf" else {})) for p in profiles]
        to = await mailbox.number_of(made[0]) if of_number else "+12025550124"
        body = {"from": FROM, "to": to, "text": "hello"}
        reply = await mailbox.api.http.post("/_control/inbound_messages", json=body)
        error: dict[str, Any] = reply.json()["errors"][0]
        return error

    error = written(scene)
    assert (error["source"]["pointer"], told in error["detail"]) == ("/to", True)


@pytest.mark.parametrize(
    ("text", "travels"),
    [
        ("a" * 160, ("GSM-7", 1)), ("a" * 161, ("GSM-7", 2)), ("€" * 81, ("GSM-7", 2)), ("a" * 307, ("GSM-7", 3)),
        ("ж" * 70, ("UTF-16", 1)), ("ж" * 71, ("UTF-16", 2)), ("🙂" * 36, ("UTF-16", 2)), ("", ("GSM-7", 1)),
    ],
)  # fmt: skip
def test_a_text_travels_in_as_many_parts_as_its_encoding_asks(text: str, travels: tuple[str, int]) -> None:
    assert encoded(text) == travels
