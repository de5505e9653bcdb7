"""Starting and stopping the servers that are measured; each runs as a process of its own on loopback."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from telnyx_conformance.contract.document import load_edition
from telnyx_conformance.contract.validators import standalone

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = Path(__file__).resolve().parent
PRISM = "@stoplight/prism-cli@5"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def running(
    command: list[str], port: int, path: str, *, env: dict[str, str] | None = None, patience: float = 90.0
) -> Iterator[tuple[int, float]]:
    """Start `command`; yield its process id and the seconds until its first answer; end it and its children afterwards."""
    began = time.perf_counter()
    process = subprocess.Popen(
        command,
        env={**os.environ, **(env or {})},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        while time.perf_counter() - began < patience:
            if process.poll() is not None:
                raise RuntimeError(f"{command[0]} ended with {process.returncode}")
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5).read()
                break
            except urllib.error.HTTPError:
                break
            except (OSError, ValueError):
                time.sleep(0.01)
        else:
            raise RuntimeError(f"{command[0]} did not answer within {patience} s")
        yield process.pid, time.perf_counter() - began
    finally:
        with contextlib.suppress(ProcessLookupError):  # npx leaves a child behind that outlives being asked to end
            os.killpg(process.pid, signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(10)
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@contextmanager
def emulator(*options: str) -> Iterator[tuple[int, int, float]]:
    port = free_port()
    command = [sys.executable, "-m", "telnyx_conformance", "emulate", "--port", str(port), *options]
    with running(command, port, "/v2/phone_numbers") as (pid, seconds):
        yield port, pid, seconds


@contextmanager
def receiver() -> Iterator[int]:
    port = free_port()
    with running([sys.executable, str(HERE / "receiver.py"), str(port)], port, "/"):
        yield port


@contextmanager
def bare() -> Iterator[tuple[int, int, float]]:
    edition = load_edition()
    body = edition.operation("TransferCall").body
    assert body is not None
    schema = standalone(edition.document, body.content["application/json"], "request")
    port = free_port()
    command = [
        sys.executable,
        "-m",
        "uvicorn",
        "bare_app:app",
        "--app-dir",
        str(HERE),
        "--port",
        str(port),
        "--no-access-log",
        "--lifespan",
        "off",
    ]
    with running(command, port, "/", env={"BARE_SCHEMA": json.dumps(schema)}) as (pid, seconds):
        yield port, pid, seconds


@contextmanager
def prism(document: Path) -> Iterator[tuple[int, int, float]]:
    """Prism from the npm registry. The first start downloads it, so it is started once before it is timed."""
    npx = shutil.which("npx")
    if npx is None:
        raise RuntimeError("npx is not installed")
    subprocess.run([npx, "--yes", PRISM, "--version"], check=True, capture_output=True, timeout=300)
    port = free_port()
    command = [npx, "--yes", PRISM, "mock", str(document), "--port", str(port), "--host", "127.0.0.1"]
    with running(command, port, "/phone_numbers") as (pid, seconds):
        yield port, pid, seconds


def memory(pid: int) -> float:
    """Return the resident MiB of a process and its descendants."""
    total = 0.0
    waiting = [pid]
    while waiting:
        one = waiting.pop()
        try:
            status = Path(f"/proc/{one}/status").read_text()
            waiting += [
                int(c) for t in Path(f"/proc/{one}/task").iterdir() for c in (t / "children").read_text().split()
            ]
        except OSError:
            continue
        total += next((int(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith("VmRSS")), 0.0)
    return total


def processor_seconds(pid: int) -> float:
    """Return the processor time that a process has used: unlike the rate, it does not depend on who else is busy."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
