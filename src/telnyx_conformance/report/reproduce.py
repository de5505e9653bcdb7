"""For each failing requirement the request as curl and as a pytest file, so that anybody can see the failure again."""

from __future__ import annotations

import re
import shlex
from itertools import islice
from typing import TYPE_CHECKING

import msgspec

from telnyx_conformance.report.recorded import KEY, WRONG_KEY, Step, step
from telnyx_conformance.report.script import learned, needs_file, script
from telnyx_conformance.report.text import clipped, file_name, visible

if TYPE_CHECKING:
    from collections.abc import Iterator

    from telnyx_conformance.report.certificate import Certificate, Result
    from telnyx_conformance.report.evidence import Evidence

FOLDER = "failures"
LIMIT = 200
MOST_STEPS = 20
EMULATED = "http://127.0.0.1:12111/v2"
LEVELS = ("MUST", "SHOULD", "MAY")
STATUSES = re.compile(r"(?<![\w.])[1-5](?:\d\d|[xX]{2})(?![\w.])")
LONGEST_COMMENT = 600


def spread(results: tuple[Result, ...]) -> list[Result]:
    """Order results so that each operation's gravest come first: what is cut off then is more of the same."""
    rank: dict[str, int] = {}
    order = []
    for result in sorted(results, key=lambda result: (LEVELS.index(result.level), result.id)):
        number = rank[result.operation] = rank.get(result.operation, -1) + 1
        order.append((number, LEVELS.index(result.level), result.id, result))
    return [entry[-1] for entry in sorted(order, key=lambda entry: entry[:3])]


def with_reproducers(certificate: Certificate, limit: int = LIMIT) -> Certificate:
    """Return the certificate with `reproduce` set where a reproducer will be written."""
    chosen = {result.id for result in islice(spread(certificate.results("fail")), limit)}
    return msgspec.structs.replace(
        certificate,
        requirements=tuple(
            msgspec.structs.replace(result, reproduce=f"{FOLDER}/{file_name(result.id)}/request.sh")
            if result.id in chosen
            else result
            for result in certificate.requirements
        ),
    )


def steps_of(result: Result, evidence: Evidence) -> list[Step]:
    """Return the exchanges behind a verdict as they happened; of a long sequence the last ones."""
    in_order = sorted(result.exchanges, key=lambda reference: int(reference.rpartition("/")[2]))
    recorded = [evidence.exchange(reference) for reference in in_order[-MOST_STEPS:]]
    found = [exchange for exchange in recorded if exchange is not None]
    last_key = WRONG_KEY if ":auth:" in result.id else KEY
    return [step(exchange, key=last_key if exchange is found[-1] else KEY) for exchange in found]


def reproducers(certificate: Certificate, evidence: Evidence) -> Iterator[tuple[str, bytes]]:
    """Yield each file of the reproducers as its path in the run folder and its content."""
    failing = certificate.results("fail")
    for result in failing:
        if result.reproduce:
            folder = result.reproduce.rpartition("/")[0]
            for name, content in reproducer(result, steps_of(result, evidence), certificate).items():
                yield f"{folder}/{name}", content
    rest = [result.id for result in failing if not result.reproduce]
    if rest:
        head = (
            f"{len(rest)} more failed. No file reproduces them; certificate.json tells what was expected and got.\n\n"
        )
        yield f"{FOLDER}/more.txt", (head + "\n".join(visible(name) for name in rest) + "\n").encode()


def reproducer(result: Result, steps: list[Step], certificate: Certificate) -> dict[str, bytes]:
    """Return the files that reproduce one failure. Without recorded requests they run the suite on the operation."""
    steps = [item for item in steps if item.sent]
    told = [
        f"{result.id} ({result.level})",
        result.statement,
        f"expected: {result.expected}",
        f"got: {result.actual}",
    ]
    comment = [_one_line(row) for row in told if row]
    body, files = (
        script(steps, certificate.target.base_url, _send_to(certificate))
        if steps
        else (_suite_call(result, certificate), {})
    )
    note = f"# {_first(certificate)}Set TELNYX_BASE_URL to send it elsewhere. Needs curl" + (
        ", and jq.\n" if learned(steps) else ".\n"
    )
    head = "#!/bin/sh\n" + "".join(f"# {row}\n" for row in comment) + note
    files["request.sh"] = f'{head}set -eu\ncd "$(dirname "$0")"\n{body}\n'.encode(errors="replace")
    files["test_reproduce.py"] = _test(result, steps, certificate, comment).encode(errors="replace")
    return files


