"""From records to a certificate: the rules by which a run is scored, as one pure function.

docs/certificate.md says the same rules in prose.
"""

from __future__ import annotations

import math
import statistics
from collections import Counter
from typing import TYPE_CHECKING, get_args

import msgspec

from telnyx_conformance.contract.model import CONFORMANCE_CLASSES
from telnyx_conformance.errors import HarnessError, IncompleteError, UsageError
from telnyx_conformance.report.certificate import (
    Certificate,
    CertificateVerdict,
    Counts,
    GroupCounts,
    Result,
    RunFigures,
    Totals,
    WaiverState,
    WaiverUse,
)
from telnyx_conformance.report.evidence import Damage, End, Judgement, Plan, Planned, Record, Run, Verdict
from telnyx_conformance.report.text import clipped

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Collection, Iterable, Sequence

    from telnyx_conformance.report.waivers import Waiver

SCORED = ("MUST", "SHOULD")
SEVERITY: dict[Judgement, int] = {"not_applicable": 0, "pass": 1, "inconclusive": 2, "waived": 2, "fail": 3}
LONGEST_TEXT = 4000
NAMED = 3


class _Tally:
    """What has been read so far. The one place that changes; everything after it is a value."""

    def __init__(self) -> None:
        self.runs: list[Run] = []
        self.ends: list[End] = []
        self.planned: dict[str, Planned] = {}
        self.verdicts: dict[str, Verdict] = {}
        self.damage: list[Damage] = []
        self.probes = self.lower_bound = 0
        self.ratios: list[float] = []

    def add(self, record: Record) -> None:
        match record:
            case Verdict():
                known = self.verdicts.get(record.requirement)
                if known is None or SEVERITY[record.verdict] > SEVERITY[known.verdict]:
                    self.verdicts[record.requirement] = record
            case Plan():
                self._plan(record)
            case Run():
                self._run(record)
            case End():
                self.ends.append(record)
            case Damage():
                self.damage.append(record)

    def _plan(self, plan: Plan) -> None:
        for item in plan.requirements:
            known = self.planned.setdefault(item.id, item)
            if _identity(known) != _identity(item):
                raise HarnessError(
                    f"a requirement is planned twice, and differently: {item.id}",
                    expected=str(_identity(known)),
                    got=str(_identity(item)),
                )
        self.probes += plan.probes
        self.lower_bound += plan.lower_bound
        if plan.lower_bound:
            self.ratios.append(plan.probes / plan.lower_bound)

    def _run(self, run: Run) -> None:
        first = self.runs[0] if self.runs else run
        if (first.edition, first.target) != (run.edition, run.target):
            raise IncompleteError(
                "evidence of different runs lies in one folder",
                expected=f"{first.edition} at {first.target.base_url}",
                got=f"{run.edition} at {run.target.base_url}",
                advice="give each run a folder of its own",
            )
        self.runs.append(run)

    @property
    def interrupted(self) -> bool:
        """Whether a worker stopped early, or was killed: a run that began has to say that it ended."""
        return any(end.interrupted for end in self.ends) or len(self.ends) < max(1, len(self.runs))


