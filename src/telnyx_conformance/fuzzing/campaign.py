"""Fuzzing as a run does it: prerequisites, gate, evidence and verdicts around the hunt in each operation."""

from __future__ import annotations

import asyncio
import threading
import time
from itertools import islice
from typing import TYPE_CHECKING

import msgspec

from telnyx_conformance.contract.fuzz_requirements import ACCEPTED, DOCUMENTED, KINDS, NO_SERVER_ERROR, REFUSED
from telnyx_conformance.fuzzing.cases import cases, is_content, planned
from telnyx_conformance.fuzzing.examples import Example
from telnyx_conformance.fuzzing.expectation import Expecting
from telnyx_conformance.fuzzing.hunt import Answer, Bounds, Catch, Hunt
from telnyx_conformance.fuzzing.judgement import Judge, no_answer
from telnyx_conformance.fuzzing.schemathesis_cases import SchemathesisCases
from telnyx_conformance.plan.planner import Planner
from telnyx_conformance.run.asking import Asker
from telnyx_conformance.run.calls import Unavailable
from telnyx_conformance.run.planning import required_by
from telnyx_conformance.run.verdict import Verdict, inconclusive, judged

if TYPE_CHECKING:
    from collections.abc import Callable

    from telnyx_conformance.contract.model import Operation
    from telnyx_conformance.fuzzing.examples import Examples
    from telnyx_conformance.plan.probe import Probe
    from telnyx_conformance.run.session import Session

CLASS = "fuzz"
UNSENT = ("the request cannot be sent", "the request has no valid URL", "throttled")


class Campaign:
    """Fuzzes operations through one session. `examples` keeps what failed; `schemathesis` is left out for small editions."""

    def __init__(
        self,
        session: Session,
        *,
        examples: Examples | None = None,
        schemathesis: SchemathesisCases | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._session, self._examples, self._clock = session, examples, clock
        self._schemathesis = schemathesis or SchemathesisCases(session.edition)

    def warm_up(self) -> None:
        """Load what costs a second or two, so that no operation's time pays for it."""
        self._schemathesis.load()

    async def fuzz(self, operation: Operation, bounds: Bounds) -> Catch:
        """Hunt in one operation and return what was found; the findings' requests are kept as examples."""
        stop = threading.Event()
        loop = asyncio.get_running_loop()
        asking = _Asking(self._session, operation)
        try:
            stored = [e.probe for e in self._examples.of(operation.id)] if self._examples else []

            def ask(probe: Probe) -> Answer:
                return asyncio.run_coroutine_threadsafe(asking.ask(probe), loop).result()

            strategy = cases(
                self._session.edition, operation, asking.plan, asking.expecting.told, self._schemathesis,
                random_ids=operation.method != "DELETE" or self._session.gate.is_free,
            )  # fmt: skip
            hunt = Hunt(
                operation, planned(operation, asking.plan.probes[0]), strategy, ask,
                seed=self._session.settings.seed, bounds=bounds, clock=self._clock, stopped=stop.is_set,
            )  # fmt: skip
            catch = await asyncio.to_thread(hunt.run, stored, asking.first)
        finally:
            stop.set()
            asking.close()
        if self._examples is not None:
            for fault in catch.faults:
                self._examples.keep(
                    Example(
                        operation=operation.id, kind=fault.kind, expected=fault.finding.expected,
                        actual=fault.finding.actual, probe=fault.probe,
                    )
                )  # fmt: skip
        return catch

    async def prove(self, operation: Operation, bounds: Bounds) -> tuple[list[Verdict], Catch]:
        """Fuzz an operation and return one verdict per requirement of the class, written to the evidence too."""
        catch = await self.fuzz(operation, bounds)
        verdicts = [_verdict(r.id, r.kind, catch) for r in required_by(self._session.settings, CLASS, operation)]
        self._session.record(verdicts, probes=catch.cases, lower_bound=0)
        return verdicts, catch


class _Asking:
    """Sends one operation's cases and judges the answers."""

    def __init__(self, session: Session, operation: Operation) -> None:
        self._session, self._operation = session, operation
        self._asker = Asker(session, operation, CLASS)
        self.plan = session.plan(operation)
        planner = Planner(session.edition, operation, session.settings.seed)
        self.expecting = Expecting(planner, {r.id: r.level for r in session.settings.required(operation)})
        self._judge = Judge(session.edition, operation, self.plan, session.settings.errors, session.response_validator)
        # A command that was carried out may leave its call unfit for the next case.
        self._uses_up = operation.method == "DELETE" or operation.path.startswith("/calls/{call_control_id}/actions")

    @property
    def first(self) -> list[Probe]:
        """The smallest valid request and one that breaks something: however few the cases, both are among them."""
        refused = (planned(self._operation, p) for p in self.plan.probes if p.violation is not None and is_content(p))
        broken = (probe for probe in refused if self.expecting.of(probe).word == "broken")
        return [planned(self._operation, self.plan.probes[0]), *islice(broken, 1)]

    async def ask(self, probe: Probe) -> Answer:
        """Send a case; an answer that fails to come is a fault only while others come."""
        expected = self.expecting.of(probe)
        try:
            exchange, numbers = await self._asker.ask(probe, fresh=self._uses_up)
        except Unavailable as reason:
            return Answer(unavailable=str(reason))
        if exchange.response is None:
            if exchange.error.startswith(UNSENT):
                return Answer(unavailable=exchange.error)
            if not await self._answers():
                return Answer(unavailable=f"the target does not answer: {exchange.error}", over=True)
            return Answer(observations=(no_answer(exchange.error),), judged=(NO_SERVER_ERROR,), exchanges=numbers)
        observations = tuple(self._judge.observe(probe, expected, exchange))
        kinds = [NO_SERVER_ERROR, DOCUMENTED]
        kinds += {"valid": [ACCEPTED], "broken": [REFUSED]}.get(expected.word, [])
        return Answer(observations=observations, judged=tuple(kinds), exchanges=numbers)

    async def _answers(self) -> bool:
        """Tell whether the operation's minimal request is answered."""
        try:
            exchange, _ = await self._asker.ask(planned(self._operation, self.plan.probes[0]), fresh=self._uses_up)
        except Unavailable:
            return False
        return exchange.response is not None

    def close(self) -> None:
        """Stop listening for events."""
        self._asker.close()


def _verdict(requirement: str, kind: str, catch: Catch) -> Verdict:
    found = [fault for fault in catch.faults if fault.kind == kind]
    if found:
        first = min(found, key=lambda fault: (not fault.repeats, list(KINDS).index(fault.kind)))
        told = first.finding
        if len(found) > 1:
            told = msgspec.structs.replace(told, actual=f"{told.actual} (and {len(found) - 1} more faults)")
        return judged(requirement, told, probe=first.probe.id, exchanges=first.exchanges)
    if not catch.judged.get(kind):
        return inconclusive(requirement, catch.unavailable or f"none of {catch.cases} cases showed it")
    return judged(requirement, None)
