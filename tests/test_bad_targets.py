"""Targets that are wrong in every way a server can be: each run ends in bounded time, with a clear message, the documented code."""

from __future__ import annotations

import asyncio
import base64
import datetime as dt
import gzip
import html
import ipaddress
import json
import os
import re
import ssl
import subprocess
import sys
import zlib
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from httpx_aiohttp import AiohttpTransport

from telnyx_conformance.run.client import Client
from telnyx_conformance.run.control import Control
from telnyx_conformance.run.core import AsyncCore

SECONDS = 90.0
TLS_RECORD = b"\x16"


@dataclass
class Asked:
    """One request as it came: its number from 0, its head and its body."""

    number: int
    head: bytes
    body: bytes

    @property
    def target(self) -> str:
        return self.head.split(b" ", 2)[1].decode()


Answer = Callable[[Asked, asyncio.StreamWriter], Awaitable[None]]


@dataclass
class StandIn:
    """A server on loopback that answers as it is told; `asked` is everything it received."""

    answer: Answer
    tls: ssl.SSLContext | None = None
    asked: list[Asked] = field(default_factory=list)
    port: int = 0

    @property
    def url(self) -> str:
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{self.port}/v2"

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self.tls)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError, TimeoutError):
            while True:
                first = await reader.readexactly(1)
                if first == TLS_RECORD:
                    writer.write(response(400))
                    break
                head = first + await reader.readuntil(b"\r\n\r\n")
                length = next((int(v) for k, _, v in _fields(head) if k == b"content-length"), 0)
                asked = Asked(len(self.asked), head, await reader.readexactly(length))
                self.asked.append(asked)
                await self.answer(asked, writer)
                await writer.drain()
                if writer.is_closing():
                    break
        writer.close()


def _fields(head: bytes) -> Iterator[tuple[bytes, bytes, bytes]]:
    for line in head.split(b"\r\n")[1:]:
        name, colon, value = line.partition(b":")
        yield name.strip().lower(), colon, value.strip()


def response(status: int, body: bytes = b"", *headers: bytes, media: bytes = b"application/json") -> bytes:
    """Return an HTTP response as bytes."""
    lines = [b"HTTP/1.1 %d Said" % status, b"Content-Type: " + media, b"Content-Length: %d" % len(body), *headers]
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


@dataclass(frozen=True)
class Outcome:
    """How a command ended: its code and everything it wrote."""

    code: int
    out: str
    err: str
    folder: Path

    @property
    def last(self) -> str:
        return self.err.strip().splitlines()[-1]

    @property
    def certificate(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.folder / "certificate.json").read_text("utf-8"))
        return found

    @property
    def evidence(self) -> list[dict[str, Any]]:
        lines = (self.folder / "evidence.ndjson").read_text("utf-8").splitlines()
        return [json.loads(line) for line in lines]

    def exchanges(self) -> list[dict[str, Any]]:
        return [record for record in self.evidence if record["t"] == "exchange"]


def environment(**more: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name not in ("TELNYX_API_KEY", "JOB_COMPLETION_INDEX")}
    return kept | {"NO_COLOR": "1", "COLUMNS": "200"} | more


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "telnyx_conformance", *arguments]


@pytest.fixture
def stand_in() -> Iterator[Callable[..., StandIn]]:
    """Start stand-ins; all are stopped when the test ends."""
    with AsyncCore() as core:
        started: list[StandIn] = []

        def starting(answer: Answer, tls: ssl.SSLContext | None = None) -> StandIn:
            server = StandIn(answer, tls)
            core.run(server.start())
            started.append(server)
            return server

        yield starting
        for server in started:
            core.run(server.stop())


@pytest.fixture
def certify(tmp_path: Path) -> Callable[..., Outcome]:
    """Run `telnyx-conformance certify` in a process of its own, with a profile of small patience."""

    def certifying(*arguments: str, profile: str | None = None, **env: str) -> Outcome:
        folder = tmp_path / "run"
        said = tmp_path / "profile.yaml"
        said.write_text(profile or "{request_seconds: 0.5, event_seconds: 0.1, claims: {webhooks: false}}\n")
        told = [*arguments, "--profile", str(said), "--out", str(folder)]
        done = subprocess.run(  # noqa: S603 - our own command
            command("certify", *told),
            env=environment(**env),
            cwd=tmp_path,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=SECONDS,
            check=False,
        )
        return Outcome(done.returncode, done.stdout, done.stderr, folder)

    return certifying


