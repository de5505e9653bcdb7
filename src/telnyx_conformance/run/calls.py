"""Bringing calls into a state: an application to dial through, a leg that rings, is answered, waits, or has ended."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import quote

import msgspec

from telnyx_conformance.checks.finding import json_body, outline
from telnyx_conformance.checks.history import LegIds, Sent
from telnyx_conformance.contract.exchange import Exchange, Request
from telnyx_conformance.run.destinations import magic_destinations

if TYPE_CHECKING:
    from telnyx_conformance.contract.model import Operation
    from telnyx_conformance.run.session import Session

CALLER = "+12025550199"
NO_CONTROL = (
    "which this target does not speak; let it (docs/control.md), or say claims: {control: false} in its profile"
)
AwaitEvent = Callable[[str, str], Awaitable[bool]]


class Unavailable(Exception):  # noqa: N818 - a fact about the target, not an error of ours
    """A prerequisite cannot be had from this target; the text says why."""


class CallSetup:
    """Makes legs in one account. Every event goes to the inbox `token` unless a request says otherwise.

    `behind` tells for each id that was made (an application's, a call's) which exchanges made it.
    """

    def __init__(self, session: Session, *, account: str, token: str) -> None:
        self._session, self._account, self.token = session, account, token
        self.exchanges: list[int] = []
        self.behind: dict[str, tuple[int, ...]] = {}
        self._connection = ""
        by_path = {(o.method, o.path): o for o in session.edition.operations}
        self.dial_operation: Operation = by_path["POST", "/calls"]
        self._answer = by_path["POST", "/calls/{call_control_id}/actions/answer"]
        self._hangup = by_path["POST", "/calls/{call_control_id}/actions/hangup"]
        self._enqueue = by_path["POST", "/calls/{call_control_id}/actions/enqueue"]
        self._play = by_path["POST", "/calls/{call_control_id}/actions/playback_start"]
        self._stream = by_path["POST", "/calls/{call_control_id}/actions/streaming_start"]
        self._fork = by_path["POST", "/calls/{call_control_id}/actions/fork_start"]
        self._application = by_path["POST", "/call_control_applications"]

    async def virtual_time(self) -> bool:
        """Take the account's clock in hand; false when the target has none to give."""
        control = self._session.control
        return control is not None and await control.set_clock(self._session.key(self._account), "manual")

    async def advance(self, seconds: float) -> bool:
        """Move the account's clock."""
        control = self._session.control
        return control is not None and await control.advance(self._session.key(self._account), seconds)

    def destination(self, name: str) -> str:
        """Return the number that behaves like `name`: the profile's, else the fictional one that emulators know."""
        profile = self._session.settings.profile
        if name in profile.destinations:
            return profile.destinations[name]
        if profile.kind == "live":
            raise Unavailable(f"the profile names no destination that {name}")
        return magic_destinations()[name]

    async def connection(self) -> str:
        """Return the id of the application that calls go through, created at the first use."""
        given = self._session.settings.profile.resources.get("connection_id", "")
        if given or self._connection:
            return given or self._connection
        body = {
            "application_name": self._session.fresh("conformance-"),
            "webhook_event_url": self._session.inbox.url(self.token),
            "webhook_api_version": "2",
        }
        exchange, numbers = await self.command(self._application, {}, body, probe="setup.application")
        self._connection = str(_data(exchange).get("id", ""))
        if not self._connection:
            raise Unavailable(f"no call control application could be created: {outline(exchange)}")
        self._session.gate.created.add(self._connection)
        self._made(self._connection, numbers)
        return self._connection

    async def dial_defaults(self) -> dict[str, Any]:
        """Return what every Dial command needs."""
        profile = self._session.settings.profile
        return {
            "to": self.destination("answers"), "from": profile.resources.get("from", CALLER),
            "connection_id": await self.connection(), "webhook_url": self._session.inbox.url(self.token),
        }  # fmt: skip

    async def leg(self, state: str, origin: str, request: dict[str, Any], until: AwaitEvent) -> tuple[LegIds, Sent]:
        """Bring a leg into `state` (parked, ringing, answered, ended) and return its ids and the request that made it."""
        if origin == "inbound":
            ids, sent = await self._inbound(request)
        else:
            default = {"to": self.destination("rings_out")} if state == "ringing" else {}
            ids, sent = await self._dial({**default, **request})
        if origin == "inbound" and state in ("answered", "ended"):
            await self._must(self._answer, ids, "setup.answer")
        if state in ("answered", "ended") and not await until("call.answered", ids.call_control_id):
            raise Unavailable("a call was dialled, and no call.answered came")
        if state == "ended":
            await self._must(self._hangup, ids, "setup.hangup")
            await until("call.hangup", ids.call_control_id)
        return ids, sent

    async def far_end(self, act: Literal["press", "say", "hang_up"], call_control_id: str, said: str) -> None:
        """Let the far end of a leg press digits, say something or hang up."""
        control = self._session.control
        if control is None:
            raise Unavailable(f"far ends act through the control API, {NO_CONTROL}")
        key = self._session.key(self._account)
        if act == "hang_up":
            done = await control.hang_up(key, call_control_id)
        else:
            done = await (control.press if act == "press" else control.say)(key, call_control_id, said)
        if not done:
            raise Unavailable(f"the control API did not let the far end {act.replace('_', ' ')}")

    async def enqueue(self, ids: LegIds, queue_name: str = "") -> None:
        """Put an answered leg into a queue, a new one unless it is named."""
        body = {"queue_name": queue_name or self._session.fresh("conformance-")}
        await self._must(self._enqueue, ids, "setup.enqueue", body)

    async def play(self, ids: LegIds) -> None:
        """Let audio be heard on an answered leg till something ends it."""
        body = {"audio_url": self._session.inbox.media_url("endless"), "loop": "infinity"}
        await self._must(self._play, ids, "setup.play", body)

    async def stream(self, ids: LegIds) -> None:
        """Stream an answered leg to a socket that listens."""
        await self._must(self._stream, ids, "setup.stream", {"stream_url": self._session.inbox.socket_url(self.token)})

    async def fork(self, ids: LegIds) -> None:
        """Fork the media of an answered leg to a port that listens."""
        port = self._session.inbox.streams.port(self.token)
        await self._must(self._fork, ids, "setup.fork", {"rx": port, "tx": port})

    async def command(
        self,
        operation: Operation,
        path: dict[str, str],
        body: dict[str, Any],
        *,
        probe: str,
        query: dict[str, Any] | None = None,
    ) -> tuple[Exchange, tuple[int, ...]]:
        """Send a command through the gate, with a JSON body where the operation has one."""
        reason = self._session.gate.objects(operation, path, body)
        if reason:
            raise Unavailable(reason)
        where = operation.path
        for name, value in path.items():
            where = where.replace("{" + name + "}", quote(value, safe=":"))
        headers: tuple[tuple[str, str], ...] = (self._session.authorization(self._account),)
        if operation.body is not None:
            headers = (*headers, ("content-type", "application/json"))
        request = Request(
            method=operation.method, path=where, headers=headers,
            query=tuple((name, _text(value)) for name, value in (query or {}).items()),
            body=b"" if operation.body is None else msgspec.json.encode(body),
        )  # fmt: skip
        return await self._session.send(operation, request, probe=probe)

    async def _dial(self, request: dict[str, Any]) -> tuple[LegIds, Sent]:
        body = {**await self.dial_defaults(), **request}
        exchange, numbers = await self.command(self.dial_operation, {}, body, probe="setup.dial")
        ids, sent = self._leg_of(exchange, body)
        self._made(ids.call_control_id, (*self.behind.get(str(body["connection_id"]), ()), *numbers))
        return ids, sent

    async def _inbound(self, request: dict[str, Any]) -> tuple[LegIds, Sent]:
        control = self._session.control
        if control is None:
            raise Unavailable(f"calls come in through the control API, {NO_CONTROL}")
        body = {"from": CALLER, "to": self.destination("answers"), **request}
        key = self._session.key(self._account)
        data = await control.inbound_call(key, await self.connection(), str(body["from"]), str(body["to"]))
        if not data or not data.get("call_control_id"):
            raise Unavailable("the control API let no call come in")
        ids = LegIds(call_control_id=str(data["call_control_id"]), call_leg_id=str(data.get("call_leg_id", "")))
        self._made(ids.call_control_id, self.behind.get(self._connection, ()))
        return ids, Sent(body=body, status=200, data=data)

    def _made(self, value: str, numbers: tuple[int, ...]) -> None:
        self.behind[value] = numbers
        self.exchanges += [number for number in numbers if number not in self.exchanges]

    async def _must(self, operation: Operation, ids: LegIds, probe: str, body: dict[str, Any] | None = None) -> None:
        path = {"call_control_id": ids.call_control_id}
        exchange, numbers = await self.command(operation, path, body or {}, probe=probe)
        self._made(ids.call_control_id, (*self.behind.get(ids.call_control_id, ()), *numbers))
        if exchange.response is None or not exchange.response.is_success:
            raise Unavailable(f"{operation.id} was refused: {outline(exchange)}")

    def _leg_of(self, exchange: Exchange, body: dict[str, Any]) -> tuple[LegIds, Sent]:
        data = _data(exchange)
        if not data.get("call_control_id"):
            raise Unavailable(f"no call could be dialled: {outline(exchange)}")
        status = exchange.response.status if exchange.response else 0
        ids = LegIds(call_control_id=str(data["call_control_id"]), call_leg_id=str(data.get("call_leg_id", "")))
        return ids, Sent(body=body, status=status, data=data)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _data(exchange: Exchange) -> dict[str, Any]:
    document = json_body(exchange)
    data = document.get("data") if isinstance(document, dict) else None
    return data if isinstance(data, dict) else {}
