from __future__ import annotations

import http.client
import json
from itertools import combinations
from typing import TYPE_CHECKING, Any

import jsonschema_rs
import pytest
import schemathesis

from telnyx_conformance.contract.bundle import PATTERNS, _patterned, bundle, reason
from telnyx_conformance.contract.document import load_edition
from telnyx_conformance.contract.formats import find
from telnyx_conformance.contract.validators import compiled
from telnyx_conformance.plan.planning import plan_operation
from telnyx_conformance.plan.values import filled

if TYPE_CHECKING:
    from collections.abc import Iterator

EDITION = load_edition()
BUNDLE = bundle(EDITION)
STORAGE = ("/", "/{bucketName}", "/{bucketName}/{objectName}")
METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
PATIENCE = 120  # seconds


def operations() -> Iterator[tuple[str, dict[str, Any]]]:
    for path, item in BUNDLE["paths"].items():
        yield from ((path, item[method]) for method in METHODS if method in item)


def test_every_operation_is_in_the_bundle_under_an_id_of_its_own() -> None:
    ids = [node["operationId"] for _, node in operations()]
    assert len(ids) == len(set(ids)) == 739


def test_every_response_has_a_description() -> None:
    inline = [answer for _, node in operations() for answer in node["responses"].values()]
    answers = [*inline, *BUNDLE["components"]["responses"].values()]
    assert [answer for answer in answers if "$ref" not in answer and not answer["description"]] == []


@pytest.mark.parametrize(
    ("status", "words"), [("200", "OK"), ("422", "Unprocessable Entity"), ("4XX", "Client error"), ("default", "Error")]
)
def test_a_response_is_described_by_its_status(status: str, words: str) -> None:
    assert reason(status) == words


def test_object_storage_has_its_own_server() -> None:
    moved = {path for path, item in BUNDLE["paths"].items() if "servers" in item}
    assert set(STORAGE) <= moved
    assert {BUNDLE["paths"][path]["servers"][0]["url"] for path in moved} == {"https://{region}.telnyxcloudstorage.com"}


def test_hardening_is_in_the_bundle_and_stays_out_of_the_plain_one() -> None:
    plain = bundle(load_edition(hardened=False))
    timeouts = [
        document["components"]["schemas"]["TransferCallRequest"]["properties"]["timeout_secs"]
        for document in (BUNDLE, plain)
    ]
    assert [timeout.get("maximum") for timeout in timeouts] == [600, None]


def test_rules_between_members_stand_where_generators_read_them() -> None:
    first, second = ({"required": [name, "other"]} for name in ("one", "two"))
    mark = {"source": "a page", "level": "MUST"}
    parts = [{"not": first, "x-hardened": {"not": mark}}, {"$ref": "#/x"}, {"not": {"anyOf": [second]}}]
    made = _patterned({"type": "object", "allOf": parts, "x-hardened": {"allOf": mark}})
    assert made == {
        "type": "object", "allOf": [{"$ref": "#/x"}], "not": {"anyOf": [first, second]},
        "x-hardened": {"allOf": mark, "not": mark},
    }  # fmt: skip


@pytest.mark.parametrize("test", [{"required": ["one"]}, {"not": {"required": ["one"]}}], ids=["has", "has-not"])
@pytest.mark.parametrize("parts", [("then",), ("else",), ("then", "else")], ids="+".join)
def test_a_condition_says_the_same_as_what_it_forbids(test: dict[str, Any], parts: tuple[str, ...]) -> None:
    asked = {"then": {"required": ["two"]}, "else": {"properties": {"three": {"const": 3}}}}
    condition = {"if": test, **{part: asked[part] for part in parts}}
    other = {"if": {"required": ["two"]}, "then": {"required": ["three"]}}
    schema = {"type": "object", "not": {"required": ["four"]}, **condition, "allOf": [other]}
    made = _patterned(schema)
    assert set(made) == {"type", "not"}
    before, after = jsonschema_rs.Draft202012Validator(schema), jsonschema_rs.Draft202012Validator(made)
    bodies = [
        {name: value for name, value in (("one", 1), ("two", 2), ("three", third), ("four", 4)) if name in names}
        for third in (3, 4) for size in range(5) for names in combinations(("one", "two", "three", "four"), size)
    ]  # fmt: skip
    assert [body for body in bodies if before.is_valid(body) != after.is_valid(body)] == []
    assert {before.is_valid(body) for body in bodies} == {True, False}


def test_what_is_folded_says_the_same_of_every_planned_body() -> None:
    """Each planned body of an operation is as valid under the bundle as under the contract."""
    judged = 0
    for operation in EDITION.select(["TransferCall", "SpeakCall", "StartCallTranscription", "CallStartAIAssistant"]):
        assert operation.body is not None
        schema = operation.body.content["application/json"]
        schemas = [compiled(document, schema, "request") for document in (EDITION.document, BUNDLE)]
        for probe in plan_operation(EDITION, operation).probes:
            if isinstance(probe.body, dict):
                body = filled(probe.body)
                assert schemas[0].is_valid(body) == schemas[1].is_valid(body), probe.id
                judged += 1
    assert judged > 100


@pytest.mark.parametrize(("command", "least"), [("transfer", 100), ("speak", 20), ("transcription_start", 50)])
def test_schemathesis_makes_many_valid_bodies_of_a_hardened_schema(command: str, least: int) -> None:
    schema = schemathesis.openapi.from_dict(BUNDLE)
    operation = schema[f"/calls/{{call_control_id}}/actions/{command}"]["POST"]
    made = schema.iter_coverage_cases(
        operation, generation_modes=[schemathesis.GenerationMode.POSITIVE], generation_config=schema.config.generation
    )
    assert sum(1 for _ in made) > least


def test_bundling_twice_gives_the_same_bytes() -> None:
    assert json.dumps(bundle(EDITION)) == json.dumps(BUNDLE)


def test_the_edition_is_not_changed_by_bundling() -> None:
    caller = EDITION.document["components"]["schemas"]["TransferCallRequest"]["properties"]["from"]
    assert "pattern" not in caller
    assert "pattern" in BUNDLE["components"]["schemas"]["TransferCallRequest"]["properties"]["from"]


@pytest.mark.parametrize("name", PATTERNS)
def test_the_pattern_of_a_format_agrees_with_its_check(name: str) -> None:
    known = find(name)
    assert known is not None
    validator = jsonschema_rs.Draft202012Validator({"pattern": PATTERNS[name]})
    assert [text for text in known.examples if not validator.is_valid(text)] == []
    assert [text for text in known.near_misses if validator.is_valid(text)] == []


def test_schemathesis_lists_every_operation() -> None:
    schema = schemathesis.openapi.from_dict(BUNDLE)
    assert sum(1 for result in schema.get_all_operations() if type(result).__name__ == "Ok") == 739


@pytest.mark.node
def test_prism_serves_the_bundle_and_enforces_the_hardening(prism: int) -> None:
    answers = []
    for timeout in (4, 5):
        connection = http.client.HTTPConnection("127.0.0.1", prism, timeout=PATIENCE)
        body = json.dumps({"to": "+12025550100", "timeout_secs": timeout})
        headers = {"Authorization": "Bearer KEYTEST_prism", "Content-Type": "application/json"}
        connection.request("POST", "/calls/v3:some-call/actions/transfer", body, headers)
        response = connection.getresponse()
        answers.append(response.status)
        connection.close()
    assert answers == [422, 200]
