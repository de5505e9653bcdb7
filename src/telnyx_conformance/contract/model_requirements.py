"""What random programs show of a command: two statements that follow from the state machines as a whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

from telnyx_conformance.contract.machines import machines
from telnyx_conformance.contract.model import Level, Operation, Requirement

if TYPE_CHECKING:
    from collections.abc import Mapping

MODELS = "models"
ANSWER, EVENTS = "answer", "events"
DIAL = "DialCall"
CREATE, JOIN, LEAVE = CONFERENCES = ("CreateConference", "JoinConference", "LeaveConference")
KINDS: Mapping[str, tuple[Level, str]] = {
    ANSWER: ("SHOULD", "in any state of its call the command is taken or refused as the state machines say"),
    EVENTS: (
        "SHOULD",
        "in random programs, what the command is followed by is what the state machines say, and all of it",
    ),
}


def model_requirements(operation: Operation) -> tuple[Requirement, ...]:
    """Return what random programs show of an operation: nothing unless it makes or moves a leg."""
    leg = machines()["leg"]
    if operation.id not in leg.commands:
        return ()
    return tuple(
        Requirement(
            id=f"{operation.id}:{MODELS}:{kind}", operation=operation.id, group=operation.group, conformance_class=MODELS,
            level=level, kind=kind, place=MODELS, statement=statement, source=leg.source,
        )
        for kind, (level, statement) in KINDS.items()
    )  # fmt: skip
