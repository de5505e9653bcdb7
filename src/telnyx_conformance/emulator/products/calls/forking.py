"""Forking: the media of a leg goes as RTP over UDP to where the application listens."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from zlib import crc32

from telnyx_conformance.emulator.products.calls.activity import Activity, Command, Feature, going_on, refusal
from telnyx_conformance.emulator.products.calls.media_frames import interval, rtp_packet

if TYPE_CHECKING:
    from collections.abc import Mapping

    from telnyx_conformance.emulator.products.calls.activity import Body
    from telnyx_conformance.emulator.products.calls.legs import Leg
    from telnyx_conformance.emulator.products.calls.switch import Switch

DIRECTIONS = ("rx", "tx")


class Fork(Activity):
    """The fork of one leg: what is received goes to `rx`, what is sent to `tx`, or both to one target."""

    name = "fork"

    def __init__(self, switch: Switch, leg: Leg, body: Body) -> None:
        super().__init__(switch, leg)
        self._targets = {direction: body.get("target") or body.get(direction, "") for direction in DIRECTIONS}
        self._sent = 0

    def payload(self, event_type: str) -> Mapping[str, Any]:  # noqa: ARG002 - both say the same
        """Return what kind of media goes out: there is one."""
        return {"stream_type": "decrypted"}

    def do_send_packets(self) -> None:
        """Send a packet of each direction, and more as time passes. Nobody knows whether somebody listens."""
        for direction, target in self._targets.items():
            if not target:
                continue
            _, host, port = target.split(":")
            source = crc32(f"{direction}:{self.leg.leg_id}".encode())
            self.switch.lines.cast(host, int(port), rtp_packet(self._sent, source))
        self._sent += 1
        self.later(interval(self.switch.clock.mode), "packet_due", guard=True)


class Forking(Feature):
    """The commands that fork a leg, once, and not while it is streamed."""

    def __init__(self, switch: Switch) -> None:
        super().__init__(switch)
        self.commands = {
            "StartCallFork": Command(self._start, self._may_start),
            "StopCallFork": Command(self._stop, self._may_stop),
        }

    @staticmethod
    def _may_start(leg: Leg, _: Body) -> None:
        if going_on(leg, "fork", "stream"):
            raise refusal("fork", "forking", "StartCallFork")

    def _start(self, leg: Leg, body: Body) -> None:
        Fork(self.switch, leg, body).happen("StartCallFork")

    @staticmethod
    def _may_stop(leg: Leg, _: Body) -> None:
        if not going_on(leg, "fork"):
            raise refusal("fork", "new", "StopCallFork")

    def _stop(self, leg: Leg, _: Body) -> None:
        self.switch.tell(leg, "StopCallFork")
