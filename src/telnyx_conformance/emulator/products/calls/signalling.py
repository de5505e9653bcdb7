"""What goes past the audio of a call: referrals, and messages by SIP INFO."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from telnyx_conformance.emulator.products.calls.activity import Activity, Body, Command, Feature
from telnyx_conformance.emulator.products.calls.legs import DEFAULT_RING_SECONDS
from telnyx_conformance.emulator.products.calls.machine import SIP_CODES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from telnyx_conformance.emulator.products.calls.legs import Leg
    from telnyx_conformance.emulator.products.calls.switch import Switch

# Why a destination is not reached, as a hang-up would say it.
CAUSES: Mapping[str, str] = {
    "far_busy": "user_busy",
    "far_rejects": "call_rejected",
    "far_unknown": "not_found",
    "rings_out": "timeout",
}
TRYING, DONE = 100, 200
INFO_RECEIVED = "call.sip_info.received"  # named in the prose of the command; the contract has no schema for it


class Referral(Activity):
    """A far end that was asked to call a SIP address."""

    name = "refer"

    def __init__(self, switch: Switch, leg: Leg, sip_address: str) -> None:
        super().__init__(switch, leg)
        self._target = switch.destination(sip_address)

    def payload(self, event_type: str) -> Mapping[str, Any]:
        """Return the SIP status that the far end notified of."""
        if event_type == "call.refer.failed":
            return {"sip_notify_response": int(SIP_CODES[CAUSES[self._target.outcome]])}
        return {"sip_notify_response": DONE if event_type == "call.refer.completed" else TRYING}

    def do_try(self) -> None:
        """Reach the address or not, when a dialled call would know."""
        outcome = self._target.outcome
        seconds = DEFAULT_RING_SECONDS if outcome == "rings_out" else self._target.after
        self.later(seconds, "reached" if outcome == "far_answers" else "declined")

    def do_leave(self) -> None:
        """Let the far end hang up: it talks to the other now."""
        self.switch.happen(self.leg, "far_hangs_up")


class Signalling(Feature):
    """Referrals and SIP INFO. Tones that are sent go to the far end, and nobody is told."""

    def __init__(self, switch: Switch) -> None:
        super().__init__(switch)
        self.commands = {"ReferCall": Command(self._refer), "SendSIPInfo": Command(self._send_info)}

    def _refer(self, leg: Leg, body: Body) -> None:
        Referral(self.switch, leg, body["sip_address"]).happen("asked")

    def _send_info(self, leg: Leg, body: Body) -> None:
        """Tell of the message on the leg at the other end, where that is one of ours."""
        if leg.peer is not None:
            fields = {"content_type": body["content_type"], "body": body["body"]}
            self.switch.send(leg.peer, INFO_RECEIVED, fields)
