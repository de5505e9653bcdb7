"""What must exist before a probe can be judged: a value for every path parameter, made or found as the lifecycles say."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from telnyx_conformance.checks.finding import NOT_JSON, json_body, outline
from telnyx_conformance.contract.exchange import Exchange
from telnyx_conformance.contract.lifecycles import Lifecycles, Producer, path_parameters
from telnyx_conformance.contract.model import Operation
from telnyx_conformance.run.calls import CallSetup, Unavailable
from telnyx_conformance.run.conferences import ConferenceSetup
from telnyx_conformance.run.states import CALL, STATES

if TYPE_CHECKING:
    from telnyx_conformance.run.session import Session

QUEUE = "queue_name"
CONFERENCES = "/conferences/{"
ACTIVE_CALLS = "/connections/{connection_id}/active_calls"
WAITING = 3  # a list of one tells little about pages
Minimal = Callable[[Operation, dict[str, str]], Awaitable[tuple[Exchange, tuple[int, ...]]]]


class Prerequisites:
    """Path values of one account. `minimal` sends an operation's minimal valid request; shared values are made once."""

    def __init__(self, session: Session, lifecycles: Lifecycles, *, account: str, minimal: Minimal) -> None:
        self._session, self._lifecycles, self._account, self._minimal = session, lifecycles, account, minimal
        self._shared: dict[tuple[str, str], asyncio.Future[str]] = {}
        self._calls: CallSetup | None = None
        self._conferences: ConferenceSetup | None = None
        self._behind: dict[str, tuple[int, ...]] = {}
        self._waiting: dict[str, str] = {}

    def behind(self, values: Iterable[Any]) -> tuple[int, ...]:
        """Return the exchanges that made or found `values`, in the order they happened."""
        known = self._calls.behind if self._calls else {}
        found = {n for value in values for n in (*self._behind.get(str(value), ()), *known.get(str(value), ()))}
        return tuple(sorted(found))

    def close(self) -> None:
        """Stop listening for the events of calls that were made here."""
        if self._calls is not None:
            self._session.inbox.forget(self._calls.token)
            self._session.inbox.streams.forget(self._calls.token)

    async def path_values(self, operation: Operation, *, fresh: bool = False) -> dict[str, str]:
        """Return a value for every path parameter. `fresh` makes the last one anew: the request may use it up.

        Raises `Unavailable` with the reason when a value cannot be had.
        """
        values: dict[str, str] = {}
        for name in path_parameters(operation):
            last = name == path_parameters(operation)[-1]
            values[name] = await self._value(operation, name, values, fresh=fresh and last)
        return values

    async def _value(self, operation: Operation, name: str, outer: dict[str, str], *, fresh: bool) -> str:
        given = self._session.settings.profile.resources.get(name)
        if given:
            return given
        if value := await self._of_calls(operation, name, outer, fresh=fresh):
            return value
        producer = self._lifecycles.producer(operation.id, name)
        if producer.kind == "value":
            return producer.value
        if fresh:
            return await self._produce(producer, outer, last=True)
        return await self._once((producer.operation, repr(sorted(outer.items()))), self._produce(producer, outer))

    async def _of_calls(self, operation: Operation, name: str, outer: dict[str, str], *, fresh: bool) -> str:
        """Return a conference, a connection or queue with calls, one of its calls, or one in the state a command needs.

        Empty for what has nothing to do with calls.
        """
        if operation.path.startswith(CONFERENCES):
            work = self.conference(crowded=operation.method == "GET")
            return await (work if fresh else self._once((CONFERENCES, ""), work))
        if operation.path == ACTIVE_CALLS:
            return await self._once((ACTIVE_CALLS, ""), self.busy_connection())
        if name == QUEUE:
            return await self._once((QUEUE, ""), self.queue())
        if name == CALL and QUEUE in outer:
            return self._waiting[outer[QUEUE]]
        if name == CALL and operation.path.startswith("/calls/{call_control_id}"):
            action = operation.path.rsplit("/", 1)[-1]
            return await self.call(STATES.get(action, "answered"), fresh=fresh)
        return ""

    async def _once(self, key: tuple[str, str], work: Coroutine[Any, Any, str]) -> str:
        """Return what `work` gives, doing it once per key however many ask at the same time."""
        if key in self._shared:
            work.close()
        else:
            self._shared[key] = asyncio.ensure_future(work)
        return await asyncio.shield(self._shared[key])

    async def _produce(self, producer: Producer, outer: dict[str, str], *, last: bool = False) -> str:
        operation = self._session.edition.operation(producer.operation)
        path = {name: outer[name] for name in path_parameters(operation) if name in outer}
        missing = [name for name in path_parameters(operation) if name not in path]
        for name in missing:
            path[name] = await self._value(operation, name, path, fresh=last)
        exchange, numbers = await self._minimal(operation, path)
        value = found_at(exchange, producer.place, last=last) if producer.place else path[missing[-1]]
        if value is None or exchange.response is None or not exchange.response.is_success:
            raise Unavailable(f"{producer.operation} gives no {producer.place}: {outline(exchange)}")
        if producer.kind == "create":
            self._session.gate.created.add(str(value))
        self._behind[str(value)] = (*self.behind(path.values()), *numbers)
        return str(value)

    async def call(self, state: str = "answered", *, fresh: bool = False) -> str:
        """Return the id of a call: `parked`, `answered`, or answered and `queued`, `playing` for good, `streamed`, `forked`."""
        if not fresh:
            return await self._once((CALL, state), self._new_call(state))
        return await self._new_call(state)

    async def other_call(self) -> str:
        """Return the id of an answered call that no path addresses: for bodies that name a second one."""
        return await self._once((CALL, "other"), self._new_call("answered"))

    async def queue(self) -> str:
        """Return the name of a new queue in which a few calls wait."""
        name = self._session.fresh("conformance-")
        calls = self._setup()
        numbers: list[int] = []
        for _ in range(WAITING):
            ids, _ = await calls.leg("answered", "dialled", {}, self._came)
            await calls.enqueue(ids, name)
            self._waiting[name] = ids.call_control_id
            numbers += calls.behind.get(ids.call_control_id, ())
        self._behind[name] = tuple(dict.fromkeys(numbers))
        return name

    async def busy_connection(self) -> str:
        """Return the id of the application that calls go through, once a few do where calls can be made."""
        connection = await self.connection()
        with suppress(Unavailable):  # then the list is empty, and may be read all the same
            ids = [await self._new_call("answered") for _ in range(WAITING)]
            self._behind[connection] = self.behind((connection, *ids))
        return connection

    async def conference(self, *, crowded: bool = False) -> str:
        """Return the id of a new conference with one call in it, or with several."""
        if self._conferences is None:
            self._conferences = ConferenceSetup(self._session, self._setup(), lambda: self._new_call("answered"))
        id_ = await self._conferences.make(crowded=crowded)
        self._behind[id_] = self._conferences.behind[id_]
        return id_

    def member(self, conference: str) -> str:
        """Return a call that is in a conference that was made here, empty for any other conference."""
        return self._conferences.members.get(conference, "") if self._conferences is not None else ""

    async def connection(self) -> str:
        """Return the id of an application that calls can go through."""
        return await self._setup().connection()

    def _setup(self) -> CallSetup:
        if self._calls is None:
            self._calls = CallSetup(self._session, account=self._account, token=self._session.fresh("c"))
        return self._calls

    async def _new_call(self, state: str) -> str:
        calls = self._setup()
        if state == "parked":
            ids, _ = await calls.leg("parked", "inbound", {}, self._came)
        else:
            ids, _ = await calls.leg("answered", "dialled", {}, self._came)
        if state == "queued":
            await calls.enqueue(ids)
        elif state == "playing":
            await calls.play(ids)
        elif state == "streamed":
            await calls.stream(ids)
        elif state == "forked":
            await calls.fork(ids)
        return ids.call_control_id

    async def _came(self, event: str, call_control_id: str) -> bool:
        """Wait for an event of a leg, but not again on a target that has let us wait in vain: its answers will show."""
        calls = self._calls
        if calls is None or not self._session.events_come:
            return True
        if self._session.control is not None:
            await self._session.control.settle(self._session.key(self._account))
        profile = self._session.settings.profile
        came = await self._session.inbox.wait(
            calls.token,
            lambda events: any(e.type == event and e.payload.get("call_control_id") == call_control_id for e in events),
            profile.event_seconds,
        )
        if not any(e.type == event and e.payload.get("call_control_id") == call_control_id for e in came):
            self._session.events_come = False
        return True


def found_at(exchange: Exchange, place: str, *, last: bool = False) -> Any:
    """Return the value at a dotted place of a JSON body, `None` when it is not there.

    `last` takes the last element of a list instead of the one named: what may be used up should not be what others share.
    """
    node = json_body(exchange)
    if node is NOT_JSON:
        return None
    for part in place.split("."):
        if isinstance(node, list):
            if not node:
                return None
            node = node[-1] if last else node[min(int(part) if part.isdigit() else 0, len(node) - 1)]
            if part.isdigit():
                continue
        if isinstance(node, dict) and part in node:
            node = node[part]
        else:
            return None
    return node
