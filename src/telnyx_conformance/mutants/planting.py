"""From a mutant to the fault that makes the emulator one: each family of faults is a class, switched on in its own layer."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from msgspec.structs import replace

from telnyx_conformance.contract.constraints import constraints_of
from telnyx_conformance.contract.deliveries import load_deliveries
from telnyx_conformance.contract.exchange_requirements import FILTER, PAGE_NUMBER, PAGE_SIZE, SORTS
from telnyx_conformance.contract.fields import fields_of
from telnyx_conformance.contract.nodes import reader_of
from telnyx_conformance.contract.sequence import COMMAND
from telnyx_conformance.contract.sequences import load_sequences
from telnyx_conformance.contract.validators import compiled
from telnyx_conformance.emulator import refusals
from telnyx_conformance.emulator.account import Refusal
from telnyx_conformance.emulator.core import NOTHING_SAID
from telnyx_conformance.emulator.credentials import Unauthenticated
from telnyx_conformance.emulator.fault import Arrival, Fault
from telnyx_conformance.emulator.reply import json_reply
from telnyx_conformance.emulator.routing import PREFIXES
from telnyx_conformance.emulator.validation import Unreadable
from telnyx_conformance.errors import HarnessError
from telnyx_conformance.mutants.events import EventFault
from telnyx_conformance.mutants.journeys import DeliveryFault
from telnyx_conformance.mutants.lives import LifeFault
from telnyx_conformance.mutants.replies import ReplyFault
from telnyx_conformance.mutants.robustness import fault_of
from telnyx_conformance.mutants.rules import RuleFault, WordingFault, branch_of
from telnyx_conformance.mutants.sequences import answer_of
from telnyx_conformance.mutants.strays import ListedFault, StrayFault
from telnyx_conformance.mutants.streams import StreamFault
from telnyx_conformance.mutants.transitions import OPERATORS, TransitionFault

if TYPE_CHECKING:
    from collections.abc import Callable

    from telnyx_conformance.contract.model import Edition, Operation
    from telnyx_conformance.contract.sequence import Sequence
    from telnyx_conformance.emulator.account import Ask
    from telnyx_conformance.emulator.reply import Reply
    from telnyx_conformance.mutants.mutant import Mutant

SITUATIONS = {
    "missing-key-accepted": "no_credentials",
    "malformed-key-accepted": "malformed_key",
    "foreign-key-accepted": "unknown_key",
    "malformed-body-accepted": "malformed_json",
    "foreign-media-type-accepted": "wrong_content_type",
}
WORDED = ("pointer-", "parameter-", "code-")
WHOLE = ("never-answers", "answer-cut", "key-echoed", "default-wrong")
FAR = 1000  # pages from here on are beyond the end


def plant(edition: Edition, mutant: Mutant) -> Fault:
    """Return the fault of a mutant, to be given to an `Emulator` of the same edition."""
    operation = edition.operation(mutant.operation)
    if mutant.operator in OPERATORS.values():
        return TransitionFault(mutant.site, mutant.variant)
    if mutant.sequence or mutant.delivery:
        return _in_a_contract(edition, mutant)
    return LifeFault(mutant, edition) if mutant.category == "state" else _of_requests(edition, operation, mutant)


def _of_requests(edition: Edition, operation: Operation, mutant: Mutant) -> Fault:
    if mutant.operator in SITUATIONS or mutant.operator == "unknown-resource-found":
        return Overlooking(operation, SITUATIONS.get(mutant.operator, ""))
    if mutant.operator in WHOLE:
        return fault_of(mutant.operator, mutant.variant, mutant.site.partition(":")[2], edition, operation)
    if mutant.operator in ARRIVALS:
        return Turning(mutant, operation)
    if mutant.category == "validation" or mutant.operator.startswith(WORDED):
        return _at_a_field(edition, operation, mutant)
    return Listing(mutant, operation) if mutant.operator in QUERIES else ReplyFault(mutant, edition, operation)


def _in_a_contract(edition: Edition, mutant: Mutant) -> Fault:
    if mutant.delivery:
        [contract] = [d for d in load_deliveries(edition.name) if d.name == mutant.delivery]
        return DeliveryFault(mutant, contract)
    [sequence] = [s for s in load_sequences(edition.name) if s.name == mutant.sequence]
    return plant_in(edition, mutant, sequence)


def plant_in(edition: Edition, mutant: Mutant, sequence: Sequence) -> Fault:
    """Return the fault of a mutant that a sequence shows."""
    if mutant.category == "responses":
        operation, before = answer_of(sequence, mutant.site)
        if mutant.variant == "more":
            return ListedFault(mutant.site.split(".", 2)[2], operation, skipped=before)
        return ReplyFault(mutant, edition, edition.operation(operation), skipped=before)
    if mutant.variant == "stray":
        operation, before = answer_of(sequence, f"{sequence.name}.{COMMAND}")
        return StrayFault(mutant.kind, sequence, operation, skipped=before)
    return StreamFault(mutant) if mutant.kind == "stream" else EventFault(mutant, sequence)


def _at_a_field(edition: Edition, operation: Operation, mutant: Mutant) -> Fault:
    reader = reader_of(edition)
    for field in fields_of(edition, operation):
        if field.place != mutant.site:
            continue
        held = constraints_of(reader, field)
        constraint = next((c for c in held if c.kind == mutant.kind), None)
        if mutant.category == "responses":
            return WordingFault(mutant, operation, field, held)
        if constraint is not None:
            fault = RuleFault(mutant, operation, field, constraint)
            if constraint.rule == "alternative":
                fault.fits = compiled(edition.document, branch_of(field, constraint), "request").is_valid
            return fault
    raise HarnessError("no such place", where=mutant.id)


class Overlooking(Fault):
    """Lets through what credentials, syntax or the lack of a resource should have stopped."""

    def __init__(self, operation: Operation, situation: str) -> None:
        super().__init__()
        self._operation, self._situation = operation, situation

    def overlooks(self, operation: Operation, refused: Exception) -> bool:
        """Overlook what the fault is about."""
        if operation.id != self._operation.id:
            return False
        if isinstance(refused, Unauthenticated | Unreadable):
            let = refused.situation == self._situation
        else:
            let = not self._situation and isinstance(refused, Refusal)
        if let:
            self.bites()
        return let


class Turning(Fault):
    """Turns requests away, or takes them in, before anybody has looked at them."""

    def __init__(self, mutant: Mutant, operation: Operation) -> None:
        super().__init__()
        self._operator, self._operation = mutant.operator, operation
        self._media_type = mutant.kind.partition("media=")[2].encode()
        template = re.sub(r"\\{\w+\\}", "[^/]+", re.escape(PREFIXES[operation.server] + operation.path.rstrip("/")))
        self._path = re.compile(template + r"/?\Z")

    def routed(self, path: str, operation: Operation | None, arrival: Arrival) -> Reply | None:
        """Answer what the fault is about."""
        mine = operation is not None and operation.id == self._operation.id
        if self._operator == "method-allowed":
            if operation is not None or not self._path.match(path):
                return None
            self.bites()
            return json_reply(200, NOTHING_SAID)
        refused = ARRIVALS[self._operator](arrival) if mine else ""
        if mine and self._media_type and arrival.headers.get(b"content-type", b"").startswith(self._media_type):
            refused = "wrong_content_type"
        if not refused:
            return None
        self.bites()
        return json_reply(*refusals.of_situation(refused))


def _accept(arrival: Arrival) -> str:
    return "" if arrival.headers.get(b"accept", b"*/*") == b"*/*" else "unknown_route"


def _charset(arrival: Arrival) -> str:
    return "wrong_content_type" if b"charset" in arrival.headers.get(b"content-type", b"") else ""


def _lower_case(arrival: Arrival) -> str:
    return "malformed_key" if arrival.headers.get(b"authorization", b"").startswith(b"bearer ") else ""


ARRIVALS: dict[str, Callable[[Arrival], str]] = {
    "not-routed": lambda _: "unknown_route",
    "right-key-refused": lambda _: "unknown_key",
    "accept-refused": _accept,
    "charset-refused": _charset,
    "scheme-case-refused": _lower_case,
    "method-allowed": lambda _: "",
    "media-type-refused": lambda _: "",
}


class Listing(Fault):
    """Reads the query of a list wrongly."""

    def __init__(self, mutant: Mutant, operation: Operation) -> None:
        super().__init__()
        self._operation, self._site = operation, mutant.site.removeprefix("filter.")
        self._change = QUERIES[mutant.operator]

    def asked(self, ask: Ask) -> Ask:
        """Change the query."""
        if ask.operation.id != self._operation.id:
            return ask
        query = self._change(ask.query, self._site)
        if query != ask.query:
            self.bites()
        return replace(ask, query=query)


def _one_more(query: dict[str, object], _: str) -> dict[str, object]:
    size = query.get(PAGE_SIZE)
    return {**query, PAGE_SIZE: size + 1} if isinstance(size, int) else query


def _first_again(query: dict[str, object], _: str) -> dict[str, object]:
    number = query.get(PAGE_NUMBER)
    return {**query, PAGE_NUMBER: 1} if isinstance(number, int) and 1 < number < FAR else query


def _never_ends(query: dict[str, object], _: str) -> dict[str, object]:
    number = query.get(PAGE_NUMBER)
    return {**query, PAGE_NUMBER: 1} if isinstance(number, int) and number >= FAR else query


def _unfiltered(query: dict[str, object], site: str) -> dict[str, object]:
    kept: dict[str, object] = {}
    for name, value in query.items():
        found = FILTER.match(name)
        if found and found[1] + (f"[{found[2]}]" if found[2] else "") == site:
            continue
        if name == "filter" and isinstance(value, dict):
            kept[name] = {key: part for key, part in value.items() if key != site.partition("[")[0]}
        else:
            kept[name] = value
    return kept


def _reversed(query: dict[str, object], _: str) -> dict[str, object]:
    return {name: _opposite(value) if name in SORTS else value for name, value in query.items()}


def _opposite(value: object) -> object:
    if isinstance(value, list):
        return [_opposite(one) for one in value]
    return value.removeprefix("-") if str(value).startswith("-") and isinstance(value, str) else f"-{value}"


QUERIES = {
    "page-size-off-by-one": _one_more,
    "page-repeated": _first_again,
    "page-beyond-end": _never_ends,
    "filter-ignored": _unfiltered,
    "sort-reversed": _reversed,
}
