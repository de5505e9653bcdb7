"""Requirements on lives: read off the lifecycles, only where something could show that they are broken."""

from __future__ import annotations

import pytest

from telnyx_conformance.contract.document import load_edition
from telnyx_conformance.contract.lifecycle_requirements import life_of, lifecycle_requirements
from telnyx_conformance.contract.lifecycles import load_lifecycles

EDITION = load_edition()
LIFECYCLES = load_lifecycles()


def kinds(operation: str) -> dict[str, str]:
    return {r.kind: r.level for r in lifecycle_requirements(EDITION, EDITION.operation(operation))}


@pytest.mark.parametrize(
    ("operation", "expected"),
    [
        ("CreateBillingGroup", {"readable": "MUST", "listed": "MUST", "distinct": "MUST", "once": "SHOULD"}),
        ("GetBillingGroup", {"kept": "MUST", "isolated": "MUST"}),
        ("ListBillingGroups", {"kept": "MUST", "isolated": "MUST"}),
        ("DeleteBillingGroup", {"gone": "MUST", "alone": "MUST", "again": "SHOULD", "isolated": "MUST"}),
        ("create_integration_secret", {"listed": "MUST", "distinct": "MUST", "once": "SHOULD"}),
        ("RetrieveRequirementType", {"kept": "MUST"}),
        ("CreateBucket", {}),
        ("TransferCall", {}),
    ],
)
def test_an_operation_is_held_to_what_can_be_seen(operation: str, expected: dict[str, str]) -> None:
    assert kinds(operation) == expected


def test_a_change_is_held_to_more_when_it_names_what_it_changes() -> None:
    assert "merged" in kinds("UpdateOutboundVoiceProfile")
    assert "merged" not in kinds("UpdateLoaConfiguration")  # it must name everything
    assert EDITION.operation("UpdateBrand").method == "PUT"
    assert "merged" not in kinds("UpdateBrand")


def test_who_chooses_the_id_itself_is_not_held_to_a_new_one() -> None:
    assert "distinct" not in kinds("CreateVerifiedNumber")


def test_what_departs_is_left_out() -> None:
    assert "isolated" not in kinds("GetStorageSSLCertificates")
    assert "kept" in kinds("GetStorageSSLCertificates")


def test_every_departure_names_a_statement_that_would_be_made() -> None:
    departing = [(r, operation, kind) for r in LIFECYCLES for operation, row in r.departs.items() for kind in row]
    assert departing
    for resource, operation, kind in departing:
        assert operation in {o.id for o in life_of(EDITION, resource).operations}
        assert kind not in kinds(operation)


def test_defaults_are_those_that_request_and_answer_agree_on() -> None:
    life = life_of(EDITION, LIFECYCLES.resources["credential_connections"])
    defaults = life.defaults["CreateCredentialConnection"]
    assert defaults["dtmf_type"] == "RFC 2833"
    assert "default_on_hold_comfort_noise_enabled" not in defaults  # false in the one, true in the other


def test_what_moves_by_itself_is_not_compared() -> None:
    life = life_of(EDITION, LIFECYCLES.resources["queues"])
    moving = [name for name in ("status", "call_status", "updated_at", "current_size") if life.is_volatile(name)]
    assert moving == ["status", "call_status", "updated_at", "current_size"]
    assert not life.is_volatile("name")
