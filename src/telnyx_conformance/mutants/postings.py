"""Webhooks as they may be: delivered late, twice and in any order, in other words, with more in them than documented."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta, timezone
from functools import partial
from itertools import cycle
from typing import TYPE_CHECKING, Any

from msgspec.json import decode, encode
from msgspec.structs import replace

from telnyx_conformance.emulator.fault import Fault
from telnyx_conformance.emulator.mail import Letter, Outgoing
from telnyx_conformance.mutants.bodies import UNKNOWN

if TYPE_CHECKING:
    from telnyx_conformance.emulator.account import Account

Bend = Callable[[Outgoing], Iterable[Outgoing]]
EAST = timezone(timedelta(hours=5, minutes=45))


class Posted(Fault):
    """Lets each webhook out as `bend` says; each account has a `bend` of its own."""

    def __init__(self, make: Callable[[], Bend]) -> None:
        super().__init__()
        self._make = make

    def moves_in(self, account: Account) -> None:
        """Bend the outbox."""
        bend = self._make()

        def bent(one: Outgoing) -> list[Outgoing]:
            out = list(bend(one))
            if out != [one] or encode(out[0].document) != encode(one.document):
                self.bites()
            return out

        account.outbox.bend = bent


class Delivered(Fault):
    """Lets each webhook out `times` over, with the delays (seconds of the account's time) in turn."""

    def __init__(self, *delays: float, times: int = 1) -> None:
        super().__init__()
        self._delays, self._times = delays, times

    def moves_in(self, account: Account) -> None:
        """Bend the outbox."""
        outbox, clock, turn = account.outbox, account.clock, cycle(self._delays)

        def bent(one: Outgoing) -> tuple[Outgoing, ...]:
            self.bites()
            for _ in range(self._times):
                clock.at(next(turn), partial(outbox.enqueue, one))
            return ()

        outbox.bend = bent


class Written(Fault):
    """Writes the bodies of webhooks in other bytes, which are then signed."""

    def __init__(self, encode: Callable[[Any], bytes]) -> None:
        super().__init__()
        self._encode = encode

    def moves_in(self, account: Account) -> None:
        """Change what the outbox drafts."""

        def drafted(letter: Letter) -> Letter:
            if not letter.body:
                return letter
            self.bites()
            return replace(letter, body=self._encode(decode(letter.body)))

        account.outbox.draft = drafted


class Headed(Fault):
    """Changes the headers that a webhook is sent with, its signature among them."""

    def __init__(self, change: Callable[[dict[str, str]], dict[str, str]]) -> None:
        super().__init__()
        self._change = change

    def moves_in(self, account: Account) -> None:
        """Change what the outbox seals."""

        def sealed(letter: Letter) -> Letter:
            self.bites()
            return replace(letter, headers=self._change(letter.headers))

        account.outbox.seal = sealed


def documents(change: Callable[[dict[str, Any]], dict[str, Any]]) -> Callable[[], Bend]:
    """Return what changes each webhook's document."""
    return lambda: lambda one: [replace(one, document=change(dict(one.document)))]


def data(change: Callable[[dict[str, Any]], dict[str, Any]]) -> Callable[[], Bend]:
    """Return what changes each webhook's `data`."""
    return documents(lambda document: {**document, "data": change(document["data"])})


def payload(change: Callable[[dict[str, Any]], dict[str, Any]]) -> Callable[[], Bend]:
    """Return what changes each webhook's payload."""
    return data(lambda told: {**told, "payload": change(told["payload"])})


def occurred(write: Callable[[datetime], str]) -> Callable[[], Bend]:
    """Return what writes the time of each event in another notation."""
    return data(lambda told: {**told, "occurred_at": write(datetime.fromisoformat(told["occurred_at"]))})


def with_unknown_everywhere(document: dict[str, Any]) -> dict[str, Any]:
    """Return a webhook's document with members that nobody documents, in each of its objects."""
    told = document["data"]
    return {**document, **UNKNOWN, "data": {**told, **UNKNOWN, "payload": {**told["payload"], **UNKNOWN}}}


def elsewhere(moment: datetime) -> str:
    """Return the same instant as a clock in Kathmandu shows it."""
    return moment.astimezone(EAST).isoformat(timespec="microseconds")


def nanoseconds(moment: datetime) -> str:
    """Return a time with nine digits behind the point."""
    return moment.replace(tzinfo=None).isoformat(timespec="microseconds") + "000Z"


def without_absent(told: dict[str, Any]) -> dict[str, Any]:
    """Return a payload without the members that are null."""
    return {name: value for name, value in told.items() if value is not None}
