"""One random program on its way: each step is carried out on the target and compared with the model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from telnyx_conformance.checks.finding import json_body, outline
from telnyx_conformance.checks.history import moment
from telnyx_conformance.contract.exchange import Request
from telnyx_conformance.contract.model import Operation
from telnyx_conformance.contract.model_requirements import ANSWER, CONFERENCES, CREATE, EVENTS, LEAVE
from telnyx_conformance.modelling.reckoning import HANGUP, Difference, Reckoning
from telnyx_conformance.modelling.steps import Command, Dial, FarEnd, Repeat, RingIn, Step, Wait, letter
from telnyx_conformance.modelling.world import BY_COMPANY, BY_FAR_END, BY_KEYS, Conference, Expected, LegModel, World
from telnyx_conformance.plan.serialise import build_request
from telnyx_conformance.run.calls import CallSetup, Unavailable

if TYPE_CHECKING:
    from collections.abc import Iterable

    from telnyx_conformance.contract.exchange import Event, Exchange
    from telnyx_conformance.contract.machines import Row
    from telnyx_conformance.run.session import Session

REPEATED_SECONDS, RING_SECONDS = 60.0, 31.0
DIGITS, WORDS = "12", "hello there"
BRIDGE, DIAL = "BridgeCall", "DialCall"


class Latest(msgspec.Struct, frozen=True):
    """The latest command, for repeating it."""

    operation: Operation
    request: Request
    leg: LegModel
    other: LegModel | None
    taken: bool
    at: float
    is_idempotent: bool


class Program:
    """Plays steps in an account of its own. Raises `Unavailable` when the target cannot play programs at all."""

    def __init__(self, session: Session, *, record: bool = False) -> None:
        self._session, self._record = session, record
        self._account = session.fresh("m").replace("_", "-")
        self._calls = CallSetup(session, account=self._account, token=self._account)
        self._key = session.key(self._account)
        self._seen: set[str] = set()
        self._latest: Latest | None = None
        self.world = World()
        self.exchanges: list[int] = []

    async def begin(self) -> None:
        """Take time in hand and make what calls go through."""
        if not await self._calls.virtual_time():
            raise Unavailable("random programs need time that passes on demand, which only the control API gives")
        await self._calls.connection()
        self.exchanges += self._calls.exchanges

    @property
    def has_sent(self) -> bool:
        """Whether there is a command to repeat."""
        return self._latest is not None

    def end(self) -> None:
        """Stop listening."""
        self._session.inbox.forget(self._account)

    async def step(self, step: Step) -> Difference | None:
        """Carry out one step; return where the target parts from the model, `None` where it does not."""
        match step:
            case Dial():
                return await self._dial(step)
            case RingIn():
                return await self._ring_in()
            case Command():
                return await self._command(step)
            case Repeat():
                return await self._repeat()
            case FarEnd():
                return await self._far_end(step)
            case Wait():
                return await self._wait(step.seconds)

    async def _dial(self, step: Dial) -> Difference | None:
        body = {**await self._calls.dial_defaults(), "to": self._calls.destination(step.destination)}
        operation = self._calls.dial_operation
        exchange, numbers = await self._calls.command(operation, {}, body, probe="model.dial")
        self._note(numbers)
        data = (json_body(exchange) or {}).get("data") if exchange.response and exchange.response.is_success else None
        if not isinstance(data, dict) or not data.get("call_control_id"):
            return _answered(operation.id, Expected(taken=True), exchange)
        leg, row = self.world.add(data, DIAL)
        return await self._settled(self._reckoning(operation.id, leg, [row]))

    async def _ring_in(self) -> Difference | None:
        control = self._session.control
        to = self._calls.destination("answers")
        data = control and await control.inbound_call(self._key, await self._calls.connection(), "+12025550199", to)
        if not data:
            raise Unavailable("the control API let no call come in")
        leg, row = self.world.add(data, "invited")
        return await self._settled(self._reckoning("", leg, [row]))

    async def _command(self, step: Command) -> Difference | None:
        legs = self.world.legs
        leg, other = legs[step.leg % len(legs)], legs[step.other % len(legs)]
        operation: Operation = self._session.edition.operation(step.operation)
        plan = self._session.plan(operation)
        if operation.id in CONFERENCES:
            return await self._confer(operation, leg, step.other)
        body = dict(plan.probes[0].body or {})
        is_idempotent = "command_id" in _fields(self._session.edition, operation)
        if is_idempotent:
            body["command_id"] = self._session.fresh("command-")
        if operation.id == BRIDGE:
            body = {"command_id": body["command_id"], "call_control_id": other.id}
        request = build_request(
            operation, msgspec.structs.replace(plan.probes[0], body=body), {"call_control_id": leg.id},
            f"Bearer {self._key}", fresh=self._account, webhook=self._session.inbox.url(self._account),
        )  # fmt: skip
        named = other if operation.id == BRIDGE else None
        self._latest = Latest(
            operation, request, leg, named, taken=False, at=self.world.now, is_idempotent=is_idempotent
        )
        return await self._send(self._latest)

    async def _confer(self, operation: Operation, leg: LegModel, place: int) -> Difference | None:
        """Create, join or leave a conference; nothing where there is none to join."""
        world, conferences = self.world, self.world.conferences
        if operation.id != CREATE and not conferences:
            return None
        conference = conferences[place % len(conferences)] if operation.id != CREATE else None
        body = {"call_control_id": leg.id}
        if conference is None:
            body["name"] = self._session.fresh("conference-")
            expected = world.expected(leg, operation.id, None)
        else:
            expected = world.expected_in_conference(leg, operation.id, conference)
        path = {"id": conference.id} if conference else {}
        self._latest = None
        exchange, numbers = await self._calls.command(operation, path, body, probe="model")
        self._note(numbers)
        if exchange.response is None:
            raise Unavailable(exchange.error)
        wrong = _answered(operation.id, expected, exchange)
        if wrong is not None:
            return wrong
        reckoning = self._reckoning(operation.id, leg)
        if expected.taken:
            if conference is None:
                conferences.append(Conference(str(json_body(exchange)["data"]["id"])))
            before = leg.state
            for row in world.carry_out(leg, operation.id):
                reckoning.await_events(leg, row)
            if operation.id != LEAVE:
                reckoning.await_events(leg, world.enter(leg))
            if before == "bridged":
                reckoning.leave_alone(world.part(leg))
        return await self._settled(reckoning)

    async def _send(self, command: Latest) -> Difference | None:
        expected = self.world.expected(command.leg, command.operation.id, command.other)
        exchange = await self._ask(command)
        if exchange.response is None:
            raise Unavailable(exchange.error)
        wrong = _answered(command.operation.id, expected, exchange)
        if wrong is not None:
            return wrong
        self._latest = msgspec.structs.replace(command, taken=expected.taken, at=self.world.now)
        before = command.leg.state
        rows = tuple(self.world.carry_out(command.leg, command.operation.id)) if expected.taken else ()
        reckoning = self._reckoning(command.operation.id, command.leg, rows)
        if before == "bridged" and command.leg.state != "bridged":
            reckoning.leave_alone(self.world.part(command.leg))
        if command.operation.id == BRIDGE and expected.taken and command.other is not None:
            reckoning.bridge(command.leg, command.other)
        return await self._settled(reckoning)

    async def _repeat(self) -> Difference | None:
        latest = self._latest
        if latest is None:
            return None
        is_known = latest.taken and latest.is_idempotent and self.world.now - latest.at < REPEATED_SECONDS
        if not is_known:
            return await self._send(latest)
        exchange = await self._ask(latest)
        wrong = _answered(latest.operation.id, Expected(taken=True), exchange)
        return wrong or await self._settled(self._reckoning(latest.operation.id))

    async def _far_end(self, step: FarEnd) -> Difference | None:
        control, leg = self._session.control, self.world.legs[step.leg % len(self.world.legs)]
        if control is None:
            raise Unavailable("far ends act through the control API")
        if step.act == "hang_up":
            row = self.world.row(leg, BY_FAR_END)
            if row is not None and await control.hang_up(self._key, leg.id):
                leg.state = row.next
                reckoning = self._reckoning("", leg, [row])
                reckoning.leave_alone(self.world.part(leg))
                return await self._settled(reckoning)
        elif step.act == "press":
            await control.press(self._key, leg.id, DIGITS)
        else:
            await control.say(self._key, leg.id, WORDS)
        return await self._settled(Reckoning(self.world, "", happenings=BY_COMPANY | {BY_KEYS}))

    async def _wait(self, seconds: float) -> Difference | None:
        await self._calls.advance(seconds)
        self.world.now += seconds
        by_itself = self.world.happenings - {BY_FAR_END, BY_KEYS}
        wrong = await self._settled(Reckoning(self.world, "", happenings=by_itself))
        for leg in self.world.legs:
            if wrong is None and leg.state == "dialling" and self.world.now - leg.since > RING_SECONDS:
                expected = f"leg {letter(leg.place)} is answered or given up within {RING_SECONDS:g} s"
                wrong = Difference(operation=DIAL, kind=EVENTS, expected=expected, actual="it still rings")
        return wrong

    def _reckoning(self, operation: str, leg: LegModel | None = None, due: Iterable[Row] = ()) -> Reckoning:
        reckoning = Reckoning(self.world, operation, leg)
        if leg is not None:
            for row in due:
                reckoning.await_events(leg, row)
        return reckoning

    async def _ask(self, command: Latest) -> Exchange:
        exchange, numbers = await self._session.send(
            command.operation, command.request, probe="model", record=self._record
        )
        self._note(numbers)
        return exchange

    def _note(self, numbers: Iterable[int]) -> None:
        self.exchanges += [number for number in numbers if number not in self.exchanges]

    async def _settled(self, reckoning: Reckoning) -> Difference | None:
        """Let what follows come, and account for it."""
        if self._session.control is not None:
            await self._session.control.settle(self._key)
        return reckoning.difference(self._new_events())

    def _new_events(self) -> list[Event]:
        found = []
        for event in self._session.inbox.events(self._account):
            if event.id not in self._seen:
                self._seen.add(event.id)
                found.append(event)
        return sorted(found, key=lambda event: (moment(event), event.type == HANGUP, event.arrival))


def _answered(operation: str, expected: Expected, exchange: Exchange) -> Difference | None:
    """Return how an answer differs from the expected one."""
    status = exchange.response.status if exchange.response else 0
    taken = exchange.response is not None and exchange.response.is_success
    if expected.taken:
        said = "the command is taken"
        return None if taken else Difference(operation=operation, kind=ANSWER, expected=said, actual=outline(exchange))
    document = json_body(exchange)
    errors = document.get("errors") if isinstance(document, dict) else None
    code = str(errors[0].get("code", "")) if isinstance(errors, list) and errors and isinstance(errors[0], dict) else ""
    if not taken and status in range(400, 500) and code in expected.codes:
        return None
    said = f"the command is refused with code {' or '.join(expected.codes)}"
    return Difference(operation=operation, kind=ANSWER, expected=said, actual=outline(exchange))


def _fields(edition: Any, operation: Operation) -> set[str]:
    if operation.body is None:
        return set()
    return set(edition.resolve(operation.body.content[operation.body.media_type]).get("properties", {}))
