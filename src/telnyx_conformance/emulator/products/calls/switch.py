"""The switch carries out what the table of states says: sets timers, joins and parts legs, sends events."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from telnyx_conformance.emulator.account import Refusal
from telnyx_conformance.emulator.products.calls.destinations import destinations
from telnyx_conformance.emulator.products.calls.detection import MACHINES, findings
from telnyx_conformance.emulator.products.calls.events import NOTHING, envelope, event_document
from telnyx_conformance.emulator.products.calls.legs import Leg, Legs
from telnyx_conformance.emulator.products.calls.machine import TABLE
from telnyx_conformance.emulator.products.calls.queues import QueueBook
from telnyx_conformance.emulator.registry import NoRegistry
from telnyx_conformance.emulator.tables import Tables

if TYPE_CHECKING:
    from telnyx_conformance.contract.machines import Row
    from telnyx_conformance.emulator.account import Account
    from telnyx_conformance.emulator.products.calls.destinations import Destination
    from telnyx_conformance.emulator.products.calls.legs import Route
    from telnyx_conformance.emulator.registry import Registry

# Joining two media paths takes a moment, so that `call.bridged` carries a later time than `call.answered`.
BRIDGE_SECONDS = 0.02
Begin = Callable[[Leg, Mapping[str, Any]], None]


class Switch:
    """The legs of one account and everything that happens to them.

    `on_answer` begins what was asked for with a call; `destinations` is the account's own table; `lines` carry media;
    `has_media` tells whether a file was uploaded under a name; `registry` is where what a call leaves behind is kept.
    """

    def __init__(
        self,
        account: Account,
        *,
        limit: int,
        has_media: Callable[[str], bool] = lambda _: False,
        registry: Registry | None = None,
    ) -> None:
        self.has_media = has_media
        self.clock = account.clock
        self.ids = account.ids
        self.legs = Legs(account.clock, limit=limit)
        self.queues = QueueBook()
        self.lines = account.lines
        self.tables = Tables(account.misread)
        self.registry = registry or NoRegistry()
        self.on_answer: list[Begin] = []
        self._outbox = account.outbox
        self.destinations = destinations().copied()
        self._effects: dict[str, Begin] = {
            "ring": self._ring,
            "win": self._win,
            "limit": self._limit,
            "detect": self._detect,
            "begin": self.begin,
            "connect": self._connect,
            "dial_target": self._dial_target,
            "tell_detection": self._tell_detection,
            "unbridge": self._unbridge,
            "part": self._part,
        }

    def outgoing(
        self, *, session_id: str, connection_id: str, from_: str, to: str, route: Route, body: Mapping[str, Any]
    ) -> Leg:
        """Return a new leg towards `to`, admitted before and not yet begun; `body` is that of the command for it."""
        ids = self.ids
        leg = Leg(
            ids.call_control_id(), ids.uuid(), session_id, connection_id, "outgoing", from_, to, route,
            self.clock.micros, body,
        )  # fmt: skip
        self.legs.add(leg)
        return leg

    def incoming(self, *, connection_id: str, from_: str, to: str, route: Route) -> Leg:
        """Return a new inbound leg, parked."""
        ids = self.ids
        self.legs.make_room(1)
        leg = Leg(
            ids.call_control_id(), ids.uuid(), ids.uuid(), connection_id, "incoming", from_, to, route,
            self.clock.micros, NOTHING,
        )  # fmt: skip
        self.legs.add(leg)
        self.happen(leg, "invited")
        return leg

    def expect_command(self, leg: Leg, seconds: float) -> None:
        """Hang up an inbound leg to which no command comes within `seconds`."""
        leg.commanded_by = self.clock.at(seconds, partial(self.happen, leg, "no_command"), guard=True)
        leg.timers.append(leg.commanded_by)

    def happen(self, leg: Leg, happening: str, fields: Mapping[str, Any] = NOTHING) -> bool:
        """Let `happening` take its course; return false in a state that has no row for it. `fields` go into the events."""
        row = TABLE.get((leg.state, happening))
        if row is None:
            return False
        self.carry_out(leg, row, fields, fields=fields)
        return True

    def carry_out(
        self, leg: Leg, row: Row, body: Mapping[str, Any], *, cause: str = "", fields: Mapping[str, Any] = NOTHING
    ) -> None:
        """Do what `row` says: enter the state, send the events, cause the effects; what goes on on the leg is told."""
        entered = row.next if row.next != leg.state else ""
        if entered:
            self._enter(leg, row, cause)
            self.tell(leg, "leg_ends" if entered == "ended" else f"leg_{entered}")
        for event_type in row.events:
            self.send(leg, event_type, fields)
        for effect in row.effects:
            self._effects[effect](leg, body)
        if entered == "ended":
            self.tell(leg, "leg_ended")

    def tell(self, leg: Leg, trigger: str, **facts: Any) -> None:
        """Let everything that goes on on a leg hear of `trigger`."""
        if leg.activities:
            for activity in tuple(leg.activities):
                activity.happen(trigger, **facts)

    def press(self, leg: Leg, digits: str) -> None:
        """Let the far end press keys."""
        for digit in digits:
            if self.happen(leg, "digit", {"digit": digit}):
                self.tell(leg, "digit", digit=digit)

    def far_end(self, leg: Leg) -> Destination:
        """Return how the other side of a leg behaves: whom it was dialled to, or who called."""
        return self.destination(leg.to if leg.direction == "outgoing" else leg.from_)

    def destination(self, address: str) -> Destination:
        """Return how a number or SIP URI behaves; what is neither behaves as the default."""
        return self.destinations.find(address) or self.destinations.default

    def say(self, leg: Leg, text: str) -> None:
        """Let the far end speak."""
        self.tell(leg, "speech", text=text)

    def send(self, leg: Leg, event_type: str, fields: Mapping[str, Any] = NOTHING) -> None:
        """Send an event of a leg, with `fields` beside the leg's own."""
        if leg.route.url:
            now, event_id = self.clock.micros, self.ids.uuid()
            self._post(leg.route, event_document(leg, event_type, event_id=event_id, now=now, fields=fields))

    def send_of(self, route: Route, event_type: str, payload: Mapping[str, Any]) -> None:
        """Send an event that is of no leg."""
        if route.url:
            self._post(route, envelope(event_type, payload, event_id=self.ids.uuid(), now=self.clock.micros))

    def admit(self, targets: Mapping[str, str]) -> None:
        """Make ready to dial; `targets` maps the place in the body to a destination. A refusal leaves no trace."""
        for pointer, to in targets.items():
            if self.destinations.find(to) is None:
                raise Refusal(422, "10016", pointer=pointer)
        self.legs.make_room(len(targets))

    def _post(self, route: Route, document: Mapping[str, Any]) -> None:
        self._outbox.post(
            route.url, document, method=route.method, failover_url=route.failover_url, timeout=route.timeout,
            version=route.version,
        )  # fmt: skip

    def _enter(self, leg: Leg, row: Row, cause: str) -> None:
        leg.state = row.next
        if row.next in ("answered", "bridged"):
            leg.answered_at = leg.answered_at or self.clock.micros
        elif row.next == "ended":
            leg.ended_at = self.clock.micros
            leg.cause, leg.side = row.sets.get("cause", cause), row.sets["side"]
            self.legs.end(leg)

    def _later(
        self, leg: Leg, seconds: float, happening: str, fields: Mapping[str, Any] = NOTHING, *, guard: bool = False
    ) -> None:
        leg.timers.append(self.clock.at(seconds, partial(self.happen, leg, happening, fields), guard=guard))

    def _ring(self, leg: Leg, _: Mapping[str, Any]) -> None:
        destination = self.destinations.find(leg.to)
        if destination is None or destination.outcome == "rings_out" or destination.after >= leg.ring_seconds:
            self._later(leg, leg.ring_seconds, "ring_timeout")
        else:
            self._later(leg, destination.after, destination.outcome)

    def _win(self, leg: Leg, _: Mapping[str, Any]) -> None:
        """Call off the other legs that the same dial rang."""
        rivals, leg.rivals = leg.rivals, []
        for rival in rivals:
            rival.rivals = []
            self.happen(rival, "withdrawn")

    def _limit(self, leg: Leg, _: Mapping[str, Any]) -> None:
        self._later(leg, leg.time_limit, "time_limit", guard=True)

    def _detect(self, leg: Leg, _: Mapping[str, Any]) -> None:
        if leg.detection != "disabled" and (destination := self.destinations.find(leg.to)) is not None:
            for finding in findings(leg.detection, leg.detection_config, destination.hears):
                self._later(leg, finding.after, finding.happening, {"result": finding.result})

    def begin(self, leg: Leg, body: Mapping[str, Any]) -> None:
        """Begin what was asked for with a command: to answer, to bridge, or to dial a leg that is now answered."""
        for begin in self.on_answer:
            begin(leg, body or leg.body)

    def _tell_detection(self, leg: Leg, fields: Mapping[str, Any]) -> None:
        self.tell(leg, "detected", result=fields["result"])
        if fields["result"] in MACHINES:
            self.tell(leg, "machine_detected")

    def _connect(self, leg: Leg, _: Mapping[str, Any]) -> None:
        """Join an answered target with the leg it was dialled for, a moment later."""
        if leg.origin is not None:
            leg.timers.append(self.clock.at(BRIDGE_SECONDS, partial(self._join, leg)))

    def _join(self, leg: Leg) -> None:
        origin, leg.origin = leg.origin, None
        if origin is None:
            return
        origin.target = None
        self.bridge(leg, origin)

    def bridge(self, first: Leg, second: Leg) -> None:
        """Join two legs; their former peers are left alone, which ends those that do not park then."""
        former = [leg.peer for leg in (first, second) if leg.peer is not None and leg.peer not in (first, second)]
        first.peer, second.peer = second, first
        self.happen(first, "bridge")
        self.happen(second, "bridge")
        for leg in former:
            leg.peer = None
            self._leave_alone(leg)

    def _leave_alone(self, leg: Leg) -> None:
        self.happen(leg, "unbridged" if leg.parks else "peer_ends")

    def _unbridge(self, leg: Leg, _: Mapping[str, Any]) -> None:
        """Part from the peer, if there is one, and live on."""
        peer, leg.peer = leg.peer, None
        if peer is not None:
            peer.peer = None
            self._leave_alone(peer)

    def _dial_target(self, leg: Leg, body: Mapping[str, Any]) -> None:
        """Begin a transfer: dial a second leg of the session; one still being dialled for `leg` is called off."""
        target = self.outgoing(
            session_id=leg.session_id,
            connection_id=leg.connection_id,
            from_=body.get("from") or leg.to,
            to=body["to"],
            route=leg.route,
            body=body,
        )
        target.client_state = body.get("target_leg_client_state")
        self._call_off_target(leg)
        leg.target, target.origin = target, leg
        self.happen(target, "transferred")

    def _call_off_target(self, leg: Leg) -> None:
        target, leg.target = leg.target, None
        if target is not None:
            target.origin = None
            self.happen(target, "withdrawn")

    def _part(self, leg: Leg, _: Mapping[str, Any]) -> None:
        """Take leave: no timer acts any more, a peer hangs up too, a leg still being dialled is called off."""
        for timer in leg.timers:
            timer.cancel()
        leg.timers = []
        for rival in leg.rivals:
            rival.rivals = [other for other in rival.rivals if other is not leg]
        leg.rivals = []
        origin, leg.origin = leg.origin, None
        if origin is not None:
            origin.target = None
        self._call_off_target(leg)
        self._unbridge(leg, NOTHING)
