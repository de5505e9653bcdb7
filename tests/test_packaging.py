"""The wheel carries the content that git knows and nothing else, and works wherever it is installed and called."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from typing import TYPE_CHECKING

import pytest

from telnyx_conformance.content import content_root

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

ROOT = content_root()
CONTENT = ("contracts", "suites", "fixtures", "reports/templates", "conftest.py", "pyproject.toml")
MIRROR = "telnyx_conformance/_content/"
LEFTOVERS = (
    "reports/out/20260101T000000Z-1/certificate.json", "reports/notes.txt",
    "suites/surface/__pycache__/test_every_operation.pyc",
)  # fmt: skip
HOSTILE = {
    "conftest.py": "raise RuntimeError('the conftest.py of somebody else was loaded')",
    "pytest.ini": "[pytest]\naddopts = --no-such-option\n",
    "pyproject.toml": "[tool.pytest.ini_options]\naddopts = '--no-such-option-either'\n",
    "http.py": "raise RuntimeError('http.py was imported')",
    "json.py": "raise RuntimeError('json.py was imported')",
    "suites/surface/test_mine.py": "def test_mine(): raise RuntimeError('suites of somebody else were run')",
    "suites/__init__.py": "raise RuntimeError('suites were imported')",
    "telnyx_conformance/__init__.py": "raise RuntimeError('a package of the same name was imported')",
}


def tracked(*places: str) -> list[str]:
    listed = subprocess.run(  # noqa: S603 - our own command line
        ["git", "ls-files", "-z", *places],  # noqa: S607 - whichever git is installed
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return [name for name in listed.stdout.split("\0") if (ROOT / name).is_file()]


def write(folder: Path, name: str, text: str) -> None:
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text, encoding="utf-8")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel built from what git knows, in a checkout that has been used."""
    checkout, out = tmp_path_factory.mktemp("checkout"), tmp_path_factory.mktemp("dist")
    for name in tracked():
        (checkout / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, checkout / name)
    for name in LEFTOVERS:
        write(checkout, name, "left over")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(out), str(checkout)]
    subprocess.run(command, capture_output=True, check=True)  # noqa: S603 - our own command line
    [built] = out.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The command in a fresh environment that has the wheel; what it depends on is borrowed from this environment."""
    home = tmp_path_factory.mktemp("environment")
    venv.create(home, with_pip=False, symlinks=True)
    pip = [sys.executable, "-m", "pip", "--python", str(home / "bin" / "python"), "install", "--quiet"]
    subprocess.run([*pip, "--no-deps", "--no-index", str(wheel)], check=True)  # noqa: S603 - our own command line
    [packages] = home.glob("lib/python*/site-packages")
    (packages / "borrowed.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")
    return home / "bin" / "telnyx-conformance"


@pytest.fixture
def certify(installed: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "PYTHON"))}
        return subprocess.run(  # noqa: S603 - our own command line
            [installed, "certify", "--only", "TransferCall", "--class", "surface", *arguments],
            cwd=folder, capture_output=True, text=True, check=False, env=kept,
        )  # fmt: skip

    return run


def test_the_wheel_mirrors_the_content_that_git_knows_byte_by_byte(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as opened:
        mirrored = {
            name.removeprefix(MIRROR): opened.read(name) for name in opened.namelist() if name.startswith(MIRROR)
        }
    known = {name: (ROOT / name).read_bytes() for name in tracked(*CONTENT)}

    assert sorted(mirrored) == sorted(known)
    assert [name for name, text in mirrored.items() if text != known[name]] == []


def test_the_wheel_holds_the_engine_and_no_leftovers(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as opened:
        engine = {name for name in opened.namelist() if not name.startswith(MIRROR) and ".dist-info/" not in name}

    assert engine == {name.removeprefix("src/") for name in tracked("src")}


def test_no_pytest_run_of_the_user_is_touched(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as opened:
        [place] = [name for name in opened.namelist() if name.endswith("entry_points.txt")]
        said = opened.read(place).decode()

    assert said.split() == ["[console_scripts]", "telnyx-conformance", "=", "telnyx_conformance.cli:main"]


def test_the_installed_wheel_certifies_from_an_empty_folder(
    certify: Callable[..., subprocess.CompletedProcess[str]], tmp_path: Path
) -> None:
    ended = certify(tmp_path)

    assert ended.returncode == 0, ended.stderr
    [found] = tmp_path.glob("reports/out/*/certificate.json")
    certificate = json.loads(found.read_text(encoding="utf-8"))
    assert (certificate["verdict"], certificate["totals"]["fail"]) == ("conforms", 0)
    assert {r["operation"] for r in certificate["requirements"]} == {"TransferCall"}


@pytest.mark.parametrize("workers", ["1", "2"])
def test_the_installed_wheel_certifies_in_a_hostile_folder(
    certify: Callable[..., subprocess.CompletedProcess[str]], tmp_path: Path, workers: str
) -> None:
    for name, text in HOSTILE.items():
        write(tmp_path, name, text)
    ended = certify(tmp_path, "--workers", workers, "--out", "results")

    assert ended.returncode == 0, ended.stderr
    assert ended.stderr.splitlines()[-1].startswith("verdict: conforms")
    assert (tmp_path / "results" / "certificate.json").is_file()
