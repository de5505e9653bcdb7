"""What is written beside the certificate: JUnit, the summary, comparisons, merged shards, and how writing may fail."""

from __future__ import annotations

import datetime as dt
import errno
import io
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import pytest
from rich.console import Console

from telnyx_conformance.errors import ExitCode, IncompleteError, ReportError, UsageError
from telnyx_conformance.report import write
from telnyx_conformance.report.certificate import from_json
from telnyx_conformance.report.compare import compare, text
from telnyx_conformance.report.evidence import Evidence, Verdict
from telnyx_conformance.report.merge import merge
from telnyx_conformance.report.summary import print_summary
from telnyx_conformance.report.write import write_reports

if TYPE_CHECKING:
    from collections.abc import Callable

HOSTILE = "</script><img src=x onerror=alert(1)>\x00\x1b[31m\ud800 \u202e ]]> & [bold]"


def junit_of(folder: Path) -> ET.Element:
    return ET.fromstring((folder / "junit.xml").read_bytes())  # noqa: S314 - our own file


def test_a_run_leaves_all_its_reports_and_the_certificate_reads_back(run_of: Callable[..., Path]) -> None:
    folder = run_of({"A:1": "pass", "A:2": "fail"})
    certificate = write_reports(folder)
    assert {file.name for file in folder.iterdir()} == {
        "certificate.html", "certificate.json", "evidence.ndjson", "failures", "junit.xml",
    }  # fmt: skip
    assert from_json((folder / "certificate.json").read_bytes()) == certificate
    assert certificate.results("fail")[0].reproduce == "failures/A--2/request.sh"
    assert os.access(folder / "failures" / "A--2" / "request.sh", os.X_OK)


def test_scoring_a_folder_again_leaves_no_reproducer_that_accuses_wrongly(
    run_of: Callable[..., Path], tmp_path: Path
) -> None:
    folder = run_of({"A:1": "pass", "A:2": "fail"})
    write_reports(folder)
    waivers = tmp_path / "waivers.yaml"
    waivers.write_text("- {requirement: 'A:2', reason: r, link: l, owner: o, expires: 2026-12-31}")
    certificate = write_reports(folder, waivers, today=dt.date(2026, 3, 1))
    assert certificate.verdict == "conforms"
    assert not (folder / "failures").exists()


def test_junit_has_a_suite_per_class_and_a_case_per_operation(run_of: Callable[..., Path]) -> None:
    folder = run_of({"A:1": "pass", "A:2": "fail", "B:1": "pass", "C:1": None, "D:1": "not_applicable"})
    write_reports(folder)
    root = junit_of(folder)
    suite = root[0]
    assert (suite.get("name"), suite.get("tests")) == ("requests", "4")
    cases = {case.get("name"): [child.tag for child in case] for case in suite}
    assert cases == {"A": ["failure"], "B": [], "C": ["error"], "D": ["skipped"]}
    failure = suite[0][0]
    assert failure.get("message") == "A:2 failed"
    assert (failure.text or "").startswith("A:2 (MUST)\n  expected: 422")
    assert root.get("failures") == "2", "the operation, and the verdict of the run"


def test_a_run_that_is_not_whole_is_not_green_in_junit(run_of: Callable[..., Path]) -> None:
    folder = run_of({"A:1": "pass"}, end=False)
    write_reports(folder)
    assert [case.find("error") is not None for case in junit_of(folder)[-1]] == [True, True]


def test_a_may_that_fails_is_told_in_junit_and_fails_nothing(run_of: Callable[..., Path]) -> None:
    folder = run_of({"A:1": "pass", "A:2": "fail"}, levels={"A:2": "MAY"})
    write_reports(folder)
    root = junit_of(folder)
    assert (root.get("failures"), root.get("errors")) == ("0", "0")
    assert "MAY, not met: A:2" in (root[0][0].findtext("system-out") or "")


def test_junit_is_valid_whatever_the_target_says(tmp_path: Path, build: Any) -> None:
    records = [
        build.run, build.plan([build.planned("A:1"), build.planned("A:\x01")]),
        build.judged("A:1", "fail", actual=HOSTILE), build.judged("A:\x01", "fail", actual="ok"), build.end,
    ]  # fmt: skip
    build.lines(tmp_path / "evidence.ndjson", records)
    write_reports(tmp_path)
    told = junit_of(tmp_path)[0][0].findtext("failure") or ""
    assert "</script><img src=x onerror=alert(1)>⟨U+0000⟩⟨U+001B⟩[31m" in told


