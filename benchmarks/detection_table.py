"""What the tools made of the same mutants: how failures are compared, and the tables. Nothing here runs anything."""

from __future__ import annotations

import re
from collections import defaultdict
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

# What differs between two runs of the same thing: ids, times, addresses, and the values that a message quotes at length.
PASSING = (
    (re.compile(r"(?:KEYTEST|v3:|evt_|whk_)[\w:.=+/-]+"), "ID"),
    (re.compile(r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}"), "ID"),
    (re.compile(r"\d{4}-\d\d-\d\d[T ][\d:.]+(?:Z|[+-][\d:]+)?"), "TIME"),
    (re.compile(r"127\.0\.0\.1:\d+"), "HOST"),
    (re.compile(r"\d{5,}"), "N"),
)
QUOTED_VALUE = re.compile(r"\n\s*(?:Value|Schema):.*", re.DOTALL)


class Judged(msgspec.Struct, frozen=True, kw_only=True):
    """What one tool made of one mutant. `by` is the first thing that it reports there and not on the original.

    `requests` are those until then, all of them where there is nothing; `alone` says that single requests show the fault.
    """

    tool: str
    mutant: str
    operator: str
    category: str
    alone: bool
    killed: bool
    by: str = ""
    requests: int = 0
    seconds: float = 0.0
    ended: str = ""


class Source(msgspec.Struct, frozen=True):
    """Where a refusal sees the culprit."""

    pointer: str = ""
    parameter: str = ""


class Error(msgspec.Struct, frozen=True):
    """One error of a refusal."""

    code: str = ""
    source: Source = Source()


class Refusal(msgspec.Struct, frozen=True):
    """The body of a refusal, as far as it is compared."""

    errors: list[Error]


class Score(msgspec.Struct, frozen=True, kw_only=True):
    """A sum over mutants."""

    planted: int
    killed: int
    requests: int
    seconds: float

    @property
    def rate(self) -> float:
        """Kills per thousand requests."""
        return round(1000 * self.killed / self.requests, 2) if self.requests else 0.0


def normalised(text: str) -> str:
    """Return a message without what differs between two runs of the same thing."""
    text = QUOTED_VALUE.sub("", text)
    for pattern, word in PASSING:
        text = pattern.sub(word, text)
    return " ".join(text.split())


def named(check: str, operation: str, message: str) -> str:
    """Return what a failure is known by: the check, the operation and the message without what passes."""
    return f"{check} | {operation} | {normalised(message)}"


def refusal(content: bytes) -> str:
    """Return what a refusal objects to, its codes and pointers: one value refused wrongly is not another one refused so."""
    try:
        errors = msgspec.json.decode(content, type=Refusal).errors
    except (msgspec.DecodeError, UnicodeDecodeError):
        return ""
    return " ".join(f"{e.code}@{e.source.pointer or e.source.parameter}" for e in errors)


def first_new(found: Iterable[str], known: frozenset[str]) -> str:
    """Return the first failure that the original does not have; empty when there is none."""
    return next((one for one in found if one not in known), "")


def score(rows: Iterable[Judged]) -> Score:
    rows = list(rows)
    return Score(
        planted=len(rows),
        killed=sum(row.killed for row in rows),
        requests=sum(row.requests for row in rows),
        seconds=round(sum(row.seconds for row in rows), 1),
    )


def common(rows: Iterable[Judged], tools: Sequence[str]) -> list[Judged]:
    """Return the rows of the mutants that every tool has judged: only those can be set side by side."""
    rows = list(rows)
    judged = [{row.mutant for row in rows if row.tool == tool} for tool in tools]
    shared = set.intersection(*judged) if judged else set()
    return [row for row in rows if row.mutant in shared and row.tool in tools]


def share(rows: Iterable[Judged], sizes: Mapping[str, int]) -> float:
    """Return the share of the whole catalogue that a tool kills by this sample, each operator weighing what it holds there."""
    strata: dict[str, list[Judged]] = defaultdict(list)
    for row in rows:
        strata[row.operator].append(row)
    killed = sum(sizes[name] * score(members).killed / len(members) for name, members in strata.items())
    return killed / max(1, sum(sizes[name] for name in strata))


def totals(rows: Sequence[Judged], tools: Sequence[str], sizes: Mapping[str, int]) -> str:
    """Return the table of the tools. `sizes` says how many mutants of each operator there are."""
    lines = [
        "| tool | killed | of those that single requests show | weighed by operator | requests | kills per 1,000 requests |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    for tool in tools:
        mine = [row for row in rows if row.tool == tool]
        whole, alone = score(mine), score(row for row in mine if row.alone)
        lines.append(
            f"| {tool} | {whole.killed} of {whole.planted} | {alone.killed} of {alone.planted} | {share(mine, sizes):.0%} "
            f"| {whole.requests:,} | {whole.rate:,.1f} |"
        )
    return "\n".join(lines)


def by(key: Callable[[Judged], str], rows: Sequence[Judged], tools: Sequence[str], title: str) -> str:
    """Return the table of kills by a key: one row for each, one column for each tool."""
    groups: dict[str, list[Judged]] = defaultdict(list)
    for row in rows:
        groups[key(row)].append(row)
    lines = [f"| {title} | planted | {' | '.join(tools)} |", f"|---|---:|{'---:|' * len(tools)}"]
    for name, members in sorted(groups.items()):
        kills = [score(row for row in members if row.tool == tool) for tool in tools]
        lines.append(f"| {name} | {kills[0].planted} | {' | '.join(str(s.killed) for s in kills)} |")
    return "\n".join(lines)


def ratios(rows: Sequence[Judged], ours: str) -> str:
    """Return our kills and requests beside those of each peer, the one that kills most first."""
    mine = score(row for row in rows if row.tool == ours)
    peers = {tool: score(row for row in rows if row.tool == tool) for tool in {row.tool for row in rows} - {ours}}
    lines = [f"{ours} kills {mine.killed} of {mine.planted} with {mine.requests:,} requests:"]
    for tool, theirs in sorted(peers.items(), key=lambda item: (-item[1].killed, item[0])):
        times = f"{mine.killed / theirs.killed:.2f} times" if theirs.killed else "no multiple of"
        lines.append(f"- {times} the {theirs.killed} of {tool}, which sends {theirs.requests:,}")
    return "\n".join(lines)