ONE = ("--only", "ListBillingGroups", "--class", "surface", "--no-allure")
TWO = ("--only", "ListBillingGroups", "--only", "CreateBillingGroup", "--no-allure")
Start = Callable[..., StandIn]
Certify = Callable[..., Outcome]


def says(status: int, body: bytes = b"{}", *headers: bytes, media: bytes = b"application/json") -> Answer:
    """Answer every request the same."""

    async def answer(_: Asked, writer: asyncio.StreamWriter) -> None:
        writer.write(response(status, body, *headers, media=media))

    return answer


def after(polite: int, then: Answer) -> Answer:
    """Answer the first requests with an empty list, as a working target would, and all later ones otherwise."""

    async def answer(asked: Asked, writer: asyncio.StreamWriter) -> None:
        await (says(200, b'{"data": [], "meta": {}}') if asked.number < polite else then)(asked, writer)

    return answer


async def hang_up(_: Asked, writer: asyncio.StreamWriter) -> None:
    writer.close()


async def stay_silent(_: Asked, writer: asyncio.StreamWriter) -> None:
    await writer.wait_closed()  # until the other side gives up


async def stop_in_the_middle(_: Asked, writer: asyncio.StreamWriter) -> None:
    writer.write(b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{"data":')
    await writer.drain()
    writer.close()


async def never_end(_: Asked, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 10000000000\r\n\r\n[")
    while not writer.is_closing():
        writer.write(b" " * 65536)
        await writer.drain()


async def talk_nonsense(_: Asked, writer: asyncio.StreamWriter) -> None:
    writer.write(b"\x1b[31mNO\x07 SUCH\x00 PROTOCOL\r\n\r\n")
    await writer.drain()
    writer.close()


def test_a_target_that_is_down_is_told_at_once(certify: Certify) -> None:
    outcome = certify("http://127.0.0.1:1", *ONE)

    assert outcome.code == 3
    assert outcome.err.splitlines() == [
        "error: the target does not answer",
        "  where: http://127.0.0.1:1",
        "  expected: any HTTP response",
        "  got: connection refused: nothing listens there",
        "  try: is it running, and is the URL right?",
    ]
    assert not outcome.folder.exists()


def test_a_target_that_is_down_is_told_once_whatever_the_workers(certify: Certify) -> None:
    outcome = certify("http://127.0.0.1:1", "--workers", "2")

    assert (outcome.code, outcome.err.count("does not answer")) == (3, 1)


@pytest.mark.parametrize("workers", [(), ("-n", "2")])
def test_plain_pytest_against_a_target_that_is_down_ends_before_it_begins(
    tmp_path: Path, workers: tuple[str, ...]
) -> None:
    suites = Path(__file__).parents[1] / "suites"
    done = subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, "-m", "pytest", str(suites), "--target", "http://127.0.0.1:1", f"--out={tmp_path / 'run'}", *workers],
        env=environment(), cwd=suites.parent, capture_output=True, text=True, timeout=SECONDS, check=False,
    )  # fmt: skip

    assert done.returncode == 3
    assert "connection refused: nothing listens there" in done.stderr
    assert "failed" not in done.stdout
    assert len(done.stdout.splitlines()) < 20


@pytest.mark.parametrize(
    ("answer", "got"),
    [
        (stay_silent, "no complete response within 0.5 s"),
        (hang_up, "the target closed the connection without an answer"),
        (stop_in_the_middle, "the target closed the connection in the middle of its answer"),
        (talk_nonsense, "the answer is not HTTP"),
    ],
)
def test_a_target_that_never_answers_properly_is_told_before_the_run(
    stand_in: Start, certify: Certify, answer: Answer, got: str
) -> None:
    target = stand_in(answer)
    outcome = certify(target.url, *ONE)

    assert outcome.code == 3
    assert f"got: {got}" in outcome.err
    assert "\x1b" not in outcome.err
    assert "\x07" not in outcome.err


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (stay_silent, "no complete response within 0.5 s"),
        (stop_in_the_middle, "the target closed the connection in the middle of its answer"),
        (talk_nonsense, "the answer is not HTTP"),
    ],
)
def test_what_cannot_be_judged_is_inconclusive_and_never_certifies(
    stand_in: Start, certify: Certify, answer: Answer, why: str
) -> None:
    outcome = certify(stand_in(after(2, answer)).url, *ONE)
    results = [r for r in outcome.certificate["requirements"] if r["verdict"] == "inconclusive"]

    assert outcome.code == 3
    assert outcome.last.startswith("verdict: incomplete")
    assert results
    assert {why in r["actual"] for r in results} == {True}


