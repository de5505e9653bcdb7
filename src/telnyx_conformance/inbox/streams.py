"""A receiver of media: WebSockets and UDP ports by word, each of which keeps what came, within bounds."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from typing import TYPE_CHECKING, Any

from aiohttp import WSMsgType, web

from telnyx_conformance.contract.media_stream import StreamMessage
from telnyx_conformance.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

MESSAGES_PER_WORD = 1_000
WORDS = 10_000
PORTS = 64
MESSAGE_BYTES = 1_000_000
DATAGRAM_BYTES = 65_535
CLOSE_SECONDS = 1.0


class Streams:
    """What came to each word. `changed` is told after each message, so that whoever waits can look again."""

    def __init__(self, changed: Callable[[], Coroutine[Any, Any, None]], *, host: str = "127.0.0.1") -> None:
        self._changed, self._host = changed, host
        self._heard: dict[str, list[StreamMessage]] = {}
        self._connections: dict[str, int] = {}
        self._ports: dict[str, socket.socket] = {}
        self._open: dict[str, web.WebSocketResponse] = {}
        self._telling: asyncio.Future[None] | None = None  # kept, or it might be collected before it is done

    def messages(self, word: str) -> tuple[StreamMessage, ...]:
        """Return what a word has received, in order of arrival."""
        return tuple(self._heard.get(word, ()))

    def open(self, word: str) -> None:
        """Listen for a word. Raises `UsageError` beyond the number of words that are kept."""
        if word not in self._heard and len(self._heard) >= WORDS:
            raise UsageError("too many media receivers", expected=f"at most {WORDS}", advice="forget finished ones")
        self._heard.setdefault(word, [])

    def port(self, word: str) -> str:
        """Return where datagrams for a word go, such as `udp:127.0.0.1:9000`; call within an event loop."""
        self.open(word)
        if word not in self._ports:
            if len(self._ports) >= PORTS:
                raise UsageError("too many UDP ports", expected=f"at most {PORTS}", advice="forget finished ones")
            bound = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            bound.bind((self._host, 0))
            bound.setblocking(False)  # noqa: FBT003 - the signature of the standard library
            asyncio.get_running_loop().add_reader(bound, self._arrived, word, bound)
            self._ports[word] = bound
        host, number = self._ports[word].getsockname()
        return f"udp:{host}:{number}"

    async def say(self, word: str, text: str) -> None:
        """Say something to whoever is connected to a word. Raises `UsageError` where nobody is."""
        wire = self._open.get(word)
        if wire is None:
            raise UsageError("nobody is connected", got=word)
        await wire.send_str(text)

    async def hang_up(self, word: str) -> None:
        """Close the connection to a word, if there is one."""
        wire = self._open.get(word)
        if wire is not None:
            await wire.close()

    def forget(self, word: str) -> None:
        """Drop what a word has received, and close its port."""
        self._heard.pop(word, None)
        self._connections.pop(word, None)
        bound = self._ports.pop(word, None)
        if bound is not None:
            asyncio.get_running_loop().remove_reader(bound)
            bound.close()

    async def close(self) -> None:
        """Close every connection and port; what was received stays readable."""
        for wire in tuple(self._open.values()):
            await wire.close()
        for bound in self._ports.values():
            asyncio.get_running_loop().remove_reader(bound)
            bound.close()
        self._ports.clear()

    async def receive(self, request: web.Request) -> web.StreamResponse:
        """Take what a WebSocket brings until it is closed; a word that nobody opened is answered with 404."""
        word = request.match_info["word"]
        if word not in self._heard:
            return web.Response(status=404)
        wire = web.WebSocketResponse(timeout=CLOSE_SECONDS, max_msg_size=MESSAGE_BYTES)
        await wire.prepare(request)
        number = self._connections[word] = self._connections.get(word, -1) + 1
        self._open[word] = wire
        try:
            async for message in wire:
                if message.type in (WSMsgType.TEXT, WSMsgType.BINARY):
                    data = message.data
                    raw = data.encode() if isinstance(data, str) else bytes(data)
                    self._keep(word, StreamMessage(raw=raw, connection=number))
                    await self._changed()
        finally:
            if self._open.get(word) is wire:
                del self._open[word]
        return wire

    def _arrived(self, word: str, bound: socket.socket) -> None:
        with contextlib.suppress(BlockingIOError):
            self._keep(word, StreamMessage(raw=bound.recv(DATAGRAM_BYTES)))
            self._telling = asyncio.ensure_future(self._changed())

    def _keep(self, word: str, message: StreamMessage) -> None:
        kept = self._heard.get(word)
        if kept is not None and len(kept) < MESSAGES_PER_WORD:
            kept.append(message)
