"""What a delivery contract requires, statement by statement: the one list that plan, judge and certificate share.

A statement's id is `<operation>:webhooks.<contract>[.<place>]:<kind>`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, get_args

import msgspec

from telnyx_conformance.contract.delivery import Command
from telnyx_conformance.contract.files import suggestion
from telnyx_conformance.contract.model import Edition, Level, Requirement
from telnyx_conformance.contract.sequence_requirements import event_type, weaker
from telnyx_conformance.errors import ContractError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from telnyx_conformance.contract.delivery import DeliveryContract, Logged, Tried

DeliveryKind = Literal[
    "attempt", "method", "meta", "signature", "query", "event-id", "body", "attempts", "backoff", "silence",
    "concurrency", "version", "timing", "absence", "logged", "log-status", "log-attempts", "log-errors", "log-http",
]  # fmt: skip
DELIVERY_KINDS: tuple[DeliveryKind, ...] = get_args(DeliveryKind)
# Kinds that are never a MUST: the documentation speaks of them in examples, for messages only, or against itself.
LEVELS: dict[str, Level] = {"meta": "SHOULD", "body": "SHOULD", "attempts": "SHOULD", "backoff": "SHOULD"}
LOG_OPERATIONS = ("GetWebhookDeliveries", "GetWebhookDelivery")


class DeliveryStatement(msgspec.Struct, frozen=True, kw_only=True):
    """One statement of a contract. `subject` is the part of the contract it is about; its type follows from `kind`."""

    id: str
    kind: DeliveryKind
    place: str
    level: Level
    statement: str
    source: str
    subject: Any = None


def delivery_statements(contract: DeliveryContract) -> tuple[DeliveryStatement, ...]:
    """Return the statements of a contract, in a fixed order. One about the log says nothing of the attempts themselves."""
    parts = (_of_the_log,) if contract.log else (_of_attempts, _of_the_whole)
    return tuple(one for part in parts for one in part(contract))


def delivery_requirements(contracts: Iterable[DeliveryContract], edition: Edition) -> tuple[Requirement, ...]:
    """Return the requirements of the contracts. Raises `UsageError` for an operation, field or event the edition lacks."""
    found: list[Requirement] = []
    for contract in contracts:
        _known_to(edition, contract)
        operation = edition.operation(contract.operation)
        found += [
            Requirement(
                id=one.id,
                operation=operation.id,
                group=operation.group,
                conformance_class="webhooks",
                level=one.level,
                kind=one.kind,
                place=one.place,
                statement=one.statement,
                source=one.source,
            )
            for one in delivery_statements(contract)
        ]
    return tuple(found)


def _of_attempts(contract: DeliveryContract) -> Iterator[DeliveryStatement]:
    event, is_signed = contract.event, contract.version == "2"
    for number, one in enumerate(contract.attempts, 1):
        which = f"attempt {number} to deliver {event}"
        yield _one(contract, "attempt", one.name, f"{which} is made, at the inbox {one.inbox}", (number, one))
        if one.method:
            yield _one(contract, "method", one.name, f"{which} is made by {one.method}", (number, one))
        if one.method == "GET":
            yield _one(contract, "query", one.name, f"{which} carries the event in its query", (number, one))
        elif is_signed:  # what a signature covers when there is no body is documented nowhere
            said = f"{which} has a valid Ed25519 signature over its own raw body and a fresh timestamp"
            yield _one(contract, "signature", one.name, said, (number, one))
        else:
            said = f"{which} carries X-Telnyx-Signature"
            yield _one(contract, "signature", one.name, said, (number, one), level="MAY")
        if is_signed:
            yield from _meta(contract, number, one)


def _meta(contract: DeliveryContract, number: int, one: Tried) -> Iterator[DeliveryStatement]:
    said = f"meta.attempt is {number}"
    yield _one(contract, "meta", f"{one.name}.attempt", said, (number, one, "attempt"))
    said = f"meta.delivered_to is the address of the inbox {one.inbox}"
    yield _one(contract, "meta", f"{one.name}.delivered_to", said, (number, one, "delivered_to"))


def _of_the_whole(contract: DeliveryContract) -> Iterator[DeliveryStatement]:
    event, count = contract.event, len(contract.attempts)
    if contract.attempts:
        yield _one(contract, "version", "", f"{event} has the form of API version {contract.version}")
        said = f"there are no more than {count} attempts to deliver {event}"
        # Version 1 does not number attempts, so that one more cannot be told from a webhook that is delivered twice.
        yield _one(contract, "attempts", "", said, level="MUST" if contract.version == "2" else "MAY")
    if count > 1:
        yield _one(contract, "event-id", "", f"every attempt to deliver {event} carries the same event id")
        yield _one(contract, "body", "", "the body stays the same byte for byte but for meta")
    if contract.backoff is not None:
        back = contract.backoff
        said = (
            f"the first wait lasts {back.at_least:g} s or more, each next one {back.factor:g} times as long or longer"
        )
        yield _one(contract, "backoff", "", said, back)
    for inbox in contract.silent:
        yield _one(contract, "silence", inbox, f"nothing is delivered to the inbox {inbox}", inbox)
    for other in contract.meanwhile:
        said = f"{other} is delivered before the last attempt to deliver {event}"
        yield _one(contract, "concurrency", other, said, other)
    if contract.since is not None:
        since = contract.since
        bounds = [f"at least {since.at_least:g} s" if since.at_least is not None else "",
                  f"less than {since.less_than:g} s" if since.less_than is not None else ""]  # fmt: skip
        said = f"{event} occurs {' and '.join(filter(None, bounds))} after {since.event}"
        yield _one(contract, "timing", since.event, said, since)
    for other in contract.never:
        yield _one(contract, "absence", other, f"{other} does not occur", other)


def _of_the_log(contract: DeliveryContract) -> Iterator[DeliveryStatement]:
    log = contract.log
    if log is None:
        return
    event, count = contract.event, len(log.attempts)
    yield _one(contract, "logged", "", f"the delivery log holds {event}")
    yield _one(contract, "log-status", "", f"the log calls the delivery of {event} {log.status}", log.status)
    yield _one(contract, "log-attempts", "", f"the log tells of {count} attempts", count)
    for number, one in enumerate(log.attempts, 1):
        yield from _logged(contract, number, one)


def _logged(contract: DeliveryContract, number: int, one: Logged) -> Iterator[DeliveryStatement]:
    which, place = f"the log's attempt {number}", f"attempt-{number}"
    yield _one(contract, "log-status", place, f"{which} is called {one.status}", (number, one))
    errors = ", ".join(map(str, one.errors)) or "none"
    yield _one(contract, "log-errors", place, f"{which} names the errors {errors}", (number, one))
    answer = f"the answer {one.answered}" if one.answered else "no answer"
    said = f"{which} tells of a request to the inbox {one.inbox} and of {answer}"
    yield _one(contract, "log-http", place, said, (number, one))


def _one(  # noqa: PLR0917 - a private shorthand, read at a glance where it is used
    contract: DeliveryContract,
    kind: DeliveryKind,
    place: str,
    statement: str,
    subject: Any = None,
    level: Level = "MUST",
) -> DeliveryStatement:
    where = ".".join(filter(None, ("webhooks", contract.name, place)))
    own = contract.levels.get(kind, LEVELS.get(kind, "MUST"))
    return DeliveryStatement(
        id=f"{contract.operation}:{where}:{kind}",
        kind=kind,
        place=where,
        level=weaker(weaker(contract.level, own), level),
        statement=statement,
        source=contract.source,
        subject=subject,
    )


def _known_to(edition: Edition, contract: DeliveryContract) -> None:
    """Raise for the first word of a contract that the edition does not know."""
    where = f"{contract.file}: /{contract.name}"
    given = contract.given
    made, dial = edition.operation("CreateCallControlApplication"), edition.operation("DialCall")
    _fields(edition, made.id, given.application, where)
    _fields(edition, dial.id, given.request, where)
    for step in given.then:
        if isinstance(step, Command):
            _fields(edition, step.operation, step.request, where)
    if contract.log is not None and contract.operation not in LOG_OPERATIONS:
        advice = f"a statement about the log belongs to {' or '.join(LOG_OPERATIONS)}"
        raise ContractError("not the log's operation", got=contract.operation, where=where, advice=advice)
    _among("kind of statement", contract.levels, set(DELIVERY_KINDS), where)
    known = {event_type(callback, edition) for operation in edition.operations for callback in operation.callbacks}
    since = (contract.since.event,) if contract.since else ()
    _among("event", (contract.event, *contract.meanwhile, *contract.never, *since), known - {""}, where)


def _fields(edition: Edition, operation: str, request: Iterable[str], where: str) -> None:
    body = edition.operation(operation).body
    schema = edition.resolve(body.content[body.media_type]) if body else {}
    _among("field of the request", request, set(schema.get("properties", {})), where)


def _among(kind: str, words: Iterable[str], known: set[str], where: str) -> None:
    for word in words:
        if word not in known:
            advice = suggestion(word, sorted(known))
            raise ContractError(f"the edition knows no such {kind}", got=word, where=where, advice=advice)
