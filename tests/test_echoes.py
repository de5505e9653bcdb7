"""What was asked comes back: which fields, and what counts as the same."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from telnyx_conformance.checks.body import echoes, repeated
from telnyx_conformance.contract.document import load_edition
from telnyx_conformance.contract.echoes import echoed_fields
from telnyx_conformance.contract.exchange import Exchange, Request, Response


def fields(operation: str) -> tuple[str, ...]:
    edition = load_edition()
    return echoed_fields(edition, edition.operation(operation))


def exchange(asked: Any, answered: Any) -> Exchange:
    request = Request(method="POST", path="/things", body=msgspec.json.encode(asked))
    return Exchange(request=request, response=Response(status=200, body=msgspec.json.encode(answered)))


def test_a_creation_and_a_change_repeat_their_fields() -> None:
    assert fields("CreateBillingGroup") == ("name",)
    assert fields("UpdateBillingGroup") == ("name",)


@pytest.mark.parametrize("operation", ["GetBillingGroup", "ListBillingGroups", "TransferCall", "DeleteBillingGroup"])
def test_what_neither_creates_nor_changes_repeats_nothing(operation: str) -> None:
    assert fields(operation) == ()


def test_a_change_does_not_repeat_the_name_that_identifies_the_resource() -> None:
    assert "name" in fields("createSiprecConnector")
    assert "name" not in fields("updateSiprecConnector")


def test_a_secret_is_not_asked_back() -> None:
    secret = {name for o in load_edition().operations for name in fields(o.id) if "password" in name}
    assert secret == set()


@pytest.mark.parametrize("answered", [{"data": {"name": "a", "id": "1"}}, {"name": "a", "id": "1"}])
def test_what_comes_back_as_it_was_asked_passes(answered: Any) -> None:
    pairs = repeated(exchange({"name": "a", "size": None}, answered), ("name", "size"))
    assert pairs == {"name": ("a", "a")}
    assert echoes(pairs) is None


@pytest.mark.parametrize(("asked", "got"), [("a", "b"), ("a", None), (1, True), (False, 0), ("1", 1)])
def test_what_comes_back_otherwise_is_told(asked: Any, got: Any) -> None:
    finding = echoes(repeated(exchange({"name": asked}, {"data": {"name": got}}), ("name",)))
    assert finding is not None
    assert (finding.check, finding.expected) == ("echo", "what was asked")
    assert finding.actual.startswith("name: asked ")


@pytest.mark.parametrize("answered", [[], {"data": []}, {"data": {"id": "1"}}, "text"])
def test_an_answer_that_does_not_hold_the_field_is_not_judged(answered: Any) -> None:
    assert repeated(exchange({"name": "a"}, answered), ("name",)) == {}
