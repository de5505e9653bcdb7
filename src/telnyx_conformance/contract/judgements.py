"""What became of every statement that the documentation makes in words only: a keyword, a named rule, or nothing.

One row per statement in `contracts/judgements/`, one file per group, so that none is dropped silently. A second list holds
the places where the document contradicts itself: corrected by an overlay, or explained.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from telnyx_conformance.contract.files import contracts_folder, read_contract_file

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from pathlib import Path

Outcome = Literal["keyword", "rule", "rejected", "corrected", "explained"]
OUTCOMES: tuple[Outcome, ...] = ("keyword", "rule", "rejected", "corrected", "explained")


class Judgement(msgspec.Struct, frozen=True, kw_only=True):
    """One judged statement.

    `owner` is a schema, a parameter or an operation id; `location` is `body`, `query`, `path`, `header`, `response` or
    `operation`; `field` is empty for the owner as a whole. `rule` is set for the outcome `rule` only, `because` always
    where nothing is expressed.
    """

    group: str
    owner: str
    location: str
    field: str
    kind: str
    outcome: Outcome
    rule: str = ""
    because: str = ""


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """How many statements of one kind, or of one group, came to which outcome."""

    name: str
    counts: dict[Outcome, int]

    @property
    def total(self) -> int:
        """All of them."""
        return sum(self.counts.values())


class Tally(msgspec.Struct, frozen=True, kw_only=True):
    """The lines by kind and by group, both sorted by size and name."""

    by_kind: tuple[Line, ...]
    by_group: tuple[Line, ...]


def load_judgements(folder: Path | None = None) -> tuple[Judgement, ...]:
    """Return every judgement below `folder` (the project's contracts when absent), file by file, in written order.

    Raises `ContractError` for a file that breaks its schema.
    """
    files = sorted(((folder or contracts_folder()) / "judgements").glob("*.yaml"))
    return tuple(made for file in files for made in judgements_of(read_contract_file(file, "judgements")))


def judgements_of(document: Mapping[str, Any]) -> Iterator[Judgement]:
    """Yield the rows of one file: first the judged statements, then the contradictions."""
    for row in (*document["judgements"], *document.get("inconsistencies", ())):
        yield Judgement(
            group=document["group"],
            owner=row["owner"],
            location=row["in"],
            field=row["field"],
            kind=row["kind"],
            outcome=row["as"],
            rule=row.get("rule", ""),
            because=row.get("because", ""),
        )


def tally(judgements: Iterable[Judgement]) -> Tally:
    """Return how many of each kind and of each group became what."""
    judged = tuple(judgements)
    return Tally(by_kind=_lines(judged, lambda j: j.kind), by_group=_lines(judged, lambda j: j.group))


def _lines(judged: tuple[Judgement, ...], name: Callable[[Judgement], str]) -> tuple[Line, ...]:
    counted = Counter((name(judgement), judgement.outcome) for judgement in judged)
    lines = [
        Line(name=one, counts={outcome: counted[one, outcome] for outcome in OUTCOMES if counted[one, outcome]})
        for one in {name(judgement) for judgement in judged}
    ]
    return tuple(sorted(lines, key=lambda line: (-line.total, line.name)))


def rejections(judgements: Iterable[Judgement]) -> str:
    """Return the page that lists what became nothing and why, group by group, as Markdown (`docs/rejected.md`)."""
    groups: dict[str, list[Judgement]] = {}
    for judgement in judgements:
        if judgement.outcome == "rejected":
            groups.setdefault(judgement.group, []).append(judgement)
    opening = (
        "Statements of the documentation that neither a keyword nor a named rule says, and why."
        " Made from `contracts/judgements/`; see [judgements](judgements.md)."
    )
    parts = [f"# What became nothing\n\n{opening}\n"]
    for group in sorted(groups):
        rows = "".join(f"| `{_subject(row)}` | {row.kind} | {row.because} |\n" for row in groups[group])
        parts.append(f"\n## {group}\n\n| statement about | kind | why not |\n|---|---|---|\n{rows}")
    return "".join(parts)


def _subject(judgement: Judgement) -> str:
    whole = not judgement.field or judgement.field.startswith("(")
    return judgement.owner if whole else f"{judgement.owner}: {judgement.field}"
