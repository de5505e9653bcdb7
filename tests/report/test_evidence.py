"""Evidence is read as far as it goes: cut off, damaged, of several workers, merged before or not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from telnyx_conformance.errors import IncompleteError
from telnyx_conformance.report.evidence import Damage, End, Evidence, Verdict, merge_parts

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def kinds(folder: Path) -> list[str]:
    return [type(record).__name__ for record in Evidence(folder).records()]


def test_a_line_cut_off_by_a_kill_is_damage_and_the_rest_is_kept(run_of: Callable[..., Path]) -> None:
    folder = run_of({"A:1": "pass"}, end=False)
    with (folder / "evidence.ndjson").open("a") as file:
        file.write('{"t":"verdict","requirement":"A:2","verd')
    assert kinds(folder) == ["Run", "Plan", "Verdict", "Damage"]


@pytest.mark.parametrize(
    "line", [b"no json", b'{"t":"verdict"}', b'{"t":"end","seconds":"x"}', b"[]", b"{", b"[" * 100_000]
)
def test_a_broken_line_in_the_middle_is_named_and_does_not_hide_what_follows(
    line: bytes, run_of: Callable[..., Path]
) -> None:
    folder = run_of({"A:1": "pass"}, end=False)
    with (folder / "evidence.ndjson").open("ab") as file:
        file.write(line + b'\n{"t":"end"}\n')
    records = list(Evidence(folder).records())
    assert isinstance(records[3], Damage)
    assert records[3].where == "evidence.ndjson:4"
    assert records[4] == End()


def test_a_kind_that_this_reader_does_not_know_is_passed_over(run_of: Callable[..., Path]) -> None:
    folder = run_of({"A:1": "pass"})
    with (folder / "evidence.ndjson").open("a") as file:
        file.write('{"t":"mood","value":1}\n\n')
    assert kinds(folder) == ["Run", "Plan", "Verdict", "End"]


@pytest.mark.parametrize("actual", [b'"\\ud800 lone"', b'"\xff\xfe bytes"'])
def test_text_that_is_no_unicode_is_repaired_and_the_verdict_counts(actual: bytes, tmp_path: Path) -> None:
    line = b'{"t":"verdict","requirement":"A:1","verdict":"fail","actual":' + actual + b"}\n"
    (tmp_path / "evidence.ndjson").write_bytes(line)
    (record,) = Evidence(tmp_path).records()
    assert isinstance(record, Verdict)
    assert (record.verdict, record.actual[0]) == ("fail", "\ufffd")


def workers(folder: Path, build: Any) -> None:
    """Two workers whose exchanges have the same numbers."""
    for worker in ("gw0", "gw1"):
        build.lines(
            folder / f"evidence.{worker}.ndjson",
            [
                build.run,
                {"t": "exchange", "n": 0, "worker": worker},
                build.judged(worker, "fail", exchanges=[0]),
                build.end,
            ],
        )


def owners(folder: Path) -> dict[str, str]:
    """Which worker's exchange each verdict leads to."""
    evidence = Evidence(folder)
    verdicts = [record for record in evidence.records() if isinstance(record, Verdict)]
    found = {verdict.requirement: evidence.exchange(verdict.references[0]) for verdict in verdicts}
    return {name: str(exchange["worker"]) for name, exchange in found.items() if exchange}


def test_each_verdict_leads_to_its_own_workers_exchange_before_and_after_merging(tmp_path: Path, build: Any) -> None:
    workers(tmp_path, build)
    assert owners(tmp_path) == {"gw0": "gw0", "gw1": "gw1"}
    merge_parts(tmp_path)
    assert [file.name for file in tmp_path.iterdir()] == ["evidence.ndjson"]
    assert owners(tmp_path) == {"gw0": "gw0", "gw1": "gw1"}


def test_a_merge_that_was_killed_before_it_cleaned_up_counts_nothing_twice(tmp_path: Path, build: Any) -> None:
    workers(tmp_path, build)
    left = (tmp_path / "evidence.gw1.ndjson").read_bytes()
    merge_parts(tmp_path)
    (tmp_path / "evidence.gw1.ndjson").write_bytes(left)
    once = (tmp_path / "evidence.ndjson").read_bytes()
    assert kinds(tmp_path).count("Run") == 2
    merge_parts(tmp_path)
    assert (tmp_path / "evidence.ndjson").read_bytes() == once


def test_merging_keeps_a_cut_off_line_apart_from_the_next_worker(tmp_path: Path, build: Any) -> None:
    workers(tmp_path, build)
    with (tmp_path / "evidence.gw0.ndjson").open("a") as file:
        file.write('{"t":"verd')
    merge_parts(tmp_path)
    assert kinds(tmp_path) == ["Run", "Verdict", "End", "Damage", "Run", "Verdict", "End"]
    assert owners(tmp_path) == {"gw0": "gw0", "gw1": "gw1"}


@pytest.mark.parametrize("merged", [False, True])
def test_a_worker_that_wrote_exchanges_and_no_end_interrupted_the_run(
    tmp_path: Path, build: Any, *, merged: bool
) -> None:
    for worker, last in (("gw0", []), ("gw1", [build.end]), ("plan", [build.run]), ("run", [build.end])):
        exchanges = [{"t": "exchange", "n": 0}] if worker.startswith("gw") else []
        build.lines(tmp_path / f"evidence.{worker}.ndjson", [*exchanges, *last])
    if merged:
        merge_parts(tmp_path)
    ends = [record.interrupted for record in Evidence(tmp_path).records() if isinstance(record, End)]
    assert ends == [True, False, False]


def test_a_single_workers_file_is_renamed_not_copied(tmp_path: Path, build: Any) -> None:
    build.lines(tmp_path / "evidence.gw0.ndjson", [build.run])
    inode = (tmp_path / "evidence.gw0.ndjson").stat().st_ino
    merge_parts(tmp_path)
    assert (tmp_path / "evidence.ndjson").stat().st_ino == inode


def test_an_exchange_that_the_evidence_does_not_hold_is_nothing(run_of: Callable[..., Path]) -> None:
    evidence = Evidence(run_of({"A:1": "pass"}))
    assert list(evidence.records())
    assert evidence.exchange("gw9/1") is None


def test_a_folder_without_evidence_says_what_was_looked_for(tmp_path: Path) -> None:
    with pytest.raises(IncompleteError, match="no evidence") as caught:
        Evidence(tmp_path)
    assert caught.value.where == str(tmp_path)


def test_bodies_stay_on_disk(tmp_path: Path, build: Any) -> None:
    """The index of an exchange holds a place, not a body."""
    body = "x" * 1_000_000
    lines = [build.run, {"t": "exchange", "n": 3, "response": {"body": body}}, build.end]
    build.lines(tmp_path / "evidence.ndjson", lines)
    evidence = Evidence(tmp_path)
    assert len(list(evidence.records())) == 2
    assert len(repr(evidence._index)) < 1000
    exchange = evidence.exchange("main/3")
    assert exchange is not None
    assert exchange["response"]["body"] == body
