"""Media on its way to applications: WebSockets and UDP datagrams, many at a time, beside the delivery of webhooks.

Each account has its `Lines`; one `Gateway` carries them in one event loop. What is under way holds the account's
outbox, so that whoever lets time pass waits until a connection was decided and what was sent is on the wire.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from typing import TYPE_CHECKING, Protocol

import aiohttp
from yarl import URL

from telnyx_conformance.emulator.addresses import ELSEWHERE, is_loopback

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from telnyx_conformance.emulator.outbox import Outbox

MOST_LINES = 256
MOST_UNSENT = 1_000
CONNECT_SECONDS = 2.0
SEND_SECONDS = 2.0
CLOSE_SECONDS = 1.0
MESSAGE_BYTES = 4_000_000  # an MP3 file in base64 comes in one message
FAILED = (aiohttp.ClientError, OSError, TimeoutError, ValueError)


class Listener(Protocol):
    """Whoever asked for a connection. Of `connected` and `refused` one is called, once; `closed` when the other side left."""

    def connected(self) -> None:
        """Hear that messages can be sent."""
        ...

    def refused(self, why: str) -> None:
        """Hear that nobody will listen."""
        ...

    def heard(self, text: str) -> None:
        """Hear what the other side says."""
        ...

    def closed(self) -> None:
        """Hear that the other side has left, or takes nothing any more."""
        ...


class Gateway:
    """Carries the media of all accounts of one emulator; to loopback only, unless remote addresses are allowed."""

    def __init__(self, *, allow_remote: bool = False) -> None:
        self._allow_remote = allow_remote
        self._loop: asyncio.AbstractEventLoop | None = None
        self._session: aiohttp.ClientSession | None = None
        self._datagrams: socket.socket | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Begin to connect; call from the event loop that serves the requests."""
        self._loop = asyncio.get_running_loop()
        self._session = aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar())
        self._datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._datagrams.setblocking(False)  # noqa: FBT003 - the signature of the standard library

    async def stop(self) -> None:
        """Close every connection and socket."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._session is not None:
            await self._session.close()
        if self._datagrams is not None:
            self._datagrams.close()
        self._session = self._datagrams = self._loop = None

    @property
    def count(self) -> int:
        """How many connections there are, or are being made or closed."""
        return len(self._tasks)

    def objection(self, url: str) -> str:
        """Say why no connection to `url` can be made, or nothing."""
        try:
            target = URL(url)
        except ValueError:
            target = URL()
        if target.scheme not in ("ws", "wss") or not target.host:
            return "not a WebSocket URL"
        if not self._allow_remote and not is_loopback(target.host):
            return ELSEWHERE
        if self._loop is None:
            return "nothing carries media here"
        return "too many connections" if len(self._tasks) >= MOST_LINES else ""

    def run(self, line: Line) -> asyncio.Task[None] | None:
        """Let a line connect and speak, if there is an event loop for it."""
        if self._loop is None or self._session is None:
            return None
        task = self._loop.create_task(line.run(self._session))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def cast(self, host: str, port: int, data: bytes) -> bool:
        """Send a datagram to an IPv4 address; return whether it left."""
        if self._datagrams is None or not (self._allow_remote or is_loopback(host)):
            return False
        with contextlib.suppress(OSError, OverflowError):
            return self._datagrams.sendto(data, (host, port)) == len(data)
        return False


class Lines:
    """The connections of one account. Without a gateway nobody can be reached."""

    def __init__(self, gateway: Gateway | None = None, outbox: Outbox | None = None) -> None:
        self._gateway, self._outbox = gateway, outbox
        self.bend: Callable[[str], Iterable[str]] | None = None  # a planted fault's idea of a message
        self.garble: Callable[[bytes], bytes] | None = None  # and of a datagram
        self._open: set[asyncio.Task[None]] = set()

    def connect(self, url: str, listener: Listener) -> Line | None:
        """Begin to connect to a WebSocket; where that is out of the question the listener hears so at once."""
        if self._gateway is None or self._outbox is None:
            listener.refused("nothing carries media here")
            return None
        why = self._gateway.objection(url)
        if why:
            listener.refused(why)
            return None
        line = Line(url, listener, self._outbox, self.bend)
        task = self._gateway.run(line)
        if task is not None:
            self._open.add(task)
            task.add_done_callback(self._open.discard)
        return line

    def cast(self, host: str, port: int, data: bytes) -> bool:
        """Send a datagram to an IPv4 address; return whether it left."""
        data = data if self.garble is None else self.garble(data)
        return self._gateway is not None and self._gateway.cast(host, port, data)

    def close(self) -> None:
        """Drop every connection of the account, saying nothing more."""
        for task in tuple(self._open):
            task.cancel()


class Line:
    """One WebSocket to an application. Beyond `MOST_UNSENT` messages that it does not take, the line is given up."""

    def __init__(
        self, url: str, listener: Listener, outbox: Outbox, bend: Callable[[str], Iterable[str]] | None = None
    ) -> None:
        self._bend = bend
        self._url, self._listener, self._outbox = url, listener, outbox
        self._queue: asyncio.Queue[str | None] = asyncio.Queue()
        self._closing = False
        self._busy = True
        outbox.hold()

    def send(self, message: str) -> None:
        """Say something, after what was said before; nothing is said on a line that is being closed."""
        if not self._closing:
            for one in (message,) if self._bend is None else self._bend(message):
                self._put(one)
            if self._queue.qsize() > MOST_UNSENT:
                self.close()

    def close(self) -> None:
        """Hang up when all that was said is on the wire."""
        if not self._closing:
            self._closing = True
            self._put(None)

    def _put(self, message: str | None) -> None:
        if not self._busy:
            self._busy = True
            self._outbox.hold()
        self._queue.put_nowait(message)

    def _rest(self) -> None:
        if self._busy:
            self._busy = False
            self._outbox.release()

    async def run(self, session: aiohttp.ClientSession) -> None:
        """Connect, speak and listen until one side hangs up."""
        try:
            async with contextlib.AsyncExitStack() as stack:
                try:
                    async with asyncio.timeout(CONNECT_SECONDS):
                        wire = await stack.enter_async_context(
                            session.ws_connect(
                                self._url,
                                timeout=aiohttp.ClientWSTimeout(ws_close=CLOSE_SECONDS),
                                max_msg_size=MESSAGE_BYTES,
                            )
                        )
                except FAILED as error:
                    if not self._closing:
                        self._listener.refused(f"{type(error).__name__}: {error}"[:200])
                        self._outbox.clock.settle()
                    return
                if not self._closing:
                    self._listener.connected()
                    self._outbox.clock.settle()
                reader = asyncio.ensure_future(self._listen(wire))
                try:
                    await self._speak(wire)
                finally:
                    reader.cancel()
                    with contextlib.suppress(asyncio.CancelledError):
                        await reader
        finally:
            self._closing = True
            self._rest()

    async def _speak(self, wire: aiohttp.ClientWebSocketResponse) -> None:
        while True:
            if self._queue.empty():
                self._rest()
            message = await self._queue.get()
            if message is None:
                return
            try:
                async with asyncio.timeout(SEND_SECONDS):
                    await wire.send_str(message)
            except FAILED:
                self._leave()
                return

    async def _listen(self, wire: aiohttp.ClientWebSocketResponse) -> None:
        async for message in wire:
            if self._closing:
                continue
            # The protocol is of text alone: anything else is a message that nobody can read.
            self._listener.heard(message.data if message.type is aiohttp.WSMsgType.TEXT else "")
            self._outbox.clock.settle()
        self._leave()

    def _leave(self) -> None:
        if not self._closing:
            self._listener.closed()
            self._outbox.clock.settle()
            self.close()
