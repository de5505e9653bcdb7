"""Random programs as a run plays them: verdicts and evidence around the search that dwells on one operation."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any

from telnyx_conformance.checks.finding import Finding
from telnyx_conformance.contract.model_requirements import MODELS
from telnyx_conformance.modelling.program import Program
from telnyx_conformance.modelling.search import Search
from telnyx_conformance.modelling.steps import described
from telnyx_conformance.run.calls import Unavailable
from telnyx_conformance.run.verdict import Verdict, inconclusive, judged

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from telnyx_conformance.contract.model import Operation
    from telnyx_conformance.modelling.search import Outcome
    from telnyx_conformance.run.session import Session


class Campaign:
    """Plays random programs that dwell on one operation."""

    def __init__(self, session: Session, operation: Operation) -> None:
        self._session, self._operation = session, operation

    async def prove(self, programs: int) -> list[Verdict]:
        """Play `programs` programs and return one verdict per requirement of the class."""
        requirements = [r for r in self._session.settings.required(self._operation) if r.conformance_class == MODELS]
        outcome = await self.play(programs)
        numbers = await self._again(outcome)
        verdicts = []
        for requirement in requirements:
            found = outcome.difference
            if outcome.unavailable:
                verdicts.append(inconclusive(requirement.id, outcome.unavailable))
            elif found is None:
                verdicts.append(judged(requirement.id, None))
            elif found.kind == requirement.kind and found.operation in ("", self._operation.id):
                story = "; ".join(described(step) for step in outcome.program)
                finding = Finding(
                    check=f"model-{found.kind}", expected=found.expected, actual=f"{found.actual} (after: {story})"
                )
                verdicts.append(judged(requirement.id, finding, exchanges=numbers))
            else:  # the search ended there: what else the programs would have shown is not known
                at = found.operation or "what no command caused"
                said = f"programs differ at {at} before: {found.expected}, got {found.actual}"
                verdicts.append(inconclusive(requirement.id, said))
        self._session.record(verdicts, probes=outcome.steps, lower_bound=0)
        return verdicts

    async def play(self, programs: int) -> Outcome:
        """Play until a difference shows, and shrink it."""
        loop, stop = asyncio.get_running_loop(), threading.Event()

        def run(work: Coroutine[Any, Any, Any]) -> Any:
            return asyncio.run_coroutine_threadsafe(work, loop).result()

        search = Search(self._session, self._operation.id, run, stop.is_set)
        try:
            await asyncio.to_thread(search.run_programs, programs)
        finally:
            stop.set()
        return search.outcome

    async def _again(self, outcome: Outcome) -> tuple[int, ...]:
        """Play the smallest program once more, for the evidence."""
        if outcome.difference is None:
            return ()
        program = Program(self._session, record=True)
        try:
            await program.begin()
            for step in outcome.program:
                if await program.step(step) is not None:
                    break
        except Unavailable:
            pass  # what was sent until then stands in the evidence
        finally:
            program.end()
        return tuple(program.exchanges)