def _send_to(certificate: Certificate) -> str:
    """Return where a reproducer goes by default. The embedded target is gone by then; `emulate` serves the same one."""
    return EMULATED if certificate.target.kind == "embedded" else certificate.target.base_url


def _one_line(text: str) -> str:
    return clipped(visible(text.replace("\t", " ").replace("\n", " ⏎ ")), LONGEST_COMMENT)


def _first(certificate: Certificate) -> str:
    return "Start `telnyx-conformance emulate` first. " if certificate.target.kind == "embedded" else ""


def _suite_call(result: Result, certificate: Certificate) -> str:
    options = ["--edition", certificate.edition, "--only", result.operation, "--class", result.conformance_class]
    listed = " ".join(shlex.quote(option) for option in options)
    if certificate.target.kind == "embedded":
        return f"telnyx-conformance certify {listed}"
    base = f"base=${{TELNYX_BASE_URL:-{shlex.quote(certificate.target.base_url)}}}"
    return f'{base}\ntelnyx-conformance certify "$base" {listed}'


def _test(result: Result, steps: list[Step], certificate: Certificate, comment: list[str]) -> str:
    """Return a pytest file: it asserts the status where that was wrong, and else has the suite judge again."""
    statuses = sorted({match[0].lower() for match in STATUSES.finditer(result.expected)})
    heading = "\n".join(f"# {row}" for row in comment)
    if steps and result.check == "status" and statuses:
        carried = learned(steps)
        rows = [
            {
                "method": item.method,
                "url": item.url,
                "headers": list(item.headers),
                "body": item.body if needs_file(item.body) else item.body.decode(),
                "learn": {known.value: known.place for known in carried if known.step == number},
            }
            for number, item in enumerate(steps)
        ]
        listed = "".join(f"    {row!a},\n" for row in rows)
        return STATUS_TEST.format(
            heading=heading,
            base_url=certificate.target.base_url.rstrip("/"),
            send_to=_send_to(certificate).rstrip("/"),
            key=KEY,
            steps=listed,
            statuses=statuses,
        )
    target = None if certificate.target.kind == "embedded" else certificate.target.base_url
    return JUDGED_TEST.format(
        heading=heading,
        target=target,
        edition=certificate.edition,
        operation=result.operation,
        conformance_class=result.conformance_class,
        requirement=result.id,
    )


STATUS_TEST = """{heading}

import os
from urllib.parse import quote

import httpx

RECORDED = {base_url!a}
BASE_URL = os.environ.get("TELNYX_BASE_URL", {send_to!a}).rstrip("/")
EXPECTED = {statuses!a}
STEPS = [
{steps}]


def test_the_answer_has_the_expected_status():
    fresh = {{{key!a}: os.environ.get("TELNYX_API_KEY", "")}}
    if RECORDED:
        fresh[RECORDED] = BASE_URL

    def filled(text):
        if isinstance(text, bytes):
            return text
        for recorded, value in fresh.items():
            text = text.replace(recorded, value)
        return text

    with httpx.Client(timeout=60, follow_redirects=False, trust_env=False) as client:
        for step in STEPS:
            headers = [(name, filled(value)) for name, value in step["headers"]]
            answer = client.request(step["method"], filled(step["url"]), headers=headers, content=filled(step["body"]))
            for recorded, place in step["learn"].items():
                value = answer.json()
                for part in place:
                    value = value[part]
                fresh[recorded] = value
                fresh.setdefault(quote(recorded, safe=""), quote(value, safe=""))
    status = str(answer.status_code)
    assert status in EXPECTED or f"{{status[0]}}xx" in EXPECTED, f"got {{status}}: {{answer.text[:2000]}}"
"""

JUDGED_TEST = """{heading}

import json
import os
import subprocess
import sys

TARGET = os.environ.get("TELNYX_BASE_URL", {target!a})
OPERATION, CLASS, REQUIREMENT = {operation!a}, {conformance_class!a}, {requirement!a}


def test_the_requirement_holds(tmp_path):
    command = [sys.executable, "-m", "telnyx_conformance", "certify", *([TARGET] if TARGET else [])]
    options = ["--edition", {edition!a}, "--only", OPERATION, "--class", CLASS, "--out", str(tmp_path)]
    done = subprocess.run([*command, *options], capture_output=True, text=True, check=False)
    found = list(tmp_path.rglob("certificate.json"))
    assert found, done.stderr
    listed = json.loads(found[0].read_bytes())["requirements"]
    judged = next(item for item in listed if item["id"] == REQUIREMENT)
    assert judged["verdict"] == "pass", f"expected {{judged['expected']}}, got {{judged['actual']}}"
"""
