"""What a run over mutants amounts to: the score, in total and by operator, and which class and check killed what."""

from __future__ import annotations

import shlex
from collections import Counter
from typing import TYPE_CHECKING, Any

import msgspec

from telnyx_conformance.errors import ReportError
from telnyx_conformance.mutants.kinds import kind_of

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from pathlib import Path

    from telnyx_conformance.mutants.judging import Outcome

SCHEMA_VERSION = 1
RESULT, MATRIX, SURVIVORS = "mutants.json", "matrix.json", "survivors"
PORT = 12111
CERTIFY = f"telnyx-conformance certify http://127.0.0.1:{PORT}/v2"


class Tally(msgspec.Struct, frozen=True, kw_only=True):
    """How one operator fared."""

    sampled: int
    killed: int


class Survivor(msgspec.Struct, frozen=True, kw_only=True):
    """A mutant that nobody noticed; `reproduce` is the script, below the run's folder, that shows its fault by hand."""

    id: str
    operator: str
    site: str
    reproduce: str


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """`mutants.json`. `equivalent` counts what was left out of the selection because nobody could tell it from the original."""

    schema_version: int
    edition: str
    seed: int
    sampled: int
    killed: int
    killed_for_the_right_reason: int
    equivalent: int
    operators: dict[str, Tally]
    survivors: tuple[Survivor, ...]


class Matrix(msgspec.Struct, frozen=True, kw_only=True):
    """`matrix.json`: kills by operator and conformance class, by check and operator, and by kind of requirement; accidents apart.

    Of `kinds`, those that were not planted are there too, when it was said which there are.
    """

    classes: dict[str, dict[str, int]]
    checks: dict[str, dict[str, int]]
    kinds: dict[str, Tally]
    by_accident: dict[str, str]


def result_of(outcomes: Sequence[Outcome], *, edition: str, seed: int, equivalent: int) -> Result:
    """Return the figures of a run."""
    killed = [o for o in outcomes if o.outcome == "killed"]
    sampled, dead = Counter(o.operator for o in outcomes), Counter(o.operator for o in killed)
    return Result(
        schema_version=SCHEMA_VERSION, edition=edition, seed=seed, sampled=len(outcomes), killed=len(killed),
        killed_for_the_right_reason=sum(o.right for o in killed), equivalent=equivalent,
        operators={name: Tally(sampled=sampled[name], killed=dead[name]) for name in sorted(sampled)},
        survivors=tuple(
            Survivor(id=o.id, operator=o.operator, site=o.site, reproduce=f"{SURVIVORS}/{number:03}.sh")
            for number, o in enumerate((o for o in outcomes if o.outcome != "killed"), start=1)
        ),
    )  # fmt: skip


def matrix_of(outcomes: Sequence[Outcome], kinds: Collection[str] = ()) -> Matrix:
    """Return who killed what; `kinds` are all that there are."""
    classes: dict[str, dict[str, int]] = {}
    checks: dict[str, dict[str, int]] = {}
    for one in outcomes:
        if one.outcome == "killed":
            row = classes.setdefault(one.operator, {})
            row[one.conformance_class] = row.get(one.conformance_class, 0) + 1
            column = checks.setdefault(one.check, {})
            column[one.operator] = column.get(one.operator, 0) + 1
    accidents = {o.id: o.requirement for o in outcomes if o.outcome == "killed" and not o.right}
    planted = Counter(kind for o in outcomes for kind in _kinds_of(o))
    killed = Counter(kind for o in outcomes if o.outcome == "killed" for kind in _kinds_of(o))
    tallies = {kind: Tally(sampled=planted[kind], killed=killed[kind]) for kind in sorted({*kinds, *planted})}
    return Matrix(
        classes=dict(sorted(classes.items())), checks=dict(sorted(checks.items())), kinds=tallies, by_accident=accidents
    )


def _kinds_of(outcome: Outcome) -> set[str]:
    """Return the kind that a fault is planted against; nothing for one that whatever follows a command may see."""
    return {kind_of(name) for name in outcome.sees[:1] if name.count(":") > 1}


