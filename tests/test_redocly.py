"""Redocly's linter reads the bundle as OpenAPI 3.1 and finds no error in it; in a document with an error it finds that."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from telnyx_conformance.contract.bundle import bundle
from telnyx_conformance.contract.document import load_edition

pytestmark = pytest.mark.node

CONFIG = Path(__file__).parent / "redocly" / "redocly.yaml"
LINTER = "@redocly/cli@2"


def errors_in(document: dict[str, Any], folder: Path) -> list[str]:
    """Return `rule: message` of each error that the linter finds."""
    npx = shutil.which("npx")
    if npx is None:
        pytest.skip("npx is missing")
    (folder / "bundle.json").write_text(json.dumps(document), encoding="utf-8")
    shutil.copy(CONFIG, folder / "redocly.yaml")
    command = [npx, "--yes", LINTER, "lint", "bundle.json", "--format=json", "--max-problems=10000"]
    quiet = {**os.environ, "REDOCLY_TELEMETRY": "off", "REDOCLY_SUPPRESS_UPDATE_NOTICE": "true", "CI": "1"}
    ended = subprocess.run(command, cwd=folder, env=quiet, capture_output=True, text=True, check=False)  # noqa: S603 - our own command line
    if not ended.stdout.lstrip().startswith("{"):
        pytest.skip(f"npx could not run Redocly: {ended.stderr[-500:]}")
    found = json.loads(ended.stdout)["problems"]
    return [f"{problem['ruleId']}: {problem['message']}" for problem in found if problem["severity"] == "error"]


@pytest.mark.parametrize("hardened", [True, False], ids=["hardened", "plain"])
def test_the_bundle_has_no_error(tmp_path: Path, hardened: bool) -> None:  # noqa: FBT001 - a parameter of the test
    assert errors_in(bundle(load_edition(hardened=hardened)), tmp_path) == []


def test_an_error_in_a_bundle_is_found(tmp_path: Path) -> None:
    document = bundle(load_edition())
    document["info"] = {"version": "2025-06-16"}
    assert errors_in(document, tmp_path) == ["struct: The field `title` must be present on this level."]
