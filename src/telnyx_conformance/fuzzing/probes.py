"""Probes as fuzzing makes them: named after their source, sendable, and cheap to compare."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import msgspec

from telnyx_conformance.plan.probe import Probe
from telnyx_conformance.plan.references import references_in

if TYPE_CHECKING:
    from telnyx_conformance.contract.model import Operation

CLASS = "fuzz"
HEADER_TEXT = frozenset(chr(n) for n in range(0x20, 0x7F))


def as_probe(
    operation: Operation,
    source: str,
    expect: Literal["accept", "refuse"],
    *,
    path: dict[str, Any] | None = None,
    query: dict[str, Any] | None = None,
    headers: dict[str, str] | None = None,
    body: Any = None,
    raw: bytes | None = None,
    media_type: str = "",
    files: tuple[str, ...] = (),
) -> Probe:
    """Return a probe of the class fuzz. Texts that name a resource may be replaced by one that exists."""
    roots = {("body", ""): body, **{("query", name): value for name, value in (query or {}).items()}}
    return Probe(
        id=f"{operation.id}:fuzz:{source}", operation=operation.id, conformance_class=CLASS, expect=expect,
        path=path or {}, query=query or {}, headers=headers or {}, body=body, raw=raw,
        media_type=media_type, files=files, references=references_in(roots),
    )  # fmt: skip


def again(operation: Operation, probe: Probe, **changes: Any) -> Probe:
    """Return a probe with some parts changed, and what it refers to found anew."""
    parts = {name: getattr(probe, name) for name in ("path", "query", "headers", "body", "raw", "media_type", "files")}
    source = probe.id.rpartition(":")[2]
    return as_probe(operation, changes.pop("source", source), probe.expect, **{**parts, **changes})


def sendable(probe: Probe) -> bool:
    """Tell whether an HTTP client can send the probe as it is: JSON that can be written, headers of plain text."""
    try:
        msgspec.json.encode([probe.body, probe.query])
    except (msgspec.MsgspecError, OverflowError, UnicodeEncodeError, TypeError, ValueError, RecursionError):
        return False
    return all(set(value) <= HEADER_TEXT and value.strip() == value for value in probe.headers.values())


def weight(probe: Probe, minimal: Probe) -> tuple[int, int, bytes]:
    """Return what orders probes from the simplest: how many places differ from `minimal`, then the length of what is sent."""
    told = _told(probe)
    return _differences(probe.body, minimal.body) + _differences(probe.query, minimal.query), len(told), told


def _told(probe: Probe) -> bytes:
    return msgspec.json.encode([probe.path, probe.query, probe.headers, probe.body, probe.raw])


def _differences(value: Any, base: Any) -> int:
    if isinstance(value, dict) and isinstance(base, dict):
        return sum(_differences(value.get(name, ...), base.get(name, ...)) for name in {*value, *base})
    return int(value != base)


def fingerprint(probe: Probe) -> bytes:
    """Return bytes that are equal for probes that send the same."""
    return msgspec.json.encode([probe.expect, _told(probe), probe.media_type])
