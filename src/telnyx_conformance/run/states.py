"""What commands need of the call they address."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from telnyx_conformance.contract.model import Operation

CALL = "call_control_id"
# The state a command needs its call to be in; all others need one that is answered.
STATES = {
    "answer": "parked", "reject": "parked", "leave_queue": "queued", "playback_start": "playing",
    "streaming_stop": "streamed", "fork_stop": "forked",
}  # fmt: skip


def needs_inbound(operation: Operation) -> bool:
    """Return whether an operation is about calls that came in: only the control API lets one come."""
    path, _, action = operation.path.rpartition("/")
    return path == "/calls/{call_control_id}/actions" and STATES.get(action) == "parked"
