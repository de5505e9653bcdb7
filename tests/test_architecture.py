"""The house of the engine: imports run one way, modules stay small, content holds no code."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
ENGINE = ROOT / "src" / "telnyx_conformance"
LONGEST = 500

# Who may import whom; anybody may import the leaves.
LEAVES = {"errors", "content", "interruption", "__init__"}
ARROWS: dict[str, set[str]] = {
    "contract": set(),
    "checks": {"contract"},
    "plan": {"contract"},
    "inbox": {"contract"},
    "emulator": {"contract"},
    "mutants": {
        "contract",
        "plan",
        "emulator",
        "opening",
        "run",
        "modelling",
        "report",
    },  # it plants, lets the suites judge, and tells
    "run": {"contract", "checks", "plan", "inbox"},
    "fuzzing": {"contract", "checks", "plan", "run"},  # a run of another kind: it knows no report and no pytest
    "modelling": {"contract", "checks", "plan", "run"},  # random programs beside a model
    "report": {"contract", "checks", "plan", "run"},
    "progress": {"report"},
    "opening": {"contract", "run", "inbox", "emulator"},
    "conducting": {"contract", "run", "fuzzing", "modelling", "report", "opening"},
    "plugin": {"contract", "checks", "plan", "run", "fuzzing", "report", "conducting", "progress"},
    "__main__": {"cli"},
    "cli": {
        "contract",
        "checks",
        "plan",
        "run",
        "fuzzing",
        "report",
        "opening",
        "conducting",
        "plugin",
        "emulator",
        "inbox",
        "mutants",
    },
}


def modules() -> list[Path]:
    return sorted(p for p in ENGINE.rglob("*.py") if "_content" not in p.parts)


def room_of(module: Path) -> str:
    return module.relative_to(ENGINE).parts[0].removesuffix(".py")


def rooms_imported(source: str) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("telnyx_conformance"):
            _, _, rest = node.module.partition(".")
            names |= {rest.split(".")[0]} if rest else {alias.name for alias in node.names}
        elif isinstance(node, ast.Import):
            names |= {a.name.split(".")[1] for a in node.names if a.name.startswith("telnyx_conformance.")}
    return names


def breaches(room: str, source: str) -> set[str]:
    return rooms_imported(source) - LEAVES - {room, "__version__"} - ARROWS.get(room, set())


@pytest.mark.parametrize("module", modules(), ids=lambda m: str(m.relative_to(ENGINE)))
def test_imports_run_one_way(module: Path) -> None:
    room = room_of(module)
    if room in LEAVES:
        assert rooms_imported(module.read_text()) <= LEAVES
    else:
        assert room in ARROWS, f"a new room: say in ARROWS what {room} may import"
        assert breaches(room, module.read_text()) == set()


def test_a_judge_that_imports_the_accused_is_noticed() -> None:
    assert breaches("checks", "from telnyx_conformance.emulator.core import Emulator") == {"emulator"}


@pytest.mark.parametrize("module", modules(), ids=lambda m: str(m.relative_to(ENGINE)))
def test_no_module_is_too_long(module: Path) -> None:
    assert len(module.read_text().splitlines()) <= LONGEST


def test_every_module_says_why_it_exists() -> None:
    silent = [str(m.relative_to(ENGINE)) for m in modules() if not ast.get_docstring(ast.parse(m.read_text()))]
    assert silent == []


@pytest.mark.parametrize("suite", sorted((ROOT / "suites").rglob("*.py")), ids=lambda p: p.stem)
def test_a_suite_imports_from_the_engine_only_and_opens_with_its_claim(suite: Path) -> None:
    tree = ast.parse(suite.read_text())
    imported = {n.module.split(".")[0] for n in ast.walk(tree) if isinstance(n, ast.ImportFrom) and n.module}
    assert imported <= {"telnyx_conformance", "__future__"}
    assert (ast.get_docstring(tree) or "").endswith(".")


def test_contracts_hold_no_code() -> None:
    code = {p.suffix for p in (ROOT / "contracts").rglob("*") if p.is_file()}
    assert code <= {".yaml", ".json", ".txt", ".md"}
