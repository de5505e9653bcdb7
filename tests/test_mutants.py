"""Faults that are planted are noticed, for the right reason."""

from __future__ import annotations

import json
import random
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from telnyx_conformance.cli import commands
from telnyx_conformance.contract.document import load_edition
from telnyx_conformance.errors import UnknownName
from telnyx_conformance.mutants import running
from telnyx_conformance.mutants.catalogue import catalogue, everything, mutant_called
from telnyx_conformance.mutants.equivalents import EQUIVALENTS, UNNAMED
from telnyx_conformance.mutants.judging import Bench, Outcome
from telnyx_conformance.mutants.kinds import AT_RANDOM
from telnyx_conformance.mutants.matrix import matrix_of, percent, reproducer, result_of, verdict
from telnyx_conformance.mutants.page import page
from telnyx_conformance.mutants.planting import plant
from telnyx_conformance.run.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from telnyx_conformance.mutants.mutant import Mutant

EDITION = load_edition()
EVERY = list(catalogue(EDITION))
OPERATORS = sorted({mutant.operator for mutant in EVERY})
SMALL = ("CreateBillingGroup", "UpdateBillingGroup", "ListBillingGroups", "GetBillingGroup", "ListOutboundVoiceProfiles",
         "GetCall", "delete_integration_secret")  # fmt: skip
TIMEOUT = "TransferCall:request.body.timeout_secs:maximum"


def one_of_each() -> list[Mutant]:
    """Return a mutant of each operator, of an operation with a small plan where there is one."""
    found: dict[str, Mutant] = {}
    for mutant in sorted(
        EVERY, key=lambda m: (m.operation not in SMALL, m.operation == "TransferCall" and not m.sequence)
    ):
        found.setdefault(mutant.operator, mutant)
    return [found[name] for name in OPERATORS]


@pytest.fixture(scope="module")
def bench() -> Iterator[Bench]:
    opened = Bench()
    yield opened
    opened.close()


def test_the_catalogue_has_more_than_20000_mutants_and_each_its_own_id() -> None:
    assert len(EVERY) > 20_000
    assert len({mutant.id for mutant in EVERY}) == len(EVERY)


def test_the_catalogue_is_the_same_each_time() -> None:
    assert list(catalogue(load_edition())) == EVERY


def test_all_binding_requirements_but_those_that_nothing_breaks_are_named_by_a_mutant() -> None:
    binding = [r for r in Settings().everything() if r.level != "MAY" and r.conformance_class not in AT_RANDOM]
    named = {name for mutant in everything(EDITION) for name in mutant.sees}
    assert {r.id for r in binding if r.id not in named} == set(UNNAMED)
    assert len(UNNAMED) < len(binding) / 1000


@pytest.mark.parametrize("mutant", one_of_each(), ids=lambda m: m.operator)
def test_a_mutant_of_each_operator_is_killed_for_the_right_reason(bench: Bench, mutant: Mutant) -> None:
    outcome = bench.judge(mutant)
    assert (outcome.outcome, outcome.right, outcome.reached) == ("killed", True, True), outcome


def test_a_planted_fault_leaves_every_other_operation_alone(bench: Bench) -> None:
    fault = plant(EDITION, mutant_called(EDITION, f"{TIMEOUT}:not-checked"))
    said = bench.verdicts("requests", EDITION.operation("CreateBillingGroup"), fault)
    assert {v.verdict for v in said} == {"pass"}
    assert fault.first is None


def test_a_mutant_that_there_is_not_is_named_with_the_nearest() -> None:
    with pytest.raises(UnknownName) as wrong:
        mutant_called(EDITION, f"{TIMEOUT}:not-cheked")
    assert wrong.value.advice == f"did you mean {TIMEOUT}:not-checked?"


def test_a_sample_has_every_operator_and_depends_on_the_seed_alone() -> None:
    one, again, other = (running.sampled(EVERY, 200, seed) for seed in (1, 1, 2))
    assert [m.id for m in one] == [m.id for m in again] != [m.id for m in other]
    assert len(one) == 200
    assert {m.operator for m in one} == set(OPERATORS)
    shuffled = random.Random(7).sample(EVERY, len(EVERY))  # noqa: S311
    assert running.sampled(shuffled[:50], 0, 1) == sorted(shuffled[:50], key=lambda m: m.id)


