"""Bridging on command: with another leg, or with the one that has waited longest in a queue."""

from __future__ import annotations

from typing import TYPE_CHECKING

from telnyx_conformance.emulator.account import Refusal
from telnyx_conformance.emulator.products.calls.activity import Command, Feature
from telnyx_conformance.emulator.products.calls.machine import LEG

if TYPE_CHECKING:
    from telnyx_conformance.emulator.products.calls.activity import Body
    from telnyx_conformance.emulator.products.calls.legs import Leg
    from telnyx_conformance.emulator.products.calls.switch import Switch


class Bridging(Feature):
    """The command that joins two legs. A video room is taken at its word: rooms carry no media here."""

    def __init__(self, switch: Switch) -> None:
        super().__init__(switch)
        self.commands = {"BridgeCall": Command(self._bridge, self._may_bridge)}

    def _may_bridge(self, leg: Leg, body: Body) -> None:
        if "call_control_id" in body:
            other = self.switch.legs.get(body["call_control_id"])
            if other is None or other is leg:
                raise Refusal(422, "90015", pointer="/call_control_id")
            if not LEG.rows.get((other.state, "bridge")):
                raise Refusal(422, LEG.refusal_code(other.state, "bridge"), bare=True)
        elif "queue" in body and self.switch.queues.first(body["queue"]) is None:
            raise Refusal(422, "90035", pointer="/queue")

    def _bridge(self, leg: Leg, body: Body) -> None:
        leg.parks = body.get("park_after_unbridge") == "self"
        other = self.switch.legs.get(body.get("call_control_id", ""))
        waiting = self.switch.queues.first(body.get("queue", ""))
        if waiting is not None:
            waiting.happen("picked")
            other = waiting.leg
        if other is not None:
            self.switch.bridge(leg, other)
        if "record" in body:
            self.switch.begin(leg, body)
