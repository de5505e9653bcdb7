"""Filters: what is left fits. Source: the operators of list operations, from `eq` and `contains` to `lte` and `in`."""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Any

from telnyx_conformance.checks.finding import Finding, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

COMPARISONS: dict[str, Callable[[Any, Any], Any]] = {
    "gt": operator.gt, "gte": operator.ge, "lt": operator.lt, "lte": operator.le,
}  # fmt: skip


def fits(value: Any, how: str, wanted: str) -> bool:
    """Tell whether a property's value satisfies a filter; texts are compared without regard to case."""
    text = as_text(value)
    if how in COMPARISONS:
        try:
            return bool(COMPARISONS[how](float(text), float(wanted)))
        except ValueError:
            return bool(COMPARISONS[how](text, wanted))
    tests: dict[str, Callable[[], bool]] = {
        "contains": lambda: wanted.lower() in text.lower(),
        "starts_with": lambda: text.lower().startswith(wanted.lower()),
        "ends_with": lambda: text.lower().endswith(wanted.lower()),
        "in": lambda: text.lower() in [w.strip().lower() for w in wanted.split(",")],
    }
    return tests.get(how, lambda: text.lower() == wanted.lower())()


def filter_applies(items: Sequence[Any], name: str, how: str, wanted: str, *, at_least: int) -> Finding | None:
    """Every item that is left shows that it fits the filter, and at least as many are left as are known to fit.

    An item that does not show the property, while it is filtered by it, does not fit.
    """
    for item in items:
        value = item.get(name) if isinstance(item, dict) else None
        if value is None or not fits(value, how, wanted):
            came = f"{name} is {shown(value)}" if value is not None else f"an item without {name}: {shown(item)}"
            return Finding(check="filter", expected=f"{name} {how} {wanted}", actual=came)
    if len(items) < at_least:
        return Finding(
            check="filter",
            expected=f"at least {at_least} items whose {name} {how} {wanted}",
            actual=f"{len(items)} items",
        )
    return None


def as_text(value: Any) -> str:
    """Return a JSON value as a query writes it: there 1.0 is no integer, though in JSON it is one."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
