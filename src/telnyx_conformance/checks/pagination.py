"""Lists: pages add up, do not overlap, keep their size, and say so. All functions are pure, over bodies that were read before."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from telnyx_conformance.checks.finding import Finding, shown

if TYPE_CHECKING:
    from collections.abc import Sequence


def page_is_not_larger(items: Sequence[Any], size: int) -> Finding | None:
    """A page holds at most as many items as were asked for."""
    if len(items) <= size:
        return None
    return Finding(check="page-size", expected=f"at most {size} items", actual=f"{len(items)} items")


def page_has_default_size(items: Sequence[Any], meta: Any, size: int) -> Finding | None:
    """A page whose size nobody asked for says that it holds the documented number of items, and holds no more."""
    said = meta.get("page_size", size) if isinstance(meta, dict) else size
    if said == size and len(items) <= size:
        return None
    return Finding(
        check="page-default", expected=f"pages of {size}", actual=f"{len(items)} items, page_size {shown(said)}"
    )


def meta_agrees(meta: Any, *, number: int, size: int, count: int) -> Finding | None:
    """The page's `meta` says which page it is, how large pages are, and totals that fit each other and the `count` items seen."""
    if not isinstance(meta, dict):
        return Finding(check="page-meta", expected="a meta object", actual=shown(meta))
    total, pages = meta.get("total_results"), meta.get("total_pages")
    rows = []
    if meta.get("page_number", number) != number:
        rows.append(f"page_number {number}, got {shown(meta.get('page_number'))}")
    if meta.get("page_size", size) != size:
        rows.append(f"page_size {size}, got {shown(meta.get('page_size'))}")
    if isinstance(total, int) and isinstance(pages, int):
        wanted = max(-(-total // size), 0)
        if pages not in (wanted, max(wanted, 1)):
            rows.append(f"total_pages {wanted} for {total} results, got {pages}")
        if total < count:
            rows.append(f"total_results of at least {count}, got {total}")
    if not rows:
        return None
    return Finding(check="page-meta", expected="meta that agrees with the page", actual="; ".join(rows))


def pages_differ(first: Sequence[Any], second: Sequence[Any]) -> Finding | None:
    """Two pages share no item."""
    repeated = [item for item in second if item in first]
    if not repeated:
        return None
    return Finding(check="page-overlap", expected="other items than on the page before", actual=shown(repeated[0]))


def is_empty_beyond_end(items: Sequence[Any]) -> Finding | None:
    """A page after the last one is empty."""
    if not items:
        return None
    return Finding(check="page-beyond-end", expected="no items", actual=f"{len(items)} items")


def is_sorted(values: Sequence[Any], *, descending: bool) -> Finding | None:
    """The values stand in the order asked for; values that are absent are left out."""
    present = [v for v in values if v is not None]
    if present == sorted(present, reverse=descending):
        return None
    return Finding(check="sort", expected="descending" if descending else "ascending", actual=shown(present))