def certify(
    records: Iterable[Record],
    waivers: Sequence[Waiver] = (),
    *,
    today: dt.date,
    known: Collection[str] = (),
    tool_version: str = "",
) -> Certificate:
    """Score a run. `records` are consumed once; `known` are all ids of the edition, for runs that were narrowed.

    - The denominator is fixed before the first request: every planned requirement that the target claims.
    - Of several verdicts on a requirement the worst counts: fail, inconclusive, pass, not applicable.
    - A planned requirement without a verdict is inconclusive, and one that a record calls `waived` too.
    - A waiver turns fail into waived, nothing else. One that matches a passing requirement (`passes`), has ended
      (`expired`) or matches nothing claimed (`unmatched`) fails the run. One that matches ids in `known`, but none
      planned, is `outside`.
    - divergence = fail / claimed, coverage = (pass + fail) / claimed. Waived counts in neither numerator.
    - MAY is reported, never scored: it stands in `requirements` and `reported`, in no other count or figure.
    - The verdict, first rule that holds: interrupted, damaged evidence, or a verdict on what was never planned:
      incomplete. A failing MUST or SHOULD, or a stale waiver: does not conform. An inconclusive MUST or SHOULD:
      incomplete. Else: conforms.

    Raises:
        UsageError: the run ended and had nothing to judge.
        IncompleteError: the records name no run, or several different ones.
        HarnessError: a requirement was planned twice, with different levels or places.

    """
    tally = _Tally()
    for record in records:
        tally.add(record)
    if not tally.runs:
        raise IncompleteError("the evidence does not say what was run", expected="a record of kind run")
    judged = [_result(item, tally.verdicts.get(item.id)) for _, item in sorted(tally.planned.items())]
    results, uses = _waive(judged, waivers, today=today, known=known)
    if not tally.interrupted and all(result.verdict == "not_applicable" for result in results):
        raise UsageError(
            "nothing was selected",
            expected="at least one requirement that the target claims",
            got=f"{len(results)} requirements, none of them claimed",
            advice="widen the selection, or the claims in the profile",
        )
    verdict, reasons = _verdict(tally, results, uses)
    scored = [result for result in results if result.level in SCORED]
    run = tally.runs[0]
    return Certificate(
        edition=run.edition,
        target=run.target,
        run=_figures(tally),
        verdict=verdict,
        totals=_totals(scored),
        classes=_classes(results),
        groups=_groups(results),
        requirements=results,
        reported=Counts(**_count([result for result in results if result.level not in SCORED])),
        waivers=uses,
        reasons=reasons,
        tool_version=tool_version,
    )


def _identity(item: Planned) -> tuple[str, str, str, str]:
    return item.level, item.conformance_class, item.group, item.operation


def _result(item: Planned, verdict: Verdict | None) -> Result:
    missing = Verdict(requirement=item.id, verdict="inconclusive", actual="no verdict: the run did not come to it")
    verdict = verdict or missing
    result = Result(
        id=item.id,
        conformance_class=item.conformance_class,
        group=item.group,
        operation=item.operation,
        level=item.level,
        verdict="inconclusive" if verdict.verdict == "waived" else verdict.verdict,
        expected=clipped(verdict.expected, LONGEST_TEXT),
        actual=clipped(verdict.actual, LONGEST_TEXT),
        reproduce="",
    )
    if result.verdict in ("pass", "not_applicable"):
        return result
    return msgspec.structs.replace(
        result,
        statement=item.statement,
        source=item.source,
        check=verdict.check,
        probe=verdict.probe,
        exchanges=verdict.references,
    )


def _waive(
    judged: list[Result], waivers: Sequence[Waiver], *, today: dt.date, known: Collection[str]
) -> tuple[tuple[Result, ...], tuple[WaiverUse, ...]]:
    results, uses = {result.id: result for result in judged}, []
    for waiver in waivers:
        matched = [result for result in judged if waiver.matches(result.id)]
        claimed = [result for result in matched if result.verdict != "not_applicable"]
        failing = [result for result in claimed if result.verdict == "fail"]
        state: WaiverState = "used"
        if waiver.expires < today:
            state = "expired"
        elif not matched and any(waiver.matches(identifier) for identifier in known):
            state = "outside"
        elif not claimed:
            state = "unmatched"
        elif any(result.verdict == "pass" for result in claimed):
            state = "passes"
        if state != "expired":
            for result in failing:
                results[result.id] = msgspec.structs.replace(result, verdict="waived", waiver=waiver.requirement)
        uses.append(
            WaiverUse(
                requirement=waiver.requirement,
                reason=waiver.reason,
                link=waiver.link,
                owner=waiver.owner,
                expires=waiver.expires,
                state=state,
                matched=len(matched),
                waived=0 if state == "expired" else len(failing),
            )
        )
    return tuple(results.values()), tuple(uses)


