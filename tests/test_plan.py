import copy
import re
from typing import Any

import msgspec
import pytest

from telnyx_conformance.contract.document import load_edition
from telnyx_conformance.contract.model import Edition
from telnyx_conformance.contract.requirements import enumerate_requirements
from telnyx_conformance.errors import HarnessError
from telnyx_conformance.plan.isolation import isolate
from telnyx_conformance.plan.planner import Planner
from telnyx_conformance.plan.planning import plan_operation
from telnyx_conformance.plan.probe import Plan, Probe
from telnyx_conformance.plan.selfcheck import check_plan

ADDRESS = re.compile(r"https?://([^/\"]+)|\+\d{8,15}")
OURS = re.compile(r".*(?:\.|\A)example\.(?:com|org)\Z|\+1202555\d{4,8}\Z|127\.0\.0\.1:9\Z")


@pytest.fixture(scope="module")
def edition() -> Edition:
    return load_edition()


@pytest.fixture(scope="module")
def plans(edition: Edition) -> dict[str, Plan]:
    return {operation.id: plan_operation(edition, operation) for operation in edition.operations}


@pytest.fixture(scope="module")
def transfer(edition: Edition) -> Plan:
    return plan_operation(edition, edition.operation("TransferCall"))


def planner_of(edition: Edition, name: str) -> Planner:
    return Planner(edition, edition.operation(name), 1)


def accepted_bodies(plan: Plan) -> list[dict[str, Any]]:
    return [p.body for p in plan.probes if p.expect == "accept" and isinstance(p.body, dict)]


def refused(plan: Plan, name: str) -> Probe:
    return next(p for p in plan.probes if p.violation and p.violation.requirement == f"{plan.operation}:{name}")


# Planning all operations checks each probe against the contract and each requirement for a probe: it raises otherwise.
def test_every_operation_has_a_plan_that_is_what_it_claims(edition: Edition, plans: dict[str, Plan]) -> None:
    assert set(plans) == set(edition.by_id)
    assert sum(len(plan.probes) for plan in plans.values()) > 14_000


def test_no_plan_is_far_above_its_lower_bound(plans: dict[str, Plan]) -> None:
    probes = sum(len(plan.probes) for plan in plans.values())
    bound = sum(plan.lower_bound for plan in plans.values())
    print(f"{probes} probes, lower bound {bound}, {probes / bound:.4f}")  # noqa: T201 - figures for whoever asks
    assert bound <= probes <= 1.1 * bound
    assert {p.operation: len(p.probes) for p in plans.values() if len(p.probes) > 1.1 * p.lower_bound} == {}
    assert {p.operation: len(p.probes) for p in plans.values() if len(p.probes) < p.lower_bound} == {}


def test_the_same_seed_gives_the_same_probes(edition: Edition, transfer: Plan) -> None:
    again = plan_operation(edition, edition.operation("TransferCall"))
    assert msgspec.json.encode(again) == msgspec.json.encode(transfer)


def test_another_seed_packs_other_values_under_the_same_requirements(edition: Edition, transfer: Plan) -> None:
    other = plan_operation(edition, edition.operation("TransferCall"), 2)
    assert msgspec.json.encode(other) != msgspec.json.encode(transfer)
    assert {c for p in other.probes for c in p.covers} == {c for p in transfer.probes for c in p.covers}


def test_numbers_are_fictional_and_addresses_nobodys(plans: dict[str, Plan]) -> None:
    found = {
        match.group(1) or match.group()
        for plan in plans.values()
        for probe in plan.probes
        if probe.expect == "accept"
        for match in ADDRESS.finditer(msgspec.json.encode([probe.body, probe.query]).decode())
    }
    strangers = sorted(word for word in found if not OURS.match(word))
    assert strangers == []


@pytest.mark.parametrize(
    ("field", "taken", "not_taken"),
    [
        ("timeout_secs", {5, 600}, {4, 601}),
        ("time_limit_secs", {30, 14400}, {29, 14401}),
        (
            "answering_machine_detection",
            {"premium", "detect", "detect_beep", "detect_words", "greeting_end", "disabled"},
            set(),
        ),
        ("webhook_url_method", {"POST", "GET"}, set()),
        ("early_media", {True, False}, set()),
    ],
)
def test_transfer_is_asked_at_its_edges(transfer: Plan, field: str, taken: set[Any], not_taken: set[Any]) -> None:
    assert taken <= {body[field] for body in accepted_bodies(transfer) if field in body}
    wrong = [
        p.body[field]
        for p in transfer.probes
        if p.expect == "refuse" and field in (p.body if isinstance(p.body, dict) else {})
    ]
    assert all(value in wrong for value in not_taken)


def test_what_excludes_each_other_never_stands_in_one_accepted_request(transfer: Plan) -> None:
    together = [b for b in accepted_bodies(transfer) if {"audio_url", "media_name"} <= set(b)]
    assert together == []
    assert {"audio_url", "media_name"} <= set(refused(transfer, "request.body:exclusive=audio_url+media_name").body)


def test_a_refused_probe_names_its_culprit(transfer: Plan) -> None:
    violation = refused(transfer, "request.body.sip_headers[].name:enum").violation
    assert violation is not None
    assert violation.pointers == ("/sip_headers/0/name",)
    assert violation.pointer_requirement == "TransferCall:request.body.sip_headers[].name:pointer"
    assert violation.statuses == (422, 400)


