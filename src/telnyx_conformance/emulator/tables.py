"""Looking a command up in the table of a state machine, as an account's products do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from telnyx_conformance.emulator.account import Refusal

if TYPE_CHECKING:
    from telnyx_conformance.contract.machines import Machine, Row
    from telnyx_conformance.emulator.account import Misread


class Tables:
    """The tables of one account. `misread` is a planted fault's idea of what a table says of a command in a state."""

    def __init__(self, misread: Misread | None = None) -> None:
        self._misread = misread

    def row(self, machine: Machine, state: str, command: str) -> Row:
        """Return what follows `command` in `state`. Raises `Refusal` with the table's code where there is no row."""
        row = machine.rows.get((state, command))
        if self._misread is not None:
            row = self._misread(machine, state, command, row)
        if row is None:
            raise Refusal(422, machine.refusal_code(state, command), bare=True)
        return row
