"""The tables of what goes on on a leg: each is carried out to its last word, and nothing in them outlives the call."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from telnyx_conformance.contract.document import load_edition
from telnyx_conformance.contract.machines import machines
from telnyx_conformance.emulator.products.calls.activity import Activity
from telnyx_conformance.emulator.products.calls.features import FEATURES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

EDITION = load_edition()
HEARD = ["gather", "playback", "prompt", "refer", "speech"]
ENDS = {"playback": "call.playback.ended", "speech": "call.speak.ended", "gather": "call.gather.ended"}


def activities(of: type[Activity] = Activity) -> Iterator[type[Activity]]:
    for found in of.__subclasses__():
        yield found
        yield from activities(found)


BY_NAME = {found.name: found for found in activities() if hasattr(found, "name")}


def statuses() -> Mapping[str, set[str]]:
    """Return the documented statuses by event type."""
    found: dict[str, set[str]] = {}
    for operation in EDITION.operations:
        for callback in operation.callbacks:
            data = EDITION.resolve(EDITION.resolve(callback.schema).get("properties", {}).get("data", {}))
            fields = data.get("properties", {})
            payload = EDITION.resolve(fields.get("payload", {})).get("properties", {})
            for event in EDITION.resolve(fields.get("event_type", {})).get("enum", []):
                found[event] = set(EDITION.resolve(payload.get("status", {})).get("enum", []))
    return found


def test_every_table_but_that_of_the_leg_is_driven_by_an_activity() -> None:
    assert FEATURES  # their modules define the activities
    assert set(HEARD) <= set(BY_NAME) <= set(machines())


@pytest.mark.parametrize("name", sorted(BY_NAME))
def test_every_effect_of_a_table_can_be_carried_out(name: str) -> None:
    effects = {effect for row in machines()[name].rows.values() for effect in row.effects}
    assert {effect for effect in effects if not callable(getattr(BY_NAME[name], f"do_{effect}", None))} == set()


@pytest.mark.parametrize("name", HEARD)
def test_nothing_that_is_heard_or_pressed_outlives_the_call(name: str) -> None:
    machine = machines()[name]
    open_states = set(machine.states) - machine.final - {machine.initial}
    for state in open_states:
        assert machine.rows[state, "leg_ends"].next in machine.final


@pytest.mark.parametrize("name", sorted(ENDS))
def test_a_table_says_every_documented_status_and_no_other(name: str) -> None:
    rows = [row for row in machines()[name].rows.values() if ENDS[name] in row.events]
    said = {row.sets["status"] for row in rows}
    unsaid = {"unknown"} if name == "playback" else set()  # what the emulator knows of is known
    assert said == statuses()[ENDS[name]] - unsaid
    assert {row.next in machines()[name].final for row in rows} == {True}


@pytest.mark.parametrize("name", sorted(ENDS))
def test_a_machine_that_answers_ends_it_in_every_open_state(name: str) -> None:
    machine = machines()[name]
    for state in set(machine.states) - machine.final - {machine.initial}:
        row = machine.rows[state, "machine_detected"]
        assert row.next in machine.final
        assert not row.events or row.sets["status"] == "cancelled_amd"
