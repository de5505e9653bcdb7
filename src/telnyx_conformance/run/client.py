"""Sending one request and keeping what came of it: bounded in time and size, redirects not followed, nothing raised.

httpx is the interface; the transport is an argument: aiohttp's over the network (`httpx-aiohttp`, three times httpx's own
under many connections), the emulator's in process.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
import time
from typing import TYPE_CHECKING

import aiohttp
import httpx

from telnyx_conformance.contract.exchange import Exchange, Request, Response

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

LARGEST_BODY = 16 * 1024 * 1024
LONGEST_ERROR = 300
SHORTEST_KEY = 12  # what is shorter may stand in an answer by chance
# What is known to go wrong, the special before the general: its words, and where the exception says more. No words: too late.
CAUSES: tuple[tuple[type[BaseException], str, str], ...] = (
    (ssl.SSLCertVerificationError, "the TLS certificate is not valid for this host", "verify_message"),
    (ssl.SSLError, "no TLS connection", "reason"),
    (ConnectionRefusedError, "connection refused: nothing listens there", ""),
    (socket.gaierror, "the host is not known", "strerror"),
    (TimeoutError, "", ""),
    (aiohttp.ClientPayloadError, "the target closed the connection in the middle of its answer", ""),
    (ConnectionResetError, "the target reset the connection", ""),
    (BrokenPipeError, "the target reset the connection", ""),
    (aiohttp.ServerDisconnectedError, "the target closed the connection without an answer", ""),
    (aiohttp.ClientResponseError, "the answer is not HTTP", "message"),
)


class Client:
    """Sends requests to one base URL.

    `seconds` bounds a whole exchange, `largest_body` the bytes read of a response. `clock` measures durations in seconds.
    `scrub` removes secrets from whatever comes back before anybody sees it: a target may echo the key, whole or quoted in part.
    """

    def __init__(
        self,
        base_url: str,
        transport: httpx.AsyncBaseTransport,
        *,
        seconds: float = 10.0,
        largest_body: int = LARGEST_BODY,
        scrub: Callable[[bytes], bytes] = bytes,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self.base_url = base_url.rstrip("/")
        self._transport = transport
        self._seconds = seconds
        self._largest_body = largest_body
        self._scrub = scrub
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
            error = self._late()
        except httpx.InvalidURL as invalid:
            error = f"the request has no valid URL: {invalid}"
        except (httpx.RequestError, httpx.StreamError, aiohttp.ClientError, OSError) as failed:
            error = _wording(failed) or self._late()
        except ValueError as invalid:  # a header value or URL that no HTTP client can send
            error = f"the request cannot be sent: {invalid}"
        return Exchange(request=request, error=_harmless(self._scrub(error.encode(errors="replace")).decode()))

    def _late(self) -> str:
        return f"no complete response within {self._seconds:g} s"

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
        scrub = self._scrub
        headers = tuple(
            (scrub(k).lower().decode("latin-1"), scrub(v).decode("latin-1")) for k, v in response.headers.raw
        )
        seconds = self._clock() - began
        body = b"".join(parts)
        answered = Response(
            status=response.status_code, headers=headers, body=scrub(body), seconds=seconds,
            echoes_key=_stands_in(_key_of(request), body, response.headers.raw),
        )  # fmt: skip
        return Exchange(request=request, response=answered)

    async def close(self) -> None:
        """Close the transport's connections."""
        await self._transport.aclose()


def _key_of(request: Request) -> bytes:
    """Return the secret part of a request's credentials; nothing where it has none, or one that may be any word."""
    header = next((value for name, value in request.headers if name.lower() == "authorization"), "")
    key = header.rpartition(" ")[2].encode()
    return key if len(key) >= SHORTEST_KEY else b""


def _stands_in(key: bytes, body: bytes, headers: list[tuple[bytes, bytes]]) -> bool:
    return bool(key) and (key in body or any(key in value for _, value in headers))


def _wording(failed: Exception) -> str:
    """Say what went wrong below HTTP by its innermost known cause; empty for a timeout."""
    for cause in _causes(failed):
        for kind, words, detail in CAUSES:
            if isinstance(cause, kind):
                told = getattr(cause, detail, "") if detail else ""
                return f"{words}: {told or cause}" if detail else words
    if isinstance(failed, httpx.TimeoutException) and failed.__cause__ is None:
        return ""
    return f"{type(failed).__name__}: {failed}" if str(failed) else type(failed).__name__


def _causes(failed: BaseException) -> Iterator[BaseException]:
    """Yield an exception and what caused it, innermost first."""
    chain, cause = [], failed.__cause__ or failed.__context__
    while cause is not None and cause not in chain:
        chain.append(cause)
        cause = cause.__cause__ or cause.__context__
    yield from reversed(chain)
    yield failed


def _harmless(text: str) -> str:
    """Return one line without control characters: part of it may come from the target, and it is shown on terminals."""
    plain = "".join(letter if letter.isprintable() else " " for letter in text)
    return " ".join(plain.split())[:LONGEST_ERROR]
