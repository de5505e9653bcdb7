"""The contract of the control API is sound, and random requests to ours find nothing that breaks it."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi.checks import positive_data_acceptance

from telnyx_conformance.contract.control import load_control
from telnyx_conformance.contract.document import load_edition
from telnyx_conformance.contract.files import contracts_folder
from telnyx_conformance.contract.importer import references
from telnyx_conformance.contract.lint import lint
from telnyx_conformance.contract.model import pointed
from telnyx_conformance.contract.validators import compiled
from telnyx_conformance.emulator import control
from telnyx_conformance.emulator.app import App
from telnyx_conformance.emulator.control_handlers import HANDLERS
from telnyx_conformance.emulator.core import Emulator

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

KEY = {"Authorization": "Bearer KEYTEST_contract"}
# Whether one that is well formed is accepted depends on what the account holds: there is no such call, no such profile.
DEPENDS_ON_STATE = {"pressDigits", "say", "hangUp", "createInboundCall", "createInboundMessage", "setDestination"}
FEW = settings(
    max_examples=15, deadline=None, derandomize=True, database=None,
    suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow],
)  # fmt: skip


def served() -> Any:
    """Return what Schemathesis makes of the contract that a fresh emulator serves."""
    schema = schemathesis.openapi.from_asgi("/_control/openapi.json", app=App(Emulator(load_edition())))
    schema.config.generation.update(allow_extra_parameters=False)  # OpenAPI cannot say that there are no others
    return schema


SCHEMA = served()


@SCHEMA.parametrize()  # type: ignore[untyped-decorator]  # Schemathesis publishes no types
@FEW
def test_no_request_gets_an_answer_that_the_contract_does_not_describe(case: Any) -> None:
    depends = case.operation.definition.raw["operationId"] in DEPENDS_ON_STATE
    case.call_and_validate(headers=KEY, excluded_checks=[positive_data_acceptance] if depends else [])


def test_an_answer_beside_the_contract_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    async def wrong(*_: object) -> Any:
        return {"data": {"now": "noon", "mode": "auto", "pending": 0}}

    monkeypatch.setattr(control, "HANDLERS", {**HANDLERS, "readClock": wrong})

    @FEW
    @given(case=served()["/clock"]["GET"].as_strategy())
    def explore(case: Any) -> None:
        case.call_and_validate(headers=KEY)

    with pytest.raises(FailureGroup, match="1 distinct failure"):
        explore()


def test_every_reference_leads_somewhere_and_every_component_is_used() -> None:
    document = load_control().document
    used = set(references(document))
    named = {f"#/components/{kind}/{name}" for kind, nodes in document["components"].items() for name in nodes}

    assert [pointed(document, reference) is None for reference in used] == [False] * len(used)
    assert named - used == {"#/components/securitySchemes/bearer"}


def examples() -> Iterator[tuple[str, Any, dict[str, Any]]]:
    for path, item in load_control().document["paths"].items():
        for method, node in item.items():
            body = node.get("requestBody", {}).get("content", {}).get("application/json", {})
            for name, example in body.get("examples", {}).items():
                yield f"{method} {path} {name}", example["value"], body["schema"]


@pytest.mark.parametrize(("value", "schema"), [pytest.param(v, s, id=name) for name, v, s in examples()])
def test_an_example_is_what_its_schema_says(value: Any, schema: dict[str, Any]) -> None:
    assert list(compiled(load_control().document, schema, "request").iter_errors(value)) == []


def test_a_slip_in_the_contract_is_told_with_its_place(tmp_path: Path) -> None:
    text = (
        (contracts_folder() / "control.yaml").read_text("utf-8").replace("operationId: settle", "operatoinId: settle")
    )
    (tmp_path / "control.yaml").write_text(text, "utf-8")
    [problem] = lint(tmp_path)

    assert "control.yaml:" in problem.where
    assert "operationId" in problem.advice


def test_the_command_prints_the_contract_as_json() -> None:
    command = [sys.executable, "-m", "telnyx_conformance", "contract", "control"]
    printed = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603 - our own command
    assert json.loads(printed.stdout) == load_control().document
