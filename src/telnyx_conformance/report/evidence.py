"""Reads what a run wrote while it ran: NDJSON, one record a line, one file per worker.

The run may have been killed in the middle of a line and the bodies may not fit into memory, so records are streamed,
a line that cannot be read is a `Damage` instead of an error, and of exchanges only the place is remembered.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import msgspec

from telnyx_conformance.contract.model import Level
from telnyx_conformance.errors import IncompleteError, ReportError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

Judgement: TypeAlias = Literal["pass", "fail", "inconclusive", "not_applicable", "waived"]
MERGED = "evidence.ndjson"
SURROGATE = re.compile("[\ud800-\udfff]")


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """The endpoint under test. `kind` is `embedded`, `url` or `live`."""

    kind: str
    base_url: str


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """The first record of a run: what was asked for. `started_at` is ISO 8601."""

    edition: str
    target: Target
    seed: int = 0
    started_at: str = ""
    arguments: dict[str, Any] = {}


class Planned(msgspec.Struct, frozen=True, kw_only=True):
    """A requirement that the run undertook to judge."""

    id: str
    operation: str
    group: str
    conformance_class: str = msgspec.field(name="class")
    level: Level
    kind: str = ""
    statement: str = ""
    source: str = ""


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """The requirements of one item, its probes and the least number that could do. Plans add up."""

    requirements: tuple[Planned, ...]
    probes: int = 0
    lower_bound: int = 0


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """One judgement. `exchanges` count within the worker's file; `references` name them across workers: `gw0/12`."""

    requirement: str
    verdict: Judgement
    check: str = ""
    expected: str = ""
    actual: str = ""
    probe: str = ""
    exchanges: tuple[int, ...] = ()
    references: tuple[str, ...] = ()


Control: TypeAlias = Literal["", "spoken", "absent", "unclaimed"]


class End(msgspec.Struct, frozen=True, kw_only=True):
    """The last record of a worker. A run without it was killed. `control` tells whether the target speaks that API."""

    seconds: float = 0.0
    requests: int = 0
    events: int = 0
    interrupted: bool = False
    control: Control = ""


class Damage(msgspec.Struct, frozen=True, kw_only=True):
    """A line that is no record: cut off by a kill, or written to a full disk. `where` is `file:line`."""

    where: str
    problem: str


Record: TypeAlias = Run | Plan | Verdict | End | Damage


class _Head(msgspec.Struct):
    """What has to be known of every line: its kind, and an exchange's number."""

    t: str
    n: int = -1


class _Part(msgspec.Struct, tag_field="t", tag="part"):
    """Stands before the lines of one worker in a merged file; `size` bytes follow, which may hold parts themselves."""

    name: str
    size: int


_KINDS: dict[str, type[Run | Plan | Verdict | End]] = {"run": Run, "plan": Plan, "verdict": Verdict, "end": End}
_HEAD = msgspec.json.Decoder(_Head)
_PART = msgspec.json.Decoder(_Part)
_DECODERS = {kind: msgspec.json.Decoder(shape) for kind, shape in _KINDS.items()}


