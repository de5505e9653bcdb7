"""The machine of a leg as the interpreter uses it: `contracts/machines/leg.yaml`, and what SIP calls its causes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from telnyx_conformance.contract.machines import Row, machine

if TYPE_CHECKING:
    from collections.abc import Mapping

LEG = machine("leg")
TABLE: Mapping[tuple[str, str], Row] = dict(LEG.rows)
TALKING = ("answered", "bridged", "queued", "conference")

# Documented nowhere except 487 for a cancelled call; the others are what the SIP standard calls the same thing.
SIP_CODES: Mapping[str, str] = {
    "call_rejected": "603",
    "normal_clearing": "200",
    "originator_cancel": "487",
    "timeout": "480",
    "time_limit": "200",
    "user_busy": "486",
    "not_found": "404",
    "unspecified": "unspecified",
}
