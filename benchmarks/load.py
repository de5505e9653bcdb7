"""A small HTTP/1.1 load generator: keep-alive connections, one request in flight on each, nothing but the standard library."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True)
class Load:
    """What a run of load showed. Times in milliseconds."""

    requests: int
    seconds: float
    statuses: dict[int, int]
    p50: float
    p99: float

    @property
    def per_second(self) -> float:
        return self.requests / self.seconds if self.seconds else 0.0


class _Connection(asyncio.Protocol):
    def __init__(self, request: Callable[[], bytes], stop_at: float, done: asyncio.Future[None]) -> None:
        self._request, self._stop_at, self._done = request, stop_at, done
        self._buffer = b""
        self.latencies: list[float] = []
        self.statuses: dict[int, int] = {}
        self._sent = 0.0
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is none by inheritance
        self._send()

    def _send(self) -> None:
        self._sent = time.perf_counter()
        self._transport.write(self._request())

    def data_received(self, data: bytes) -> None:
        self._buffer = self._buffer + data if self._buffer else data
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            return
        head = self._buffer[:end].lower()
        at = head.find(b"content-length:")
        if at < 0:
            raise ValueError("the response has no content-length")
        line_end = head.find(b"\r\n", at)
        length = int(head[at + 15 : line_end if line_end > 0 else end])
        if len(self._buffer) < end + 4 + length:
            return
        now = time.perf_counter()
        status = int(head[9:12])
        self.statuses[status] = self.statuses.get(status, 0) + 1
        self.latencies.append(now - self._sent)
        self._buffer = b""
        if now < self._stop_at:
            self._send()
        else:
            self._transport.close()
            if not self._done.done():
                self._done.set_result(None)

    def connection_lost(self, exc: Exception | None) -> None:
        if not self._done.done():
            self._done.set_exception(exc or ConnectionError("the server closed the connection"))


async def _drive(host: str, port: int, request: Callable[[], bytes], connections: int, seconds: float) -> Load:
    loop = asyncio.get_running_loop()
    began = time.perf_counter()
    made, waits = [], []
    for _ in range(connections):
        done: asyncio.Future[None] = loop.create_future()
        protocol = _Connection(request, began + seconds, done)
        await loop.create_connection(lambda protocol=protocol: protocol, host, port)  # type: ignore[misc]
        made.append(protocol)
        waits.append(done)
    await asyncio.gather(*waits)
    took = time.perf_counter() - began
    latencies = sorted(x for p in made for x in p.latencies)
    statuses: dict[int, int] = {}
    for protocol in made:
        for status, count in protocol.statuses.items():
            statuses[status] = statuses.get(status, 0) + count
    count = len(latencies)
    return Load(
        count, took, statuses, latencies[count // 2] * 1000, latencies[min(count - 1, count * 99 // 100)] * 1000
    )


def drive(host: str, port: int, request: Callable[[], bytes], *, connections: int = 16, seconds: float = 5.0) -> Load:
    """Send what `request` gives over `connections` for about `seconds`."""
    try:
        import uvloop  # noqa: PLC0415 - only where there is one

        return uvloop.run(_drive(host, port, request, connections, seconds))
    except ImportError:
        return asyncio.run(_drive(host, port, request, connections, seconds))


def post(path: str, body: bytes, key: str, host: str) -> bytes:
    """Return the bytes of one JSON POST."""
    head = (
        f"POST {path} HTTP/1.1\r\nhost: {host}\r\nauthorization: Bearer {key}\r\n"
        f"content-type: application/json\r\naccept: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body
