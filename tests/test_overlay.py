from __future__ import annotations

from typing import Any

import pytest

from telnyx_conformance.contract.document import load_edition
from telnyx_conformance.contract.overlay import Action, apply
from telnyx_conformance.errors import ContractError


def action(target: str, update: Any = None, *, level: str = "MUST", source: str = "the text") -> Action:
    return Action(
        target=target, update=update, remove=update is None, reason="why", source=source, level=level, file="o.yaml"
    )


def test_a_bound_is_set_and_says_where_it_comes_from() -> None:
    document: dict[str, Any] = {"a": {"properties": {"n": {"type": "integer"}}}}
    apply(document, [action("$.a.properties.n", {"minimum": 5}, level="SHOULD")])
    marks = {"minimum": {"source": "the text", "level": "SHOULD"}}
    assert document["a"]["properties"]["n"] == {"type": "integer", "minimum": 5, "x-hardened": marks}


def test_an_action_on_the_parent_marks_the_child() -> None:
    document: dict[str, Any] = {"a": {"properties": {"list": {"items": {"type": "string"}}}}}
    apply(document, [action("$.a", {"properties": {"list": {"items": {"format": "uri"}}}})])
    assert document["a"]["properties"]["list"]["items"]["x-hardened"]["format"]["level"] == "MUST"
    assert "x-hardened" not in document["a"]


def test_objects_are_merged_and_lists_are_joined() -> None:
    document: dict[str, Any] = {"a": {"required": ["x"], "properties": {"x": {}}}}
    apply(document, [action("$.a", {"required": ["x", "y"], "properties": {"y": {"type": "string"}}})])
    assert document["a"]["required"] == ["x", "y"]
    assert list(document["a"]["properties"]) == ["x", "y"]


def test_a_list_of_words_is_replaced() -> None:
    document: dict[str, Any] = {"a": {"enum": ['"x"']}}
    apply(document, [action("$.a", {"enum": ["x"]})])
    assert document["a"]["enum"] == ["x"]


def test_a_list_gets_the_update_as_its_new_member() -> None:
    document: dict[str, Any] = {"a": {"parameters": [{"name": "x"}]}}
    apply(document, [action("$.a.parameters", {"name": "y"})])
    assert document["a"]["parameters"] == [{"name": "x"}, {"name": "y"}]


def test_two_actions_on_one_combination_keep_their_own_sources() -> None:
    document: dict[str, Any] = {"a": {}}
    apply(
        document,
        [
            action("$.a", {"allOf": [{"not": {"required": ["x", "y"]}}]}, source="first"),
            action("$.a", {"allOf": [{"not": {"required": ["y", "z"]}}]}, source="second", level="MAY"),
        ],
    )
    notes = [branch["x-hardened"]["not"] for branch in document["a"]["allOf"]]
    assert notes == [{"source": "first", "level": "MUST"}, {"source": "second", "level": "MAY"}]


def test_rules_in_words_of_two_actions_keep_their_own_sources() -> None:
    document: dict[str, Any] = {"a": {}}
    apply(
        document,
        [
            action("$.a", {"x-rules": [{"rule": "unit", "unit": "seconds"}]}, source="first"),
            action("$.a", {"x-rules": [{"rule": "once", "scope": "dial"}]}, source="second", level="SHOULD"),
        ],
    )
    assert document["a"]["x-rules"] == [
        {"rule": "unit", "unit": "seconds", "source": "first", "level": "MUST"},
        {"rule": "once", "scope": "dial", "source": "second", "level": "SHOULD"},
    ]
    assert "x-hardened" not in document["a"]


def test_places_that_one_action_changed_stay_independent() -> None:
    document: dict[str, Any] = {"a": {"x": {}, "y": {}}}
    apply(document, [action("$.a.*", {"items": {"type": "string"}}), action("$.a.x.items", {"maxLength": 3})])
    assert "maxLength" not in document["a"]["y"]["items"]


def test_an_update_leaves_the_overlay_as_it_was() -> None:
    update = {"x-rules": [{"rule": "unit", "unit": "seconds"}]}
    apply({"a": {}}, [action("$.a", update)])
    assert update == {"x-rules": [{"rule": "unit", "unit": "seconds"}]}


def test_several_members_of_one_list_are_removed() -> None:
    document: dict[str, Any] = {"a": {"required": ["x", "bad", "y", "bad", "z"]}}
    apply(document, [action("$.a.required[?@ == 'bad']")])
    assert document["a"]["required"] == ["x", "y", "z"]


def test_a_removed_keyword_takes_its_note_along() -> None:
    document: dict[str, Any] = {"a": {}}
    apply(document, [action("$.a", {"minimum": 1}), action("$.a.minimum")])
    assert document["a"] == {}


@pytest.mark.parametrize("target", ["$.a.gone", "$.a.required[?@ == 'gone']", "$.a[0]"])
def test_a_target_that_matches_nothing_is_a_defect(target: str) -> None:
    with pytest.raises(ContractError, match="matches nothing") as caught:
        apply({"a": {"required": ["x"]}}, [action(target, {"minimum": 1})])
    assert caught.value.where == f"o.yaml: {target}"


def test_a_word_cannot_be_updated() -> None:
    with pytest.raises(ContractError, match="neither object nor list"):
        apply({"a": {"type": "string"}}, [action("$.a.type", {"minimum": 1})])


def test_hardening_adds_the_documented_bounds_of_a_transfer() -> None:
    plain, hardened = (
        load_edition(hardened=state).document["components"]["schemas"]["TransferCallRequest"]["properties"]
        for state in (False, True)
    )
    bounds = ("minimum", "maximum")
    assert [plain["timeout_secs"].get(bound) for bound in bounds] == [None, None]
    assert [hardened["timeout_secs"].get(bound) for bound in bounds] == [5, 600]
    assert [hardened["time_limit_secs"].get(bound) for bound in bounds] == [30, 14400]
