"""How many requirements Schemathesis' coverage phase exercises, and how many our plan does, on the same target.

python benchmarks/coverage_of_requirements.py [--only PATTERN]... [--missed 20]
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from coverage_requests import Run, Schemathesis, Target, ours
from exercised import Judge, Side

from telnyx_conformance.contract.document import load_edition

if TYPE_CHECKING:
    from collections.abc import Iterable

SELECTION = ("TransferCall", "Billing Groups", "Messaging Profiles", "Call Commands")


class Row:
    """The sum over operations for one generator."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.requests = self.distinct = self.methods = 0
        self.seconds = 0.0
        self.sides: set[Side] = set()

    def add(self, run: Run, judge: Judge, method: str) -> None:
        """Count one operation's requests and what they exercise."""
        self.requests += len(run.sent)
        self.distinct += len({(s.method, s.path, s.query, s.headers.get("content-type"), s.body) for s in run.sent})
        self.methods += sum(1 for s in run.sent if s.method != method)
        self.seconds += run.seconds
        for sent in run.sent:
            self.sides |= judge.exercised(sent)

    def line(self, judges: Iterable[Judge]) -> str:
        """Return the row of the table."""
        wanted = {side for judge in judges for side in judge.sides}
        by_words = {name for judge in judges for name, source in judge.sources.items() if source != "schema"}
        touched = {name for name, _ in self.sides}
        full = {name for name, _ in wanted} - {name for name, side in wanted if (name, side) not in self.sides}
        rate = 100 * len(touched) / max(self.requests, 1)
        return (
            f"{self.name:28}{self.requests:10,}{self.distinct:10,}{len(touched):12,}{len(full):10,}"
            f"{len(touched & by_words):11,}{rate:14.1f}{self.seconds:9.1f}"
        )


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--only", action="append", default=[], help="operation id, group or glob")
    parser.add_argument("--all", action="store_true", help="the whole edition; takes long")
    parser.add_argument("--missed", type=int, default=0, help="print as many sides that each row does not exercise")
    asked = parser.parse_args()
    edition = load_edition()
    target = Target(edition)
    generators = {True: Schemathesis(hardened=True), False: Schemathesis(hardened=False)}
    for only in [[]] if asked.all else [[one] for one in asked.only or SELECTION]:
        operations = edition.select(only)
        judges = {operation.id: Judge(edition, operation) for operation in operations}
        rows = [Row("Schemathesis, plain"), Row("Schemathesis, hardened"), Row("our plan")]
        for operation in operations:
            judge = judges[operation.id]
            runs = (generators[False].run(operation, target), generators[True].run(operation, target))
            for row, run in zip(rows, (*runs, ours(edition, operation, target)), strict=True):
                row.add(run, judge, operation.method)
        sides = {side for judge in judges.values() for side in judge.sides}
        words = sum(source != "schema" for judge in judges.values() for source in judge.sources.values())
        print(f"\n{only[0] if only else 'whole edition'}: {len(operations)} operations, {len({n for n, _ in sides}):,} "
              f"requirements on values ({words:,} by hardening), {len(sides):,} sides")  # fmt: skip
        print(f"{'':28}{'requests':>10}{'distinct':>10}{'exercised':>12}{'in full':>10}{'hardened':>11}"
              f"{'per 100 req.':>14}{'s':>9}")  # fmt: skip
        for row in rows:
            print(row.line(judges.values()))
        for row in rows:
            for side in sorted(sides - row.sides)[: asked.missed]:
                print(f"  not exercised by {row.name}:", *side)
    print("\nexercised: on one side at least; in full: on each side; hardened: those of them that stand in words only")


if __name__ == "__main__":
    main()
