"""Every check of a webhook's delivery is shown to fail: each row bends the outbox, and exactly what it breaks is reported."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace

from telnyx_conformance.contract.deliveries import load_deliveries
from telnyx_conformance.contract.delivery_requirements import DELIVERY_KINDS
from telnyx_conformance.contract.document import DEFAULT_EDITION
from telnyx_conformance.emulator.retries import Retries

if TYPE_CHECKING:
    from collections.abc import Iterable

    from telnyx_conformance.emulator.mail import Letter, Outgoing
    from telnyx_conformance.emulator.outbox import Delivery, Outbox

Bend = Callable[[Any], None]
ELSEWHERE = "00000000-0000-4000-8000-0000000000ff"
CONTRACTS = load_deliveries(DEFAULT_EDITION)


@dataclass(frozen=True)
class Row:
    """A planted fault and which requirements (behind the contract's name) it breaks. A check's name is that of the kind."""

    fault: str
    contract: str
    reported: tuple[str, ...]
    bend: Bend = field(hash=False)

    @property
    def kinds(self) -> set[str]:
        return {name.rpartition(":")[2] for name in self.reported}


def ruled(**rules: Any) -> Bend:
    """Keep to other rules: names of `Retries` and what they are instead."""

    def bend(outbox: Outbox) -> None:
        outbox.retries = type("Other", (Retries,), rules)()

    return bend


def drafted(change: Callable[[Letter], Letter], number: int = 2) -> Bend:
    """Change one attempt before it is signed."""

    def bend(outbox: Outbox) -> None:
        outbox.draft = lambda letter: change(letter) if letter.number == number else letter

    return bend


def sealed(change: Callable[[Letter], Letter], number: int = 2) -> Bend:
    """Change one attempt after it was signed."""

    def bend(outbox: Outbox) -> None:
        outbox.seal = lambda letter: change(letter) if letter.number == number else letter

    return bend


def told(change: Callable[[Delivery], Iterable[Delivery]]) -> Bend:
    def bend(outbox: Outbox) -> None:
        outbox.tell = change

    return bend


def posted(change: Callable[[Outbox, Outgoing], Iterable[Outgoing]]) -> Bend:
    """Send out something else than was posted."""

    def bend(outbox: Outbox) -> None:
        outbox.bend = lambda one: change(outbox, one)

    return bend


def reencoded(**how: Any) -> Callable[[Letter], Letter]:
    return lambda letter: replace(letter, body=json.dumps(json.loads(letter.body), **how).encode())


def swapped(old: bytes, new: bytes) -> Callable[[Letter], Letter]:
    def change(letter: Letter) -> Letter:
        assert old in letter.body
        return replace(letter, body=letter.body.replace(old, new))

    return change


def with_id(letter: Letter) -> Letter:
    document = json.loads(letter.body)
    return swapped(document["data"]["id"].encode(), ELSEWHERE.encode())(letter)


def without_payload(letter: Letter) -> Letter:
    return replace(letter, url=letter.url.replace("payload", "freight"))


def unsigned(letter: Letter) -> Letter:
    return replace(letter, headers={k: v for k, v in letter.headers.items() if not k.startswith("telnyx-")})


def held(outbox: Outbox, one: Outgoing) -> list[Outgoing]:
    if one.document["data"]["event_type"] != "call.hangup":
        return [one]
    outbox.clock.at(30, lambda: outbox.enqueue(one))
    return []


def hung_up_too(_: Outbox, one: Outgoing) -> list[Outgoing]:
    data = one.document["data"]
    if data["event_type"] != "call.answered":
        return [one]
    return [one, replace(one, document={"data": {**data, "id": ELSEWHERE, "event_type": "call.hangup"}})]


def of_version(version: Any) -> Bend:
    return posted(lambda _, one: [replace(one, version=version)])


def early(outbox: Outbox) -> None:
    outbox.clock.stretch = lambda delay: 5.0 if delay == 10 else delay


def first_attempt(**changes: Any) -> Callable[[Delivery], list[Delivery]]:
    return lambda one: [replace(one, attempts=(replace(one.attempts[0], **changes), *one.attempts[1:]))]


def after(seconds: Callable[[int, int], float | None]) -> Bend:
    return ruled(wait=lambda _, tries, status: seconds(tries, status))


SECOND = ("second:attempt",)
RETRIED = "delivery-retried-after-500"
ROWS = (
    Row("nothing is tried again", RETRIED, SECOND, after(lambda _, __: None)),
    Row("a closed connection is taken for an answer", "delivery-retried-after-closed-connection", SECOND,
        ruled(wait=lambda _, tries, status: Retries().wait(tries, status) if status else None)),
    Row("429 is final", "delivery-retried-after-429", SECOND,
        ruled(wait=lambda _, tries, status: Retries().wait(tries, status) if status != 429 else None)),
    Row("a slow receiver is waited for", "delivery-retried-after-timeout", SECOND, ruled(patience=lambda _, __: 9.0)),
    Row("404 is tried again", "delivery-not-retried-after-404", (":attempts",),
        after(lambda tries, status: 1.0 if status == 404 and tries < 3 else None)),
    Row("what has arrived is sent again", "delivery-once", (":attempts",),
        ruled(is_delivered=lambda _, __: False, wait=lambda _, tries, __: 1.0 if tries < 2 else None)),
    Row("204 is no success", "delivery-accepted-by-204", (":attempts",),
        ruled(is_delivered=lambda _, status: status == 200, wait=lambda _, tries, __: 1.0 if tries < 3 else None)),
    Row("there is a fourth attempt", "failover-exhausted", ("fourth:attempt", "fourth.delivered_to:meta", ":attempts"),
        after(lambda tries, _: 1.0 if tries < 4 else None)),
    Row("there is no failover", "failover-after-404", ("second:attempt",), ruled(fails_over=lambda _, __: False)),
    Row("the failover comes too early", "failover-after-500",
        ("second:attempt", "second.delivered_to:meta", "third:attempt", "fourth:attempt"), after(lambda _, __: None)),
    Row("a redirect is followed", "delivery-redirect-not-followed", ("elsewhere:silence",),
        ruled(follows_redirects=lambda _: True)),
    Row("a retry is put", RETRIED, ("second:method",), drafted(lambda letter: replace(letter, method="PUT"))),
    Row("a retry goes to the failover address", "failover-not-needed", ("second:attempt", "spare:silence"),
        drafted(lambda letter: replace(letter, url=letter.url.replace("-primary", "-spare")))),
    Row("attempts are counted wrongly", RETRIED, ("second.attempt:meta",), drafted(swapped(b'"attempt":2', b'"attempt":7'))),
    Row("attempts are not counted", RETRIED, ("second.attempt:meta",), drafted(swapped(b'"attempt":2', b'"attempt":1'))),
    Row("meta names another address", RETRIED, ("second.delivered_to:meta",),
        drafted(swapped(b'-primary"', b'-other"'))),
    Row("a retry is not signed", RETRIED, ("second:signature",), sealed(unsigned)),
    Row("a retry bears the signature of another body", RETRIED, ("second:signature",),
        sealed(swapped(b'"attempt":2', b'"attempt": 2'))),
    Row("the body is encoded anew after it was signed", RETRIED, ("second:signature", ":body"), sealed(reencoded())),
    Row("keys change places after signing", RETRIED, ("second:signature", ":body"),
        sealed(reencoded(sort_keys=True, separators=(",", ":")))),
    Row("a timestamp is stale", RETRIED, ("second:signature",),
        drafted(lambda letter: replace(letter, timestamp=letter.timestamp - 301))),
    Row("a timestamp lies ahead", RETRIED, ("second:signature",),
        drafted(lambda letter: replace(letter, timestamp=letter.timestamp + 302))),
    Row("the first attempt is not signed", "delivery-once", ("first:signature",), sealed(unsigned, 1)),
    Row("a retry is another event", RETRIED, (":event-id", ":body"), drafted(with_id)),
    Row("a retry says something else", RETRIED, (":body",), drafted(swapped(b'"state":"bridging"', b'"state":"answered"'))),
    Row("a query holds no payload", "routing-dial-get", ("first:query",), drafted(without_payload, 1)),
    Row("retries follow at once", "delivery-backoff", (":backoff",), after(lambda tries, _: 0.0 if tries < 3 else None)),
    Row("waits do not grow", "delivery-backoff", (":backoff",), after(lambda tries, _: 1.0 if tries < 3 else None)),
    Row("one webhook waits for the other", "delivery-concurrent", ("call.hangup:concurrency",), posted(held)),
    Row("version 2 comes unasked", "version-by-default",
        (":version", "first:signature"), of_version("2")),
    Row("version 1 comes in place of version 2", "version-2",
        (":version", "first:signature", "first.attempt:meta", "first.delivered_to:meta"), of_version("1")),
    Row("a call is hung up early", "first-command-missing", ("call.initiated:timing",), early),
    Row("a call is hung up all the same", "first-command-in-time", ("call.hangup:absence",), posted(hung_up_too)),
    Row("the command's address is ignored", "routing-dial-url",
        ("first:attempt", "first.delivered_to:meta", "primary:silence"),
        posted(lambda _, one: [replace(one, url=one.url.replace("-own", "-primary"))])),
    Row("nothing is logged", "log-delivered", (":logged",), told(lambda _: [])),
    Row("what arrived is called failed", "log-delivered", (":log-status",),
        told(lambda one: [replace(one, status="failed")])),
    Row("an attempt is left out of the log", "log-delivered",
        (":log-attempts", "attempt-1:log-status", "attempt-1:log-errors", "attempt-1:log-http"),
        told(lambda one: [replace(one, attempts=one.attempts[1:])])),
    Row("the log names another error", "log-delivered", ("attempt-1:log-errors",), told(first_attempt(code="75400"))),
    Row("the log names another address", "log-delivered", ("attempt-1:log-http",), told(first_attempt(url="http://127.0.0.1/"))),
    Row("the log names another answer", "log-failed",
        ("attempt-1:log-http",), told(first_attempt(status=403))),
)  # fmt: skip


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.contract}: {row.fault}")
def test_a_planted_fault_is_reported_and_nothing_else(target: Any, row: Row) -> None:
    report = target.prove("webhooks", row.contract, outbox=row.bend)
    operation = next(c.operation for c in CONTRACTS if c.name == row.contract)
    stem = f"{operation}:webhooks.{row.contract}"
    ids = {f"{stem}{name}" if name.startswith(":") else f"{stem}.{name}" for name in row.reported}
    assert report.failed == {(one, f"delivery-{one.rpartition(':')[2]}") for one in ids}


@pytest.mark.parametrize("contract", CONTRACTS, ids=lambda contract: contract.name)
def test_without_a_fault_every_requirement_passes(target: Any, contract: Any) -> None:
    assert {v.verdict for v in target.prove("webhooks", contract.name).verdicts} == {"pass"}


def test_every_kind_has_a_planted_fault() -> None:
    assert {kind for row in ROWS for kind in row.kinds} == set(DELIVERY_KINDS)
