"""What a caller may get wrong, and what a machine may refuse: a message that helps, the documented code, nothing lost."""

from __future__ import annotations

import json
import os
import resource
import shutil
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from telnyx_conformance.report.write import write_reports

ROOT = Path(__file__).resolve().parents[1]
SECONDS = 90.0
FEW = ("certify", "--only", "ListBillingGroups", "--class", "surface", "--no-allure")
BILLING = "2025-06-16/groups/billing.yaml"
Run = Callable[..., "subprocess.CompletedProcess[str]"]


def environment(**more: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name not in ("TELNYX_API_KEY", "JOB_COMPLETION_INDEX")}
    return kept | {"NO_COLOR": "1", "COLUMNS": "200", "PYTHONDONTWRITEBYTECODE": "1"} | more


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "telnyx_conformance", *arguments]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Run the command line in an empty folder."""

    def running(*arguments: str, limit: int = 0, **env: str) -> subprocess.CompletedProcess[str]:
        def small() -> None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

        return subprocess.run(  # noqa: S603 - our own command
            command(*arguments), env=environment(**env), cwd=tmp_path, capture_output=True, text=True, timeout=SECONDS,
            check=False, preexec_fn=small if limit else None,
        )  # fmt: skip

    return running


@pytest.mark.parametrize(
    ("arguments", "problem", "advice"),
    [
        (["--only", "TransferCal"], "unknown operation or group: TransferCal", "did you mean TransferCall?"),
        (["--only", "Billing Gruops"], "unknown operation or group: Billing Gruops", "Billing Groups?"),
        (["--only", "Nothing*"], "Nothing*", ""),
        (["--class", "sufrace"], "unknown conformance class: sufrace", "did you mean surface?"),
        (["--edition", "2025-06-61"], "unknown edition: 2025-06-61", "did you mean 2025-06-16?"),
        (["--allow", "safe_raed"], "unknown safety class: safe_raed", "did you mean safe_read?"),
        (["--shard", "3/2"], "not a shard", "1 <= I <= N"),
        (["--shard", "2/9999", "--only", "ListBillingGroups"], "nothing was selected", ""),
        (["--only", "ListBillingGroups", "--class", "webhooks"], "nothing was selected", ""),
        (["--only", "ListBillingGroups", "--class", "webhooks", "--workers", "2"], "nothing was selected", ""),
        (["http//127.0.0.1"], "not a target: http//127.0.0.1", "http://127.0.0.1:12111/v2"),
        (["http://127.0.0.1:12x/v2"], "not a target: http://127.0.0.1:12x/v2", "http://127.0.0.1:12111/v2"),
        (["live"], "no key for the live API", "TELNYX_API_KEY"),
        (["--workers", "0"], "Invalid value for '--workers'", ""),
        (["--sede", "1"], "No such option", "--seed"),
        (["--profile", "absent.yaml"], "cannot be read", "absent.yaml"),
        (["--waivers", "absent.yaml"], "the waivers cannot be read", "absent.yaml"),
    ],
)
def test_a_wrong_word_is_told_with_its_neighbour(run: Run, arguments: list[str], problem: str, advice: str) -> None:
    done = run("certify", "--no-allure", *arguments)

    assert done.returncode == 2
    assert problem in done.stderr
    assert advice in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("request_second: 1\n", ["profile.yaml:1:", "did you mean request_seconds?"]),
        ("a: 1\nrequest_seconds: soon\n", ["profile.yaml"]),
        ("request_seconds: soon\n", ["profile.yaml:1:18: /request_seconds", '"soon" is not of type "number"']),
        ("request_seconds: 0\n", ["profile.yaml:1:18"]),
        ("claims: [surface]\n", ["/claims", "object"]),
        ("claims: {groups: [Billing", ["not YAML", "truncated"]),
        ("- a\n- list\n", ["profile.yaml", "object"]),
        ("", ["profile.yaml", "object"]),
        ("in_flight: 1\nin_flight: 2\n", ["in_flight stands twice", "profile.yaml:2:1"]),
        ("\x00\x01", ["not YAML", "profile.yaml"]),
        ("public_key: c2hvcnQ=\n", ["not an Ed25519 public key"]),
        ("key_variable: ABSENT_HERE\n", ["ABSENT_HERE", "not set"]),
        ("key: KEYabc\n", ["key_variable"]),
        ("[" * 5000, ["profile.yaml"]),
    ],
)
def test_a_wrong_profile_is_told_with_its_place(run: Run, tmp_path: Path, text: str, told: list[str]) -> None:
    (tmp_path / "profile.yaml").write_text(text)
    done = run(*FEW, "http://127.0.0.1:1", "--profile", "profile.yaml")

    assert done.returncode == 2
    assert [words for words in told if words not in done.stderr] == []
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("requirement: x\n", ["the waivers are not a list"]),
        ("- {requirement: 'ListBillingGroups:route:exist', reason: r, link: l, owner: o, expires: 2099-01-01}", [
            "matches no requirement", "did you mean ListBillingGroups:route:exists?"]),
        ("- {requirement: 'ListBillingGroups:route:exists', reason: r, link: l, owner: o}", ["needs expires"]),
        ("- {requirement: 'x', raeson: r}", ["unknown key: raeson", "did you mean reason?"]),
        ("- {requirement: 'x'", ["not YAML"]),
    ],
)  # fmt: skip
def test_wrong_waivers_are_told_before_anything_is_sent(run: Run, tmp_path: Path, text: str, told: list[str]) -> None:
    (tmp_path / "waivers.yaml").write_text(text)
    done = run(*FEW, "--waivers", "waivers.yaml", "--out", "run")

    assert done.returncode == 2
    assert [words for words in told if words not in done.stderr] == []
    assert not (tmp_path / "run").exists()


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of engine and content, whose contract may be broken."""
    folder = tmp_path_factory.mktemp("checkout")
    for part in ("src", "contracts", "suites", "fixtures", "reports/templates"):
        shutil.copytree(ROOT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__", "out"))
    for name in ("conftest.py", "pyproject.toml"):
        shutil.copy(ROOT / name, folder / name)
    return folder


@pytest.mark.parametrize(
    ("file", "change", "told"),
    [
        (BILLING, lambda text: text.replace("operationId", "operatoinId", 1), ["billing.yaml:", "operationId"]),
        (BILLING, lambda text: text[: len(text) // 2] + "\n  - [", ["billing.yaml:", "not YAML"]),
        (BILLING, lambda _: "- a list\n", ["billing.yaml", "object"]),
        (BILLING, lambda _: "", ["billing.yaml"]),
        ("2025-06-16/edition.yaml", lambda _: "openapi: 4\n", ["edition.yaml"]),
        ("safety.yaml", lambda text: text.replace("safe_read", "safe_raed"), ["safety.yaml", "safe_read"]),
        ("errors.yaml", lambda _: "{", ["errors.yaml", "not YAML"]),
    ],
)  # fmt: skip
def test_a_broken_contract_file_is_told_with_its_place(
    run: Run, checkout: Path, file: str, change: Callable[[str], str], told: list[str]
) -> None:
    broken = checkout / "contracts" / file
    whole = broken.read_text("utf-8")
    broken.write_text(change(whole), "utf-8")
    try:
        done = run(*FEW, PYTHONPATH=str(checkout / "src"))
    finally:
        broken.write_text(whole, "utf-8")

    assert done.returncode == 2
    assert [words for words in told if words not in done.stderr] == []
    assert "Traceback" not in done.stderr


def test_a_contract_without_its_content_says_what_is_missing(run: Run, checkout: Path) -> None:
    (checkout / "fixtures").rename(checkout / "aside")
    try:
        done = run(*FEW, PYTHONPATH=str(checkout / "src"))
    finally:
        (checkout / "aside").rename(checkout / "fixtures")

    assert done.returncode == 2
    assert "the content folders are missing" in done.stderr


def test_a_port_in_use_is_told(run: Run) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = run("emulate", "--port", str(port))

    assert done.returncode == 2
    assert "the port is in use" in done.stderr
    assert "--port" in done.stderr


def test_an_inbox_port_in_use_ends_the_run_once(run: Run, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        (tmp_path / "profile.yaml").write_text(f"webhook_port: {taken.getsockname()[1]}\n")
        done = run("certify", "--only", "Billing Groups", "--profile", "profile.yaml", "--workers", "2")

    assert done.returncode == 3
    assert done.stderr.count("the webhook inbox cannot listen") == 1
    assert done.stderr.strip().splitlines()[-1].startswith("verdict: incomplete")


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_folder_that_cannot_be_made_is_told_before_anything_is_sent(run: Run, tmp_path: Path, workers: str) -> None:
    (tmp_path / "file").write_text("in the way")
    done = run(*FEW, "--workers", workers, "--out", "file/run")

    assert done.returncode == 3
    assert "error: a result could not be written" in done.stderr
    assert "--out" in done.stderr
    assert "proving" not in done.stderr


def test_a_full_disk_for_the_evidence_ends_the_run(run: Run, tmp_path: Path) -> None:
    done = run("certify", "--only", "TransferCall", "--no-allure", "--out", "run", limit=600_000)

    assert done.returncode == 3
    assert "error: the evidence cannot be written" in done.stderr
    assert "Traceback" not in done.stderr
    assert (tmp_path / "run" / "evidence.main.ndjson").stat().st_size > 400_000


@pytest.mark.parametrize("name", ["certificate.json", "certificate.html", "junit.xml"])
def test_a_full_disk_for_a_report_keeps_the_evidence(run: Run, tmp_path: Path, name: str) -> None:
    """The run is a good one; then the disk is full: what is written to /dev/full fails as on a full disk."""
    done = run(*FEW, "--out", "run")
    folder = tmp_path / "run"
    before = (folder / "evidence.ndjson").read_bytes()
    for result in ("certificate.json", "certificate.html", "junit.xml"):
        (folder / result).unlink()
    (folder / f".{name}.writing").symlink_to("/dev/full")
    shown = run("report", "show", "run")

    assert (done.returncode, shown.returncode) == (0, 3)
    assert "error: no space is left for a result" in shown.stderr
    assert name in shown.stderr
    assert (folder / "evidence.ndjson").read_bytes() == before


def test_a_second_run_in_a_folder_replaces_the_first(run: Run, tmp_path: Path) -> None:
    run(*FEW, "--out", "run")
    run("certify", "--only", "GetUserBalance", "--class", "surface", "--no-allure", "--out", "run")
    found = json.loads((tmp_path / "run" / "certificate.json").read_text("utf-8"))

    assert {r["operation"] for r in found["requirements"]} == {"GetUserBalance"}


class Stuck(BaseHTTPRequestHandler):
    """Answers some requests, and keeps all later ones waiting: a run that is sure to be in its middle."""

    polite = 60
    seen = 0
    reached = threading.Event()
    over = threading.Event()
    protocol_version = "HTTP/1.1"

    def answer(self) -> None:
        Stuck.seen += 1
        self.rfile.read(int(self.headers.get("content-length") or 0))
        if Stuck.seen > self.polite:
            Stuck.reached.set()
            Stuck.over.wait(SECONDS)
        with suppress(OSError):
            body = b'{"data": [], "meta": {}}'
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = answer  # noqa: N815 - named by the standard library

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


def _can_be_interrupted() -> None:
    """Undo what a shell does to processes in the background: they inherit that SIGINT is ignored."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.fixture
def middle(tmp_path: Path) -> Any:
    """Start a run in a session of its own, and return its process once the target keeps it waiting."""
    Stuck.seen = 0
    Stuck.reached, Stuck.over = threading.Event(), threading.Event()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Stuck)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    started: list[subprocess.Popen[str]] = []

    def starting(workers: str) -> subprocess.Popen[str]:
        (tmp_path / "profile.yaml").write_text("{request_seconds: 60, claims: {webhooks: false, control: false}}")
        url = f"http://127.0.0.1:{server.server_port}/v2"
        options = ["--only", "Billing Groups", "--only", "Addresses", "--profile", "profile.yaml", "--workers", workers]
        process = subprocess.Popen(  # noqa: S603 - our own command
            command("certify", url, *options, "--out", "run"), env=environment(), cwd=tmp_path, text=True,
            stderr=subprocess.PIPE, start_new_session=True, preexec_fn=_can_be_interrupted,  # noqa: PLW1509 - no lock is held here
        )  # fmt: skip
        started.append(process)
        assert Stuck.reached.wait(SECONDS)
        return process

    yield starting
    Stuck.over.set()
    for process in started:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
    server.shutdown()
    server.server_close()


def group_is_empty(pid: int) -> bool:
    try:
        os.killpg(pid, 0)
    except ProcessLookupError:
        return True
    return False


@pytest.mark.parametrize("workers", ["1", "2"])
@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("whole_group", [True, False], ids=["at a terminal", "by a supervisor"])
def test_an_interrupted_run_says_so_keeps_what_it_proved_and_leaves_no_process(
    middle: Callable[[str], subprocess.Popen[str]],
    tmp_path: Path,
    workers: str,
    sent: signal.Signals,
    *,
    whole_group: bool,
) -> None:
    process = middle(workers)
    if whole_group:
        os.killpg(process.pid, sent)
    else:
        process.send_signal(sent)
    said = process.communicate(timeout=SECONDS)[1]
    found = json.loads((tmp_path / "run" / "certificate.json").read_text("utf-8"))

    assert process.returncode == 3
    assert said.strip().splitlines()[-1].startswith("verdict: incomplete")
    assert "the run was interrupted" in found["reasons"]
    assert found["verdict"] == "incomplete"
    assert found["totals"]["pass"] + found["totals"]["fail"] > 0
    assert "Traceback" not in said
    assert group_is_empty(process.pid)


@pytest.mark.parametrize("workers", ["1", "2"])
def test_what_a_killed_run_proved_can_still_be_scored(
    middle: Callable[[str], subprocess.Popen[str]], run: Run, tmp_path: Path, workers: str
) -> None:
    process = middle(workers)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate(timeout=SECONDS)
    shown = run("report", "show", "run")
    again = write_reports(tmp_path / "run")

    assert shown.returncode == 3
    assert shown.stderr.strip().splitlines()[-1].startswith("verdict: incomplete")
    assert again.totals.passed + again.totals.fail > 0
    assert again.run.interrupted


def test_report_show_of_nothing_is_told(run: Run, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "broken.json").write_text('{"schema_version": 1')

    for place in ("empty", "absent", "broken.json"):
        done = run("report", "show", place)
        assert (done.returncode, "Traceback" in done.stderr) == (2, False)
        assert place in done.stderr


@pytest.mark.parametrize("workers", ["1", "2"])
def test_allure_results_that_cannot_be_written_end_the_run_with_one_message(
    run: Run, tmp_path: Path, workers: str
) -> None:
    """A limit on the size of files stands for a full disk: the attachments are what first goes beyond it."""
    done = run("certify", "--only", "TransferCall", "--workers", workers, "--out", "run", limit=200_000)
    problems = [line for line in done.stderr.splitlines() if line.startswith("error: ")]

    assert done.returncode == 3
    assert problems in (["error: the evidence cannot be written"], ["error: no space is left for a result"])
    assert "Traceback" not in done.stderr
    assert list((tmp_path / "run").glob("evidence*.ndjson"))
