"""A target that behaves until it is told how to misbehave: the emulator behind a transport and a courier that can be bent."""

from __future__ import annotations

import ast
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from time import time
from typing import TYPE_CHECKING, Any

import httpx
import msgspec
import pytest

from telnyx_conformance import checks, run
from telnyx_conformance.contract.document import load_edition
from telnyx_conformance.contract.lifecycles import load_lifecycles
from telnyx_conformance.contract.sequence_requirements import KINDS as SEQUENCE_KINDS
from telnyx_conformance.contract.sequences import load_sequences
from telnyx_conformance.emulator.core import Emulator
from telnyx_conformance.emulator.courier import Courier
from telnyx_conformance.emulator.embedded import EmbeddedTransport
from telnyx_conformance.emulator.outbox import Outbox
from telnyx_conformance.emulator.signing import Signer
from telnyx_conformance.modelling.campaign import Campaign
from telnyx_conformance.opening import open_session
from telnyx_conformance.run.asking import Asker
from telnyx_conformance.run.core import AsyncCore
from telnyx_conformance.run.proving import prove
from telnyx_conformance.run.settings import Settings

if TYPE_CHECKING:
    from telnyx_conformance.contract.model import Edition
    from telnyx_conformance.plan.probe import Probe
    from telnyx_conformance.run.session import Session
    from telnyx_conformance.run.verdict import Verdict


@dataclass(frozen=True)
class Asked:
    """What the suite wants with a request: its operation, the id of the probe, and the probe when it is a planned one."""

    operation: str
    name: str
    probe: Probe | None


@dataclass(frozen=True)
class Posting:
    """A webhook as it goes out."""

    url: str
    document: dict[str, Any]
    method: str

    @property
    def event(self) -> str:
        return str(self.document["data"]["event_type"])

    @property
    def payload(self) -> dict[str, Any]:
        return dict(self.document["data"]["payload"])

    def with_data(self, **changes: Any) -> Posting:
        return Posting(self.url, {**self.document, "data": {**self.document["data"], **changes}}, self.method)

    def with_payload(self, **changes: Any) -> Posting:
        return self.with_data(payload={**self.payload, **changes})


Real = Callable[[httpx.Request], Awaitable[httpx.Response]]
Answer = Callable[[Asked, httpx.Request, Real], Awaitable[httpx.Response]]
Post = Callable[[Posting], Iterable[Posting]]
Sign = Callable[[dict[str, str], bytes], dict[str, str]]
Bend = Callable[[Outbox], None]

SAMPLES = load_sequences("2025-06-16", Path(__file__).parent.parent / "sequences")
"""Sequences that use words which the shipped ones may not use."""
PROBE: ContextVar[Probe | None] = ContextVar("PROBE", default=None)
ASKED: ContextVar[Asked] = ContextVar("ASKED")
NOTHING = Asked("", "", None)
PROGRAMS = 15  # most faults show in the first; those that need company may take a few


@dataclass
class Plant:
    """How the target misbehaves for now."""

    answer: Answer | None = None
    post: Post | None = None
    sign: Sign | None = None
    outbox: Bend | None = None


class BentTransport(httpx.AsyncBaseTransport):
    def __init__(self, real: EmbeddedTransport, plant: Plant) -> None:
        self._real, self._plant = real, plant

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        asked = ASKED.get(NOTHING)
        if self._plant.answer is None or asked is NOTHING:
            return await self._real.handle_async_request(request)
        return await self._plant.answer(asked, request, self._real.handle_async_request)

    async def aclose(self) -> None:
        await self._real.aclose()


class BentOutbox(Outbox):
    plant: Plant

    def post(self, url: str, document: Any, *, method: str = "POST", **more: Any) -> None:
        if self.plant.post is None:
            super().post(url, document, method=method, **more)
            return
        for posting in self.plant.post(Posting(url, msgspec.to_builtins(document), method)):
            super().post(posting.url, posting.document, method=posting.method, **more)


class BentSigner(Signer):
    plant: Plant

    def headers(self, timestamp: int, body: bytes) -> dict[str, str]:
        right = super().headers(timestamp, body)
        return self.plant.sign(right, body) if self.plant.sign else right


class BentCourier(Courier):
    plant: Plant

    def outbox(self, *args: Any, **more: Any) -> Outbox:
        outbox = super().outbox(*args, **more)
        outbox.__class__ = BentOutbox
        outbox.plant = self.plant  # type: ignore[attr-defined]
        if self.plant.outbox is not None:
            self.plant.outbox(outbox)
        return outbox


@dataclass(frozen=True)
class Report:
    """The verdicts of one proof; what failed as (requirement, check), and what could not be judged with its check."""

    verdicts: list[Verdict]
    failed: set[tuple[str, str]]
    unjudged: dict[str, str]


