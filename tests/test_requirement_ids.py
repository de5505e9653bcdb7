import copy
from collections import Counter
from pathlib import Path

import pytest

from telnyx_conformance.contract.document import load_edition
from telnyx_conformance.contract.kinds import KINDS
from telnyx_conformance.contract.model import Edition, Requirement
from telnyx_conformance.contract.requirements import (
    enumerate_requirements,
    read_snapshot,
    requirement_ids,
    write_snapshot,
)

ADVICE = "read the difference, then run `telnyx-conformance contract snapshot`"


@pytest.fixture(scope="module")
def edition() -> Edition:
    return load_edition()


@pytest.fixture(scope="module")
def requirements(edition: Edition) -> list[Requirement]:
    return [r for operation in edition.operations for r in enumerate_requirements(edition, operation)]


def test_no_id_of_the_snapshot_is_gone(edition: Edition) -> None:
    gone = sorted(set(read_snapshot(edition)) - set(requirement_ids(edition)))
    assert gone == [], f"ids are permanent: {ADVICE}"


def test_the_snapshot_holds_every_id(edition: Edition) -> None:
    new = sorted(set(requirement_ids(edition)) - set(read_snapshot(edition)))
    assert new == [], ADVICE


def test_a_renamed_field_is_noticed(edition: Edition, tmp_path: Path) -> None:
    document = copy.deepcopy(edition.document)
    properties = document["components"]["schemas"]["TransferCallRequest"]["properties"]
    properties["early_medium"] = properties.pop("early_media")
    renamed = Edition(name=edition.name, document=document, operations=edition.operations, by_id=edition.by_id)
    file = tmp_path / "requirements.txt"
    write_snapshot(edition, file)
    added, gone = write_snapshot(renamed, file)
    assert "TransferCall:request.body.early_media:type" in gone
    assert "TransferCall:request.body.early_medium:type" in added


def test_every_id_is_unique(requirements: list[Requirement]) -> None:
    repeated = [name for name, count in Counter(r.id for r in requirements).items() if count > 1]
    assert repeated == []


def test_an_id_is_operation_place_and_kind(requirements: list[Requirement]) -> None:
    wrong = [r.id for r in requirements if r.id != f"{r.operation}:{r.place}:{r.kind}"]
    assert wrong == []


def test_enumeration_is_deterministic(edition: Edition) -> None:
    operation = edition.operation("DialCall")
    assert enumerate_requirements(edition, operation) == enumerate_requirements(edition, operation)


def test_there_are_well_over_ten_thousand(requirements: list[Requirement]) -> None:
    print(Counter(r.conformance_class for r in requirements))  # noqa: T201 - figures for whoever asks
    print(Counter(r.kind.partition("=")[0] for r in requirements).most_common())  # noqa: T201 - figures for whoever asks
    assert len(requirements) > 25_000


def test_every_operation_has_requirements(edition: Edition, requirements: list[Requirement]) -> None:
    assert {r.operation for r in requirements} == set(edition.by_id)


def test_null_is_never_a_must(requirements: list[Requirement]) -> None:
    assert {r.level for r in requirements if r.kind == "null"} == {"MAY"}


def test_how_a_refusal_is_worded_is_never_a_must(requirements: list[Requirement]) -> None:
    assert {r.level for r in requirements if r.kind in ("pointer", "code")} <= {"SHOULD", "MAY"}


def test_every_kind_has_a_class_and_a_judge() -> None:
    assert {kind.judge for kind in KINDS.values()} == {"probes", "checks", "scenario"}
    classes = {"surface", "requests", "envelopes", "headers", "lifecycles"}
    assert {kind.conformance_class for kind in KINDS.values()} == classes


@pytest.mark.parametrize(
    ("name", "level"),
    [
        ("request:minimal", "MUST"),
        ("request.body.to:required", "MUST"),
        ("request.body.to:format", "SHOULD"),
        ("request.body.timeout_secs:minimum", "MUST"),
        ("request.body.timeout_secs:maximum", "MUST"),
        ("request.body.time_limit_secs:minimum", "MUST"),
        ("request.body.answering_machine_detection:enum", "MUST"),
        ("request.body.answering_machine_detection:enum=detect", "MUST"),
        ("request.body.client_state:contentEncoding", "MUST"),
        ("request.body:exclusive=audio_url+media_name", "MUST"),
        ("request.body.sip_headers[].name:enum", "MUST"),
        ("request.body.custom_headers[].value:required", "MUST"),
        ("request.body.timeout_limit_secs:type", "MAY"),
        ("auth:missing", "MUST"),
        ("response.200:schema", "MUST"),
    ],
)
def test_transfer_is_held_to(edition: Edition, name: str, level: str) -> None:
    found = {r.id: r.level for r in enumerate_requirements(edition, edition.operation("TransferCall"))}
    assert found.get(f"TransferCall:{name}") == level


def test_header_like_fields_belong_to_the_class_headers(edition: Edition) -> None:
    found = {r.id: r.conformance_class for r in enumerate_requirements(edition, edition.operation("TransferCall"))}
    assert found["TransferCall:request.body.sip_headers[].name:enum"] == "headers"
    assert found["TransferCall:request.body.to:type"] == "requests"
