"""A webhook receiver that does the least: answers 200 to every POST and counts. python receiver.py PORT

`GET /` tells how many came, `GET /distinct` how many different events.
"""

from __future__ import annotations

import asyncio
import sys
from typing import ClassVar

import msgspec

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"


class Event(msgspec.Struct):
    """What tells one event from another."""

    id: str


class Webhook(msgspec.Struct):
    """The body of a webhook of API v2, as far as it is counted."""

    data: Event


BODY = msgspec.json.Decoder(Webhook)


class Receiver(asyncio.Protocol):
    """One connection, requests one after the other."""

    received = 0
    distinct: ClassVar[set[str]] = set()

    def __init__(self) -> None:
        self._buffer = b""
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while (end := self._buffer.find(b"\r\n\r\n")) >= 0:
            head = self._buffer[:end].lower()
            at = head.find(b"content-length:")
            length = int(head[at + 15 :].split(b"\r\n", 1)[0]) if at >= 0 else 0
            if len(self._buffer) < end + 4 + length:
                return
            body, self._buffer = self._buffer[end + 4 : end + 4 + length], self._buffer[end + 4 + length :]
            if head.startswith(b"get "):
                told = str(len(Receiver.distinct) if b"/distinct" in head[:20] else Receiver.received).encode()
                self._transport.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%b" % (len(told), told))
            else:
                Receiver.received += 1
                Receiver.distinct.add(BODY.decode(body).data.id)
                self._transport.write(OK)


async def main() -> None:
    server = await asyncio.get_running_loop().create_server(Receiver, "127.0.0.1", int(sys.argv[1]))
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
