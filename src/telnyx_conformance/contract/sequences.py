"""Loading sequence contracts: `contracts/webhooks/*.yaml` (every edition) and `contracts/webhooks/<edition>/*.yaml`.

The format is described in `contracts/webhooks/README.md` and checked against `contracts/schemas/webhooks.schema.json`;
what no schema can say (a name that nothing bears, an order that no history can have) is checked here.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from telnyx_conformance.contract.document import contracts_folder, read_contract_file
from telnyx_conformance.contract.sequence import (
    COMMAND,
    Advance,
    Await,
    Delivery,
    Expectation,
    Given,
    Order,
    Reference,
    Refused,
    Repeat,
    Send,
    Sequence,
    Step,
    Symbol,
    Timing,
    Unwanted,
    Wanted,
)
from telnyx_conformance.errors import ContractError, nearest

if TYPE_CHECKING:
    from pathlib import Path

    from telnyx_conformance.contract.model import Level


def load_sequences(edition: str, folder: Path | None = None) -> tuple[Sequence, ...]:
    """Return the sequences that hold for an edition, in order of file and place.

    `folder` replaces `contracts/webhooks`. Raises `ContractError` for a file that breaks the schema, for a name that
    nothing bears, and for a contract that contradicts itself.
    """
    base = folder or contracts_folder() / "webhooks"
    sequences: dict[str, Sequence] = {}
    for file in (*sorted(base.glob("*.yaml")), *sorted((base / edition).glob("*.yaml"))):
        for name, node in read_contract_file(file, "webhooks").items():
            if name in sequences:
                raise ContractError("two sequences bear one name", got=name, where=f"{file} and {sequences[name].file}")
            sequences[name] = _sequence(name, node, str(file))
            _consistent(sequences[name])
    return tuple(sequences.values())


def _sequence(name: str, node: Mapping[str, Any], file: str) -> Sequence:
    level, source = node["level"], node["source"]
    roles = node["legs"]
    addressed = next((leg for leg, role in roles.items() if role == "addressed"), "")
    command = Send(
        name=COMMAND,
        operation=node["command"],
        leg=addressed,
        request=_request(node),
        refused=_refused(node),
    )
    created = {leg: COMMAND for leg, role in roles.items() if role == "created"}
    created |= {leg: role["created_by"] for leg, role in roles.items() if isinstance(role, Mapping)}
    must = tuple(_wanted(key, item, level, source) for key, item in node.get("must", {}).items())
    return Sequence(
        name=name,
        command=node["command"],
        claim=node["claim"],
        given=tuple(
            Given(leg=leg, state=item["state"], origin=item.get("origin", "dialled"), request=_request(item))
            for leg, item in node.get("given", {}).items()
        ),
        legs=tuple(roles),
        created=created,
        steps=(command, *(_step(step, addressed) for step in node.get("then", ()))),
        must=must,
        may=tuple(_wanted(key, item, level, source) for key, item in node.get("may", {}).items()),
        never=tuple(
            Unwanted(
                event=item["event"],
                leg=item["leg"],
                level=item.get("level", level),
                source=item.get("source", source),
            )
            for item in node.get("never", ())
        ),
        before=tuple(order for item in node.get("before", ()) for order in _orders(item, level, source)),
        timing=tuple(_timing(item, level, source) for item in node.get("timing", ())),
        share=tuple(node.get("share", ())),
        complete=tuple(node.get("complete", [item.name for item in must])),
        signed=node.get("signed", True),
        level=level,
        source=source,
        file=file,
    )


def _request(node: Mapping[str, Any]) -> dict[str, Any]:
    def value(given: Any) -> Any:
        if not isinstance(given, Mapping):
            return given
        [(kind, name)] = given.items()
        return name if kind == "literal" else Symbol(kind, name)

    return {field: value(given) for field, given in node.get("request", {}).items()}


def _refused(node: Mapping[str, Any]) -> Refused | None:
    return Refused(**node["refused"]) if "refused" in node else None


def _step(node: Mapping[str, Any], addressed: str) -> Step:
    if "advance" in node:
        return Advance(seconds=float(node["advance"]))
    if "await" in node:
        return Await(events=tuple(node["await"]))
    if "repeat" in node:
        return Repeat(name=node["as"], of=node["repeat"], refused=_refused(node))
    return Send(
        name=node["as"],
        operation=node["send"],
        leg=node.get("to", addressed),
        request=_request(node),
        refused=_refused(node),
    )


def _wanted(name: str, node: Mapping[str, Any], level: Level, source: str) -> Wanted:
    level = node.get("level", level)
    return Wanted(
        name=name,
        event=node["event"],
        leg=node["leg"],
        payload=tuple(_expectation(field, value, level) for field, value in node.get("payload", {}).items()),
        delivery=Delivery(**node["delivery"]) if "delivery" in node else None,
        level=level,
        source=node.get("source", source),
    )


def _expectation(field: str, node: Any, level: Level) -> Expectation:
    if not isinstance(node, Mapping):
        return Expectation(field=field, rule="equals", value=node, level=level)
    level = node.get("level", level)
    for rule in ("echoes", "returned"):
        if rule in node:
            step, _, name = node[rule].rpartition(".")
            return Expectation(field=field, rule=rule, value=Reference(step or COMMAND, name), level=level)
    if "one_of" in node:
        return Expectation(field=field, rule="one_of", value=tuple(node["one_of"]), level=level)
    return Expectation(field=field, rule="equals", value=node["is"], level=level)


def _orders(node: Any, level: Level, source: str) -> Iterator[Order]:
    graded = node if isinstance(node, Mapping) else {"order": node}
    for first, second in itertools.pairwise(graded["order"]):
        yield Order(
            first=first,
            second=second,
            level=graded.get("level", level),
            source=graded.get("source", source),
        )


def _timing(node: Mapping[str, Any], level: Level, source: str) -> Timing:
    return Timing(
        first=node["from"],
        second=node["to"],
        at_least=node.get("at_least"),
        less_than=node.get("less_than"),
        level=node.get("level", level),
        source=node.get("source", source),
    )


def _consistent(sequence: Sequence) -> None:
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
    seen: set[tuple[str, str]] = set()
    for event, leg in _events(sequence):
        if (event, leg) in seen:
            raise ContractError(
                "an event of a leg may be named once only, in must, may or never",
                got=f"{event} on leg {leg}",
                where=where,
            )
        seen.add((event, leg))
    both = {item.name for item in sequence.must} & {item.name for item in sequence.may}
    if both:
        raise ContractError("one name in both must and may", got=", ".join(sorted(both)), where=where)
    steps = [step.name for step in sequence.sends]
    if len(set(steps)) < len(steps):
        raise ContractError("two steps bear one name", got=", ".join(steps), where=where)
    pairs = [(order.first, order.second) for order in sequence.before]
    said = ", ".join(f"{first} < {second}" for first, second in pairs)
    if len(set(pairs)) < len(pairs):
        raise ContractError("an order is given twice", got=said, where=f"{where}/before")
    if _cyclic(pairs):
        raise ContractError("an order that no history can have", got=said, where=f"{where}/before")


def _events(sequence: Sequence) -> Iterator[tuple[str, str]]:
    yield from ((item.event, item.leg) for item in sequence.wanted.values())
    yield from ((item.event, item.leg) for item in sequence.never)


def _names(sequence: Sequence) -> Iterator[tuple[str, str, set[str]]]:
    """Yield every name that a sequence uses: its kind, the name, and those that are declared."""
    legs, events, steps = set(sequence.legs), set(sequence.wanted), {step.name for step in sequence.sends}
    given = {item.leg for item in sequence.given}
    inboxes = {
        value.name
        for request in (
            *(s.request for s in sequence.steps if isinstance(s, Send)),
            *(g.request for g in sequence.given),
        )
        for value in request.values()
        if isinstance(value, Symbol) and value.kind == "inbox"
    }
    yield from (("leg", leg, legs) for leg in given)
    yield from (("step", step, steps) for step in sequence.created.values())
    yield from (("given leg", leg, given) for leg in legs - set(sequence.created))
    yield from (("leg", leg, legs) for _, leg in _events(sequence))
    for wanted in sequence.wanted.values():
        for expected in wanted.payload:
            if isinstance(expected.value, Reference):
                yield "step or given leg", expected.value.step, steps | given
        if wanted.delivery and wanted.delivery.inbox:
            yield "inbox", wanted.delivery.inbox, inboxes
    for step in sequence.steps:
        if isinstance(step, Send) and step.leg:
            yield "leg", step.leg, legs
        elif isinstance(step, Repeat):
            yield "step", step.of, steps
        elif isinstance(step, Await):
            yield from (("event", name, events) for name in step.events)
    related: tuple[Order | Timing, ...] = (*sequence.before, *sequence.timing)
    pairs = [(item.first, item.second) for item in related]
    yield from (("event", name, events) for name in (*sequence.complete, *itertools.chain.from_iterable(pairs)))


def _cyclic(pairs: Iterable[tuple[str, str]]) -> bool:
    left = set(pairs)
    while left:
        later = {b for _, b in left}
        removable = {(a, b) for a, b in left if a not in later}
        if not removable:
            return True
        left -= removable
    return False