def test_of_an_endless_answer_only_a_bounded_part_is_read(stand_in: Start, certify: Certify) -> None:
    patient = "{request_seconds: 20, event_seconds: 0.1, claims: {webhooks: false}}"
    outcome = certify(stand_in(after(2, never_end)).url, *ONE, profile=patient)
    errors = {e["error"] for e in outcome.exchanges()}

    assert outcome.code == 3
    assert "the response is larger than 16777216 bytes" in errors
    assert sum(f.stat().st_size for f in outcome.folder.rglob("*") if f.is_file()) < 2_000_000


def test_a_target_that_dies_in_the_middle_ends_the_run_and_what_was_proven_stays(
    stand_in: Start, certify: Certify
) -> None:
    target = stand_in(after(60, hang_up))
    outcome = certify(target.url, "--only", "Billing Groups", "--only", "Addresses", "--no-allure")
    verdicts = {r["verdict"] for r in outcome.certificate["requirements"]}

    assert outcome.code == 3
    assert "error: the target stopped answering: the target closed the connection without an answer" in outcome.err
    assert outcome.last.startswith("verdict: incomplete")
    assert "the run was interrupted" in outcome.certificate["reasons"]
    assert verdicts >= {"pass", "fail", "inconclusive"}
    assert len(target.asked) < 150


def test_one_operation_that_always_breaks_does_not_end_the_run(stand_in: Start, certify: Certify) -> None:
    async def answer(asked: Asked, writer: asyncio.StreamWriter) -> None:
        broken = asked.head.startswith(b"POST /v2/billing_groups")
        await (hang_up if broken else says(200, b'{"data": [], "meta": {}}'))(asked, writer)

    outcome = certify(stand_in(answer).url, *TWO)
    judged = {r["operation"] for r in outcome.certificate["requirements"] if r["verdict"] in ("pass", "fail")}

    assert "stopped answering" not in outcome.err
    assert "ListBillingGroups" in judged
    assert "no verdict" not in json.dumps(outcome.certificate)


def test_a_target_that_throttles_for_ever_is_given_up_and_not_blamed(stand_in: Start, certify: Certify) -> None:
    target = stand_in(says(429, b'{"errors": []}', b"Retry-After: 0"))
    outcome = certify(target.url, "--only", "List*", "--class", "surface", "--workers", "1", "--no-allure")

    assert outcome.code == 3
    assert "error: the target throttles every request" in outcome.err
    assert outcome.certificate["totals"]["fail"] == 0
    assert len(target.asked) < 400


def test_a_target_that_only_fails_does_not_conform(stand_in: Start, certify: Certify) -> None:
    outcome = certify(stand_in(says(500, b"oops", media=b"text/plain")).url, *TWO)

    passed = {r["id"].partition(":")[2] for r in outcome.certificate["requirements"] if r["verdict"] == "pass"}

    assert outcome.code == 1
    assert outcome.last.startswith("verdict: does not conform")
    assert passed == {
        "route:exists",
        "route:answers",
        "auth:secret",
    }  # it is there, answers, and keeps the key to itself


BODIES = {
    "HTML": b"<!doctype html><title>Welcome</title><script>alert(1)</script>",
    "a deep list": b"[" * 1_000 + b"]" * 1_000,
    "a list a little too deep": b"[" * 300 + b"]" * 300,
    "a deep object": b'{"data":' * 1_000 + b"1" + b"}" * 1_000,
    "deep data": b'{"data":' + b"[" * 500 + b"]" * 500 + b',"meta":{}}',
    "deep and unfinished": b'{"errors":' + b"[" * 100_000,
    "no text": b"\xff\xfe\x00\x01",
    "half a surrogate pair": b'{"data": "\\ud800"}',
    "no number": b"NaN",
    "a huge number": b"9" * 100_000,
    "nothing": b"",
}