def test_a_path_parameter_may_be_refused_as_not_found(plans: dict[str, Plan]) -> None:
    statuses = [
        p.violation.statuses for plan in plans.values() for p in plan.probes
        if p.violation and ":request.path." in p.violation.requirement
    ]  # fmt: skip
    assert statuses
    assert all(404 in row for row in statuses)


def test_every_probe_that_is_refused_for_a_value_covers_one_requirement(plans: dict[str, Plan]) -> None:
    assert [
        p.id for plan in plans.values() for p in plan.probes if (p.violation is None) != (p.expect == "accept")
    ] == []


def test_every_wording_that_is_judged_is_required(edition: Edition, plans: dict[str, Plan]) -> None:
    for name in ("TransferCall", "DialCall", "ListPhoneNumbers"):
        known = {r.id for r in enumerate_requirements(edition, edition.operation(name))}
        named = {
            word for p in plans[name].probes if p.violation
            for word in (p.violation.pointer_requirement, p.violation.code_requirement) if word
        }  # fmt: skip
        assert named <= known


def test_isolation_carries_every_value_alone(edition: Edition, transfer: Plan) -> None:
    full = next(p for p in transfer.probes if p.id == "TransferCall:requests:valid-01")
    alone = isolate(edition, edition.operation("TransferCall"), full)
    assert {c for p in alone for c in p.covers} == set(full.covers)
    assert all(len(p.body) <= 2 for p in alone)
    assert len({p.id for p in alone}) == len(alone)


def test_what_carries_one_value_is_not_taken_apart(edition: Edition, transfer: Plan) -> None:
    last = next(p for p in transfer.probes if p.id == "TransferCall:requests:valid-06")
    assert isolate(edition, edition.operation("TransferCall"), last) == ()
    assert isolate(edition, edition.operation("TransferCall"), transfer.probes[0]) == ()


def test_header_shapes_are_taken_apart_too(edition: Edition, transfer: Plan) -> None:
    full = next(p for p in transfer.probes if p.id == "TransferCall:headers")
    alone = isolate(edition, edition.operation("TransferCall"), full)
    assert [p.headers for p in alone] == [
        {"accept": "application/json"},
        {"content-type": "application/json; charset=utf-8"},
        {"authorization": "bearer {key}"},
    ]


# Planted faults: the harness accuses itself.
def with_probe(plan: Plan, name: str, **changes: Any) -> Plan:
    probes = tuple(msgspec.structs.replace(p, **changes) if p.id == name else p for p in plan.probes)
    return Plan(operation=plan.operation, probes=probes, bounds=plan.bounds)


@pytest.mark.parametrize(
    ("probe", "body", "problem"),
    [
        ("request:minimal", {"to": 7}, "a probe that is to be accepted is invalid"),
        (
            "request.body.timeout_secs:minimum",
            {"to": "+12025550100", "timeout_secs": 5},
            "a probe that is to be refused is valid",
        ),
        (
            "request.body.timeout_secs:minimum",
            {"to": "+12025550100", "timeout_secs": 601},
            "a probe breaks another rule than its requirement",
        ),
        (
            "request.body.timeout_secs:minimum",
            {"to": "+12025550100", "timeout_secs": 4, "time_limit_secs": 1},
            "a probe breaks more than its requirement",
        ),
        ("request.body.to:required", {"to": "+12025550100"}, "a probe that is to be refused is valid"),
        ("auth:missing", {}, "a probe of the whole operation is invalid besides"),
    ],
)
def test_a_probe_that_is_not_what_it_claims_is_caught(
    edition: Edition, transfer: Plan, probe: str, body: dict[str, Any], problem: str
) -> None:
    planted = with_probe(transfer, f"TransferCall:{probe}", body=body)
    with pytest.raises(HarnessError, match=problem):
        check_plan(planner_of(edition, "TransferCall"), planted)


def test_a_requirement_without_a_probe_is_caught(edition: Edition, transfer: Plan) -> None:
    planted = Plan(
        operation=transfer.operation,
        probes=tuple(p for p in transfer.probes if p.id != "TransferCall:request.body.timeout_secs:maximum"),
        bounds=transfer.bounds,
    )
    planner = planner_of(edition, "TransferCall")
    planner.wanted = planner.wanted | {"TransferCall:request.body.timeout_secs:never"}
    with pytest.raises(HarnessError, match="no probe proves a requirement"):
        check_plan(planner, planted)


def test_two_probes_with_one_id_are_caught(edition: Edition, transfer: Plan) -> None:
    planted = Plan(operation=transfer.operation, probes=(*transfer.probes, transfer.probes[0]), bounds=transfer.bounds)
    with pytest.raises(HarnessError, match="share an id"):
        check_plan(planner_of(edition, "TransferCall"), planted)


def test_a_bound_that_moves_moves_its_probes(edition: Edition) -> None:
    document = copy.deepcopy(edition.document)
    document["components"]["schemas"]["TransferCallRequest"]["properties"]["timeout_secs"]["minimum"] = 7
    moved = msgspec.structs.replace(edition, document=document)
    plan = plan_operation(moved, moved.operation("TransferCall"))
    assert refused(plan, "request.body.timeout_secs:minimum").body["timeout_secs"] == 6
