"""Faults of too much: an event after a command by which none has to come, an item of a list that is not there."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any
from uuid import UUID

import msgspec

from telnyx_conformance.contract.sequence import LEG_PARAMETER
from telnyx_conformance.emulator.fault import Fault
from telnyx_conformance.mutants.events import OF_A_LEG, another_type
from telnyx_conformance.mutants.replies import with_body

if TYPE_CHECKING:
    from telnyx_conformance.contract.model import Operation
    from telnyx_conformance.contract.sequence import Sequence
    from telnyx_conformance.emulator.account import Account
    from telnyx_conformance.emulator.mail import Outgoing
    from telnyx_conformance.emulator.outbox import Outbox
    from telnyx_conformance.emulator.reply import Reply

OPERATORS = {"legs": "event-of-stranger", "closed": "event-unlisted", "schema": "event-malformed"}
"""The kind of statement that an event too many breaks, and what such a fault is called."""
STRAY, STRANGER = 0x57BA7, 0xE15E  # ids begin here


class StrayFault(Fault):
    """Sends one more event when an operation was answered, but for so many answers that are `skipped`.

    It is of a leg that was told of before, with a type of which the sequence does not speak; where `kind` is "legs", of
    one that nobody knows, where it is "schema", with a field of the wrong type.
    """

    def __init__(self, kind: str, sequence: Sequence, operation: str, *, skipped: int) -> None:
        super().__init__()
        self._operation, self._skipped = operation, skipped
        self._type = another_type(sequence)
        # A leg that was to come to be and did not would be taken for the first stranger.
        strangers = [str(UUID(int=STRANGER + number, version=4)) for number in range(len(sequence.created) + 1)]
        self._changes: list[dict[str, Any]] = [{"connection_id": 7} if kind == "schema" else {}]
        if kind == "legs":
            self._changes = [dict.fromkeys(OF_A_LEG, stranger) for stranger in strangers]
        self._latest: tuple[Outbox, Outgoing] | None = None

    def moves_in(self, account: Account) -> None:
        """Take note of what the account sends."""
        account.outbox.bend = partial(self._note, account.outbox)

    def _note(self, outbox: Outbox, one: Outgoing) -> list[Outgoing]:
        if any(one.document["data"]["payload"].get(field) for field in OF_A_LEG):
            self._latest = (outbox, one)
        return [one]

    def answered(self, operation: Operation, reply: Reply) -> Reply:
        """Send the event once the answer is made."""
        if operation.id != self._operation or self._latest is None:
            return reply
        if self._skipped > 0:
            self._skipped -= 1
            return reply
        (outbox, one), self._latest = self._latest, None
        data = one.document["data"]
        outbox.bend = None
        self.bites()
        for number, changes in enumerate(self._changes):
            new = {"event_type": self._type, "id": str(UUID(int=STRAY + number, version=4))}
            stray = {**data, **new, "payload": {**data["payload"], **changes}}
            outbox.post(
                one.url, {**one.document, "data": stray}, method=one.method, failover_url=one.failover_url,
                timeout=one.timeout, version=one.version,
            )  # fmt: skip
        return reply


class ListedFault(Fault):
    """Lists what is not there, but for so many answers that are `skipped`: at `path`, by numbers, legs and names, is nothing."""

    def __init__(self, path: str, operation: str, *, skipped: int) -> None:
        super().__init__()
        self._path, self._operation, self._skipped = path.split("."), operation, skipped
        self._legs: dict[str, None] = {}

    def moves_in(self, account: Account) -> None:
        """Take note of the legs that the account tells of."""
        account.outbox.bend = self._note

    def _note(self, one: Outgoing) -> list[Outgoing]:
        self._legs |= dict.fromkeys(str(id_) for id_ in [one.document["data"]["payload"].get(LEG_PARAMETER)] if id_)
        return [one]

    def answered(self, operation: Operation, reply: Reply) -> Reply:
        """Lengthen the list of an answer."""
        if operation.id != self._operation:
            return reply
        if self._skipped > 0:
            self._skipped -= 1
            return reply
        document = msgspec.json.decode(reply.body)
        items = document.get("data")
        if not isinstance(items, list):
            return reply
        self.bites()
        if len(self._path) > 2:  # noqa: PLR2004 - a list within an item
            items = [{**item, self._path[1]: [*(item.get(self._path[1]) or ()), *self._legs]} for item in items]
        else:
            listed = {item.get(LEG_PARAMETER) for item in items}
            like = items[-1] if items else {}
            items += [{**like, LEG_PARAMETER: leg} for leg in self._legs if leg not in listed] or [like]
        return with_body(reply, msgspec.json.encode({**document, "data": items}))
