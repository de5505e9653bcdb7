"""Requirements on an operation as a whole.

That it is there and guarded, what its answers look like, which headers it understands.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from telnyx_conformance.contract.echoes import default_fields, echoed_fields
from telnyx_conformance.contract.envelopes import JSON, envelope_of, properties_of
from telnyx_conformance.contract.fields import is_json
from telnyx_conformance.contract.kinds import KINDS
from telnyx_conformance.contract.model import Edition, Level, Operation, Parameter, Requirement

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

# A path parameter that names a resource; an account is the caller's own and no resource of these operations.
IDENTIFIER = re.compile(r"(?:\A|_)(?:id|sid|uuid)\Z|[a-z]Id\Z")
ACCOUNT = "account_sid"
PAGE_SIZE, PAGE_NUMBER = "page[size]", "page[number]"
SORTS = ("sort", "sort[]")
FILTER = re.compile(
    r"filter\[([A-Za-z_][\w.]*)\](?:\[(eq|contains|starts_with|ends_with|gt|gte|lt|lte|in)\])?(?:\[\])?\Z"
)
UNUSED_METHODS = ("PATCH", "PUT", "DELETE", "POST", "GET")


def exchange_requirements(edition: Edition, operation: Operation, *, refuses: bool) -> Iterator[Requirement]:
    """Yield the requirements of surface, envelopes and headers.

    `refuses` tells whether some request must be refused as invalid.
    """
    yield from _surface(edition, operation)
    yield from _responses(edition, operation, refuses=refuses)
    if operation.method == "GET":
        yield from _lists(edition, operation)
    yield from _headers(operation)


def identifier_of(operation: Operation) -> str:
    """Return the path parameter that names the addressed resource, an empty string when none does."""
    names = [p.name for p in operation.parameters_in("path") if IDENTIFIER.search(p.name) and p.name != ACCOUNT]
    return names[-1] if names and operation.server == "api" else ""


def unused_method(edition: Edition, operation: Operation) -> str:
    """Return a method that no operation at this path or at a path it may be taken for documents.

    Empty when there is none.
    """
    depth = operation.path.count("/")
    alike = (o for o in edition.operations if o.path.count("/") == depth and o.server == operation.server)
    used = {o.method for o in alike if o.path == operation.path or _may_match(o.path, operation.path)}
    return next((method for method in UNUSED_METHODS if method not in used), "")


def _may_match(one: str, other: str) -> bool:
    first, second = one.split("/"), other.split("/")
    return len(first) == len(second) and all(a == b or "{" in a or "{" in b for a, b in zip(first, second, strict=True))


def _made(operation: Operation, place: str, kind: str, row: str, *, level: Level | None = None) -> Requirement:
    made = KINDS[row]
    return Requirement(
        id=f"{operation.id}:{place}:{kind}",
        operation=operation.id,
        group=operation.group,
        conformance_class=made.conformance_class,
        level=level or made.level,
        kind=kind,
        place=place,
        statement=made.statement,
        source="document",
    )


def _surface(edition: Edition, operation: Operation) -> Iterator[Requirement]:
    yield _made(operation, "route", "exists", "route:exists")
    if operation.server != "api":
        return
    yield _made(operation, "route", "answers", "route:answers")
    if operation.secured:
        for kind in ("missing", "malformed", "unknown", "secret"):
            yield _made(operation, "auth", kind, f"auth:{kind}")
    first = next(o for o in edition.operations if o.path == operation.path and o.server == "api")
    if first.id == operation.id and unused_method(edition, operation):
        yield _made(operation, "method", "not-allowed", "method:not-allowed")
    if identifier_of(operation):
        yield _made(
            operation, "resource", "unknown", "resource:unknown", level="MUST" if _documents(operation, "404") else None
        )


def _documents(operation: Operation, status: str) -> bool:
    return any(r.status == status for r in operation.responses)


def _responses(edition: Edition, operation: Operation, *, refuses: bool) -> Iterator[Requirement]:
    success = operation.success
    place = f"response.{success.status}"
    yield _made(operation, place, "status", "response:status")
    if success.content:
        yield _made(operation, place, "content-type", "response:content-type")
    elif operation.method != "HEAD":
        yield _made(operation, place, "empty", "response:empty")
    if operation.server != "api":
        return
    if success.content.get(JSON):
        yield _made(operation, place, "schema", "response:schema")
        if envelope_of(edition, operation).slot:
            yield _made(operation, place, "envelope", "response:envelope")
        if echoed_fields(edition, operation):
            yield _made(operation, place, "echo", "response:echo")
        if default_fields(edition, operation):
            yield _made(operation, place, "default", "response:default")
    statuses = (("401", operation.secured), ("404", bool(identifier_of(operation))), ("422", refuses))
    for status, provoked in statuses:
        if provoked:
            level: Level = "MUST" if _documents(operation, status) else "SHOULD"
            yield _made(operation, f"error.{status}", "schema", "error:schema", level=level)


def _lists(edition: Edition, operation: Operation) -> Iterator[Requirement]:
    envelope = envelope_of(edition, operation)
    if not envelope.is_list:
        return
    query = {p.name: p for p in operation.parameters_in("query")}
    if PAGE_SIZE in query and PAGE_NUMBER in query:
        for kind in ("size", "number", "beyond-end"):
            yield _made(operation, "pagination", kind, f"pagination:{kind}")
        if "meta" in properties_of(edition, operation.success.content[JSON]):
            yield _made(operation, "pagination", "totals", "pagination:totals")
        if default_page_size(edition, operation):
            yield _made(operation, "pagination", "default", "pagination:default")
    item = properties_of(edition, envelope.item)
    for name, parameter in query.items():
        matched = FILTER.match(name)
        held = item.get(matched[1]) if matched else None
        if matched and _is_plain(edition, held) and not _is_switch(edition, parameter, held or {}):
            place = f"filter.{matched[1]}" + (f"[{matched[2]}]" if matched[2] else "")
            yield _made(operation, place, "applies", "filter:applies")
    if any(sortable(edition, operation)):
        yield _made(operation, "sort", "order", "sort:order")


def default_page_size(edition: Edition, operation: Operation) -> int:
    """Return how many items a list documents for a page whose size nobody asked for; 0 when it does not, or cannot tell."""
    size = next((p for p in operation.parameters_in("query") if p.name == PAGE_SIZE), None)
    meta = properties_of(edition, operation.success.content.get(JSON, {})).get("meta")
    if size is None or meta is None or "page_size" not in properties_of(edition, meta):
        return 0
    default = edition.resolve(size.schema).get("default")
    return default if isinstance(default, int) else 0


def filtered_properties(operation: Operation) -> tuple[str, ...]:
    """Return the properties that the filters of a list are about, in documented order."""
    matched = [FILTER.match(parameter.name) for parameter in operation.parameters_in("query")]
    return tuple(dict.fromkeys(found[1] for found in matched if found))


def demanded_filters(operation: Operation, query: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values by property of those filters of a request without which it would not be valid."""
    required = {parameter.name for parameter in operation.parameters_in("query") if parameter.required}
    matched = {name: FILTER.match(name) for name in required & query.keys()}
    return {found[1]: query[name] for name, found in matched.items() if found}


