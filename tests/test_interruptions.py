"""Whenever a run or a served emulator is told to end, it ends: nothing is left running, nothing that was written is lost."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from telnyx_conformance.interruption import heed_termination
from telnyx_conformance.mutants.running import LOG, read_log

if TYPE_CHECKING:
    from collections.abc import Iterator

SECONDS = 60.0
ENDINGS = [signal.SIGINT, signal.SIGTERM]
MUCH = [f"--only={group}" for group in ("Call Commands", "Conference Commands", "Porting Orders", "Messages")]
Start = Callable[..., "subprocess.Popen[str]"]


def _can_be_interrupted() -> None:
    """Undo what a shell does to processes in the background: they inherit that SIGINT is ignored."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start the command line in a session of its own."""
    started: list[subprocess.Popen[str]] = []

    def starting(*arguments: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(  # noqa: S603 - our own command
            [sys.executable, "-m", "telnyx_conformance", *arguments], cwd=tmp_path, text=True, stderr=subprocess.PIPE,
            env=os.environ | {"NO_COLOR": "1", "COLUMNS": "200"}, start_new_session=True,
            preexec_fn=_can_be_interrupted,  # noqa: PLW1509 - no lock is held here
        )  # fmt: skip
        started.append(process)
        return process

    yield starting
    for process in started:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def until_line(file: Path, number: int) -> None:
    """Return when `file` has so many lines, without asking for them again and again."""
    with subprocess.Popen(  # noqa: S603 - a fixed command
        ["tail", "-n", "+1", "--retry", "-F", str(file)],  # noqa: S607 - whichever is installed
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
    ) as tail:  # fmt: skip
        assert tail.stdout is not None
        for _ in range(number):
            assert tail.stdout.readline()
        tail.kill()


def ends_empty(pid: int) -> bool:
    """Return whether a process group is empty in the end: workers are told to go, and may take a moment to be gone."""
    until = time.monotonic() + SECONDS
    while time.monotonic() < until:
        if group_is_empty(pid):
            return True
    return False


def group_is_empty(pid: int) -> bool:
    """Return whether nobody of a process group runs any more; who has ended and was not reaped does not."""
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            state, _, group = stat.read_text().rpartition(")")[2].split()[:3]
            if int(group) == pid and state != "Z":
                return False
    return True


@pytest.mark.parametrize("sent", ENDINGS)
@pytest.mark.parametrize(
    "moment",
    [
        ("1", "evidence.plan.ndjson", 1), ("1", "evidence.main.ndjson", 1), ("1", "evidence.main.ndjson", 2000),
        ("2", "evidence.gw1.ndjson", 500),
    ],
)  # fmt: skip
def test_a_run_that_is_interrupted_at_any_moment_ends_and_can_be_read(
    start: Start, tmp_path: Path, moment: tuple[str, str, int], sent: signal.Signals
) -> None:
    workers, file, line = moment
    process = start("certify", "--class", "requests", "--no-allure", "--workers", workers, "--out", "run", *MUCH)
    until_line(tmp_path / "run" / file, line)
    process.send_signal(sent)
    said = process.communicate(timeout=SECONDS)[1]
    found = json.loads((tmp_path / "run" / "certificate.json").read_bytes())
    kept = [json.loads(text) for text in (tmp_path / "run" / "evidence.ndjson").read_bytes().splitlines()]

    assert process.returncode == 3
    assert said.strip().splitlines()[-1].startswith("verdict: incomplete")
    assert (found["verdict"], "the run was interrupted" in found["reasons"]) == ("incomplete", True)
    assert len(kept) > line
    assert "Traceback" not in said
    assert ends_empty(process.pid)


@pytest.mark.parametrize("sent", ENDINGS)
@pytest.mark.parametrize("workers", ["1", "2"])
def test_planting_that_is_interrupted_ends_and_keeps_its_outcomes(
    start: Start, tmp_path: Path, workers: str, sent: signal.Signals
) -> None:
    process = start("mutants", "run", "--sample", "0", "--only", "Billing Groups", "--workers", workers, "--out", "run")
    until_line(tmp_path / "run" / LOG, 20)
    process.send_signal(sent)
    said = process.communicate(timeout=SECONDS)[1]
    kept = read_log(tmp_path / "run" / LOG)

    assert process.returncode == 3
    assert said.strip().splitlines()[-1] == "interrupted"
    assert "Traceback" not in said
    assert len(kept) == len((tmp_path / "run" / LOG).read_bytes().splitlines()) >= 20
    assert ends_empty(process.pid)


@pytest.mark.parametrize("sent", ENDINGS)
def test_an_emulator_that_is_told_to_end_frees_its_port(start: Start, sent: signal.Signals) -> None:
    process = start("emulate", "--port", "0", "--clock", "real")
    assert process.stderr is not None
    port = int(process.stderr.readline().partition("/v2")[0].rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port), timeout=SECONDS) as caller:
        caller.sendall(b"GET /v2/addresses HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer KEYTEST_1\r\n\r\n")
        assert caller.recv(12) == b"HTTP/1.1 200"
        process.send_signal(sent)
        said = process.communicate(timeout=SECONDS)[1]

    assert (process.returncode, "Traceback" in said) == (0, False)
    assert ends_empty(process.pid)
    with socket.socket() as again:
        again.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        again.bind(("127.0.0.1", port))


def test_a_second_termination_does_not_cut_off_what_the_first_brings_about() -> None:
    before = signal.getsignal(signal.SIGTERM)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    try:
        heed_termination()
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGTERM)
        signal.raise_signal(signal.SIGTERM)
        assert signal.getsignal(signal.SIGTERM) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGTERM, before)


def test_a_handler_of_somebody_else_stays() -> None:
    mine: Callable[..., None] = lambda *_: None  # noqa: E731 - a value of its own
    before = signal.signal(signal.SIGTERM, mine)
    try:
        heed_termination()
        assert signal.getsignal(signal.SIGTERM) is mine
    finally:
        signal.signal(signal.SIGTERM, before)
