"""Faults of a webhook's journey, planted where it goes astray: the rules of retrying, a draft, a seal, the log, the command."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from uuid import UUID

from msgspec.structs import replace
from yarl import URL

from telnyx_conformance.emulator.fault import Fault
from telnyx_conformance.emulator.retries import Retries, failure_code
from telnyx_conformance.mutants.deliveries import answer_to

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from telnyx_conformance.contract.delivery import DeliveryContract
    from telnyx_conformance.emulator.account import Account, Ask
    from telnyx_conformance.emulator.mail import Letter, Outgoing
    from telnyx_conformance.emulator.outbox import Delivery
    from telnyx_conformance.mutants.mutant import Mutant

ANOTHER = str(UUID(int=0xD0C, version=4))
STALE_SECONDS = 1000
HELD_SECONDS = 25.0
FIRST_COMMAND_SECONDS = 10
EARLY, LATE = 5.0, 13.0
SOONER = 0.2
MOST_TRIES = 4
ARRIVED = ("", "75299")
RULES = ("missing", "again", "more", "none", "early", "constant", "followed", "patient")
DRAFTS = ("changed", "stale", "altered", "reencoded", "fresh", "empty", "method")
FIELDS = {"ignored": "webhook_url", "unlimited": "first_command_timeout"}


class DeliveryFault(Fault):
    """What goes wrong with the watched event of a delivery contract."""

    def __init__(self, mutant: Mutant, contract: DeliveryContract) -> None:
        super().__init__()
        self.mutant, self.contract = mutant, contract
        names = [one.name for one in contract.attempts]
        place = mutant.site.removeprefix(contract.name).removeprefix(".").partition(".")[0]
        self.number = names.index(place) + 1 if place in names else 2
        self.logged = int(place.rpartition("-")[2]) if place.startswith("attempt-") else 1

    def asked(self, ask: Ask) -> Ask:
        """Overlook what a command or an application says."""
        field = self._overlooked
        if not field or not isinstance(ask.body, dict):
            return ask
        if field == "webhook_api_version" and ask.operation.id == "CreateCallControlApplication":
            self.bites()
            return replace(ask, body={**ask.body, field: "1" if self.contract.version == "2" else "2"})
        if field == "webhook_api_version" or field not in ask.body:
            return ask
        self.bites()
        return replace(ask, body={name: value for name, value in ask.body.items() if name != field})

    @property
    def _overlooked(self) -> str:
        variant = self.mutant.variant
        if variant == "version":
            return "webhook_api_version"
        if variant == "patient":
            return "webhook_timeout_secs"
        if variant == "method" and self.number == 1 and self._is_get:
            return "webhook_url_method"
        return FIELDS.get(variant, "")

    @property
    def _is_get(self) -> bool:
        return self.contract.attempts[0].method == "GET"

    def moves_in(self, account: Account) -> None:
        """Bend what the fault is about."""
        outbox, variant, kind = account.outbox, self.mutant.variant, self.mutant.kind
        if kind.startswith("log"):
            outbox.tell = self._told
        elif variant in ("missing", "altered", "reencoded") and kind == "signature":
            outbox.seal = self._sealed
        elif variant in DRAFTS and not self._overlooked:
            outbox.draft = self._drafted
        elif kind == "timing":
            account.clock.stretch = self._stretched
        elif variant in ("lost", "extra"):
            outbox.bend = self._posted
        elif variant == "held":
            outbox.bend = lambda one: self._held(account, one)
        elif variant in RULES and not self._overlooked:
            outbox.retries = OtherRules(self)

    def is_meant(self, letter: Letter) -> bool:
        """Whether the fault is about this attempt."""
        wanted = letter.number > 1 if self.mutant.kind in ("event-id", "body") else letter.number == self.number
        return wanted and letter.event_type == self.contract.event

    def _posted(self, one: Outgoing) -> Iterable[Outgoing]:
        data = one.document["data"]
        if data["event_type"] != self.contract.event:
            return [one]
        self.bites()
        if self.mutant.variant == "lost":
            return []
        extra = {**data, "id": ANOTHER, "event_type": self.contract.never[0]}
        return [one, replace(one, document={**one.document, "data": extra})]

    def _held(self, account: Account, one: Outgoing) -> Iterable[Outgoing]:
        if one.document["data"]["event_type"] == self.contract.event:
            return [one]
        self.bites()
        account.clock.at(HELD_SECONDS, lambda: account.outbox.enqueue(one))
        return []

    def _stretched(self, delay: float) -> float:
        if delay != FIRST_COMMAND_SECONDS:
            return delay
        self.bites()
        return EARLY if self.mutant.variant == "early" else LATE

    def _drafted(self, letter: Letter) -> Letter:
        if not self.is_meant(letter):
            return letter
        self.bites()
        return DRAFTED[self.mutant.variant](self, letter)

    def _sealed(self, letter: Letter) -> Letter:
        if not self.is_meant(letter):
            return letter
        self.bites()
        if self.mutant.variant == "missing":
            return replace(letter, headers={k: v for k, v in letter.headers.items() if not k.startswith("telnyx-")})
        return (_altered if self.mutant.variant == "altered" else _reencoded)(self, letter)

    def _told(self, one: Delivery) -> list[Delivery]:
        if one.document["data"]["event_type"] != self.contract.event:
            return [one]
        self.bites()
        attempts = list(one.attempts)
        if self.mutant.kind == "logged":
            return []
        if self.mutant.variant == "status":
            return [replace(one, status="failed" if one.status == "delivered" else "delivered")]
        if self.mutant.variant == "attempt":
            return [replace(one, attempts=tuple(attempts[:-1]))]
        told = attempts[self.logged - 1]
        changed = {
            "attempt-status": replace(told, status=200 if failure_code(told.status) not in ARRIVED else 500),
            "error": replace(told, code="75400" if told.code != "75400" else "75500"),
            "address": replace(told, url=f"{told.url}-elsewhere"),
            "answer": replace(told, status=told.status + 1),
        }
        attempts[self.logged - 1] = changed[self.mutant.variant]
        return [replace(one, attempts=tuple(attempts))]


class OtherRules(Retries):
    """The rules of retrying with one of them wrong."""

    def __init__(self, fault: DeliveryFault) -> None:
        self._fault = fault
        self._variant = fault.mutant.variant
        contract = fault.contract
        self._last = answer_to(contract, len(contract.attempts)).status
        inboxes = [one.inbox for one in contract.attempts]
        self._tries = inboxes[: fault.number - 1].count(inboxes[min(fault.number, len(inboxes)) - 1])

    def is_delivered(self, status: int) -> bool:
        """Take a success for a failure, where the fault is to go on after it."""
        return super().is_delivered(status) and not (self._variant == "again" and self._is_success)

    @property
    def _is_success(self) -> bool:
        return self._last < 300  # noqa: PLR2004 - RFC 9110, section 15.3

    def wait(self, tries: int, status: int) -> float | None:
        """Wait too little, too often or not at all."""
        right = super().wait(tries, status)
        wrong = self._wrong(tries, status, right)
        if wrong != right:
            self._fault.bites()
        return wrong

    def _wrong(self, tries: int, status: int, right: float | None) -> float | None:
        if self._variant == "again" and status == self._last and tries < MOST_TRIES:
            return 1.0
        if right is None:
            return 1.0 if self._variant == "more" and tries < MOST_TRIES else None
        if self._variant == "missing":
            return None if tries == self._tries else right
        return {"none": 0.0, "early": SOONER * tries, "constant": 1.0}.get(self._variant, right)

    def follows_redirects(self) -> bool:
        """Follow a redirect, where that is the fault."""
        if self._variant == "followed":
            self._fault.bites()
        return self._variant == "followed"

    def fails_over(self, status: int) -> bool:
        """Forget the failover address."""
        if self._variant != "missing" or self._tries:
            return super().fails_over(status)
        self._fault.bites()
        return False


def _with(letter: Letter, change: Callable[[dict[str, Any]], dict[str, Any]]) -> Letter:
    """Return an attempt with another document, in its body or in its query; what is not changed keeps its bytes."""
    if letter.method == "GET":
        url = URL(letter.url, encoded=True)
        old = {name: json.loads(value) for name, value in url.query.items()}
        new = {name: json.dumps(value, separators=(",", ":")) for name, value in change(old).items()}
        return replace(letter, url=str(url.with_query(new)))
    new_body = json.dumps(change(json.loads(letter.body)), separators=(",", ":"), ensure_ascii=False).encode()
    return replace(letter, body=new_body)


def _changed(fault: DeliveryFault, letter: Letter) -> Letter:
    field = fault.mutant.site.rpartition(".")[2]

    def change(document: dict[str, Any]) -> dict[str, Any]:
        meta = document["meta"]
        other = meta[field] + 10 if field == "attempt" else f"{meta[field]}-elsewhere"
        return {**document, "meta": {**meta, field: other}}

    return _with(letter, change)


def _altered(_: DeliveryFault, letter: Letter) -> Letter:
    def change(document: dict[str, Any]) -> dict[str, Any]:
        if "data" not in document:
            return {**document, "payload": {**document["payload"], "from": "+12025550198"}}
        data = document["data"]
        return {**document, "data": {**data, "payload": {**data["payload"], "from": "+12025550198"}}}

    return _with(letter, change)


def _reencoded(_: DeliveryFault, letter: Letter) -> Letter:
    return replace(letter, body=json.dumps(json.loads(letter.body)).encode())


def _fresh(_: DeliveryFault, letter: Letter) -> Letter:
    def change(document: dict[str, Any]) -> dict[str, Any]:
        if "data" not in document:
            return {**document, "id": ANOTHER}
        return {**document, "data": {**document["data"], "id": ANOTHER}}

    return _with(letter, change)


def _empty(_: DeliveryFault, letter: Letter) -> Letter:
    return _with(letter, lambda document: {**document, "data": {**document["data"], "payload": {}}})


def _method(_: DeliveryFault, letter: Letter) -> Letter:
    return replace(letter, method="POST" if letter.method == "GET" else "PUT")


def _stale(_: DeliveryFault, letter: Letter) -> Letter:
    return replace(letter, timestamp=letter.timestamp - STALE_SECONDS)


DRAFTED: dict[str, Callable[[DeliveryFault, Letter], Letter]] = {
    "changed": _changed, "stale": _stale, "altered": _altered, "reencoded": _reencoded, "fresh": _fresh, "empty": _empty,
    "method": _method,
}  # fmt: skip
