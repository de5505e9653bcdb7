"""One mutant before the suites: the proofs that could see its fault, until the first that does."""

from __future__ import annotations

import asyncio
import os
import tempfile
import time
import traceback
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import msgspec

from telnyx_conformance.contract.lifecycles import load_lifecycles
from telnyx_conformance.contract.model_requirements import MODELS
from telnyx_conformance.emulator.core import Emulator
from telnyx_conformance.emulator.embedded import EmbeddedTransport
from telnyx_conformance.errors import HarnessError
from telnyx_conformance.mutants.planting import plant
from telnyx_conformance.opening import open_session
from telnyx_conformance.run.core import AsyncCore
from telnyx_conformance.run.planning import required_by
from telnyx_conformance.run.proving import prove
from telnyx_conformance.run.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator

    import httpx

    from telnyx_conformance.emulator.fault import Arrival, Fault
    from telnyx_conformance.mutants.mutant import Mutant
    from telnyx_conformance.run.planning import Subject
    from telnyx_conformance.run.profile import Profile
    from telnyx_conformance.run.verdict import Verdict

T = TypeVar("T")
Word = Literal["killed", "survived", "timeout"]
ACCOUNTS = 64
MOST_EVIDENCE = 64 * 1024 * 1024
SECONDS = 60.0
PROGRAMS = 12  # beside the one that sends the command in every state of a leg
NAMED = 5


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """A request by which a fault can be seen, without its key."""

    method: str
    target: str
    content_type: str
    body: str


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a mutant.

    `right` says that a requirement failed which names the fault; `requirement` and `check` are the ones that did, the
    right one first. `reached` says whether the fault ever made a difference, `asked` at which request first.
    """

    id: str
    operator: str
    category: str
    site: str
    conformance_class: str
    sees: tuple[str, ...]
    outcome: Word
    right: bool = False
    requirement: str = ""
    check: str = ""
    also: tuple[str, ...] = ()
    unjudged: tuple[str, ...] = ()
    reached: bool = False
    asked: Asked | None = None
    seconds: float = 0.0
    requests: int = 0


class Bench:
    """One emulator and one session with it; plans and compiled rules are made once, each mutant has accounts of its own.

    `carried` makes what carries the requests; without it they do not leave the process.
    """

    def __init__(
        self,
        edition: str = "",
        *,
        seconds: float = SECONDS,
        seed: int = 1,
        carried: Callable[[Emulator, Profile], httpx.AsyncBaseTransport] | None = None,
    ) -> None:
        self.settings = Settings(edition=edition, seed=seed)
        self._seconds, self._judged = seconds, 0
        self._sequences = {s.name: s for s in self.settings.all_sequences}
        self._deliveries = {d.name: d for d in self.settings.all_deliveries}
        self._emulator = Emulator(
            self.settings.edition,
            seed=seed,
            lifecycles=load_lifecycles(self.settings.edition.name),
            max_accounts=ACCOUNTS,
        )
        self._core = AsyncCore()
        self._core.__enter__()
        self._folder = tempfile.TemporaryDirectory(prefix="mutants-")
        transport = carried(self._emulator, self.settings.profile) if carried else EmbeddedTransport(self._emulator)
        self.session = self._core.run(open_session(self.settings, Path(self._folder.name), "m", transport=transport))

    def judge(self, mutant: Mutant) -> Outcome:
        """Plant one mutant and return what the suites say."""
        return self.judged(mutant, plant(self.settings.edition, mutant))

    def judged(self, mutant: Mutant, fault: Fault) -> Outcome:
        """Return what the suites say of a fault that stands for `mutant`."""
        if (
            self.session.evidence.file.stat().st_size > MOST_EVIDENCE
        ):  # nobody reads it: outcomes say what there is to say
            os.truncate(self.session.evidence.file, 0)
        began, sent = time.monotonic(), self.session.evidence.exchanges
        failed: list[Verdict] = []
        known: list[Verdict] = []
        unjudged: list[Verdict] = []
        word: Word = "survived"
        for proven, subject in self.proofs(mutant):
            try:
                verdicts = self.verdicts(proven, subject, fault)
            except TimeoutError:
                word = "timeout"
                break
            failed = [v for v in verdicts if v.verdict == "fail"]
            unjudged += [v for v in verdicts if v.verdict == "inconclusive"]
            known = failed or known
            if any(is_right(mutant, v.requirement) for v in failed):
                break
        failed = known
        word = "killed" if failed and word == "survived" else word
        right = [v for v in failed if is_right(mutant, v.requirement)]
        first = next(iter([*right, *failed]), None)
        return Outcome(
            id=mutant.id, operator=mutant.operator, category=mutant.category, site=mutant.site,
            conformance_class=mutant.conformance_class, sees=mutant.sees, outcome=word, right=bool(right),
            requirement=first.requirement if first else "", check=first.check if first else "",
            also=tuple(v.requirement for v in failed if v is not first)[:NAMED],
            unjudged=tuple(f"{v.requirement}: {v.actual}" for v in unjudged)[:NAMED],
            reached=fault.first is not None, asked=_asked(fault.first),
            seconds=round(time.monotonic() - began, 3), requests=self.session.evidence.exchanges - sent,
        )  # fmt: skip

    def verdicts(self, proven: str, subject: Subject, fault: Fault | None) -> list[Verdict]:
        """Return the verdicts on all binding requirements of one proof, the emulator having `fault`."""
        binding = {r.id for r in required_by(self.settings, proven, subject) if r.level != "MAY"}
        with self.planted(fault):
            said = self.run(self._prove(proven, subject))
        self._own_up(proven)
        return [verdict for verdict in said if verdict.requirement in binding]

    @contextmanager
    def planted(self, fault: Fault | None) -> Iterator[None]:
        """Give the emulator `fault`, and the session accounts that nobody used before, for as long as this lasts."""
        self._judged += 1
        self.session.begin_anew(f"m{self._judged}")
        self._emulator.fault, self._emulator.broken = fault, None
        try:
            yield
        finally:
            self._emulator.fault = None

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run `work` on the session's event loop, from any thread but the loop's own, and return its result."""
        return self._core.run(work)

    def _own_up(self, proven: str) -> None:
        broken = self._emulator.broken
        if broken is not None and _is_ours(broken):
            raise HarnessError("a planted fault is itself at fault", where=proven, got=repr(broken)) from broken

    async def _prove(self, proven: str, subject: Any) -> list[Verdict]:
        if proven == MODELS:
            from telnyx_conformance.modelling.campaign import Campaign  # noqa: PLC0415 - most runs need no programs

            return await asyncio.wait_for(Campaign(self.session, subject).prove(PROGRAMS), self._seconds)
        return await asyncio.wait_for(prove(self.session, proven, subject), self._seconds)

    def proofs(self, mutant: Mutant) -> Iterator[tuple[str, Subject]]:
        """Yield the class and the subject of each proof that could see a mutant."""
        if mutant.sequence:
            sequence = self._sequences[mutant.sequence]
            own = {name.split(":")[1].partition(".")[0] for name in mutant.sees} & {"webhooks", "commands"}
            yield from ((proven, sequence) for proven in ("webhooks", "commands") if proven in own)
        elif mutant.delivery:
            yield mutant.conformance_class, self._deliveries[mutant.delivery]
        elif mutant.category == "state" and mutant.conformance_class != MODELS:
            yield mutant.conformance_class, self.session.lifecycles.of(mutant.operation).resource
        else:
            yield mutant.conformance_class, self.settings.edition.operation(mutant.operation)

    def close(self) -> None:
        """End the session and forget its evidence."""
        try:
            self._core.run(self.session.close())
        finally:
            self._core.__exit__(None, None, None)
            self._folder.cleanup()


def _is_ours(broken: Exception) -> bool:
    """Whether an error rose from a planted fault, and not from what it let through."""
    return any(
        Path(frame.filename).parent == Path(__file__).parent for frame in traceback.extract_tb(broken.__traceback__)
    )


def is_right(mutant: Mutant, requirement: str) -> bool:
    """Whether a requirement names the planted fault: one of `sees`, or what stands below one that ends with a sequence's name."""
    return any(requirement == name or requirement.startswith((f"{name}.", f"{name}:")) for name in mutant.sees)


def _asked(arrival: Arrival | None) -> Asked | None:
    if arrival is None:
        return None
    return Asked(
        method=arrival.method,
        target=arrival.target,
        content_type=arrival.headers.get(b"content-type", b"").decode("latin-1"),
        body=arrival.body.decode("utf-8", "replace"),
    )
