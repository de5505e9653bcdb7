from typing import Any

import msgspec
import pytest

from telnyx_conformance.contract.document import load_edition
from telnyx_conformance.contract.exchange import Request
from telnyx_conformance.contract.model import Edition, Operation
from telnyx_conformance.errors import HarnessError
from telnyx_conformance.plan.planning import plan_operation
from telnyx_conformance.plan.probe import Probe
from telnyx_conformance.plan.serialise import build_request

AUTHORIZATION = "Bearer KEYTEST_a"


@pytest.fixture(scope="module")
def edition() -> Edition:
    return load_edition()


def probe_of(operation: Operation, **fields: Any) -> Probe:
    return Probe(
        id=f"{operation.id}:x", operation=operation.id, conformance_class="requests", expect="accept", **fields
    )


def built(edition: Edition, name: str, path: dict[str, str] | None = None, **fields: Any) -> Request:
    operation = edition.operation(name)
    return build_request(operation, probe_of(operation, **fields), path or {}, AUTHORIZATION)


def test_a_json_body_is_sent_as_json(edition: Edition) -> None:
    request = built(
        edition,
        "TransferCall",
        {"call_control_id": "v3:a/b"},
        body={"to": "+12025550100"},
        media_type="application/json",
    )
    assert request.method == "POST"
    assert request.path == "/calls/v3%3Aa%2Fb/actions/transfer"
    assert dict(request.headers) == {"authorization": AUTHORIZATION, "content-type": "application/json"}
    assert msgspec.json.decode(request.body) == {"to": "+12025550100"}


def test_no_body_has_no_content_type(edition: Edition) -> None:
    request = built(edition, "ListPhoneNumbers", query={"page[size]": 20})
    assert request.body == b""
    assert dict(request.headers) == {"authorization": AUTHORIZATION}
    assert request.query == (("page[size]", "20"),)


def test_lists_repeat_their_name_and_truth_values_are_words(edition: Edition) -> None:
    request = built(
        edition, "GetSimCards", query={"filter[status]": ["enabled", "standby"], "include_sim_card_group": True}
    )
    assert request.query == (
        ("filter[status]", "enabled"), ("filter[status]", "standby"), ("include_sim_card_group", "true"),
    )  # fmt: skip


def test_objects_are_written_in_brackets(edition: Edition) -> None:
    assert built(edition, "SearchDetailRecords", query={"filter": {"direction": "inbound"}}).query == (
        ("filter[direction]", "inbound"),
    )


def test_forms_are_encoded(edition: Edition) -> None:
    path = {"account_sid": "a", "call_sid": "b"}
    request = built(
        edition, "UpdateTexmlCall", path, body={"Url": "https://example.com/?a=b&c", "Muted": False},
        media_type="application/x-www-form-urlencoded",
    )  # fmt: skip
    assert request.body == b"Url=https%3A%2F%2Fexample.com%2F%3Fa%3Db%26c&Muted=false"


def test_files_travel_as_parts_with_a_name(edition: Edition) -> None:
    request = built(
        edition,
        "CreateDocument",
        body={"file": "sample", "filename": "a.pdf"},
        media_type="multipart/form-data",
        files=("file",),
    )
    kind = dict(request.headers)["content-type"]
    boundary = kind.partition("boundary=")[2].encode()
    assert kind.startswith("multipart/form-data; boundary=")
    assert request.body.count(b"--" + boundary) == 3
    assert b'name="file"; filename="file.bin"' in request.body
    assert b'name="filename"\r\n\r\na.pdf' in request.body


def test_tokens_are_filled_in_alike_in_one_request_and_differently_in_another(edition: Edition) -> None:
    operation = edition.operation("TransferCall")
    probe = probe_of(
        operation, body={"to": "x", "command_id": "{uuid}", "webhook_url": "{webhook}"}, media_type="application/json"
    )
    path = {"call_control_id": "a"}
    bodies = [
        msgspec.json.decode(
            build_request(operation, probe, path, AUTHORIZATION, fresh=fresh, webhook="http://127.0.0.1:1/t").body
        )
        for fresh in ("1", "1", "2")
    ]
    assert bodies[0] == bodies[1]
    assert bodies[0]["command_id"] != bodies[2]["command_id"]
    assert bodies[0]["webhook_url"] == "http://127.0.0.1:1/t"


def test_no_request_carries_a_token(edition: Edition) -> None:
    left = []
    for operation in edition.operations:
        path = {p.name: "v" for p in operation.parameters_in("path")}
        for probe in plan_operation(edition, operation).probes:
            request = build_request(operation, probe, path, AUTHORIZATION, fresh="1")
            text = repr((request.path, request.query, request.headers, request.body))
            left += [probe.id for token in ("{fresh}", "{uuid}", "{webhook}", "{key}") if token in text]
    assert left == []


def test_references_are_replaced_where_the_run_knows_better(edition: Edition) -> None:
    operation = edition.operation("DialCall")
    minimal = plan_operation(edition, operation).probes[0]
    assert minimal.references == {"/connection_id": "connection_id"}
    request = build_request(operation, minimal, {}, AUTHORIZATION, references={"connection_id": "17"})
    assert msgspec.json.decode(request.body)["connection_id"] == "17"


def test_the_culprit_is_never_replaced(edition: Edition) -> None:
    plan = plan_operation(edition, edition.operation("DialCall"))
    wrong = next(p for p in plan.probes if p.id == "DialCall:request.body.connection_id:type")
    assert "/connection_id" not in wrong.references


@pytest.mark.parametrize(
    ("name", "header"),
    [
        ("auth:missing", None),
        ("auth:unknown", "Bearer KEY0000CONFORMANCE_never_issued"),
        ("headers", "bearer KEYTEST_a"),
    ],
)
def test_authorization_is_what_the_probe_says(edition: Edition, name: str, header: str | None) -> None:
    operation = edition.operation("TransferCall")
    probe = next(p for p in plan_operation(edition, operation).probes if p.id == f"TransferCall:{name}")
    request = build_request(operation, probe, {"call_control_id": "a"}, AUTHORIZATION)
    assert dict(request.headers).get("authorization") == header


def test_a_path_without_its_value_is_our_fault(edition: Edition) -> None:
    with pytest.raises(HarnessError, match="a path parameter has no value"):
        built(edition, "TransferCall")
