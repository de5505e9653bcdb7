"""How many deliveries per second the judge of sequences takes in: a conforming history, most of it delivered again and again.

python benchmarks/judge.py [--deliveries 100000]
"""

from __future__ import annotations

import argparse
from datetime import UTC, datetime, timedelta
from time import perf_counter
from typing import TYPE_CHECKING, Any

from telnyx_conformance.checks.event_schema import event_validators
from telnyx_conformance.checks.history import Bindings, LegIds
from telnyx_conformance.checks.sequence import judge_sequence
from telnyx_conformance.contract.document import load_edition
from telnyx_conformance.contract.exchange import Event
from telnyx_conformance.contract.sequences import load_sequences

if TYPE_CHECKING:
    from telnyx_conformance.contract.sequence import Sequence

EPOCH = datetime(2025, 6, 16, tzinfo=UTC)
SEQUENCE = "transfer-answered"


def delivery(leg: str, kind: str, second: float, arrival: int, name: str) -> Event:
    """Return one delivery of an event called `name`."""
    payload: dict[str, Any] = {field: f"{field} {leg}" for field in ("call_control_id", "call_leg_id")}
    data = {
        "record_type": "event",
        "event_type": kind,
        "id": name,
        "occurred_at": (EPOCH + timedelta(seconds=second)).isoformat(),
        "payload": payload | {"call_session_id": "session", "connection_id": "7"},
    }
    return Event(token="main", arrival=arrival, method="POST", path="/main", document={"data": data}, signature="valid")


def history(sequence: Sequence, deliveries: int, distinct: int) -> list[Event]:
    """Return so many deliveries of so many different events."""
    kinds = [("A", "call.initiated"), ("A", "call.answered")] + [(i.leg, i.event) for i in sequence.wanted.values()]
    made = []
    for arrival in range(deliveries):
        number = arrival % distinct
        leg, kind = kinds[number % len(kinds)]
        made.append(delivery(leg, kind, number, arrival, f"event {number}"))
    return made


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--deliveries", type=int, default=100_000)
    asked = parser.parse_args()
    edition = load_edition()
    [sequence] = [s for s in load_sequences(edition.name) if s.name == SEQUENCE]
    bindings = Bindings(legs={"A": LegIds(call_control_id="call_control_id A", call_leg_id="call_leg_id A")})
    validators = event_validators(edition, [edition.operation(sequence.command)])
    print(f"{'deliveries':>12}{'events':>12}{'seconds':>12}{'per second':>12}")
    for count in (asked.deliveries // 10, asked.deliveries):
        for distinct in (len(sequence.wanted) + 2, count // 10, count):
            events = history(sequence, count, distinct)
            began = perf_counter()
            judge_sequence(sequence, events, bindings, validators)
            seconds = perf_counter() - began
            print(f"{count:12,}{distinct:12,}{seconds:12.3f}{count / seconds:12,.0f}")


if __name__ == "__main__":
    main()
