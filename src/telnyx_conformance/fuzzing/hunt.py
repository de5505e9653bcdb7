"""The hunt for faults in one operation: what failed before, then rounds of fresh cases, each new fault shrunk at once.

Synchronous and free of network, clock and pytest: asking, judging and the time are arguments.
"""

from __future__ import annotations

import zlib
from collections import Counter
from typing import TYPE_CHECKING, Any

import msgspec
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import seed as seeded
from hypothesis.errors import Flaky, Unsatisfiable

from telnyx_conformance.checks.finding import Finding
from telnyx_conformance.fuzzing.judgement import Observation
from telnyx_conformance.fuzzing.probes import again, fingerprint, weight
from telnyx_conformance.fuzzing.shrinking import shrunk
from telnyx_conformance.plan.probe import Probe

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from hypothesis.strategies import SearchStrategy

    from telnyx_conformance.contract.model import Operation

ROUND = 50
MOST_CAUSES = 4
SIGHTINGS = 6
MOST_UNSENT = 50
"""After so many cases in a row that the gate or a missing prerequisite kept back, the next would be too."""
SHRINK_SECONDS = 10.0
"""How long after the time is up a fault may still be shrunk."""
HANG_TRIES = 3
NO_ANSWER = "no-answer"
QUIET = list(HealthCheck)


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What came of one case: what is wrong with it, what could be judged, and the evidence.

    `unavailable` says why it could not be sent or answered; with `over`, no other will be either.
    """

    observations: tuple[Observation, ...] = ()
    judged: tuple[str, ...] = ()
    exchanges: tuple[int, ...] = ()
    unavailable: str = ""
    over: bool = False


class Bounds(msgspec.Struct, frozen=True, kw_only=True):
    """When to stop: after so many cases, with so many faults, or at a time on the caller's clock; whichever comes first."""

    examples: int = 100
    faults: int = 20
    until: float = float("inf")


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """A fault with the smallest request that shows it. `replayed` when a stored case led to it; `repeats` when it failed again."""

    kind: str
    mark: str
    finding: Finding
    probe: Probe
    exchanges: tuple[int, ...] = ()
    seen: int = 1
    replayed: bool = False
    repeats: bool = True


class Catch(msgspec.Struct, frozen=True, kw_only=True):
    """What a hunt brought: faults, how many cases were sent, how many judged by kind, and why nothing could be asked."""

    faults: tuple[Fault, ...] = ()
    cases: int = 0
    judged: dict[str, int] = {}
    unavailable: str = ""


class StopHuntError(Exception):
    """Ends a round of Hypothesis early: time is up, or somebody interrupted."""


