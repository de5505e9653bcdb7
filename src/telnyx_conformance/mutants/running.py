"""A sample of mutants, judged by as many processes as asked for; what was judged is kept and not judged again."""

from __future__ import annotations

import atexit
import random
from collections import defaultdict
from contextlib import closing
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

import msgspec

from telnyx_conformance.errors import ReportError, UnknownName, UsageError
from telnyx_conformance.mutants.catalogue import catalogue, everything, is_equivalent
from telnyx_conformance.mutants.judging import SECONDS, Bench, Outcome
from telnyx_conformance.mutants.workers import shared_out

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
    from pathlib import Path

    from telnyx_conformance.contract.model import Edition
    from telnyx_conformance.mutants.mutant import Mutant

LOG = "mutants.ndjson"
BATCH = 4  # mutants that one process gets at a time: enough to share a plan, few enough to end together
_BENCH: list[Bench] = []


def chosen(edition: Edition, *, operators: Sequence[str] = (), only: Sequence[str] = ()) -> list[Mutant]:
    """Return the mutants of some operators and of the operations, groups or mutants that `only` names; all by default.

    Raises `UnknownName` for an operator, operation, group or mutant that there is not, `UsageError` when nothing is left.
    """
    whole = list(catalogue(edition))
    known = {m.operator for m in whole}
    for name in operators:
        if name not in known:
            raise UnknownName("operator", name, known)
    found = _selected(edition, whole, operators, only)
    if not found:
        raise UsageError("nothing was selected", expected="a mutant", got=", ".join([*operators, *only]))
    return found


def left_out(edition: Edition, operators: Sequence[str] = (), only: Sequence[str] = ()) -> int:
    """Return how many mutants of a selection are equivalent to the original, and so never planted."""
    return len(_selected(edition, [m for m in everything(edition) if is_equivalent(m)], operators, only))


def _selected(
    edition: Edition, mutants: Iterable[Mutant], operators: Sequence[str], only: Sequence[str]
) -> list[Mutant]:
    named = [pattern for pattern in only if ":" in pattern]
    others = [pattern for pattern in only if ":" not in pattern]
    operations = {o.id for o in edition.select(others)} if others else set()
    return [
        m for m in mutants
        if (not operators or m.operator in operators)
        and (not only or m.operation in operations or any(_is_like(m.id, pattern) for pattern in named))
    ]  # fmt: skip


def _is_like(name: str, pattern: str) -> bool:
    return name == pattern or fnmatchcase(name, pattern.replace("[", "[[]"))


def sampled(mutants: Iterable[Mutant], size: int, seed: int) -> list[Mutant]:
    """Return a random sample, stratified by operator: some of each, the rest in proportion; all when `size` is 0."""
    strata: dict[str, list[Mutant]] = defaultdict(list)
    for mutant in mutants:
        strata[mutant.operator].append(mutant)
    for operator, members in strata.items():
        random.Random(f"{seed}:{operator}").shuffle(members)  # noqa: S311 - reproducible, not secret
    total = sum(map(len, strata.values()))
    if not size or size >= total:
        return sorted((m for members in strata.values() for m in members), key=lambda m: m.id)
    least = max(1, size // (2 * len(strata)))
    shares = {operator: min(len(members), least) for operator, members in strata.items()}
    left = size - sum(shares.values())
    for operator, members in strata.items():
        shares[operator] += min(max(0, left) * len(members) // total, len(members) - shares[operator])
    ranked = sorted(strata, key=lambda operator: -len(strata[operator]))
    while sum(shares.values()) < size:
        for operator in ranked:
            if sum(shares.values()) < size and shares[operator] < len(strata[operator]):
                shares[operator] += 1
    taken = [m for operator, members in strata.items() for m in members[: shares[operator]]]
    return sorted(taken[:size] if len(taken) > size else taken, key=lambda m: m.id)


def run(
    edition: Edition,
    mutants: Sequence[Mutant],
    folder: Path,
    *,
    workers: int = 1,
    seconds: float = SECONDS,
    told: Callable[[Outcome], None] | None = None,
) -> list[Outcome]:
    """Judge the mutants that `folder` does not already know, and return the outcomes of all, in their order.

    `seconds` is the limit for each proof. `told` hears of each outcome as it comes.
    """
    known = read_log(folder / LOG)
    waiting = [m for m in mutants if m.id not in known]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        judged = _judged(edition, waiting, workers, seconds)
        with (folder / LOG).open("ab", buffering=0) as log, closing(judged):
            for outcome in judged:
                known[outcome.id] = outcome
                log.write(msgspec.json.encode(outcome) + b"\n")
                if told is not None:
                    told(outcome)
    except OSError as failed:
        raise ReportError(
            "the outcomes cannot be written", where=str(folder), got=failed.strerror or str(failed),
            advice="choose another folder with --out",
        ) from failed  # fmt: skip
    return [known[m.id] for m in mutants]


def read_log(file: Path) -> dict[str, Outcome]:
    """Return the outcomes that a log holds, by mutant; a line that a killed run left unfinished is not one."""
    found: dict[str, Outcome] = {}
    for line in file.read_bytes().splitlines() if file.exists() else ():
        try:
            outcome = msgspec.json.decode(line, type=Outcome)
        except msgspec.DecodeError:
            continue
        found[outcome.id] = outcome
    return found


def _judged(
    edition: Edition, mutants: Sequence[Mutant], workers: int, seconds: float
) -> Generator[Outcome, None, None]:
    batches = [list(mutants[start : start + BATCH]) for start in range(0, len(mutants), BATCH)]
    if workers == 1 or len(batches) < 2:  # noqa: PLR2004 - nothing to share out
        yield from _alone(edition, mutants, seconds)
        return
    jobs = ((batch,) for batch in batches)
    outcomes = shared_out(_judge, jobs, workers=workers, opening=_open_bench, given=(edition.name, seconds))
    with closing(outcomes):
        for several in outcomes:
            yield from several


def _alone(edition: Edition, mutants: Sequence[Mutant], seconds: float) -> Iterator[Outcome]:
    if not mutants:
        return
    bench = Bench(edition.name, seconds=seconds)
    try:
        for mutant in mutants:
            yield bench.judge(mutant)
    finally:
        bench.close()


def _open_bench(edition: str, seconds: float) -> None:
    bench = Bench(edition, seconds=seconds)
    _BENCH.append(bench)
    atexit.register(bench.close)


def _judge(batch: list[Mutant]) -> list[Outcome]:
    return [_BENCH[0].judge(mutant) for mutant in batch]
