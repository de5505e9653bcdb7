"""Puts the shards of one run together and proves that every planned requirement has exactly one verdict."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from telnyx_conformance.errors import IncompleteError, ReportError, UsageError
from telnyx_conformance.report.evidence import Evidence, Plan, Run, Verdict
from telnyx_conformance.report.write import write_reports

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Collection, Sequence

    from telnyx_conformance.report.certificate import Certificate

SHARD = re.compile(r"(\d+)/(\d+)")
NAMED = 10


class _Shard(msgspec.Struct, frozen=True, kw_only=True):
    """What one shard's evidence says: which run it belongs to, what it planned, what it judged."""

    folder: Path
    run: Run
    planned: set[str]
    judged: set[str]


def merge(
    folders: Sequence[Path],
    out: Path,
    waivers_file: Path | None = None,
    *,
    known: Collection[str] = (),
    today: dt.date | None = None,
) -> Certificate:
    """Merge the run folders of all shards into the new folder `out` and write its reports.

    Raises:
        UsageError: a shard is missing, given twice, or of another run; or `out` already holds evidence.
        IncompleteError: requirements without a verdict (gaps) or judged by two shards (conflicts); it names them.

    """
    if not folders:
        raise UsageError("nothing to merge", expected="the run folders of all shards")
    shards = [_read(folder) for folder in folders]
    _prove_one_run(shards)
    _prove_all_shards(shards)
    _prove_one_verdict_each(shards)
    if any(out.glob("evidence*.ndjson")):
        raise UsageError("the folder already holds evidence", where=str(out), advice="merge into a new folder")
    try:
        out.mkdir(parents=True, exist_ok=True)
        for number, shard in enumerate(shards, 1):
            for source in Evidence(shard.folder).sources:
                worker = source.name.removeprefix("evidence").removesuffix(".ndjson")
                shutil.copyfile(source, out / f"evidence.shard{number}{worker.replace('.', '-')}.ndjson")
    except OSError as error:
        raise ReportError("the shards could not be merged", where=str(out), got=error.strerror or str(error)) from error
    return write_reports(out, waivers_file, known=known, today=today)


def _read(folder: Path) -> _Shard:
    run: Run | None = None
    planned: set[str] = set()
    judged: set[str] = set()
    for record in Evidence(folder).records():
        match record:
            case Run():
                run = run or record
            case Plan():
                planned.update(item.id for item in record.requirements)
            case Verdict():
                judged.add(record.requirement)
    if run is None:
        raise IncompleteError("the evidence does not say what was run", where=str(folder))
    return _Shard(folder=folder, run=run, planned=planned, judged=judged)


def _prove_one_run(shards: Sequence[_Shard]) -> None:
    first = shards[0]
    for shard in shards[1:]:
        for name in ("edition", "target", "seed"):
            expected, got = getattr(first.run, name), getattr(shard.run, name)
            if expected != got:
                raise UsageError(
                    f"the shards are of different runs: another {name}",
                    where=str(shard.folder),
                    expected=_plain(expected),
                    got=_plain(got),
                )


def _prove_all_shards(shards: Sequence[_Shard]) -> None:
    """Check that shards 1/N to N/N are there, each once."""
    numbers: dict[int, _Shard] = {}
    of = 0
    for shard in shards:
        match = SHARD.fullmatch(str(shard.run.arguments.get("shard", "")))
        if match is None:
            if len(shards) == 1:
                return
            raise UsageError("a folder is not a shard", where=str(shard.folder), expected="a run with --shard I/N")
        number, total = int(match[1]), int(match[2])
        of = of or total
        if total != of:
            raise UsageError(
                "the shards are cut differently", where=str(shard.folder), expected=f"I/{of}", got=match[0]
            )
        if number in numbers:
            other = numbers[number].folder
            raise UsageError(f"shard {match[0]} is there twice", where=f"{other} and {shard.folder}")
        numbers[number] = shard
    missing = sorted(set(range(1, of + 1)) - numbers.keys())
    if missing:
        raise UsageError(
            "shards are missing", expected=f"{of} shards", got="no " + _named([f"{n}/{of}" for n in missing])
        )


def _prove_one_verdict_each(shards: Sequence[_Shard]) -> None:
    judged_by: dict[str, Path] = {}
    conflicts = set()
    for shard in shards:
        for requirement in shard.judged:
            if judged_by.setdefault(requirement, shard.folder) != shard.folder:
                conflicts.add(requirement)
    if conflicts:
        raise IncompleteError(
            f"{len(conflicts):,} requirements were judged by more than one shard",
            expected="exactly one verdict each",
            got=_named(sorted(conflicts)),
            advice="run the shards again, all with the same selection and seed",
        )
    gaps = set().union(*(shard.planned for shard in shards)) - judged_by.keys()
    if gaps:
        raise IncompleteError(
            f"{len(gaps):,} planned requirements have no verdict",
            expected="exactly one verdict each",
            got=_named(sorted(gaps)),
            advice="a shard did not finish: run it again",
        )


def _plain(value: Any) -> str:
    return msgspec.json.encode(value).decode()


def _named(names: Sequence[str]) -> str:
    more = f" and {len(names) - NAMED:,} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more
