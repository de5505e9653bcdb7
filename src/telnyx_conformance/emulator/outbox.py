"""An account's outgoing webhooks: posted here, carried by the courier, and entered in the log when their journey ends."""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from telnyx_conformance.contract.webhook_wire import flat
from telnyx_conformance.emulator.clock import MICROS, Clock
from telnyx_conformance.emulator.mail import Letter, Outgoing
from telnyx_conformance.emulator.retries import Retries

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

DEFAULT_TIMEOUT_SECONDS = 2.0
ApiVersion = Literal["1", "2"]
Ending = Literal["delivered", "failed"]


class Attempt(msgspec.Struct, frozen=True, kw_only=True):
    """One try. `status` is 0 when no answer came; `code` is the delivery error, empty for a plain 200.

    Times are the account's; `headers` were sent, `answer_headers` came back.
    """

    url: str
    method: str
    started_at: float
    finished_at: float
    status: int
    code: str = ""
    detail: str = ""
    headers: Mapping[str, str] = {}
    answer: bytes = b""
    answer_headers: tuple[tuple[str, str], ...] = ()


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """The end of one webhook's journey, for the delivery log; times are the account's."""

    status: Ending
    document: Mapping[str, Any]
    started_at: float
    finished_at: float
    attempts: tuple[Attempt, ...]


class Parcel:
    """One webhook under way; `version` is that of the API whose form it has."""

    __slots__ = (
        "attempts", "document", "encoded", "method", "outbox", "started_at", "timeout", "tries", "urls", "version",
    )  # fmt: skip

    def __init__(
        self,
        outbox: Outbox,
        urls: list[str],
        document: Mapping[str, Any],
        *,
        method: str,
        timeout: float,
        version: ApiVersion,
    ) -> None:
        self.outbox = outbox
        self.urls = urls
        self.document = document
        self.encoded = msgspec.json.encode(document if version == "2" else flat(document))
        self.method = method
        self.timeout = timeout
        self.version = version
        self.started_at = outbox.clock.now
        self.attempts: list[Attempt] = []
        self.tries = 0

    @property
    def meta(self) -> dict[str, Any]:
        """What tells one attempt from another."""
        return {"attempt": len(self.attempts) + 1, "delivered_to": self.urls[0]}

    @property
    def body(self) -> bytes:
        """The document with this attempt's `meta`, which API v1 has not; only that part is encoded anew."""
        if self.version == "1":
            return self.encoded
        return self.encoded[:-1] + b',"meta":' + msgspec.json.encode(self.meta) + b"}"

    @property
    def shown(self) -> Mapping[str, Any]:
        """The same as a document."""
        return flat(self.document) if self.version == "1" else {**self.document, "meta": self.meta}


