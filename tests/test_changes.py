"""Changes: valid requests that give a field a value which it does not have yet."""

from __future__ import annotations

from typing import Any

import pytest

from telnyx_conformance.contract.document import load_edition
from telnyx_conformance.contract.validators import compiled
from telnyx_conformance.plan.changes import Changes, others
from telnyx_conformance.plan.planning import plan_operation
from telnyx_conformance.plan.values import filled

EDITION = load_edition()
UPDATE = EDITION.operation("UpdateOutboundVoiceProfile")
FIELDS = ("concurrent_call_limit", "enabled", "name", "traffic_type")


def changes() -> Changes:
    return Changes(EDITION, UPDATE, plan_operation(EDITION, UPDATE))


def is_valid(body: Any) -> bool:
    assert UPDATE.body is not None
    return compiled(EDITION.document, UPDATE.body.content["application/json"], "request").is_valid(filled(body))


def test_each_request_changes_one_field_and_what_is_required() -> None:
    made = changes().of(FIELDS, {"enabled": True, "traffic_type": "conversational"})
    assert set(made) == {"concurrent_call_limit", "enabled", "name"}  # of the last there is one value only
    assert all(is_valid(probe.body) for probe in made.values())
    assert set(made["enabled"].body) == {"name", "enabled"}
    assert made["enabled"].body["enabled"] is False


def test_a_value_that_is_there_already_is_no_change() -> None:
    first = changes().of(["name"], {})["name"].body["name"]
    again = changes().of(["name"], {}, {"name": first})["name"].body["name"]
    assert again != first


def test_changes_go_together_as_far_as_they_are_valid() -> None:
    whole = changes().together(changes().of(FIELDS, {"enabled": True}))
    assert whole is not None
    assert is_valid(whole.body)
    assert {"enabled", "name"} <= set(whole.body)
    assert changes().together({}) is None


@pytest.mark.parametrize("value", [True, 5, 2.5, "a", "", "https://example.com"])
def test_others_are_of_the_same_type_and_differ(value: Any) -> None:
    found = list(others(value))
    assert found
    assert value not in found
    assert {type(other) for other in found} == {type(value)}
