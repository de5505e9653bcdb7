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

import msgspec
from load import Load, drive, post
from servers import bare, emulator, memory, prism, processor_seconds, receiver

from telnyx_conformance.contract.bundle import bundle
from telnyx_conformance.contract.document import load_edition

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

KEY = "KEYTEST_bench"
BODY = {
    "to": "+12025550100",
    "from": "+12025550199",
    "timeout_secs": 60,
    "time_limit_secs": 14400,
    "client_state": "aGVsbG8=",
}
# A repeated command is validated, found to be one, and answered as before: what a request costs without its effects.
REPEATED = {**BODY, "command_id": "891510ac-f3e4-11e8-af5b-de00688a4901"}
NOBODY = "https://example.com/nobody"  # beyond loopback: events are made and entered in the log, nothing is sent


class Row(msgspec.Struct, frozen=True):
    """One server measured: its load, seconds to its first answer, MiB before and after, microseconds of processor time a
    request, and webhooks a second."""

    name: str
    load: Load
    start: float
    before: float
    after: float
    processor: float
    webhooks: float = 0.0


def ask(port: int, path: str, document: Mapping[str, object]) -> dict[str, str]:
    """Return the `data` of the answer to a POST."""
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}{path}", json.dumps(document).encode(),
        {"authorization": f"Bearer {KEY}", "content-type": "application/json"},
    )  # fmt: skip
    answer: dict[str, dict[str, str]] = json.loads(urllib.request.urlopen(request, timeout=10).read())
    return answer["data"]


def transfers(port: int, webhook: str) -> str:
    """Return where to transfer an answered call: an inbound one, because those have no time limit to run into."""
    asked = {"application_name": "bench", "webhook_event_url": webhook, "webhook_api_version": "2"}
    application = ask(port, "/v2/call_control_applications", asked)
    called = {"connection_id": application["id"], "from": "+12025550199", "to": "+12025550100"}
    call = ask(port, "/_control/inbound_calls", called)["call_control_id"]
    ask(port, f"/v2/calls/{call}/actions/answer", {})
    return f"/v2/calls/{call}/actions/transfer"


def measured(  # noqa: PLR0917 - one row has that many sides
    name: str, server: tuple[int, int, float], path: str, body: dict[str, object], seconds: float, rounds: int
) -> Row:
    port, pid, start = server
    request = post(path, json.dumps(body).encode(), KEY, f"127.0.0.1:{port}")
    drive("127.0.0.1", port, lambda: request, seconds=min(1.0, seconds))
    before, used = memory(pid), processor_seconds(pid)
    runs = [drive("127.0.0.1", port, lambda: request, seconds=seconds) for _ in range(rounds)]
    processor = (processor_seconds(pid) - used) / max(1, sum(run.requests for run in runs)) * 1e6
    middle = sorted(runs, key=lambda r: r.per_second)[len(runs) // 2]
    return Row(name, middle, start, before, memory(pid), processor)


def ours(seconds: float, rounds: int) -> Iterator[Row]:
    for name, options, body in (
        ("ours, validated command", (), REPEATED),
        ("ours, transfer carried out", (), BODY),
        ("ours, carried out, real time", ("--clock", "real"), BODY),
        ("ours, stub", ("--mode", "stub"), BODY),
    ):
        with emulator(*options) as server:
            path = "/v2/calls/v3:bench/actions/transfer" if "stub" in options else transfers(server[0], NOBODY)
            yield measured(name, server, path, body, seconds, rounds)
    with receiver() as inbox, emulator() as server:
        path = transfers(server[0], f"http://127.0.0.1:{inbox}/")
        row = measured("ours, webhooks delivered", server, path, BODY, seconds, rounds)
        count = urllib.request.urlopen(f"http://127.0.0.1:{inbox}/", timeout=10).read()
        yield msgspec.structs.replace(row, webhooks=int(count) / (seconds * rounds + min(1.0, seconds)))
    with emulator() as server:
        path = transfers(server[0], "http://127.0.0.1:9/nobody")
        yield measured("ours, webhooks refused", server, path, BODY, seconds, rounds)


def peers(seconds: float, rounds: int) -> Iterator[Row]:
    with bare() as server:
        yield measured("bare uvicorn application", server, "/v2/calls/v3:bench/actions/transfer", BODY, seconds, rounds)
    with tempfile.TemporaryDirectory() as folder:
        document = Path(folder) / "bundle.json"
        document.write_text(json.dumps(bundle(load_edition())))
        try:
            with prism(document) as server:
                yield measured("Prism 5", server, "/calls/v3:bench/actions/transfer", BODY, seconds, rounds)
        except RuntimeError as why:
            print(f"Prism is not measured: {why}")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--no-peers", action="store_true")
    chosen = parser.parse_args()
    rows = list(ours(chosen.seconds, chosen.rounds))
    rows += [] if chosen.no_peers else peers(chosen.seconds, chosen.rounds)
    print(
        f"{'':30}{'requests/s':>11}{'CPU us':>8}{'p50 ms':>8}{'p99 ms':>8}{'start s':>8}{'MiB':>6}{'after':>6}  statuses"
    )
    for row in rows:
        load = row.load
        more = f", {row.webhooks:,.0f} webhooks/s" if row.webhooks else ""
        print(
            f"{row.name:30}{load.per_second:11,.0f}{row.processor:8,.0f}{load.p50:8.2f}{load.p99:8.2f}{row.start:8.2f}"
            f"{row.before:6.0f}{row.after:6.0f}  {load.statuses}{more}"
        )
    print(f"median of {chosen.rounds} rounds of {chosen.seconds:g} s at 16 connections; one process each")


if __name__ == "__main__":
    main()