class Hunt:
    """Hunts in one operation. `ask` sends a case and judges the answer; `clock` tells the time that `Bounds.until` is on."""

    def __init__(
        self,
        operation: Operation,
        minimal: Probe,
        strategy: SearchStrategy[Probe],
        ask: Callable[[Probe], Answer],
        *,
        seed: int,
        bounds: Bounds,
        clock: Callable[[], float],
        stopped: Callable[[], bool] = lambda: False,
        shrink_tries: int = 200,
    ) -> None:
        self._operation, self._minimal, self._strategy, self._ask = operation, minimal, strategy, ask
        self._seed, self._bounds, self._clock, self._stopped = seed, bounds, clock, stopped
        self._tries = shrink_tries
        self._faults: dict[tuple[str, str], list[Fault]] = {}
        self._judged: Counter[str] = Counter()
        self._cases = 0
        self._tried: set[bytes] = set()
        self._unavailable = ""
        self._halted = False
        self._unsent = 0

    def run(self, stored: Iterable[Probe] = (), first: Iterable[Probe] = ()) -> Catch:
        """Try `stored` cases, the `first` ones, then fresh ones until a bound is reached."""
        for probes, replayed in ((stored, True), (first, False)):
            for probe in probes:
                if not self._over():
                    self._begin(probe, replayed=replayed)
        number = 0
        while not self._over():
            before = len(self._tried)
            self._round(number)
            number += 1
            if len(self._tried) == before:
                break  # everything that can be generated was tried, or nothing can be asked
        faults = [fault for several in self._faults.values() for fault in several]
        return Catch(faults=tuple(faults), cases=self._cases, judged=dict(self._judged), unavailable=self._unavailable)

    def _over(self) -> bool:
        return (
            self._halted
            or self._cases >= self._bounds.examples
            or self._clock() >= self._bounds.until
            or self._stopped()
            or len(self._faults) >= self._bounds.faults
        )

    def _begin(self, probe: Probe, *, replayed: bool) -> None:
        self._tried.add(fingerprint(probe))
        for observation in self._try(probe).observations:
            if observation.signature not in self._faults:
                self._enter(observation, probe, replayed=replayed)

    def _round(self, number: int) -> None:
        """Generate a round of cases, then look at what failed."""
        sightings: dict[tuple[str, str], list[tuple[Observation, Probe]]] = {}

        @seeded(zlib.crc32(f"{self._seed}:{self._operation.id}:{number}".encode()))
        @settings(
            max_examples=ROUND, database=None, deadline=None, phases=[Phase.generate], suppress_health_check=QUIET,
            print_blob=False,
        )  # fmt: skip
        @given(self._strategy)
        def case(probe: Probe) -> None:
            if self._over():
                raise StopHuntError
            mark = fingerprint(probe)
            if mark in self._tried:
                return
            self._tried.add(mark)
            for observation in self._try(probe).observations:
                seen = sightings.setdefault(observation.signature, [])
                seen.append((observation, probe))

        try:
            case()
        except (StopHuntError, Flaky):
            pass  # Hypothesis repeats what ended a round, and is told to end it again
        except Unsatisfiable:
            self._unavailable = self._unavailable or "no request can be generated"
        for seen in sightings.values():
            for observation, probe in sorted(seen, key=lambda pair: weight(pair[1], self._minimal))[:SIGHTINGS]:
                if not self._stopped():
                    self._look(observation, probe)

    def _try(self, probe: Probe) -> Answer:
        answer = self._ask(probe)
        if answer.unavailable:
            self._unavailable = answer.unavailable
            self._unsent += 1
            self._halted = answer.over or self._unsent >= MOST_UNSENT
            return answer
        self._unsent = 0
        self._cases += 1
        self._judged.update(answer.judged)
        return answer

    def _look(self, observation: Observation, probe: Probe) -> None:
        """Enter a new fault; of a known one, only if it shows without what is known to cause it."""
        known = self._faults.get(observation.signature, [])
        if not known:
            self._enter(observation, probe)
            return
        self._faults[observation.signature][0] = msgspec.structs.replace(known[0], seen=known[0].seen + 1)
        if len(known) >= MOST_CAUSES or observation.mark == NO_ANSWER or self._clock() >= self._bounds.until:
            return
        bare = self._without(probe, [fault.probe for fault in known])
        if bare is None or fingerprint(bare) in self._tried:
            return
        self._tried.add(fingerprint(bare))
        again_seen = self._seen(bare, observation.signature)
        if again_seen is not None:
            self._enter(again_seen, bare)

    def _enter(self, observation: Observation, probe: Probe, *, replayed: bool = False) -> None:
        """Shrink a failing case and enter what is left as a fault."""
        signature = observation.signature
        tries = HANG_TRIES if observation.mark == NO_ANSWER else self._tries
        smallest = shrunk(
            self._operation, probe, self._minimal, lambda p: self._seen(p, signature) is not None,
            seed=self._seed, tries=tries,
        )  # fmt: skip
        answer = self._ask(smallest)
        shown = next((o for o in answer.observations if o.signature == signature), None)
        fault = Fault(
            kind=observation.kind, mark=observation.mark, finding=(shown or observation).finding, probe=smallest,
            exchanges=answer.exchanges, replayed=replayed, repeats=shown is not None,
        )  # fmt: skip
        self._faults.setdefault(signature, []).append(fault)

    def _seen(self, probe: Probe, signature: tuple[str, str]) -> Observation | None:
        if self._stopped() or self._clock() >= self._bounds.until + SHRINK_SECONDS:
            return None
        answer = self._ask(probe)
        return next((o for o in answer.observations if o.signature == signature), None)

    def _without(self, probe: Probe, known: list[Probe]) -> Probe | None:
        """Return the case without what made the known ones fail, `None` when they fail whatever they carry."""
        body, query, raw = probe.body, dict(probe.query), probe.raw
        for smallest in known:
            culprits = _culprits(smallest, self._minimal)
            if culprits is None or (raw is not None and smallest.raw is not None):
                return None
            names, asked = culprits
            if isinstance(body, dict):
                base: dict[str, Any] = self._minimal.body if isinstance(self._minimal.body, dict) else {}
                body = {
                    **{k: v for k, v in body.items() if k not in names},
                    **{k: base[k] for k in names if k in base},
                }
            query = {k: v for k, v in query.items() if k not in asked}
        return again(self._operation, probe, body=body, query=query)


def _culprits(smallest: Probe, minimal: Probe) -> tuple[set[str], set[str]] | None:
    """Return (members of the body, query parameters) in which a smallest failing request differs from a valid one."""
    asked = {k for k in {*smallest.query, *minimal.query} if smallest.query.get(k, ...) != minimal.query.get(k, ...)}
    if smallest.raw is not None:
        return set(), asked
    if isinstance(smallest.body, dict) and isinstance(minimal.body, dict):
        names = {k for k in {*smallest.body, *minimal.body} if smallest.body.get(k, ...) != minimal.body.get(k, ...)}
        return (names, asked) if names or asked else None
    return (set(), asked) if asked else None
