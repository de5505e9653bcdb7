"""What the emulator refuses, with which status and code, and in which order it looks."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from telnyx_conformance.contract.document import load_edition
from telnyx_conformance.emulator.core import MOST_BODY_BYTES, Emulator

if TYPE_CHECKING:
    from telnyx_conformance.emulator.reply import Reply

KEY = (b"authorization", b"Bearer KEYTEST_refusals")
JSON = (b"content-type", b"application/json")
TRANSFER = "/v2/calls/v3:nobody/actions/transfer"


@pytest.fixture(scope="module")
def emulator() -> Emulator:
    return Emulator(load_edition(), api_keys=["a-key-of-my-own"])


def errors(reply: Reply) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(reply.body)["errors"]
    return found


def first(reply: Reply) -> tuple[int, str, dict[str, str]]:
    error = errors(reply)[0]
    return reply.status, error["code"], error.get("source", {})


def test_an_unknown_address_is_refused_before_the_key_is_looked_at(emulator: Emulator) -> None:
    assert first(emulator.handle("GET", "/v2/nowhere", [], b"")) == (404, "10005", {})


@pytest.mark.parametrize(
    "header",
    [
        b"",
        b"Bearer",
        b"Bearer ",
        b"Basic abc",
        b"KEYTEST_1",
        b"Bearer not-a-known-key",
        b"Bearer k\xe9y\xff",
        b"bearer",
    ],
)
def test_a_request_without_a_good_key_is_refused(emulator: Emulator, header: bytes) -> None:
    assert first(emulator.handle("GET", "/v2/balance", [(b"authorization", header)], b"")) == (
        401,
        "10009",
        {"pointer": "/"},
    )


def test_no_key_a_malformed_one_and_an_unknown_one_are_told_apart(emulator: Emulator) -> None:
    headers = [[], [(b"authorization", b"Bearer ?")], [(b"authorization", b"Bearer KEY0123456789")]]
    details = {errors(emulator.handle("GET", "/v2/balance", h, b""))[0]["detail"] for h in headers}

    assert len(details) == 3


@pytest.mark.parametrize("key", [b"Bearer a-key-of-my-own", b"bearer KEYTEST", b"Bearer KEYTEST-any_suffix-1"])
def test_given_keys_and_test_keys_are_accepted(emulator: Emulator, key: bytes) -> None:
    assert emulator.handle("GET", "/v2/balance", [(b"authorization", key)], b"").status == 200


def test_a_wrong_method_is_refused_and_the_right_ones_are_named(emulator: Emulator) -> None:
    reply = emulator.handle("DELETE", "/v2/balance", [KEY], b"")

    assert first(reply) == (405, "10030", {})
    assert (b"allow", b"GET, HEAD") in reply.headers


def test_a_key_comes_before_the_method(emulator: Emulator) -> None:
    assert emulator.handle("DELETE", "/v2/balance", [], b"").status == 401


@pytest.mark.parametrize(
    "media_type", [b"text/plain", b"application/x-www-form-urlencoded", b"", b"application/jsonx", b"\xff\x00"]
)
def test_another_content_type_is_refused(emulator: Emulator, media_type: bytes) -> None:
    reply = emulator.handle(
        "POST", "/v2/messages", [KEY, (b"content-type", media_type)] if media_type else [KEY], b"x=1"
    )

    assert reply.status == (415 if media_type else 400)


@pytest.mark.parametrize(
    "body",
    [b"{", b"nope", b'{"to": }', b"\xff\xfe", b'{"to": "\xff"}', b"[" * 100_000, b'{"a":' * 5000 + b"1" + b"}" * 5000,
     b'"\\ud800"', b"NaN", b"1e999", b"\xef\xbb\xbf{}", b"\x00", b'{"to": "x"} trailing'],
)  # fmt: skip
def test_what_is_no_json_is_refused(emulator: Emulator, body: bytes) -> None:
    reply = emulator.handle("POST", TRANSFER, [KEY, JSON], body)

    assert reply.status in (400, 422)
    assert errors(reply)[0]["code"] in {"10015", "10023", "10027", "10028"}


@pytest.mark.parametrize(
    ("change", "code", "pointer"),
    [
        ({"to": None}, "10026", "/to"),
        ({"to": ...}, "10004", "/to"),
        ({"timeout_secs": 4}, "90028", "/timeout_secs"),
        ({"timeout_secs": 601}, "90028", "/timeout_secs"),
        ({"timeout_secs": "thirty"}, "90028", "/timeout_secs"),
        ({"time_limit_secs": 29}, "90029", "/time_limit_secs"),
        ({"client_state": "not base64!"}, "90017", "/client_state"),
        ({"from": "12025550123"}, "10016", "/from"),
        ({"sip_transport_protocol": "SCTP"}, "10032", "/sip_transport_protocol"),
        ({"custom_headers": [{"name": "X"}]}, "10004", "/custom_headers/0/value"),
    ],
)
def test_a_broken_rule_is_told_with_its_code_and_the_culprit(
    emulator: Emulator, change: dict[str, Any], code: str, pointer: str
) -> None:
    body = {name: value for name, value in {"to": "+12025550100", **change}.items() if value is not ...}
    status, came, source = first(emulator.handle("POST", TRANSFER, [KEY, JSON], json.dumps(body).encode()))

    assert (status, came, source) == (422, code, {"pointer": pointer})


def test_every_culprit_is_named_at_once(emulator: Emulator) -> None:
    body = b'{"to": 7, "timeout_secs": 1, "time_limit_secs": 1}'
    reply = emulator.handle("POST", TRANSFER, [KEY, JSON], body)

    assert {e["source"]["pointer"] for e in errors(reply)} == {"/to", "/timeout_secs", "/time_limit_secs"}


@pytest.mark.parametrize(
    ("query", "code", "name"),
    [
        ("page[size]=0", "10033", "page[size]"),
        ("page%5Bsize%5D=251", "10033", "page[size]"),
        ("page[number]=first", "10026", "page[number]"),
        ("sort=nonsense", "10032", "sort"),
    ],
)
def test_a_wrong_query_parameter_is_named(emulator: Emulator, query: str, code: str, name: str) -> None:
    status, came, source = first(emulator.handle("GET", f"/v2/call_control_applications?{query}", [KEY], b""))

    assert (status in (400, 422), came, source) == (True, code, {"parameter": name})


def test_a_wrong_request_is_wrong_whatever_it_addresses(emulator: Emulator) -> None:
    assert first(emulator.handle("POST", TRANSFER, [KEY, JSON], b"{}"))[:2] == (422, "10004")
    assert first(emulator.handle("POST", TRANSFER, [KEY, JSON], b'{"to": "+12025550100"}'))[:2] == (422, "90015")


def test_what_does_not_exist_is_not_found(emulator: Emulator) -> None:
    reply = emulator.handle("GET", "/v2/billing_groups/6a09cdc3-8948-47f0-aa62-74ac943d6c58", [KEY], b"")

    assert first(reply)[:2] == (404, "10005")


def test_a_body_beyond_the_limit_is_refused(emulator: Emulator) -> None:
    reply = emulator.handle("POST", "/v2/messages", [KEY, JSON], b'"' + b"x" * MOST_BODY_BYTES + b'"')

    assert reply.status == 413


def test_a_fault_of_our_own_is_answered_and_counted(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    emulator = Emulator(load_edition())

    def broken(*_: object) -> None:
        raise RuntimeError("planted")

    monkeypatch.setattr(emulator._resources, "answer", broken)
    reply = emulator.handle("GET", "/v2/balance", [KEY], b"")

    assert (first(reply)[:2], emulator.faults) == ((500, "10007"), 1)
    assert "GET '/v2/balance'" in capsys.readouterr().err
