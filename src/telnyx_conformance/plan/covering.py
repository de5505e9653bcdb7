"""Each-choice covering.

Valid values of all places packed into as few accepted probes as the rules between members allow.

Absence is a value too: the first row holds only what is required. Source: each-choice coverage, Ammann and Offutt,
Introduction to Software Testing, section 6.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import msgspec

from telnyx_conformance.contract.fields import Field
from telnyx_conformance.plan.boundaries import Value, taken

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from telnyx_conformance.contract.constraints import Constraint
    from telnyx_conformance.plan.values import Maker

CONTAINED = frozenset({"type", "accepted", "minProperties"})
Root = tuple[str, str]  # location, and the parameter's name (empty for the body)


class Offer(msgspec.Struct, frozen=True, kw_only=True):
    """A valid value of a place that some row must carry."""

    field: Field
    value: Value


class Row:
    """One accepted probe in the making: a value for the body and for each parameter it sends."""

    def __init__(self, roots: dict[Root, Any], *, optional: bool) -> None:
        self.roots = roots
        self.optional = optional
        self.carried: list[Offer] = []
        self._set: dict[Root, dict[tuple[Any, ...], Any]] = {}
        self._branches: dict[Root, dict[tuple[Any, ...], tuple[str, ...]]] = {}
        self._alternatives: dict[Root, list[tuple[Any, ...]]] = {}

    def takes(self, maker: Maker, offer: Offer, is_valid: Callable[[Root, Any], bool]) -> bool:
        """Add a value when it goes with what is there; return whether it did."""
        field, root = offer.field, root_of(offer.field)
        if not self.optional and not is_needed(field):
            return False
        if not self._is_free(field, root, offer.value.value) or self._blurs(maker, field, root):
            return False
        mine, branches = self._set.setdefault(root, {}), self._branches.setdefault(root, {})
        if not self._holds(offer, root):
            anew = root not in self.roots or (field.chain[0].branch and branches.get(()) != field.chain[0].branch)
            draft = maker.root(field) if anew else copy.deepcopy(self.roots[root])
            made = maker.value_at(field.chain, draft, copy.deepcopy(offer.value.value), chosen=branches)
            if _breaks_exclusion(field, made) or not is_valid(root, made):
                return False
            if not all(_keeps(_at(made, path), kept) for path, kept in mine.items()):
                return False
            self.roots[root] = made
        mine[field.path] = _at(self.roots[root], field.path)
        branches |= {field.path[:depth]: link.branch for depth, link in enumerate(field.chain) if link.branch}
        if isinstance(offer.value.value, dict) and not set(offer.value.kinds) <= CONTAINED:
            self._alternatives.setdefault(root, []).append(field.path)
        self.carried.append(offer)
        return True

    def _is_free(self, field: Field, root: Root, value: Any) -> bool:
        mine, branches = self._set.get(root, {}), self._branches.get(root, {})
        if field.path in mine:
            return False
        for depth, link in enumerate(field.chain):
            kept = branches.get(field.path[:depth])
            if kept is not None and link.branch and kept != link.branch:
                return False
            whole = mine.get(field.path[:depth], ...)
            if depth < len(field.path) and whole is not ... and _is_whole(whole):
                return False
        inner = any(path[: len(field.path)] == field.path for path in mine)
        return not (inner and _is_whole(value))

    def _blurs(self, maker: Maker, field: Field, root: Root) -> bool:
        """Tell whether a member would stand beside an alternative that another one of its branches is known by."""
        for path in self._alternatives.get(root, ()):
            if path == field.path[: len(path)] != field.path:
                node, key, kept = field.chain[len(path)].node, field.path[len(path)], self._set[root][path]
                branches = [branch for choice in node.choices for branch in choice.branches]
                if key not in kept and any(key in maker.reader.node(branch).required for branch in branches):
                    return True
        return False

    def _holds(self, offer: Offer, root: Root) -> bool:
        """Tell whether the value, or a container that was asked for as such, stands there already."""
        field, value = offer.field, offer.value.value
        if root not in self.roots or any(link.branch for link in field.chain):
            return False
        here = _at(self.roots[root], field.path)
        if isinstance(value, dict) and set(offer.value.kinds) <= CONTAINED:
            return isinstance(here, dict)
        if _is_single(value) and set(offer.value.kinds) <= CONTAINED:
            return _is_single(here)
        return bool(here is not ... and here == value and type(here) is type(value))


def _is_single(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 1


def _is_whole(value: Any) -> bool:
    """Tell whether a value says all about its place, so that nothing is set within.

    A scalar, null, or a list of some length.
    """
    return not isinstance(value, dict) and not _is_single(value)


def _at(value: Any, path: tuple[Any, ...]) -> Any:
    for key in path:
        try:
            value = value[key]
        except (KeyError, IndexError, TypeError):
            return ...
    return value


def _keeps(now: Any, kept: Any) -> bool:
    """Tell whether a value still says what it said: containers may have got more members."""
    if isinstance(now, dict) and isinstance(kept, dict):
        return all(name in now and _keeps(now[name], value) for name, value in kept.items())
    if isinstance(now, list) and isinstance(kept, list):
        return len(now) == len(kept) and all(_keeps(a, b) for a, b in zip(now, kept, strict=True))
    return bool(now == kept)


def _breaks_exclusion(field: Field, root: Any) -> bool:
    for depth, link in enumerate(field.chain):
        here = _at(root, field.path[:depth])
        if isinstance(here, dict) and any(all(name in here for name in names) for names in link.node.exclusive):
            return True
    return False


def carries(roots: Mapping[Root, Any], offer: Offer) -> bool:
    """Tell whether a request carries the offered value at its place."""
    root = root_of(offer.field)
    return root in roots and _keeps(_at(roots[root], offer.field.path), offer.value.value)


def root_of(field: Field) -> Root:
    """Return which value of the request a place stands in."""
    return (field.location, field.parameter.name if field.parameter else "")


def is_needed(field: Field) -> bool:
    """Tell whether every request has this place: all members on the way are required."""
    if (field.parameter is not None and not field.parameter.required) or any(link.branch for link in field.chain):
        return False
    return all(key in link.node.required for key, link in zip(field.path, field.chain[:-1], strict=True))


def offers_of(maker: Maker, fields: Iterable[tuple[Field, tuple[Constraint, ...]]]) -> list[Offer]:
    """Return every valid value that must be shown, in documented order."""
    return [Offer(field=field, value=value) for field, held in fields for value in taken(maker, field, held)]


def pack(
    maker: Maker, base: dict[Root, Any], offers: Iterable[Offer], is_valid: Callable[[Root, Any], bool]
) -> tuple[list[Row], list[Offer]]:
    """Return rows that carry the offers, the first with nothing optional in it, and the offers that fit no row."""
    rows = [Row(copy.deepcopy(base), optional=False)]
    left: list[Offer] = []
    for offer in offers:
        if any(row.takes(maker, offer, is_valid) for row in rows):
            continue
        fresh = Row(copy.deepcopy(base), optional=True)
        if fresh.takes(maker, offer, is_valid):
            rows.append(fresh)
        else:
            left.append(offer)
    return rows, left


def largest(offers: Iterable[Offer]) -> int:
    """Return the largest number of valid values that one place has; absence counts as a value of what is optional."""
    counts: dict[str, int] = {}
    for offer in offers:
        start = 0 if is_needed(offer.field) else 1
        counts[offer.field.place] = counts.get(offer.field.place, start) + 1
    return max(counts.values(), default=1)
