"""The comparison with other tools: what counts as a kill, and how kills are counted."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Sequence

BENCHMARKS = Path(__file__).resolve().parent.parent / "benchmarks"
sys.path.append(str(BENCHMARKS))  # the scripts are no package

from detection_table import Judged, by, common, first_new, named, ratios, refusal, score, share, totals  # noqa: E402

OURS, PEER = "telnyx-conformance", "Schemathesis, hardened"
# A peer sees the first by what is accepted and the second by what is refused; the third is a word in a refusal.
SEEN = ("CreateBillingGroup:request.body.name:type:not-checked", "CreateBillingGroup:request.body.name:type:refused")
UNSEEN = "CreateBillingGroup:request.body:pointer:wrong"


def row(tool: str, mutant: str, *, killed: bool, requests: int, alone: bool = True) -> Judged:
    return Judged(
        tool=tool, mutant=mutant, operator=f"operator-{mutant}", category="validation", alone=alone, killed=killed,
        requests=requests,
    )  # fmt: skip


ROWS = [
    row("a", "1", killed=True, requests=10), row("a", "2", killed=True, requests=10, alone=False),
    row("a", "3", killed=True, requests=5), row("b", "1", killed=True, requests=400),
    row("b", "2", killed=False, requests=600, alone=False),
]  # fmt: skip
SIZES = {"operator-1": 30, "operator-2": 10, "operator-3": 5}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("id 0195f2b5-7c1e-4d3a-9c1b-2f1f6c1d2e3f is unknown", "id 1f95f2b5-7c1e-4d3a-9c1b-2f1f6c1d2e30 is unknown"),
        ("at 2025-06-16T12:00:00Z", "at 2025-06-16T12:00:07.250Z"),
        ("leg v3:abc-_1 ended", "leg v3:xyz ended"),
        ("not a string\n\nSchema:\n\n {}\n\nValue: 1", "not a string\n\nSchema:\n\n {}\n\nValue: 2"),
        ("http://127.0.0.1:40001/ says no", "http://127.0.0.1:40002/ says no"),
    ],
)
def test_what_differs_from_run_to_run_does_not_tell_failures_apart(one: str, other: str) -> None:
    assert named("check", "op", one) == named("check", "op", other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("check", "op", "Received: 422"), ("check", "op", "Received: 500")),
        (("check", "op", "in body - name"), ("check", "op", "in body - to")),
        (("check", "op", "m"), ("check", "another", "m")),
        (("check", "op", "m"), ("another", "op", "m")),
    ],
)
def test_checks_operations_and_messages_tell_failures_apart(
    one: tuple[str, str, str], other: tuple[str, str, str]
) -> None:
    assert named(*one) != named(*other)


def test_a_refusal_is_known_by_what_it_objects_to() -> None:
    body = {"errors": [{"code": "10015", "title": "no", "source": {"pointer": "/to"}}, {"code": "10016"}]}
    assert refusal(json.dumps(body).encode()) == "10015@/to 10016@"
    assert [refusal(content) for content in (b"", b"{", b'{"data": {}}', b"[]", b"\xff")] == [""] * 5


def test_what_the_original_shows_too_is_no_kill() -> None:
    assert first_new(["x", "y"], frozenset({"x", "y"})) == ""
    assert first_new(["x", "z", "y"], frozenset({"x", "y"})) == "z"


def test_only_mutants_that_every_tool_has_judged_are_compared() -> None:
    assert {r.mutant for r in common(ROWS, ("a", "b"))} == {"1", "2"}
    assert common(ROWS, ("a", "c")) == []


def test_kills_are_counted_per_thousand_requests() -> None:
    found = score(r for r in ROWS if r.tool == "b")
    assert (found.planted, found.killed, found.requests, found.rate) == (2, 1, 1000, 1.0)
    assert score([]).rate == 0.0


def test_an_operator_weighs_what_it_holds_in_the_catalogue() -> None:
    assert share((r for r in ROWS if r.tool == "b"), SIZES) == 0.75
    assert share([], SIZES) == 0.0


def test_the_tables_have_a_row_for_each_tool_and_each_operator() -> None:
    shared = common(ROWS, ("a", "b"))
    whole = totals(shared, ("a", "b"), SIZES).splitlines()
    assert whole[2:] == ["| a | 2 of 2 | 1 of 1 | 100% | 20 | 100.0 |", "| b | 1 of 2 | 1 of 1 | 75% | 1,000 | 1.0 |"]
    each = by(lambda r: r.operator, shared, ("a", "b"), "operator").splitlines()
    assert each[2:] == ["| operator-1 | 1 | 1 | 1 |", "| operator-2 | 1 | 1 | 0 |"]
    lines = ratios(shared, "a").splitlines()
    assert lines == ["a kills 2 of 2 with 20 requests:", "- 2.00 times the 1 of b, which sends 1,000"]


def run(out: Path, names: Sequence[str], *options: str) -> dict[tuple[str, str], dict[str, Any]]:
    """Return what the script says of some mutants, by tool and mutant."""
    chosen = [part for name in names for part in ("--only", name)]
    command = [sys.executable, str(BENCHMARKS / "detection.py"), "--sample", "0", "--examples", "2", "--out", str(out)]
    ended = subprocess.run(  # noqa: S603 - our own command line
        [*command, *chosen, *options], capture_output=True, text=True, check=False, cwd=out
    )
    assert ended.returncode == 0, ended.stderr
    [file] = out.rglob("detection.json")
    rows = json.loads(file.read_text(encoding="utf-8"))["rows"]
    return {(r["tool"], r["mutant"]): r for r in rows}


def test_the_script_says_who_kills_what(tmp_path: Path) -> None:
    rows = run(tmp_path, (*SEEN, UNSEEN), "--tool", OURS, "--tool", PEER)
    assert [rows[OURS, name]["killed"] for name in (*SEEN, UNSEEN)] == [True, True, True]
    assert [rows[PEER, name]["killed"] for name in (*SEEN, UNSEEN)] == [True, True, False]
    assert "AcceptedNegativeData" in rows[PEER, SEEN[0]]["by"]
    assert all(r["requests"] for r in rows.values())


def test_nothing_planted_is_nothing_killed_though_the_peer_complains_of_the_original(tmp_path: Path) -> None:
    assert run(tmp_path, SEEN[:1], "--tool", PEER, "--original")[PEER, SEEN[0]]["killed"] is False
