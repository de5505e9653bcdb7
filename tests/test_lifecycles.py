"""Lifecycles: every operation is placed, and every path parameter can be come by."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from telnyx_conformance.contract.document import load_edition
from telnyx_conformance.contract.envelopes import envelope_of
from telnyx_conformance.contract.lifecycles import Lifecycles, Producer, Resource, lifecycles_of, path_parameters
from telnyx_conformance.errors import ContractError, UnknownName

if TYPE_CHECKING:
    from telnyx_conformance.contract.model import Operation

EDITION = load_edition()
LIFECYCLES = lifecycles_of(EDITION)


def test_every_operation_has_a_role_in_the_life_of_one_resource() -> None:
    roles = {operation.id: LIFECYCLES.of(operation.id).role for operation in EDITION.operations}

    assert len(roles) == 739
    assert {"create", "list", "read", "update", "delete", "action", "collection_action", "report"} == set(
        roles.values()
    )


def test_every_path_parameter_is_made_listed_or_free() -> None:
    producers = [
        LIFECYCLES.producer(operation.id, name)
        for operation in EDITION.operations
        for name in path_parameters(operation)
    ]

    assert len(producers) == 521
    assert all(p.value if p.kind == "value" else p.operation in EDITION.by_id for p in producers)


def test_what_deletes_or_reads_has_the_method_of_it() -> None:
    methods = {"delete": {"DELETE"}, "list": {"GET"}, "read": {"GET", "HEAD"}}
    wrong = [
        operation
        for resource in LIFECYCLES
        for role, allowed in methods.items()
        for operation in resource.operations.get(role, ())  # type: ignore[call-overload]
        if EDITION.operation(operation).method not in allowed
    ]

    assert wrong == []


@pytest.mark.parametrize(
    ("operation", "name", "expected"),
    [
        ("GetBillingGroup", "id", Producer(kind="create", operation="CreateBillingGroup", place="data.id")),
        ("GetRecording", "recording_id", Producer(kind="list", operation="GetRecordings", place="data.0.id")),
        ("LookupNumber", "phone_number", Producer(kind="value", value="+12025550123")),
        (
            "GetDialogflowConnection",
            "connection_id",
            Producer(kind="create", operation="CreateDialogflowConnection", place="data.connection_id"),
        ),
        ("GetObject", "objectName", Producer(kind="create", operation="PutObject")),
        ("GetTexmlCall", "call_sid", Producer(kind="list", operation="GetTexmlCalls", place="calls.0.sid")),
    ],
)
def test_a_producer_says_where_the_id_stands(operation: str, name: str, expected: Producer) -> None:
    assert LIFECYCLES.producer(operation, name) == expected


def test_lists_are_told_from_single_resources() -> None:
    envelope = envelope_of(EDITION, EDITION.operation("ListBillingGroups"))

    assert (envelope.slot, envelope.is_list, envelope.place("id", index=2)) == ("data", True, "data.2.id")


def test_a_misspelt_operation_is_refused_with_the_nearest_one() -> None:
    resource = Resource(name="x", operations={"list": ("ListBilingGroups",)})
    with pytest.raises(UnknownName, match="ListBillingGroups"):
        Lifecycles(EDITION, ()).add(resource)


def test_two_lifecycles_for_one_operation_are_refused() -> None:
    lifecycles = Lifecycles(EDITION, ())
    lifecycles.add(Resource(name="x", operations={"list": ("ListBillingGroups",)}))

    with pytest.raises(ContractError, match="two lifecycles"):
        lifecycles.add(Resource(name="y", operations={"list": ("ListBillingGroups",)}))


def test_a_parameter_from_nowhere_is_refused() -> None:
    operation: Operation = EDITION.operation("GetBillingGroup")

    with pytest.raises(ContractError, match="comes from nowhere"):
        Lifecycles(EDITION, ()).key(operation.id, "id")
