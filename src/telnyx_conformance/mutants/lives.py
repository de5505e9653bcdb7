"""Faults of state: what is not kept, not deleted, changed unasked, or let out to another account; planted in the store."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from telnyx_conformance.contract.envelopes import JSON, envelope_of, properties_of
from telnyx_conformance.contract.lifecycle_requirements import life_of
from telnyx_conformance.contract.lifecycles import load_lifecycles, path_parameters
from telnyx_conformance.emulator.account import Refusal
from telnyx_conformance.emulator.fault import Fault
from telnyx_conformance.emulator.reply import json_reply
from telnyx_conformance.mutants.elsewhere import Elsewhere
from telnyx_conformance.mutants.keeping import BentStore, other_than

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from telnyx_conformance.contract.model import Edition, Operation, Requirement
    from telnyx_conformance.emulator.account import Account, Ask
    from telnyx_conformance.emulator.reply import Reply
    from telnyx_conformance.emulator.store import Record
    from telnyx_conformance.mutants.mutant import Mutant


REFUSED = 400
LOOKS = ("changed-by-read", "changed-by-list")


class Row(msgspec.Struct, frozen=True):
    """A fault that a requirement names: the operator, what is done, and to which field if to one."""

    operator: str
    variant: str
    at: str = ""


def of_requirement(edition: Edition, operation: Operation, requirement: Requirement) -> Iterator[Row]:
    """Yield the faults of state that a requirement on a life names."""
    life = life_of(edition, load_lifecycles(edition.name).of(operation.id).resource)
    match requirement.kind:
        case "distinct":
            yield Row("id-given-twice", "same")
            if life.deletes is not None and operation is life.creates[0]:
                yield Row("id-given-again", "reused")
        case "default":
            body = operation.body.content[JSON] if operation.body else {}
            enums = {name: _enum(edition, body, name) for name in life.defaults[operation.id]}
            yield from (Row("default-not-applied", "other", n) for n, enum in sorted(enums.items()) if len(enum) != 1)
        case "changed":
            yield Row("change-lost", "ignored")
            yield Row("older-change-wins", "older")
        case "kept":
            yield Row("changed-by-list" if operation is life.lists else "changed-by-read", "altered")
        case "alone":
            yield Row("another-deleted" if operation is life.deletes else "another-changed", "another")
        case "gone":
            yield Row("not-deleted", "left")
            if life.lists is not None:
                yield Row("deleted-but-listed", "listed")
        case kind:
            yield Row(*SIMPLE[kind])


SIMPLE = {
    "readable": ("not-stored", "dropped"),
    "listed": ("created-but-unlisted", "unlisted"),
    "once": ("created-twice", "doubled"),
    "merged": ("others-reset", "reset"),
    "again": ("deleted-again", "again"),
    "isolated": ("another-account-let-in", "shared"),
}


class LifeFault(Fault):
    """Keeps the records of one resource wrongly while its operation is carried out, for every account that moves in."""

    def __init__(self, mutant: Mutant, edition: Edition) -> None:
        super().__init__()
        self._lists_wrongly = mutant.operator in ("created-but-unlisted", "deleted-but-listed")
        resource = load_lifecycles(edition.name).of(mutant.operation).resource
        self.life = life_of(edition, resource)
        self.creation = mutant.operation
        at_list = self.life.lists.id if self._lists_wrongly and self.life.lists else ""
        self._operation = at_list or mutant.operation
        self.operator, self.resources = mutant.operator, {resource.name, *resource.views}
        self.identifier = resource.identifier or "id"
        self.field = mutant.site.partition(":")[2]
        body = edition.operation(mutant.operation).body
        self.members = _enum(edition, body.content[JSON], self.field) if self.field and body else ()
        self.stores: list[BentStore] = []
        self.created: set[str] = set()
        self.removed: dict[str, Record] = {}
        self.changed: dict[str, set[str]] = {}
        self.ask: Ask | None = None
        self.seen: set[str] = set()
        self.looked, self.unkept = False, True
        self.is_kept_here = False  # calls, say, are kept by their own product
        self._elsewhere = Elsewhere(edition, self.life)
        look = self.life.reads or self.life.lists
        self._slot = envelope_of(edition, look).slot if look else ""

    def asked(self, ask: Ask) -> Ask:
        """Take note of what is being carried out."""
        self.ask = ask
        return ask

    def moves_in(self, account: Account) -> None:
        """Give the account a store that keeps things wrongly."""
        account.store = BentStore(self)
        self.stores.append(account.store)

    def overlooks(self, operation: Operation, refused: Exception) -> bool:
        """Delete what is deleted already; find what another account has, where it is kept elsewhere than in the store."""
        there = {"deleted-again": self.removed.keys(), "another-account-let-in": self.seen}.get(self.operator, ())
        if not self.acts() or not isinstance(refused, Refusal) or self.key_of(operation) not in there:
            return False
        self.bites()
        return True

    def answered(self, operation: Operation, reply: Reply) -> Reply:
        """Take note of what was seen; show another resource after a look where the store keeps nothing to be changed."""
        if operation not in self.life.operations or reply.status >= REFUSED:
            return reply
        if not self.is_kept_here:
            reply = self._elsewhere.bend(self, operation, reply)
        looks = operation is (self.life.reads or self.life.lists)
        if looks and self.looked and self.unkept:
            self.bites()
            reply = self._with_others(reply)
        self.seen.add(self.key_of(operation))
        if self.operator in LOOKS and self.acts():
            self.looked = not self.looked
        return reply

    def key_of(self, operation: Operation) -> str:
        """Return the last path value of what is being carried out, empty without one."""
        names = path_parameters(operation)
        return self.ask.path[names[-1]] if names and self.ask is not None else ""

    def _with_others(self, reply: Reply) -> Reply:
        document = msgspec.json.decode(reply.body)
        held = document.get(self._slot, document) if isinstance(document, dict) else document
        for item in held if isinstance(held, list) else [held]:
            item.update({n: other_than(v) for n, v in item.items() if n not in (self.identifier, "record_type")})
        return json_reply(reply.status, msgspec.json.encode(document))

    def acts(self, operator: str = "") -> bool:
        """Whether the operation that the fault is about is being carried out."""
        mine = self.ask is not None and self.ask.operation.id == self._operation
        return mine and operator in ("", self.operator)

    def is_creating(self) -> bool:
        """Whether a creation is being carried out."""
        return self.ask is not None and self.ask.operation in self.life.creates

    @property
    def body(self) -> dict[str, Any]:
        """What is asked for now."""
        body = self.ask.body if self.ask is not None else None
        return body if isinstance(body, dict) else {}


def _enum(edition: Edition, body: Mapping[str, Any], name: str) -> tuple[Any, ...]:
    return tuple(edition.resolve(properties_of(edition, body)[name]).get("enum", ()))
