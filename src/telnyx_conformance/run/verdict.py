"""A verdict: one requirement, one word, and the evidence behind it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable

    from telnyx_conformance.checks.finding import Finding

Word = Literal["pass", "fail", "inconclusive", "not_applicable"]
WORST_FIRST: tuple[Word, ...] = ("fail", "inconclusive", "pass", "not_applicable")


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What is said of a requirement. `exchanges` are numbers in this worker's evidence log."""

    requirement: str
    verdict: Word
    check: str = ""
    expected: str = ""
    actual: str = ""
    probe: str = ""
    exchanges: tuple[int, ...] = ()


def judged(requirement: str, finding: Finding | None, *, probe: str = "", exchanges: tuple[int, ...] = ()) -> Verdict:
    """Return pass without a finding, fail with one."""
    if finding is None:
        return Verdict(requirement=requirement, verdict="pass", probe=probe, exchanges=exchanges)
    return Verdict(
        requirement=requirement, verdict="fail", check=finding.check, expected=finding.expected,
        actual=finding.actual, probe=probe, exchanges=exchanges,
    )  # fmt: skip


def inconclusive(requirement: str, reason: str, *, probe: str = "", exchanges: tuple[int, ...] = ()) -> Verdict:
    """Return the verdict of a requirement that could not be judged, with the reason."""
    return Verdict(
        requirement=requirement, verdict="inconclusive", check="judgeable", expected="a judgement", actual=reason,
        probe=probe, exchanges=exchanges,
    )  # fmt: skip


def worst(verdicts: Iterable[Verdict]) -> dict[str, Verdict]:
    """Return one verdict per requirement: the worst that was said of it."""
    final: dict[str, Verdict] = {}
    for verdict in verdicts:
        known = final.get(verdict.requirement)
        if known is None or WORST_FIRST.index(verdict.verdict) < WORST_FIRST.index(known.verdict):
            final[verdict.requirement] = verdict
    return final
