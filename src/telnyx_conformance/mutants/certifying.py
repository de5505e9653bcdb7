"""Variants before the suites: every proof of a selection, each of which must find that the variant conforms."""

from __future__ import annotations

import asyncio
import atexit
import time
from contextlib import closing
from typing import TYPE_CHECKING

import httpx
import msgspec
from httpx_aiohttp import AiohttpTransport

from telnyx_conformance.contract.model import CONFORMANCE_CLASSES
from telnyx_conformance.emulator.server import Server, listening_socket
from telnyx_conformance.mutants.judging import SECONDS, Bench
from telnyx_conformance.mutants.kinds import AT_RANDOM
from telnyx_conformance.mutants.variants import variant_called
from telnyx_conformance.mutants.workers import shared_out
from telnyx_conformance.opening import network_session
from telnyx_conformance.run.planning import required_by
from telnyx_conformance.run.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator
    from collections.abc import Sequence as Several

    from telnyx_conformance.emulator.core import Emulator
    from telnyx_conformance.mutants.variants import Variant
    from telnyx_conformance.run.planning import Subject
    from telnyx_conformance.run.profile import Profile

MOST_SHOWN = 5
LIVES = "lifecycles"  # the class whose subjects are resources


class Certified(msgspec.Struct, frozen=True, kw_only=True):
    """What the suites say of a variant: how many binding requirements they judged, and which they refuse or cannot judge.

    `differs` says whether the variant ever made a difference: one that did not proves nothing.
    """

    id: str
    requirements: int
    refused: tuple[str, ...]
    unjudged: tuple[str, ...]
    differs: bool
    requests: int
    seconds: float

    @property
    def conforms(self) -> bool:
        """Whether the suites find nothing wrong."""
        return not self.refused and not self.unjudged

    @property
    def line(self) -> str:
        """One line about it."""
        word = "conforms" if self.conforms else "DOES NOT CONFORM"
        word += "" if self.differs else " (it made no difference here)"
        found = [*self.refused, *self.unjudged]
        shown = "".join(f"\n    {one}" for one in found[:MOST_SHOWN])
        more = f"\n    and {len(found) - MOST_SHOWN} more" if len(found) > MOST_SHOWN else ""
        return f"{self.id}: {word}, {self.requirements:,} requirements, {self.seconds:.1f} s{shown}{more}"


def certify(bench: Bench, variant: Variant, proofs: Iterable[tuple[str, Subject]]) -> Certified:
    """Return what the suites say of a variant in these proofs."""
    began, sent = time.monotonic(), bench.session.evidence.exchanges
    fault = variant.fault(bench.settings.edition)
    said = [v for proven, subject in proofs for v in bench.verdicts(proven, subject, fault)]
    return Certified(
        id=variant.id,
        requirements=len(said),
        refused=tuple(f"{v.requirement}: {v.actual}" for v in said if v.verdict == "fail"),
        unjudged=tuple(f"{v.requirement}: not judged: {v.actual}" for v in said if v.verdict == "inconclusive"),
        differs=fault.has_bitten,
        requests=bench.session.evidence.exchanges - sent,
        seconds=time.monotonic() - began,
    )


class Wire(httpx.AsyncBaseTransport):
    """Carries what is meant for an emulator in this process over a socket to it, served from the same event loop."""

    def __init__(self, emulator: Emulator, profile: Profile) -> None:
        self._emulator, self._profile = emulator, profile
        self._server: Server | None = None
        self._serving: asyncio.Task[None] | None = None
        self._real: AiohttpTransport | None = None

    @property
    def base_url(self) -> str:
        """Where the emulator is served, empty before the first request."""
        return self._server.base_url if self._server is not None else ""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send one request to the server, which the first one starts."""
        if self._real is None or self._server is None:
            self._server = Server(self._emulator, listening_socket(port=0))
            self._serving = asyncio.create_task(self._server.serve())
            self._real = AiohttpTransport(client=lambda: network_session(self._profile))
            await self._server.ready()
        there = httpx.URL(self._server.base_url)
        request.url = request.url.copy_with(scheme=there.scheme, host=there.host, port=there.port)
        return await self._real.handle_async_request(request)

    async def aclose(self) -> None:
        """Stop the server."""
        if self._real is not None:
            await self._real.aclose()
        if self._server is not None and self._serving is not None:
            self._server.stop()
            await self._serving


def selected(settings: Settings) -> Iterator[tuple[str, Subject]]:
    """Yield the proofs that a certification of the settings consists of, one class after the other, but for those at random."""
    for proven in (name for name in CONFORMANCE_CLASSES if name not in AT_RANDOM):
        operations = () if proven == LIVES else settings.chosen(proven)
        resources = settings.resources(proven) if proven == LIVES else ()
        more: tuple[Subject, ...] = (*settings.sequences(proven), *settings.deliveries(proven))
        subjects: tuple[Subject, ...] = (*operations, *resources, *more)
        yield from ((proven, subject) for subject in subjects if required_by(settings, proven, subject))


def run(
    edition: str,
    chosen: Several[Variant],
    *,
    only: Several[str] = (),
    workers: int = 1,
    told: Callable[[Certified], None] | None = None,
) -> list[Certified]:
    """Certify variants on a selection of operations, each in a process of its own worker; `told` hears of each as it ends."""
    found: dict[str, Certified] = {}
    with closing(_judged(edition, chosen, only, min(workers, len(chosen)))) as judged:
        for one in judged:
            found[one.id] = one
            if told is not None:
                told(one)
    return [found[variant.id] for variant in chosen]


def _judged(
    edition: str, chosen: Several[Variant], only: Several[str], workers: int
) -> Generator[Certified, None, None]:
    names = [(variant.id, tuple(only)) for variant in sorted(chosen, key=lambda v: v.on_the_wire)]
    if workers <= 1:
        benches = _Benches(edition)
        try:
            yield from (benches.certify(*name) for name in names)
        finally:
            benches.close()
        return
    yield from shared_out(_certify, names, workers=workers, opening=_open, given=(edition,))


class _Benches:
    """One bench for what shows in process, one for what shows on the wire, each opened when it is needed."""

    def __init__(self, edition: str) -> None:
        self._edition = edition
        self._opened: dict[bool, Bench] = {}

    def certify(self, name: str, only: tuple[str, ...]) -> Certified:
        variant = variant_called(name)
        if variant.on_the_wire not in self._opened:
            carried = Wire if variant.on_the_wire else None
            self._opened[variant.on_the_wire] = Bench(self._edition, seconds=SECONDS, carried=carried)
        bench = self._opened[variant.on_the_wire]
        return certify(bench, variant, selected(Settings(edition=self._edition, only=only)))

    def close(self) -> None:
        for bench in self._opened.values():
            bench.close()


_BENCHES: list[_Benches] = []


def _open(edition: str) -> None:
    _BENCHES.append(_Benches(edition))
    atexit.register(_BENCHES[0].close)


def _certify(name: str, only: tuple[str, ...]) -> Certified:
    return _BENCHES[0].certify(name, only)
