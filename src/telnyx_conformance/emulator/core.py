"""The emulator itself: from a request's bytes to a reply's, synchronously, so that any server can wrap it.

Order of the checks: address (404), credentials (401), method (405), content type (415), syntax (400), parameters and
body (422), and only then whether what is addressed exists (404, for calls 422), because a request that is wrong in
itself is wrong whatever it addresses.
"""

from __future__ import annotations

import sys
import traceback
from collections import OrderedDict, deque
from collections.abc import Callable, Mapping, Sequence
from time import time
from typing import TYPE_CHECKING, Any

import msgspec

from telnyx_conformance.contract.lifecycles import Lifecycles, lifecycles_of
from telnyx_conformance.emulator import refusals, storage
from telnyx_conformance.emulator.account import Account, Answer, Ask, Handler, Mode, Refusal
from telnyx_conformance.emulator.clock import Clock, ClockMode
from telnyx_conformance.emulator.courier import Courier
from telnyx_conformance.emulator.credentials import PUBLIC, Credentials, Unauthenticated
from telnyx_conformance.emulator.fault import Arrival, Fault
from telnyx_conformance.emulator.ids import Ids
from telnyx_conformance.emulator.lines import Gateway, Lines
from telnyx_conformance.emulator.products.calls import Calls
from telnyx_conformance.emulator.products.deliveries import DeliveryLog
from telnyx_conformance.emulator.products.messages import Messages
from telnyx_conformance.emulator.registry import AccountRegistry
from telnyx_conformance.emulator.reply import Reply, json_reply
from telnyx_conformance.emulator.resources import Resources
from telnyx_conformance.emulator.routing import Match, Router
from telnyx_conformance.emulator.store import Store
from telnyx_conformance.emulator.validation import Rules, Unreadable

if TYPE_CHECKING:
    from telnyx_conformance.contract.model import Edition, Operation

Headers = Sequence[tuple[bytes, bytes]]
MOST_BODY_BYTES = 10 * 1024 * 1024
REQUESTS_REMEMBERED = 200
NO_CONTENT = 204
NOTHING_SAID = b'{"data": {}}'
EDITION_START = 1_750_075_200.0  # 2025-06-16T12:00:00Z


class World:
    """One account with the products that act in it and its latest requests."""

    __slots__ = ("account", "calls", "handlers", "messages", "requests")

    def __init__(self, account: Account, calls: Calls, messages: Messages) -> None:
        self.account = account
        self.calls = calls
        self.messages = messages
        self.handlers: dict[str, Handler] = {
            id_: handler for product in account.products for id_, handler in product.handlers.items()
        }
        self.requests: deque[tuple[str, str, int, float]] = deque(maxlen=REQUESTS_REMEMBERED)


