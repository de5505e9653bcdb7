"""A run can be cut in parts whose merger says what the whole says; the same seed asks the same questions."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from telnyx_conformance.cli import commands
from telnyx_conformance.errors import ConformanceError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SELECTED = ("GetBillingGroup", "ListBillingGroups", "HangupCall")
CLASSES = ("surface", "requests", "envelopes")
FIGURES = ("verdict", "totals", "classes", "groups")
# What no two requests share: ids of the run's own making, of the target's making, and the port of the inbox.
FRESH = re.compile(
    r"conformance-[\w-]+|\d+-main-\d+|p\d-main-\d+|v3:[\w-]+|[0-9a-f]{8}-[0-9a-f-]{27}|127\.0\.0\.1:\d+/[\w-]*|\b\d{15,}\b"
)


@pytest.fixture
def certify(tmp_path: Path) -> Callable[..., Path]:
    """Run `certify` in a process of its own, as anybody would, and return the folder of its results."""

    def run(name: str, *arguments: str) -> Path:
        chosen = [*(f"--only={name}" for name in SELECTED), *(f"--class={name}" for name in CLASSES)]
        command = [sys.executable, "-m", "telnyx_conformance", "certify", *chosen, "--no-allure", "--workers", "1"]
        ended = subprocess.run(  # noqa: S603 - our own command line
            [*command, "--out", name, *arguments], cwd=tmp_path, capture_output=True, text=True, check=False
        )
        assert ended.returncode == 0, ended.stderr
        return tmp_path / name

    return run


def merge(out: Path, *parts: Path) -> int:
    code: int = commands.main(["report", "merge", *map(str, parts), "--out", str(out)], standalone_mode=False)
    return code


def certificate(folder: Path) -> dict[str, Any]:
    read: dict[str, Any] = json.loads((folder / "certificate.json").read_text(encoding="utf-8"))
    return read


def verdicts(folder: Path) -> dict[str, str]:
    return {r["id"]: r["verdict"] for r in certificate(folder)["requirements"]}


def asked(folder: Path) -> Counter[tuple[str, str, str, str]]:
    """Every request of a run without what is fresh in it: probe, method, address, body."""
    found: Counter[tuple[str, str, str, str]] = Counter()
    for line in (folder / "evidence.ndjson").read_text(encoding="utf-8").splitlines():
        record = json.loads(line)
        if record["t"] == "exchange":
            sent = record["request"]
            found[record["probe"], sent["method"], FRESH.sub("*", sent["url"]), FRESH.sub("*", sent["body"])] += 1
    return found


def test_merged_shards_give_the_figures_of_the_whole(certify: Callable[..., Path], tmp_path: Path) -> None:
    whole = certify("whole")
    parts = [certify(f"part-{number}", "--shard", f"{number}/2") for number in (1, 2)]
    code = merge(tmp_path / "merged", *parts)

    merged = tmp_path / "merged"
    assert code == 0
    assert all(verdicts(part) for part in parts)
    assert not set(verdicts(parts[0])) & set(verdicts(parts[1]))
    assert {name: certificate(merged)[name] for name in FIGURES} == {name: certificate(whole)[name] for name in FIGURES}
    assert verdicts(merged) == verdicts(whole)


def test_a_shard_that_is_missing_or_given_twice_is_an_error(certify: Callable[..., Path], tmp_path: Path) -> None:
    part = certify("part", "--shard", "2/2")

    with pytest.raises(ConformanceError, match="no 1/2"):
        merge(tmp_path / "alone", part)
    with pytest.raises(ConformanceError, match=r"2/2|twice"):
        merge(tmp_path / "doubled", part, part)
    assert not (tmp_path / "alone" / "certificate.json").exists()


def test_a_seed_fixes_every_request_and_no_seed_changes_what_is_required(certify: Callable[..., Path]) -> None:
    first, again, other = certify("first", "--seed=7"), certify("again", "--seed=7"), certify("other", "--seed=8")

    assert asked(first) == asked(again)
    assert verdicts(first) == verdicts(again) == verdicts(other)
    assert asked(first) != asked(other)
