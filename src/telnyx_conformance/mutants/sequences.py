"""Faults that only a sequence of events can show: what becomes of a webhook on its way out, and how time passes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import msgspec

from telnyx_conformance.contract.model import Requirement
from telnyx_conformance.contract.sequence import Repeat, Send, Sequence
from telnyx_conformance.contract.sequence_requirements import sequence_requirements
from telnyx_conformance.errors import HarnessError
from telnyx_conformance.mutants.strays import OPERATORS as STRAYS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from telnyx_conformance.contract.model import Edition

Kind = Literal["webhooks", "time", "idempotency", "responses"]
PAYLOADS = {"hangup_cause": "cause-wrong", "client_state": "client-state-wrong"}


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """What a mutant of a sequence is made of; the words are those of `Mutant`."""

    id: str
    operator: str
    category: Kind
    site: str
    kind: str
    variant: str
    sees: tuple[str, ...]


class _Statement(msgspec.Struct, frozen=True):
    """One statement of a sequence: `place` is the part of its id behind the sequence's name, `known` are all statements' ids."""

    sequence: Sequence
    requirement: Requirement
    place: str
    known: frozenset[str]

    def other(self, place: str) -> str:
        """Return the id of another statement on the sequence's events."""
        return f"{self.sequence.command}:webhooks.{self.sequence.name}{place}"

    def fault(self, operator: str, variant: str, *also: str, category: Kind = "webhooks", own: bool = True) -> Row:
        """Return the row of a fault that this statement sees, and `also` others; not `own`: only the others."""
        return Row(
            id=f"{self.requirement.id}:{variant}", operator=operator, category=category,
            site=f"{self.sequence.name}{self.place}", kind=self.requirement.kind, variant=variant,
            sees=(self.requirement.id, *also) if own else also,
        )  # fmt: skip


def of_sequence(sequence: Sequence, edition: Edition) -> Iterator[Row]:
    """Yield every fault that the sequence can show."""
    binding = [r for r in sequence_requirements([sequence], edition) if r.level != "MAY"]
    known = frozenset(r.id for r in binding)
    for requirement in binding:
        make = STATEMENTS.get(requirement.kind)
        if make is not None:
            place = requirement.place.partition(".")[2].removeprefix(sequence.name)
            yield from make(_Statement(sequence, requirement, place, known))
    if _repeats_an_id(sequence):
        stem = f"{sequence.command}:commands.{sequence.name}"
        yield Row(
            id=f"{stem}:command-id:ignored", operator="command-id-ignored", category="idempotency", site=sequence.name,
            kind="command-id", variant="ignored", sees=(f"{sequence.command}:webhooks.{sequence.name}", stem),
        )  # fmt: skip


def _present(said: _Statement) -> Iterator[Row]:
    item = said.sequence.wanted[said.place.removeprefix(".")]
    legs = f"{said.sequence.command}:commands.{said.sequence.name}:legs"
    schema, session = said.other(":schema"), said.other(".call_session_id:share")
    yield said.fault("event-missing", "missing")
    yield said.fault("event-doubled", "doubled")
    yield said.fault("event-type-wrong", "type", said.other(":closed"))
    yield said.fault("leg-wrong", "leg", legs)
    if schema in said.known and not item.undocumented:
        yield said.fault("event-field-type", "schema", schema, own=False)
    if session in said.known:
        yield said.fault("session-wrong", "session", session, own=False)


def _unfollowed(said: _Statement) -> Iterator[Row]:
    bent = [item for item in said.sequence.must if said.requirement.kind != "schema" or not item.undocumented]
    if not bent:
        yield said.fault(STRAYS[said.requirement.kind], "stray")


def _payload(said: _Statement) -> Iterator[Row]:
    event, _, field = said.place.removeprefix(".").partition(".")
    if event in said.sequence.wanted:
        yield said.fault(PAYLOADS.get(field, "payload-wrong"), "changed")


