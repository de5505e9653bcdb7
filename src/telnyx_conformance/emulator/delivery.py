"""Webhooks on their way out: each account posts into its `Outbox`, one `Courier` carries them over HTTP.

A webhook has at most three attempts at its URL, then three at the failover URL; 5xx, 408, 429 and no answer are
retried, everything else outside 2xx goes on to the failover at once. Back-off runs on the account's clock.
"""

from __future__ import annotations

import asyncio
import errno
import ipaddress
from collections import deque
from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal

import aiohttp
import msgspec
from yarl import URL

from telnyx_conformance.contract.webhook_wire import encode_get
from telnyx_conformance.emulator.clock import MICROS, Clock
from telnyx_conformance.emulator.fault import Outgoing
from telnyx_conformance.emulator.signing import Signer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

TRIES_PER_URL = 3
BACK_OFF_SECONDS = (1.0, 2.0)
DEFAULT_TIMEOUT_SECONDS = 2.0
RETRIED = frozenset({408, 429})
ANSWER_BYTES_READ = 10_000
SECONDS_REFUSED = 0.05
MOST_AT_ONCE = 256  # parcels handled before requests have their turn again
FAILURES = {400: "75400", 404: "75404", 500: "75500"}
FAILURES_BY_HUNDREDS = {2: "75299", 3: "75300", 4: "75499", 5: "75599"}


class Attempt(msgspec.Struct, frozen=True, kw_only=True):
    """One try. `status` is 0 when no answer came; `code` is the delivery error, empty for a plain 200."""

    url: str
    method: str
    started_at: float
    status: int
    code: str = ""
    detail: str = ""
    answer: bytes = b""


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """The end of one webhook's journey, for the delivery log; times are the account's."""

    status: Literal["delivered", "failed"]
    document: Mapping[str, Any]
    started_at: float
    finished_at: float
    attempts: tuple[Attempt, ...]


class Parcel:
    """One webhook under way."""

    __slots__ = ("attempts", "document", "encoded", "method", "outbox", "started_at", "timeout", "tries", "urls")

    def __init__(
        self, outbox: Outbox, urls: list[str], document: Mapping[str, Any], *, method: str, timeout: float
    ) -> None:
        self.outbox = outbox
        self.urls = urls
        self.document = document
        self.encoded = msgspec.json.encode(document)
        self.method = method
        self.timeout = timeout
        self.started_at = outbox.clock.now
        self.attempts: list[Attempt] = []
        self.tries = 0

    @property
    def meta(self) -> dict[str, Any]:
        """What tells one attempt from another."""
        return {"attempt": len(self.attempts) + 1, "delivered_to": self.urls[0]}

    @property
    def body(self) -> bytes:
        """The document with this attempt's `meta`; only that part is encoded anew."""
        return self.encoded[:-1] + b',"meta":' + msgspec.json.encode(self.meta) + b"}"