@pytest.mark.parametrize("status", [200, 422])
def test_whatever_the_body_the_target_fails_and_the_tool_does_not(
    stand_in: Start, certify: Certify, status: int
) -> None:
    bodies = list(BODIES.values())

    async def answer(asked: Asked, writer: asyncio.StreamWriter) -> None:
        writer.write(response(status, bodies[asked.number % len(bodies)]))

    target = stand_in(answer)
    outcome = certify(target.url, "--only", "Billing Groups", "--only", "SendMessage", "--no-allure")

    assert outcome.code == 1
    assert outcome.last.startswith("verdict: does not conform")
    assert "suites/" not in outcome.err
    assert len(target.asked) > 5 * len(bodies)


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES.keys())
def test_a_control_api_and_a_first_look_stand_any_body(stand_in: Start, body: bytes) -> None:
    target = stand_in(says(200, body))
    client = Client(target.url, AiohttpTransport(), seconds=5)

    async def ask() -> str:
        try:
            return await Control(client).public_key("KEYTEST_x")
        finally:
            await client.close()

    assert asyncio.run(ask()) == ""


def test_a_compressed_answer_is_read_and_a_broken_one_is_told(stand_in: Start, certify: Certify) -> None:
    packed = gzip.compress(b'{"data": [], "meta": {}}')
    bomb = zlib.compress(bytes(64 * 1024 * 1024))
    answers = {
        0: says(200, packed, b"Content-Encoding: gzip"),
        1: says(200, b"not gzip", b"Content-Encoding: gzip"),
        2: says(200, bomb, b"Content-Encoding: deflate"),
    }

    async def answer(asked: Asked, writer: asyncio.StreamWriter) -> None:
        await answers[asked.number % 3](asked, writer)

    outcome = certify(stand_in(answer).url, *ONE)
    errors = " ".join(e["error"] for e in outcome.exchanges())

    assert outcome.code in (1, 3)
    assert "Traceback" not in outcome.err
    assert "larger than" in errors
    assert "DecodingError" in errors


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_not_followed_and_carries_no_key_elsewhere(
    stand_in: Start, certify: Certify, status: int
) -> None:
    elsewhere = stand_in(says(200))
    away = b"Location: " + elsewhere.url.encode()
    target = stand_in(says(status, b"", away))
    outcome = certify(target.url, *TWO)

    assert outcome.code == 1
    assert len(target.asked) > 10
    assert elsewhere.asked == []


def test_a_certificate_that_nobody_vouches_for_is_refused(stand_in: Start, certify: Certify, tmp_path: Path) -> None:
    target = stand_in(says(200), self_signed(tmp_path))
    outcome = certify(target.url, *ONE)

    assert outcome.code == 3
    assert "got: the TLS certificate is not valid for this host: self-signed certificate" in outcome.err
    assert "SSL_CERT_FILE" in outcome.err
    assert target.asked == []


def test_a_certificate_authority_of_ones_own_can_be_named(stand_in: Start, certify: Certify, tmp_path: Path) -> None:
    target = stand_in(says(200), self_signed(tmp_path))
    outcome = certify(target.url, *ONE, SSL_CERT_FILE=str(tmp_path / "tls.pem"))

    assert outcome.code == 1
    assert target.asked


def test_tls_where_there_is_none_is_told(stand_in: Start, certify: Certify) -> None:
    outcome = certify(stand_in(says(200)).url.replace("http:", "https:"), *ONE)

    assert outcome.code == 3
    assert "no TLS connection" in outcome.err


def test_hostile_text_reaches_no_terminal_and_no_page_unescaped(stand_in: Start, certify: Certify) -> None:
    hostile = "\x1b]0;owned\x07\x1b[31m\u202e</script><img src=x onerror=alert(1)>\x00"
    body = json.dumps({"data": hostile, "errors": [{"code": hostile, "title": hostile}]}, ensure_ascii=False).encode()
    outcome = certify(stand_in(says(200, body, b"X-Hostile: \x1b[31m<b>")).url, *TWO)
    page = (outcome.folder / "certificate.html").read_text("utf-8")

    assert outcome.code == 1
    assert not re.search("[\x00-\x08\x0b-\x1f\u202e]", outcome.err + outcome.out)
    assert "<img src=x" not in page


def test_a_control_api_that_answers_anything_is_not_taken_for_one(stand_in: Start, certify: Certify) -> None:
    outcome = certify(stand_in(says(200, b'{"public_key": "x", "data": []}')).url, *ONE)

    assert outcome.code == 1
    assert "Traceback" not in outcome.err