def test_what_was_judged_is_not_judged_again(tmp_path: Path) -> None:
    mutants = [mutant_called(EDITION, "GetBillingGroup:auth:missing:accepted")]
    told: list[Outcome] = []
    first = running.run(EDITION, mutants, tmp_path, told=told.append)
    (tmp_path / running.LOG).open("ab").write(b'{"id": "broken off')
    assert running.run(EDITION, mutants, tmp_path, told=told.append) == first
    assert len(told) == 1


def outcome(**changes: Any) -> Outcome:
    rows: dict[str, Any] = {"id": "GetBillingGroup:a:b:c", "operator": "not-routed", "category": "routing", "site": "a",
                            "conformance_class": "surface", "sees": ("GetBillingGroup:a:b",), "outcome": "killed"}  # fmt: skip
    return Outcome(**{**rows, **changes})


def test_accidents_and_survivors_are_counted_apart_and_the_page_names_them() -> None:
    outcomes = [
        outcome(right=True, check="routed", requirement="GetBillingGroup:a:b"),
        outcome(id="B:<script>:c:d", check="routed", requirement="B:other:thing"),
        outcome(id="C:a:b:c", outcome="survived"),
        outcome(id="D:a:b:c", right=True, sees=("D:webhooks.sequence",), requirement="D:webhooks.sequence.one:present"),
    ]
    result = result_of(outcomes, edition="2025-06-16", seed=1, equivalent=0)
    assert (result.sampled, result.killed, result.killed_for_the_right_reason) == (4, 3, 2)
    assert [s.id for s in result.survivors] == ["C:a:b:c"]
    assert verdict(result) == "3 of 4 mutants killed (75.0%), 66.6% of them for the right reason"
    assert percent(3999, 4000) == "99.9%"
    assert matrix_of(outcomes).by_accident == {"B:<script>:c:d": "B:other:thing"}
    shown = page(result, outcomes, matrix_of(outcomes, ["route:exists"]))
    assert "<tr><td>a:b</td><td>3</td><td>2</td></tr>" in shown
    assert '<tr class="zero"><td>route:exists</td><td>0</td><td>0</td></tr>' in shown
    assert "C:a:b:c" in shown
    assert "B:&lt;script&gt;:c:d" in shown
    assert "<script>" not in shown


def test_a_survivor_comes_with_a_script_that_serves_it_and_asks_it(bench: Bench) -> None:
    judged = bench.judge(mutant_called(EDITION, f"{TIMEOUT}:not-checked"))
    script = reproducer(judged)
    assert f"emulate --port 12111 --mutant {judged.id} &" in script
    assert '"timeout_secs":601' in script
    assert "certify http://127.0.0.1:12111/v2 --only TransferCall --class requests" in script


def test_the_command_lists_mutants_and_writes_the_matrix(tmp_path: Path) -> None:
    listed = CliRunner().invoke(commands, ["mutants", "list", "--only", "GetBillingGroup", "--operator", "not-routed"])
    assert listed.stdout.splitlines() == ["GetBillingGroup:route:exists:not-found"]
    ran = CliRunner().invoke(
        commands, ["mutants", "run", "--sample", "0", "--only", "GetBillingGroup:auth:*", "--workers", "1", "--out", str(tmp_path)],
        standalone_mode=False,
    )  # fmt: skip
    assert ran.exception is None
    assert ran.stdout.splitlines()[-1] == "6 of 6 mutants killed (100.0%), 100.0% of them for the right reason"
    written = json.loads((tmp_path / "mutants.json").read_text())
    assert list(written) == ["schema_version", "edition", "seed", "sampled", "killed", "killed_for_the_right_reason",
                             "equivalent", "operators", "survivors"]  # fmt: skip
    assert "6 of 6 planted faults noticed" in (tmp_path / "mutants.html").read_text()


def test_every_equivalent_has_a_reason_matches_something_and_is_left_out() -> None:
    names = [mutant.id for mutant in everything(EDITION)]
    assert [e.pattern for e in EQUIVALENTS if not e.reason or not any(map(e.matches, names))] == []
    assert len(names) - len(EVERY) == running.left_out(EDITION) > 0
