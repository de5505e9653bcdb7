"""The evidence log: append-only NDJSON, written in batches, secrets removed before a byte leaves the process."""

from __future__ import annotations

import base64
import os
from typing import TYPE_CHECKING, Any

import msgspec

from telnyx_conformance.errors import ReportError
from telnyx_conformance.run.redaction import REDACTED, Redactor

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

    from telnyx_conformance.contract.exchange import Event, Exchange, Request, Response

LONGEST_BODY = 64 * 1024
BATCH = 256 * 1024
SECRET_HEADERS = ("authorization", "x-api-key", "cookie", "set-cookie")


class EvidenceLog:
    """Appends records to one file. Every write is a whole number of lines, so a killed run loses at most the last batch.

    `secrets` are removed wherever they stand: headers, bodies, URLs, answers that echo them. `last` is the line written last.
    """

    def __init__(self, file: Path, secrets: Iterable[str], *, worker: str = "main") -> None:
        self.file, self.worker = file, worker
        self.redact = Redactor(secrets)
        self._pending: list[bytes] = []
        self._size = 0
        self.last = b""
        self.exchanges = 0
        self.events = 0
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            self._handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        except OSError as failed:
            raise ReportError(
                "the evidence cannot be written", got=failed.strerror or str(failed), where=str(file),
                advice="choose another folder with --out",
            ) from failed  # fmt: skip

    def record(self, kind: str, fields: Mapping[str, Any]) -> None:
        """Append one record; `kind` becomes its `t`."""
        self.last = line = self.redact(msgspec.json.encode({"t": kind, **fields})) + b"\n"
        self._pending.append(line)
        self._size += len(line)
        if self._size >= BATCH:
            self.flush()

    def exchange(self, exchange: Exchange, *, probe: str, operation: str, base_url: str) -> int:
        """Append an exchange and return its number, unique within this worker."""
        number = self.exchanges
        self.exchanges += 1
        self.events += len(exchange.events)
        answered = exchange.response
        self.record(
            "exchange",
            {
                "n": number,
                "worker": self.worker,
                "probe": probe,
                "operation": operation,
                "request": _request(exchange.request, base_url, self.redact),
                "response": _response(answered, self.redact) if answered is not None else None,
                "error": exchange.error,
                "events": [_event(event) for event in exchange.events],
            },
        )
        return number

    def flush(self) -> None:
        """Write what is pending. Raises `ReportError` when the disk is full; what was written before stays."""
        if not self._pending:
            return
        batch, self._pending, self._size = b"".join(self._pending), [], 0
        try:
            while batch:
                batch = batch[os.write(self._handle, batch) :]
        except OSError as failed:
            raise ReportError(
                "the evidence cannot be written", got=failed.strerror or str(failed), where=str(self.file),
                advice="free some space or choose another folder with --out; what was written is kept",
            ) from failed  # fmt: skip

    def close(self) -> None:
        """Write what is pending and close the file."""
        try:
            self.flush()
        finally:
            os.close(self._handle)


def _headers(headers: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    return [(k, _scheme(v) if k.lower() in SECRET_HEADERS else v) for k, v in headers]


def _scheme(value: str) -> str:
    word, space, _ = value.partition(" ")
    return f"{word} {REDACTED}" if space else REDACTED


def _text(body: bytes) -> str:
    start = body[:LONGEST_BODY]
    try:
        text = start.decode(errors="strict" if len(body) <= LONGEST_BODY else "ignore")
    except UnicodeDecodeError:
        text = "base64:" + base64.b64encode(start).decode()
    return text if len(body) <= LONGEST_BODY else f"{text}… [{len(body)} bytes]"


def _request(request: Request, base_url: str, redact: Callable[[bytes], bytes]) -> dict[str, Any]:
    return {
        "method": request.method,
        "url": base_url + request.target,
        "headers": _headers(request.headers),
        "body": _text(redact(request.body)),
    }


def _response(response: Response, redact: Callable[[bytes], bytes]) -> dict[str, Any]:
    return {
        "status": response.status,
        "headers": _headers(response.headers),
        "body": _text(redact(response.body)),
        "seconds": round(response.seconds, 6),
    }


def _event(event: Event) -> dict[str, Any]:
    return {
        "arrival": event.arrival,
        "method": event.method,
        "signature": event.signature,
        "answered": event.answered,
        "document": event.document,
        "raw": "" if event.document is not None else _text(event.raw),
    }