def summary(folder: Path, **options: Any) -> str:
    certificate = write_reports(folder)
    output = io.StringIO()
    print_summary(certificate, folder, console=Console(file=output, width=80, **options))
    return output.getvalue()


def test_the_last_line_of_the_summary_is_the_verdict_unwrapped(run_of: Callable[..., Path]) -> None:
    told = summary(run_of({"A:1": "pass", "A:2": "fail"})).splitlines()
    assert told[-1] == "verdict: does not conform — 2 requirements, divergence 0.5000, coverage 1.0000"
    assert "✗ A:2 (MUST)" in told
    assert "    expected: 422" in told


def test_the_summary_has_no_colour_when_that_is_asked_for(
    run_of: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = run_of({"A:1": "fail"})
    assert "\x1b[31m" in summary(folder, force_terminal=True, color_system="standard")
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[31m" not in summary(folder, force_terminal=True, color_system="standard")


def test_a_target_cannot_write_to_the_terminal(tmp_path: Path, build: Any) -> None:
    said = build.judged("A:1", "fail", actual=HOSTILE)
    build.lines(tmp_path / "evidence.ndjson", [build.run, build.plan([build.planned("A:1")]), said, build.end])
    told = summary(tmp_path)
    assert "\x1b" not in told
    assert "\u202e" not in told
    assert "[bold]" in told


def test_a_comparison_names_what_broke_what_was_mended_what_came_and_went(tmp_path: Path, build: Any) -> None:
    certificates = []
    for name, verdicts in {
        "before": {"A:1": "pass", "A:2": "fail", "A:3": "pass", "A:4": "fail", "A:5": "pass"},
        "after": {"A:1": "fail", "A:2": "pass", "A:4": "fail", "A:5": "inconclusive", "A:6": "fail"},
    }.items():
        items = [build.planned(identifier) for identifier in verdicts]
        said = [build.judged(identifier, verdict) for identifier, verdict in verdicts.items()]
        build.lines(tmp_path / name / "evidence.ndjson", [build.run, build.plan(items), *said, build.end])
        certificates.append(write_reports(tmp_path / name))
    comparison = compare(*certificates)
    assert comparison.newly_failing == ("A:1", "A:6")
    assert comparison.fixed == ("A:2",)
    assert comparison.undecided == ("A:5",)
    assert (comparison.added, comparison.removed) == (("A:6",), ("A:3",))
    assert comparison.worse
    assert "divergence: 0.4000 -> 0.6000" in text(comparison)
    assert text(compare(certificates[0], certificates[0])) == "no difference"
    assert not compare(certificates[0], certificates[0]).worse


def shard(folder: Path, build: Any, number: str, verdicts: dict[str, str | None], **run: Any) -> Path:
    items = [build.planned(identifier) for identifier in verdicts]
    said = [build.judged(name, verdict, exchanges=[0]) for name, verdict in verdicts.items() if verdict]
    begun = {**build.run, "arguments": {"shard": number}, **run}
    exchange = {"t": "exchange", "n": 0, "worker": number}
    path = folder / number.replace("/", "-")
    for worker in ("gw0", "gw1"):
        mine = said[0:1] if worker == "gw0" else said[1:]
        build.lines(path / f"evidence.{worker}.ndjson", [begun, build.plan(items), exchange, *mine, build.end])
    return path


def test_shards_merge_into_one_certificate_with_every_exchange_in_reach(tmp_path: Path, build: Any) -> None:
    folders = [shard(tmp_path, build, f"{n}/2", {f"A:{n}1": "pass", f"A:{n}2": "fail"}) for n in (1, 2)]
    write_reports(folders[0])
    certificate = merge(folders, tmp_path / "whole")
    assert certificate.totals.requirements == 4
    assert certificate.verdict == "does_not_conform"
    evidence = Evidence(tmp_path / "whole")
    owners = {}
    for record in evidence.records():
        if isinstance(record, Verdict):
            owners[record.requirement] = (evidence.exchange(record.references[0]) or {}).get("worker")
    assert owners == {"A:11": "1/2", "A:12": "1/2", "A:21": "2/2", "A:22": "2/2"}


def test_a_requirement_judged_by_two_shards_is_a_conflict_that_is_named(tmp_path: Path, build: Any) -> None:
    folders = [shard(tmp_path, build, f"{n}/2", {"A:0": "pass", f"A:{n}": "pass"}) for n in (1, 2)]
    with pytest.raises(IncompleteError, match="more than one shard") as caught:
        merge(folders, tmp_path / "whole")
    assert caught.value.got == "A:0"


def test_a_planned_requirement_that_no_shard_judged_is_a_gap_that_is_named(tmp_path: Path, build: Any) -> None:
    folders = [shard(tmp_path, build, "1/2", {"A:1": "pass"}), shard(tmp_path, build, "2/2", {"A:2": None})]
    with pytest.raises(IncompleteError, match="have no verdict") as caught:
        merge(folders, tmp_path / "whole")
    assert caught.value.got == "A:2"
    assert not (tmp_path / "whole").exists()


@pytest.mark.parametrize(
    ("numbers", "run", "problem"),
    [
        (["1/3", "3/3"], {}, "shards are missing"),
        (["1/2", "2/3"], {}, "cut differently"),
        (["1/2", "2/2"], {"seed": 8}, "another seed"),
        (["1/2", "2/2"], {"edition": "2026-01-01"}, "another edition"),
        (["1/2", "whole"], {}, "not a shard"),
    ],
)
def test_shards_that_are_not_one_run_are_refused(
    tmp_path: Path, build: Any, numbers: list[str], run: dict[str, Any], problem: str
) -> None:
    first = shard(tmp_path, build, numbers[0], {"A:1": "pass"})
    second = shard(tmp_path, build, numbers[1], {"A:2": "pass"}, **run)
    with pytest.raises(UsageError, match=problem):
        merge([first, second], tmp_path / "whole")


def test_a_shard_given_twice_is_refused(tmp_path: Path, build: Any) -> None:
    folder = shard(tmp_path, build, "1/2", {"A:1": "pass"})
    with pytest.raises(UsageError, match="shard 1/2 is there twice"):
        merge([folder, folder], tmp_path / "whole")


@pytest.mark.parametrize(
    ("number", "problem"),
    [(errno.ENOSPC, "no space is left"), (errno.EACCES, "no permission"), (errno.EIO, "could not be")],
)
def test_a_report_that_cannot_be_written_says_why_and_keeps_what_was_proven(
    number: int, problem: str, run_of: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = run_of({"A:1": "pass", "A:2": "fail"})
    write_reports(folder)
    before = {file: file.read_bytes() for file in folder.iterdir() if file.is_file()}

    def refuse(_descriptor: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", refuse)
    with pytest.raises(ReportError, match=problem) as caught:
        write_reports(folder)
    assert caught.value.exit_code == ExitCode.INCOMPLETE
    assert caught.value.where.endswith("certificate.json")
    assert {file: file.read_bytes() for file in folder.iterdir() if file.is_file()} == before


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_disk_that_is_really_full_is_reported_as_such(tmp_path: Path) -> None:
    (tmp_path / ".certificate.json.writing").symlink_to("/dev/full")
    with pytest.raises(ReportError, match="no space is left"):
        write.write_file(tmp_path / "certificate.json", b"{}")
    assert list(tmp_path.iterdir()) == []


def test_a_path_that_cannot_be_a_folder_is_reported(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ReportError, match="could not be written"):
        write.write_file(tmp_path / "file" / "certificate.json", b"{}")


def test_the_key_of_the_evidence_stays_redacted_in_every_report(tmp_path: Path, build: Any) -> None:
    exchange = build.transfer(0)
    exchange["request"]["headers"].append(["x-authorization", "Bearer [redacted]"])
    records = [build.planned("A:1")]
    said = build.judged("A:1", "fail", exchanges=[0])
    build.lines(tmp_path / "evidence.ndjson", [build.run, build.plan(records), exchange, said, build.end])
    write_reports(tmp_path)
    script = (tmp_path / "failures" / "A--1" / "request.sh").read_text()
    assert "'authorization: Bearer '\"$TELNYX_API_KEY\"" in script
    assert json.loads((tmp_path / "certificate.json").read_bytes())["requirements"][0]["exchanges"] == ["main/0"]
