"""What a sequence contract requires, statement by statement: the one list that plan, judge and certificate share.

A statement's id is `<command>:webhooks.<sequence>[.<place>]:<kind>`, or `…:commands.…` where it speaks of the command.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, get_args

import msgspec

from telnyx_conformance.contract.model import Callback, Edition, Level, Operation, Requirement
from telnyx_conformance.contract.sequence import (
    COMMAND,
    LEG_PARAMETER,
    Aspect,
    Caused,
    Delivery,
    Expectation,
    FarEnd,
    Listener,
    Reference,
    Repeat,
    Send,
    Sequence,
    Timing,
    Unwanted,
    Wanted,
)
from telnyx_conformance.errors import ContractError, nearest

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

Kind = Literal[
    "present", "payload", "order", "timing", "never", "share", "closed", "delivery", "signature", "schema",
    "legs", "accepted", "refused", "answer", "stream",
]  # fmt: skip
KINDS: tuple[Kind, ...] = get_args(Kind)
OF_COMMANDS: frozenset[Kind] = frozenset({"legs", "accepted", "refused", "answer"})
"""The kinds that belong to the class "commands"; all others belong to "webhooks"."""

STRENGTH: tuple[Level, ...] = ("MAY", "SHOULD", "MUST")


class Constraint(msgspec.Struct, frozen=True, kw_only=True):
    """One statement of a sequence. `subject` is the part of the contract it is about; its type follows from `kind`."""

    id: str
    kind: Kind
    place: str
    level: Level
    statement: str
    source: str
    subject: Any = None


def constraints(sequence: Sequence) -> tuple[Constraint, ...]:
    """Return the statements of a sequence, in the order of the contract."""
    parts = (_of_commands, _of_events, _of_relations, _of_streams, _of_the_whole)
    return tuple(one for part in parts for one in part(sequence))


def sequence_requirements(sequences: Iterable[Sequence], edition: Edition) -> tuple[Requirement, ...]:
    """Return the requirements of the sequences. Raises `UsageError` for a command, field or event the edition lacks."""
    found: list[Requirement] = []
    for sequence in sequences:
        _known_to(edition, sequence)
        operation = edition.operation(sequence.command)
        found += [
            Requirement(
                id=one.id,
                operation=operation.id,
                group=operation.group,
                conformance_class="commands" if one.kind in OF_COMMANDS else "webhooks",
                level=one.level,
                kind=one.kind,
                place=one.place,
                statement=one.statement,
                source=one.source,
            )
            for one in constraints(sequence)
        ]
    return tuple(found)


def event_type(callback: Callback, edition: Edition) -> str:
    """Return the `event_type` that a callback's schema fixes, empty when it fixes none or many."""
    data = edition.resolve(edition.resolve(callback.schema).get("properties", {}).get("data", {}))
    words = edition.resolve(data.get("properties", {}).get("event_type", {})).get("enum", [])
    return str(words[0]) if len(words) == 1 else ""


def _of_commands(sequence: Sequence) -> Iterator[Constraint]:
    operations = {step.name: step.operation for step in sequence.every_step if isinstance(step, Send)}
    for step in sequence.sends:
        original = sequence.original(step.name)
        said = operations[original] + ("" if step.name == COMMAND else f" ({step.name})")
        if step.refused:
            said += f" is refused with status {step.refused.status}"
            said += f" and code {step.refused.code}" if step.refused.code else ""
            yield _one(sequence, "refused", step.name, said, subject=step)
        else:
            level: Level = (
                "MUST" if original == step.name else "SHOULD"
            )  # how a repetition is answered is not documented
            said += f", {step.times} times at once," if isinstance(step, Repeat) and step.times > 1 else ""
            yield _one(sequence, "accepted", step.name, f"{said} is accepted", level, subject=step)
    for answer in sequence.answers:
        said = f"{answer.expected.field} of the answer of {answer.step} {_said(answer.expected)}"
        place = f"{answer.step}.{answer.expected.field}"
        yield _one(sequence, "answer", place, said, answer.expected.level, answer.source, answer)
    yield _one(sequence, "legs", "", f"the events are of the legs {', '.join(sequence.legs)} and of no other")


