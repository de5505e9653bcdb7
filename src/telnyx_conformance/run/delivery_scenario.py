"""Bringing a delivery contract about: an application and inboxes of its own, a call, and patience with whoever tries again.

Where the target speaks the control API time is virtual: it moves in small steps, so that each delivery is known to have come
between two of them. Elsewhere the inbox's own clock tells, within what a network may take.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from telnyx_conformance.checks.attempts import Heard, Seen, attempt_key, attempts_of, type_of
from telnyx_conformance.checks.finding import json_body, outline
from telnyx_conformance.contract.delivery import Answering, Command
from telnyx_conformance.contract.exchange import Request
from telnyx_conformance.contract.sequence import resolved
from telnyx_conformance.inbox.receiver import Reply
from telnyx_conformance.run.calls import CALLER, NO_CONTROL, CallSetup, Unavailable
from telnyx_conformance.run.scenario import MOST_WAITS_IN_VAIN, NEVER_AGAIN_SILENT, SILENT_SECONDS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from telnyx_conformance.contract.delivery import DeliveryContract
    from telnyx_conformance.contract.exchange import Event, Exchange
    from telnyx_conformance.contract.sequence import Symbol
    from telnyx_conformance.run.session import Session

TOO_SLOW_BY = 0.5  # seconds, real ones: a slow receiver answers that long after it should have
QUIET_SECONDS = 6.0
REAL_QUIET_SECONDS = 2.0
REAL_RETRY_SECONDS = 30.0
NETWORK_SECONDS = 0.25
PAGE_SIZE = 100
MOST_PAGES = 10


class DeliveryScenario:
    """One contract being played on a session, in an account and with inboxes of its own."""

    def __init__(self, session: Session, contract: DeliveryContract) -> None:
        self.session, self.contract = session, contract
        self.exchanges: list[int] = []
        self.unfinished = ""
        self._stem = session.fresh("d").replace("_", "-")
        self._calls = CallSetup(session, account=self._stem, token=f"{self._stem}-none")
        self._tokens = {name: f"{self._stem}-{name}" for name in contract.given.inboxes}
        self._urls = {name: session.inbox.url(token) for name, token in self._tokens.items()}
        self._heard: dict[int, Heard] = {}
        self._call = ""
        self._entry: dict[str, Any] = {}
        self._unread = ""
        self._virtual = False
        self._now = 0.0

    async def play(self) -> None:
        """Carry out the situation, wait until all attempts were made, see that no more follow, and read the log."""
        self._virtual = await self._calls.virtual_time()
        self._script()
        try:
            await self._begin()
            for step in self.contract.given.then:
                if isinstance(step, Command):
                    await self._command(step)
                else:
                    await self._pass(step.seconds)
            await self._until_complete()
            if self._heard:
                await self._pass(QUIET_SECONDS if self._virtual else REAL_QUIET_SECONDS)
            if self.contract.log is not None:
                await self._read_log()
        except Unavailable as reason:
            self.unfinished = str(reason)
        self._look(self._now)

    def seen(self) -> Seen:
        """Return what came of it."""
        return Seen(
            call=self._call,
            heard=tuple(self._heard[arrival] for arrival in sorted(self._heard)),
            urls=self._urls,
            tokens={token: name for name, token in self._tokens.items()},
            verifiable=self.session.inbox.is_verifying,
            entry=self._entry,
            unread=self._unread,
        )

    def forget(self) -> None:
        """Free the inboxes."""
        for token in self._tokens.values():
            self.session.inbox.forget(token)

    def _script(self) -> None:
        watched = self.contract.event
        for name, answers in self.contract.given.inboxes.items():
            replies = [self._reply(one) for one in answers]
            self.session.inbox.script(
                self._tokens[name], replies, key=lambda event: attempt_key(event) if type_of(event) == watched else None
            )

    def _reply(self, one: Answering) -> Reply:
        if one.behaviour == "slow":
            return Reply(delay=self.contract.given.timeout + TOO_SLOW_BY)
        location = self._urls[one.location] if one.location else ""
        return Reply(status=one.status, location=location, close=one.behaviour == "closed")

    async def _begin(self) -> None:
        given = self.contract.given
        application = await self._make_application()
        if given.call == "inbound":
            self._call = await self._inbound(application)
        else:
            body = {
                "to": self._calls.destination(given.to), "from": self._caller(), "connection_id": application,
                **self._resolved(given.request),
            }  # fmt: skip
            exchange, numbers = await self._calls.command(
                self._calls.dial_operation, {}, body, probe=self._probe("dial")
            )
            self.exchanges += numbers
            self._call = str(_data(exchange).get("call_control_id", ""))
            if not self._call:
                raise Unavailable(f"no call could be dialled: {outline(exchange)}")
        await self._pass(0)

    async def _make_application(self) -> str:
        operation = self.session.edition.operation("CreateCallControlApplication")
        body = {
            "application_name": self.session.fresh("conformance-"),
            **self._resolved(self.contract.given.application),
        }
        exchange, numbers = await self._calls.command(operation, {}, body, probe=self._probe("application"))
        self.exchanges += numbers
        made = str(_data(exchange).get("id", ""))
        if not made:
            raise Unavailable(f"no call control application could be created: {outline(exchange)}")
        self.session.gate.created.add(made)
        return made

    async def _inbound(self, application: str) -> str:
        control = self.session.control
        if control is None:
            raise Unavailable(f"calls come in through the control API, {NO_CONTROL}")
        key, to = self.session.key(self._stem), self._calls.destination("answers")
        data = await control.inbound_call(key, application, CALLER, to)
        if not data or not data.get("call_control_id"):
            raise Unavailable("the control API let no call come in")
        return str(data["call_control_id"])

    async def _command(self, step: Command) -> None:
        operation = self.session.edition.operation(step.operation)
        path, body = {"call_control_id": self._call}, self._resolved(step.request)
        exchange, numbers = await self._calls.command(operation, path, body, probe=self._probe(step.operation))
        self.exchanges += numbers
        if exchange.response is None or not exchange.response.is_success:
            raise Unavailable(f"{operation.id} was refused: {outline(exchange)}")
        await self._pass(0)

    def _resolved(self, body: dict[str, Any]) -> dict[str, Any]:
        return resolved(body, self._known)

    def _known(self, symbol: Symbol) -> str:
        return self._urls[symbol.name] if symbol.kind == "inbox" else self._calls.destination(symbol.name)

    def _caller(self) -> str:
        return self.session.settings.profile.resources.get("from", CALLER)

    def _probe(self, what: str) -> str:
        return f"{self.contract.name}.{what}"

    async def _pass(self, seconds: float) -> None:
        """Let time pass, and take down what was delivered meanwhile."""
        if not self._virtual:
            await asyncio.sleep(seconds)
            self._look(0.0)
            return
        if not await self._calls.advance(seconds):
            raise Unavailable("the control API refused to advance the clock")
        before, self._now = self._now, self._now + seconds
        self._look(before)

    def _look(self, before: float) -> None:
        for token in self._tokens.values():
            for event in self.session.inbox.events(token):
                if event.arrival not in self._heard:
                    self._heard[event.arrival] = self._timed(event, before)

    def _timed(self, event: Event, before: float) -> Heard:
        if self._virtual:
            return Heard(event=event, earliest=before, latest=self._now)
        at = event.received_at
        return Heard(event=event, earliest=at - NETWORK_SECONDS, latest=at + NETWORK_SECONDS)

    def _is_complete(self) -> bool:
        seen = self.seen()
        came = {type_of(one.event) for one in seen.heard}
        return len(attempts_of(self.contract, seen)) >= self.contract.tries and came >= set(self.contract.meanwhile)

    async def _until_complete(self) -> None:
        if self._virtual:
            for step in _patience():
                if self._is_complete():
                    return
                await self._pass(step)
            return
        if await self._waited(lambda: bool(self._heard), self._first_patience()):
            self.session.waits_in_vain = NEVER_AGAIN_SILENT
            await self._waited(self._is_complete, REAL_RETRY_SECONDS)
        else:
            self.session.waits_in_vain += 1

    def _first_patience(self) -> float:
        """Return how long a first sign is waited for: not long with a target that has given none so far."""
        is_silent = self.session.waits_in_vain >= MOST_WAITS_IN_VAIN
        return SILENT_SECONDS if is_silent else self.session.settings.profile.event_seconds

    async def _waited(self, condition: Callable[[], bool], seconds: float) -> bool:
        def holds() -> bool:
            self._look(0.0)
            return condition()

        return await self.session.inbox.until(holds, seconds)

    async def _read_log(self) -> None:
        ids = {one.event.id for one in attempts_of(self.contract, self.seen())}
        if not ids:
            self._unread = "no attempt was made"
            return
        for number in range(1, MOST_PAGES + 1):
            query = (("page[number]", str(number)), ("page[size]", str(PAGE_SIZE)))
            listed = await self._asked("GetWebhookDeliveries", {}, query)
            entries = [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []
            self._entry = next((one for one in entries if (one.get("webhook") or {}).get("id") in ids), {})
            if self._entry or not entries:
                break
        if self._entry and self.contract.operation == "GetWebhookDelivery":
            read = await self._asked("GetWebhookDelivery", {"id": str(self._entry.get("id"))}, ())
            self._entry = read if isinstance(read, dict) else {}

    async def _asked(self, operation_id: str, path: dict[str, str], query: tuple[tuple[str, str], ...]) -> Any:
        """Return the `data` of the log's answer."""
        operation = self.session.edition.operation(operation_id)
        where = operation.path
        for name, value in path.items():
            where = where.replace("{" + name + "}", value)
        request = Request(
            method=operation.method, path=where, query=query, headers=(self.session.authorization(self._stem),)
        )
        exchange, numbers = await self.session.send(operation, request, probe=self._probe("log"))
        self.exchanges += numbers
        if exchange.response is None:
            self._unread = exchange.error
        elif not exchange.response.is_success:
            self._unread = f"the log cannot be read: {outline(exchange)}"
        document = json_body(exchange)
        return document.get("data") if isinstance(document, dict) else None


def _patience() -> Iterator[float]:
    """Virtual seconds to wait between looks: finely while attempts are compared, half a minute in all."""
    yield from [0.1] * 50
    yield from [1.0] * 25


def _data(exchange: Exchange) -> dict[str, Any]:
    document = json_body(exchange)
    data = document.get("data") if isinstance(document, dict) else None
    return data if isinstance(data, dict) else {}
