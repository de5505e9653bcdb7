"""The router: path templates compiled to a trie of segments; one of 739 operations costs about a microsecond.

Where templates overlap (`/messages/short_code` beside `/messages/{id}`) the more literal one wins, segment by segment,
and a segment with a literal ending such as `{recording_sid}.json` beats a bare parameter. Storage (S3) operations live
under a prefix of their own, where the last parameter takes the rest of the path: object names contain slashes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import unquote

import msgspec

from telnyx_conformance.contract.model import Operation

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

PREFIXES: Mapping[str, str] = {"api": "/v2", "storage": "/s3"}
LONGEST_PATH = 8192


class Route(msgspec.Struct, frozen=True, kw_only=True):
    """One operation with the names of its path parameters, from left to right."""

    operation: Operation
    names: tuple[str, ...]


class Match(msgspec.Struct, frozen=True):
    """A routed request: `path` holds decoded values. `route` is `None` when the path exists but not for this method."""

    route: Route | None
    path: dict[str, str]
    allow: tuple[str, ...]


class _Node:
    __slots__ = ("child", "endings", "greedy", "leaf", "literals")

    def __init__(self) -> None:
        self.literals: dict[str, _Node] = {}
        self.endings: dict[str, _Node] = {}
        self.child: _Node | None = None
        self.leaf: dict[str, Route] = {}
        self.greedy = False


class Router:
    """Finds the operation that a method and a raw (percent-encoded) path address."""

    def __init__(self, operations: Iterable[Operation], prefixes: Mapping[str, str] = PREFIXES) -> None:
        self._root = _Node()
        self._plain: dict[str, dict[str, Route]] = {}
        for operation in operations:
            self._add(prefixes[operation.server] + operation.path.rstrip("/"), operation)

    def _add(self, template: str, operation: Operation) -> None:
        node, names = self._root, []
        segments = template.split("/")[1:]
        for segment in segments:
            if not segment.startswith("{"):
                node = node.literals.setdefault(segment, _Node())
                continue
            name, _, ending = segment[1:].partition("}")
            names.append(name)
            if ending:
                node = node.endings.setdefault(ending, _Node())
            else:
                node.child = node.child or _Node()
                node = node.child
        if operation.server == "storage" and len(names) > 1:
            node.greedy = True
        node.leaf[operation.method] = Route(operation=operation, names=tuple(names))
        if not names:
            self._plain[template] = node.leaf
            if operation.path == "/":
                self._plain[template + "/"] = node.leaf

    def match(self, method: str, path: str) -> Match | None:
        """Return what `path` addresses, or `None` when no template fits."""
        leaf = self._plain.get(path)
        values: list[str] = []
        if leaf is None:
            if len(path) > LONGEST_PATH:
                return None
            found = _walk(self._root, path.split("/"), 1, values)
            if found is None:
                return None
            leaf = found
        route = leaf.get(method)
        if route is None and method == "HEAD":
            route = leaf.get("GET")
        if route is None:
            return Match(None, {}, _allowed(leaf))
        if "%" in path:
            values = [unquote(value) for value in values]
        return Match(route, dict(zip(route.names, values, strict=True)), ())


def _allowed(leaf: Mapping[str, Route]) -> tuple[str, ...]:
    methods = set(leaf) | ({"HEAD"} if "GET" in leaf else set())
    return tuple(sorted(methods))


def _walk(  # noqa: C901, PLR0911 - one way out for each kind of segment; measured
    node: _Node, segments: list[str], at: int, values: list[str]
) -> dict[str, Route] | None:
    """Descend from `node`; `values` collects the raw parameters and is left as it was when nothing is found."""
    if at == len(segments):
        return node.leaf or None
    segment = segments[at]
    literal = node.literals.get(segment)
    if literal is not None:
        found = _walk(literal, segments, at + 1, values)
        if found is not None:
            return found
    if not segment:
        return None
    for ending, child in node.endings.items():
        if len(segment) > len(ending) and segment.endswith(ending):
            values.append(segment[: -len(ending)])
            found = _walk(child, segments, at + 1, values)
            if found is not None:
                return found
            values.pop()
    child_or_none = node.child
    if child_or_none is None:
        return None
    if child_or_none.greedy:
        values.append("/".join(segments[at:]))
        return child_or_none.leaf
    values.append(segment)
    found = _walk(child_or_none, segments, at + 1, values)
    if found is None:
        values.pop()
    return found
