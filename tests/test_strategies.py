import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis.strategies import SearchStrategy

from telnyx_conformance.contract.document import load_edition
from telnyx_conformance.errors import UnknownName, UsageError
from telnyx_conformance.plan.planner import Planner
from telnyx_conformance.plan.probe import Probe
from telnyx_conformance.plan.selfcheck import check_accepted, check_refused
from telnyx_conformance.plan.strategies import boundary, headers, invalid, valid
from telnyx_conformance.plan.values import broken

EDITION = load_edition()
FEW = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def planner_of(name: str) -> Planner:
    return Planner(EDITION, EDITION.operation(name), 1)


TRANSFER, LISTING = planner_of("TransferCall"), planner_of("ListPhoneNumbers")
HELD = {f"TransferCall:{f.place}:{c.kind}": (f, c) for f, cs in TRANSFER.held for c in cs}


@FEW
@given(valid("TransferCall"))
def test_every_valid_request_satisfies_the_contract(probe: Probe) -> None:
    assert probe.body["to"]
    if probe.covers:
        check_accepted(TRANSFER, probe)


@FEW
@given(valid("ListPhoneNumbers"))
def test_valid_queries_satisfy_the_contract(probe: Probe) -> None:
    assert probe.body is None
    if probe.covers:
        check_accepted(LISTING, probe)


@FEW
@given(boundary("TransferCall"))
def test_every_boundary_request_satisfies_the_contract(probe: Probe) -> None:
    assert probe.covers
    check_accepted(TRANSFER, probe)


@pytest.mark.parametrize(
    "name",
    [
        "request.body.timeout_secs:minimum",
        "request.body.timeout_secs:maximum",
        "request.body.timeout_secs:type",
        "request.body.answering_machine_detection:enum",
        "request.body.sip_headers[].name:enum",
        "request.body.to:required",
        "request.body.client_state:contentEncoding",
    ],
)
def test_every_invalid_request_breaks_one_requirement(name: str) -> None:
    @FEW
    @given(invalid("TransferCall", name))
    def broken_in_one_place(probe: Probe) -> None:
        assert probe.violation is not None
        assert probe.violation.requirement == f"TransferCall:{name}"
        check_refused(TRANSFER, probe, HELD)

    broken_in_one_place()


@FEW
@given(headers("TransferCall"))
def test_header_shapes_come_one_or_several(probe: Probe) -> None:
    assert 1 <= len(probe.covers) == len(probe.headers) <= 3


@FEW
@given(invalid("ListPhoneNumbers", "request.query.page[size]:maximum"))
def test_invalid_queries_break_one_requirement(probe: Probe) -> None:
    node = next(f.node for f, _ in LISTING.held if f.place == "request.query.page[size]")
    assert broken(node, probe.query["page[size]"]) == ["maximum"]


@pytest.mark.parametrize(
    ("strategy", "shown"),
    [
        (valid("TransferCall"), "valid('TransferCall')"),
        (boundary("TransferCall"), "boundary('TransferCall')"),
        (headers("TransferCall"), "headers('TransferCall')"),
        (
            invalid("TransferCall", "TransferCall:request.body.to:type"),
            "invalid('TransferCall', 'request.body.to:type')",
        ),
    ],
)
def test_a_strategy_says_what_it_makes(strategy: SearchStrategy[Probe], shown: str) -> None:
    assert repr(strategy) == shown


def test_an_unknown_requirement_is_refused_with_the_nearest() -> None:
    with pytest.raises(UnknownName, match=r"unknown requirement") as refused:
        invalid("TransferCall", "request.body.timeout_sec:minimum")
    assert "timeout_secs:minimum" in str(refused.value)


def test_what_no_request_can_break_is_refused() -> None:
    with pytest.raises(UsageError, match="no request can break"):
        invalid("TransferCall", "response.200:schema")


def test_an_operation_without_header_shapes_is_refused() -> None:
    with pytest.raises(UsageError, match="held to no header shape"):
        headers("ListBuckets")


def test_an_unknown_operation_is_refused() -> None:
    with pytest.raises(UnknownName, match="unknown operation"):
        valid("TransferCal")
