from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from telnyx_conformance.contract.importer import import_document, write_edition
from telnyx_conformance.errors import ContractError

if TYPE_CHECKING:
    from pathlib import Path

PROSE = "A sentence that has to stay behind."
OK = {"200": {"description": PROSE}}
UPSTREAM: dict[str, Any] = {
    "openapi": "3.0.0",
    "info": {"title": "Pets", "version": "2.0.0", "description": PROSE, "license": {"name": "MIT"}},
    "servers": [{"url": "https://example.com/v2", "description": PROSE}],
    "security": [{"bearerAuth": []}],
    "paths": {
        "/pets": {
            "parameters": [
                {"name": "page", "in": "query", "description": PROSE, "schema": {"type": "integer"}, "example": 2}
            ],
            "get": {
                "tags": ["Pets"],
                "summary": "List pets",
                "description": PROSE,
                "operationId": "ListPets",
                "responses": OK,
            },
            "post": {
                "tags": ["Pets"],
                "summary": "Make a pet",
                "requestBody": {
                    "description": PROSE,
                    "required": True,
                    "content": {
                        "application/json": {"schema": {"$ref": "#/components/schemas/Pet"}, "example": {"a": PROSE}}
                    },
                },
                "responses": {"201": {"$ref": "#/components/responses/Made"}},
                "callbacks": {
                    "made": {"{$request.body#/url}": {"post": {"requestBody": {"content": {}}, "responses": OK}}},
                },
            },
        },
        "/toys/{toy_id}": {
            "get": {
                "tags": ["Toys", "Other"],
                "summary": "Read a toy",
                "operationId": "GetToy",
                "deprecated": True,
                "security": [],
                "parameters": [{"name": "toy_id", "in": "path", "required": True, "schema": {"type": "string"}}],
                "responses": {
                    "200": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Both"}}}}
                },
            }
        },
        "/": {"get": {"tags": ["Bucket"], "summary": "List buckets", "operationId": "ListBuckets", "responses": OK}},
        "/empty": {"parameters": [{"name": "x", "in": "query", "schema": {"type": "string"}}]},
    },
    "components": {
        "securitySchemes": {"bearerAuth": {"type": "http", "scheme": "bearer"}},
        "responses": {
            "Made": {
                "description": PROSE,
                "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Both"}}},
            }
        },
        "schemas": {
            "Both": {"type": "object", "description": PROSE, "title": PROSE, "properties": {"id": {"type": "string"}}},
            "Orphan": {"type": "string"},
            "Pet": {
                "type": "object",
                "required": ["description", "age"],
                "properties": {
                    "description": {"type": "string", "description": PROSE, "example": "short"},
                    "title": {"type": "string", "title": PROSE, "example": PROSE},
                    "age": {
                        "type": "integer",
                        "minimum": 0,
                        "exclusiveMinimum": True,
                        "maximum": 30,
                        "exclusiveMaximum": False,
                    },
                    "owner": {"type": "string", "nullable": True, "default": None},
                    "mood": {"type": "string", "nullable": True, "enum": ["good", "bad"]},
                    "home": {"nullable": True, "allOf": [{"$ref": "#/components/schemas/Both"}]},
                    "never": {"type": "string", "default": None},
                    "friend": {"$ref": "#/components/schemas/Both", "description": PROSE, "maxProperties": 1},
                    "odd": {"type": "string", "required": True, "example": 5},
                    "extra": {"type": "object", "additionalProperties": {"type": "string", "description": PROSE}},
                },
            },
        },
    },
}
FILES = import_document(UPSTREAM, "2000-01-01")
PETS = yaml.safe_load(FILES["groups/pets.yaml"])
TOYS = yaml.safe_load(FILES["groups/toys.yaml"])
SHARED = yaml.safe_load(FILES["shared.yaml"])
PET = PETS["components"]["schemas"]["Pet"]["properties"]


def test_each_group_has_a_file_beside_what_is_shared_and_what_the_edition_says_of_itself() -> None:
    assert sorted(FILES) == [
        "edition.yaml",
        "groups/bucket.yaml",
        "groups/pets.yaml",
        "groups/toys.yaml",
        "shared.yaml",
    ]


def test_no_sentence_comes_along() -> None:
    assert [name for name, text in FILES.items() if PROSE in text] == []


