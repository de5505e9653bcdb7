"""Strength 2: each two valid values of different places stand together in some accepted probe, where the contract lets them."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from click.testing import CliRunner

from telnyx_conformance.cli import commands
from telnyx_conformance.contract.document import build_edition, load_edition
from telnyx_conformance.contract.validators import compiled
from telnyx_conformance.errors import UsageError
from telnyx_conformance.plan.planning import plan_operation
from telnyx_conformance.run.settings import Settings

if TYPE_CHECKING:
    from telnyx_conformance.contract.model import Edition
    from telnyx_conformance.plan.probe import Plan

VALUES: dict[str, tuple[Any, ...]] = {
    "colour": ("red", "green", "blue"),
    "count": (1, 9),
    "loud": (True, False),
    "sound": ("short", "long"),
    "size": ("small", "large"),
}
SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["size"],
    "properties": {
        "colour": {"enum": ["red", "green", "blue"]},
        "count": {"type": "integer", "minimum": 1, "maximum": 9},
        "loud": {"type": "boolean"},
        "sound": {"enum": ["short", "long"]},
        "size": {"enum": ["small", "large"]},
    },
    "not": {"required": ["loud", "colour"]},
    "dependentRequired": {"count": ["sound"]},
}
Pair = tuple[tuple[str, Any], tuple[str, Any]]


@pytest.fixture(scope="module")
def edition() -> Edition:
    operation = {
        "operationId": "MakeThing",
        "summary": "Make a thing",
        "tags": ["Things"],
        "requestBody": {"required": True, "content": {"application/json": {"schema": SCHEMA}}},
        "responses": {"200": {"content": {}}},
    }
    document = {
        "openapi": "3.1.0",
        "security": [{"bearer": []}],
        "components": {"schemas": {}},
        "paths": {"/things": {"post": operation}},
    }
    return build_edition("small", document, {})


@pytest.fixture(scope="module")
def pairwise(edition: Edition) -> Plan:
    return plan_operation(edition, edition.operation("MakeThing"), 1, 2)


def bodies(plan: Plan) -> list[dict[str, Any]]:
    return [p.body for p in plan.probes if p.expect == "accept" and isinstance(p.body, dict)]


def feasible() -> set[Pair]:
    """Every two values that some valid body holds, found by trying all bodies."""
    validator = compiled({}, SCHEMA, "request")
    drafts: list[dict[str, Any]] = [{}]
    for name, values in VALUES.items():
        drafts = [{**draft, **more} for draft in drafts for more in ({}, *({name: value} for value in values))]
    return {pair for draft in drafts if validator.is_valid(draft) for pair in pairs_in(draft)}


def pairs_in(body: dict[str, Any]) -> set[Pair]:
    return set(combinations(sorted((name, value) for name, value in body.items()), 2))


def met(some: list[dict[str, Any]]) -> set[Pair]:
    return {pair for body in some for pair in pairs_in(body)}


def test_every_feasible_pair_stands_in_an_accepted_probe(pairwise: Plan) -> None:
    assert feasible() - met(bodies(pairwise)) == set()


def test_each_choice_alone_leaves_pairs_out(edition: Edition) -> None:
    once = bodies(plan_operation(edition, edition.operation("MakeThing")))
    assert feasible() - met(once) != set()


def test_no_pair_is_met_that_the_contract_forbids(pairwise: Plan) -> None:
    assert met(bodies(pairwise)) <= feasible()


def test_no_plan_goes_below_the_bound_of_its_strength(edition: Edition, pairwise: Plan) -> None:
    """Colours and sounds make six pairs, and no request carries two of them; each violation is a probe of its own."""
    once = plan_operation(edition, edition.operation("MakeThing"))
    refused = sum(p.expect == "refuse" and p.conformance_class == "requests" for p in pairwise.probes)
    assert pairwise.bounds["requests"] == 6 + refused
    assert once.bounds["requests"] == 4 + refused
    assert len(pairwise.probes) <= 1.5 * pairwise.lower_bound


def test_the_first_probes_are_those_of_each_choice_and_refusals_stay(edition: Edition, pairwise: Plan) -> None:
    once = plan_operation(edition, edition.operation("MakeThing"))
    assert once.probes == plan_operation(edition, edition.operation("MakeThing"), 1, 1).probes
    assert [probe for probe in once.probes if probe not in pairwise.probes] == []
    added = [probe for probe in pairwise.probes if probe not in once.probes]
    assert {(probe.expect, probe.conformance_class) for probe in added} == {("accept", "requests")}


def test_the_same_seed_combines_the_same_values(edition: Edition, pairwise: Plan) -> None:
    again = plan_operation(edition, edition.operation("MakeThing"), 1, 2)
    assert msgspec.json.encode(again) == msgspec.json.encode(pairwise)


# Planning checks every probe against the contract and raises for one that is not what it claims.
@pytest.mark.parametrize("name", ["TransferCall", "DialCall", "CreateMessagingProfile", "ListPhoneNumbers"])
def test_an_operation_of_the_edition_can_be_planned_in_pairs(name: str) -> None:
    whole = load_edition()
    plan, once = (plan_operation(whole, whole.operation(name), 1, strength) for strength in (2, 1))
    assert len(plan.probes) >= len(once.probes)
    assert len(plan.probes) >= plan.lower_bound >= once.lower_bound


@pytest.mark.parametrize("strength", [0, 3])
def test_another_strength_is_refused(strength: int) -> None:
    with pytest.raises(UsageError, match="not a strength"):
        Settings(only=["TransferCall"], strength=strength)


def test_the_strength_is_asked_for_on_the_command_line() -> None:
    def lines(*options: str) -> list[str]:
        ended = CliRunner().invoke(commands, ["certify", "--plan", "--only", "TransferCall", *options])
        assert ended.exit_code == 0
        return ended.stdout.splitlines()

    once = lines()
    assert lines("--strength", "1") == once
    assert set(once) < set(lines("--strength", "2"))
