"""The inbox: an HTTP receiver for webhooks that keeps raw bytes, judges signatures and can be told to misbehave.

Each scenario has a token of its own, hence an address of its own. Memory is bounded: bodies, events per token, tokens.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import time
from collections import deque
from typing import TYPE_CHECKING, Self

import msgspec
from aiohttp import web
from msgspec.structs import replace

from telnyx_conformance.contract.exchange import Event
from telnyx_conformance.contract.nesting import decoded
from telnyx_conformance.contract.webhook_wire import decode_get
from telnyx_conformance.errors import IncompleteError, UsageError
from telnyx_conformance.inbox.media import tone
from telnyx_conformance.inbox.signature import SIGNATURE_HEADER, Verifier
from telnyx_conformance.inbox.streams import Streams

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from types import TracebackType

    from telnyx_conformance.inbox.signature import Verdict

TOKEN = re.compile(r"[A-Za-z0-9_-]{1,128}")
BODY_BYTES = 1_000_000
EVENTS_PER_TOKEN = 1_000
TOKENS = 100_000
SHUTDOWN_SECONDS = 1.0


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """How one delivery is answered. `delay` is in seconds before the answer; `close` hangs up instead of answering."""

    status: int = 200
    delay: float = 0.0
    location: str = ""
    body: bytes = b""
    close: bool = False


class _Box:
    """What belongs to one token."""

    __slots__ = ("changed", "dropped", "events", "given", "key", "script")

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.script: deque[Reply] = deque()
        self.key: Callable[[Event], object] | None = None
        self.given: dict[object, Reply] = {}
        self.changed = asyncio.Condition()
        self.dropped = 0

    def reply_to(self, event: Event) -> Reply:
        """Return how a delivery is answered: one with a key that came before as it was then."""
        if self.key is None:
            return self.script.popleft() if self.script else Reply()
        key = self.key(event)
        if key is None:
            return Reply()
        if key not in self.given:
            self.given[key] = self.script.popleft() if self.script else Reply()
        return self.given[key]


class Inbox:
    """A receiver on loopback, used as an asynchronous context manager or by `start` and `stop`.

    `public_key` (base64 of 32 bytes) verifies signatures; without it what is signed counts as invalid. `clock` gives
    Unix seconds. A body beyond `body_bytes` is answered with 413, deliveries beyond `events_per_token` with 507, and
    neither is kept; `dropped` counts them. `scrub` removes secrets from a delivery once its signature is judged.
    """

    def __init__(
        self,
        *,
        public_key: str = "",
        host: str = "127.0.0.1",
        port: int = 0,
        public_url: str = "",
        body_bytes: int = BODY_BYTES,
        events_per_token: int = EVENTS_PER_TOKEN,
        tokens: int = TOKENS,
        clock: Callable[[], float] = time.time,
        scrub: Callable[[bytes], bytes] = bytes,
    ) -> None:
        self._scrub = scrub
        self._verifier = Verifier(public_key) if public_key else None
        self._host, self._port, self._public_url = host, port, public_url.rstrip("/")
        self._body_bytes, self._events_per_token, self._tokens = body_bytes, events_per_token, tokens
        self._clock = clock
        self._boxes: dict[str, _Box] = {}
        self._arrivals = 0
        self._changed = asyncio.Condition()
        self.streams = Streams(self._tell, host=host)
        self._runner: web.AppRunner | None = None
        self._stopping = asyncio.Event()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    @property
    def received(self) -> int:
        """How many deliveries have been kept since the start, whatever became of them."""
        return self._arrivals

    async def start(self) -> None:
        """Listen. Raises `IncompleteError` when the address is taken."""
        application = web.Application(client_max_size=self._body_bytes)
        application.router.add_route("*", "/{token}", self._receive)
        application.router.add_get("/media/{word}.wav", self._play)
        application.router.add_get("/streams/{word}", self.streams.receive)
        runner = web.AppRunner(application, access_log=None, shutdown_timeout=SHUTDOWN_SECONDS)
        await runner.setup()
        try:
            await web.TCPSite(runner, self._host, self._port).start()
        except OSError as error:
            await runner.cleanup()
            raise IncompleteError(
                "the webhook inbox cannot listen",
                expected=f"{self._host}:{self._port} to be free",
                got=error.strerror or str(error),
                advice="choose another port, or 0 for any",
            ) from None
        self._stopping.clear()
        self._runner = runner
        self._port = runner.addresses[0][1]

    async def stop(self) -> None:
        """Stop listening and let slow answers go. What was received stays readable."""
        self._stopping.set()
        await self.streams.close()
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    @property
    def is_verifying(self) -> bool:
        """Whether a public key is known, so that a signature can be told from a wrong one."""
        return self._verifier is not None

    def verify_with(self, public_key: str) -> None:
        """Verify deliveries from now on with `public_key`."""
        self._verifier = Verifier(public_key)

    def url(self, token: str) -> str:
        """Return the address of a token and open it. Raises `UsageError` for a token that no URL could carry."""
        self._open(token)
        return f"{self._root}/{token}"

    def media_url(self, word: str) -> str:
        """Return the address of an audio file (WAV, one second); another word gives another address."""
        return f"{self._root}/media/{word}.wav"

    def socket_url(self, word: str) -> str:
        """Return the address of a WebSocket that keeps what it receives, as `streams` tells."""
        self.streams.open(word)
        return "ws" + f"{self._root}/streams/{word}".removeprefix("http")

    @property
    def _root(self) -> str:
        if self._public_url:
            return self._public_url
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"http://{host}:{self._port}"

    def events(self, token: str) -> tuple[Event, ...]:
        """Return what a token has received, in order of arrival."""
        box = self._boxes.get(token)
        return tuple(box.events) if box else ()

    def dropped(self, token: str) -> int:
        """Return how many deliveries to a token were too large or too many to be kept."""
        box = self._boxes.get(token)
        return box.dropped if box else 0

    def script(self, token: str, replies: Iterable[Reply], *, key: Callable[[Event], object] | None = None) -> None:
        """Answer the next deliveries to a token so, one reply each; after them with 200 again.

        With `key`, deliveries of the same key are answered alike, and those for which it gives `None` with 200.
        """
        box = self._open(token)
        box.script, box.key, box.given = deque(replies), key, {}

    async def wait(
        self,
        token: str,
        condition: Callable[[tuple[Event, ...]], bool],
        timeout: float,  # noqa: ASYNC109 - no error but an answer: what came until then is returned
    ) -> tuple[Event, ...]:
        """Return a token's events as soon as `condition` holds for them, else those of the first `timeout` seconds."""
        box = self._open(token)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout), box.changed:
                await box.changed.wait_for(lambda: condition(tuple(box.events)))
        return tuple(box.events)

    async def until(self, condition: Callable[[], bool], timeout: float) -> bool:  # noqa: ASYNC109 - as in `wait`
        """Return true as soon as `condition` holds, looking after each delivery to any token; false after `timeout` seconds."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout), self._changed:
                await self._changed.wait_for(condition)
        return condition()

    def forget(self, token: str) -> None:
        """Drop what a token has received and close its address: later deliveries to it are answered with 404."""
        self._boxes.pop(token, None)

    def _open(self, token: str) -> _Box:
        if token in self._boxes:
            return self._boxes[token]
        if not TOKEN.fullmatch(token):
            raise UsageError("not a token", expected=f"what matches {TOKEN.pattern}", got=repr(token[:200]))
        if len(self._boxes) >= self._tokens:
            raise UsageError("too many open tokens", expected=f"at most {self._tokens}", advice="forget finished ones")
        return self._boxes.setdefault(token, _Box())

    @staticmethod
    async def _play(_: web.Request) -> web.Response:
        return web.Response(body=tone(), content_type="audio/wav")

    async def _receive(self, request: web.Request) -> web.StreamResponse:
        token = request.match_info["token"]
        box = self._boxes.get(token)
        if box is None:
            return web.Response(status=404)
        try:
            raw = await request.read()
        except web.HTTPRequestEntityTooLarge:
            box.dropped += 1
            return web.Response(status=413)
        if len(box.events) >= self._events_per_token:
            box.dropped += 1
            return web.Response(status=507)
        event = self._event(token, request, raw)
        reply = box.reply_to(event)
        await self._keep(box, replace(event, answered=0 if reply.close else reply.status))
        if reply.delay:
            await self._pause(reply.delay)
        if reply.close and request.transport is not None:
            request.transport.abort()
        headers = {"location": reply.location} if reply.location else None
        return web.Response(status=reply.status, headers=headers, body=reply.body)

    def _event(self, token: str, request: web.Request, raw: bytes) -> Event:
        sent = {name.lower(): value for name, value in request.headers.items()}
        now = self._clock()
        signature = self._verdict(sent, raw, now)
        raw = self._scrub(raw)
        query = tuple((self._text(name), self._text(value)) for name, value in request.query.items())
        return Event(
            token=token,
            arrival=self._arrivals,
            method=request.method,
            path=request.path,
            query=query,
            headers=tuple((self._text(name.lower()), self._text(value)) for name, value in request.headers.items()),
            raw=raw,
            document=decode_get(query) if request.method == "GET" else _decoded(raw),
            signature=signature,
            received_at=now,
        )

    async def _keep(self, box: _Box, event: Event) -> None:
        self._arrivals += 1
        async with box.changed:
            box.events.append(event)
            box.changed.notify_all()
        await self._tell()

    async def _tell(self) -> None:
        async with self._changed:
            self._changed.notify_all()

    def _text(self, text: str) -> str:
        return self._scrub(text.encode(errors="surrogatepass")).decode(errors="surrogatepass")

    def _verdict(self, headers: dict[str, str], raw: bytes, now: float) -> Verdict:
        if self._verifier is None:
            return "invalid" if SIGNATURE_HEADER in headers else "missing"
        return self._verifier.verdict(headers, raw, now)

    async def _pause(self, seconds: float) -> None:
        """Let `seconds` pass, less when the inbox stops."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._stopping.wait()


def _decoded(raw: bytes) -> dict[str, object] | None:
    try:
        document = decoded(raw)
    except ValueError:
        return None
    return document if isinstance(document, dict) else None
