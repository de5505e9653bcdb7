"""Calling the roll: everything that a list holds, page after page, so that what is missing is missing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import msgspec
from msgspec.structs import replace

from telnyx_conformance.checks.finding import json_body
from telnyx_conformance.contract.envelopes import envelope_of
from telnyx_conformance.contract.exchange import Exchange
from telnyx_conformance.contract.exchange_requirements import FILTER, PAGE_NUMBER, PAGE_SIZE

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from telnyx_conformance.contract.model import Edition, Operation
    from telnyx_conformance.plan.probe import Probe

    Ask = Callable[[Probe], Awaitable[tuple[Exchange, tuple[int, ...]]]]

SIZES = (PAGE_SIZE, "page_size", "PageSize", "recordsPerPage", "limit")
NUMBERS = (PAGE_NUMBER, "page", "Page")
USUAL_SIZE = 100  # where a documented page size has no maximum
MOST_PAGES = 20


class Roll(msgspec.Struct, frozen=True, kw_only=True):
    """What a list holds; `items` is `None` when it could not be read, and `exchange` is the last page's."""

    exchange: Exchange
    items: list[Any] | None
    numbers: tuple[int, ...]

    @classmethod
    async def call(cls, edition: Edition, operation: Operation, probe: Probe, known: dict[str, Any], ask: Ask) -> Self:
        """Ask for page after page of the largest size. What the list must be filtered by is taken from `known`."""
        sizes = {p.name: edition.resolve(p.schema).get("maximum", USUAL_SIZE) for p in operation.parameters_in("query")}
        size = next((name for name in SIZES if name in sizes), "")
        number = next((name for name in NUMBERS if name in sizes), "")
        query = {**probe.query, **_demanded(operation, known), **({size: sizes[size]} if size else {})}
        slot = envelope_of(edition, operation).slot
        found: list[Any] = []
        seen: tuple[int, ...] = ()
        for page in range(1, MOST_PAGES + 1):
            if number and size:
                query[number] = page
            exchange, numbers = await ask(replace(probe, query=query))
            seen += numbers
            body = json_body(exchange) if exchange.response is not None and exchange.response.is_success else None
            items = body.get(slot) if slot and isinstance(body, dict) else body
            if not isinstance(items, list):
                return cls(exchange=exchange, items=None, numbers=seen)
            found += items
            if not (number and size) or len(items) < sizes[size]:
                break
        return cls(exchange=exchange, items=found, numbers=seen)


def _demanded(operation: Operation, known: dict[str, Any]) -> dict[str, Any]:
    """Return the filters without which a request would not be valid, set to what is looked for."""
    found: dict[str, Any] = {}
    for parameter in operation.parameters_in("query"):
        matched = FILTER.match(parameter.name)
        name = matched[1] if matched else parameter.name
        if parameter.required and isinstance(known.get(name), str | int):
            found[parameter.name] = known[name]
    return found
