"""Plays of sequences that another class still asks for: what a sequence showed is judged once for all of its classes."""

from __future__ import annotations

import msgspec

from telnyx_conformance.run.verdict import Verdict

MOST_KEPT = 32  # both items of a sequence are neighbours; with more in between, one of them was given to another worker


class Play(msgspec.Struct, frozen=True):
    """The verdicts on a sequence, and its exchanges as an item's report attaches them."""

    verdicts: tuple[Verdict, ...]
    attached: tuple[bytes, ...] = ()


class Plays:
    """The latest plays by sequence and by the class that has not asked yet; each is handed out once."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, str], Play] = {}

    def keep(self, sequence: str, proven: str, play: Play) -> None:
        """Keep a play until the class `proven` asks for it, or until newer ones need its place."""
        self._kept.pop((sequence, proven), None)
        self._kept[sequence, proven] = play
        while len(self._kept) > MOST_KEPT:
            del self._kept[next(iter(self._kept))]

    def take(self, sequence: str, proven: str) -> Play | None:
        """Return what was kept for a class, and forget it; `None` when the sequence must be played."""
        return self._kept.pop((sequence, proven), None)

    def forget(self) -> None:
        """Forget every play: the target is no longer what it was."""
        self._kept.clear()
