"""Lifecycles: what was created can be read and listed, changes as asked and only then, and is gone after its deletion.

All functions are pure, over exchanges and what was read from them before.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from telnyx_conformance.checks.finding import Finding, outline, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from telnyx_conformance.contract.exchange import Exchange

MOST_NAMED = 3
FORBIDDEN, NOT_FOUND, GONE = 403, 404, 410
Shown = Any
"""One resource as its operation shows it: an object, `None` when there is none."""


def is_readable(seen: Exchange, item: Shown, identifier: str, key: str, asked: Mapping[str, Any]) -> Finding | None:
    """What was created is there under its id, with what was asked for."""
    if not isinstance(item, dict):
        return Finding(check="readable", expected=f"the resource that was created, {key}", actual=outline(seen))
    wanted = {**({identifier: key} if identifier in item else {}), **asked}
    wrong = _differences(wanted, item)
    return Finding(check="readable", expected=shown(wanted), actual=wrong) if wrong else None


def is_listed(seen: Exchange, items: Sequence[Any] | None, identifier: str, key: str) -> Finding | None:
    """A list holds what was created."""
    if items is not None and key in keys_of(items, identifier):
        return None
    actual = outline(seen) if items is None else f"{len(items)} items without it"
    return Finding(check="listed", expected=f"an item whose {identifier} is {key}", actual=actual)


def are_distinct(key: str, others: Collection[str]) -> Finding | None:
    """An id names one resource, also when that is gone."""
    if key not in others:
        return None
    return Finding(check="distinct", expected="an id that nothing else has or had", actual=key)


def is_one(before: Collection[str], after: Collection[str], key: str) -> Finding | None:
    """After one creation the list holds one more."""
    more = sorted(set(after) - set(before))
    if more in ([key], []):  # whether it is listed at all is another question
        return None
    return Finding(
        check="created-once", expected=f"one more than before: {key}", actual=f"{len(more)} more: {shown(more)}"
    )


def has_defaults(item: Shown, defaults: Mapping[str, Any]) -> Finding | None:
    """Fields that were left out have their documented defaults."""
    wanted = _present(defaults, item if isinstance(item, dict) else {})
    wrong = _differences(wanted, item)
    return Finding(check="default", expected=shown(wanted), actual=wrong) if wrong else None


def is_kept(before: Shown, seen: Exchange, after: Shown, is_volatile: Callable[[str], bool]) -> Finding | None:
    """Between two looks at a resource nothing about it has changed, but for what changes by itself."""
    wrong = _changes(before, seen, after, is_volatile)
    return Finding(check="kept", expected="the resource as it was before", actual=wrong) if wrong else None


def is_alone(before: Shown, seen: Exchange, after: Shown, is_volatile: Callable[[str], bool]) -> Finding | None:
    """Whatever was done to another resource, this one is as it was."""
    wrong = _changes(before, seen, after, is_volatile)
    return Finding(check="alone", expected="the other resource as it was", actual=wrong) if wrong else None


def is_changed(seen: Exchange, item: Shown, asked: Mapping[str, Any]) -> Finding | None:
    """What a change has set is read back."""
    if not isinstance(item, dict):
        return Finding(check="changed", expected=f"the resource with {shown(dict(asked))}", actual=outline(seen))
    wrong = _differences(asked, item)
    return Finding(check="changed", expected=shown(dict(asked)), actual=wrong) if wrong else None


def is_merged(before: Shown, after: Shown, settable: Collection[str], asked: Collection[str]) -> Finding | None:
    """The fields that a change did not name are as they were before it."""
    if not isinstance(before, dict) or not isinstance(after, dict):
        return None  # what cannot be seen at all is the matter of `is_changed`
    stay = {n: before[n] for n in settable if n in before and n not in asked}
    wrong = _differences(stay, after)
    return Finding(check="merged", expected=shown(stay), actual=wrong) if wrong else None


def is_gone(seen: Exchange, statuses: Collection[int]) -> Finding | None:
    """What was deleted is not found."""
    if seen.response is not None and seen.response.status in {*statuses, GONE}:
        return None
    return Finding(check="gone", expected="not found: it was deleted", actual=outline(seen))


def is_unlisted(items: Sequence[Any] | None, identifier: str, key: str) -> Finding | None:
    """A list lacks what was deleted."""
    if items is None or key not in keys_of(items, identifier):
        return None
    return Finding(check="gone", expected=f"no item whose {identifier} is {key}: it was deleted", actual="it is listed")


def is_refused_again(exchange: Exchange, statuses: Collection[int]) -> Finding | None:
    """A second deletion finds nothing to delete."""
    if exchange.response is not None and exchange.response.status in {*statuses, GONE}:
        return None
    return Finding(check="again", expected="not found: it was deleted before", actual=outline(exchange))


def is_closed(exchange: Exchange, statuses: Collection[int]) -> Finding | None:
    """Another account is refused what is not its own."""
    if exchange.response is not None and exchange.response.status in {*statuses, FORBIDDEN, GONE}:
        return None
    return Finding(check="isolated", expected="not found: it belongs to another account", actual=outline(exchange))


def is_hidden(items: Sequence[Any] | None, identifier: str, key: str) -> Finding | None:
    """Another account's list lacks what is not its own; a list that is refused shows nothing."""
    if items is None or key not in keys_of(items, identifier):
        return None
    return Finding(check="isolated", expected=f"no item whose {identifier} is {key}: it belongs to another account",
                   actual="it is listed")  # fmt: skip


def is_untouched(before: Shown, seen: Exchange, after: Shown, is_volatile: Callable[[str], bool]) -> Finding | None:
    """Whatever another account tried, the resource is as it was."""
    wrong = _changes(before, seen, after, is_volatile)
    return Finding(check="isolated", expected="the resource as its owner left it", actual=wrong) if wrong else None


def keys_of(items: Sequence[Any], identifier: str) -> tuple[str, ...]:
    """Return the ids of listed items, in order."""
    return tuple(str(i[identifier]) for i in items if isinstance(i, dict) and i.get(identifier) is not None)


def _changes(before: Shown, seen: Exchange, after: Shown, is_volatile: Callable[[str], bool]) -> str:
    """Return what differs between two looks, empty when nothing does or nothing was seen at first."""
    if not isinstance(before, dict):
        return ""
    if not isinstance(after, dict):
        return outline(seen)
    names = sorted(name for name in before.keys() | after.keys() if not is_volatile(name))
    return _differences({name: before.get(name) for name in names}, after)


def _present(wanted: Mapping[str, Any], item: Mapping[str, Any]) -> dict[str, Any]:
    """Return the wanted fields that a resource shows: whether it must show them is its schema's matter."""
    return {name: value for name, value in wanted.items() if name in item}


def _differences(wanted: Mapping[str, Any], item: Shown) -> str:
    held = item if isinstance(item, dict) else {}
    wrong = [
        f"{name}: expected {shown(value)}, got {shown(held.get(name))}"
        for name, value in wanted.items()
        if held.get(name) != value or isinstance(held.get(name), bool) != isinstance(value, bool)
    ]
    return "; ".join(wrong[:MOST_NAMED])
