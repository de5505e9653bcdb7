"""Faults that only a webhook's journey can show, read off the delivery contracts: one statement, and what breaks it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from telnyx_conformance.contract.delivery import Answering, Command, DeliveryContract
from telnyx_conformance.contract.delivery_requirements import DeliveryStatement, delivery_statements
from telnyx_conformance.contract.sequence import Symbol
from telnyx_conformance.mutants.sequences import Row

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

RETRY_MISSING = {408: "throttled-not-retried", 429: "throttled-not-retried"}
FIRST = 1


class _Said(msgspec.Struct, frozen=True):
    """One statement of a contract."""

    contract: DeliveryContract
    statement: DeliveryStatement

    def other(self, place: str) -> str:
        """Return the id of another statement of the contract."""
        return f"{self.contract.operation}:webhooks.{self.contract.name}{place}"

    def fault(self, operator: str, variant: str, *also: str) -> Row:
        """Return the row of a fault that this statement sees, and `also` others."""
        one = self.statement
        place = one.place.removeprefix(f"webhooks.{self.contract.name}").removeprefix(".")
        return Row(
            id=f"{one.id}:{variant}", operator=operator, category="webhooks",
            site=f"{self.contract.name}.{place}" if place else self.contract.name, kind=one.kind, variant=variant,
            sees=(one.id, *also),
        )  # fmt: skip


def of_delivery(contract: DeliveryContract) -> Iterator[Row]:
    """Yield every fault that the contract can show."""
    for statement in delivery_statements(contract):
        if statement.level != "MAY":
            yield from STATEMENTS[statement.kind](_Said(contract, statement))


def answer_to(contract: DeliveryContract, number: int) -> Answering:
    """Return how the `number`-th attempt is answered; by 200 where the script says nothing."""
    inboxes = [one.inbox for one in (contract.log.attempts if contract.log else contract.attempts)]
    inbox = inboxes[number - 1]
    script = contract.given.inboxes[inbox]
    place = inboxes[: number - 1].count(inbox)
    return script[place] if place < len(script) else Answering()


def own_url(contract: DeliveryContract) -> bool:
    """Whether a command names an address of its own."""
    bodies = [contract.given.request, *(s.request for s in contract.given.then if isinstance(s, Command))]
    return any(isinstance(body.get("webhook_url"), Symbol) for body in bodies)


def _attempt(said: _Said) -> Iterator[Row]:
    number, one = said.statement.subject
    contract = said.contract
    if number == FIRST:
        if own_url(contract):
            yield said.fault("address-ignored", "ignored")
        else:
            yield said.fault("webhook-lost", "lost")
        if contract.given.application.get("first_command_timeout") and not contract.never:
            yield said.fault("first-command-ignored", "unlimited")
        return
    former = contract.attempts[number - 2]
    if former.inbox != one.inbox:
        yield said.fault("failover-missing", "missing")
        return
    before = answer_to(contract, number - 1)
    is_early = any(other.inbox != one.inbox for other in contract.attempts)
    if before.behaviour == "answers":
        operator = RETRY_MISSING.get(before.status, "failover-early" if is_early else "retry-missing")
    else:
        operator = "silence-not-retried"
    yield said.fault(operator, "missing")
    if before.behaviour == "slow":
        yield said.fault("timeout-ignored", "patient")


def _method(said: _Said) -> Iterator[Row]:
    yield said.fault("delivery-method-wrong", "method")


def _meta(said: _Said) -> Iterator[Row]:
    field = said.statement.subject[2]
    yield said.fault("attempt-count-wrong" if field == "attempt" else "delivered-to-wrong", "changed")


def _signature(said: _Said) -> Iterator[Row]:
    stem = "signature" if said.statement.subject[0] == FIRST else "retry"
    for variant in ("missing", "stale", "reencoded", "altered"):
        yield said.fault(f"{stem}-{variant}", variant)


def _query(said: _Said) -> Iterator[Row]:
    yield said.fault("query-empty", "empty")


def _event_id(said: _Said) -> Iterator[Row]:
    yield said.fault("retry-under-new-id", "fresh")


def _body(said: _Said) -> Iterator[Row]:
    yield said.fault("retry-body-altered", "altered")
    if said.contract.attempts[0].method != "GET":
        yield said.fault("retry-body-reencoded", "reencoded")


def _attempts(said: _Said) -> Iterator[Row]:
    contract = said.contract
    last = answer_to(contract, len(contract.attempts))
    also = tuple(said.other(f".{one.name}:attempt") for one in contract.attempts[1:])
    if last.status < 300:  # noqa: PLR2004 - RFC 9110, section 15.3
        yield said.fault("attempt-after-success", "again")
    elif last.location:
        yield said.fault("redirect-retried", "again")
    elif last.status < 500:  # noqa: PLR2004 - 5xx
        yield said.fault("refusal-retried", "again")
    else:
        yield said.fault("attempts-one-more", "more", *also)


def _backoff(said: _Said) -> Iterator[Row]:
    yield said.fault("backoff-missing", "none")
    yield said.fault("backoff-early", "early")
    yield said.fault("backoff-constant", "constant")


def _silence(said: _Said) -> Iterator[Row]:
    inbox, contract = said.statement.subject, said.contract
    targets = {one.location for script in contract.given.inboxes.values() for one in script}
    if inbox in targets:
        yield said.fault("redirect-followed", "followed")
    elif own_url(contract):
        yield said.fault("address-ignored", "ignored", said.other(f".{contract.attempts[0].name}:attempt"))
    else:
        yield said.fault("failover-early", "missing")


def _concurrency(said: _Said) -> Iterator[Row]:
    yield said.fault("event-held-up", "held")


def _version(said: _Said) -> Iterator[Row]:
    yield said.fault("version-wrong", "version")


def _timing(said: _Said) -> Iterator[Row]:
    yield said.fault("first-command-early", "early")
    yield said.fault("first-command-late", "late")


def _absence(said: _Said) -> Iterator[Row]:
    yield said.fault("event-unasked", "extra")


def _logged(said: _Said) -> Iterator[Row]:
    yield said.fault("log-entry-missing", "missing")


def _log_status(said: _Said) -> Iterator[Row]:
    subject = said.statement.subject
    if isinstance(subject, tuple):
        yield said.fault("log-attempt-status-wrong", "attempt-status")
    else:
        yield said.fault("log-status-wrong", "status")


def _log_attempts(said: _Said) -> Iterator[Row]:
    yield said.fault("log-attempt-missing", "attempt")


def _log_errors(said: _Said) -> Iterator[Row]:
    yield said.fault("log-error-wrong", "error")


def _log_http(said: _Said) -> Iterator[Row]:
    yield said.fault("log-address-wrong", "address")
    yield said.fault("log-answer-wrong", "answer")


STATEMENTS: dict[str, Callable[[_Said], Iterator[Row]]] = {
    "attempt": _attempt, "method": _method, "meta": _meta, "signature": _signature, "query": _query, "event-id": _event_id,
    "body": _body, "attempts": _attempts, "backoff": _backoff, "silence": _silence, "concurrency": _concurrency,
    "version": _version, "timing": _timing, "absence": _absence, "logged": _logged, "log-status": _log_status,
    "log-attempts": _log_attempts, "log-errors": _log_errors, "log-http": _log_http,
}  # fmt: skip