def write(folder: Path, outcomes: Sequence[Outcome], result: Result, matrix: Matrix, page: str) -> None:
    """Write the figures, the matrix, the page and a script for each survivor. Raises `ReportError`."""
    by_id = {o.id: o for o in outcomes}
    try:
        (folder / RESULT).write_bytes(_pretty(result))
        (folder / MATRIX).write_bytes(_pretty(matrix))
        (folder / "mutants.html").write_text(page, encoding="utf-8")
        (folder / SURVIVORS).mkdir(exist_ok=True)
        for survivor in result.survivors:
            (folder / survivor.reproduce).write_text(reproducer(by_id[survivor.id]), encoding="utf-8")
    except OSError as failed:
        raise ReportError(
            "the figures cannot be written", where=str(folder), got=failed.strerror or str(failed),
            advice="choose another folder with --out",
        ) from failed  # fmt: skip


def reproducer(outcome: Outcome) -> str:
    """Return a shell script that serves a mutant, sends the request at which its fault shows, and what should have noticed."""
    quoted = shlex.quote(outcome.id)
    lines = [
        "#!/bin/sh", "# A planted fault that was not noticed.", f"# mutant:   {outcome.id}",
        f"# operator: {outcome.operator}", f"# should have failed: {', '.join(outcome.sees)}",
        f"telnyx-conformance emulate --port {PORT} --mutant {quoted} &", "served=$!", "sleep 2",
    ]  # fmt: skip
    asked = outcome.asked
    if asked is None:
        lines += ["# The fault never made a difference: no request of the proof reached it."]
    else:
        lines += ["# The first request that it made a difference to; ids in it are those of the run and may be unknown here.",
                  f"curl -sS -i -X {asked.method} -H 'Authorization: Bearer KEYTEST_mutant' \\"]  # fmt: skip
        if asked.content_type:
            lines += [f"  -H {shlex.quote(f'Content-Type: {asked.content_type}')} \\"]
        if asked.body:
            lines += [f"  --data-binary {shlex.quote(asked.body)} \\"]
        lines += [f"  {shlex.quote(f'http://127.0.0.1:{PORT}{asked.target}')}", "echo"]
    operation = outcome.id.partition(":")[0]
    lines += [
        f"{CERTIFY} --only {shlex.quote(operation)} --class {outcome.conformance_class}",
        'kill "$served"',
    ]
    return "\n".join(lines) + "\n"


def table(result: Result, outcomes: Sequence[Outcome]) -> str:
    """Return the score by operator, and every survivor, as text."""
    accidents = Counter(o.operator for o in outcomes if o.outcome == "killed" and not o.right)
    width = max((len(name) for name in result.operators), default=8)
    lines = [f"{'operator':<{width}}  planted  killed  by accident"]
    for name, tally in result.operators.items():
        mark = "" if tally.killed == tally.sampled else f"  {tally.sampled - tally.killed} survived"
        lines.append(
            f"{name:<{width}}  {tally.sampled:7}  {tally.killed:6}  {accidents[name] or '':>11}{mark}".rstrip()
        )
    lines += [f"survived  {survivor.id}  ({survivor.reproduce})" for survivor in result.survivors]
    lines += [f"by accident  {o.id}  by {o.requirement}" for o in outcomes if o.outcome == "killed" and not o.right]
    return "\n".join(lines)


def verdict(result: Result) -> str:
    """Return the last line: the score."""
    share = percent(result.killed, result.sampled)
    right = percent(result.killed_for_the_right_reason, result.killed)
    return f"{result.killed} of {result.sampled} mutants killed ({share}), {right} of them for the right reason"


def percent(part: int, whole: int) -> str:
    """Return a share as text, rounded down: all is what nothing is missing from."""
    return f"{int(1000 * share_of(part, whole)) / 10:.1f}%"


def share_of(part: int, whole: int) -> float:
    """Return a share; of nothing it is all."""
    return part / whole if whole else 1.0


def _pretty(value: Any) -> bytes:
    return msgspec.json.format(msgspec.json.encode(value), indent=1) + b"\n"
