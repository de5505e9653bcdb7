"""The switch carries out what the table of states says: sets timers, joins and parts legs, sends events."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from telnyx_conformance.emulator.account import Refusal
from telnyx_conformance.emulator.products.calls.destinations import destinations
from telnyx_conformance.emulator.products.calls.detection import findings
from telnyx_conformance.emulator.products.calls.events import event_document
from telnyx_conformance.emulator.products.calls.legs import Leg, Legs
from telnyx_conformance.emulator.products.calls.machine import TABLE

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from telnyx_conformance.emulator.account import Account
    from telnyx_conformance.emulator.products.calls.legs import Route
    from telnyx_conformance.emulator.products.calls.machine import Cause, Row

# Joining two media paths takes a moment, so that `call.bridged` carries a later time than `call.answered`.
BRIDGE_SECONDS = 0.02
NOTHING: Mapping[str, Any] = {}


class Switch:
    """The legs of one account and everything that happens to them."""

    def __init__(self, account: Account, *, limit: int) -> None:
        self._clock = account.clock
        self._outbox = account.outbox
        self._ids = account.ids
        self.legs = Legs(account.clock, limit=limit)
        self._destinations = destinations()
        self._effects: dict[str, Callable[[Leg, Mapping[str, Any]], None]] = {
            "ring": self._ring,
            "win": self._win,
            "limit": self._limit,
            "detect": self._detect,
            "connect": self._connect,
            "dial_target": self._dial_target,
            "part": self._part,
        }

    def outgoing(
        self, *, session_id: str, connection_id: str, from_: str, to: str, route: Route, body: Mapping[str, Any]
    ) -> Leg:
        """Return a new leg towards `to`, admitted before and not yet begun; `body` is that of the command for it."""
        ids = self._ids
        leg = Leg(
            ids.call_control_id(), ids.uuid(), session_id, connection_id, "outgoing", from_, to, route,
            self._clock.micros, body,
        )  # fmt: skip
        self.legs.add(leg)
        return leg

    def incoming(self, *, connection_id: str, from_: str, to: str, route: Route) -> Leg:
        """Return a new inbound leg, parked."""
        ids = self._ids
        self.legs.make_room(1)
        leg = Leg(
            ids.call_control_id(), ids.uuid(), ids.uuid(), connection_id, "incoming", from_, to, route,
            self._clock.micros, NOTHING,
        )  # fmt: skip
        self.legs.add(leg)
        self.happen(leg, "invited")
        return leg

    def happen(self, leg: Leg, happening: str, result: str = "") -> None:
        """Let `happening` take its course; it is ignored in a state that has no row for it."""
        row = TABLE.get((leg.state, happening))
        if row is not None:
            self.carry_out(leg, row, NOTHING, result=result)

    def carry_out(self, leg: Leg, row: Row, body: Mapping[str, Any], *, cause: Cause = "", result: str = "") -> None:
        """Do what `row` says: enter the state, send the events, cause the effects."""
        if row.next != leg.state:
            self._enter(leg, row, cause)
        for event_type in row.events:
            self._send(leg, event_type, result)
        for effect in row.effects:
            self._effects[effect](leg, body)

    def admit(self, targets: Mapping[str, str]) -> None:
        """Make ready to dial; `targets` maps the place in the body to a destination. A refusal leaves no trace."""
        for pointer, to in targets.items():
            if self._destinations.find(to) is None:
                raise Refusal(422, "10016", pointer=pointer)
        self.legs.make_room(len(targets))

    def _enter(self, leg: Leg, row: Row, cause: Cause) -> None:
        leg.state = row.next
        if row.next in ("answered", "bridged"):
            leg.answered_at = leg.answered_at or self._clock.micros
        elif row.next == "ended":
            leg.ended_at = self._clock.micros
            leg.cause, leg.side = row.cause or cause, row.side
            self.legs.end(leg)

    def _send(self, leg: Leg, event_type: str, result: str) -> None:
        route = leg.route
        if route.url:
            document = event_document(leg, event_type, event_id=self._ids.uuid(), now=self._clock.micros, result=result)
            self._outbox.post(
                route.url, document, method=route.method, failover_url=route.failover_url, timeout=route.timeout
            )

    def _later(self, leg: Leg, seconds: float, happening: str, result: str = "", *, guard: bool = False) -> None:
        leg.timers.append(self._clock.at(seconds, partial(self.happen, leg, happening, result), guard=guard))

    def _ring(self, leg: Leg, _: Mapping[str, Any]) -> None:
        destination = self._destinations.find(leg.to)
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
        if leg.detection != "disabled" and (destination := self._destinations.find(leg.to)) is not None:
            for finding in findings(leg.detection, leg.detection_config, destination.hears):
                self._later(leg, finding.after, finding.happening, finding.result)

    def _connect(self, leg: Leg, _: Mapping[str, Any]) -> None:
        """Join an answered target with the leg it was dialled for, a moment later."""
        if leg.origin is not None:
            leg.timers.append(self._clock.at(BRIDGE_SECONDS, partial(self._join, leg)))

    def _join(self, leg: Leg) -> None:
        origin, leg.origin = leg.origin, None
        if origin is None:
            return
        origin.target = None
        former, origin.peer = origin.peer, leg
        leg.peer = origin
        self.happen(leg, "bridge")
        self.happen(origin, "bridge")
        if former is not None:
            former.peer = None
            self.happen(former, "peer_ends")

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
        peer, leg.peer = leg.peer, None
        if peer is not None:
            peer.peer = None
            self.happen(peer, "peer_ends")
