"""OpenAPI Overlays: lists of changes, each with a reason and a source, applied to the document at load.

Source: OpenAPI Overlay Specification 1.0.0, sections 4.4.3 (actions) and 4.4.3.1 (merging). Beyond it each action carries
`x-reason` (why), `x-source` (where it is documented) and `x-level` (MUST, SHOULD, MAY; MUST when absent), and the loader keeps for
every schema location that an action touched who touched it, so that a requirement can name its source.
"""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping, Sequence
from typing import Any

import jsonpath
import msgspec

from telnyx_conformance.errors import ContractError


class Action(msgspec.Struct, frozen=True, kw_only=True):
    """One change: where (`target`, a JSONPath), what (`update` or `remove`), why, documented where, and how binding."""

    target: str
    reason: str
    source: str
    level: str
    file: str
    update: Any = None
    remove: bool = False


def read_overlay(document: Mapping[str, Any], file: str) -> tuple[Action, ...]:
    """Return the actions of an Overlay 1.0.0 document that was read from `file`."""
    return tuple(
        Action(
            target=row["target"],
            reason=row["x-reason"],
            source=row["x-source"],
            level=row.get("x-level", "MUST"),
            file=file,
            update=row.get("update"),
            remove=row.get("remove", False),
        )
        for row in document["actions"]
    )


def apply(document: dict[str, Any], actions: Sequence[Action]) -> None:
    """Apply the actions in order, in place. Raises `ContractError` when a target matches nothing: a stale overlay is a defect."""
    for action in actions:
        matches = _find(document, action)
        for place, keys in matches:
            if action.remove:
                _remove(place, keys)
            else:
                node = _at(place, keys)
                if isinstance(node, list):
                    node.append(action.update)
                elif isinstance(node, MutableMapping) and isinstance(action.update, Mapping):
                    merge(node, action.update)
                    _mark(node, action.update, action, inside_properties=keys[-1] == "properties")
                else:
                    raise ContractError(
                        "an overlay updates what is neither object nor list", where=f"{action.file}: {action.target}"
                    )


def _mark(
    node: MutableMapping[str, Any], update: Mapping[str, Any], action: Action, *, inside_properties: bool = False
) -> None:
    """Note beside every keyword that the action sets where it comes from and how binding it is."""
    if inside_properties:
        for name, child in update.items():
            _mark(node[name], child, action)
        return
    own: dict[str, Any] = {}
    for key, value in update.items():
        if key == "properties":
            _mark(node[key], value, action, inside_properties=True)
        elif key == "items" and isinstance(value, Mapping) and isinstance(node[key], MutableMapping):
            _mark(node[key], value, action)
        else:
            own[key] = {"source": action.source, "level": action.level}
    if own:
        node["x-hardened"] = {**node.get("x-hardened", {}), **own}


def merge(node: MutableMapping[str, Any], update: Mapping[str, Any]) -> None:
    """Merge `update` into `node` as section 4.4.3.1 says: objects recursively, lists concatenated, the rest replaced."""
    for key, value in update.items():
        present = node.get(key)
        if isinstance(present, MutableMapping) and isinstance(value, Mapping):
            merge(present, value)
        elif isinstance(present, list) and isinstance(value, list) and key not in ("enum", "type", "examples"):
            node[key] = [*present, *(v for v in value if v not in present)]
        else:
            node[key] = value


def _find(document: dict[str, Any], action: Action) -> list[tuple[Any, tuple[Any, ...]]]:
    """Return (document, key path) of every match. Plain child paths are walked directly: a query over megabytes is slow."""
    plain = _plain_path(action.target)
    if plain is not None:
        node: Any = document
        for key in plain:
            try:
                node = node[key]
            except (KeyError, TypeError, IndexError):
                break
        else:
            return [(document, plain)]
    else:
        found = [(document, tuple(match.parts)) for match in jsonpath.finditer(action.target, document)]
        if found:
            return found
    raise ContractError(
        "an overlay action matches nothing",
        where=f"{action.file}: {action.target}",
        advice="the edition has changed or the path is misspelt",
    )


def _plain_path(target: str) -> tuple[str | int, ...] | None:
    """Return the keys of a JSONPath that only names children (`$.a['b'][0]`), `None` for any other."""
    query = jsonpath.compile(target)
    keys: list[str | int] = []
    for segment in getattr(query, "segments", ()):
        selectors = getattr(segment, "selectors", ())
        if len(selectors) != 1 or type(segment).__name__ != "JSONPathChildSegment":
            return None
        name, index = getattr(selectors[0], "name", None), getattr(selectors[0], "index", None)
        if isinstance(name, str):
            keys.append(name)
        elif isinstance(index, int):
            keys.append(index)
        else:
            return None
    return tuple(keys)


def _at(node: Any, keys: Sequence[Any]) -> Any:
    for key in keys:
        node = node[key]
    return node


def _remove(document: Any, keys: Sequence[Any]) -> None:
    parent = _at(document, keys[:-1])
    del parent[keys[-1]]