def _timing(said: _Statement) -> Iterator[Row]:
    if said.place.endswith("less_than"):
        yield said.fault("timeout-late", "late", category="time")
        return
    second = said.place.partition("..")[2].rpartition(".")[0]
    yield said.fault("timeout-early", "early", category="time")
    yield said.fault("timeout-unit", "unit", said.other(f".{second}:present"), category="time")


def _delivery(said: _Statement) -> Iterator[Row]:
    delivery = said.sequence.wanted[said.place.removeprefix(".")].delivery
    if delivery is not None and delivery.inbox:
        yield said.fault("url-wrong", "url")
    if delivery is not None and delivery.method:
        yield said.fault("method-wrong", "method")


def _signature(said: _Statement) -> Iterator[Row]:
    yield said.fault("signature-wrong", "wrong")
    yield said.fault("signature-missing", "missing")


def _order(said: _Statement) -> Iterator[Row]:
    yield said.fault("event-before-cause", "before")


def _never(said: _Statement) -> Iterator[Row]:
    yield said.fault("event-that-must-not-be", "extra")


def _share(said: _Statement) -> Iterator[Row]:
    if said.place != ".call_session_id":
        yield said.fault("share-wrong", "share")


def _accepted(said: _Statement) -> Iterator[Row]:
    yield said.fault("command-refused", "refused", category="responses")


def _refused(said: _Statement) -> Iterator[Row]:
    step = next(s for s in said.sequence.sends if s.name == said.place.removeprefix("."))
    if step.refused and step.refused.code:
        yield said.fault("refusal-code-wrong", "code", category="responses")
    else:
        yield said.fault("refusal-status-wrong", "status", category="responses")


def _answer(said: _Statement) -> Iterator[Row]:
    step, _, field = said.place.removeprefix(".").partition(".")
    [rule] = [a.expected for a in said.sequence.answers if (a.step, a.expected.field) == (step, field)]
    item = field.partition(".")[0]
    if rule.value is None and (item.isdigit() or item.isupper()):
        # That a list lacks an item is not broken by changing those it has.
        yield said.fault("listed-too-much", "more", category="responses")
        return
    yield said.fault("answer-wrong", "null" if rule.rule == "present" else "changed", category="responses")


def _stream(said: _Statement) -> Iterator[Row]:
    aspect = said.place.rpartition(".")[2]
    yield said.fault(f"stream-{aspect}-wrong", aspect)


STATEMENTS: dict[str, Callable[[_Statement], Iterator[Row]]] = {
    "present": _present, "payload": _payload, "timing": _timing, "delivery": _delivery, "signature": _signature,
    "order": _order, "never": _never, "share": _share, "accepted": _accepted, "refused": _refused,
    "answer": _answer, "stream": _stream, **dict.fromkeys(STRAYS, _unfollowed),
}  # fmt: skip


def _repeats_an_id(sequence: Sequence) -> bool:
    sends = {step.name: step for step in sequence.steps if isinstance(step, Send)}
    repeated = [sends[s.of] for s in sequence.steps if isinstance(s, Repeat) and s.of in sends]
    return any("command_id" in step.request for step in repeated)


def answer_of(sequence: Sequence, site: str) -> tuple[str, int]:
    """Return the operation that a statement on a step's answer is about, and how many answers of it come before."""
    step = sequence.original(site.removeprefix(sequence.name).removeprefix(".").partition(".")[0])
    operations: list[str] = []
    for given in sequence.given:
        operations += ["DialCall"] if given.origin == "dialled" else []
        operations += ["AnswerCall"] if given.origin == "inbound" and given.state in ("answered", "ended") else []
        operations += ["HangupCall"] if given.state == "ended" else []
    for sent in sequence.every_step:
        if isinstance(sent, Send) and sent.name == step:
            return sent.operation, operations.count(sent.operation)
        operations += [sent.operation] if isinstance(sent, Send) else []
    raise HarnessError("a statement about no step", where=site)
