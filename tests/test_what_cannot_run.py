"""A test that this machine cannot run is counted and named, and is a failure where all tests are required."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

LACKING = """
import pytest

@pytest.mark.node
def test_that_needs_npx():
    pytest.skip("npx is missing")

@pytest.fixture
def browser():
    pytest.skip("no chromium")

@pytest.mark.browser
def test_that_needs_chromium(browser): ...

@pytest.mark.browser
def test_that_needs_chromium_too(browser): ...

def test_that_needs_nothing(): ...

def test_that_is_skipped_for_another_reason():
    pytest.skip("not today")
"""
COUNTED = "3 tests could not be run here: no Chromium (2), no npx (1)"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shutil.copy(Path(__file__).with_name("conftest.py"), tmp_path)
    (tmp_path / "test_lacking.py").write_text(LACKING, encoding="utf-8")
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers =\n  browser\n  node\n", encoding="utf-8")
    return tmp_path


def run(folder: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "REQUIRE_ALL": "", **variables}
    return subprocess.run(  # noqa: S603 - our own command line
        [sys.executable, "-m", "pytest", "-q", "-p", "xdist.plugin", "-p", "no:cacheprovider", *arguments],
        cwd=folder, capture_output=True, text=True, check=False, env=environment,
    )  # fmt: skip


@pytest.mark.parametrize("workers", [(), ("-n", "1")])
def test_what_cannot_run_is_counted_in_the_summary(folder: Path, workers: tuple[str, ...]) -> None:
    ended = run(folder, *workers)
    assert (ended.returncode, COUNTED in ended.stdout) == (0, True), ended.stdout


def test_where_all_are_required_what_cannot_run_fails(folder: Path) -> None:
    by_option = run(folder, "--require-all")
    by_environment = run(folder, REQUIRE_ALL="1")

    assert [ended.returncode for ended in (by_option, by_environment)] == [1, 1]
    assert COUNTED in by_option.stdout
    assert "1 passed, 1 skipped, 2 errors" in by_option.stdout.replace("1 failed, ", "")


def test_nothing_is_said_where_everything_ran(folder: Path) -> None:
    ended = run(folder, "-k", "nothing")
    assert (ended.returncode, "could not be run" in ended.stdout) == (0, False)