def _of_events(sequence: Sequence) -> Iterator[Constraint]:
    for item in sequence.must:
        often = "once" if item.times == 1 else f"{item.times} times"
        said = f"{item.event} occurs exactly {often} on leg {item.leg}{_selected(item)}"
        yield _one(sequence, "present", item.name, said, item.level, item.source, item)
    for item in sequence.wanted.values():
        for expected in item.payload:
            said = f"{expected.field} of {_event(item)} {_said(expected)}"
            place = f"{item.name}.{expected.field}"
            yield _one(sequence, "payload", place, said, expected.level, item.source, (item, expected))
        if item.delivery:
            said = f"{_event(item)} is delivered {_delivered(item.delivery)}"
            yield _one(sequence, "delivery", item.name, said, item.level, item.source, item)


def _of_relations(sequence: Sequence) -> Iterator[Constraint]:
    wanted = sequence.wanted
    for order in sequence.before:
        said = f"{_event(wanted[order.first])} does not occur after {_event(wanted[order.second])}"
        yield _one(sequence, "order", f"{order.first}<{order.second}", said, order.level, order.source, order)
    for timing in sequence.timing:
        bound, said = _bound(timing)
        said = f"{_event(wanted[timing.second])} occurs {said} after {_event(wanted[timing.first])}"
        place = f"{timing.first}..{timing.second}.{bound}"
        yield _one(sequence, "timing", place, said, timing.level, timing.source, timing)
    for field in sequence.share:
        yield _one(sequence, "share", field, f"all events have the same {field}", subject=field)


def _of_streams(sequence: Sequence) -> Iterator[Constraint]:
    for listener in sequence.streams:
        for aspect in listener.aspects:
            yield _one(
                sequence, "stream", f"{listener.word}.{aspect}", _heard(listener, aspect), listener.level, listener.source,
                (listener, aspect),
            )  # fmt: skip


def _heard(listener: Listener, aspect: Aspect) -> str:
    last = "stop last" if listener.closed else "no stop yet"
    said = {
        "flow": f"hears connected, then start, then media, {last}",
        "numbers": "hears messages of distinct numbers, of which start has the least and stop the greatest",
        "identity": f"hears messages of one stream, that of leg {listener.leg}",
        "format": "hears of what form the media are, and audio in each of their messages",
        "tracks": f"hears the tracks {', '.join(listener.tracks)} and no other",
        "digits": f"hears the keys {listener.digits}",
        "packets": "receives packets, each of them RTP",
    }
    return f"the {'socket' if listener.form == 'websocket' else 'port'} {listener.word} {said[aspect]}"


def _of_the_whole(sequence: Sequence) -> Iterator[Constraint]:
    for item in sequence.never:
        said = f"{item.event} does not occur on leg {item.leg}"
        yield _one(sequence, "never", f"{item.event}@{item.leg}", said, item.level, item.source, item)
    yield _one(sequence, "closed", "", "no event occurs besides those listed", "SHOULD")
    yield _one(sequence, "schema", "", "every event satisfies the schema of its callback")
    if sequence.signed:
        said = "every delivery carries a valid Ed25519 signature"
        yield _one(sequence, "signature", "", said, source="Webhook signing")


def _one(  # noqa: PLR0917 - a private shorthand, read at a glance where it is used
    sequence: Sequence,
    kind: Kind,
    place: str,
    statement: str,
    level: Level = "MUST",
    source: str = "",
    subject: Any = None,
) -> Constraint:
    family = "commands" if kind in OF_COMMANDS else "webhooks"
    where = ".".join(filter(None, (family, sequence.name, place)))
    return Constraint(
        id=f"{sequence.command}:{where}:{kind}",
        kind=kind,
        place=where,
        level=weaker(sequence.level, level),
        statement=statement,
        source=source or sequence.source,
        subject=subject,
    )


