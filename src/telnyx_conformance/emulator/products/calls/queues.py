"""Queues: legs wait in the order in which they came, until somebody takes them, they leave, give up or time runs out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from telnyx_conformance.emulator.account import Answer, Ask, Refusal
from telnyx_conformance.emulator.clock import MICROS
from telnyx_conformance.emulator.listing import page_of
from telnyx_conformance.emulator.products.calls.activity import Activity, Command, Feature
from telnyx_conformance.emulator.products.calls.legs import stamp

if TYPE_CHECKING:
    from telnyx_conformance.emulator.products.calls.activity import Body
    from telnyx_conformance.emulator.products.calls.legs import Leg
    from telnyx_conformance.emulator.products.calls.switch import Switch

DEFAULT_MAX_SIZE = 100
MOST_QUEUES = 1000


class Queue:
    """One queue. It lives on when it is empty, so that its size and its average wait can be read."""

    def __init__(self, name: str, id_: str, max_size: int, now: int) -> None:
        self.name, self.id, self.max_size = name, id_, max_size
        self.created_at = self.updated_at = now
        self.members: list[Membership] = []
        self._waits = self._left = 0

    def enter(self, member: Membership) -> None:
        """Append a member."""
        self.members.append(member)

    def vacate(self, member: Membership) -> None:
        """Let a member go, and count how long it waited."""
        self.members.remove(member)
        self._waits += member.waited
        self._left += 1

    @property
    def average_wait(self) -> int:
        """The seconds that those who left had waited, on average; 0 before the first has left."""
        return self._waits // self._left if self._left else 0

    def document(self) -> dict[str, Any]:
        """Return the queue as `GET /queues/{queue_name}` shows it."""
        return {
            "record_type": "queue",
            "id": self.id,
            "name": self.name,
            "current_size": len(self.members),
            "max_size": self.max_size,
            "average_wait_time_secs": self.average_wait,
            "created_at": stamp(self.created_at),
            "updated_at": stamp(self.updated_at),
        }


class QueueBook:
    """The queues of one account by their names; beyond a bound the oldest empty one is forgotten."""

    def __init__(self) -> None:
        self._queues: dict[str, Queue] = {}

    def get(self, name: str) -> Queue | None:
        """Return the queue of that name."""
        return self._queues.get(name)

    def add(self, queue: Queue) -> None:
        """Keep a new queue."""
        if len(self._queues) >= MOST_QUEUES:
            empty = next((name for name, other in self._queues.items() if not other.members), None)
            if empty is not None:
                del self._queues[empty]
        self._queues[queue.name] = queue

    def first(self, name: str) -> Membership | None:
        """Return the member that has waited longest, `None` where nobody waits."""
        queue = self._queues.get(name)
        return queue.members[0] if queue is not None and queue.members else None


class Membership(Activity):
    """The wait of a leg in a queue."""

    name = "queue_membership"

    def __init__(self, switch: Switch, leg: Leg, queue: Queue, *, patience: float | None) -> None:
        super().__init__(switch, leg)
        self.queue = queue
        self.reason = ""
        self.entered_at = switch.clock.micros
        self._patience = patience

    @property
    def waited(self) -> int:
        """The whole seconds since it entered."""
        return (self.switch.clock.micros - self.entered_at) // MICROS

    @property
    def position(self) -> int:
        """Its place in the queue, from 1."""
        return self.queue.members.index(self) + 1

    def payload(self, event_type: str) -> dict[str, Any]:
        """Return what is said about the queue: where it stands, or why and after how long it left."""
        if event_type == "call.enqueued":
            return {
                "queue": self.queue.name,
                "current_position": self.position,
                "queue_avg_wait_time_secs": self.queue.average_wait,
            }
        return {
            "queue": self.queue.name,
            "queue_position": self.position,
            "reason": self.reason,
            "wait_time_secs": self.waited,
        }

    def document(self) -> dict[str, Any]:
        """Return the call as `GET /queues/{queue_name}/calls` shows it."""
        leg = self.leg
        return {
            "record_type": "queue_call",
            "call_control_id": leg.call_control_id,
            "call_leg_id": leg.leg_id,
            "call_session_id": leg.session_id,
            "connection_id": leg.connection_id,
            "from": leg.from_,
            "to": leg.to,
            "enqueued_at": stamp(self.entered_at),
            "wait_time_secs": self.waited,
            "queue_position": self.position,
            "queue_id": self.queue.id,
        }

    def do_limit_wait(self) -> None:
        """Wait no longer than was asked for. It is the application that should act before."""
        if self._patience is not None:
            self.later(self._patience, "wait_ends", guard=True)

    def do_vacate(self) -> None:
        """Make room."""
        self.queue.vacate(self)
        self.queue.updated_at = self.switch.clock.micros

    def do_park(self) -> None:
        """Leave the leg answered and alone."""
        self.switch.happen(self.leg, "dequeued")


class Queues(Feature):
    """The queues of one account."""

    def __init__(self, switch: Switch) -> None:
        super().__init__(switch)
        self._book = switch.queues
        self.commands = {
            "EnqueueCall": Command(self._enqueue, self._may_enqueue),
            "LeaveQueue": Command(self._leave),
        }
        self.handlers = {
            "RetrieveCallQueue": self._read,
            "ListQueueCalls": self._list,
            "RetrieveCallFromQueue": self._read_call,
        }

    def _may_enqueue(self, _: Leg, body: Body) -> None:
        queue = self._book.get(body["queue_name"])
        if queue is None:
            return
        if "max_size" in body and body["max_size"] != queue.max_size:
            raise Refusal(422, "90037", bare=True)
        if len(queue.members) >= queue.max_size:
            raise Refusal(422, "90036", bare=True)

    def _enqueue(self, leg: Leg, body: Body) -> None:
        now = self.switch.clock.micros
        queue = self._book.get(body["queue_name"])
        if queue is None:
            size = body.get("max_size", DEFAULT_MAX_SIZE)
            queue = Queue(body["queue_name"], self.switch.ids.uuid(), size, now)
            self._book.add(queue)
        member = Membership(self.switch, leg, queue, patience=body.get("max_wait_time_secs"))
        queue.enter(member)
        queue.updated_at = now
        member.happen("entered")

    def _leave(self, leg: Leg, _: Body) -> None:
        self.switch.tell(leg, "LeaveQueue")

    def _queue(self, ask: Ask) -> Queue:
        queue = self._book.get(ask.path["queue_name"])
        if queue is None:
            raise Refusal(404, "10005", parameter="queue_name")
        return queue

    def _read(self, ask: Ask) -> Answer:
        return Answer(document={"data": self._queue(ask).document()})

    def _list(self, ask: Ask) -> Answer:
        page = page_of([member.document() for member in self._queue(ask).members], ask.query)
        meta = page.frame(ask.operation.path)["meta"]
        shown = ("page_number", "page_size", "total_pages", "total_results")
        return Answer(document={"data": page.records, "meta": {key: meta[key] for key in shown}})

    def _read_call(self, ask: Ask) -> Answer:
        wanted = ask.path["call_control_id"]
        member = next((one for one in self._queue(ask).members if one.leg.call_control_id == wanted), None)
        if member is None:
            raise Refusal(404, "10005", parameter="call_control_id")
        return Answer(document={"data": member.document()})
