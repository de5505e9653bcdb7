"""How many planted faults our suite, Schemathesis and Prism find, on the same sample of mutants.

python benchmarks/detection.py [--sample 150] [--seed 1] [--tool NAME]... [--workers 2] [--out DIR]

What was judged is kept in DIR and not judged again, so a run that was broken off goes on from there.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import sys
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import msgspec
from detection_table import Judged, by, common, ratios, score, totals

from telnyx_conformance.contract.document import load_edition
from telnyx_conformance.emulator.fault import Fault
from telnyx_conformance.mutants.judging import Bench
from telnyx_conformance.mutants.planting import plant
from telnyx_conformance.mutants.running import chosen, sampled

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from telnyx_conformance.mutants.mutant import Mutant

OURS = "telnyx-conformance"
TOOLS = (OURS, "Schemathesis, hardened", "Schemathesis, plain", "Prism, hardened", "Prism, plain")


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What the command line says. `seconds` is the limit for one tool on one mutant."""

    examples: int
    seconds: float
    original: bool
    out: Path


class Tool(Protocol):
    """Judges one mutant: what it finds first, the requests until then, and why it ended early if it did."""

    def judge(self, mutant: Mutant, fault: Fault) -> tuple[str, int, str]: ...

    def close(self) -> None: ...


class Ours:
    """Our suite: the proof that `mutants run` makes, to its end."""

    def __init__(self, asked: Asked) -> None:
        self._bench = Bench(seconds=asked.seconds)

    def judge(self, mutant: Mutant, fault: Fault) -> tuple[str, int, str]:
        outcome = self._bench.judged(mutant, fault)
        is_killed = outcome.outcome == "killed"
        return outcome.requirement if is_killed else "", outcome.requests, "time limit" * (outcome.outcome == "timeout")

    def close(self) -> None:
        self._bench.close()


class OfSchemathesis:
    """Schemathesis, until its first new failure."""

    def __init__(self, asked: Asked, *, hardened: bool) -> None:
        from detection_schemathesis import Served  # noqa: PLC0415 - its hooks are global; only who judges with it has them

        self._served = Served(hardened=hardened, examples=asked.examples, seconds=asked.seconds)

    def judge(self, mutant: Mutant, fault: Fault) -> tuple[str, int, str]:
        watch = self._served.judge(self._served.bench.settings.edition.operation(mutant.operation), fault)
        return watch.new, watch.requests, watch.ended

    def close(self) -> None:
        self._served.close()


class OfPrism:
    """Prism, until its first new violation."""

    def __init__(self, asked: Asked, *, hardened: bool) -> None:
        from detection_prism import Proxied  # noqa: PLC0415 - needs npx

        self._proxied = Proxied(hardened=hardened, seconds=asked.seconds)

    def judge(self, mutant: Mutant, fault: Fault) -> tuple[str, int, str]:
        return (*self._proxied.judge(mutant, fault), "")

    def close(self) -> None:
        self._proxied.close()


def opened(tool: str, asked: Asked) -> Tool:
    """Return a tool by its name."""
    if tool == OURS:
        return Ours(asked)
    hardened = tool.endswith("hardened")
    return OfPrism(asked, hardened=hardened) if tool.startswith("Prism") else OfSchemathesis(asked, hardened=hardened)


def is_shown_alone(mutant: Mutant) -> bool:
    """Whether single requests show a fault, rather than events or the state that is left behind."""
    return not (mutant.sequence or mutant.delivery or mutant.category == "state")


def log_of(tool: str, out: Path) -> Path:
    return out / f"{tool.lower().replace(', ', '-')}.ndjson"


def known(tool: str, out: Path) -> list[Judged]:
    """Return what a tool has judged already."""
    file = log_of(tool, out)
    lines = file.read_bytes().splitlines() if file.exists() else []
    return [msgspec.json.decode(line, type=Judged) for line in lines if line.endswith(b"}")]


def work(tool: str, mutants: Sequence[Mutant], asked: Asked) -> str:
    """Let one tool judge what it has not judged yet."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # Prism is a process of its own, and must not be left behind
    done = {row.mutant for row in known(tool, asked.out)}
    waiting = [m for m in mutants if m.id not in done]
    if not waiting:
        return tool
    edition, judge = load_edition(), opened(tool, asked)
    try:
        with log_of(tool, asked.out).open("ab", buffering=0) as log:
            for number, mutant in enumerate(waiting, start=1):
                began = time.monotonic()
                new, requests, ended = judge.judge(mutant, Fault() if asked.original else plant(edition, mutant))
                row = Judged(
                    tool=tool, mutant=mutant.id, operator=mutant.operator, category=mutant.category,
                    alone=is_shown_alone(mutant), killed=bool(new), by=new, requests=requests,
                    seconds=round(time.monotonic() - began, 3), ended=ended,
                )  # fmt: skip
                log.write(msgspec.json.encode(row) + b"\n")
                print(f"{tool} {number}/{len(waiting)} {'killed' if new else 'survived'} {mutant.id}", flush=True)
    finally:
        judge.close()
    return tool


def report(rows: list[Judged], tools: Sequence[str], sizes: Mapping[str, int], asked: argparse.Namespace) -> str:
    """Return the page, and write it beside the figures as JSON."""
    shared = common(rows, tools)
    found = {
        "sample": asked.sample, "seed": asked.seed, "examples": asked.examples, "load": os.getloadavg(),
        "tools": {tool: score(row for row in shared if row.tool == tool) for tool in tools},
        "rows": shared,
    }  # fmt: skip
    (asked.out / "detection.json").write_bytes(msgspec.json.format(msgspec.json.encode(found), indent=1))
    parts = [totals(shared, tools, sizes), by(lambda r: r.category, shared, tools, "category")]
    parts += [by(lambda r: r.operator, shared, tools, "operator"), ratios(shared, OURS)]
    page = "\n\n".join(parts) + "\n"
    (asked.out / "detection.md").write_text(page, encoding="utf-8")
    return page


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--sample", type=int, default=150)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", action="append", default=[], help="operation id, group, or mutant id")
    parser.add_argument("--tool", action="append", default=[], choices=TOOLS)
    parser.add_argument("--examples", type=int, default=30, help="of Schemathesis' fuzzing phase")
    parser.add_argument("--seconds", type=float, default=60.0, help="for one tool on one mutant")
    parser.add_argument("--original", action="store_true", help="plant nothing: what is killed then is a false alarm")
    parser.add_argument("--workers", type=int, default=1, help="tools at a time")
    parser.add_argument("--out", type=Path, default=Path("reports/out/detection"))
    asked = parser.parse_args()
    asked.out = asked.out / "original" if asked.original else asked.out
    asked.out.mkdir(parents=True, exist_ok=True)
    tools = tuple(asked.tool or TOOLS)
    whole = chosen(load_edition(), only=asked.only)
    mutants = sampled(whole, asked.sample, asked.seed)
    random.Random(asked.seed).shuffle(mutants)  # a run that is broken off has judged a sample, too
    settings = Asked(examples=asked.examples, seconds=asked.seconds, original=asked.original, out=asked.out)
    context = get_context("spawn")
    with ProcessPoolExecutor(asked.workers, context, max_tasks_per_child=1) as pool:
        for future in as_completed([pool.submit(work, tool, mutants, settings) for tool in tools]):
            future.result()
    names = {m.id for m in mutants}
    rows = [row for tool in tools for row in known(tool, asked.out) if row.mutant in names]
    print(report(rows, tools, Counter(m.operator for m in whole), asked))


if __name__ == "__main__":
    main()