class Evidence:
    """The evidence of one run folder: records to stream once, then exchanges to fetch by reference."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._index: dict[str, tuple[Path, int]] = {}
        self.sources = sources(folder)
        if not self.sources:
            raise IncompleteError(
                "there is no evidence",
                where=str(folder),
                expected=f"{MERGED} or evidence.<worker>.ndjson",
                advice="name the folder of a run",
            )

    def records(self) -> Iterator[Record]:
        """Yield every record but the exchanges, and remember where the exchanges are."""
        for path in self.sources:
            yield from self._file(path)

    def _file(self, path: Path) -> Iterator[Record]:
        """Stream one file. A worker that wrote exchanges and no end was killed; its `End` is supplied, and says so."""
        worker, offset, running = _worker(path.name), 0, False
        try:
            outer, end = ("", 0) if path.name == MERGED else (worker, path.stat().st_size)
            with path.open("rb") as file:
                for number, line in enumerate(file, 1):
                    match _line(line, f"{path.name}:{number}"):
                        case None:
                            pass
                        case int() as exchange:
                            self._index[f"{worker}/{exchange}"] = (path, offset)
                            running = True
                        case _Part() as part:
                            if running:
                                yield End(interrupted=True)
                            running, worker = False, _worker(part.name)
                            if offset < end:
                                worker = f"{outer}-{worker}"
                            else:
                                outer, end = worker, offset + len(line) + part.size
                        case Verdict() as verdict:
                            yield _referring(verdict, worker)
                        case record:
                            running = running and not isinstance(record, End)
                            yield record
                    offset += len(line)
        except OSError as error:
            raise ReportError("the evidence cannot be read", where=str(path), got=str(error)) from error
        if running:
            yield End(interrupted=True)

    def exchange(self, reference: str) -> dict[str, Any] | None:
        """Return the exchange called `gw0/12` as it was written, nothing when the evidence does not hold it."""
        path, offset = self._index.get(reference, (None, 0))
        if path is None:
            return None
        with path.open("rb") as file:
            file.seek(offset)
            line = file.readline()
        try:
            found = json.loads(line.decode(errors="replace"))
        except (ValueError, RecursionError):
            return None
        return found if isinstance(found, dict) else None


def sources(folder: Path) -> list[Path]:
    """Return the files that together hold a folder's evidence, each record once."""
    merged = folder / MERGED
    parts = sorted(folder.glob("evidence.*.ndjson"))
    if not merged.is_file():
        return parts
    contained = {part.name for part in _parts(merged)}
    return [merged, *(part for part in parts if part.name not in contained)]


def merge_parts(folder: Path) -> Path:
    """Make `evidence.ndjson` of the workers' files, then remove those. May be interrupted at any point and repeated."""
    merged, parts = folder / MERGED, sorted(folder.glob("evidence.*.ndjson"))
    if not parts:
        return merged
    if len(parts) == 1 and not merged.exists():
        parts[0].replace(merged)
        return merged
    todo = sources(folder)
    if todo != [merged]:
        scratch = folder / f"{MERGED}.writing"
        try:
            with scratch.open("wb") as out:
                for source in todo:
                    _append(source, out, marked=source != merged)
                out.flush()
                os.fsync(out.fileno())
            scratch.replace(merged)
        finally:
            scratch.unlink(missing_ok=True)
    for part in parts:
        part.unlink()
    return merged


def _append(source: Path, out: Any, *, marked: bool) -> None:
    with source.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        ended = True
        if size:
            file.seek(-1, os.SEEK_END)
            ended = file.read(1) == b"\n"
        file.seek(0)
        if marked:
            out.write(msgspec.json.encode(_Part(name=source.name, size=size + (not ended))) + b"\n")
        shutil.copyfileobj(file, out, 1 << 20)
        if not ended:
            out.write(b"\n")


def _parts(merged: Path) -> Iterator[_Part]:
    """Yield the marks of a merged file by jumping from one to the next."""
    with merged.open("rb") as file:
        while line := file.readline():
            try:
                part = _PART.decode(line)
            except msgspec.DecodeError:
                return
            yield part
            file.seek(part.size, os.SEEK_CUR)


def _line(line: bytes, where: str) -> Record | _Part | int | None:
    """Return what one line holds: a record, the number of an exchange, nothing when empty or of an unknown kind."""
    if not line.strip():
        return None
    try:
        try:
            return _decoded(line)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return _decoded(_repaired(line))
    except (ValueError, RecursionError) as error:
        return Damage(where=where, problem=str(error))


def _referring(verdict: Verdict, worker: str) -> Verdict:
    if not verdict.exchanges:
        return verdict
    return msgspec.structs.replace(verdict, references=tuple(f"{worker}/{n}" for n in verdict.exchanges))


def _decoded(line: bytes) -> Run | Plan | Verdict | End | _Part | int | None:
    """Return the record of a line, the number of an exchange, nothing for a kind that came later than this reader."""
    head = _HEAD.decode(line)
    if head.t == "exchange":
        return head.n
    if head.t == "part":
        return _PART.decode(line)
    decoder = _DECODERS.get(head.t)
    return decoder.decode(line) if decoder else None


def _worker(name: str) -> str:
    return name.removeprefix("evidence.").removesuffix("ndjson").rstrip(".") or "main"


def _repaired(line: bytes) -> bytes:
    """Make UTF-8 of what a target sent as something else: broken bytes and lone surrogates become U+FFFD."""
    value = json.loads(line.decode(errors="replace"))
    return SURROGATE.sub("\ufffd", json.dumps(value, ensure_ascii=False)).encode()
