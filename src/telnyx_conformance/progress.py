"""What a person sees while a run goes on: one moving line on a terminal, a plain line now and then in a log; always stderr."""

from __future__ import annotations

import io
import os
import sys
import time
from typing import Any

import pytest
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

PLAIN_SECONDS = 10.0


class ProgressReporter:
    """Stands in for pytest's own report. What pytest would have said is kept, and shown when the run breaks."""

    def __init__(self, config: pytest.Config, run: Any) -> None:
        self._run = run
        self._kept = io.StringIO()
        config.get_terminal_writer()._file = self._kept  # noqa: SLF001 - pytest and xdist share this writer; there is no setter
        self._console = Console(file=sys.stderr, highlight=False)
        self._total = self._done = self._failing = 0
        self._broken: list[str] = []
        self._internal: list[str] = []
        self._said_at = time.monotonic()
        self._bar: Progress | None = None
        self._task: Any = None

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Begin, in a run of one process."""
        self._begin(len(session.items))

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, node: Any, ids: list[str]) -> None:  # noqa: ARG002 - named by xdist
        """Begin, when the first worker knows what there is."""
        self._begin(len(ids))

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Count finished items; a failing one is named once."""
        if report.when == "call" and report.failed and not _is_subtest(report):
            self._failing += 1
        if (
            report.failed
            and (report.when != "call" or "failed subtest" not in report.longreprtext)
            and not _is_subtest(report)
        ):
            self._broken.append(f"{report.nodeid}: {report.longreprtext[-600:]}")
        if report.when == "teardown":
            self._done += 1
            self._tell()

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Keep what could not be collected."""
        if report.failed:
            self._broken.append(report.longreprtext)

    def pytest_internalerror(self, excrepr: Any) -> None:
        """Keep what broke; told at the end unless its cause is known."""
        self._internal.append(str(excrepr))

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any, error: Any) -> None:
        """Keep why a worker went away."""
        if error:
            self._broken.append(f"worker {node.gateway.id}: {error}")

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self) -> None:
        """End the line before anything else is said."""
        if self._bar is not None:
            self._bar.stop()

    def pytest_unconfigure(self) -> None:
        """Say what broke, or else the verdict, last."""
        from telnyx_conformance.report.summary import print_summary

        run = self._run
        told = str(run.broken) if run.broken is not None else ""
        kept = self._broken + self._internal
        if told:  # what followed from it says nothing new: the failed item itself, each file that a full disk refused
            kept = [text for text in self._broken if told not in text and "OSError: " not in text]
        for text in dict.fromkeys(kept):
            self._console.print(text, markup=False, style="red")
        if run.broken is not None:
            self._console.print(f"error: {run.broken}", markup=False, style="red")
        if run.certificate is not None:
            print_summary(run.certificate, run.folder, console=self._console)
        elif run.broken is None and not kept:
            self._console.print(self._kept.getvalue().strip()[-2000:], markup=False)

    def _begin(self, total: int) -> None:
        if self._total:
            return
        self._total = total
        if self._console.is_terminal and not os.environ.get("CI"):
            self._bar = Progress(
                SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(),
                console=self._console, transient=True,
            )  # fmt: skip
            self._task = self._bar.add_task("proving", total=total)
            self._bar.start()
        else:
            self._console.print(f"proving {total} items", markup=False)

    def _tell(self) -> None:
        if self._bar is not None:
            words = f"proving, {self._failing} failing" if self._failing else "proving"
            self._bar.update(self._task, completed=self._done, description=words)
        elif time.monotonic() - self._said_at >= PLAIN_SECONDS:
            self._said_at = time.monotonic()
            self._console.print(f"{self._done} of {self._total} items, {self._failing} failing", markup=False)


def _is_subtest(report: pytest.TestReport) -> bool:
    return "subtest" in type(report).__name__.lower()
