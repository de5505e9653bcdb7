"""Every statement of a sequence has a mutant that breaks it, whatever had to be prepared and however events are told apart."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from telnyx_conformance.contract.document import load_edition
from telnyx_conformance.contract.sequences import load_sequences
from telnyx_conformance.mutants.catalogue import shown_by
from telnyx_conformance.mutants.judging import Bench, is_right
from telnyx_conformance.mutants.planting import plant_in

if TYPE_CHECKING:
    from collections.abc import Iterator

    from telnyx_conformance.contract.sequence import Sequence
    from telnyx_conformance.mutants.mutant import Mutant

EDITION = load_edition()
SAMPLES = {s.name: s for s in load_sequences("2025-06-16", Path(__file__).parent / "sequences")}
PLAYED = (
    "hangup-bridged",
    "transfer-again-and-again",
    "transfer-twice",
    "dial-read-back",
    "leave-queue",
    "press-digits",
)
ROWS = [(SAMPLES[name], mutant) for name in PLAYED for mutant in shown_by(SAMPLES[name], EDITION)]


@pytest.fixture(scope="module")
def bench() -> Iterator[Bench]:
    opened = Bench()
    yield opened
    opened.close()


@pytest.mark.parametrize(("sequence", "mutant"), ROWS, ids=[mutant.id for _, mutant in ROWS])
def test_a_mutant_of_a_statement_is_killed_by_it(bench: Bench, sequence: Sequence, mutant: Mutant) -> None:
    failed: list[str] = []
    for proven in sorted({name.split(":")[1].partition(".")[0] for name in mutant.sees}):
        fault = plant_in(EDITION, mutant, sequence)
        failed += [v.requirement for v in bench.verdicts(proven, sequence, fault) if v.verdict == "fail"]
        assert fault.first is not None
    assert [requirement for requirement in failed if is_right(mutant, requirement)]


@pytest.mark.parametrize("name", SAMPLES)
def test_every_sequence_has_mutants_that_can_be_planted(name: str) -> None:
    mutants = list(shown_by(SAMPLES[name], EDITION))
    assert mutants
    assert all(plant_in(EDITION, mutant, SAMPLES[name]).first is None for mutant in mutants)
