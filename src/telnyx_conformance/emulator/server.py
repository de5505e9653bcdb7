"""The emulator behind a socket: uvicorn, one process, loopback unless told otherwise."""

from __future__ import annotations

import asyncio
import errno
import socket
import sys
from time import time
from typing import TYPE_CHECKING

import uvicorn

from telnyx_conformance.contract.document import DEFAULT_EDITION, load_edition
from telnyx_conformance.emulator.addresses import is_loopback
from telnyx_conformance.emulator.app import App
from telnyx_conformance.emulator.core import Emulator
from telnyx_conformance.emulator.courier import Courier
from telnyx_conformance.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from telnyx_conformance.emulator.account import Mode
    from telnyx_conformance.emulator.clock import ClockMode

DEFAULT_HOST = "127.0.0.1"
DEFAULT_PORT = 12111
BACKLOG = 2048


def listening_socket(
    host: str = DEFAULT_HOST, port: int = DEFAULT_PORT, *, allow_remote: bool = False
) -> socket.socket:
    """Return a bound socket.

    Port 0 takes any free one. Raises `UsageError` for a port in use and for an address beyond loopback.
    """
    if not is_loopback(host) and not allow_remote:
        raise UsageError(
            "the emulator listens on loopback only",
            expected="127.0.0.1, ::1 or localhost",
            got=host,
            advice="allow it explicitly when you mean to serve other machines",
        )
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        bound = socket.socket(family, kind, protocol)
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(address)
    except OSError as error:
        in_use = error.errno == errno.EADDRINUSE
        raise UsageError(
            "the port is in use" if in_use else "the emulator cannot listen there",
            got=f"{host}:{port}: {error.strerror or error}",
            advice="choose another with --port, or 0 for any free one" if in_use else "",
        ) from None
    bound.listen(BACKLOG)
    bound.setblocking(False)  # noqa: FBT003 - the signature of the standard library
    return bound


def serve(
    *,
    host: str = DEFAULT_HOST,
    port: int = DEFAULT_PORT,
    edition: str = DEFAULT_EDITION,
    mode: Mode = "stateful",
    clock: ClockMode = "auto",
    seed: int = 1,
    api_keys: Sequence[str] = (),
    allow_remote: bool = False,
    allow_any_host: bool = False,
) -> None:
    """Serve an emulator until interrupted.

    `allow_remote` lets webhooks leave this machine, `allow_any_host` lets others in.
    """
    bound = listening_socket(host, port, allow_remote=allow_any_host)
    courier = Courier(wall=time, allow_remote=allow_remote)
    emulator = Emulator(load_edition(edition), api_keys=api_keys, mode=mode, clock=clock, seed=seed, courier=courier)
    Server(emulator, bound, started=_announce).run()


def _announce(base_url: str) -> None:
    print(f"emulating {base_url}/v2 (storage: /s3, control: /_control); Ctrl-C ends it", file=sys.stderr, flush=True)  # noqa: T201 - told to whoever started it


class Server:
    """One emulator served on one socket. `run` blocks; `serve` is for an event loop that runs already."""

    def __init__(
        self,
        emulator: Emulator,
        bound: socket.socket,
        *,
        started: Callable[[str], None] | None = None,
        control: bool = True,
    ) -> None:
        host, port = bound.getsockname()[:2]
        self.base_url = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
        self._socket = bound
        self._started = started
        self._server = uvicorn.Server(
            uvicorn.Config(
                App(emulator, control=control),
                access_log=False,
                proxy_headers=False,
                # A planted fault may break off its answers, which uvicorn takes for an error of the application.
                log_level="warning" if emulator.fault is None else "critical",
                server_header=False,
                lifespan="on",
                ws="none",
                backlog=BACKLOG,
                timeout_graceful_shutdown=1,
            )
        )

    def run(self) -> None:
        """Serve until interrupted."""
        if self._started is not None:
            self._started(self.base_url)
        self._server.run(sockets=[self._socket])

    async def serve(self) -> None:
        """Serve until `stop`."""
        if self._started is not None:
            self._started(self.base_url)
        await self._server.serve(sockets=[self._socket])

    def stop(self) -> None:
        """Let `serve` or `run` come to its end."""
        self._server.should_exit = True

    async def ready(self) -> None:
        """Wait until requests are answered."""
        while not self._server.started:  # noqa: ASYNC110 - uvicorn has a flag and no event
            await asyncio.sleep(0)