def sortable(edition: Edition, operation: Operation) -> Iterator[tuple[str, str, str]]:
    """Yield (parameter, value, property) for the documented sort values that name a property of the listed items."""
    item = properties_of(edition, envelope_of(edition, operation).item)
    for parameter in operation.parameters_in("query"):
        if parameter.name not in SORTS:
            continue
        schema = edition.resolve(parameter.schema)
        schema = edition.resolve(schema["items"]) if isinstance(schema.get("items"), dict) else schema
        for value in schema.get("enum") or schema.get("examples", ()):
            name = str(value).removeprefix("-")
            if _is_plain(edition, item.get(name)):
                yield parameter.name, str(value), name


def _is_plain(edition: Edition, schema: Mapping[str, Any] | None) -> bool:
    """Tell whether a property holds one text, number or truth value, so that two can be compared."""
    if schema is None:
        return False
    named = edition.resolve(schema).get("type")
    types = {named} if isinstance(named, str) else set(named or ())
    return bool(types) and types <= {"string", "integer", "number", "boolean", "null"}


def _is_switch(edition: Edition, parameter: Parameter, held: Mapping[str, Any]) -> bool:
    """Tell whether a parameter turns something on rather than say which value the property of its name holds."""
    asked, types = edition.resolve(parameter.schema).get("type"), edition.resolve(held).get("type", ())
    return asked == "boolean" and types != "boolean" and "boolean" not in types


def _headers(operation: Operation) -> Iterator[Requirement]:
    if operation.server != "api":
        return
    yield _made(operation, "headers", "accept", "headers:accept")
    if operation.body is not None and is_json(operation.body.media_type) and operation.body.media_type != "*/*":
        yield _made(operation, "headers", "content-type-charset", "headers:content-type-charset")
    if operation.secured:
        yield _made(operation, "headers", "authorization-case", "headers:authorization-case")
