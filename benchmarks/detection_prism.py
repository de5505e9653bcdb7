"""Prism as a validating proxy before a mutant: our plan's requests go through it, and what it says of them is kept.

It runs without `--errors`: with it, what breaks the document never reaches the mutant. It says all the same what it finds,
in the header `sl-violations`.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import aiohttp
import httpx
from detection_table import first_new, named
from httpx_aiohttp import AiohttpTransport
from servers import PRISM, free_port, running

from telnyx_conformance.contract.bundle import bundle
from telnyx_conformance.contract.document import load_edition
from telnyx_conformance.emulator.fault import Fault
from telnyx_conformance.emulator.routing import Router
from telnyx_conformance.mutants.certifying import Wire
from telnyx_conformance.mutants.judging import Bench

if TYPE_CHECKING:
    from collections.abc import Iterator

    from telnyx_conformance.emulator.core import Emulator
    from telnyx_conformance.mutants.mutant import Mutant
    from telnyx_conformance.run.profile import Profile

API = b"/v2/"
SAYS = "sl-violations"
LONGEST = 1024 * 1024  # Prism names every violation in one header


class Through(Wire):
    """Carries the API's requests through Prism, everything else straight to the emulator."""

    def __init__(self, emulator: Emulator, profile: Profile) -> None:
        super().__init__(emulator, profile)
        self._router = Router(emulator.edition.operations)
        self._proxied: AiohttpTransport | None = None
        self.prism = ""
        self.found: dict[str, int] = {}
        self.requests = 0

    def begin_anew(self) -> None:
        """Forget what was found and counted."""
        self.found, self.requests = {}, 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send one request."""
        path = request.url.raw_path
        if not self.prism or not path.startswith(API):
            return await super().handle_async_request(request)
        if self._proxied is None:
            self._proxied = AiohttpTransport(client=_session)
        operation = self._operation(request.method, path.decode("latin-1").partition("?")[0])
        there = httpx.URL(self.prism)
        request.url = httpx.URL(scheme="http", host=there.host, port=there.port, raw_path=path[len(API) - 1 :])
        self.requests += 1
        response = await self._proxied.handle_async_request(request)
        for name in _violations(response, operation):
            self.found.setdefault(name, self.requests)
        return response

    def _operation(self, method: str, path: str) -> str:
        match = self._router.match(method, path)
        return f"{method} {match.route.operation.id if match and match.route else 'elsewhere'}"

    async def aclose(self) -> None:
        """End the connections."""
        if self._proxied is not None:
            await self._proxied.aclose()
        await super().aclose()


def _session() -> aiohttp.ClientSession:
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=8, force_close=True),
        skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding", "Content-Type"),
        cookie_jar=aiohttp.DummyCookieJar(), auto_decompress=False, max_field_size=LONGEST, max_line_size=LONGEST,
    )  # fmt: skip


def _violations(response: httpx.Response, operation: str) -> Iterator[str]:
    """Yield what Prism says of an exchange: its violations, or an error of its own in place of the answer."""
    said = response.headers.get(SAYS)
    if said:
        for one in json.loads(said):
            place = ".".join(str(part) for part in one.get("location", []))
            yield named(str(one.get("code", "")), operation, f"{place}: {one.get('message', '')}")
    if "application/problem+json" in response.headers.get("content-type", ""):
        yield named("problem", operation, str(response.status_code))


class Proxied:
    """Prism with one document before one emulator."""

    def __init__(self, *, hardened: bool, seconds: float, seed: int = 1) -> None:
        self._known: dict[str, frozenset[str]] = {}
        self._stack = ExitStack()
        self.bench = Bench(carried=self._carried, seed=seed, seconds=seconds)
        self._stack.callback(self.bench.close)
        npx = shutil.which("npx")
        if npx is None:
            raise RuntimeError("npx is not installed")
        subprocess.run([npx, "--yes", PRISM, "--version"], check=True, capture_output=True, timeout=300)
        file = Path(self._stack.enter_context(tempfile.TemporaryDirectory())) / "document.json"
        file.write_text(json.dumps(bundle(load_edition(hardened=hardened))), encoding="utf-8")
        port = free_port()
        options = ["--port", str(port), "--host", "127.0.0.1", "--verboseLevel", "fatal"]
        command = [npx, "--yes", PRISM, "proxy", str(file), f"{self._through.base_url}/v2", *options]
        self._stack.enter_context(running(command, port, "/phone_numbers"))
        self._through.prism = f"http://127.0.0.1:{port}"

    def _carried(self, emulator: Emulator, profile: Profile) -> Through:
        self._through = Through(emulator, profile)
        return self._through

    def judge(self, mutant: Mutant, fault: Fault) -> tuple[str, int]:
        """Return what Prism says of a mutant and not of the original, and the requests until then."""
        proof = mutant.sequence or mutant.delivery or f"{mutant.conformance_class} {mutant.operation}"
        if proof not in self._known:
            self._known[proof] = frozenset({*self._said(mutant, Fault()), *self._said(mutant, Fault())})
        found = self._said(mutant, fault)
        new = first_new(found, self._known[proof])
        return new, found[new] if new else self._through.requests

    def _said(self, mutant: Mutant, fault: Fault) -> dict[str, int]:
        self._through.begin_anew()
        self.bench.judged(mutant, fault)
        return self._through.found

    def close(self) -> None:
        self._stack.close()
