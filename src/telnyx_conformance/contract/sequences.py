"""Loading sequence contracts: `contracts/webhooks/*.yaml` (every edition) and `contracts/webhooks/<edition>/*.yaml`.

The format is described in `contracts/webhooks/README.md` and checked against `contracts/schemas/webhooks.schema.json`;
what no schema can say (a name that nothing bears, an order that no history can have) is checked here.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from telnyx_conformance.contract.document import contracts_folder, read_contract_file
from telnyx_conformance.contract.sequence import (
    COMMAND,
    Advance,
    Answer,
    Await,
    Caused,
    Delivery,
    Expectation,
    FarEnd,
    Given,
    Listener,
    Order,
    Refused,
    Repeat,
    Rule,
    Send,
    Sequence,
    Step,
    Symbol,
    Timing,
    Unwanted,
    Wanted,
    reference,
)
from telnyx_conformance.contract.sequence_consistency import prove_consistent
from telnyx_conformance.errors import ContractError

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
            prove_consistent(sequences[name])
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
        path=_values(node.get("path", {})),
        query=_values(node.get("query", {})),
    )
    created = {leg: COMMAND for leg, role in roles.items() if role == "created"}
    later = {leg: role for leg, role in roles.items() if isinstance(role, Mapping)}
    created |= {leg: role["created_by"] for leg, role in later.items() if "created_by" in role}
    prepare = tuple(_step(step, addressed) for step in node.get("prepare", ()))
    steps: tuple[Step, ...] = (command, *(_step(step, addressed) for step in node.get("then", ())))
    sent = [step.name for step in (*prepare, *steps) if isinstance(step, Send | Repeat)]
    in_order = sorted(created.items(), key=lambda row: sent.index(row[1]) if row[1] in sent else len(sent))
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
        created=dict(in_order),
        conferences={leg: role["conference"] for leg, role in later.items() if "conference" in role},
        prepare=prepare,
        steps=steps,
        must=must,
        may=tuple(_wanted(key, item, level, source) for key, item in node.get("may", {}).items()),
        never=tuple(
            Unwanted(
                event=item["event"],
                leg=item["leg"],
                undocumented=item.get("undocumented", False),
                level=item.get("level", level),
                source=item.get("source", source),
            )
            for item in node.get("never", ())
        ),
        before=tuple(order for item in node.get("before", ()) for order in _orders(item, level, source)),
        timing=tuple(_timing(item, level, source) for item in node.get("timing", ())),
        share=tuple(node.get("share", ())),
        streams=tuple(
            Listener(
                word=word,
                leg=item["leg"],
                form=item.get("form", "websocket"),
                tracks=tuple(item.get("tracks", ("inbound",))),
                digits=item.get("digits", ""),
                closed=item.get("closed", True),
                level=item.get("level", level),
                source=item.get("source", source),
            )
            for word, item in node.get("streams", {}).items()
        ),
        answers=tuple(
            Answer(step=step, expected=_expectation(field, value, level), source=source)
            for step, fields in node.get("answers", {}).items()
            for field, value in fields.items()
        ),
        complete=tuple(node.get("complete", [item.name for item in must])),
        signed=node.get("signed", True),
        level=level,
        source=source,
        file=file,
    )


def _request(node: Mapping[str, Any]) -> dict[str, Any]:
    return _values(node.get("request", {}))


def _values(node: Mapping[str, Any]) -> dict[str, Any]:
    return {field: _value(given) for field, given in node.items()}


def _value(node: Any) -> Any:
    if isinstance(node, list):
        return [_value(item) for item in node]
    if not isinstance(node, Mapping):
        return node
    [(kind, said)] = node.items()
    if kind == "literal":
        return said
    if kind == "object":
        return _values(said)
    return [Symbol("leg", leg) for leg in said] if kind == "legs" else Symbol(kind, said)


def _refused(node: Mapping[str, Any]) -> Refused | None:
    return Refused(**{"code": "", **node["refused"]}) if "refused" in node else None


def _step(node: Mapping[str, Any], addressed: str) -> Step:
    if "advance" in node:
        return Advance(seconds=float(node["advance"]))
    if "await" in node:
        return Await(events=tuple(node["await"]))
    if "repeat" in node:
        return Repeat(name=node["as"], of=node["repeat"], refused=_refused(node), times=node.get("times", 1))
    if "send" not in node:
        return _far_end(node)
    leg = node.get("to", addressed)
    return Send(
        name=node["as"],
        operation=node["send"],
        leg=leg,
        request=_request(node),
        refused=_refused(node),
        path=_values(node.get("path", {})),
        query=_values(node.get("query", {})),
        causes=_causes(node, leg),
    )


def _far_end(node: Mapping[str, Any]) -> FarEnd:
    if "hang_up" in node:
        leg = node["hang_up"]
        return FarEnd(act="hang_up", leg=leg, said="", causes=_causes(node, leg))
    leg = node["by"]
    causes = _causes(node, leg)
    if "press" in node:
        return FarEnd(act="press", leg=leg, said=node["press"], causes=causes)
    return FarEnd(act="say", leg=leg, said=node["say"], causes=causes)


def _causes(node: Mapping[str, Any], leg: str) -> tuple[Caused, ...]:
    named = [item if isinstance(item, Mapping) else {"event": item} for item in node.get("causes", ())]
    return tuple(
        Caused(item["event"], item.get("leg", leg), item.get("times", 1), item.get("undocumented", False))
        for item in named
    )


def _wanted(name: str, node: Mapping[str, Any], level: Level, source: str) -> Wanted:
    level = node.get("level", level)
    return Wanted(
        name=name,
        event=node["event"],
        leg=node["leg"],
        where=tuple(_expectation(field, value, level) for field, value in node.get("where", {}).items()),
        times=node.get("times", 1),
        undocumented=node.get("undocumented", False),
        payload=tuple(_expectation(field, value, level) for field, value in node.get("payload", {}).items()),
        delivery=Delivery(**node["delivery"]) if "delivery" in node else None,
        level=level,
        source=node.get("source", source),
    )


def _expectation(field: str, node: Any, level: Level) -> Expectation:
    if not isinstance(node, Mapping):
        return Expectation(field=field, rule="equals", value=node, level=level)
    level = node.get("level", level)
    rule: Rule
    for rule in ("echoes", "returned", "same_as"):
        if rule in node:
            return Expectation(field=field, rule=rule, value=reference(node[rule]), level=level)
    for rule in ("one_of", "each"):
        if rule in node:
            return Expectation(field=field, rule=rule, value=tuple(node[rule]), level=level)
    if "present" in node:
        return Expectation(field=field, rule="present", value=True, level=level)
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
