"""Prism serves our bundle: it knows no state, no /v2 and no real events, and is blamed for that and for nothing else."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.node

SELECTED = ("--only=TransferCall", "--only=Billing Groups", "--only=Messaging Profiles")
CLASSES = ("--class=surface", "--class=requests", "--class=envelopes", "--class=headers")
SEQUENCE = "transfer-answered"
# Prism validates bodies, paths and credentials, and answers with the examples of the contract.
RIGHT = (
    "TransferCall:route:exists", "TransferCall:auth:missing", "TransferCall:request:minimal",
    "TransferCall:request.body.timeout_secs:minimum", "TransferCall:request.body.timeout_secs:maximum",
    "TransferCall:request.body.to:required", "TransferCall:request.body.client_state:contentEncoding",
    "TransferCall:request.body:exclusive=audio_url+media_name", "TransferCall:request.body.early_media:type",
    "TransferCall:response.200:schema", "TransferCall:response.200:status", "TransferCall:response.200:content-type",
    "CreateBillingGroup:request:minimal", "GetBillingGroup:request.path.id:format", "GetBillingGroup:response.200:schema",
    "ListBillingGroups:response.200:envelope", "CreateMessagingProfile:request.body.name:required",
)  # fmt: skip
WRONG = {
    "TransferCall:auth:unknown": "200",  # any key will do
    "TransferCall:request.body.timeout_secs:pointer": "/json/pointer",  # it refuses with an example
    "TransferCall:request.body.timeout_secs:code": "string",
    "CreateBillingGroup:error.422:schema": "stoplight.io/prism/errors",
    "GetBillingGroup:resource:unknown": "200",  # everything exists
    "ListBillingGroups:pagination:beyond-end": "1 items",  # every page is the same
    "ListBillingGroups:request.query.page[size]:maximum": "200",  # brackets in names are not understood
}
# Why something could not be judged, and could not by anybody.
SILENCES = ("what should have been refused was not", "no request of this kind was refused", "the list is empty")


@pytest.fixture(scope="module")
def certified(prism: int, tmp_path_factory: pytest.TempPathFactory) -> tuple[int, dict[str, Any]]:
    """Exit code and certificate of a selection."""
    out = tmp_path_factory.mktemp("certified")
    command = [sys.executable, "-m", "telnyx_conformance", "certify", f"http://127.0.0.1:{prism}", f"--out={out}"]
    ended = subprocess.run(  # noqa: S603 - our own command line
        [*command, *SELECTED, *CLASSES, "--no-allure"], capture_output=True, text=True, check=False
    )
    assert (out / "certificate.json").is_file(), ended.stderr
    return ended.returncode, json.loads((out / "certificate.json").read_text(encoding="utf-8"))


def test_prism_does_not_conform(certified: tuple[int, dict[str, Any]]) -> None:
    code, certificate = certified
    assert (code, certificate["verdict"]) == (1, "does_not_conform")
    assert certificate["run"]["interrupted"] is False


def test_what_prism_does_right_passes(certified: tuple[int, dict[str, Any]]) -> None:
    said = {r["id"]: r for r in certified[1]["requirements"]}
    assert {name: said[name].get("actual", "") for name in RIGHT if said[name]["verdict"] != "pass"} == {}


def test_what_prism_does_wrong_fails_for_that_reason(certified: tuple[int, dict[str, Any]]) -> None:
    said = {r["id"]: r for r in certified[1]["requirements"]}
    assert [said[name]["verdict"] for name in WRONG] == ["fail"] * len(WRONG)
    assert [name for name, reason in WRONG.items() if reason not in said[name]["actual"]] == []


def test_no_schema_violation_that_prism_refuses_counts_against_it(certified: tuple[int, dict[str, Any]]) -> None:
    """Whatever fails as not refused was answered with success."""
    claims = [r for r in certified[1]["requirements"] if "the request is refused" in r.get("expected", "")]
    wrong = [r for r in claims if r["verdict"] == "fail" and r["class"] == "requests"]
    assert wrong
    assert [(r["id"], r["actual"]) for r in wrong if not r["actual"].startswith("20")] == []


def test_only_what_nobody_could_judge_is_inconclusive(certified: tuple[int, dict[str, Any]]) -> None:
    unjudged = {r["id"]: r["actual"] for r in certified[1]["requirements"] if r["verdict"] == "inconclusive"}
    assert {name: why for name, why in unjudged.items() if not why.startswith(SILENCES)} == {}


def test_a_sequence_that_could_not_be_played_is_not_blamed_for_absent_events(prism: int, tmp_path: Path) -> None:
    profile = tmp_path / "profile.yaml"
    profile.write_text("event_seconds: 1\n", encoding="utf-8")
    options = ["--target", f"http://127.0.0.1:{prism}", "--out", str(tmp_path / "out"), "--profile", str(profile)]
    ended = subprocess.run(  # noqa: S603 - our own command line
        [sys.executable, "-m", "pytest", "suites/webhooks", *options, "-k", f"TransferCall-{SEQUENCE}]"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    certificate = json.loads((tmp_path / "out" / "certificate.json").read_text(encoding="utf-8"))
    said = {r["id"]: r for r in certificate["requirements"] if r["operation"] == "TransferCall"}

    assert ended.returncode in (1, 3)  # whether Prism's own callbacks are wrong or do not come is up to its examples
    missing = said[f"TransferCall:webhooks.{SEQUENCE}.answered:present"]
    assert (missing["verdict"], missing["actual"]) == ("inconclusive", "a call was dialled, and no call.answered came")
