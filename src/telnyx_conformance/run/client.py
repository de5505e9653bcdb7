"""Sending one request and keeping what came of it: bounded in time and size, redirects not followed, nothing raised.

httpx is the interface; the transport is an argument: aiohttp's over the network (`httpx-aiohttp`, three times httpx's own
under many connections), the emulator's in process.
"""

from __future__ import annotations

import asyncio
import ssl
import time
from typing import TYPE_CHECKING

import httpx

from telnyx_conformance.contract.exchange import Exchange, Request, Response

if TYPE_CHECKING:
    from collections.abc import Callable

LARGEST_BODY = 16 * 1024 * 1024


class Client:
    """Sends requests to one base URL.

    `seconds` bounds a whole exchange, `largest_body` the bytes read of a response. `clock` measures durations in seconds.
    """

    def __init__(
        self,
        base_url: str,
        transport: httpx.AsyncBaseTransport,
        *,
        seconds: float = 10.0,
        largest_body: int = LARGEST_BODY,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self.base_url = base_url.rstrip("/")
        self._transport = transport
        self._seconds = seconds
        self._largest_body = largest_body
        self._clock = clock
        self._extensions = {"timeout": {"connect": seconds, "read": seconds, "write": seconds, "pool": seconds * 10}}

    async def send(self, request: Request) -> Exchange:
        """Send and return the exchange; whatever goes wrong stands in its `error`, never raises."""
        url = self.base_url + request.target
        began = self._clock()
        try:
            async with asyncio.timeout(self._seconds):
                return await self._exchange(request, url, began)
        except TimeoutError:
            error = f"no complete response within {self._seconds:g} s"
        except httpx.TimeoutException as slow:
            error = f"no complete response within {self._seconds:g} s ({type(slow).__name__})"
        except httpx.InvalidURL as invalid:
            error = f"the request has no valid URL: {invalid}"
        except (httpx.RequestError, httpx.StreamError, OSError) as failed:
            error = _transport_error(failed)
        except ValueError as invalid:  # a header value or URL that no HTTP client can send
            error = f"the request cannot be sent: {invalid}"
        return Exchange(request=request, error=error)

    async def _exchange(self, request: Request, url: str, began: float) -> Exchange:
        sent = httpx.Request(
            request.method,
            url,
            headers=list(request.headers),
            content=request.body or None,
            extensions=self._extensions,
        )
        response = await self._transport.handle_async_request(sent)
        try:
            parts, size = [], 0
            async for chunk in response.aiter_bytes():
                parts.append(chunk)
                size += len(chunk)
                if size > self._largest_body:
                    return Exchange(request=request, error=f"the response is larger than {self._largest_body} bytes")
        finally:
            await response.aclose()
        headers = tuple((k.lower().decode("latin-1"), v.decode("latin-1")) for k, v in response.headers.raw)
        seconds = self._clock() - began
        answered = Response(status=response.status_code, headers=headers, body=b"".join(parts), seconds=seconds)
        return Exchange(request=request, response=answered)

    async def close(self) -> None:
        """Close the transport's connections."""
        await self._transport.aclose()


def _transport_error(failed: Exception) -> str:
    cause: BaseException | None = failed
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"the TLS certificate is not valid for this host: {cause.verify_message}"
        if isinstance(cause, ConnectionRefusedError):
            return "connection refused: nothing listens there"
        cause = cause.__cause__ or cause.__context__
    return f"{type(failed).__name__}: {failed}" if str(failed) else type(failed).__name__