class Target:
    """One session with the emulator. Each proof has accounts of its own."""

    def __init__(self, core: AsyncCore, folder: Path, edition: Edition) -> None:
        self._core, self._plant, self._proofs = core, Plant(), 0
        self.settings = Settings()
        self.settings.edition, self.settings.selected = edition, edition.operations
        signer = BentSigner()
        signer.plant = self._plant
        courier = BentCourier(wall=time, signer=signer)
        courier.plant = self._plant
        emulator = Emulator(edition, courier=courier, lifecycles=load_lifecycles(edition.name))
        transport = BentTransport(EmbeddedTransport(emulator), self._plant)
        self.session: Session = core.run(open_session(self.settings, folder, "w", transport=transport))
        self._send = self.session.send
        self.session.send = self._sending  # type: ignore[method-assign]

    async def _sending(self, operation: Any, request: Any, *, probe: str, record: bool = True) -> Any:
        planned = PROBE.get()
        known = planned if planned is not None and planned.id == probe else None
        told = ASKED.set(Asked(operation.id, probe, known))
        try:
            return await self._send(operation, request, probe=probe, record=record)
        finally:
            ASKED.reset(told)

    def prove(
        self,
        proven: str,
        subject: Any,
        *,
        answer: Answer | None = None,
        post: Post | None = None,
        sign: Sign | None = None,
        outbox: Bend | None = None,
    ) -> Report:
        """Prove a class of an operation, sequence or delivery (named or given) while the target misbehaves.

        `outbox` bends the outbox of every new account.
        """
        self._proofs += 1
        self.session.begin_anew(f"p{self._proofs}")
        self._plant.answer, self._plant.post, self._plant.sign, self._plant.outbox = answer, post, sign, outbox
        if isinstance(subject, str):
            contracts: dict[str, Any] = {s.name: s for s in (*SAMPLES, *self.settings.all_sequences)}
            contracts |= {d.name: d for d in self.settings.all_deliveries}
            contracts |= load_lifecycles(self.settings.edition.name).resources if proven == "lifecycles" else {}
            subject = contracts.get(subject) or self.settings.edition.operation(subject)
        try:
            work = (
                Campaign(self.session, subject).prove(PROGRAMS)
                if proven == "models"
                else prove(self.session, proven, subject)
            )
            verdicts = self._core.run(work)
        finally:
            self._plant.answer = self._plant.post = self._plant.sign = self._plant.outbox = None
        return Report(
            verdicts,
            {(v.requirement, v.check) for v in verdicts if v.verdict == "fail"},
            {v.requirement: v.check for v in verdicts if v.verdict == "inconclusive"},
        )

    def close(self) -> None:
        self._core.run(self.session.close())


@pytest.fixture(scope="session")
def open_target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[Edition], Target]]:
    ask = Asker.ask

    async def asking(self: Asker, probe: Probe, **more: Any) -> Any:
        told = PROBE.set(probe)
        try:
            return await ask(self, probe, **more)
        finally:
            PROBE.reset(told)

    opened: list[Target] = []
    with AsyncCore() as core, pytest.MonkeyPatch.context() as patch:
        patch.setattr(Asker, "ask", asking)

        def opening(edition: Edition) -> Target:
            opened.append(Target(core, tmp_path_factory.mktemp("run"), edition))
            return opened[-1]

        yield opening
        for target in opened:
            target.close()


@pytest.fixture(scope="session")
def target(open_target: Callable[[Edition], Target]) -> Target:
    return open_target(load_edition())


@pytest.fixture(scope="session")
def names_of_checks() -> set[str]:
    """Return every name that a verdict's `check` can have, read off the source of those who give verdicts."""
    found: set[str] = set()
    for package in (checks, run):
        for module in Path(str(package.__file__)).parent.glob("*.py"):
            found |= set(_names_in(ast.parse(module.read_text("utf-8"))))
    return found


def _names_in(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.keyword) and node.arg == "check":
            yield from _texts(node.value)
        elif isinstance(node, ast.Dict):
            for key, value in zip(node.keys, node.values, strict=True):
                if isinstance(key, ast.Constant) and key.value == "check":
                    yield from _texts(value)


def _texts(node: ast.expr) -> Iterator[str]:
    if isinstance(node, ast.Constant):
        yield str(node.value)
    elif isinstance(node, ast.JoinedStr):
        stem = "".join(str(part.value) for part in node.values if isinstance(part, ast.Constant))
        assert stem in ("sequence-", "delivery-"), f"a name that is put together: say here of what, {ast.unparse(node)}"
        if stem == "sequence-":  # the others are planted in test_planted_deliveries.py
            yield from (f"{stem}{kind}" for kind in SEQUENCE_KINDS)
