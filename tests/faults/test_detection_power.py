"""Every check and every kind of requirement kills some mutant: what kills none would pass whatever a target did."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

import pytest

from telnyx_conformance.contract.document import load_edition
from telnyx_conformance.contract.sequence_requirements import KINDS as SEQUENCE_KINDS
from telnyx_conformance.mutants.catalogue import catalogue, mutant_called
from telnyx_conformance.mutants.judging import Bench
from telnyx_conformance.mutants.kinds import binding_kinds, by_kind, kind_of
from telnyx_conformance.mutants.planting import plant

if TYPE_CHECKING:
    from collections.abc import Iterator

    from telnyx_conformance.mutants.mutant import Mutant
    from telnyx_conformance.run.verdict import Verdict

EDITION = load_edition()
MUTANTS = by_kind(catalogue(EDITION), binding_kinds(EDITION.name))
MOST_TRIED = 3  # of each operator
# What the mutants of one kind alone do not provoke: a list that cannot be read.
UNREADABLE = "ListBillingGroups:response.200:schema:truncated"
# `judgeable` is the word for what could not be judged, and `claims` for what is not asked of a target.
KILLS_NOTHING = {"judgeable", "claims"}


@pytest.fixture(scope="module")
def bench() -> Iterator[Bench]:
    opened = Bench()
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def killers(bench: Bench) -> dict[str, set[str]]:
    """The names of the checks by which each kind of requirement killed one of a few mutants; none when it killed none."""
    found: dict[str, set[str]] = defaultdict(set)
    said: dict[str, list[Verdict]] = {}
    for kind, mutants in MUTANTS.items():
        for operator in dict.fromkeys(mutant.operator for mutant in mutants):
            for mutant in [m for m in mutants if m.operator == operator][:MOST_TRIED]:
                said[mutant.id] = said.get(mutant.id) or failed(bench, mutant)
                if any(kind_of(verdict.requirement) == kind for verdict in said[mutant.id]):
                    break
    said[UNREADABLE] = failed(bench, mutant_called(EDITION, UNREADABLE))
    for verdict in (verdict for verdicts in said.values() for verdict in verdicts):
        found[kind_of(verdict.requirement)].add(verdict.check)
    return found


def failed(bench: Bench, mutant: Mutant) -> list[Verdict]:
    """Return every binding requirement that fails for a mutant, in all proofs that could see it."""
    said = [
        v
        for proven, subject in bench.proofs(mutant)
        for v in bench.verdicts(proven, subject, plant(bench.settings.edition, mutant))
    ]
    return [verdict for verdict in said if verdict.verdict == "fail"]


def test_every_kind_of_requirement_has_a_mutant() -> None:
    assert [kind for kind, mutants in MUTANTS.items() if not mutants] == []


@pytest.mark.parametrize("kind", MUTANTS)
def test_a_kind_of_requirement_kills_a_mutant(killers: dict[str, set[str]], kind: str) -> None:
    assert killers[kind]


def test_every_check_kills_a_mutant(killers: dict[str, set[str]], names_of_checks: set[str]) -> None:
    stated = {kind.partition(":")[2] for kind in MUTANTS}
    unused = {f"sequence-{kind}" for kind in SEQUENCE_KINDS if kind not in stated}  # no contract states it
    assert names_of_checks - set().union(*killers.values()) - unused == KILLS_NOTHING
