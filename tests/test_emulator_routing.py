"""The router finds every operation, prefers literals, and tells a wrong method from a wrong address."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from telnyx_conformance.contract.document import load_edition
from telnyx_conformance.contract.lifecycles import path_parameters
from telnyx_conformance.emulator.routing import PREFIXES, Match, Router

if TYPE_CHECKING:
    from telnyx_conformance.contract.model import Operation

EDITION = load_edition()
ROUTER = Router(EDITION.operations)


def found(method: str, path: str) -> Match:
    match = ROUTER.match(method, path)
    assert match is not None
    return match


@pytest.mark.parametrize("operation", EDITION.operations, ids=lambda o: o.id)
def test_every_operation_is_reached_and_its_parameters_are_decoded(operation: Operation) -> None:
    path = operation.path
    for name in path_parameters(operation):
        path = path.replace("{" + name + "}", "a%20value%2F1")

    match = found(operation.method, PREFIXES[operation.server] + path.rstrip("/"))

    assert match.route is not None
    assert match.route.operation.id == operation.id
    assert match.path == dict.fromkeys(path_parameters(operation), "a value/1")


@pytest.mark.parametrize(
    ("method", "path", "operation"),
    [
        ("GET", "/v2/phone_numbers/messaging", "ListPhoneNumbersWithMessagingSettings"),
        ("GET", "/v2/phone_numbers/1", "RetrievePhoneNumber"),
        ("GET", "/v2/campaign/usecase/cost", "GetCampaignCost"),
        ("GET", "/v2/campaign/usecase/sharing", "GetCampaignSharingStatus"),
        ("GET", "/v2/texml/Accounts/a/Recordings.json", "GetTeXMLCallRecordings"),
        ("GET", "/v2/texml/Accounts/a/Recordings/b.json", "GetTeXMLCallRecording"),
        ("HEAD", "/v2/balance", "GetUserBalance"),
        ("GET", "/s3/bucket/folder/file.txt", "GetObject"),
        ("GET", "/s3", "ListBuckets"),
    ],
)
def test_the_more_literal_template_wins(method: str, path: str, operation: str) -> None:
    match = found(method, path)

    assert match.route is not None
    assert match.route.operation.id == operation


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "",
        "/v2",
        "/v2/",
        "/v2/nothing",
        "/v2/balance/",
        "/v2//balance",
        "/v2/phone_numbers/",
        "/balance",
        "/v2/x/" + "y" * 9000,
        "/v2/texml/Accounts/a/Recordings/.json",
        "/v3/balance",
        "/V2/balance",
        "*",
    ],
)
def test_an_unknown_address_is_unknown(path: str) -> None:
    assert ROUTER.match("GET", path) is None


def test_a_known_address_names_the_methods_it_takes() -> None:
    match = found("PUT", "/v2/billing_groups/1")

    assert match.route is None
    assert match.allow == ("DELETE", "GET", "HEAD", "PATCH")


def test_storage_swallows_nothing() -> None:
    assert ROUTER.match("GET", "/v2/some_bucket") is None
    assert ROUTER.match("GET", "/some_bucket/some_object") is None