class Outbox:
    """One account's outgoing webhooks. What exceeds `limit` undelivered ones is dropped and counted in `dropped`.

    `ended` counts journeys by how they ended; `posted` counts all webhooks that were ever meant to go out.

    `secret` signs webhooks of API v1. `retries`, `bend`, `draft`, `seal` and `tell` are where a planted fault sits: the
    rules, what is posted, an attempt before and after it is signed, and what the log is told.
    """

    def __init__(
        self,
        clock: Clock,
        carry: Callable[[Parcel], None],
        *,
        allow: Callable[[str], str],
        limit: int,
        keep: int,
        secret: str = "",
    ) -> None:
        self.clock = clock
        self.log: deque[Delivery] = deque(maxlen=keep)
        self.posted = self.dropped = 0
        self.ended: Counter[Ending] = Counter()
        self.secret = secret
        self.retries = Retries()
        self.bend: Callable[[Outgoing], Iterable[Outgoing]] | None = None
        self.draft: Callable[[Letter], Letter] | None = None
        self.seal: Callable[[Letter], Letter] | None = None
        self.tell: Callable[[Delivery], Iterable[Delivery]] | None = None
        self._carry = carry
        self._allow = allow
        self._limit = limit
        self._outstanding = 0
        self._backing_off = 0
        self._waiters: list[asyncio.Future[None]] = []

    def post(
        self,
        url: str,
        document: Mapping[str, Any],
        *,
        method: str = "POST",
        failover_url: str = "",
        timeout: float = DEFAULT_TIMEOUT_SECONDS,
        version: ApiVersion = "2",
    ) -> None:
        """Enqueue `document`, which has the form of API v2, for `url`. A URL that is not allowed is only logged."""
        one = Outgoing(
            url=url, document=document, method=method, failover_url=failover_url, timeout=timeout, version=version
        )
        for each in (one,) if self.bend is None else self.bend(one):
            self.enqueue(each)

    def enqueue(self, one: Outgoing) -> None:
        """Hand a webhook to the courier as it is."""
        self.posted += 1
        if self._outstanding >= self._limit:
            self.dropped += 1
            return
        now, method = self.clock.now, one.method
        refused: list[Attempt] = []
        urls: list[str] = []
        for url in (one.url, one.failover_url) if one.failover_url else (one.url,):
            why = self._allow(url)
            if why:
                said = Attempt(
                    url=url, method=method, started_at=now, finished_at=now, status=0, code="75000", detail=why
                )
                refused.append(said)
            else:
                urls.append(url)
        if urls:
            parcel = Parcel(self, urls, one.document, method=method, timeout=one.timeout, version=one.version)
            parcel.attempts += refused
            self._outstanding += 1
            self._carry(parcel)
        else:
            self._enter(
                Delivery(
                    status="failed", document=one.document, started_at=now, finished_at=now, attempts=tuple(refused)
                )
            )

    def hold(self) -> None:
        """Take note of something else that is under way, such as a connection being made: `idle` waits for it too."""
        self._outstanding += 1

    def release(self) -> None:
        """Take note that it is done."""
        self._outstanding -= 1
        self._wake()

    @property
    def is_idle(self) -> bool:
        """Whether all was delivered or given up, or waits for a time that only the account's owner can make pass."""
        return self._outstanding == 0 and (self._backing_off == 0 or self.clock.mode != "real")

    async def idle(self) -> None:
        """Wait until `is_idle`."""
        while not self.is_idle:
            waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiters.append(waiter)
            await waiter

    async def advance(self, seconds: float) -> None:
        """Move the account's clock by `seconds`, delivering on the way, so that a retry due in that time happens in it.

        A real clock only does what is due.
        """
        clock = self.clock
        target = clock.micros + max(0, round(seconds * MICROS))
        while clock.mode != "real" and (due := clock.next_due) is not None and round(due * MICROS) <= target:
            clock.advance(due - clock.now)
            await self.idle()
        clock.advance((target - clock.micros) / MICROS)
        await self.idle()

    def finish(self, parcel: Parcel, status: Ending) -> None:
        """Enter the end of a journey in the log."""
        self._enter(
            Delivery(
                status=status,
                document=parcel.document,
                started_at=parcel.started_at,
                finished_at=self.clock.now,
                attempts=tuple(parcel.attempts),
            )
        )
        self._outstanding -= 1
        self._wake()

    def back_off(self, parcel: Parcel, seconds: float) -> None:
        """Send `parcel` again in `seconds` of the account's time; in auto mode that is at once."""

        def again() -> None:
            self._backing_off -= 1
            self._outstanding += 1
            self._carry(parcel)

        self._outstanding -= 1
        self._backing_off += 1
        self.clock.at(seconds, again)
        self.clock.settle()
        self._wake()

    def _enter(self, delivery: Delivery) -> None:
        self.ended[delivery.status] += 1
        self.log.extend((delivery,) if self.tell is None else self.tell(delivery))

    def _wake(self) -> None:
        if self._waiters and self.is_idle:
            waiters, self._waiters = self._waiters, []
            for waiter in waiters:
                if not waiter.done():
                    waiter.set_result(None)