KEYS = {
    "ordinary": "KEY0198A7B6C5D4E3F2_s3cretPlanted",
    "of signs": "KEY/+=&<'%\"\\:s3cret~Planted",
}


@pytest.mark.parametrize("key", KEYS.values(), ids=KEYS.keys())
def test_the_key_stands_in_nothing_that_a_run_leaves(stand_in: Start, certify: Certify, key: str) -> None:
    """The target echoes the key in headers, status line, bodies, errors, webhooks and encodings; some are cut in the middle."""
    raw = key.encode()
    spelt = {
        "raw": key, "lower": key.lower(), "percent": quote(key, safe=""), "plus": quote_plus(key), "html": html.escape(key),
        "base64": base64.b64encode(raw).decode(), "basic": base64.b64encode(b"user:" + raw).decode(),
        "bearer": base64.urlsafe_b64encode(b"Bearer " + raw).decode(), "hex": raw.hex(), "quoted": json.dumps(key),
        "slashes": json.dumps(key).replace("/", "\\/"),
    }  # fmt: skip
    wrong = {"errors": [{"code": key, "title": f"no {key}", "source": {"pointer": f"/{key}"}}], "meta": spelt}
    bodies = [
        json.dumps({"data": {"id": key, **spelt}, "meta": spelt}).encode(),
        json.dumps(wrong).encode(),
        b"<html>" + raw * 20 + html.escape(key).encode(),
        b"x" * 285 + raw,  # a message that quotes the first 300 bytes would cut it
        b"y" * (64 * 1024 - 10) + raw,  # the evidence would cut it
        b"\xff\x00" + raw,  # no text: the evidence has it in base64
        gzip.compress(json.dumps(wrong).encode()),
    ]
    echoed = [b"X-Echo: Bearer " + raw, b"Set-Cookie: key=" + quote(key).encode(), b"X-" + raw.hex().encode() + b": 1"]

    async def answer(asked: Asked, writer: asyncio.StreamWriter) -> None:
        number = asked.number % (len(bodies) + 1)
        packed = [b"Content-Encoding: gzip"] if number == len(bodies) - 1 else []
        if number < len(bodies):
            writer.write(response(200 + 22 * 10 * (asked.number % 2), bodies[number], *echoed, *packed))
            return
        writer.write(b"HTTP/9 " + raw + b" " + raw + b"\r\n\r\n")
        await writer.drain()
        writer.close()

    target = stand_in(answer)
    profile = "{key_variable: PLANTED, request_seconds: 5, event_seconds: 0.1, claims: {control: false}}"
    outcome = certify(
        target.url,
        "--only",
        "Billing Groups",
        "--only",
        "SendMessage",
        "--only",
        "TransferCall",
        profile=profile,
        PLANTED=key,
    )
    forms = {text.lower().encode() for text in spelt.values()} | {base64.b64encode(raw)[:-4].lower(), raw[:16].lower()}
    told = (outcome.out + outcome.err).encode().lower()
    files = [file for file in outcome.folder.rglob("*") if file.is_file()]
    leaks = [(file.name, form) for file in files for form in forms if form in file.read_bytes().lower()]

    assert any(raw in asked.head for asked in target.asked)
    assert outcome.code in (1, 3)
    assert any(file.parent.name == "allure" for file in files)
    assert any("request.sh" in file.name for file in files)
    assert (leaks, [form for form in forms if form in told]) == ([], [])


def test_an_error_before_the_run_shows_no_key(stand_in: Start, certify: Certify) -> None:
    key = KEYS["ordinary"]

    async def answer(asked: Asked, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/9 " + asked.head.split(b"Bearer ")[1].split(b"\r\n")[0] + b"\r\n\r\n")
        await writer.drain()
        writer.close()

    outcome = certify(stand_in(answer).url, *ONE, profile="{key_variable: PLANTED}", PLANTED=key)

    assert outcome.code == 3
    assert key[:16] not in outcome.err


def self_signed(folder: Path) -> ssl.SSLContext:
    """Return the server side of TLS with a certificate that it made itself for 127.0.0.1."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder(
            name, name, key.public_key(), x509.random_serial_number(), now, now + dt.timedelta(days=1)
        )
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = folder / "tls.pem"
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    pem.write_bytes(made.public_bytes(Encoding.PEM) + private)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    return context
