"""How a run is scored: every rule with its planted violation."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telnyx_conformance.errors import ExitCode, HarnessError, IncompleteError, UsageError
from telnyx_conformance.report.certificate import (
    Certificate,
    Counts,
    GroupCounts,
    Result,
    RunFigures,
    Totals,
    WaiverUse,
    from_json,
    shown_coverage,
    shown_divergence,
    to_json,
)
from telnyx_conformance.report.evidence import Damage, End, Plan, Planned, Record, Run, Target, Verdict
from telnyx_conformance.report.scoring import certify
from telnyx_conformance.report.waivers import Waiver

TODAY = dt.date(2026, 3, 1)
RUN = Run(edition="2025-06-16", target=Target(kind="url", base_url="http://127.0.0.1:1/v2"), seed=7)


def planned(identifier: str, **fields: Any) -> Planned:
    plain: dict[str, Any] = {
        "operation": identifier.partition(":")[0],
        "group": "Calls",
        "conformance_class": "requests",
    }
    return Planned(**{"id": identifier, **plain, "level": "MUST", **fields})


def records(verdicts: dict[str, Any], levels: dict[str, Any] | None = None, end: End | None = None) -> list[Record]:
    items = tuple(planned(name, level=(levels or {}).get(name, "MUST")) for name in verdicts)
    said = [Verdict(requirement=name, verdict=verdict) for name, verdict in verdicts.items() if verdict]
    return [RUN, Plan(requirements=items), *said, end or End()]


def waiver(requirement: str, expires: dt.date = TODAY) -> Waiver:
    return Waiver(
        requirement=requirement, reason="known", link="https://example.test/1", owner="voice", expires=expires
    )


def scored(
    verdicts: dict[str, Any], *waivers: Waiver, levels: dict[str, Any] | None = None, **more: Any
) -> Certificate:
    return certify(records(verdicts, levels), waivers, today=TODAY, **more)


def test_a_run_whose_requirements_all_pass_conforms() -> None:
    certificate = scored({"A:1": "pass", "A:2": "pass"})
    assert certificate.verdict == "conforms"
    assert certificate.exit_code == ExitCode.CONFORMS
    assert certificate.reasons == ()
    assert (certificate.totals.divergence, certificate.totals.coverage) == (0.0, 1.0)
    assert certificate.last_line == "verdict: conforms — 2 requirements, divergence 0.0000, coverage 1.0000"


@pytest.mark.parametrize("level", ["MUST", "SHOULD"])
def test_one_failing_scored_requirement_does_not_conform(level: str) -> None:
    certificate = scored({"A:1": "pass", "A:2": "fail"}, levels={"A:2": level})
    assert certificate.verdict == "does_not_conform"
    assert certificate.exit_code == ExitCode.DOES_NOT_CONFORM
    assert certificate.reasons == (f"1 {level} requirement failed",)
    assert certificate.totals.divergence == 0.5


@pytest.mark.parametrize("level", ["MUST", "SHOULD"])
def test_one_inconclusive_scored_requirement_never_certifies(level: str) -> None:
    certificate = scored({"A:1": "pass", "A:2": "inconclusive"}, levels={"A:2": level})
    assert certificate.verdict == "incomplete"
    assert certificate.exit_code == ExitCode.INCOMPLETE
    assert certificate.totals.coverage == 0.5


@pytest.mark.parametrize("verdict", ["fail", "inconclusive"])
def test_a_may_is_reported_and_never_scored(verdict: str) -> None:
    certificate = scored({"A:1": "pass", "A:2": verdict}, levels={"A:2": "MAY"})
    assert certificate.verdict == "conforms"
    assert certificate.totals == Totals(requirements=1, passed=1, divergence=0.0, coverage=1.0)
    assert certificate.reported == Counts(**{"requirements": 1, verdict: 1})
    assert [result.id for result in certificate.requirements] == ["A:1", "A:2"]


def test_a_planned_requirement_without_a_verdict_is_inconclusive_and_stays_in_the_denominator() -> None:
    certificate = scored({"A:1": "pass", "A:2": None})
    assert certificate.verdict == "incomplete"
    assert certificate.totals.requirements == 2
    assert certificate.results("inconclusive")[0].actual == "no verdict: the run did not come to it"


@pytest.mark.parametrize(
    ("said", "counts"),
    [
        (["pass", "fail"], "fail"),
        (["fail", "pass", "pass"], "fail"),
        (["inconclusive", "fail"], "fail"),
        (["pass", "inconclusive", "pass"], "inconclusive"),
        (["not_applicable", "pass"], "pass"),
        (["waived"], "inconclusive"),
        (["pass", "waived"], "inconclusive"),
    ],
)
def test_of_several_verdicts_the_worst_counts(said: list[Any], counts: str) -> None:
    verdicts = [Verdict(requirement="A:1", verdict=verdict) for verdict in said]
    certificate = certify([RUN, Plan(requirements=(planned("A:1"),)), *verdicts, End()], today=TODAY)
    assert certificate.requirements[0].verdict == counts


def test_what_is_not_claimed_leaves_the_denominator_of_both_figures() -> None:
    certificate = scored({"A:1": "pass", "A:2": "fail", "A:3": "not_applicable", "A:4": "inconclusive"})
    assert certificate.totals.claimed == 3
    assert certificate.totals.divergence == pytest.approx(1 / 3)
    assert certificate.totals.coverage == pytest.approx(2 / 3)


def test_nothing_selected_is_an_error() -> None:
    with pytest.raises(UsageError, match="nothing was selected"):
        scored({})
    with pytest.raises(UsageError, match="nothing was selected"):
        scored({"A:1": "not_applicable"})


@pytest.mark.parametrize("end", [[], [End(interrupted=True)]])
def test_an_interrupted_run_is_incomplete_even_when_something_failed(end: list[Record]) -> None:
    certificate = certify([*records({"A:1": "fail"})[:-1], *end], today=TODAY)
    assert certificate.verdict == "incomplete"
    assert certificate.reasons == ("the run was interrupted", "1 MUST requirement failed")


def test_one_worker_without_an_end_interrupts_the_run() -> None:
    certificate = certify([RUN, *records({"A:1": "pass"})], today=TODAY)
    assert certificate.run.interrupted
    assert certificate.verdict == "incomplete"


def test_damaged_evidence_never_certifies() -> None:
    certificate = certify([*records({"A:1": "pass"}), Damage(where="evidence.ndjson:3", problem="cut")], today=TODAY)
    assert certificate.verdict == "incomplete"
    assert certificate.reasons == ("1 line of evidence cannot be read: evidence.ndjson:3",)


def test_a_verdict_on_what_was_never_planned_is_not_dropped() -> None:
    certificate = certify([*records({"A:1": "pass"}), Verdict(requirement="B:9", verdict="fail")], today=TODAY)
    assert certificate.verdict == "incomplete"
    assert certificate.totals.requirements == 1
    assert certificate.reasons == ("1 verdict on what was never planned: B:9",)


def test_a_requirement_planned_with_two_levels_is_our_own_fault() -> None:
    twice: list[Record] = [RUN, Plan(requirements=(planned("A:1"), planned("A:1", level="MAY"))), End()]
    with pytest.raises(HarnessError, match="A:1"):
        certify(twice, today=TODAY)


def test_evidence_of_two_runs_in_one_folder_is_refused() -> None:
    other = Run(edition="2026-01-01", target=RUN.target)
    with pytest.raises(IncompleteError, match="different runs"):
        certify([*records({"A:1": "pass"}), other], today=TODAY)


def test_evidence_that_names_no_run_is_refused() -> None:
    with pytest.raises(IncompleteError, match="does not say what was run"):
        certify([End()], today=TODAY)


def test_a_waiver_excuses_a_failure_and_counts_in_neither_figure() -> None:
    certificate = scored({"A:1": "pass", "A:2": "fail"}, waiver("A:2"))
    assert certificate.verdict == "conforms"
    assert (certificate.totals.waived, certificate.totals.fail) == (1, 0)
    assert (certificate.totals.divergence, certificate.totals.coverage) == (0.0, 0.5)
    assert certificate.waivers[0].state == "used"
    assert certificate.results("waived")[0].waiver == "A:2"


def test_a_waiver_never_excuses_what_could_not_be_judged() -> None:
    certificate = scored({"A:1": "pass", "A:2": "inconclusive"}, waiver("A:2"))
    assert certificate.verdict == "incomplete"
    assert certificate.waivers[0].state == "used"


@pytest.mark.parametrize(
    ("verdicts", "line", "state"),
    [
        ({"A:1": "pass"}, waiver("A:1"), "passes"),
        ({"A:1": "fail", "A:2": "pass"}, waiver("A:*"), "passes"),
        ({"A:1": "pass"}, waiver("A:9"), "unmatched"),
        ({"A:1": "pass", "A:2": "not_applicable"}, waiver("A:2"), "unmatched"),
        ({"A:1": "fail"}, waiver("A:1", expires=TODAY - dt.timedelta(days=1)), "expired"),
    ],
)
def test_a_stale_waiver_fails_the_run(verdicts: dict[str, Any], line: Waiver, state: str) -> None:
    certificate = scored(verdicts, line)
    assert certificate.waivers[0].state == state
    assert certificate.verdict == "does_not_conform"
    assert certificate.reasons[-1].startswith(f"the waiver of {line.requirement} ")


def test_an_expired_waiver_excuses_nothing() -> None:
    certificate = scored({"A:1": "fail"}, waiver("A:1", expires=TODAY - dt.timedelta(days=1)))
    assert certificate.totals.fail == 1


def test_a_waiver_of_what_a_narrowed_run_left_out_is_not_stale() -> None:
    certificate = scored({"A:1": "pass"}, waiver("B:*"), known=["A:1", "B:1"])
    assert certificate.waivers[0].state == "outside"
    assert certificate.verdict == "conforms"


def test_classes_and_groups_add_up_to_the_totals() -> None:
    items = (
        planned("A:1", conformance_class="webhooks"),
        planned("A:2", conformance_class="surface"),
        planned("B:1", group="Fax"),
        planned("B:2", group="Fax", level="MAY"),
    )
    said = [Verdict(requirement=item.id, verdict="pass") for item in items]
    certificate = certify([RUN, Plan(requirements=items), *said, End()], today=TODAY)
    assert list(certificate.classes) == ["surface", "requests", "webhooks"]
    assert certificate.groups["Calls"] == GroupCounts(operations=1, requirements=2, passed=2)
    assert certificate.groups["Fax"] == GroupCounts(operations=1, requirements=1, passed=1)
    for parts in (certificate.classes, certificate.groups):
        assert sum(part.requirements for part in parts.values()) == certificate.totals.requirements


def test_workers_and_plans_add_up() -> None:
    first = Plan(requirements=(planned("A:1"),), probes=12, lower_bound=10)
    again = Plan(requirements=(planned("A:1"), planned("A:2")), probes=40, lower_bound=20)
    free = Plan(requirements=(), probes=3, lower_bound=0)
    said = [Verdict(requirement=name, verdict="pass") for name in ("A:1", "A:2")]
    ends = [End(seconds=2, requests=5, events=1), End(seconds=3, requests=7, events=2)]
    figures = certify([RUN, RUN, first, again, free, *said, *ends], today=TODAY).run
    assert (figures.seconds, figures.requests, figures.events) == (3, 12, 3)
    assert (figures.probes, figures.requests_lower_bound) == (55, 30)
    assert (figures.bound_ratio_median, figures.bound_ratio_p95) == (1.6, 2.0)


def test_a_figure_is_never_rounded_in_favour_of_the_target() -> None:
    assert shown_divergence(1 / 31_204) == "0.0001"
    assert shown_divergence(0.0) == "0.0000"
    assert shown_coverage(31_203 / 31_204) == "0.9999"
    assert shown_coverage(1.0) == "1.0000"
    assert shown_coverage(0.3) == shown_divergence(0.3) == "0.3000"


def test_the_wire_form_has_exactly_the_documented_keys() -> None:
    document = json.loads(to_json(scored({"A:1": "pass", "A:2": "fail"})))
    assert {
        "schema_version", "edition", "target", "run", "verdict", "totals", "classes", "groups", "requirements",
        "reported", "waivers", "reasons", "tool_version",
    } == set(document)  # fmt: skip
    counts = {"requirements", "pass", "fail", "inconclusive", "not_applicable", "waived"}
    assert counts | {"divergence", "coverage"} == set(document["totals"])
    assert counts == set(document["classes"]["requests"])
    assert counts | {"operations"} == set(document["groups"]["Calls"])
    assert {"seed", "started_at", "seconds", "requests", "requests_lower_bound", "events"} <= set(document["run"])
    assert {
        "id", "class", "group", "operation", "level", "verdict", "expected", "actual", "reproduce",
    } == set(document["requirements"][0])  # fmt: skip


text = st.text(max_size=12)
count = st.integers(0, 10**6)
figure = st.floats(0, 1)
counts = st.builds(
    Counts, requirements=count, passed=count, fail=count, inconclusive=count, not_applicable=count, waived=count
)
certificates = st.builds(
    Certificate,
    schema_version=st.just(1),
    edition=text,
    target=st.builds(Target, kind=text, base_url=text),
    run=st.builds(
        RunFigures, seed=count, started_at=text, seconds=figure, requests=count, requests_lower_bound=count,
        events=count, probes=count, bound_ratio_median=figure, bound_ratio_p95=figure, interrupted=st.booleans(),
        arguments=st.dictionaries(text, st.one_of(text, count, st.lists(text, max_size=2)), max_size=2),
    ),
    verdict=st.sampled_from(["conforms", "does_not_conform", "incomplete"]),
    totals=st.builds(Totals, requirements=count, fail=count, divergence=figure, coverage=figure),
    classes=st.dictionaries(text, counts, max_size=2),
    groups=st.dictionaries(text, st.builds(GroupCounts, operations=count, fail=count), max_size=2),
    requirements=st.lists(
        st.builds(
            Result, id=text, conformance_class=text, group=text, operation=text,
            level=st.sampled_from(["MUST", "SHOULD", "MAY"]),
            verdict=st.sampled_from(["pass", "fail", "inconclusive", "not_applicable", "waived"]),
            expected=text, actual=text, reproduce=text, statement=text, waiver=text,
            exchanges=st.lists(text, max_size=2).map(tuple),
        ),
        max_size=3,
    ).map(tuple),
    reported=counts,
    waivers=st.lists(
        st.builds(
            WaiverUse, requirement=text, reason=text, link=text, owner=text, expires=st.dates(),
            state=st.sampled_from(["used", "passes", "expired", "unmatched", "outside"]), matched=count, waived=count,
        ),
        max_size=2,
    ).map(tuple),
    reasons=st.lists(text, max_size=2).map(tuple),
    tool_version=text,
)  # fmt: skip


@given(certificates)
def test_a_certificate_survives_its_wire_form(certificate: Certificate) -> None:
    assert from_json(to_json(certificate)) == certificate


@pytest.mark.parametrize("data", [b"", b"[]", b"\xff", b'{"schema_version":2}', b'{"schema_version":1}'])
def test_what_is_no_certificate_is_refused_with_its_place(data: bytes) -> None:
    with pytest.raises(UsageError, match="not a certificate") as caught:
        from_json(data, where="old/certificate.json")
    assert caught.value.where == "old/certificate.json"
