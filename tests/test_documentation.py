"""What is not documented does not exist: commands, options, classes, errors, profile keys; and no link leads nowhere."""

from __future__ import annotations

import inspect
import json
import re
from pathlib import Path

import click
import pytest

from telnyx_conformance import errors
from telnyx_conformance.cli import commands
from telnyx_conformance.contract.control import load_control
from telnyx_conformance.contract.kinds import KINDS

ROOT = Path(__file__).resolve().parent.parent
REFERENCE = (ROOT / "docs" / "commands.md").read_text()
README = (ROOT / "README.md").read_text()
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")), *sorted((ROOT / "contracts").rglob("README.md"))]
LINK = re.compile(r"\]\(([^)#\s]+\.(?:md|png|yaml)|[^)#\s]+/)(?:#[^)]*)?\)")


def leaves(command: click.Command, name: str) -> list[tuple[str, click.Command]]:
    if isinstance(command, click.Group):
        return [leaf for child, c in command.commands.items() for leaf in leaves(c, f"{name} {child}")]
    return [(name, command)]


@pytest.mark.parametrize(("name", "command"), leaves(commands, "telnyx-conformance"))
def test_a_command_and_its_options_are_documented(name: str, command: click.Command) -> None:
    _, _, section = REFERENCE.partition(f"`{name}`")
    assert section, f"docs/commands.md says nothing of {name}"
    here = re.split(r"\n#+ ", section)[0]
    options = [o for p in command.params if isinstance(p, click.Option) for o in (*p.opts, *p.secondary_opts)]
    assert [option for option in options if option not in here] == []


def test_an_undocumented_option_would_be_noticed() -> None:
    assert "--never-heard-of" not in REFERENCE


def test_every_suite_is_in_the_readme() -> None:
    suites = {p.name for p in (ROOT / "suites").iterdir() if p.is_dir() and any(p.glob("test_*.py"))}
    assert {name for name in suites if f"| {name} |" not in README} == set()


def test_every_kind_of_requirement_belongs_to_a_class_that_has_a_suite() -> None:
    suites = {p.name for p in (ROOT / "suites").iterdir() if p.is_dir()}
    assert {kind.conformance_class for kind in KINDS.values()} <= suites


def test_every_error_is_in_the_reference() -> None:
    classes = [n for n, c in inspect.getmembers(errors, inspect.isclass) if issubclass(c, errors.ConformanceError)]
    assert [name for name in classes if f"`{name}`" not in REFERENCE] == []


def test_every_key_of_a_profile_is_documented() -> None:
    schema = json.loads((ROOT / "contracts" / "schemas" / "profile.schema.json").read_text())
    page = (ROOT / "docs" / "targets.md").read_text()
    keys = [k for k in schema["properties"] if k != "claims"]
    keys += [f"claims.{k}" for k in schema["properties"]["claims"]["properties"]]
    assert [key for key in keys if f"`{key}`" not in page] == []


def test_every_request_of_the_control_api_is_documented() -> None:
    page = (ROOT / "docs" / "control.md").read_text()
    assert [o.id for o in load_control().operations if f"`{o.method} {o.path}`" not in page] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_no_link_leads_nowhere(page: Path) -> None:
    targets = [t for t in LINK.findall(page.read_text()) if not t.startswith(("http://", "https://"))]
    assert [t for t in targets if not (page.parent / t).exists()] == []


def test_every_decision_says_what_why_and_when() -> None:
    pages = sorted((ROOT / "docs" / "decisions").glob("*.md"))
    assert pages
    wanted = ("## Decision", "## Why", "## Consequences")
    assert [p.name for p in pages if any(word not in p.read_text() for word in wanted)] == []