def _verdict(
    tally: _Tally, results: Sequence[Result], uses: Sequence[WaiverUse]
) -> tuple[CertificateVerdict, tuple[str, ...]]:
    """Return the verdict, and all reasons against `conforms`, whichever of them decided."""
    unplanned = sorted(tally.verdicts.keys() - tally.planned.keys())
    broken, failing, open_ = [], [], []
    if tally.interrupted:
        broken.append("the run was interrupted")
    if tally.damage:
        broken.append(f"{_number(len(tally.damage), 'line')} of evidence cannot be read: {tally.damage[0].where}")
    if unplanned:
        broken.append(f"{_number(len(unplanned), 'verdict')} on what was never planned: {_named(unplanned)}")
    for level in SCORED:
        of_level = [result for result in results if result.level == level]
        fails = [result.id for result in of_level if result.verdict == "fail"]
        undecided = [result.id for result in of_level if result.verdict == "inconclusive"]
        if fails:
            failing.append(f"{_number(len(fails), f'{level} requirement')} failed")
        if undecided:
            open_.append(f"{_number(len(undecided), f'{level} requirement')} could not be judged")
    words = {"passes": "covers what passes", "expired": "has expired", "unmatched": "matches nothing"}
    failing.extend(f"the waiver of {use.requirement} {words[use.state]}" for use in uses if use.stale)
    reasons = (*broken, *failing, *open_)
    if broken:
        return "incomplete", reasons
    if failing:
        return "does_not_conform", reasons
    return ("incomplete" if open_ else "conforms"), reasons


def _number(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _named(names: Sequence[str]) -> str:
    more = f" and {len(names) - NAMED:,} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more


def _count(results: Iterable[Result]) -> dict[str, int]:
    counter = Counter(result.verdict for result in results)
    counts = {verdict: counter[verdict] for verdict in get_args(Judgement)}
    counts["passed"] = counts.pop("pass")
    return {"requirements": counter.total(), **counts}


def _totals(scored: Sequence[Result]) -> Totals:
    counts = Counts(**_count(scored))
    claimed = counts.claimed or 1
    return Totals(
        **msgspec.structs.asdict(counts),
        divergence=counts.fail / claimed,
        coverage=(counts.passed + counts.fail) / claimed,
    )


def _classes(results: Sequence[Result]) -> dict[str, Counts]:
    """Count by class, in the order of the suites; a class of which nothing was planned is left out."""
    rank = {name: number for number, name in enumerate(CONFORMANCE_CLASSES)}
    names = sorted({result.conformance_class for result in results}, key=lambda name: (rank.get(name, len(rank)), name))
    members: dict[str, list[Result]] = {name: [] for name in names}
    for result in results:
        if result.level in SCORED:
            members[result.conformance_class].append(result)
    return {name: Counts(**_count(members[name])) for name in names}


def _groups(results: Sequence[Result]) -> dict[str, GroupCounts]:
    members: dict[str, list[Result]] = {}
    for result in results:
        members.setdefault(result.group, []).append(result)
    return {
        name: GroupCounts(
            operations=len({result.operation for result in members[name]}),
            **_count(result for result in members[name] if result.level in SCORED),
        )
        for name in sorted(members)
    }


def _figures(tally: _Tally) -> RunFigures:
    """Add up the workers: they ran side by side, so that the longest is the run's time."""
    ratios, first = sorted(tally.ratios), tally.runs[0]
    return RunFigures(
        seed=first.seed,
        started_at=min(run.started_at for run in tally.runs),
        seconds=max((end.seconds for end in tally.ends), default=0.0),
        requests=sum(end.requests for end in tally.ends),
        requests_lower_bound=tally.lower_bound,
        events=sum(end.events for end in tally.ends),
        probes=tally.probes,
        bound_ratio_median=statistics.median(ratios) if ratios else 0.0,
        bound_ratio_p95=ratios[math.ceil(0.95 * len(ratios)) - 1] if ratios else 0.0,
        interrupted=tally.interrupted,
        control=next((end.control for end in tally.ends if end.control), ""),
        arguments=first.arguments,
    )
