"""Pairwise covering: each two values of different places together in some accepted probe, where the contract allows it.

What a value does may depend on its company: most faults that need a combination need two values. Greedy, one row at a
time, each place taking the value that meets the most company it has not met. Source: Cohen, Dalal, Fredman, Patton, The
AETG System, IEEE Transactions on Software Engineering 23 (1997), section 4.
"""

from __future__ import annotations

import copy
from collections import Counter
from itertools import combinations
from typing import TYPE_CHECKING, Any

from telnyx_conformance.plan.covering import Offer, Root, Row

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from telnyx_conformance.plan.values import Maker

Pair = tuple[int, int]


class Pairs:
    """The pairs of an operation's valid values, and the rows that carry them.

    Absence is no value here: the first row, with nothing optional in it, shows it of all places at once.
    """

    def __init__(
        self,
        maker: Maker,
        base: dict[Root, Any],
        offers: Sequence[Offer],
        is_valid: Callable[[Root, Any], bool],
    ) -> None:
        self._maker, self._base, self._offers, self._is_valid = maker, base, offers, is_valid
        self._numbers = {id(offer): number for number, offer in enumerate(offers)}
        self._places: dict[str, list[int]] = {}
        for number, offer in enumerate(offers):
            self._places.setdefault(offer.field.place, []).append(number)
        # A dictionary keeps its order: the same offers are met in the same order every time.
        self._left: dict[Pair, None] = {
            (one, other): None
            for one, other in combinations(range(len(offers)), 2)
            if offers[one].field.place != offers[other].field.place
        }
        self._met: set[Pair] = set()

    def extend(self, rows: list[Row]) -> list[Row]:
        """Return `rows` and those that are needed besides to let every pair meet that can."""
        for row in rows:
            self._meet(row)
        made = list(rows)
        while self._left:
            one, other = next(iter(self._left))
            fresh = self._with(one, other) or self._with(other, one)
            if fresh is None:  # no valid request carries both
                del self._left[one, other]
            else:
                self._fill(fresh)
                self._meet(fresh)
                made.append(fresh)
        return made

    @property
    def lower_bound(self) -> int:
        """The largest number of pairs of two places that can meet: no request carries two of them."""
        counts = Counter((self._offers[one].field.place, self._offers[other].field.place) for one, other in self._met)
        return max(counts.values(), default=0)

    def _with(self, one: int, other: int) -> Row | None:
        row = Row(copy.deepcopy(self._base), optional=True)
        taken = all(row.takes(self._maker, self._offers[number], self._is_valid) for number in (one, other))
        return row if taken else None

    def _fill(self, row: Row) -> None:
        for numbers in self._places.values():
            gains = {number: self._gain(row, number) for number in numbers}
            for number in sorted(numbers, key=lambda one: -gains[one]):
                if gains[number] == 0 or row.takes(self._maker, self._offers[number], self._is_valid):
                    break

    def _gain(self, row: Row, number: int) -> int:
        return sum(_pair(number, self._numbers[id(offer)]) in self._left for offer in row.carried)

    def _meet(self, row: Row) -> None:
        for one, other in combinations(sorted(self._numbers[id(offer)] for offer in row.carried), 2):
            if (one, other) in self._left:
                del self._left[one, other]
                self._met.add((one, other))


def _pair(one: int, other: int) -> Pair:
    return (one, other) if one < other else (other, one)
