"""The same Schemathesis run, coverage phase, on the plain and on the hardened document, side by side.

python benchmarks/plain_and_hardened.py [--only PATTERN]... [--bounds]
"""

from __future__ import annotations

import argparse
from collections import Counter
from typing import TYPE_CHECKING

from coverage_requests import Run, Schemathesis, Target
from exercised import BEYOND, Judge, Side

from telnyx_conformance.contract.document import load_edition

if TYPE_CHECKING:
    from telnyx_conformance.contract.model import Edition

SELECTION = ("TransferCall", "Call Control Applications", "Porting Orders")


class Column:
    """What one document led to."""

    def __init__(self, *, hardened: bool) -> None:
        self._generator = Schemathesis(hardened=hardened)
        self.kinds: Counter[tuple[str, str]] = Counter()
        self.touched: set[Side] = set()
        self.exercised: set[Side] = set()
        self.accepted = 0

    def start(self) -> None:
        """Forget the selection before."""
        self.kinds, self.touched, self.exercised, self.accepted = Counter(), set(), set(), 0

    def add(self, judge: Judge, run: Run) -> None:
        """Count one operation's requests."""
        self.kinds += run.kinds
        for sent in run.sent:
            self.touched |= judge.touched(sent)
            self.exercised |= judge.exercised(sent)
            self.accepted += 200 <= sent.status < 300

    def run(self, edition: Edition, name: str, target: Target) -> Run:
        """Run one operation."""
        return self._generator.run(edition.operation(name), target)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--only", action="append", default=[], help="operation id, group or glob")
    parser.add_argument("--bounds", action="store_true", help="list each bound that stands in words only")
    asked = parser.parse_args()
    edition = load_edition()
    target = Target(edition)
    plain, hardened = Column(hardened=False), Column(hardened=True)
    for name in asked.only or SELECTION:
        judges = {operation.id: Judge(edition, operation) for operation in edition.select([name])}
        for column in (plain, hardened):
            column.start()
            for operation, judge in judges.items():
                column.add(judge, column.run(edition, operation, target))
        show(name, judges, plain, hardened, each_bound=asked.bounds)


def show(name: str, judges: dict[str, Judge], plain: Column, hardened: Column, *, each_bound: bool) -> None:
    """Print one selection's two columns."""
    words = {one for judge in judges.values() for one, source in judge.sources.items() if source != "schema"}
    bounds = {
        side for judge in judges.values() for side in judge.sides
        if side[0] in words and side[0].rpartition(":")[2] in BEYOND
    }  # fmt: skip
    columns = (plain, hardened)
    print(f"\n{name} ({len(judges)} operations)\n{'':44}{'plain':>10}{'hardened':>10}")
    rows = [("requests", [c.kinds.total() for c in columns])]
    rows += [("answered with success", [c.accepted for c in columns])]
    kinds = sorted(
        {kind for c in columns for kind in c.kinds}, key=lambda kind: (kind[0] != "positive", -hardened.kinds[kind])
    )
    rows += [(f"{mode}: {kind}", [c.kinds[mode, kind] for c in columns]) for mode, kind in kinds]
    rows += [
        (
            f"of {len(words)} hardened requirements, exercised",
            [len({n for n, _ in c.exercised} & words) for c in columns],
        )
    ]
    rows += [(f"of {len(bounds)} hardened limits, a value there", [len(c.touched & bounds) for c in columns])]
    rows += [(f"of {len(bounds)} hardened limits, exercised", [len(c.exercised & bounds) for c in columns])]
    for title, figures in rows:
        print(f"{title:44}{figures[0]:10,}{figures[1]:10,}")
    for one, side in sorted(bounds) if each_bound else ():
        said = [
            "exercised" if (one, side) in c.exercised else "sent" if (one, side) in c.touched else "-" for c in columns
        ]
        print(f"  {one.partition(':')[2]} {'at' if side == 'accepted' else 'beyond'}: {said[0]}, {said[1]}")


if __name__ == "__main__":
    main()
