"""Two certificates side by side: what broke, what was mended, what came, what went."""

from __future__ import annotations

import msgspec

from telnyx_conformance.report.certificate import WORDS, Certificate, Result, shown_coverage, shown_divergence
from telnyx_conformance.report.text import visible


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """Requirement ids, sorted.

    `newly_failing` fail now and did not (new ones included), `fixed` failed and pass now, `undecided` were judged and
    are inconclusive now, `added` and `removed` are planned only after or only before. MAY is compared too, but `worse`
    leaves it out: it is told, never scored.
    """

    newly_failing: tuple[str, ...]
    fixed: tuple[str, ...]
    undecided: tuple[str, ...]
    added: tuple[str, ...]
    removed: tuple[str, ...]
    figures: tuple[str, ...]
    worse: bool


def compare(before: Certificate, after: Certificate) -> Comparison:
    """Compare two certificates, of the same target at two times or of two targets."""
    old = {result.id: result for result in before.requirements}
    new = {result.id: result for result in after.requirements}
    newly_failing = [key for key, result in new.items() if result.verdict == "fail" and not _is(old.get(key), "fail")]
    undecided = [
        key
        for key, result in new.items()
        if result.verdict == "inconclusive" and (_is(old.get(key), "pass") or _is(old.get(key), "fail"))
    ]
    fixed = [key for key, result in new.items() if result.verdict == "pass" and _is(old.get(key), "fail")]
    return Comparison(
        newly_failing=tuple(sorted(newly_failing)),
        fixed=tuple(sorted(fixed)),
        undecided=tuple(sorted(undecided)),
        added=tuple(sorted(new.keys() - old.keys())),
        removed=tuple(sorted(old.keys() - new.keys())),
        figures=_figures(before, after),
        worse=any(new[key].level != "MAY" for key in (*newly_failing, *undecided)),
    )


def text(comparison: Comparison) -> str:
    """Return the comparison as lines: figures, then each list under its name; equal certificates say so."""
    rows = list(comparison.figures)
    headings = {
        "newly_failing": "newly failing",
        "undecided": "no longer judged",
        "fixed": "fixed",
        "added": "added",
        "removed": "removed",
    }
    for name, heading in headings.items():
        identifiers: tuple[str, ...] = getattr(comparison, name)
        if identifiers:
            rows += [f"{heading}: {len(identifiers):,}", *(f"  {visible(identifier)}" for identifier in identifiers)]
    return "\n".join(rows or ["no difference"])


def _is(result: Result | None, verdict: str) -> bool:
    return result is not None and result.verdict == verdict


def _figures(before: Certificate, after: Certificate) -> tuple[str, ...]:
    pairs = [
        ("edition", before.edition, after.edition),
        ("target", before.target.base_url, after.target.base_url),
        ("verdict", WORDS[before.verdict], WORDS[after.verdict]),
        ("requirements", f"{before.totals.requirements:,}", f"{after.totals.requirements:,}"),
        ("divergence", shown_divergence(before.totals.divergence), shown_divergence(after.totals.divergence)),
        ("coverage", shown_coverage(before.totals.coverage), shown_coverage(after.totals.coverage)),
    ]
    return tuple(visible(f"{name}: {old} -> {new}") for name, old, new in pairs if old != new)
