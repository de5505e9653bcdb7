"""The script behind lists: page through what there is, filter it and sort it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from telnyx_conformance.checks import filtering, pagination
from telnyx_conformance.checks.finding import NOT_JSON, Finding, json_body, outline
from telnyx_conformance.contract.envelopes import Envelope, envelope_of
from telnyx_conformance.contract.exchange import Exchange
from telnyx_conformance.contract.exchange_requirements import (
    FILTER,
    PAGE_NUMBER,
    PAGE_SIZE,
    default_page_size,
    sortable,
)
from telnyx_conformance.contract.nodes import reader_of
from telnyx_conformance.contract.validators import compiled
from telnyx_conformance.plan.changes import others
from telnyx_conformance.plan.values import Maker
from telnyx_conformance.run.verdict import Verdict, inconclusive, judged

if TYPE_CHECKING:
    from telnyx_conformance.contract.model import Edition, Operation, Requirement

Ask = Callable[[dict[str, Any]], Awaitable[tuple[Exchange, tuple[int, ...]]]]
FAR_BEYOND = 100_000


class Listing:
    """One list operation under test. `ask` sends it with query parameters."""

    def __init__(self, edition: Edition, operation: Operation, ask: Ask) -> None:
        self._edition, self._operation, self._ask = edition, operation, ask
        self._envelope: Envelope = envelope_of(edition, operation)
        self._query = {p.name: p for p in operation.parameters_in("query")}

    async def prove(self, requirements: list[Requirement]) -> list[Verdict]:
        """Return a verdict for each requirement on paging, filtering and sorting."""
        wanted = {r.id: r for r in requirements}
        found: list[Verdict] = []
        if any(r.place == "pagination" for r in requirements):
            found += await self._pages()
        filters = [r for r in requirements if r.place.startswith("filter.")]
        if filters:
            found += await self._filters()
        if any(r.kind == "default" for r in requirements):
            found.append(await self._default())
        if any(r.place == "sort" for r in requirements):
            found += await self._sorts()
        return [verdict for verdict in found if verdict.requirement in wanted]

    async def _pages(self) -> list[Verdict]:
        size = max(1, self._bound(PAGE_SIZE, "minimum", 1))
        first_page = self._bound(PAGE_NUMBER, "minimum", 1)
        first, one = await self._ask({PAGE_SIZE: size, PAGE_NUMBER: max(first_page, 1)})
        second, two = await self._ask({PAGE_SIZE: size, PAGE_NUMBER: max(first_page, 1) + 1})
        beyond, far = await self._ask({PAGE_SIZE: size, PAGE_NUMBER: self._far()})
        items, more = self._items(first), self._items(second)
        if items is None or more is None:
            return [self._unreadable(kind, first if items is None else second, one + two) for kind in
                    ("size", "number", "totals", "beyond-end")]  # fmt: skip
        meta = self._meta(first)
        count = len(items) + len(more)
        verdicts = [
            self._judged("pagination:size", pagination.page_is_not_larger(items, size), one),
            self._judged(
                "pagination:totals",
                pagination.meta_agrees(meta, number=max(first_page, 1), size=size, count=count),
                one,
            ),
        ]
        if items:
            verdicts.append(self._judged("pagination:number", pagination.pages_differ(items, more), one + two))
        else:
            verdicts.append(inconclusive(self._id("pagination:number"), "the list is empty", exchanges=one))
        left = self._items(beyond)
        if left is None:
            verdicts.append(self._unreadable("beyond-end", beyond, far))
        else:
            verdicts.append(self._judged("pagination:beyond-end", pagination.is_empty_beyond_end(left), far))
        return verdicts

    async def _default(self) -> Verdict:
        exchange, numbers = await self._ask({})
        items = self._items(exchange)
        if items is None:
            return self._unreadable("default", exchange, numbers)
        size = default_page_size(self._edition, self._operation)
        return self._judged(
            "pagination:default", pagination.page_has_default_size(items, self._meta(exchange), size), numbers
        )

    async def _filters(self) -> list[Verdict]:
        whole, numbers = await self._ask({})
        items = self._items(whole)
        found: list[Verdict] = []
        for name in self._query:
            matched = FILTER.match(name)
            if not matched:
                continue
            prop, how = matched[1], matched[2] or "eq"
            key = f"filter.{prop}" + (f"[{matched[2]}]" if matched[2] else "") + ":applies"
            if not items:
                found.append(
                    inconclusive(self._id(key), f"there is nothing to filter: {outline(whole)}", exchanges=numbers)
                )
                continue
            found.append(await self._filtered(key, name, prop, how, items))
        return found

    async def _filtered(self, key: str, name: str, prop: str, how: str, items: list[Any]) -> Verdict:
        values = [item[prop] for item in items if isinstance(item, dict) and item.get(prop) is not None]
        allowed = self._enum(name)
        usable = [v for v in values if (not allowed or v in allowed) and self._may_ask(name, v)]
        telling = [v for v in usable if not _fit_all(values, how, v)]
        value = next(iter([*telling, *usable]), None)
        wanted = filtering.as_text(self._sample(name) if value is None else value)
        left, exchange, numbers = await self._left_by(name, wanted)
        if left is None:
            return inconclusive(
                self._id(key), f"the filter {name}={wanted} is refused: {outline(exchange)}", exchanges=numbers
            )
        fitting = sum(1 for v in usable if filtering.fits(v, how, wanted))
        page = self._bound(PAGE_SIZE, "default", 20) if PAGE_SIZE in self._query else len(items)
        finding = filtering.filter_applies(left, prop, how, wanted, at_least=min(fitting, page, 1))
        if finding is None and usable and not telling:
            finding, more = await self._foreign(name, prop, how, values)
            numbers += more
        return self._judged(key, finding, numbers)

    async def _foreign(
        self, name: str, prop: str, how: str, values: list[Any]
    ) -> tuple[Finding | None, tuple[int, ...]]:
        """Ask for what not every item has: where all fit, a filter that is ignored leaves the same as one that applies."""
        offered = [*self._enum(name), *(other for value in values[:1] for other in others(value)), *values]
        foreign = next((v for v in offered if not _fit_all(values, how, v) and self._may_ask(name, v)), None)
        if foreign is None:
            return None, ()
        left, _, numbers = await self._left_by(name, filtering.as_text(foreign))
        return filtering.filter_applies(left or [], prop, how, filtering.as_text(foreign), at_least=0), numbers

    async def _left_by(self, name: str, wanted: str) -> tuple[list[Any] | None, Exchange, tuple[int, ...]]:
        exchange, numbers = await self._ask({name: [wanted] if name.endswith("[]") else wanted})
        return self._items(exchange), exchange, numbers

    async def _sorts(self) -> list[Verdict]:
        finding: Finding | None = None
        seen: tuple[int, ...] = ()
        for parameter, value, prop in sortable(self._edition, self._operation):
            exchange, numbers = await self._ask({parameter: [value] if parameter.endswith("[]") else value})
            seen += numbers
            items = self._items(exchange)
            if items is None:
                return [self._unreadable("order", exchange, seen, place="sort")]
            values = [item.get(prop) for item in items if isinstance(item, dict)]
            finding = finding or pagination.is_sorted(values, descending=value.startswith("-"))
        return [self._judged("sort:order", finding, seen)]

    def _items(self, exchange: Exchange) -> list[Any] | None:
        body = json_body(exchange)
        if body is NOT_JSON or exchange.response is None or not exchange.response.is_success:
            return None
        items = body.get(self._envelope.slot) if self._envelope.slot and isinstance(body, dict) else body
        return items if isinstance(items, list) else None

    @staticmethod
    def _meta(exchange: Exchange) -> Any:
        body = json_body(exchange)
        return body.get("meta") if isinstance(body, dict) else None

    def _id(self, key: str) -> str:
        return f"{self._operation.id}:{key}"

    def _judged(self, key: str, finding: Finding | None, exchanges: tuple[int, ...]) -> Verdict:
        return judged(self._id(key), finding, exchanges=exchanges)

    def _unreadable(
        self, kind: str, exchange: Exchange, exchanges: tuple[int, ...], place: str = "pagination"
    ) -> Verdict:
        if exchange.response is None:
            return inconclusive(self._id(f"{place}:{kind}"), exchange.error, exchanges=exchanges)
        finding = Finding(check="list", expected="a list", actual=outline(exchange))
        return self._judged(f"{place}:{kind}", finding, exchanges)

    def _schema(self, name: str) -> dict[str, Any]:
        schema = self._edition.resolve(self._query[name].schema)
        return self._edition.resolve(schema["items"]) if isinstance(schema.get("items"), dict) else schema

    def _bound(self, name: str, keyword: str, otherwise: int) -> int:
        bound = self._schema(name).get(keyword, otherwise)
        return bound if isinstance(bound, int) else otherwise

    def _may_ask(self, name: str, value: Any) -> bool:
        """Whether a listed value is one that the parameter documents: some filters are of another type than what they filter."""
        schema = self._schema(name)
        return compiled(self._edition.document, schema, "request").is_valid(value) if schema else True

    def _sample(self, name: str) -> Any:
        maker = Maker(reader_of(self._edition))
        return maker.minimal(maker.reader.node(self._schema(name)), name)

    def _enum(self, name: str) -> list[Any]:
        return list(self._schema(name).get("enum", ()))

    def _far(self) -> int:
        return min(FAR_BEYOND, self._bound(PAGE_NUMBER, "maximum", FAR_BEYOND))


def _fit_all(values: list[Any], how: str, wanted: Any) -> bool:
    return all(filtering.fits(value, how, filtering.as_text(wanted)) for value in values)
