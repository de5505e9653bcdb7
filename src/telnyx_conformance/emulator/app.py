"""The emulator as an ASGI application.

Reads bodies within their limit, answers, delivers webhooks and drives real clocks.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from telnyx_conformance.emulator.clock import follow
from telnyx_conformance.emulator.control import PREFIX, handle_control
from telnyx_conformance.emulator.core import MOST_BODY_BYTES, Emulator, World, too_large
from telnyx_conformance.emulator.reply import Reply

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
CONTROL = PREFIX.encode()
SECONDS_SLOW = 0.005


class Background:
    """What runs beside the requests: webhook delivery, media, and a driver for each account whose clock follows the wall."""

    def __init__(self, emulator: Emulator) -> None:
        self._emulator = emulator
        self._drivers: dict[str, tuple[World, asyncio.Task[None]]] = {}

    async def start(self) -> None:
        """Begin; call from the event loop that serves the requests."""
        await self._emulator.courier.start()
        await self._emulator.gateway.start()
        self._emulator.on_world = self._drive
        for world in self._emulator.worlds:
            self._drive(world)

    async def stop(self) -> None:
        """End every driver, connection and delivery."""
        self._emulator.on_world = None
        tasks = [task for _, task in self._drivers.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._drivers.clear()
        await self._emulator.gateway.stop()
        await self._emulator.courier.stop()

    def _drive(self, world: World) -> None:
        key = world.account.key
        known = self._drivers.get(key)
        if known is not None and known[0] is world and not known[1].done():
            return
        if known is not None:
            known[1].cancel()
            del self._drivers[key]
        if world.account.clock.mode == "real":
            task = asyncio.get_running_loop().create_task(follow(world.account.clock))
            self._drivers[key] = (world, task)


class App:
    """The ASGI application around one emulator; without `control` it has no control API, as the real thing has none."""

    def __init__(self, emulator: Emulator, *, control: bool = True) -> None:
        self.emulator = emulator
        self._control = control
        self.background = Background(emulator)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or the life of the server."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] == "http":
            await _send(send, await self._answer(scope, receive), receive)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1000})

    async def _answer(self, scope: Scope, receive: Receive) -> Reply:
        headers = scope["headers"]
        message = await receive()
        body = message.get("body", b"")
        if message.get("more_body"):
            chunks = [body]
            size = len(body)
            while message.get("more_body") and size <= MOST_BODY_BYTES:
                message = await receive()
                chunks.append(message.get("body", b""))
                size += len(chunks[-1])
            if size > MOST_BODY_BYTES:
                return _closing(too_large())
            body = b"".join(chunks)
        target: bytes = scope.get("raw_path") or scope["path"].encode()
        if scope["query_string"]:
            target += b"?" + scope["query_string"]
        if self._control and target.startswith(CONTROL):
            return await handle_control(self.emulator, scope["method"], target, headers, body)
        return self.emulator.handle(scope["method"], target, headers, body)

    async def _live(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                await self.background.start()
                await send({"type": "lifespan.startup.complete"})
            elif message["type"] == "lifespan.shutdown":
                await self.background.stop()
                await send({"type": "lifespan.shutdown.complete"})
                return


def _closing(reply: Reply) -> Reply:
    """Return a reply that ends its connection: the rest of the request was never read."""
    return Reply(reply.status, [*reply.headers, (b"connection", b"close")], reply.body)


async def _send(send: Send, reply: Reply, receive: Receive) -> None:
    if reply.sending != "whole":
        await _send_otherwise(send, reply, receive)
        return
    await send({"type": "http.response.start", "status": reply.status, "headers": reply.headers})
    await send({"type": "http.response.body", "body": reply.body})


async def _send_otherwise(send: Send, reply: Reply, receive: Receive) -> None:
    """Send as a planted fault asks for. A server ends the connection of an answer that it was not given to its end."""
    if reply.sending == "slow":
        await asyncio.sleep(SECONDS_SLOW)
    if reply.sending == "never":
        while (await receive())["type"] != "http.disconnect":
            pass
        return
    await send({"type": "http.response.start", "status": reply.status, "headers": reply.headers})
    body = reply.body[: len(reply.body) // 2] if reply.sending == "cut" else reply.body
    pieces = [body[at : at + 1] for at in range(len(body))] if reply.sending == "in-pieces" else [body]
    for piece in pieces:
        await send({"type": "http.response.body", "body": piece, "more_body": True})
    if reply.sending != "cut":
        await send({"type": "http.response.body", "body": b""})
