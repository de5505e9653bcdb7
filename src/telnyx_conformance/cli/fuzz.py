"""`fuzz`: look for requests that break a target, shrink what is found, and leave a certificate of the class fuzz."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from telnyx_conformance.fuzzing.examples import DEFAULT_FOLDER

if TYPE_CHECKING:
    from rich.console import Console
    from rich.status import Status

    from telnyx_conformance.contract.model import Operation
    from telnyx_conformance.fuzzing.hunt import Bounds, Catch, Fault
    from telnyx_conformance.report.certificate import Certificate, Result
    from telnyx_conformance.run.settings import Settings

EXAMPLES = 100
UNBOUNDED = 10**9
WORKER = "main"
LONGEST_CURL = 2000
PLAIN_SECONDS = 10.0


@click.command(
    epilog="""\b
Examples:
  telnyx-conformance fuzz --only TransferCall --seconds 20       the embedded emulator
  telnyx-conformance fuzz http://127.0.0.1:4010 --only 'Messages' --examples 500 --seed 7
  telnyx-conformance fuzz live --only ListPhoneNumbers            safe reads only; key in $TELNYX_API_KEY

Without --seconds and --examples each operation is tried with 100 cases. A run that is bounded by --examples alone
sends the same cases every time. What failed is kept, and tried first by the next run.
"""
)
@click.argument("target", default="embedded")
@click.option("--edition", default="", help="Edition of the contract; the newest when absent.")
@click.option("--only", multiple=True, metavar="PATTERN", help="Operation id, group or glob; may be repeated.")
@click.option("--seconds", type=click.FloatRange(min=0, min_open=True), default=None, help="Stop after so long.")
@click.option("--examples", type=click.IntRange(min=1), default=None, help="Stop after so many cases per operation.")
@click.option("--seed", default=1, show_default=True, help="Seed of everything that is chosen.")
@click.option("--profile", default="", metavar="FILE", help="YAML file that describes the target.")
@click.option("--waivers", default="", metavar="FILE", help="YAML file of accepted deviations.")
@click.option("--allow", multiple=True, metavar="CLASS", help="Safety class that may be called, or all.")
@click.option("--out", default="", metavar="DIR", help="Folder of the results; reports/out/<time> when absent.")
@click.option("--examples-dir", default=DEFAULT_FOLDER, show_default=True, metavar="DIR",
              help="Folder of failing cases, which are tried first.")  # fmt: skip
def fuzz(
    target: str,
    edition: str,
    only: tuple[str, ...],
    seconds: float | None,
    examples: int | None,
    seed: int,
    profile: str,
    waivers: str,
    allow: tuple[str, ...],
    out: str,
    examples_dir: str,
) -> int:
    """Send generated requests to TARGET (embedded, live, or a URL) and report what breaks it."""
    from telnyx_conformance.conducting import prepare
    from telnyx_conformance.errors import UsageError
    from telnyx_conformance.fuzzing.hunt import Bounds
    from telnyx_conformance.interruption import heed_termination
    from telnyx_conformance.run.settings import Settings

    settings = Settings(
        target=target, edition=edition, only=only, classes=("fuzz",), profile=profile, allow=allow, seed=seed,
        waivers=waivers,
    )  # fmt: skip
    operations = settings.chosen("fuzz")
    if not operations:
        raise UsageError(
            "nothing was selected to fuzz", expected="an operation that the target claims",
            got=f"{len(settings.selected)} operations, none of which may be fuzzed",
            advice="name other operations with --only, or allow more with --allow",
        )  # fmt: skip
    folder = Path(out).resolve() if out else _new_folder()
    prepare(settings, folder)
    heed_termination()
    most = examples or (UNBOUNDED if seconds else EXAMPLES)
    return Fuzzing(settings, folder, Path(examples_dir)).run(operations, Bounds(examples=most), seconds)


class Fuzzing:
    """One run of the command: operation after operation, then the reports."""

    def __init__(self, settings: Settings, folder: Path, kept: Path) -> None:
        from rich.console import Console

        self._settings, self._folder, self._kept = settings, folder, kept
        self._console: Console = Console(stderr=True, highlight=False)
        self._caught: list[tuple[Operation, Catch]] = []
        self._said_at = time.monotonic()

    def run(self, operations: tuple[Operation, ...], bounds: Bounds, seconds: float | None) -> int:
        """Fuzz and report; return the exit code. An interrupted run reports what it has and is incomplete."""
        from telnyx_conformance.run.evidence import EvidenceLog
        from telnyx_conformance.run.planning import write_plan

        began = time.monotonic()
        write_plan(self._settings, self._folder, [("fuzz", operation) for operation in operations])
        interrupted = False
        try:
            self._hunt(operations, bounds, seconds)
        except KeyboardInterrupt:
            interrupted = True
        log = EvidenceLog(self._folder / "evidence.run.ndjson", [], worker="run")
        log.record("end", {"seconds": round(time.monotonic() - began, 3), "interrupted": interrupted})
        log.close()
        return self._report(time.monotonic() - began)

    def _hunt(self, operations: tuple[Operation, ...], bounds: Bounds, seconds: float | None) -> None:
        from msgspec.structs import replace

        from telnyx_conformance.fuzzing.campaign import Campaign
        from telnyx_conformance.fuzzing.examples import Examples
        from telnyx_conformance.opening import open_session
        from telnyx_conformance.run.core import AsyncCore

        with AsyncCore() as core:
            session = core.run(open_session(self._settings, self._folder, WORKER))
            try:
                campaign = Campaign(session, examples=Examples(self._kept))
                campaign.warm_up()
                end = time.monotonic() + seconds if seconds else float("inf")
                with self._console.status("fuzzing") as status:
                    for number, operation in enumerate(operations):
                        now = time.monotonic()
                        share = now + (end - now) / (len(operations) - number)
                        self._tell(status, number, len(operations), operation)
                        _, catch = core.run(campaign.prove(operation, replace(bounds, until=share)))
                        self._caught.append((operation, catch))
                        for fault in catch.faults:
                            self._console.print(_headline(operation, fault), markup=False, style="red", soft_wrap=True)
            finally:
                core.run(session.close())

    def _tell(self, status: Status, number: int, count: int, operation: Operation) -> None:
        cases = sum(catch.cases for _, catch in self._caught)
        faults = sum(len(catch.faults) for _, catch in self._caught)
        words = f"fuzzing {operation.id}, {number} of {count} operations, {cases:,} cases, {_number(faults, 'fault')}"
        if self._console.is_terminal:
            status.update(words)
        elif number == 0 or time.monotonic() - self._said_at >= PLAIN_SECONDS:
            self._said_at = time.monotonic()
            self._console.print(words, markup=False, soft_wrap=True)

    def _report(self, seconds: float) -> int:
        from telnyx_conformance.report.findings import write_findings
        from telnyx_conformance.report.text import clipped, visible
        from telnyx_conformance.report.write import write_reports

        known = {requirement.id for requirement in self._settings.everything()} if self._settings.waivers else ()
        certificate = write_reports(self._folder, self._settings.waivers, known=known)
        found = [(operation, fault) for operation, catch in self._caught for fault in catch.faults]
        results = [_result(certificate, operation, fault) for operation, fault in found]
        say = self._console.print
        for (operation, fault), written in zip(found, write_findings(self._folder, certificate, results), strict=True):
            say(f"\n✗ {_headline(operation, fault)}", markup=False, style="red", soft_wrap=True)
            rows = [("expected", fault.finding.expected), ("got", fault.finding.actual)]
            if not fault.repeats:
                rows.append(("note", "it did not show again when the smallest request was sent once more"))
            rows.append(("files", str(self._folder / written.folder)))
            for name, text in rows:
                say(f"    {name}: {visible(clipped(' '.join(text.split()), 300))}", markup=False, soft_wrap=True)
            if written.curl:
                say(f"    {visible(clipped(written.curl, LONGEST_CURL))}", markup=False, soft_wrap=True)
        cases = sum(catch.cases for _, catch in self._caught)
        for reason in certificate.reasons:
            say(f"• {visible(reason)}", markup=False, soft_wrap=True)
        say(
            f"{cases:,} cases over {_number(len(self._caught), 'operation')}, {certificate.run.requests:,} requests, "
            f"{_number(len(found), 'fault')}, {seconds:.1f} s, seed {self._settings.seed}",
            markup=False, soft_wrap=True,
        )  # fmt: skip
        say(f"report: {self._folder / 'certificate.html'}", markup=False, soft_wrap=True)
        say(certificate.last_line, markup=False, soft_wrap=True)
        return int(certificate.exit_code)


def _headline(operation: Operation, fault: Fault) -> str:
    how = " (kept from an earlier run)" if fault.replayed else ""
    return f"{operation.id}:fuzz:{fault.kind} [{fault.mark}]{how}"


def _result(certificate: Certificate, operation: Operation, fault: Fault) -> Result:
    from msgspec.structs import replace

    ident = f"{operation.id}:fuzz:{fault.kind}"
    known = next(result for result in certificate.requirements if result.id == ident)
    return replace(
        known, check=fault.finding.check, expected=fault.finding.expected, actual=fault.finding.actual,
        exchanges=tuple(f"{WORKER}/{number}" for number in fault.exchanges),
    )  # fmt: skip


def _number(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _new_folder() -> Path:
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    return Path.cwd() / "reports" / "out" / f"{stamp}-{os.getpid()}"
