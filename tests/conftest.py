"""Counts the tests that this machine cannot run, says so in one line, and fails them where all are required.

`REQUIRE_ALL=1` in the environment (or `--require-all`) turns each into a failure: a skip must not pass for a proof.
"""

from __future__ import annotations

import os
from collections import Counter
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Generator

# A mark names what a test cannot do without; the words are those of the summary.
NEEDS = {"browser": "no Chromium", "node": "no npx"}
COULD_NOT_RUN = "could not be run here"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--require-all",
        action="store_true",
        default=os.environ.get("REQUIRE_ALL", "") not in ("", "0"),
        help="fail tests that cannot be run here instead of skipping them (also REQUIRE_ALL=1)",
    )


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Note why a test that needs something this machine may lack was skipped; fail it where all are required."""
    report = yield
    del call
    lacking = next((words for mark, words in NEEDS.items() if item.get_closest_marker(mark)), "")
    if report.skipped and lacking and not hasattr(report, "wasxfail"):
        report.user_properties.append((COULD_NOT_RUN, lacking))
        if item.config.getoption("require_all"):
            report.outcome = "failed"
            report.longrepr = f"{lacking}: {item.nodeid} {COULD_NOT_RUN}, and all tests are required"
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say plainly how much was not proven here."""
    reports = [r for kind in ("skipped", "failed", "error") for r in terminalreporter.stats.get(kind, [])]
    lacking = Counter(why for r in reports for name, why in getattr(r, "user_properties", ()) if name == COULD_NOT_RUN)
    if lacking:
        counted = ", ".join(f"{why} ({number})" for why, number in sorted(lacking.items()))
        terminalreporter.write_line(f"{lacking.total()} tests {COULD_NOT_RUN}: {counted}", yellow=True)
