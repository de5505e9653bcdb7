"""The emulator inside the caller's process: an httpx transport without a socket."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import httpx

from telnyx_conformance.emulator.app import CONTROL, SECONDS_SLOW, Background
from telnyx_conformance.emulator.control import handle_control
from telnyx_conformance.emulator.core import Emulator

if TYPE_CHECKING:
    from telnyx_conformance.contract.model import Edition
    from telnyx_conformance.emulator.reply import Reply


class EmbeddedTransport(httpx.AsyncBaseTransport):
    """Answers an `httpx.AsyncClient` from an emulator. Webhooks are delivered from the client's event loop."""

    def __init__(self, emulator: Emulator) -> None:
        self.emulator = emulator
        self._background: Background | None = None

    @classmethod
    def for_edition(cls, edition: Edition, *, seed: int = 1) -> EmbeddedTransport:
        """Return a transport to a fresh, stateful emulator of `edition`."""
        return cls(Emulator(edition, seed=seed))

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Answer one request."""
        if self._background is None:
            self._background = Background(self.emulator)
            await self._background.start()
        body = await request.aread()
        headers = [(name.lower(), value) for name, value in request.headers.raw]
        target = request.url.raw_path
        if target.startswith(CONTROL):
            reply = await handle_control(self.emulator, request.method, target, headers, body)
        else:
            reply = self.emulator.handle(request.method, target, headers, body)
        await self._as_sent(reply, request)
        return httpx.Response(reply.status, headers=reply.headers, content=reply.body, request=request)

    @staticmethod
    async def _as_sent(reply: Reply, request: httpx.Request) -> None:
        """Do without a socket what a server would do to a reply; what never comes is too late at once."""
        if reply.sending == "never":
            raise httpx.ReadTimeout("", request=request)
        if reply.sending == "cut":
            raise httpx.RemoteProtocolError("the connection ended before the answer did", request=request)
        if reply.sending == "slow":
            await asyncio.sleep(SECONDS_SLOW)

    async def aclose(self) -> None:
        """Stop the delivery of webhooks."""
        if self._background is not None:
            await self._background.stop()
            self._background = None
