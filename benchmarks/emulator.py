"""The emulator beside its peers: validated `POST …/actions/transfer` per second at 16 connections, start, memory.

python benchmarks/emulator.py [--seconds 5] [--rounds 3]
"""

from __future__ import annotations

import argparse
import json
import tempfile
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING

from load import Load, drive, post
from servers import bare, emulator, memory, prism

from telnyx_conformance.contract.bundle import bundle
from telnyx_conformance.contract.document import load_edition

if TYPE_CHECKING:
    from collections.abc import Mapping

KEY = "KEYTEST_bench"
BODY = {
    "to": "+12025550100",
    "from": "+12025550199",
    "timeout_secs": 60,
    "time_limit_secs": 600,
    "client_state": "aGVsbG8=",
}


def dialled(port: int) -> str:
    """Return the id of an answered call on our emulator."""

    def ask(path: str, document: Mapping[str, object]) -> dict[str, dict[str, str]]:
        request = urllib.request.Request(
            f"http://127.0.0.1:{port}/v2{path}", json.dumps(document).encode(),
            {"authorization": f"Bearer {KEY}", "content-type": "application/json"},
        )  # fmt: skip
        answer: dict[str, dict[str, str]] = json.loads(urllib.request.urlopen(request, timeout=10).read())
        return answer

    application = ask(
        "/call_control_applications", {"application_name": "bench", "webhook_event_url": "http://127.0.0.1:9/none"}
    )
    dial = {"to": "+12025550100", "from": "+12025550199", "connection_id": application["data"]["id"]}
    return ask("/calls", dial)["data"]["call_control_id"]


def measured(port: int, pid: int, path: str, seconds: float, rounds: int) -> tuple[Load, float, float]:
    request = post(path, json.dumps(BODY).encode(), KEY, f"127.0.0.1:{port}")
    drive("127.0.0.1", port, lambda: request, seconds=min(1.0, seconds))
    before = memory(pid)
    runs = [drive("127.0.0.1", port, lambda: request, seconds=seconds) for _ in range(rounds)]
    return sorted(runs, key=lambda r: r.per_second)[len(runs) // 2], before, memory(pid)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--rounds", type=int, default=3)
    chosen = parser.parse_args()
    rows: list[tuple[str, Load, float, float, float]] = []
    for name, options in (
        ("stateful, virtual time", ()),
        ("stateful, real time", ("--clock", "real")),
        ("stub", ("--mode", "stub")),
    ):
        with emulator(*options) as (port, pid, start):
            call = dialled(port)
            found = measured(port, pid, f"/v2/calls/{call}/actions/transfer", chosen.seconds, chosen.rounds)
            rows.append((f"ours, {name}", found[0], start, found[1], found[2]))
    with bare() as (port, pid, start):
        found = measured(port, pid, "/v2/calls/v3:bench/actions/transfer", chosen.seconds, chosen.rounds)
        rows.append(("bare uvicorn application", found[0], start, found[1], found[2]))
    with tempfile.TemporaryDirectory() as folder:
        document = Path(folder) / "bundle.json"
        document.write_text(json.dumps(bundle(load_edition())))
        try:
            with prism(document) as (port, pid, start):
                found = measured(port, pid, "/calls/v3:bench/actions/transfer", chosen.seconds, chosen.rounds)
                rows.append(("Prism 5", found[0], start, found[1], found[2]))
        except RuntimeError as why:
            print(f"Prism is not measured: {why}")
    ours = rows[0][1].per_second
    print(
        f"{'':28}{'requests/s':>12}{'ours/it':>9}{'p50 ms':>9}{'p99 ms':>9}{'start s':>9}{'MiB':>8}{'after':>8}  statuses"
    )
    for name, load, start, before, after in rows:
        ratio = ours / load.per_second if load.per_second else float("inf")
        print(
            f"{name:28}{load.per_second:12,.0f}{ratio:9.2f}{load.p50:9.2f}{load.p99:9.2f}{start:9.2f}{before:8.0f}"
            f"{after:8.0f}  {load.statuses}"
        )
    print(f"median of {chosen.rounds} rounds of {chosen.seconds:g} s at 16 connections; one process each")


if __name__ == "__main__":
    main()
