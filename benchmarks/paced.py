"""Requests sent at a given rate, whether or not the answers keep up: what a server does under a load that does not wait for it."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import msgspec
from load import post

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable


@dataclass
class Paced:
    """What a paced run showed. Milliseconds count from the moment at which a request was due, so that a jam is seen."""

    seconds: float = 0.0
    statuses: Counter[int] = field(default_factory=Counter)
    millis: list[float] = field(default_factory=list)

    @property
    def per_second(self) -> float:
        return len(self.millis) / self.seconds if self.seconds else 0.0

    def part(self, share: float) -> float:
        """Return the time within which that share of the requests was answered."""
        ordered = sorted(self.millis)
        return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else 0.0


class Line:
    """One keep-alive connection; one request in flight."""

    def __init__(self, host: str, port: int, pace: Pace) -> None:
        self._at, self._pace = (host, port), pace
        self._host = f"{host}:{port}"
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter]

    async def open(self) -> Line:
        self._streams = await asyncio.open_connection(*self._at)
        return self

    async def ask(self, path: str, document: object, key: str, *, method: str = "POST") -> dict[str, Any]:
        """Send a request at once, uncounted, and return the `data` of its answer."""
        return (await self._exchange(method, path, document, key))[1]

    async def command(self, path: str, document: object, key: str) -> dict[str, Any]:
        """Send a command when it is due, and count it."""
        due = await self._pace.due()
        status, data = await self._exchange("POST", path, document, key)
        self._pace.seen.millis.append((time.perf_counter() - due) * 1000)
        self._pace.seen.statuses[status] += 1
        return data

    async def _exchange(self, method: str, path: str, document: object, key: str) -> tuple[int, dict[str, Any]]:
        reader, writer = self._streams
        request = post(path, msgspec.json.encode(document), key, self._host)
        writer.write(request if method == "POST" else request.replace(b"POST", method.encode(), 1))
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        length = int(head.partition(b"content-length:")[2].partition(b"\r\n")[0])
        body = msgspec.json.decode(await reader.readexactly(length))
        return int(head[9:12]), body.get("data") or {}

    def close(self) -> None:
        self._streams[1].close()


class Pace:
    """Deals out moments at which a request is due: `rate` a second for `seconds`; a rate of 0 is as fast as it goes."""

    def __init__(self, rate: float, seconds: float) -> None:
        self._rate, self._began = rate, time.perf_counter()
        self._ends = self._began + seconds
        self._dealt = 0
        self.seen = Paced()

    @property
    def is_over(self) -> bool:
        return time.perf_counter() >= self._ends

    def end(self) -> None:
        """Take note that nothing more is asked."""
        self.seen.seconds = time.perf_counter() - self._began

    async def due(self) -> float:
        moment = self._began + self._dealt / self._rate if self._rate else time.perf_counter()
        self._dealt += 1
        await asyncio.sleep(max(0.0, moment - time.perf_counter()))
        return moment


async def paced(
    port: int, life: Callable[[Line, int], Awaitable[None]], *, rate: float, seconds: float, lines: int
) -> Paced:
    """Let `lines` connections live one life after the other, each with a number of its own, and return what was seen."""
    pace = Pace(rate, seconds)
    numbers = iter(range(10**9))

    async def living(line: Line) -> None:
        while not pace.is_over:
            await life(line, next(numbers))

    opened = [await Line("127.0.0.1", port, pace).open() for _ in range(lines)]
    await asyncio.gather(*map(living, opened))
    pace.end()
    for line in opened:
        line.close()
    return pace.seen
