"""Builds run folders with evidence as a run writes it: small ones by hand, large ones of realistic size."""

from __future__ import annotations

import itertools
import json
import random
import re
from typing import TYPE_CHECKING, Any

import pytest

from telnyx_conformance.content import content_root

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

EDITION = "2025-06-16"
BASE_URL = "http://127.0.0.1:4010/v2"
RUN = {
    "t": "run",
    "schema_version": 1,
    "edition": EDITION,
    "target": {"kind": "url", "base_url": BASE_URL},
    "seed": 7,
    "started_at": "2026-03-01T10:00:00+00:00",
    "arguments": {},
}
END = {"t": "end", "seconds": 2.5, "requests": 10, "events": 3, "interrupted": False}
KINDS = {
    "surface": ["path:routed", "method:refused", "auth:missing", "auth:invalid"],
    "requests": [
        *(f"request.body.{name}:type" for name in ("name", "tags", "webhook_url", "timeout_secs")),
        *(f"request.body.{name}:null" for name in ("name", "tags", "webhook_url", "timeout_secs")),
        "request.body.timeout_secs:minimum", "request.body.timeout_secs:maximum", "request.body.name:maxLength",
        *(f"request.body.mode:enum={value}" for value in ("alpha", "beta", "gamma", "delta")),
        *(f"request.query.page[size]:{rule}" for rule in ("minimum", "maximum", "type")),
        *(f"request.query.page[number]:{rule}" for rule in ("minimum", "maximum", "type")),
    ],
    "envelopes": ["response.200:schema", "response.200:media-type", "response.4XX:envelope", "response.200:page-size"],
    "headers": ["header.Content-Type:accepted", "header.Content-Type:refused", "header.Accept:ignored"],
    "lifecycles": ["lifecycle.created:readable", "lifecycle.deleted:gone"],
    "webhooks": ["webhooks.answered:order", "webhooks.answered:must.bridged-a", "webhooks.no-answer:must.hangup"],
}  # fmt: skip


def plan_line(requirements: Iterable[dict[str, Any]], **fields: Any) -> dict[str, Any]:
    return {"t": "plan", "requirements": list(requirements), "probes": 0, "lower_bound": 0, **fields}


def planned(identifier: str, **fields: Any) -> dict[str, Any]:
    operation = identifier.partition(":")[0]
    plain = {"operation": operation, "group": "Call Commands", "class": "requests", "level": "MUST", "kind": "minimum"}
    return {"id": identifier, **plain, "statement": f"{identifier} holds.", "source": "Transfer call", **fields}


def judged(identifier: str, verdict: str, **fields: Any) -> dict[str, Any]:
    plain = {"check": "status", "expected": "422", "actual": "200", "probe": "p1", "exchanges": []}
    return {"t": "verdict", "requirement": identifier, "verdict": verdict, **plain, **fields}


def write_lines(file: Path, records: Iterable[dict[str, Any]]) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("".join(json.dumps(record) + "\n" for record in records))
    return file


def transfer(number: int, *, answer: str = "", events: int = 6) -> dict[str, Any]:
    """A transfer as it is recorded, with the events of two legs."""
    names = ["call.initiated", "call.answered", "call.bridged", "call.bridged", "call.hangup", "call.hangup"]
    listed = [
        {
            "arrival": number * 100 + place,
            "method": "POST",
            "signature": "invalid" if place == 2 else "valid",
            "answered": 200,
            "raw": "",
            "document": {
                "data": {
                    "id": f"event-{number}-{place}",
                    "event_type": name,
                    "occurred_at": f"2026-03-01T10:00:{place * 7:02}.250000Z",
                    "payload": {
                        "call_leg_id": f"leg-{'b' if place in (0, 1, 3) else 'a'}",
                        "direction": "outgoing",
                        **({"hangup_cause": "timeout"} if name == "call.hangup" else {}),
                    },
                }
            },
        }
        for place, name in enumerate(names[:events])
    ]
    body = {"to": "+12025550100", "client_state": "aGVsbG8=", "timeout_secs": 4, "note": 'it\'s "quoted" $HOME `id`'}
    return {
        "t": "exchange", "n": number, "worker": "main", "probe": "p1", "operation": "TransferCall",
        "request": {
            "method": "POST",
            "url": f"{BASE_URL}/calls/v3:call-{number}/actions/transfer",
            "headers": [
                ["authorization", "Bearer [redacted]"], ["content-type", "application/json"], ["host", "127.0.0.1"],
            ],
            "body": json.dumps(body),
        },
        "response": {
            "status": 200,
            "headers": [["content-type", "application/json"]],
            "body": answer or json.dumps({"data": {"result": "ok", "call_control_id": f"v3:call-{number}"}}),
            "seconds": 0.004,
        },
        "error": "",
        "events": listed,
    }  # fmt: skip


