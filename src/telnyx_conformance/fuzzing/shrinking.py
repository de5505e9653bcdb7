"""From a failing request to the smallest one that fails in the same way: Hypothesis searches what can be left out.

The search goes over reductions of the request that failed, not over the generator that made it: each try costs one
request and no generation, and what is left reads as somebody would have written it.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import seed as seeded
from hypothesis import strategies as st
from hypothesis.errors import Flaky

from telnyx_conformance.fuzzing.probes import again, fingerprint, sendable, weight

if TYPE_CHECKING:
    from collections.abc import Callable

    from telnyx_conformance.contract.model import Operation
    from telnyx_conformance.plan.probe import Probe

TRIES = 200
QUIET = list(HealthCheck)
LONGEST_TEXT = 200
SHORT_TEXT = 40


class StillFailsError(Exception):
    """Raised inside the search for each reduction that fails in the same way: Hypothesis shrinks what raises."""


def shrunk(
    operation: Operation,
    failing: Probe,
    minimal: Probe,
    fails: Callable[[Probe], bool],
    *,
    seed: int,
    tries: int = TRIES,
) -> Probe:
    """Return the simplest reduction of `failing` for which `fails` holds, `failing` itself when none does.

    `minimal` is a valid request; what is reduced away becomes what it is there. At most `tries` requests are made.
    """
    failing, used = _slimmed(operation, failing, minimal, fails, tries // 2)
    best, known, left = failing, {fingerprint(failing): True}, tries - used

    @seeded(seed)
    @settings(
        max_examples=tries, database=None, deadline=None, derandomize=False, print_blob=False,
        phases=[Phase.generate, Phase.shrink], suppress_health_check=QUIET, report_multiple_bugs=False,
    )  # fmt: skip
    @given(reductions(operation, failing, minimal))
    def search(probe: Probe) -> None:
        nonlocal best, left
        mark = fingerprint(probe)
        if mark not in known:
            if left <= 0:
                return
            left -= 1
            known[mark] = fails(probe)
        if known[mark]:
            best = min(best, probe, key=lambda p: weight(p, minimal))
            raise StillFailsError

    try:
        search()
    except BaseException as ended:  # a failure is what was looked for; only an interruption goes on
        if isinstance(ended, KeyboardInterrupt | SystemExit):
            raise
        if not _is_ours(ended):
            raise
    return best


def _slimmed(
    operation: Operation, failing: Probe, minimal: Probe, fails: Callable[[Probe], bool], tries: int
) -> tuple[Probe, int]:
    """Leave out one member of the body after the other, and return what still fails with the number of requests it took.

    A body of thirty members has too many halves for a search that draws; most members have nothing to do with the fault.
    """
    used = 0
    if failing.raw is not None or not isinstance(failing.body, dict) or failing.media_type != minimal.media_type:
        return failing, used
    needed = minimal.body if isinstance(minimal.body, dict) else {}
    for name in [name for name in failing.body if name not in needed][:tries]:
        smaller = again(operation, failing, body={n: v for n, v in failing.body.items() if n != name})
        if sendable(smaller):
            used += 1
            failing = smaller if fails(smaller) else failing
    return failing, used


def _is_ours(ended: BaseException) -> bool:
    return isinstance(ended, StillFailsError | Flaky)


def reductions(operation: Operation, failing: Probe, minimal: Probe) -> st.SearchStrategy[Probe]:
    """Return a strategy of what is between `minimal` and `failing`, the former being simplest."""

    @st.composite
    def reduce(draw: st.DrawFn) -> Probe:
        changes: dict[str, Any] = {"query": _mapping(draw, failing.query, minimal.query)}
        changes["headers"] = _mapping(draw, failing.headers, minimal.headers)
        if failing.raw is not None:
            changes["raw"] = _slice(draw, failing.raw)
        elif failing.body is not None and failing.media_type == minimal.media_type:
            changes["body"] = _value(draw, failing.body, minimal.body)
        return again(operation, failing, **changes)

    return reduce().filter(sendable)


def _mapping(draw: st.DrawFn, value: dict[str, Any], base: dict[str, Any]) -> dict[str, Any]:
    """Return a mapping with some members as they were in `value`, the others as in `base` or not there."""
    made: dict[str, Any] = {}
    for name in {**base, **value}:
        here, there = name in value, name in base
        if here and there and value[name] == base[name]:
            made[name] = value[name]
        elif draw(st.booleans()):
            if here:
                made[name] = _value(draw, value[name], base.get(name))
        elif there:
            made[name] = copy.deepcopy(base[name])
    return made


def _value(draw: st.DrawFn, value: Any, base: Any) -> Any:
    if isinstance(value, dict):
        return _mapping(draw, value, base if isinstance(base, dict) else {})
    if isinstance(value, list) and value:
        all_of_it, chosen = draw(st.booleans()), [draw(st.booleans()) for _ in value[:LONGEST_TEXT]]
        keep = [True] * len(value) if all_of_it else chosen
        return [_value(draw, part, None) for part, kept in zip(value, keep, strict=False) if kept]
    if isinstance(value, str) and len(value) > 1:
        return _text(draw, value)
    return copy.deepcopy(value)


def _text(draw: st.DrawFn, value: str) -> str:
    """Return the text as it is, a piece of it, or one that is easier to read."""
    how = draw(st.sampled_from(["piece", "plain", "whole"]))
    piece = str(_slice(draw, value))  # drawn in any case: to Hypothesis what takes fewer choices is simpler
    if how == "piece":
        return piece
    return "a" * len(value) if how == "plain" and len(value) <= LONGEST_TEXT else value


def _slice(draw: st.DrawFn, value: Any) -> Any:
    if len(value) <= SHORT_TEXT:  # letter by letter: each may go without the others
        kept = [draw(st.booleans()) for _ in value]
        pieces = [value[n : n + 1] for n, keep in enumerate(kept) if keep]
        return value[:0].join(pieces)
    length = draw(st.integers(0, len(value)))
    start = draw(st.integers(0, len(value) - length))
    return value[start : start + length]
