"""SIPREC: a session with the recording server that one of the account's connectors names. No SIP is spoken."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from telnyx_conformance.emulator.products.calls.activity import Activity, Command, Feature, going_on

if TYPE_CHECKING:
    from collections.abc import Mapping

    from telnyx_conformance.emulator.products.calls.activity import Body
    from telnyx_conformance.emulator.products.calls.legs import Leg
    from telnyx_conformance.emulator.products.calls.switch import Switch


class SiprecSession(Activity):
    """One session; `failure_cause` and `hangup_cause` are set by its table."""

    name = "siprec"

    def __init__(self, switch: Switch, leg: Leg, connector: str) -> None:
        super().__init__(switch, leg)
        self.failure_cause = self.hangup_cause = ""
        self._connector = connector

    def payload(self, event_type: str) -> Mapping[str, Any]:
        """Return why it failed or ended."""
        if event_type == "siprec.failed":
            return {"failure_cause": self.failure_cause}
        return {"hangup_cause": self.hangup_cause} if event_type == "siprec.stopped" else {}

    def do_invite(self) -> None:
        """Take a connector that exists at its word: the server behind it is not asked."""
        found = self.switch.registry.find("siprec_connectors", self._connector)
        self.happen("no_connector" if found is None else "accepted")


class Siprec(Feature):
    """The commands that begin and end a session, of which a leg has one; another is not begun meanwhile."""

    def __init__(self, switch: Switch) -> None:
        super().__init__(switch)
        self.commands = {"StartSiprecSession": Command(self._start), "StopSiprecSession": Command(self._stop)}

    def _start(self, leg: Leg, body: Body) -> None:
        if not going_on(leg, SiprecSession.name):
            SiprecSession(self.switch, leg, body.get("connector_name", "")).happen("StartSiprecSession")

    def _stop(self, leg: Leg, _: Body) -> None:
        self.switch.tell(leg, "StopSiprecSession")