def test_a_property_may_be_called_description_or_title() -> None:
    assert PET["description"] == {"type": "string", "examples": ["short"]}
    assert PET["title"] == {"type": "string"}


@pytest.mark.parametrize(
    ("name", "facts"),
    [
        ("age", {"type": "integer", "exclusiveMinimum": 0, "maximum": 30}),
        ("owner", {"type": ["string", "null"], "default": None}),
        ("mood", {"type": ["string", "null"], "enum": ["good", "bad", None]}),
        ("home", {"anyOf": [{"allOf": [{"$ref": "#/components/schemas/Both"}]}, {"type": "null"}]}),
        ("never", {"type": "string"}),
        ("friend", {"$ref": "#/components/schemas/Both"}),
        ("odd", {"type": "string"}),
        ("extra", {"type": "object", "additionalProperties": {"type": "string"}}),
    ],
)
def test_openapi_3_0_is_said_in_json_schema_2020_12(name: str, facts: dict[str, Any]) -> None:
    assert PET[name] == facts


def test_an_operation_without_an_id_gets_one() -> None:
    assert PETS["paths"]["/pets"]["post"]["operationId"] == "postPets"


def test_parameters_of_a_path_reach_its_operations() -> None:
    page = {"name": "page", "in": "query", "schema": {"type": "integer", "examples": [2]}}
    assert [PETS["paths"]["/pets"][method]["parameters"] for method in ("get", "post")] == [[page], [page]]


def test_storage_moves_to_its_own_server() -> None:
    bucket = yaml.safe_load(FILES["groups/bucket.yaml"])["paths"]["/"]["get"]
    assert [server["url"] for server in bucket["servers"]] == ["https://{region}.telnyxcloudstorage.com"]
    assert "servers" not in TOYS["paths"]["/toys/{toy_id}"]["get"]


def test_an_operation_keeps_its_state_and_its_first_tag() -> None:
    toy = TOYS["paths"]["/toys/{toy_id}"]["get"]
    assert (toy["tags"], toy["deprecated"], toy["security"]) == (["Toys"], True, [])


def test_a_component_stands_with_the_only_group_that_uses_it() -> None:
    assert list(PETS["components"]["schemas"]) == ["Pet"]
    assert sorted(SHARED["components"]["schemas"]) == ["Both", "Orphan"]
    assert list(PETS["components"]["responses"]) == ["Made"]


def test_a_path_without_operations_is_kept() -> None:
    assert SHARED["paths"] == {"/empty": {"parameters": [{"name": "x", "in": "query", "schema": {"type": "string"}}]}}


def test_callbacks_come_along() -> None:
    assert list(PETS["paths"]["/pets"]["post"]["callbacks"]["made"]) == ["{$request.body#/url}"]


def test_importing_twice_changes_no_byte(tmp_path: Path) -> None:
    first = write_edition(FILES, tmp_path)
    again = write_edition(import_document(deepcopy(UPSTREAM), "2000-01-01"), tmp_path)
    assert (first, again) == (5, 0)


def test_the_source_is_known_by_its_content_not_by_the_order_of_its_keys() -> None:
    turned = dict(reversed(UPSTREAM.items()))
    assert import_document(turned, "2000-01-01")["edition.yaml"] == FILES["edition.yaml"]


def test_a_file_of_a_group_that_is_gone_is_removed(tmp_path: Path) -> None:
    write_edition(FILES, tmp_path)
    without = {name: text for name, text in FILES.items() if "toys" not in name}
    assert write_edition(without, tmp_path) == 1
    assert not (tmp_path / "groups" / "toys.yaml").exists()


def test_another_kind_of_document_is_refused() -> None:
    with pytest.raises(ContractError, match="not an OpenAPI") as caught:
        import_document({"openapi": "3.1.0", "paths": {}}, "2000-01-01")
    assert caught.value.got == "'3.1.0'"


def test_a_reference_that_leads_nowhere_is_refused() -> None:
    broken = deepcopy(UPSTREAM)
    del broken["components"]["schemas"]["Both"]
    with pytest.raises(ContractError, match="dangling reference") as caught:
        import_document(broken, "2000-01-01")
    assert caught.value.got == "#/components/schemas/Both"
