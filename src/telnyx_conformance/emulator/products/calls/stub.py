"""Calls in stub mode: every call control id exists, every command succeeds, nothing is remembered, nobody is told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from telnyx_conformance.emulator.account import Answer, Ask
from telnyx_conformance.emulator.products.calls.legs import stamp

if TYPE_CHECKING:
    from collections.abc import Iterable

    from telnyx_conformance.emulator.account import Handler
    from telnyx_conformance.emulator.clock import Clock
    from telnyx_conformance.emulator.ids import Ids


def stub_handlers(commands: Iterable[str], ids: Ids, clock: Clock) -> dict[str, Handler]:
    """Return what answers the operations on calls where nothing has a state."""
    done = Answer(document={"data": {"result": "ok"}})

    def command(_: Ask) -> Answer:
        return done

    def call(call_control_id: str, client_state: str | None, *, is_alive: bool) -> dict[str, Any]:
        data: dict[str, Any] = {
            "record_type": "call",
            "call_control_id": call_control_id,
            "call_leg_id": ids.uuid(),
            "call_session_id": ids.uuid(),
            "is_alive": is_alive,
        }
        return data if client_state is None else {**data, "client_state": client_state}

    def dial(ask: Ask) -> Answer:
        return Answer(document={"data": call(ids.call_control_id(), ask.body.get("client_state"), is_alive=False)})

    def status(ask: Ask) -> Answer:
        data = call(ask.path["call_control_id"], None, is_alive=True)
        return Answer(document={"data": {**data, "call_duration": 0, "start_time": stamp(clock.micros)}})

    def active(_: Ask) -> Answer:
        return Answer(document={"data": [], "meta": {"total_items": 0, "cursors": {}}})

    return {
        **dict.fromkeys(commands, command),
        "DialCall": dial,
        "RetrieveCallStatus": status,
        "ListConnectionActiveCalls": active,
    }
