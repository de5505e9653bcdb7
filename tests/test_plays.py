"""A sequence is played once for all of its classes, and what it showed is never taken for what another target shows."""

from __future__ import annotations

import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from telnyx_conformance.content import content_root
from telnyx_conformance.mutants.catalogue import shown_by
from telnyx_conformance.mutants.judging import Bench
from telnyx_conformance.mutants.planting import plant_in
from telnyx_conformance.opening import open_session
from telnyx_conformance.run.core import AsyncCore
from telnyx_conformance.run.plays import MOST_KEPT, Play, Plays
from telnyx_conformance.run.proving import prove
from telnyx_conformance.run.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from telnyx_conformance.contract.sequence import Sequence
    from telnyx_conformance.run.session import Session
    from telnyx_conformance.run.verdict import Verdict

ITEM = re.compile(r"suites/(\w+)/.*\[(\w+-[\w-]+)\]")


def shared() -> Sequence:
    """A sequence that both classes ask for."""
    settings = Settings(only=["HangupCall"])
    of_webhooks = {s.name for s in settings.sequences("webhooks")}
    return next(s for s in settings.sequences("commands") if s.name in of_webhooks)


class Worker:
    """A session, and what it proved."""

    def __init__(self, core: AsyncCore, folder: Path, *classes: str, attach: bool = False) -> None:
        self._core = core
        settings = Settings(only=["HangupCall"], classes=classes)
        self.sequence = shared()
        self.session: Session = core.run(open_session(settings, folder, "w", attach=attach))

    def prove(self, proven: str) -> tuple[list[Verdict], int]:
        """Return the verdicts on a class, and how many exchanges that added to the evidence."""
        before = self.session.evidence.exchanges
        verdicts = self._core.run(prove(self.session, proven, self.sequence))
        return verdicts, self.session.evidence.exchanges - before

    def close(self) -> None:
        self._core.run(self.session.close())


@pytest.fixture
def worker(tmp_path: Path) -> Iterator[Callable[..., Worker]]:
    made: list[Worker] = []
    with AsyncCore() as core:

        def make(*classes: str, attach: bool = False) -> Worker:
            made.append(Worker(core, tmp_path / str(len(made)), *classes, attach=attach))
            return made[-1]

        yield make
        for one in made:
            one.close()


@pytest.mark.parametrize("order", [("commands", "webhooks"), ("webhooks", "commands")])
def test_the_second_class_is_judged_on_the_play_of_the_first(
    worker: Callable[..., Worker], order: tuple[str, str]
) -> None:
    here = worker()
    first, played = here.prove(order[0])
    second, again = here.prove(order[1])

    assert (played > 0, again) == (True, 0)
    assert {v.verdict for v in (*first, *second)} == {"pass"}
    assert [all(f":{name}." in v.requirement for v in said) for name, said in zip(order, (first, second), strict=True)]
    assert {v.exchanges for v in first} == {v.exchanges for v in second}


def test_a_play_is_handed_out_once(worker: Callable[..., Worker]) -> None:
    here = worker()
    counts = [here.prove(name)[1] > 0 for name in ("commands", "webhooks", "webhooks", "webhooks", "commands")]
    assert counts == [True, False, True, True, False]


def test_nothing_is_kept_for_a_class_that_is_not_asked_for(worker: Callable[..., Worker]) -> None:
    here = worker("webhooks")
    assert here.prove("webhooks")[1] > 0
    assert here.session.take_play(here.sequence.name, "commands") is None


def test_whoever_begins_anew_plays_anew(worker: Callable[..., Worker]) -> None:
    here = worker()
    here.prove("commands")
    here.session.begin_anew("other")
    assert here.prove("webhooks")[1] > 0


def test_both_items_have_the_exchanges_attached(worker: Callable[..., Worker]) -> None:
    here = worker(attach=True)
    here.prove("commands")
    first = here.session.take_attached()
    here.prove("webhooks")
    assert first
    assert here.session.take_attached() == first


def test_only_the_latest_plays_are_kept() -> None:
    plays = Plays()
    for number in range(MOST_KEPT + 1):
        plays.keep(f"s{number}", "commands", Play(()))
    assert plays.take("s0", "commands") is None
    assert plays.take("s1", "commands") == Play(())


def test_no_fault_is_judged_on_the_play_of_another() -> None:
    bench = Bench()
    try:
        edition, sequence = bench.settings.edition, shared()
        mutant = next(m for m in shown_by(sequence, edition) if all(":commands." in name for name in m.sees))
        told = [
            {
                v.verdict
                for v in bench.verdicts(proven, sequence, plant_in(edition, mutant, sequence) if faulty else None)
            }
            for faulty in (False, True, False)
            for proven in ("webhooks", "commands")
        ]
    finally:
        bench.close()
    assert ["fail" in found for found in told[1::2]] == [False, True, False]
    assert told[0] == told[1] == told[4] == told[5] == {"pass"}


def collected(*options: str) -> list[tuple[str, str]]:
    """Class and sequence of each item, in the order of the run."""
    ended = subprocess.run(  # noqa: S603 - our own command line
        [sys.executable, "-m", "pytest", "suites/commands", "suites/webhooks", "-q", "--collect-only",
         "-p", "no:cacheprovider", "-p", "no:xdist", "--only", "HangupCall", *options],
        cwd=content_root(), capture_output=True, text=True, check=True,
    )  # fmt: skip
    found = [ITEM.search(line) for line in ended.stdout.splitlines()]
    return [(item[1], item[2]) for item in found if item]


def test_the_items_of_a_sequence_stand_side_by_side_and_in_one_shard() -> None:
    whole = collected()
    parts = [collected("--shard", f"{number}/2") for number in (1, 2)]
    homes = [{name for _, name in part} for part in parts]
    places: dict[str, list[int]] = {}
    for place, (_, name) in enumerate(whole):
        places.setdefault(name, []).append(place)

    assert {len(found) for found in places.values()} >= {2}
    assert all(found[-1] - found[0] == len(found) - 1 for found in places.values())
    assert all(homes)
    assert not homes[0] & homes[1]
    assert sorted(parts[0] + parts[1]) == sorted(whole)
