"""The table of states: complete, closed, and consistent with the contract."""

from __future__ import annotations

import itertools

import pytest

from telnyx_conformance.content import content_root
from telnyx_conformance.contract.document import load_edition
from telnyx_conformance.contract.machines import machine
from telnyx_conformance.emulator.products.calls.destinations import destinations
from telnyx_conformance.emulator.products.calls.machine import SIP_CODES, TABLE, TALKING

LEG = machine("leg")
STATES = [state for state in LEG.states if state != "new"]
EDITION = load_edition()


def test_the_table_knows_every_call_command_of_the_contract() -> None:
    group = {o.id for o in EDITION.operations if o.group == "Call Commands"}
    assert group <= LEG.commands
    assert len(group) == 36
    assert {o for o in LEG.commands - group if EDITION.operation(o).group != "Conference Commands"} == set()


COMMANDS = sorted(o.id for o in EDITION.operations if o.group == "Call Commands" and o.id != "DialCall")


def test_every_command_in_every_state_is_a_row_or_a_refusal() -> None:
    allowed = {state: sorted(c for c in COMMANDS if (state, c) in TABLE) for state in STATES}
    early = ["HangupCall", "UpdateClientState"]
    assert allowed["ended"] == []
    assert allowed["dialling"] == early
    assert allowed["parked"] == sorted(
        [*early, "AnswerCall", "RejectCall", "TransferCall", "ReferCall", "StartCallStreaming", "StopCallStreaming"]
    )
    for state in TALKING:
        assert set(COMMANDS) - set(allowed[state]) == {
            "AnswerCall",
            "RejectCall",
            "EnqueueCall" if state == "queued" else "LeaveQueue",
        }


def test_every_refusal_has_the_code_of_its_reason() -> None:
    codes = {
        (state, command): LEG.refusal_code(state, command)
        for state, command in itertools.product(STATES, COMMANDS)
        if (state, command) not in TABLE
    }
    assert {code for (state, _), code in codes.items() if state == "ended"} == {"90018"}
    assert {command for (state, command), code in codes.items() if code == "90034" and state == "dialling"} == {
        c
        for c in COMMANDS
        if c not in ("AnswerCall", "RejectCall", "HangupCall", "UpdateClientState", "StartCallRecord")
    }
    assert {key for key, code in codes.items() if code == "90020"} == {
        (state, "StartCallRecord") for state in ("parked", "dialling")
    }
    assert {key for key, code in codes.items() if code == "90102"} == {
        (state, command) for state in ("dialling", *TALKING) for command in ("AnswerCall", "RejectCall")
    }
    assert {key for key, code in codes.items() if code == "90038"} == {("queued", "EnqueueCall")}
    assert {key for key, code in codes.items() if code == "90035"} == {
        (state, "LeaveQueue") for state in TALKING if state != "queued"
    }


def test_rows_start_from_declared_states_by_declared_triggers() -> None:
    assert {state for state, _ in TABLE} <= {*STATES, "new"}
    assert LEG.final == {"ended"}


def test_every_end_tells_of_it_and_nothing_follows_it() -> None:
    for (state, trigger), row in TABLE.items():
        assert state != "ended"
        assert (row.next == "ended") == ("call.hangup" in row.events) == ("part" in row.effects), (state, trigger)
        assert ("side" in row.sets) == (row.next == "ended"), (state, trigger)
        assert ("cause" in row.sets) == (row.next == "ended" and trigger != "RejectCall"), (state, trigger)


@pytest.mark.parametrize("state", STATES[:-1])
def test_every_living_state_can_be_hung_up_by_either_side_or_withdrawn(state: str) -> None:
    ways = {trigger for (from_, trigger), row in TABLE.items() if from_ == state and row.next == "ended"}
    assert "HangupCall" in ways
    assert ways & {"far_hangs_up", "withdrawn"}


def test_every_cause_has_a_sip_code() -> None:
    causes = {row.sets["cause"] for row in TABLE.values() if "cause" in row.sets}
    assert causes < set(SIP_CODES)


def test_every_event_of_the_table_is_a_callback_of_the_contract() -> None:
    documented = set()
    for operation in EDITION.operations:
        for callback in operation.callbacks:
            data = EDITION.resolve(EDITION.resolve(callback.schema).get("properties", {}).get("data", {}))
            documented |= set(EDITION.resolve(data.get("properties", {}).get("event_type", {})).get("enum", []))
    assert {event for row in TABLE.values() for event in row.events} <= documented


def test_the_page_on_calls_names_every_destination_and_sip_code() -> None:
    page = (content_root() / "docs" / "emulated-calls.md").read_text()
    for name, destination in destinations().by_name.items():
        assert f"| {destination.number} `{name}` |" in page
    assert all(f"{code} " in page for cause, code in SIP_CODES.items() if cause != "unspecified")
