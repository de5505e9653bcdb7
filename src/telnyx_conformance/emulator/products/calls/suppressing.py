"""Noise suppression: it is on or off, and nothing tells of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from telnyx_conformance.emulator.products.calls.activity import Activity, Command, Feature, going_on

if TYPE_CHECKING:
    from telnyx_conformance.emulator.products.calls.activity import Body
    from telnyx_conformance.emulator.products.calls.legs import Leg
    from telnyx_conformance.emulator.products.calls.switch import Switch


class Suppression(Activity):
    """The suppression of noise on one leg."""

    name = "suppression"


class Suppressing(Feature):
    """The commands that switch it on and off; on twice is on."""

    def __init__(self, switch: Switch) -> None:
        super().__init__(switch)
        self.commands = {"noiseSuppressionStart": Command(self._start), "noiseSuppressionStop": Command(self._stop)}

    def _start(self, leg: Leg, _: Body) -> None:
        if not going_on(leg, Suppression.name):
            Suppression(self.switch, leg).happen("noiseSuppressionStart")

    def _stop(self, leg: Leg, _: Body) -> None:
        self.switch.tell(leg, "noiseSuppressionStop")