class Emulator:
    """All accounts of one emulated API.

    `faults` counts what went wrong inside: it stays 0 unless the emulator has a defect. `fault` is one that was planted.
    """

    def __init__(
        self,
        edition: Edition,
        *,
        api_keys: Sequence[str] = (),
        mode: Mode = "stateful",
        clock: ClockMode = "auto",
        start_time: float = EDITION_START,
        wall: Callable[[], float] = time,
        seed: int = 1,
        max_accounts: int = 1000,
        courier: Courier | None = None,
        lifecycles: Lifecycles | None = None,
        fault: Fault | None = None,
    ) -> None:
        self.edition = edition
        self.courier = courier or Courier(wall=wall)
        self.gateway = Gateway(allow_remote=self.courier.allow_remote)
        self.faults = 0
        self.fault = fault
        self.broken: Exception | None = None  # what went wrong inside last
        self.on_world: Callable[[World], None] | None = None
        self._credentials = Credentials(api_keys)
        self._mode: Mode = mode
        self._clock_mode: ClockMode = clock
        self._start, self._wall, self._seed = start_time, wall, seed
        self._max_accounts = max_accounts
        self._worlds: OrderedDict[str, World] = OrderedDict()
        self._router = Router(edition.operations)
        self._rules: dict[str, Rules] = {}
        self._resources = Resources(edition, lifecycles or lifecycles_of(edition))

    def handle(self, method: str, target: bytes | str, headers: Headers, body: bytes) -> Reply:
        """Answer one request. Header names are lower case; `target` is the raw path with its query."""
        try:
            reply = self._handle(method, target, headers, body)
        except Exception as broken:  # noqa: BLE001 - whatever it is, the emulated API answers 500 and lives on
            self.faults += 1
            self.broken = broken
            if self.fault is None:  # one that was planted may have let through what nobody can work with
                traceback.print_exc()
                asked = f"{method} {target!r:.300} with a body of {len(body)} bytes"
                print(f"while answering {asked}", file=sys.stderr)  # noqa: T201 - a log line of last resort
            reply = json_reply(*refusals.of_situation("internal"))
        if self.fault is not None:
            reply = self.fault.leaves(reply)
        return msgspec.structs.replace(reply, body=b"") if method == "HEAD" else reply

    def _handle(self, method: str, target: bytes | str, headers: Headers, body: bytes) -> Reply:
        text = target.decode("latin-1") if isinstance(target, bytes) else target
        path = text.partition("?")[0]
        match = self._router.match(method, path)
        if match is None:
            return json_reply(*refusals.of_situation("unknown_route"))
        named = dict(headers)
        operation = match.route.operation if match.route else None
        if self.fault is not None:
            return self._misbehave(self.fault, Arrival(method=method, target=text, headers=named, body=body), match)
        try:
            world = self.world(named.get(b"authorization"), secured=operation is None or operation.secured)
        except Unauthenticated as refused:
            return json_reply(*refusals.of_situation(refused.situation, refused.detail))
        return self._routed(world, match, method, text, named, body)

    def _misbehave(self, fault: Fault, arrival: Arrival, match: Match) -> Reply:
        operation = match.route.operation if match.route else None
        fault.arrives(arrival)
        instead = fault.routed(arrival.target.partition("?")[0], operation, arrival)
        if instead is not None:
            return instead
        try:
            world = self.world(arrival.headers.get(b"authorization"), secured=operation is None or operation.secured)
        except Unauthenticated as refused:
            if operation is None or not fault.overlooks(operation, refused):
                reply = json_reply(*refusals.of_situation(refused.situation, refused.detail))
                return reply if operation is None else fault.answered(operation, reply)
            world = self.world(None, secured=False)
        reply = self._routed(world, match, arrival.method, arrival.target, arrival.headers, arrival.body)
        return reply if operation is None else fault.answered(operation, reply)

    def _routed(  # noqa: PLR0917 - a request has that many parts
        self, world: World, match: Match, method: str, target: str, named: Mapping[bytes, bytes], body: bytes
    ) -> Reply:
        operation = match.route.operation if match.route else None
        if operation is None:
            reply = json_reply(*refusals.of_situation("method_not_allowed"))
            reply.headers.append((b"allow", ", ".join(match.allow).encode()))
        elif len(body) > MOST_BODY_BYTES:
            reply = too_large()
        else:
            reply = self._operate(world, operation, match.path, target.partition("?")[2], named, body)
        world.requests.append((method, target[:300], reply.status, world.account.clock.now))
        return reply

    def _operate(  # noqa: PLR0917 - a request has that many parts
        self,
        world: World,
        operation: Operation,
        path: dict[str, str],
        query: str,
        named: Mapping[bytes, bytes],
        body: bytes,
    ) -> Reply:
        rules = self._rules.get(operation.id)
        if rules is None:
            rules = self._rules[operation.id] = Rules(self.edition, operation)
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in named.items()}
        try:
            values, document, problems = rules.examined(path, query, headers, body)
            ask = Ask(operation=operation, path=path, query=values, headers=headers, body=document)
            if self.fault is not None:
                problems, ask = self.fault.problems(ask, problems), self.fault.asked(ask)
            if problems:
                return json_reply(*refusals.of_problems(problems, operation))
            answer = self._answer(world, ask)
        except Unreadable as unreadable:
            if self.fault is not None and self.fault.overlooks(operation, unreadable):
                return json_reply(200, NOTHING_SAID)
            return json_reply(*refusals.of_situation(unreadable.situation, unreadable.detail, operation=operation))
        except Refusal as refusal:
            if self.fault is not None and self.fault.overlooks(operation, refusal):
                return json_reply(200, NOTHING_SAID)
            return json_reply(*refusals.of_refusal(refusal))
        finally:
            world.account.clock.settle()
        return _reply(answer)

    def _answer(self, world: World, ask: Ask) -> Answer:
        handler = world.handlers.get(ask.operation.id)
        if handler is not None:
            return handler(ask)
        if ask.operation.server == "storage":
            return storage.handle(world.account, ask)
        return self._resources.answer(world.account, ask)

    def world(self, authorization: bytes | None, *, secured: bool = True) -> World:
        """Return the world of the account that a header's key opens. Raises `Unauthenticated`.

        An operation that takes no key happens in the account of the key it was sent with after all, else in a common
        one.
        """
        try:
            key = self._credentials.key_of(authorization)
        except Unauthenticated:
            if secured:
                raise
            key = PUBLIC
        world = self._worlds.get(key)
        if world is None:
            world = self._new_world(key)
        else:
            self._worlds.move_to_end(key)
        return world

    def reset(self, key: str) -> World:
        """Forget everything about an account and return its new, empty world."""
        self._forget(key)
        return self._new_world(key)

    @property
    def worlds(self) -> tuple[World, ...]:
        """Return the worlds there are, the least recently used first."""
        return tuple(self._worlds.values())

    def _new_world(self, key: str) -> World:
        while len(self._worlds) >= self._max_accounts:
            self._forget(next(iter(self._worlds)))
        clock = Clock(start=self._start, mode=self._clock_mode, wall=self._wall)
        outbox = self.courier.outbox(clock, secret=key)
        account = Account(
            key=key,
            mode=self._mode,
            clock=clock,
            ids=Ids(f"{self._seed}:{key}"),
            outbox=outbox,
            store=Store(),
            lines=Lines(self.gateway, outbox),
        )
        if self.fault is not None:
            self.fault.moves_in(account)
        calls = Calls(
            account,
            edition=self.edition,
            find_application=lambda id_: self._found(account, "call_control_applications", id_),
            find_connection=lambda id_: self._found(account, "connections", id_),
            has_media=lambda name: self._found(account, "media", name) is not None,
            registry=AccountRegistry(account, self._resources),
        )
        messages = Messages(account, self._resources)
        account.products += [calls, messages]
        if self._mode == "stateful":
            account.products.append(DeliveryLog(account, self._resources))
        world = self._worlds[key] = World(account, calls, messages)
        if self.on_world is not None:
            self.on_world(world)
        if self.fault is not None:
            self.fault.furnishes(account, self.handle)
        return world

    def _forget(self, key: str) -> None:
        world = self._worlds.pop(key, None)
        if world is not None:
            world.account.clock.clear()
            world.account.lines.close()

    def _found(self, account: Account, resource: str, key: str) -> Mapping[str, Any] | None:
        return {"id": key} if account.mode == "stub" else self._resources.find(account, resource, key)


def too_large() -> Reply:
    """Return the refusal of a body beyond the limit."""
    detail = f"The body exceeds {MOST_BODY_BYTES} bytes."
    return json_reply(413, refusals.encode([refusals.error("10015", detail)]))


def _reply(answer: Answer) -> Reply:
    if answer.raw is not None:
        body = answer.raw
        return Reply(
            answer.status,
            [(b"content-type", answer.media_type.encode()), (b"content-length", b"%d" % len(body))],
            body,
        )
    if answer.document is None and answer.media_type == "application/json":
        headers = [] if answer.status == NO_CONTENT else [(b"content-length", b"0")]
        return Reply(answer.status, headers, b"")
    return json_reply(answer.status, msgspec.json.encode(answer.document))
