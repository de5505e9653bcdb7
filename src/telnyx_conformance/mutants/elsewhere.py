"""Faults of state in products that keep their things themselves, calls and conferences: planted in what they answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from telnyx_conformance.contract.envelopes import envelope_of
from telnyx_conformance.emulator import refusals
from telnyx_conformance.emulator.reply import json_reply
from telnyx_conformance.plan.changes import others

if TYPE_CHECKING:
    from telnyx_conformance.contract.lifecycle_requirements import Life
    from telnyx_conformance.contract.model import Edition, Operation
    from telnyx_conformance.emulator.reply import Reply
    from telnyx_conformance.mutants.lives import LifeFault


class Elsewhere:
    """What one product's answers told of its things, and how they are told wrongly."""

    def __init__(self, edition: Edition, life: Life) -> None:
        self._life = life
        self._slots = {o.id: envelope_of(edition, o).slot for o in life.operations if o.success.content}
        self._created: list[str] = []
        self._listed: dict[str, Any] = {}

    def bend(self, fault: LifeFault, operation: Operation, reply: Reply) -> Reply:
        """Return the answer to an operation on the resource as the fault has it."""
        if operation.id == fault.creation and operation in self._life.creates:
            return self._create(fault, operation, reply)
        if operation is self._life.lists:
            return self._list(fault, operation, reply)
        if (
            operation is self._life.reads
            and fault.operator == "not-stored"
            and fault.key_of(operation) in self._created
        ):
            fault.bites()
            return json_reply(*refusals.of_situation("unknown_resource"))
        return reply

    def _create(self, fault: LifeFault, operation: Operation, reply: Reply) -> Reply:
        document = msgspec.json.decode(reply.body)
        slot = self._slots[operation.id]
        item = document[slot] if slot else document
        if fault.operator == "id-given-twice" and self._created:
            fault.bites()
            item[fault.identifier] = self._created[0]
        self._created.append(str(item.get(fault.identifier)))
        return json_reply(reply.status, msgspec.json.encode(document))

    def _list(self, fault: LifeFault, operation: Operation, reply: Reply) -> Reply:
        document = msgspec.json.decode(reply.body)
        slot = self._slots[operation.id]
        held = document[slot] if slot else document
        items = {str(item.get(fault.identifier)): item for item in held}
        shown = dict(items)
        if fault.operator == "created-but-unlisted":
            shown = {key: item for key, item in items.items() if key not in self._created}
        elif fault.operator == "created-twice":
            twins = {next(others(key)): items[key] for key in self._created if key in items}
            shown |= {twin: {**item, fault.identifier: twin} for twin, item in twins.items()}
        elif fault.operator == "another-account-let-in" and fault.acts():
            shown = {**self._listed, **items}
        self._listed |= items
        if shown.keys() == items.keys():
            return reply
        fault.bites()
        whole = {**document, slot: list(shown.values())} if slot else list(shown.values())
        return json_reply(reply.status, msgspec.json.encode(whole))
