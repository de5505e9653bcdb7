"""Where an emulator can be made to misbehave on purpose: one fault, hooked in at the layer where such a fault would live.

Without a fault none of this is called. The faults themselves are made in `mutants/`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from telnyx_conformance.contract.model import Operation
    from telnyx_conformance.emulator.account import Account, Ask
    from telnyx_conformance.emulator.refusals import Problem
    from telnyx_conformance.emulator.reply import Reply

    Handle = Callable[[str, str, Sequence[tuple[bytes, bytes]], bytes], Reply]


class Arrival(msgspec.Struct, frozen=True, kw_only=True):
    """A request as it came: header names are lower case, `target` is the raw path with its query."""

    method: str
    target: str
    headers: Mapping[bytes, bytes]
    body: bytes


class Fault:
    """Behaves like no fault at all; a fault overrides the hook of the layer that it lives in.

    `first` is the request at which it first made a difference; `None` as long as nobody could have noticed anything.
    """

    def __init__(self) -> None:
        self.first: Arrival | None = None
        self.has_bitten = False
        self._arrival: Arrival | None = None

    def arrives(self, arrival: Arrival) -> None:
        """Take note of the request that is answered now."""
        self._arrival = arrival

    def bites(self) -> None:
        """Take note that the fault makes a difference, to the request that is answered now if there is one."""
        self.has_bitten = True
        if self.first is None:
            self.first = self._arrival

    def routed(self, path: str, operation: Operation | None, arrival: Arrival) -> Reply | None:  # noqa: ARG002 - hooks name what they are given
        """Answer in place of everything behind the router; `operation` is `None` for a method that is not documented."""
        return None

    def overlooks(self, operation: Operation, refused: Exception) -> bool:  # noqa: ARG002
        """Whether a request goes through though its credentials, its syntax or what it addresses are refused."""
        return False

    def problems(self, ask: Ask, found: list[Problem]) -> list[Problem]:  # noqa: ARG002
        """Return what validation says in place of what it `found`."""
        return found

    def asked(self, ask: Ask) -> Ask:
        """Return a valid request as the products see it."""
        return ask

    def answered(self, operation: Operation, reply: Reply) -> Reply:  # noqa: ARG002
        """Return the reply as it goes out."""
        return reply

    def leaves(self, reply: Reply) -> Reply:
        """Return any reply, also that of an unknown address, as the server is to send it."""
        return reply

    def moves_in(self, account: Account) -> None:
        """Bend the clock, the ids, the store or the outbox of a new account, before anything happens in it."""

    def furnishes(self, account: Account, handle: Handle) -> None:
        """Let things happen in a new account before its owner's first request; `handle` is the emulator's own."""
