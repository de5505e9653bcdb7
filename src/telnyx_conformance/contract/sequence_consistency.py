"""What no schema can say of a sequence contract: every name is borne by something, and some history can satisfy it."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from telnyx_conformance.contract.sequence import (
    Await,
    Expectation,
    FarEnd,
    Order,
    Reference,
    Repeat,
    Send,
    Sequence,
    Symbol,
    Timing,
    reference,
    symbols,
)
from telnyx_conformance.errors import ContractError, nearest

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

Name = tuple[str, str, set[str]]
"""A name that a sequence uses: its kind, the name, and those that are declared."""


def prove_consistent(sequence: Sequence) -> None:
    """Raise `ContractError` for the first name that nothing bears, or the first contradiction."""
    where = f"{sequence.file}: /{sequence.name}"
    for kind, name, known in _names(sequence):
        if name not in known:
            near = nearest(name, known)
            raise ContractError(
                f"no such {kind} in this sequence",
                expected=", ".join(sorted(known)) or "none is declared",
                got=name,
                where=where,
                advice=f"did you mean {near}?" if near else "",
            )
    _prove_distinct(sequence, where)
    for item in sequence.wanted.values():
        for expected in item.payload:
            if expected.field == "conference_id" and item.leg in sequence.conferences:
                raise ContractError(
                    "a rule that nothing can break: by this field the event is recognised",
                    got=expected.field,
                    where=f"{where}/{item.name}",
                )
            if expected.rule == "each" and len(expected.value) != item.times:
                raise ContractError(
                    "each names one value for each time that the event occurs",
                    expected=f"{item.times} values",
                    got=f"{len(expected.value)} for {expected.field}",
                    where=f"{where}/{item.name}",
                )
    pairs = [(order.first, order.second) for order in sequence.before]
    said = ", ".join(f"{first} < {second}" for first, second in pairs)
    if len(set(pairs)) < len(pairs):
        raise ContractError("an order is given twice", got=said, where=f"{where}/before")
    if _cyclic(pairs):
        raise ContractError("an order that no history can have", got=said, where=f"{where}/before")


def _prove_distinct(sequence: Sequence, where: str) -> None:
    seen: set[tuple[str, str, str]] = set()
    never = {(item.event, item.leg) for item in sequence.never}
    for item in sequence.wanted.values():
        slot = item.event, item.leg, repr(item.where)
        if slot in seen or (item.event, item.leg) in never:
            raise ContractError(
                "an event of a leg may be named once only, in must, may or never",
                got=f"{item.event} on leg {item.leg}",
                where=where,
                advice="where tells several events of one type and leg apart",
            )
        seen.add(slot)
    if len(never) < len(sequence.never):
        raise ContractError("an event of a leg may be named once only", got="twice in never", where=where)
    both = {item.name for item in sequence.must} & {item.name for item in sequence.may}
    if both:
        raise ContractError("one name in both must and may", got=", ".join(sorted(both)), where=where)
    steps = _step_names(sequence)
    if len(set(steps)) < len(steps):
        raise ContractError("two steps bear one name", got=", ".join(steps), where=where)


def _step_names(sequence: Sequence) -> list[str]:
    return [step.name for step in sequence.every_step if isinstance(step, Send | Repeat)]


def _names(sequence: Sequence) -> Iterator[Name]:
    legs, events, steps = set(sequence.legs), set(sequence.wanted), set(_step_names(sequence))
    given = {item.leg for item in sequence.given}
    yield from (("leg", leg, legs) for leg in given)
    yield from (("step", step, steps) for step in (*sequence.created.values(), *sequence.conferences.values()))
    yield from (("given leg", leg, given) for leg in legs - set(sequence.created) - set(sequence.conferences))
    yield from (("leg", item.leg, legs) for item in sequence.wanted.values())
    yield from (("leg", item.leg, legs) for item in sequence.never)
    yield from _of_wanted(sequence, steps | given, events)
    yield from _of_steps(sequence, legs, steps, events)
    related: tuple[Order | Timing, ...] = (*sequence.before, *sequence.timing)
    pairs = [(item.first, item.second) for item in related]
    yield from (("event", name, events) for name in (*sequence.complete, *itertools.chain.from_iterable(pairs)))


def _of_wanted(sequence: Sequence, sources: set[str], events: set[str]) -> Iterator[Name]:
    inboxes = {symbol.name for symbol in _symbols(sequence) if symbol.kind == "inbox"}
    for wanted in sequence.wanted.values():
        for expected in (*wanted.where, *wanted.payload):
            yield from _referred(expected, sources, events)
        if wanted.delivery and wanted.delivery.inbox:
            yield "inbox", wanted.delivery.inbox, inboxes
    receivers = {symbol.name for symbol in _symbols(sequence) if symbol.kind in ("socket", "port")}
    for listener in sequence.streams:
        yield "socket or port", listener.word, receivers
        yield "leg", listener.leg, set(sequence.legs)
    for answer in sequence.answers:
        of_list = answer.expected.field.partition(".")[0]
        if len(of_list) == 1 and of_list.isupper():
            yield "leg", of_list, set(sequence.legs)
        yield "step", answer.step, set(_step_names(sequence))
        yield from _referred(answer.expected, sources, events)


def _referred(expected: Expectation, sources: set[str], events: set[str]) -> Iterator[Name]:
    if isinstance(expected.value, Reference):
        if expected.rule == "same_as":
            yield "event", expected.value.step, events
        else:
            yield "step or given leg", expected.value.step, sources


def _of_steps(sequence: Sequence, legs: set[str], steps: set[str], events: set[str]) -> Iterator[Name]:
    for step in sequence.every_step:
        if isinstance(step, Send | FarEnd):
            if step.leg:
                yield "leg", step.leg, legs
            yield from (("leg", caused.leg, legs) for caused in step.causes)
        elif isinstance(step, Repeat):
            yield "step", step.of, steps
        elif isinstance(step, Await):
            yield from (("event", name, events) for name in step.events)
    for symbol in _symbols(sequence):
        if symbol.kind == "leg":
            yield "leg", symbol.name, legs
        elif symbol.kind == "returned":
            yield "step or given leg", reference(symbol.name).step, steps | {item.leg for item in sequence.given}


def _symbols(sequence: Sequence) -> Iterator[Symbol]:
    for step in sequence.every_step:
        if isinstance(step, Send):
            yield from symbols([step.request, step.path, step.query])
    for given in sequence.given:
        yield from symbols(given.request)


def _cyclic(pairs: Iterable[tuple[str, str]]) -> bool:
    left = set(pairs)
    while left:
        later = {b for _, b in left}
        removable = {(a, b) for a, b in left if a not in later}
        if not removable:
            return True
        left -= removable
    return False
