"""Faults of state machines: every place in a table that can be met has one, and a requirement that names it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from telnyx_conformance.contract.document import load_edition
from telnyx_conformance.contract.machines import machine
from telnyx_conformance.contract.sequences import load_sequences
from telnyx_conformance.emulator.account import Refusal
from telnyx_conformance.emulator.fault import Fault
from telnyx_conformance.emulator.tables import Tables
from telnyx_conformance.modelling.program import Program
from telnyx_conformance.modelling.search import Search
from telnyx_conformance.mutants.judging import Bench
from telnyx_conformance.mutants.spoken import Spoken, spoken
from telnyx_conformance.mutants.transitions import places

if TYPE_CHECKING:
    from telnyx_conformance.contract.machines import Machine, Row
    from telnyx_conformance.emulator.account import Account
    from telnyx_conformance.modelling.reckoning import Difference

EDITION = load_edition()
SEQUENCES = {sequence.name: sequence for sequence in load_sequences(EDITION.name)}
PLACES = list(places(EDITION, SEQUENCES.values()))


def test_every_state_and_command_of_the_tables_is_spoken_of() -> None:
    assert [place for place in PLACES if not place.requirement] == []


def test_a_place_has_a_row_that_is_refused_or_none_that_is_taken() -> None:
    for place in PLACES:
        is_legal = (place.state, place.command) in machine(place.machine).rows
        assert (place.variant == "taken") != is_legal, place


class Noting(Fault):
    """No fault: it notes in which states a command is looked up."""

    def __init__(self, command: str) -> None:
        super().__init__()
        self.command, self.states = command, set[str]()

    def moves_in(self, account: Account) -> None:
        account.misread = self.note

    def note(self, table: Machine, state: str, command: str, row: Row | None) -> Row | None:
        if command == self.command:
            assert table.name == "leg"
            self.states.add(state)
        return row


def test_random_programs_begin_with_the_command_in_every_state_of_a_leg() -> None:
    noting = Noting("SpeakCall")

    async def played(search: Search) -> list[Difference | None]:
        program = Program(search.session)
        await program.begin()
        return [await program.step(step) for step in search.tour]

    bench = Bench()
    try:
        with bench.planted(noting):
            found = bench.run(played(Search(bench.session, "SpeakCall", bench.run, lambda: False)))
    finally:
        bench.close()
    assert noting.states == set(machine("leg").states) - {"new"}
    assert {*found} == {None}


@pytest.mark.parametrize(
    ("sequence", "said"),
    [
        ("speak-ringing", [Spoken("leg", "dialling", "SpeakCall", "SpeakCall:commands.speak-ringing.command:refused")]),
        ("bridge-unknown", []),  # refused, and not for its state
        ("bridge-empty-queue", []),  # refused, which nobody is bound to
        (
            "conference-hold-ended",
            [
                Spoken(
                    "conference", "completed", "HoldConferenceParticipants",
                    "HoldConferenceParticipants:commands.conference-hold-ended.command:refused",
                )
            ],
        ),
        (
            "conference-joined-from-queue",
            [
                Spoken(name, state, "JoinConference", "JoinConference:commands.conference-joined-from-queue.command:accepted")
                for name, state in (("conference", "in_progress"), ("leg", "queued"))
            ],
        ),
        (
            "enqueue-bridged",
            [Spoken("leg", "bridged", "EnqueueCall", "EnqueueCall:commands.enqueue-bridged.command:accepted")],
        ),
    ],
)  # fmt: skip
def test_a_sequence_speaks_of_the_state_that_its_steps_lead_to(sequence: str, said: list[Spoken]) -> None:
    assert list(spoken(SEQUENCES[sequence])) == said


def test_a_table_is_read_as_it_stands_unless_a_fault_misreads_it() -> None:
    leg = machine("leg")
    with pytest.raises(Refusal) as refused:
        Tables().row(leg, "dialling", "SpeakCall")
    assert (refused.value.status, refused.value.code, refused.value.bare) == (422, "90034", True)

    def misread(table: Machine, state: str, command: str, row: Row | None) -> Row | None:
        return table.rows["answered", command] if (state, row) == ("dialling", None) else None

    assert Tables(misread).row(leg, "dialling", "SpeakCall").next == "answered"
    with pytest.raises(Refusal):
        Tables(misread).row(leg, "answered", "SpeakCall")