def weaker(left: Level, right: Level) -> Level:
    """Return the less binding of two levels."""
    return min(left, right, key=STRENGTH.index)


def _event(item: Wanted) -> str:
    return f"{item.event} on leg {item.leg}{_selected(item)}"


def _selected(item: Wanted) -> str:
    return "".join(f" where {selected.field} {_said(selected)}" for selected in item.where)


def _said(expected: Expectation) -> str:
    if expected.rule == "present":
        return "is present"
    if expected.rule == "each":
        return f"is, in order, {', '.join(str(value) for value in expected.value)}"
    if expected.rule == "same_as":
        return f"is the same as {expected.value.field} of {expected.value.step}"
    if isinstance(expected.value, Reference):
        kind = "request" if expected.rule == "echoes" else "answer"
        return f"equals {expected.value.field} of the {kind} of {expected.value.step}"
    if expected.rule == "one_of":
        return f"is one of {', '.join(str(value) for value in expected.value)}"
    return "is null or absent" if expected.value is None else f"is {expected.value}"


def _delivered(how: Delivery) -> str:
    return " ".join(
        filter(None, (f"to the inbox {how.inbox}" if how.inbox else "", f"by {how.method}" if how.method else ""))
    )


def _bound(timing: Timing) -> tuple[str, str]:
    """Return which bound a timing has, and the bound in words."""
    if timing.at_least is not None:
        return "at_least", f"at least {timing.at_least:g} s"
    return "less_than", f"less than {timing.less_than or 0:g} s"


def _known_to(edition: Edition, sequence: Sequence) -> None:
    """Raise `ContractError` for the first word of a sequence that the edition does not know."""
    where = f"{sequence.file}: /{sequence.name}"
    for step in sequence.every_step:
        if isinstance(step, Send):
            operation = edition.operation(step.operation)
            _among("field of the request", step.request, _fields(operation, edition), where)
            _addressable(step, operation, where)
    made = edition.by_id.get("DialCall")
    for given in sequence.given:
        if made and given.origin == "dialled":
            _among("field of the request", given.request, _fields(made, edition), where)
    events = {event_type(callback, edition) for operation in edition.operations for callback in operation.callbacks}
    caused = [one for step in sequence.prepare if isinstance(step, Send | FarEnd) for one in step.causes]
    said: tuple[Wanted | Unwanted | Caused, ...] = (*sequence.wanted.values(), *sequence.never, *caused)
    named = [item.event for item in said if not item.undocumented]
    _among("event", named, events - {""}, where)


def _addressable(step: Send, operation: Operation, where: str) -> None:
    """Raise `ContractError` unless every parameter of the path has a value, and no other is named."""
    wanted = {parameter.name for parameter in operation.parameters_in("path")}
    _among("parameter of the path", step.path, wanted, where)
    _among("parameter of the query", step.query, {p.name for p in operation.parameters_in("query")}, where)
    missing = wanted - set(step.path) - ({LEG_PARAMETER} if step.leg else set())
    if missing:
        raise ContractError(
            f"{step.name} does not say whom {operation.id} addresses",
            expected=f"path: {{{', '.join(sorted(missing))}}}" + (", or a leg" if LEG_PARAMETER in missing else ""),
            got="nothing",
            where=where,
        )


def _fields(operation: Operation, edition: Edition) -> set[str]:
    if operation.body is None:
        return set()
    schema = edition.resolve(operation.body.content[operation.body.media_type])
    return set(schema.get("properties", {}))


def _among(kind: str, words: Iterable[str], known: set[str], where: str) -> None:
    for word in words:
        if word not in known:
            near = nearest(word, known)
            advice = f"did you mean {near}?" if near else ""
            raise ContractError(f"the edition knows no such {kind}", got=word, where=where, advice=advice)
