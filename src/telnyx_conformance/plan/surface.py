"""Probes about the operation as a whole: its route, its guard, its headers, its body as bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from telnyx_conformance.contract.catalogue import load_errors
from telnyx_conformance.contract.envelopes import JSON
from telnyx_conformance.contract.exchange_requirements import identifier_of, unused_method
from telnyx_conformance.errors import HarnessError
from telnyx_conformance.plan.probe import Probe, Violation

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from telnyx_conformance.contract.model import Edition, Operation

UNKNOWN_KEY = "Bearer KEY0000CONFORMANCE_never_issued"
MALFORMED_KEY = "Basic bm90OmEga2V5"
WRONG_MEDIA = "application/vnd.unknown"
NOT_JSON = b'{"unfinished": '
ABSENT_IDS: tuple[Any, ...] = (
    "00000000-0000-4000-8000-00000000dead", "9000000000000000001", "absent", "ABSENT01", "CABSENT",
    9000000000000000001, 999999999,
)  # fmt: skip
GROUPS_OF_CALLS = frozenset({"Call Commands"})
GUARDS = {
    "missing": ("", "no_credentials"),
    "malformed": (MALFORMED_KEY, "malformed_key"),
    "unknown": (UNKNOWN_KEY, "unknown_key"),
}


def surface_probes(
    edition: Edition,
    operation: Operation,
    wanted: frozenset[str],
    minimal: Probe,
    is_valid: Callable[[tuple[str, str], Any], bool],
) -> Iterator[Probe]:
    """Yield the probes of the class surface and those of the body as bytes, for the requirement ids in `wanted`.

    `is_valid` tells whether a value of the parameter (location, name) satisfies its schema.
    """
    op = operation.id
    if f"{op}:route:exists" in wanted:
        yield _like(minimal, "route:exists", "surface", "accept", covers=(f"{op}:route:exists",))
    for kind, (header, situation) in GUARDS.items():
        name = f"auth:{kind}"
        if f"{op}:{name}" in wanted:
            yield _refused(minimal, name, situation, headers={**minimal.headers, "authorization": header})
    if f"{op}:method:not-allowed" in wanted:
        yield _refused(
            minimal,
            "method:not-allowed",
            "method_not_allowed",
            method=unused_method(edition, operation),
            body=None,
            query={},
        )
    if f"{op}:resource:unknown" in wanted:
        calls = operation.group in GROUPS_OF_CALLS
        name = identifier_of(operation)
        path = {**minimal.path, name: absent(name, is_valid)}
        yield _refused(minimal, "resource:unknown", "unknown_call" if calls else "unknown_resource", path=path)
    if f"{op}:request.body:malformed" in wanted:
        yield _refused(minimal, "request.body:malformed", "malformed_json", raw=NOT_JSON, proven_by="requests")
    if f"{op}:request.body:content-type" in wanted:
        raw = b"<unknown/>"
        yield _refused(
            minimal,
            "request.body:content-type",
            "wrong_content_type",
            raw=raw,
            media_type=WRONG_MEDIA,
            proven_by="requests",
        )


def without_body(minimal: Probe) -> Probe:
    """Return the probe that lacks a required body which the document does not describe."""
    return _refused(minimal, "request.body:required", "missing_body", proven_by="requests", body=None, raw=None)


def absent(name: str, is_valid: Callable[[tuple[str, str], Any], bool]) -> Any:
    """Return a well-formed value of a path parameter that names nothing."""
    for value in ABSENT_IDS:
        if is_valid(("path", name), value):
            return value
    raise HarnessError("no id of nothing is known that is well-formed", where=name)


def header_probes(operation: Operation, wanted: frozenset[str], minimal: Probe) -> Iterator[Probe]:
    """Yield the one accepted probe that carries every header shape which must be understood.

    `isolate` takes it apart.
    """
    shapes = header_shapes(operation, wanted, minimal)
    if shapes:
        headers = dict(minimal.headers)
        for _, added in shapes:
            headers |= added
        covers = tuple(requirement for requirement, _ in shapes)
        yield _like(minimal, "headers", "headers", "accept", headers=headers, covers=covers)


def header_shapes(operation: Operation, wanted: frozenset[str], minimal: Probe) -> list[tuple[str, dict[str, str]]]:
    """Return (requirement id, headers) for each header shape that must be understood."""
    shapes = {
        "headers:accept": {"accept": _documented(operation)},
        "headers:content-type-charset": {"content-type": f"{minimal.media_type}; charset=utf-8"},
        "headers:authorization-case": {"authorization": "bearer {key}"},
    }
    return [(f"{operation.id}:{name}", added) for name, added in shapes.items() if f"{operation.id}:{name}" in wanted]


def _documented(operation: Operation) -> str:
    """Return a media type that a success of the operation documents, JSON where it may choose or documents none."""
    offered = operation.success.content
    return JSON if JSON in offered or not offered or "*/*" in offered else next(iter(offered))


def _like(minimal: Probe, name: str, proven_by: str, expect: Any, **changes: Any) -> Probe:
    fields = {key: getattr(minimal, key) for key in Probe.__struct_fields__}
    fields |= {
        "id": f"{minimal.operation}:{name}",
        "conformance_class": proven_by,
        "expect": expect,
        "covers": (),
        **changes,
    }
    return Probe(**fields)


def _refused(minimal: Probe, name: str, situation: str, *, proven_by: str = "surface", **changes: Any) -> Probe:
    known = load_errors().situation(situation)
    op, place = minimal.operation, name.rpartition(":")[0]
    in_body = place == "request.body"
    violation = Violation(
        requirement=f"{op}:{name}",
        kind="",
        situation=situation,
        statuses=known.statuses,
        pointers=("/", "") if in_body and known.place == "root" else (),
    )
    return _like(minimal, name, proven_by, "refuse", violation=violation, **changes)
