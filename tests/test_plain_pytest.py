"""The suites under plain pytest, against an emulator that somebody else started: what any pytest user would expect."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
from collections import Counter
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

import httpx
import pytest

from telnyx_conformance.content import content_root
from telnyx_conformance.contract.document import load_edition
from telnyx_conformance.emulator.core import Emulator
from telnyx_conformance.emulator.server import Server, listening_socket

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ROOT = content_root()
SURFACE = "surface and TransferCall"
CLASSES = ("surface", "requests", "envelopes", "headers", "commands", "webhooks", "models")
BOUND = "TransferCall:request.body.timeout_secs:minimum"
ITEM = re.compile(r"suites/(\w+)/test_\w+\.py::test_\w+\[(TransferCall(?:-[a-z0-9-]+)?)\]")


class Target(NamedTuple):
    """An emulator behind a socket. `url` is what --target takes."""

    url: str

    def requests(self) -> list[Any]:
        """What the emulator was asked with the key that runs use, whoever asked."""
        control = self.url.removesuffix("/v2") + "/_control/requests"
        found: list[Any] = []
        for worker in ("main", "gw0", "gw1"):
            key = f"KEYTEST_conformance_{worker}_surface-TransferCall"
            answer = httpx.get(control, headers={"authorization": f"Bearer {key}"}, trust_env=False)
            found += answer.raise_for_status().json()["data"]
        return found


@contextmanager
def served(emulator: Emulator) -> Iterator[Target]:
    started = threading.Event()
    server = Server(emulator, listening_socket(port=0), started=lambda _: started.set())
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    started.wait()
    try:
        yield Target(f"{server.base_url}/v2")
    finally:
        server.stop()
        thread.join()


@pytest.fixture(scope="module")
def target() -> Iterator[Target]:
    with served(Emulator(load_edition())) as running:
        yield running


def run_pytest(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 - our own command line
        [sys.executable, "-m", "pytest", "suites", "-p", "no:cacheprovider", *arguments],
        cwd=ROOT, capture_output=True, text=True, check=False, env={**os.environ, "PYTEST_ADDOPTS": ""},
    )  # fmt: skip


class Run(NamedTuple):
    ended: subprocess.CompletedProcess[str]
    out: Path
    allure: Path

    @property
    def certificate(self) -> dict[str, Any]:
        read: dict[str, Any] = json.loads((self.out / "certificate.json").read_text(encoding="utf-8"))
        return read


@pytest.fixture(scope="module")
def transfer(target: Target, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Everything about TransferCall, in two workers."""
    out, allure = tmp_path_factory.mktemp("out"), tmp_path_factory.mktemp("allure")
    options = ["-v", "-n", "2", "--target", target.url, "--alluredir", str(allure), "--out", str(out)]
    return Run(run_pytest(*options, "-k", "TransferCall"), out, allure)


def test_all_is_well_and_the_certificate_is_written(transfer: Run) -> None:
    assert transfer.ended.returncode == 0, transfer.ended.stdout[-3000:]
    assert transfer.certificate["verdict"] == "conforms"
    assert transfer.certificate["target"]["kind"] == "url"
    assert transfer.certificate["totals"]["inconclusive"] == 0
    judged = [r for r in transfer.certificate["requirements"] if r["verdict"] != "not_applicable"]
    assert {r["operation"] for r in judged} == {"TransferCall"}
    assert all((transfer.out / name).is_file() for name in ("certificate.html", "junit.xml", "evidence.ndjson"))


def test_items_are_named_by_class_and_operation_or_sequence(transfer: Run) -> None:
    passed = [line for line in transfer.ended.stdout.splitlines() if "PASSED" in line]
    found = [ITEM.search(line) for line in passed]

    assert None not in found
    named = Counter(item[1] for item in found if item)
    assert set(CLASSES) == set(named)
    assert (named["surface"], named["requests"]) == (1, 1)


def test_allure_results_are_ordered_by_group_class_and_operation_with_exchanges_attached(transfer: Run) -> None:
    results = [json.loads(file.read_text(encoding="utf-8")) for file in transfer.allure.glob("*-result.json")]
    levels = {
        tuple(next(x["value"] for x in result["labels"] if x["name"] == level)
              for level in ("parentSuite", "suite", "subSuite"))
        for result in results
    }  # fmt: skip

    assert levels == {("Call Commands", name, "TransferCall") for name in CLASSES}
    sources = [next(a["source"] for a in r["attachments"] if a["name"] == "exchanges") for r in results]
    sent = [json.loads(line) for name in sources for line in (transfer.allure / name).read_text().splitlines()]
    assert any(one["request"]["url"].endswith("/actions/transfer") for one in sent)


def test_a_planted_fault_fails_and_names_the_requirement(tmp_path: Path) -> None:
    with served(Emulator(load_edition(hardened=False))) as lenient:
        ended = run_pytest(
            "--target", lenient.url, "--out", str(tmp_path), "-k", "requests and TransferCall", "-p", "no:xdist"
        )
    certificate = json.loads((tmp_path / "certificate.json").read_text(encoding="utf-8"))

    assert ended.returncode == 1
    assert f"[TransferCall] [{BOUND}] _" in ended.stdout
    assert f"requirement: {BOUND}" in ended.stdout
    assert certificate["verdict"] == "does_not_conform"
    assert [r["verdict"] for r in certificate["requirements"] if r["id"] == BOUND] == ["fail"]


def test_collecting_sends_nothing(tmp_path: Path) -> None:
    with served(Emulator(load_edition())) as untouched:
        common = ("--target", untouched.url, "--out", str(tmp_path / "out"), "-k", SURFACE, "-q")
        collected = run_pytest(*common, "--collect-only")
        before = untouched.requests()
        ran = run_pytest(*common)
        after = untouched.requests()

    assert [collected.returncode, ran.returncode] == [0, 0]
    assert "[TransferCall]" in collected.stdout
    assert (before, bool(after)) == ([], True)


def test_a_selection_that_matches_nothing_is_what_pytest_calls_it(target: Target, tmp_path: Path) -> None:
    ended = run_pytest("--target", target.url, "--out", str(tmp_path / "out"), "-k", "NoSuchOperation")

    assert ended.returncode == pytest.ExitCode.NO_TESTS_COLLECTED
    assert not (tmp_path / "out" / "certificate.json").exists()