class Outbox:
    """One account's outgoing webhooks. What exceeds `limit` undelivered ones is dropped and counted in `dropped`."""

    def __init__(
        self, clock: Clock, carry: Callable[[Parcel], None], *, allow: Callable[[str], str], limit: int, keep: int
    ) -> None:
        self.clock = clock
        self.log: deque[Delivery] = deque(maxlen=keep)
        self.dropped = 0
        self.bend: Callable[[Outgoing], Iterable[Outgoing]] | None = None  # set by a planted fault
        self.resign: Callable[[dict[str, str]], dict[str, str]] | None = None  # likewise
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
    ) -> None:
        """Enqueue `document` for `url`; each attempt adds `meta`. A URL that is not allowed is only logged."""
        if self.bend is not None:
            for one in self.bend(Outgoing(url=url, document=document, method=method)):
                self._post(one.url, one.document, method=one.method, failover_url=failover_url, timeout=timeout)
        else:
            self._post(url, document, method=method, failover_url=failover_url, timeout=timeout)

    def _post(self, url: str, document: Mapping[str, Any], *, method: str, failover_url: str, timeout: float) -> None:
        if self._outstanding >= self._limit:
            self.dropped += 1
            return
        now = self.clock.now
        refused: list[Attempt] = []
        urls: list[str] = []
        for candidate in (url, failover_url) if failover_url else (url,):
            why = self._allow(candidate)
            if why:
                refused.append(
                    Attempt(url=candidate, method=method, started_at=now, status=0, code="75000", detail=why)
                )
            else:
                urls.append(candidate)
        if urls:
            parcel = Parcel(self, urls, document, method=method, timeout=timeout)
            parcel.attempts += refused
            self._outstanding += 1
            self._carry(parcel)
        else:
            self.log.append(
                Delivery(status="failed", document=document, started_at=now, finished_at=now, attempts=tuple(refused))
            )

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

    def finish(self, parcel: Parcel, status: Literal["delivered", "failed"]) -> None:
        """Enter the end of a journey in the log."""
        self.log.append(
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

    def _wake(self) -> None:
        if self._waiters and self.is_idle:
            waiters, self._waiters = self._waiters, []
            for waiter in waiters:
                if not waiter.done():
                    waiter.set_result(None)


class Courier:
    """Delivers for all accounts of one emulator, many at a time, over one HTTP session, in one event loop.

    `wall` tells Unix seconds for the signature's timestamp, which receivers compare with their own clocks.
    """

    def __init__(
        self,
        *,
        wall: Callable[[], float],
        signer: Signer | None = None,
        allow_remote: bool = False,
        concurrency: int = 64,
    ) -> None:
        self._wall = wall
        self._signer = signer or Signer()
        self._allow_remote = allow_remote
        self._concurrency = concurrency
        self._ready: deque[Parcel] = deque()
        self._tasks: dict[asyncio.Task[None], Parcel] = {}
        self._session: aiohttp.ClientSession | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._pump_planned = False
        self._refused: dict[tuple[str, int | None], str] = {}

    @property
    def public_key(self) -> str:
        """The key that verifies the webhooks, base64 of its 32 bytes."""
        return self._signer.public_key

    def outbox(self, clock: Clock, *, limit: int = 10_000, keep: int = 200) -> Outbox:
        """Return a new account's outbox: at most `limit` undelivered webhooks, `keep` entries of log."""
        return Outbox(clock, self._carry, allow=self._objection, limit=limit, keep=keep)

    async def start(self) -> None:
        """Begin to deliver, what was posted before included."""
        self._loop = asyncio.get_running_loop()
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=self._concurrency),
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={"user-agent": "telnyx-webhooks"},
        )
        self._plan_pump()

    async def stop(self) -> None:
        """Drop what is under way and close all connections."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        while self._ready:
            parcel = self._ready.popleft()
            parcel.outbox.finish(parcel, "failed")
        if self._session is not None:
            await self._session.close()
        self._session = self._loop = None
        self._refused.clear()

    async def idle(self) -> None:
        """Wait until nothing is queued or under way for any account; at once when not started."""
        while self._loop is not None and (self._ready or self._tasks):
            if self._tasks:
                await asyncio.wait(self._tasks, return_when=asyncio.FIRST_COMPLETED)
            else:
                await asyncio.sleep(0)

    def _carry(self, parcel: Parcel) -> None:
        self._ready.append(parcel)
        self._plan_pump()

    def _plan_pump(self) -> None:
        if self._loop is not None and not self._pump_planned and self._ready:
            self._pump_planned = True
            self._loop.call_soon(self._pump)

    def _pump(self) -> None:
        self._pump_planned = False
        for _ in range(MOST_AT_ONCE):
            if not self._ready or self._loop is None or len(self._tasks) >= self._concurrency:
                return
            parcel = self._ready.popleft()
            detail = self._refused.get(origin_of(parcel.urls[0]))
            if detail is not None:
                self._conclude(parcel, self._attempt(parcel, parcel.outbox.clock.now, detail=detail))
                continue
            task = self._loop.create_task(self._deliver(parcel))
            self._tasks[task] = parcel
            task.add_done_callback(self._done)
        self._plan_pump()

    def _refuses(self, url: str, detail: str) -> None:
        """Take it that nobody listens there for a moment: connecting costs as much as everything else together."""
        if self._loop is not None:
            self._refused[origin_of(url)] = detail
            self._loop.call_later(SECONDS_REFUSED, self._refused.pop, origin_of(url), None)

    def _done(self, task: asyncio.Task[None]) -> None:
        parcel = self._tasks.pop(task)
        if task.cancelled() or task.exception() is not None:
            parcel.outbox.finish(parcel, "failed")
        self._plan_pump()

    async def _deliver(self, parcel: Parcel) -> None:
        self._conclude(parcel, await self._try(parcel))

    def _conclude(self, parcel: Parcel, attempt: Attempt) -> None:
        """Decide what follows from an attempt: the end, another one, or the failover."""
        parcel.attempts.append(attempt)
        parcel.tries += 1
        if 200 <= attempt.status < 300:  # noqa: PLR2004 - the statuses that mean success
            parcel.outbox.finish(parcel, "delivered")
            return
        is_retried = attempt.status == 0 or attempt.status >= 500 or attempt.status in RETRIED  # noqa: PLR2004 - 5xx
        if is_retried and parcel.tries < TRIES_PER_URL:
            parcel.outbox.back_off(parcel, BACK_OFF_SECONDS[parcel.tries - 1])
        elif len(parcel.urls) > 1:
            del parcel.urls[0]
            parcel.tries = 0
            self._carry(parcel)
        else:
            parcel.outbox.finish(parcel, "failed")

    async def _try(self, parcel: Parcel) -> Attempt:
        """Make one attempt; whatever goes wrong on the way is an attempt without a status."""
        started_at, status, detail, answer = parcel.outbox.clock.now, 0, "", b""
        try:
            if self._session is None:
                raise aiohttp.ClientConnectionError("the courier has stopped")
            url, body = URL(parcel.urls[0]), b""
            headers = {}
            if parcel.method == "GET":
                url = url.extend_query(encode_get({**parcel.document, "meta": parcel.meta}))
            else:
                body = parcel.body
                headers["content-type"] = "application/json"
            signature = self._signer.headers(int(self._wall()), body)
            headers |= signature if parcel.outbox.resign is None else parcel.outbox.resign(signature)
            timeout = aiohttp.ClientTimeout(total=parcel.timeout)
            async with self._session.request(
                parcel.method, url, data=body or None, headers=headers, allow_redirects=False, timeout=timeout
            ) as response:
                answer = await response.content.read(ANSWER_BYTES_READ)
                status = response.status
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
            detail = f"{type(error).__name__}: {error}"[:200]
            if isinstance(error, aiohttp.ClientConnectorError) and error.errno == errno.ECONNREFUSED:
                self._refuses(parcel.urls[0], detail)
        return self._attempt(parcel, started_at, status=status, detail=detail, answer=answer)

    @staticmethod
    def _attempt(
        parcel: Parcel, started_at: float, *, status: int = 0, detail: str = "", answer: bytes = b""
    ) -> Attempt:
        return Attempt(
            url=parcel.urls[0],
            method=parcel.method,
            started_at=started_at,
            status=status,
            code=failure_code(status),
            detail=detail,
            answer=answer,
        )

    def _objection(self, url: str) -> str:
        """Say why `url` must not be delivered to, or nothing."""
        host = host_of(url)
        if not host:
            return "not an http URL"
        if self._allow_remote or is_loopback(host):
            return ""
        return "not a loopback address; the emulator delivers to others only when allowed to"


@lru_cache(maxsize=1024)
def host_of(url: str) -> str:
    """Return the host that an http URL names, as the client that connects reads it; empty for any other URL."""
    try:
        target = URL(url)
    except ValueError:
        return ""
    return (target.host or "") if target.scheme in ("http", "https") else ""


@lru_cache(maxsize=1024)
def origin_of(url: str) -> tuple[str, int | None]:
    """Return host and port that an http URL names."""
    target = URL(url)
    return target.host or "", target.port


@lru_cache(maxsize=1024)
def is_loopback(host: str) -> bool:
    """Return whether `host` is this machine, by its name or address alone: nothing is looked up."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def failure_code(status: int) -> str:
    """Return the delivery error for an answer's status, empty for 200; 0 stands for no answer."""
    if status == 200:  # noqa: PLR2004 - the one status without any error
        return ""
    return FAILURES.get(status) or FAILURES_BY_HUNDREDS.get(status // 100, "75000")
