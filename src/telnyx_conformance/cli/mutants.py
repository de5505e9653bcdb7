"""`mutants`: the suites against planted faults."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from telnyx_conformance.contract.document import DEFAULT_EDITION
from telnyx_conformance.errors import ExitCode

if TYPE_CHECKING:
    from collections.abc import Callable

    from telnyx_conformance.mutants.judging import Outcome

PLAIN_SECONDS = 5.0
EXPECTED = 98.0

EDITION = click.option("--edition", default=DEFAULT_EDITION, show_default=True, help="Edition of the contract.")
OPERATOR = click.option(
    "--operator",
    "operators",
    multiple=True,
    metavar="NAME",
    help="Kind of fault, such as bound-off-by-one; may be repeated.",
)
ONLY = click.option(
    "--only", multiple=True, metavar="PATTERN", help="Operation id, group, mutant id or glob; may be repeated."
)


@click.group()
def mutants() -> None:
    """Plant faults in the emulator and see whether the suites notice."""


@mutants.command("list")
@EDITION
@OPERATOR
@ONLY
def list_(edition: str, operators: tuple[str, ...], only: tuple[str, ...]) -> None:
    """Print the id of every mutant, one a line; their number goes to stderr."""
    from telnyx_conformance.contract.document import load_edition
    from telnyx_conformance.mutants.running import chosen

    found = chosen(load_edition(edition), operators=operators, only=only)
    sys.stdout.write("".join(f"{mutant.id}\n" for mutant in found))
    click.echo(f"{len(found):,} mutants of {len({m.operator for m in found})} operators", err=True)


@mutants.command(
    epilog="""\b
Examples:
  telnyx-conformance mutants run --sample 100 --seed 1
  telnyx-conformance mutants run --only TransferCall --operator bound-off-by-one

A run leaves mutants.html, mutants.json, matrix.json, mutants.ndjson and survivors/ in its folder. Mutants that
mutants.ndjson already knows are not judged again: a run that was broken off goes on where it was.
"""
)
@EDITION
@click.option("--sample", type=click.IntRange(0), default=100, show_default=True,
              help="Size of the random sample, some of each operator; 0 takes all.")  # fmt: skip
@click.option("--seed", default=1, show_default=True, help="Seed of the sample.")
@OPERATOR
@ONLY
@click.option("--out", default="", metavar="DIR", help="Folder of the results; reports/out/mutants-<time> when absent.")
@click.option(
    "--workers", type=click.IntRange(1, 64), default=None, help="Processes; as many as processors by default."
)
@click.option("--limit", type=click.FloatRange(0.1), default=60.0, show_default=True, help="Seconds for each proof.")
@click.option("--at-least", type=click.FloatRange(0, 100), default=EXPECTED, show_default=True, metavar="PERCENT",
              help="Exit 1 when fewer are killed.")  # fmt: skip
def run(
    edition: str,
    sample: int,
    seed: int,
    operators: tuple[str, ...],
    only: tuple[str, ...],
    out: str,
    workers: int | None,
    limit: float,
    at_least: float,
) -> int:
    """Plant a sample of faults, one at a time, and write the kill matrix."""
    from telnyx_conformance.contract.document import load_edition
    from telnyx_conformance.interruption import heed_termination
    from telnyx_conformance.mutants import matrix, running
    from telnyx_conformance.mutants.kinds import binding_kinds
    from telnyx_conformance.mutants.page import page

    heed_termination()
    known = load_edition(edition)
    began = time.monotonic()
    taken = running.sampled(running.chosen(known, operators=operators, only=only), sample, seed)
    stamp = f"mutants-{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}-{os.getpid()}"
    folder = Path(out).resolve() if out else Path.cwd() / "reports" / "out" / stamp
    count = workers or min(os.cpu_count() or 1, 8)
    outcomes = running.run(known, taken, folder, workers=count, seconds=limit, told=_progress(len(taken)))
    result = matrix.result_of(
        outcomes, edition=known.name, seed=seed, equivalent=running.left_out(known, operators, only)
    )
    kills = matrix.matrix_of(outcomes, set(binding_kinds(known.name).values()))
    matrix.write(folder, outcomes, result, kills, page(result, outcomes, kills))
    click.echo(matrix.table(result, outcomes))
    click.echo(f"{time.monotonic() - began:.0f} s, {sum(o.requests for o in outcomes):,} requests; {folder}", err=True)
    click.echo(matrix.verdict(result))
    is_enough = 100 * matrix.share_of(result.killed, result.sampled) >= at_least
    return int(ExitCode.CONFORMS if is_enough else ExitCode.DOES_NOT_CONFORM)


def _progress(total: int) -> Callable[[Outcome], None]:
    """Return what tells of each outcome: one moving line on a terminal, a line now and then in a log."""
    state = {"done": 0, "alive": 0, "said": time.monotonic()}
    moving = sys.stderr.isatty()

    def told(outcome: Outcome) -> None:
        state["done"] += 1
        state["alive"] += outcome.outcome != "killed"
        now = time.monotonic()
        if not moving and now - state["said"] < PLAIN_SECONDS:
            return
        state["said"] = now
        said = f"{state['done']:.0f} of {total} mutants judged, {state['alive']:.0f} survived"
        click.echo(f"\r{said}" if moving else said, err=True, nl=not moving or state["done"] == total)

    return told


@mutants.command(
    epilog="""\b
Examples:
  telnyx-conformance mutants variants
  telnyx-conformance mutants variants --run --only "Call Commands"
"""
)
@EDITION
@click.option("--run", "is_run", is_flag=True, help="Certify each; exit 1 when one does not conform.")
@click.option("--variant", "names", multiple=True, metavar="ID", help="This variant only; may be repeated.")
@click.option("--only", multiple=True, metavar="PATTERN", help="Operation id, group or glob; may be repeated.")
@click.option(
    "--workers", type=click.IntRange(1, 64), default=None, help="Processes; as many as processors by default."
)
def variants(edition: str, is_run: bool, names: tuple[str, ...], only: tuple[str, ...], workers: int | None) -> int:
    """List what differs from the emulator and keeps the contract, or show that the suites do not mind it."""
    from telnyx_conformance.mutants.variants import VARIANTS, variant_called

    chosen = [variant_called(name) for name in names] or list(VARIANTS)
    if not is_run:
        for variant in chosen:
            click.echo(f"{variant.id}: {variant.because}")
        return int(ExitCode.CONFORMS)
    from telnyx_conformance.interruption import heed_termination
    from telnyx_conformance.mutants.certifying import run as certified

    heed_termination()
    began = time.monotonic()
    count = workers or min(os.cpu_count() or 1, 8)
    found = certified(edition, chosen, only=only, workers=count, told=lambda one: click.echo(one.line))
    conforming = sum(one.conforms for one in found)
    requests = sum(one.requests for one in found)
    click.echo(f"{time.monotonic() - began:.0f} s, {requests:,} requests", err=True)
    click.echo(f"{conforming} of {len(found)} variants conform")
    return int(ExitCode.CONFORMS if conforming == len(found) else ExitCode.DOES_NOT_CONFORM)
