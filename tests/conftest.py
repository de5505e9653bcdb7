"""Counts the tests that this machine cannot run, says so in one line, and fails them where all are required.

`REQUIRE_ALL=1` in the environment (or `--require-all`) turns each into a failure: a skip must not pass for a proof.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import threading
from collections import Counter, deque
from typing import IO, TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

# A mark names what a test cannot do without; the words are those of the summary.
NEEDS = {"browser": "no Chromium", "node": "no npx"}
COULD_NOT_RUN = "could not be run here"
PATIENCE = 120  # seconds that npx may take to end the mock server


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


@pytest.fixture(scope="session")
def prism(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """A Prism mock server of the bundle, beside the tests marked `node`; its port."""
    from telnyx_conformance.contract.bundle import bundle  # noqa: PLC0415 - tests without Prism do not load this
    from telnyx_conformance.contract.document import load_edition  # noqa: PLC0415

    npx = shutil.which("npx")
    if npx is None:
        pytest.skip("npx is missing")
    document = tmp_path_factory.mktemp("prism") / "bundle.json"
    document.write_text(json.dumps(bundle(load_edition())), encoding="utf-8")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    command = [npx, "--yes", "@stoplight/prism-cli@5", "mock", str(document), "--port", str(port)]
    with subprocess.Popen(  # noqa: S603 - our own command line
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
    ) as process:
        said: deque[str] = deque(maxlen=50)
        listening = threading.Event()
        reader = threading.Thread(target=_read, args=(process.stdout, said, listening), daemon=True)
        reader.start()
        try:
            listening.wait()
            if "is listening on" not in "".join(said):
                pytest.skip(f"npx could not start Prism: {''.join(said)[-500:]}")
            yield port
        finally:
            _end(process)
            reader.join()


def _read(output: IO[str], said: deque[str], listening: threading.Event) -> None:
    """Read what Prism says to the end, so that it is never held up; tell when it listens or will not."""
    for line in output:
        said.append(line)
        if "is listening on" in line:
            listening.set()
    listening.set()


def _end(process: subprocess.Popen[str]) -> None:
    """End npx and the server that it started: they share a process group of their own."""
    os.killpg(process.pid, signal.SIGTERM)
    try:
        process.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
