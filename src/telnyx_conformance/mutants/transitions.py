"""Faults of state machines: a command is taken in a state that has no row for it, refused in one that has, or not told of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from telnyx_conformance.contract.machines import Row, machine
from telnyx_conformance.contract.model_requirements import ANSWER, CREATE, DIAL, EVENTS, MODELS, model_requirements
from telnyx_conformance.emulator.account import Refusal
from telnyx_conformance.emulator.fault import Fault
from telnyx_conformance.mutants.spoken import Spoken, spoken

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from telnyx_conformance.contract.machines import Machine
    from telnyx_conformance.contract.model import Edition
    from telnyx_conformance.contract.sequence import Sequence
    from telnyx_conformance.emulator.account import Account

TAKEN, REFUSED, SILENT = "taken", "refused", "silent"
OPERATORS = {
    TAKEN: "illegal-transition-allowed",
    REFUSED: "legal-transition-refused",
    SILENT: "event-of-row-missing",
}
TABLES: Mapping[str, frozenset[str]] = {"leg": frozenset({DIAL}), "conference": frozenset({CREATE})}
"""The machines whose tables decide on commands, each with the command that begins an instance: it is looked up nowhere."""
PASSING = frozenset({"ending"})
"""States that are over before anybody can ask."""


class Place(Spoken, frozen=True, kw_only=True):
    """A place in a table and what is done there; `sequence` is empty where random programs speak of it."""

    variant: str
    sequence: str = ""


def places(edition: Edition, sequences: Iterable[Sequence]) -> Iterator[Place]:
    """Yield each state and command of the tables with what is done there and the requirement that sees it.

    It is empty where no suite speaks of the place.
    """
    said: dict[tuple[str, str, str], tuple[str, str]] = {}
    for sequence in sequences:
        for one in spoken(sequence):
            said.setdefault((one.machine, one.state, one.command), (one.requirement, sequence.name))
    at_random = {r.id for id_ in edition.by_id for r in model_requirements(edition.by_id[id_])}
    for name, state, command, row in lookups(edition):
        by_model = f"{command}:{MODELS}:{ANSWER}"
        found = said.get((name, state, command))
        requirement, sequence_name = found or ("", "")
        if found is None and name == "leg" and by_model in at_random:
            requirement = by_model
        variant = TAKEN if row is None else REFUSED
        yield Place(name, state, command, requirement, variant=variant, sequence=sequence_name)
        told = f"{command}:{MODELS}:{EVENTS}"
        if row is not None and row.events and told in at_random:
            yield Place(name, state, command, told, variant=SILENT)


def lookups(edition: Edition) -> Iterator[tuple[str, str, str, Row | None]]:
    """Yield each state that can be met and each command that is looked up in it, with the row if there is one."""
    for name, begins in TABLES.items():
        table: Machine = machine(name)
        for state in table.states:
            if state == table.initial or state in PASSING:
                continue
            for command in sorted(table.commands - begins):
                if command in edition.by_id:
                    yield name, state, command, table.rows.get((state, command))


class TransitionFault(Fault):
    """Misreads the table of a machine in one state, for one command."""

    def __init__(self, site: str, variant: str) -> None:
        super().__init__()
        self._site, self._variant = site, variant

    def moves_in(self, account: Account) -> None:
        """Have the tables misread."""
        account.misread = self._misread

    def _misread(self, table: Machine, state: str, command: str, row: Row | None) -> Row | None:
        if site_of(table.name, state, command) != self._site:
            return row
        self.bites()
        if self._variant == REFUSED:  # as if it were over
            raise Refusal(422, table.refusal_code(min(table.final), command), bare=True)
        return Row(state) if row is None else replace(row, events=())


def site_of(name: str, state: str, command: str) -> str:
    """Return how a place in a table is written."""
    return f"{name}.{state}.{command}"
