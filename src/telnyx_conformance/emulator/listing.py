"""Lists: filters, order and pages over records, in the several styles that the API has."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import msgspec

from telnyx_conformance.emulator.store import Record

DEFAULT_SIZE = 20
LARGEST_SIZE = 5000
SIZE_NAMES = ("page[size]", "page[limit]", "page_size", "PageSize", "recordsPerPage", "limit")
NUMBER_NAMES = ("page[number]", "page", "Page")
Operator = Callable[[Any, Any], bool]


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """One page of a list: its records, and what the envelope's frame says about it."""

    records: list[Record]
    number: int
    size: int
    total: int

    def frame(self, path: str) -> dict[str, Any]:
        """Return every name under which products tell of pages; the schema takes those it knows."""
        pages = max(1, -(-self.total // self.size)) if self.size else 1
        start = (self.number - 1) * self.size
        numbers = {
            "page_number": self.number,
            "page_size": self.size,
            "total_pages": pages,
            "total_results": self.total,
            "total_items": self.total,
            "total_count": self.total,
            "best_effort_results": self.total,
        }
        return {
            **numbers,
            "meta": {**numbers, "cursors": {"after": None, "before": None}, "next": None, "previous": None},
            "page": self.number,
            "totalRecords": self.total,
            "total_records": self.total,
            "start": start,
            "end": start + max(0, len(self.records) - 1),
            "uri": path,
            "first_page_uri": path,
            "next_page_uri": path,
        }


def is_selective(query: Mapping[str, Any]) -> bool:
    """Return whether a query filters or orders."""
    return bool(_filters(query) or _sort_fields(query))


def page_of(
    records: Sequence[Record],
    query: Mapping[str, Any],
    default_size: int = DEFAULT_SIZE,
    *,
    known: Collection[str] = (),
) -> Page:
    """Return the page that `query` asks for, of the records that pass its filters, in its order.

    A filter on what no record has is ignored, unless it is one of the `known` properties, which a record may lack.
    """
    kept = list(records)
    for name, operator, wanted in _filters(query):
        if name in known or any(_has(record, name) for record in kept):
            kept = [record for record in kept if operator(_value(record, name), wanted)]
    for field in reversed(_sort_fields(query)):
        name = field.removeprefix("-")
        kept.sort(key=lambda record, name=name: _order_key(_value(record, name)), reverse=field.startswith("-"))  # type: ignore[misc]
    size = _whole(query, SIZE_NAMES, default_size)
    size = min(max(size, 1), LARGEST_SIZE)
    number = max(1, _whole(query, NUMBER_NAMES, 1))
    start = (number - 1) * size
    return Page(records=kept[start : start + size], number=number, size=size, total=len(kept))


def _whole(query: Mapping[str, Any], names: Sequence[str], default: int) -> int:
    for name in names:
        value = query.get(name)
        if isinstance(value, int) and not isinstance(value, bool):
            return value
    return default


def _sort_fields(query: Mapping[str, Any]) -> list[str]:
    asked = query.get("sort") or query.get("sort[]") or []
    asked = [asked] if isinstance(asked, str) else asked
    return [field for field in asked if isinstance(field, str) and field]


def _filters(query: Mapping[str, Any]) -> list[tuple[str, Operator, Any]]:
    found: list[tuple[str, Operator, Any]] = []
    for name, wanted in query.items():
        if name == "filter" and isinstance(wanted, Mapping):
            for field, condition in wanted.items():
                _add(found, str(field), condition)
        elif name.startswith(("filter[", "filters[")):
            parts = name[name.index("[") + 1 :].removesuffix("[]").rstrip("]").split("][")
            operator = OPERATORS.get(parts[-1]) if len(parts) > 1 else None
            field = ".".join(parts[:-1] if operator else parts)
            found.append((field, operator or _equals, wanted))
    return found


def _add(found: list[tuple[str, Operator, Any]], field: str, condition: Any) -> None:
    if isinstance(condition, Mapping):
        found += [(field, OPERATORS.get(str(name), _equals), wanted) for name, wanted in condition.items()]
    else:
        found.append((field, _equals, condition))


def _has(record: Mapping[str, Any], name: str) -> bool:
    node: Any = record
    for part in name.split("."):
        if not isinstance(node, Mapping) or part not in node:
            return False
        node = node[part]
    return True


def _value(record: Mapping[str, Any], name: str) -> Any:
    node: Any = record
    for part in name.split("."):
        node = node.get(part) if isinstance(node, Mapping) else None
    return node


def _text(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _equals(value: Any, wanted: Any) -> bool:
    if isinstance(wanted, list):
        return any(_equals(value, one) for one in wanted)
    if isinstance(value, list):
        return any(_text(one) == _text(wanted) for one in value)
    return _text(value) == _text(wanted)


def _order_key(value: Any) -> tuple[int, float, str]:
    if isinstance(value, (int, float)):
        return (1, float(value), "")
    return (0, 0.0, "") if value is None else (2, 0.0, str(value))


def _compared(accept: Callable[[int], bool]) -> Operator:
    def compare(value: Any, wanted: Any) -> bool:
        if value is None:
            return False
        mine, theirs = _order_key(value), _order_key(wanted)
        if mine[0] != theirs[0]:
            mine, theirs = (2, 0.0, _text(value)), (2, 0.0, _text(wanted))
        return accept((mine > theirs) - (mine < theirs))

    return compare


OPERATORS: dict[str, Operator] = {
    "eq": _equals,
    "ne": lambda value, wanted: not _equals(value, wanted),
    "in": lambda value, wanted: _equals(value, wanted.split(",") if isinstance(wanted, str) else wanted),
    "contains": lambda value, wanted: _text(wanted).lower() in _text(value).lower(),
    "starts_with": lambda value, wanted: _text(value).lower().startswith(_text(wanted).lower()),
    "startswith": lambda value, wanted: _text(value).lower().startswith(_text(wanted).lower()),
    "ends_with": lambda value, wanted: _text(value).lower().endswith(_text(wanted).lower()),
    "endswith": lambda value, wanted: _text(value).lower().endswith(_text(wanted).lower()),
    "gt": _compared(lambda sign: sign > 0),
    "gte": _compared(lambda sign: sign >= 0),
    "lt": _compared(lambda sign: sign < 0),
    "lte": _compared(lambda sign: sign <= 0),
}
