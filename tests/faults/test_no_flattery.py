"""What was not shown does not count: no answer, no prerequisite, no patience and no event never become a pass."""

from __future__ import annotations

from collections import Counter
from typing import Any

import httpx
import pytest

from telnyx_conformance.contract.document import load_edition
from telnyx_conformance.contract.sequences import load_sequences
from telnyx_conformance.run import proving
from telnyx_conformance.run.planning import required_by
from telnyx_conformance.run.session import MOST_TRIES

SAMPLE = [operation for operation in load_edition().operations if operation.server == "api"][::30]
CLASSES = ("surface", "requests", "envelopes", "headers")
SEQUENCES = [s.name for s in load_sequences("2025-06-16") if s.command == "TransferCall"][::8]
OK: dict[str, Any] = {"data": {}}
REFUSED = {"errors": [{"code": "10015", "title": "No"}]}


def every(status: int, document: Any) -> Any:
    """Answer every probe so; what a probe needs beforehand is there."""

    async def answer(asked: Any, request: httpx.Request, real: Any) -> httpx.Response:
        if asked.probe is not None:
            return httpx.Response(status, json=document)
        response: httpx.Response = await real(request)
        return response

    return answer


async def nobody(_: Any, request: httpx.Request, __: Any) -> httpx.Response:
    raise httpx.ConnectError("planted", request=request)


def words(report: Any) -> Counter[str]:
    return Counter(verdict.verdict for verdict in report.verdicts)


def test_the_sample_is_25_operations_of_many_groups() -> None:
    assert len(SAMPLE) == 25
    assert len({operation.group for operation in SAMPLE}) >= 20


@pytest.mark.parametrize("operation", SAMPLE, ids=lambda operation: operation.id)
def test_every_planned_requirement_gets_one_verdict_and_no_other_does(
    target: Any, operation: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: set[str] = set()
    worst: Any = proving.__dict__["worst"]

    def heard(verdicts: Any) -> Any:
        final = worst(verdicts)
        said.update(final)
        return final

    monkeypatch.setattr(proving, "worst", heard)
    planned = [r for r in target.settings.required(operation) if r.conformance_class in CLASSES]
    judged = [v.requirement for proven in CLASSES for v in target.prove(proven, operation).verdicts]
    assert sorted(judged) == sorted(requirement.id for requirement in planned)
    assert said == set(judged)


@pytest.mark.parametrize("operation", SAMPLE, ids=lambda operation: operation.id)
def test_a_pass_names_the_exchange_that_shows_it(target: Any, operation: Any) -> None:
    bare = [
        v.requirement
        for proven in CLASSES
        for v in target.prove(proven, operation).verdicts
        if v.verdict == "pass" and not v.exchanges
    ]
    assert bare == []


@pytest.mark.parametrize("operation", SAMPLE, ids=lambda operation: operation.id)
@pytest.mark.parametrize("proven", CLASSES)
def test_a_target_that_is_down_leaves_everything_inconclusive(target: Any, operation: Any, proven: str) -> None:
    planned = required_by(target.settings, proven, operation)
    assert words(target.prove(proven, operation, answer=nobody)) == Counter(inconclusive=len(planned))


@pytest.mark.parametrize("proven", CLASSES)
def test_what_is_throttled_to_the_end_is_inconclusive(target: Any, proven: str) -> None:
    asked: Counter[str] = Counter()

    async def throttled(_: Any, request: httpx.Request, __: Any) -> httpx.Response:
        asked[f"{request.url} {request.content!r}"] += 1
        return httpx.Response(429, json=REFUSED, headers={"retry-after": "0"})

    report = target.prove(proven, "ListBillingGroups", answer=throttled)
    assert set(words(report)) == {"inconclusive"}
    assert [v for v in report.verdicts if "throttle" not in v.actual] == []
    assert min(asked.values()) >= MOST_TRIES


@pytest.mark.parametrize("proven", ["requests", "envelopes", "headers"])
def test_a_prerequisite_that_cannot_be_had_is_no_pass_and_no_failure(target: Any, proven: str) -> None:
    async def nothing_is_created(asked: Any, request: httpx.Request, real: Any) -> httpx.Response:
        if asked.operation == "CreateBillingGroup":
            return httpx.Response(503, json=REFUSED)
        response: httpx.Response = await real(request)
        return response

    report = target.prove(proven, "UpdateBillingGroup", answer=nothing_is_created)
    assert set(words(report)) == {"inconclusive"}


@pytest.mark.parametrize("operation", SAMPLE, ids=lambda operation: operation.id)
def test_a_target_that_takes_everything_refuses_nothing(target: Any, operation: Any) -> None:
    broken = {p.violation.requirement for p in target.session.plan(operation).probes if p.violation}
    taken = [
        v
        for proven in ("surface", "requests", "headers")
        for v in target.prove(proven, operation, answer=every(200, OK)).verdicts
    ]
    assert {v.requirement for v in taken if v.verdict == "fail"} == broken


@pytest.mark.parametrize("operation", SAMPLE, ids=lambda operation: operation.id)
def test_a_target_that_refuses_everything_takes_nothing(target: Any, operation: Any) -> None:
    covered = {r for p in target.session.plan(operation).probes for r in p.covers}
    refused = [
        v
        for proven in ("requests", "headers", "envelopes")
        for v in target.prove(proven, operation, answer=every(422, REFUSED)).verdicts
    ]
    assert [v.requirement for v in refused if v.requirement in covered and v.verdict == "pass"] == []
    assert [v.requirement for v in refused if ":response." in v.requirement and v.verdict == "pass"] == []


@pytest.mark.parametrize("sequence", SEQUENCES)
@pytest.mark.parametrize("proven", ["webhooks", "commands"])
def test_a_target_that_is_down_leaves_a_sequence_inconclusive(target: Any, sequence: str, proven: str) -> None:
    assert set(words(target.prove(proven, sequence, answer=nobody))) == {"inconclusive"}


@pytest.mark.parametrize("sequence", SEQUENCES)
def test_without_any_event_nothing_passes(target: Any, sequence: str) -> None:
    assert words(target.prove("webhooks", sequence, post=lambda _: []))["pass"] == 0
