"""Machines are read as they are written, and what is wrong with one is said with its place."""

from __future__ import annotations

from typing import Any

import pytest

from telnyx_conformance.content import content_root
from telnyx_conformance.contract.diagrams import PAGE, page
from telnyx_conformance.contract.document import load_edition
from telnyx_conformance.contract.machines import is_command, machine_of, machine_problems, machines
from telnyx_conformance.errors import ContractError

EDITION = load_edition()
LAMP: dict[str, Any] = {
    "claim": "A lamp is on or off until it breaks.",
    "source": "a test",
    "initial": "off",
    "states": {"off": "dark", "lit": "bright", "broken": "dark for good"},
    "final": ["broken"],
    "groups": {"whole": ["off", "lit"]},
    "rows": [
        {"in": "off", "when": "press", "next": "lit", "events": ["lamp.lit"], "effects": ["shine"]},
        {"in": "lit", "when": ["press", "time"], "next": "off"},
        {"in": "whole", "when": "drop", "next": "broken", "sets": {"cause": "gravity"}},
        {"in": "whole", "when": "AskLamp"},
    ],
    "refusals": [{"in": "broken", "when": "AskLamp", "code": "90018"}, {"code": "90102"}],
}


def lamp(**changes: Any) -> dict[str, Any]:
    return {**LAMP, **changes}


def test_rows_hold_for_groups_and_lists_and_keep_the_state_unless_they_say_otherwise() -> None:
    found = machine_of("lamp", LAMP, where="lamp.yaml")
    assert found.rows["off", "press"].events == ("lamp.lit",)
    assert found.rows["lit", "time"].next == "off"
    assert found.rows["lit", "AskLamp"].next == "lit"
    assert dict(found.rows["lit", "drop"].sets) == {"cause": "gravity"}
    assert ("broken", "AskLamp") not in found.rows
    assert found.commands == {"AskLamp"}
    assert found.happenings == {"press", "time", "drop"}


def test_the_first_refusal_that_fits_counts() -> None:
    found = machine_of("lamp", LAMP, where="lamp.yaml")
    assert found.refusal_code("broken", "AskLamp") == "90018"
    assert found.refusal_code("broken", "TurnLamp") == "90102"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"initial": "of"}, "no such state"),
        ({"final": ["brken"]}, "did you mean broken"),
        ({"rows": [{"in": "whol", "when": "press"}]}, "did you mean whole"),
        ({"rows": [*LAMP["rows"], {"in": "lit", "when": "press"}]}, "two rows for one state and trigger"),
    ],
)
def test_a_wrong_machine_is_refused_with_the_reason(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(ContractError, match=said):
        machine_of("lamp", lamp(**changes), where="lamp.yaml")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"states": {**LAMP["states"], "stolen": "gone"}, "final": ["broken", "stolen"]}, "no row leads to this state"),
        ({"final": []}, "final in name or in fact only"),
        ({"final": ["broken", "lit"]}, "final in name or in fact only"),
        ({"initial": "gone"}, "no such state"),
    ],
)
def test_the_linter_tells_what_the_schema_cannot(changes: dict[str, Any], said: str) -> None:
    assert [said in str(problem) for problem in machine_problems("lamp", lamp(**changes), "lamp.yaml")][:1] == [True]


def test_the_page_of_diagrams_is_what_the_tables_say() -> None:
    assert (content_root() / PAGE).read_text("utf-8") == page(), (
        "run: telnyx-conformance contract machines --out docs/machines.md"
    )


def test_a_diagram_shows_every_move_and_every_event() -> None:
    drawn = page()
    for found in machines().values():
        section = drawn.partition(f"## {found.name.replace('_', ' ').capitalize()}\n")[2].partition("\n## ")[0]
        for (state, trigger), row in found.rows.items():
            assert not (row.next != state and f"{state} --> {row.next}: " not in section), (found.name, state, trigger)
            assert all(event in section for event in row.events), (found.name, state, trigger)


def test_every_machine_of_the_contract_is_sound_and_speaks_of_operations_and_events_that_exist() -> None:
    events = {
        str(word)
        for operation in EDITION.operations
        for callback in operation.callbacks
        for word in EDITION.resolve(
            EDITION.resolve(EDITION.resolve(callback.schema).get("properties", {}).get("data", {}))
            .get("properties", {})
            .get("event_type", {})
        ).get("enum", [])
    }
    assert "leg" in machines()
    for found in machines().values():
        assert {trigger for _, trigger in found.rows if is_command(trigger)} <= set(EDITION.by_id), found.name
        assert {event for row in found.rows.values() for event in row.events} <= events, found.name