def realistic(
    folder: Path, *, requirements: int = 30_000, failing: float = 0.0, undecided: float = 0.0, hostile: str = ""
) -> Path:
    """Write the evidence of a run over 128 groups and 739 operations; `hostile` stands wherever a target may speak."""
    source = random.Random(1)  # noqa: S311 - a figure to look at, no secret
    files = sorted((content_root() / "contracts" / EDITION / "groups").glob("*.yaml"))
    groups = [re.sub("[-_]", " ", file.stem).title() for file in files][:128]
    groups += [f"Group {number}" for number in range(128 - len(groups))]
    owners = [*groups, *source.choices(groups, [1 / (place + 3) for place in range(128)], k=739 - 128)]
    verbs = ["List", "Create", "Update", "Delete", "Retrieve"]
    operations = [
        (f"{source.choice(verbs)}{group.replace(' ', '')}{number}", group)
        for number, group in enumerate(sorted(owners))
    ]
    pool = [(name, rest) for name, rests in KINDS.items() for rest in rests]
    lines: list[dict[str, Any]] = [RUN]
    exchanges = itertools.count()
    left = requirements
    broken = set(source.sample(groups, 17))
    for place, (operation, group) in enumerate(operations):
        share = left // (len(operations) - place)
        left -= share
        chosen = [(*pool[(place + number) % len(pool)], number // len(pool)) for number in range(share)]
        items = [
            planned(
                f"{operation}:{rest}{f'-{turn}' if turn else ''}",
                operation=operation, group=group,
                level=source.choices(["MUST", "SHOULD", "MAY"], [90, 8, 2])[0],
                statement=f"A request to {operation} that breaks {rest} is refused with the documented status.",
                source=f"{operation}, request body", **{"class": name},
            )
            for name, rest, turn in chosen
        ]  # fmt: skip
        lines.append(plan_line(items, probes=share + 2, lower_bound=share))
        for item in items:
            odds = (failing * 4, undecided * 4) if group in broken else (failing / 8, undecided / 8)
            kind = source.choices(["fail", "inconclusive", "pass"], [*odds, max(0.0, 1 - sum(odds))])[0]
            number = []
            if kind != "pass":
                number = [next(exchanges)]
                events = 6 if item["class"] == "webhooks" else 0
                lines.append(transfer(number[0], answer=hostile, events=events))
            actual = {"pass": "", "fail": "200, and the call was transferred", "inconclusive": "no answer within 30 s"}[
                kind
            ]
            said = hostile if hostile and kind != "pass" else actual
            expected = "422 with code 10015 and source.pointer /timeout_secs"
            lines.append(judged(item["id"], kind, expected=expected, actual=said, exchanges=number))
    lines.append({**END, "requests": requirements + 1300, "seconds": 41.3, "events": 5200})
    write_lines(folder / "evidence.ndjson", lines)
    return folder


class Builder:
    """What tests build evidence with."""

    run, end = RUN, END
    base_url = BASE_URL
    plan = staticmethod(plan_line)
    planned = staticmethod(planned)
    judged = staticmethod(judged)
    transfer = staticmethod(transfer)
    lines = staticmethod(write_lines)
    realistic = staticmethod(realistic)


@pytest.fixture(scope="session")
def build() -> type[Builder]:
    return Builder


@pytest.fixture
def run_of(tmp_path: Path) -> Callable[..., Path]:
    """Write a run of a few requirements: `run_of({"A:x": "pass"}, levels={"A:x": "MAY"})`."""

    def written(verdicts: dict[str, str | None], *, levels: dict[str, str] | None = None, end: bool = True) -> Path:
        items = [planned(identifier, level=(levels or {}).get(identifier, "MUST")) for identifier in verdicts]
        records = [judged(identifier, verdict) for identifier, verdict in verdicts.items() if verdict]
        write_lines(tmp_path / "run" / "evidence.ndjson", [RUN, plan_line(items), *records, *([END] if end else [])])
        return tmp_path / "run"

    return written
