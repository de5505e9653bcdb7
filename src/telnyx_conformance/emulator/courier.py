"""The courier carries the webhooks of all accounts over HTTP: signs each attempt, sends it, and asks what follows from it."""

from __future__ import annotations

import asyncio
import errno
from collections import deque
from functools import lru_cache, partial
from typing import TYPE_CHECKING

import aiohttp
from yarl import URL

from telnyx_conformance.contract.webhook_wire import encode_get
from telnyx_conformance.emulator.addresses import objection, origin_of
from telnyx_conformance.emulator.mail import Letter
from telnyx_conformance.emulator.outbox import Attempt, Outbox, Parcel
from telnyx_conformance.emulator.retries import failure_code
from telnyx_conformance.emulator.signing import Signer

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from telnyx_conformance.emulator.clock import Clock

ANSWER_BYTES_READ = 10_000
SECONDS_REFUSED = 0.05
MOST_AT_ONCE = 256  # parcels handled before requests have their turn again
USER_AGENT = "telnyx-webhooks"


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
        self.allow_remote = allow_remote
        self._allow = partial(objection, allow_remote=allow_remote)
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

    def outbox(self, clock: Clock, *, limit: int = 10_000, keep: int = 200, secret: str = "") -> Outbox:
        """Return a new account's outbox: at most `limit` undelivered webhooks, `keep` entries of log."""
        return Outbox(clock, self._carry, allow=self._allow, limit=limit, keep=keep, secret=secret)

    async def start(self) -> None:
        """Begin to deliver, what was posted before included."""
        self._loop = asyncio.get_running_loop()
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=self._concurrency),
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={"user-agent": USER_AGENT},
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
                self._conclude(parcel, unanswered(parcel, parcel.outbox.clock.now, detail))
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
        outbox = parcel.outbox
        retries = outbox.retries
        if retries.is_delivered(attempt.status):
            outbox.finish(parcel, "delivered")
        elif (seconds := retries.wait(parcel.tries, attempt.status)) is not None:
            outbox.back_off(parcel, seconds)
        elif len(parcel.urls) > 1 and retries.fails_over(attempt.status):
            del parcel.urls[0]
            parcel.tries = 0
            self._carry(parcel)
        else:
            outbox.finish(parcel, "failed")

    async def _try(self, parcel: Parcel) -> Attempt:
        """Make one attempt; whatever goes wrong on the way is an attempt without a status."""
        clock, retries = parcel.outbox.clock, parcel.outbox.retries
        started_at, headers = clock.now, {}
        try:
            if self._session is None:
                raise aiohttp.ClientConnectionError("the courier has stopped")
            letter = self._letter(parcel)
            headers = letter.headers
            async with self._session.request(
                letter.method,
                URL(letter.url, encoded=letter.method == "GET"),
                data=letter.body or None,
                headers=headers,
                allow_redirects=retries.follows_redirects(),
                timeout=_within(retries.patience(parcel.timeout)),
            ) as response:
                answer = await response.content.read(ANSWER_BYTES_READ)
                return Attempt(
                    url=parcel.urls[0],
                    method=parcel.method,
                    started_at=started_at,
                    finished_at=clock.now,
                    status=response.status,
                    code=failure_code(response.status),
                    headers=headers,
                    answer=answer,
                    answer_headers=tuple(response.headers.items()),
                )
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
            detail = f"{type(error).__name__}: {error}"[:200]
            if isinstance(error, aiohttp.ClientConnectorError) and error.errno == errno.ECONNREFUSED:
                self._refuses(parcel.urls[0], detail)
            return unanswered(parcel, started_at, detail, headers)

    def _letter(self, parcel: Parcel) -> Letter:
        """Return the next attempt as it goes out, signed over the very bytes that are sent."""
        outbox, url, body = parcel.outbox, parcel.urls[0], b""
        headers: dict[str, str] = {}
        if parcel.method == "GET":
            url = str(URL(url).extend_query(encode_get(parcel.shown)))
        else:
            body = parcel.body
            headers["content-type"] = "application/json"
        letter = Letter(
            number=len(parcel.attempts) + 1, event_type=str(parcel.document.get("data", {}).get("event_type", "")),
            url=url, method=parcel.method, body=body, timestamp=int(self._wall()), headers=headers,
        )  # fmt: skip
        if outbox.draft is not None:
            letter = outbox.draft(letter)
        if parcel.version == "1":
            letter.headers.update(self._signer.legacy_headers(outbox.secret, letter.body))
        else:
            letter.headers.update(self._signer.headers(letter.timestamp, letter.body))
        return letter if outbox.seal is None else outbox.seal(letter)


@lru_cache(maxsize=64)
def _within(seconds: float) -> aiohttp.ClientTimeout:
    return aiohttp.ClientTimeout(total=seconds)


def unanswered(parcel: Parcel, started_at: float, detail: str, headers: Mapping[str, str] | None = None) -> Attempt:
    """Return an attempt to which no answer came."""
    return Attempt(
        url=parcel.urls[0], method=parcel.method, started_at=started_at, finished_at=parcel.outbox.clock.now,
        status=0, code=failure_code(0), detail=detail, headers=headers or {},
    )  # fmt: skip
