"""Rules between members and keywords that hardening may use, on an edition of one operation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from telnyx_conformance.contract.document import build_edition
from telnyx_conformance.contract.requirements import enumerate_requirements
from telnyx_conformance.errors import HarnessError
from telnyx_conformance.plan.planning import plan_operation

if TYPE_CHECKING:
    from telnyx_conformance.contract.model import Edition
    from telnyx_conformance.plan.probe import Plan

TEXT: dict[str, Any] = {"type": "string"}


def edition_of(schema: dict[str, Any], media_type: str = "application/json") -> Edition:
    document = {
        "openapi": "3.1.0",
        "security": [{"bearer": []}],
        "components": {"schemas": {"Thing": schema}},
        "paths": {
            "/things": {
                "post": {
                    "operationId": "MakeThing",
                    "summary": "Make a thing",
                    "tags": ["Things"],
                    "requestBody": {
                        "required": True,
                        "content": {media_type: {"schema": {"$ref": "#/components/schemas/Thing"}}},
                    },
                    "responses": {"200": {"content": {}}},
                }
            }
        },
    }
    return build_edition("small", document, {})


def planned(schema: dict[str, Any], media_type: str = "application/json") -> Plan:
    edition = edition_of(schema, media_type)
    return plan_operation(edition, edition.operation("MakeThing"))


def kinds(schema: dict[str, Any]) -> set[str]:
    edition = edition_of(schema)
    found = enumerate_requirements(edition, edition.operation("MakeThing"))
    return {r.id.removeprefix("MakeThing:request.body") for r in found if r.place.startswith("request.body")}


def refused(plan: Plan, name: str) -> Any:
    wanted = f"MakeThing:request.body{name}"
    return next(p.body for p in plan.probes if p.violation and p.violation.requirement == wanted)


def accepted(plan: Plan) -> list[Any]:
    return [p.body for p in plan.probes if p.expect == "accept" and p.conformance_class == "requests"]


def test_of_two_that_exclude_each_other_both_are_refused() -> None:
    rule = {"not": {"required": ["a", "b"]}}
    plan = planned({"type": "object", "properties": {"a": TEXT, "b": TEXT}, "allOf": [rule]})
    assert set(refused(plan, ":exclusive=a+b")) == {"a", "b"}
    assert all(len(body) < 2 for body in accepted(plan))


def test_several_exclusions_in_one_not() -> None:
    rule = {"anyOf": [{"required": ["a", "b"]}, {"required": ["a", "c"]}]}
    plan = planned({"type": "object", "properties": {"a": TEXT, "b": TEXT, "c": TEXT}, "not": rule})
    assert set(refused(plan, ":exclusive=a+b")) == {"a", "b"}
    assert set(refused(plan, ":exclusive=a+c")) == {"a", "c"}


def test_what_one_member_asks_for_is_left_out() -> None:
    plan = planned({"type": "object", "properties": {"a": TEXT, "b": TEXT}, "dependentRequired": {"a": ["b"]}})
    assert set(refused(plan, ":dependentRequired=a+b")) == {"a"}
    assert {"a", "b"} in [set(body) for body in accepted(plan)]


def test_one_of_two_members_is_needed() -> None:
    choice = [{"required": ["a"]}, {"required": ["b"]}]
    plan = planned({"type": "object", "properties": {"a": TEXT, "b": TEXT}, "anyOf": choice})
    assert refused(plan, ":anyOf") == {}
    assert {"a"} in [set(body) for body in accepted(plan)]
    assert {"b"} in [set(body) for body in accepted(plan)]


def test_exactly_one_of_two_members_is_needed() -> None:
    choice = [{"required": ["a"]}, {"required": ["b"]}]
    plan = planned({"type": "object", "properties": {"a": TEXT, "b": TEXT}, "oneOf": choice})
    assert refused(plan, ":oneOf") == {}
    assert {frozenset(body) for body in accepted(plan)} == {frozenset("a"), frozenset("b")}


def test_what_a_condition_asks_for_is_left_out() -> None:
    plan = planned(
        {
            "type": "object",
            "required": ["kind"],
            "properties": {"kind": {"type": "string", "enum": ["plain", "sip"]}, "address": TEXT},
            "if": {"properties": {"kind": {"const": "sip"}}, "required": ["kind"]},
            "then": {"required": ["address"]},
        }
    )
    assert refused(plan, ":required=address-if-kind=sip") == {"kind": "sip"}
    assert all("address" in body for body in accepted(plan) if body["kind"] == "sip")
    assert {body["kind"] for body in accepted(plan)} == {"plain", "sip"}


def test_nested_places_have_readable_ids() -> None:
    schema = {
        "type": "object",
        "properties": {
            "list": {"type": "array", "items": {"type": "object", "required": ["name"], "properties": {"name": TEXT}}},
            "map": {"type": "object", "additionalProperties": {"type": "integer", "minimum": 3}},
            "either": {"oneOf": [{"type": "string"}, {"type": "array", "items": {"type": "string", "maxLength": 4}}]},
        },
    }
    assert {
        ".list[].name:required",
        ".map{*}:minimum",
        ".either:oneOf",
        ".either:oneOf=array",
        ".either(array)[]:maxLength",
    } <= kinds(schema)
    plan = planned(schema)
    assert refused(plan, ".list[].name:required") == {"list": [{}]}
    assert refused(plan, ".map{*}:minimum") == {"map": {"key": 2}}
    assert refused(plan, ".either(array)[]:maxLength")["either"][0] != ""
    assert len(refused(plan, ".either(array)[]:maxLength")["either"][0]) == 5


@pytest.mark.parametrize(
    ("field", "rule", "wrong"),
    [
        ({"type": "integer", "minimum": 2}, "minimum", 1),
        ({"type": "integer", "exclusiveMaximum": 9}, "exclusiveMaximum", 9),
        ({"type": "number", "maximum": 1.5}, "maximum", 1.51),
        ({"type": "integer", "multipleOf": 5, "minimum": 10}, "minimum", 5),
        ({"type": "integer", "multipleOf": 5}, "multipleOf", 6),
        ({"type": "string", "minLength": 3}, "minLength", None),
        ({"type": "string", "maxLength": 3, "pattern": "^[0-9]+$"}, "maxLength", None),
        ({"type": "string", "pattern": "^[A-Z]{2}$"}, "pattern", None),
        ({"type": "string", "format": "uuid"}, "format", None),
        ({"type": "string", "contentEncoding": "base64", "maxLength": 9}, "maxLength", None),
        ({"type": "array", "items": TEXT, "minItems": 2}, "minItems", None),
        ({"type": "array", "items": TEXT, "maxItems": 2}, "maxItems", None),
        ({"type": "array", "items": TEXT, "uniqueItems": True}, "uniqueItems", None),
        ({"type": "object", "properties": {"a": TEXT}, "minProperties": 1}, "minProperties", {}),
        ({"type": "object", "properties": {"a": TEXT}, "additionalProperties": False}, "additionalProperties", None),
        ({"type": "string", "const": "one"}, "const", None),
        ({"type": "integer", "enum": [1, 2]}, "enum", 3),
        ({"type": ["string", "null"], "enum": ["x", None]}, "enum", "x_x"),
    ],
)
def test_each_keyword_is_broken_alone(field: dict[str, Any], rule: str, wrong: Any) -> None:
    plan = planned({"type": "object", "properties": {"field": field}})
    body = refused(plan, f".field:{rule}")
    assert wrong is None or body == {"field": wrong}
    assert any("field" in one for one in accepted(plan))


def test_read_only_members_are_neither_sent_nor_required() -> None:
    schema = {"type": "object", "required": ["id"], "properties": {"id": {**TEXT, "readOnly": True}, "name": TEXT}}
    assert not any(name.startswith(".id") for name in kinds(schema))
    assert all("id" not in body for body in accepted(planned(schema)))


def test_a_schema_within_itself_is_described_once() -> None:
    itself = {"$ref": "#/components/schemas/Thing"}
    plan = planned({"type": "object", "properties": {"name": TEXT, "children": {"type": "array", "items": itself}}})
    assert len(plan.probes) < 40


def test_what_no_value_fits_is_our_fault() -> None:
    overlapping = [{"type": "object", "properties": {"a": TEXT}}, {"type": "object", "properties": {"b": TEXT}}]
    with pytest.raises(HarnessError, match="no value fits exactly one alternative"):
        planned({"type": "object", "required": ["x"], "properties": {"x": {"oneOf": overlapping}}})


def test_a_form_breaks_no_rule_that_text_cannot_break() -> None:
    schema = {"type": "object", "properties": {"Name": TEXT, "Count": {"type": "integer"}}}
    plan = planned(schema, "application/x-www-form-urlencoded")
    broken = {p.violation.requirement for p in plan.probes if p.violation}
    assert "MakeThing:request.body.Count:type" in broken
    assert not any(".Name:" in name or name.endswith(":null") for name in broken)


def test_one_of_two_that_exclude_each_other_is_needed() -> None:
    plan = planned(
        {
            "type": "object",
            "properties": {"url": {"type": "string", "maxLength": 9}, "name": {"type": "string", "maxLength": 5}},
            "anyOf": [{"required": ["url"]}, {"required": ["name"]}],
            "not": {"required": ["url", "name"]},
        }
    )
    assert set(refused(plan, ":exclusive=url+name")) == {"url", "name"}
    assert set(refused(plan, ".name:maxLength")) == {"name"}
    assert set(refused(plan, ".url:maxLength")) == {"url"}
    assert {frozenset(body) for body in accepted(plan)} == {frozenset({"url"}), frozenset({"name"})}
