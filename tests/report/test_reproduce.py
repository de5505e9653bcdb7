"""A failure can be repeated: the script and the test that a run leaves behind do send the recorded request."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telnyx_conformance.report.recorded import step
from telnyx_conformance.report.script import quoted
from telnyx_conformance.report.text import file_name
from telnyx_conformance.report.write import write_reports

if TYPE_CHECKING:
    from collections.abc import Iterator

KEY = "KEYTEST-not-a-secret"


@pytest.fixture
def server() -> Iterator[ThreadingHTTPServer]:
    """Answer 200 with a fresh id and note what was asked."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            asked.append((self.path, dict(self.headers), body))
            answer = json.dumps({"data": {"call_control_id": "v3:fresh/id"}}).encode()
            self.send_response(200)
            self.send_header("content-length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    asked: list[Any] = []
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        running.asked = asked  # type: ignore[attr-defined]
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        yield running
        running.shutdown()
        thread.join()


def failed_run(folder: Path, build: Any, exchanges: list[dict[str, Any]], **verdict: Any) -> Path:
    """A run with one failure, after these exchanges."""
    numbers = [exchange["n"] for exchange in exchanges]
    build.lines(
        folder / "evidence.ndjson",
        [
            build.run,
            build.plan([build.planned("TransferCall:x")]),
            *exchanges,
            build.judged("TransferCall:x", "fail", exchanges=numbers, **verdict),
            build.end,
        ],
    )
    write_reports(folder)
    return folder / "failures" / "TransferCall--x"


def sent(server: Any, command: list[str], folder: Path) -> tuple[subprocess.CompletedProcess[str], list[Any]]:
    base_url = f"http://127.0.0.1:{server.server_address[1]}/v2"
    environment = {**os.environ, "TELNYX_API_KEY": KEY, "TELNYX_BASE_URL": base_url}
    done = subprocess.run(  # noqa: S603 - our own script
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=60
    )
    return done, server.asked


def test_the_script_sends_the_recorded_request_with_the_key_from_the_environment(
    tmp_path: Path, build: Any, server: Any
) -> None:
    exchange = build.transfer(5)
    folder = failed_run(tmp_path, build, [exchange])
    done, asked = sent(server, ["sh", "request.sh"], folder)
    assert done.returncode == 0, done.stderr
    ((path, headers, body),) = asked
    assert path == "/v2/calls/v3:call-5/actions/transfer"
    assert headers["authorization"] == f"Bearer {KEY}"
    assert headers["content-type"] == "application/json"
    assert body.decode() == exchange["request"]["body"]
    assert "v3:fresh/id" in done.stdout


def test_the_script_carries_ids_from_one_answer_to_the_next_request(tmp_path: Path, build: Any, server: Any) -> None:
    dial = build.transfer(0)
    dial["request"]["url"] = f"{build.base_url}/calls"
    dial["response"]["body"] = json.dumps({"data": {"call_control_id": "v3:recorded"}})
    transfer = build.transfer(1)
    transfer["request"]["url"] = f"{build.base_url}/calls/v3%3Arecorded/actions/transfer"
    transfer["request"]["body"] = json.dumps({"link_to": "v3:recorded"})
    folder = failed_run(tmp_path, build, [dial, transfer])
    done, asked = sent(server, ["sh", "request.sh"], folder)
    assert done.returncode == 0, done.stderr
    assert [path for path, _, _ in asked] == ["/v2/calls", "/v2/calls/v3%3Afresh%2Fid/actions/transfer"]
    assert json.loads(asked[1][2]) == {"link_to": "v3:fresh/id"}


def test_a_scenario_is_repeated_in_the_order_in_which_it_happened_without_what_nobody_sent(
    tmp_path: Path, build: Any, server: Any
) -> None:
    exchanges = [build.transfer(number) for number in (7, 8, 3, 9)]
    exchanges[-1]["request"] = {"method": "WEBHOOKS", "url": f"{build.base_url}#scenario", "headers": [], "body": ""}
    folder = failed_run(tmp_path, build, exchanges)
    done, asked = sent(server, ["sh", "request.sh"], folder)
    assert done.returncode == 0, done.stderr
    assert [path for path, _, _ in asked] == [f"/v2/calls/v3:call-{number}/actions/transfer" for number in (3, 7, 8)]
    assert "WEBHOOKS" not in (tmp_path / "certificate.html").read_text()


def test_a_failure_of_the_embedded_target_is_repeated_against_the_emulator(tmp_path: Path, build: Any) -> None:
    embedded = {**build.run, "target": {"kind": "embedded", "base_url": build.base_url}}
    lines = [
        embedded,
        build.plan([build.planned("A:1")]),
        build.transfer(0),
        build.judged("A:1", "fail", exchanges=[0]),
    ]
    build.lines(tmp_path / "evidence.ndjson", [*lines, build.end])
    write_reports(tmp_path)
    script = (tmp_path / "failures" / "A--1" / "request.sh").read_text()
    assert "# Start `telnyx-conformance emulate` first." in script
    assert "base=${TELNYX_BASE_URL:-http://127.0.0.1:12111/v2}" in script


def test_a_body_that_no_command_line_can_carry_is_sent_from_a_file(tmp_path: Path, build: Any, server: Any) -> None:
    exchange = build.transfer(0)
    exchange["request"]["body"] = "base64:AP8A"
    folder = failed_run(tmp_path, build, [exchange])
    done, asked = sent(server, ["sh", "request.sh"], folder)
    assert done.returncode == 0, done.stderr
    assert asked[0][2] == b"\x00\xff\x00"


@pytest.mark.parametrize(("expected", "failures"), [("422", 1), ("2xx", 0), ("200 or 201", 0)])
def test_the_test_fails_as_long_as_the_status_is_wrong(
    tmp_path: Path, build: Any, server: Any, expected: str, failures: int
) -> None:
    folder = failed_run(tmp_path, build, [build.transfer(5)], expected=expected)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", os.devnull, "test_reproduce.py"]
    done, asked = sent(server, command, folder)
    assert done.returncode == failures, done.stdout
    assert asked[0][1]["authorization"] == f"Bearer {KEY}"
    assert ("got 200" in done.stdout) is bool(failures)


def test_a_failure_that_no_status_tells_is_judged_by_the_suite_again(tmp_path: Path, build: Any) -> None:
    folder = failed_run(tmp_path, build, [build.transfer(0)], check="schema", expected="data.id is a string")
    source = (folder / "test_reproduce.py").read_text()
    ast.parse(source)
    assert "'certify'" in source.replace('"', "'")
    assert "OPERATION, CLASS, REQUIREMENT = 'TransferCall', 'requests', 'TransferCall:x'" in source


def test_without_a_recorded_exchange_the_script_runs_the_suite(tmp_path: Path, build: Any) -> None:
    folder = failed_run(tmp_path, build, [])
    assert "telnyx-conformance certify" in (folder / "request.sh").read_text()


def test_only_so_many_failures_are_written_in_full_and_the_rest_is_named(tmp_path: Path, build: Any) -> None:
    names = [f"{operation}:{number}" for operation in ("A", "B") for number in range(3)]
    items = [build.planned(name) for name in names]
    said = [build.judged(name, "fail") for name in names]
    build.lines(tmp_path / "evidence.ndjson", [build.run, build.plan(items), *said, build.end])
    certificate = write_reports(tmp_path, limit=2)
    written = [result.id for result in certificate.requirements if result.reproduce]
    assert written == ["A:0", "B:0"]
    more = (tmp_path / "failures" / "more.txt").read_text().splitlines()
    assert more[0].startswith("4 more failed.")
    assert more[2:] == ["A:1", "A:2", "B:1", "B:2"]


def test_what_a_target_says_cannot_leave_its_comment(tmp_path: Path, build: Any) -> None:
    said = 'no\nrm -rf /\r"""\nimport os\\ \u2028 \x00'
    folder = failed_run(tmp_path, build, [build.transfer(0)], actual=said)
    script = (folder / "request.sh").read_text()
    assert not [row for row in script.splitlines() if row.startswith("rm")]
    tree = ast.parse((folder / "test_reproduce.py").read_text())
    imported = [node.names[0].name for node in ast.walk(tree) if isinstance(node, ast.Import)]
    assert imported == ["os", "httpx"]


def test_whatever_key_was_recorded_a_reproducer_never_holds_it(build: Any) -> None:
    exchange = build.transfer(0)
    exchange["request"]["headers"] = [["Authorization", "Bearer KEY0123secret"]]
    assert step(exchange).headers == (("Authorization", "Bearer $TELNYX_API_KEY"),)


@given(
    st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])), st.sampled_from(["", "MARK", "it's"])
)
def test_any_text_reaches_a_program_through_the_shell_as_it_is(text: str, mark: str) -> None:
    expressions = {mark: '"$value"'} if mark else {}
    argument = quoted(f"{text}{mark}{text}", expressions)
    command = ["sh", "-c", f"printf '%s' {argument}"]
    environment = {"value": mark, "PATH": os.environ["PATH"]}
    done = subprocess.run(command, env=environment, capture_output=True, check=True)  # noqa: S603 - it is what is tested
    assert done.stdout.decode() == f"{text}{mark}{text}"


@given(st.lists(st.text(st.sampled_from("ab:-./ é\0"), min_size=1, max_size=6), unique=True, max_size=6))
def test_different_requirements_have_different_safe_folders(identifiers: list[str]) -> None:
    names = [file_name(identifier) for identifier in identifiers]
    assert len(set(names)) == len(names)
    for name in names:
        assert name == Path(name).name
        assert name not in {"", ".", ".."}
        assert len(name) < 150
