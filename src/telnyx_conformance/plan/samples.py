"""Strings with a given pattern, format or length, and strings that just miss them: a few per rule, always the same."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from hypothesis import HealthCheck, find, settings
from hypothesis.errors import InvalidArgument, NoSuchExample
from hypothesis.strategies import from_regex

from telnyx_conformance.errors import HarnessError

if TYPE_CHECKING:
    from collections.abc import Callable

QUIET = settings(
    derandomize=True, database=None, max_examples=300, deadline=None, suppress_health_check=list(HealthCheck)
)  # fmt: skip
FILLERS = ("a", "A", "1", "0", " ", "+", "/", ".", "-")
SPOILERS = ("!", "\u2603", " ", "~", "x", "0", "\n", "\r\n", "_", "#", "<>")


@lru_cache(maxsize=1024)
def matching(pattern: str) -> str:
    """Return a short string that matches; raise `HarnessError` when none is found."""
    searched = re.compile(pattern)
    for guess in (
        "sample",
        "Sample1",
        "C00000",
        "PCMU",
        "abc",
        "12345",
        "+12025550100",
        "US",
        "a",
        "https://example.com/",
        "12",
        "1",
    ):
        if searched.search(guess):
            return guess
    try:
        return find(from_regex(pattern), lambda text: text.isprintable() and len(text) > 0, settings=QUIET)
    except (NoSuchExample, InvalidArgument, re.error):
        raise HarnessError("no sample for a pattern", expected="a string that matches", got=pattern) from None


@lru_cache(maxsize=1024)
def missing(pattern: str, sample: str) -> list[str]:
    """Return strings close to `sample` that do not match; none when every string seems to match."""
    searched = re.compile(pattern)
    candidates = [sample + s for s in SPOILERS] + [sample[:-1] + s for s in SPOILERS] + [s + sample for s in SPOILERS]
    candidates += [sample[:1] + s + sample[1:] for s in SPOILERS] + [sample * 40, sample[:-1], *SPOILERS, ""]
    return [text for text in candidates if not searched.search(text)]


def stretched(sample: str, length: int, fits: Callable[[str], bool]) -> str | None:
    """Return a string of exactly `length` characters that fits, made from `sample` or of one character.

    `None` when none is found.
    """
    if length < 0:
        return None
    if len(sample) == length and fits(sample):
        return sample
    if length < len(sample):
        candidates = [sample[:length], *(filler * length for filler in FILLERS)]
        return next((text for text in candidates if fits(text)), None)
    extra = length - len(sample)
    for place in range(len(sample), 0, -1):
        for filler in (sample[place - 1], "a", "1"):
            text = sample[:place] + filler * extra + sample[place:]
            if fits(text):
                return text
    return next((filler * length for filler in FILLERS if fits(filler * length)), None)
