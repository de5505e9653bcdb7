"""Planning as everybody asks for it: the probes of an operation, each checked to be what it claims to be."""

from __future__ import annotations

from typing import TYPE_CHECKING

from telnyx_conformance.plan.planner import Planner
from telnyx_conformance.plan.selfcheck import check_plan

if TYPE_CHECKING:
    from telnyx_conformance.contract.model import Edition, Operation
    from telnyx_conformance.plan.probe import Plan


def plan_operation(edition: Edition, operation: Operation, seed: int = 1, strength: int = 1) -> Plan:
    """Return the probes that prove an operation's requests, surface and headers, and their lower bounds.

    With `strength` 1 each valid value appears in some accepted probe, with 2 each two values of different places do.
    Raises `HarnessError` when a probe is not what it claims to be, or a requirement is left without one.
    """
    planner = Planner(edition, operation, seed, strength)
    plan = planner.plan()
    check_plan(planner, plan)
    return plan
