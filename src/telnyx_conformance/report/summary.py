"""What a run says at its end in the terminal. Words go to stderr; the last line is the verdict."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table
from rich.text import Text

from telnyx_conformance.report.reproduce import spread
from telnyx_conformance.report.text import clipped, visible

if TYPE_CHECKING:
    from pathlib import Path

    from telnyx_conformance.report.certificate import Certificate, Counts

MOST_TOLD = 10
LONGEST_TEXT = 200
COLUMNS = ("passed", "fail", "inconclusive", "waived", "not_applicable")
HEADINGS = ("class", "requirements", "passed", "failed", "inconclusive", "waived", "not claimed")
STYLES = {"conforms": "bold green", "does_not_conform": "bold red", "incomplete": "bold yellow"}
CONTROL = {
    "spoken": "control API: spoken; time is virtual, calls come in and far ends act as they are told",
    "absent": "control API: absent; time is real, and what needs calls that come in or far ends that act is inconclusive",
    "unclaimed": "control API: not claimed; time is real, and what needs calls that come in or far ends that act is not applicable",
}
COLOURS = {"fail": "red", "inconclusive": "yellow", "waived": "magenta"}


def print_summary(certificate: Certificate, run_folder: Path | None = None, *, console: Console | None = None) -> None:
    """Print classes, first failures, reasons, where the report is, and last the verdict. Honours `NO_COLOR`."""
    console = console or Console(stderr=True, highlight=False)
    console.print(_table(certificate))
    failing = spread(certificate.results("fail"))
    for result in failing[:MOST_TOLD]:
        console.print(Text(f"✗ {visible(result.id)} ({result.level})", style="red"), soft_wrap=True)
        for name, text in (("expected", result.expected), ("got", result.actual), ("repeat", result.reproduce)):
            if text:
                console.print(Text(f"    {name}: {_one_line(text)}"), soft_wrap=True)
    if len(failing) > MOST_TOLD:
        console.print(Text(f"  … and {len(failing) - MOST_TOLD:,} more"))
    if certificate.run.control:
        console.print(Text(CONTROL[certificate.run.control]), soft_wrap=True)
    for reason in certificate.reasons:
        console.print(Text(f"• {visible(reason)}"), soft_wrap=True)
    run = certificate.run
    console.print(
        Text(f"{run.requests:,} requests (lower bound {run.requests_lower_bound:,}), {run.events:,} events, ")
        + Text(f"{run.seconds:.1f} s, seed {run.seed}"),
        soft_wrap=True,
    )
    if run_folder is not None:
        console.print(Text(f"report: {run_folder / 'certificate.html'}"), soft_wrap=True)
    console.print(Text(certificate.last_line, style=STYLES[certificate.verdict]), soft_wrap=True)


def _table(certificate: Certificate) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    for number, heading in enumerate(HEADINGS):
        table.add_column(heading, justify="left" if number == 0 else "right")
    for name, counts in certificate.classes.items():
        table.add_row(visible(name), *_cells(counts))
    table.add_row("all", *_cells(certificate.totals), style="bold")
    if certificate.reported.requirements:
        table.add_row("MAY, not scored", *_cells(certificate.reported), style="dim")
    return table


def _cells(counts: Counts) -> list[Text]:
    figures = [Text(f"{counts.requirements:,}")]
    for name in COLUMNS:
        number = getattr(counts, name)
        figures.append(Text(f"{number:,}", style=COLOURS.get(name, "") if number else "dim"))
    return figures


def _one_line(text: str) -> str:
    return clipped(visible(" ".join(text.split())), LONGEST_TEXT)
