"""OpenAPI Overlays: lists of changes, each with a reason and a source, applied to the document at load.

Source: OpenAPI Overlay Specification 1.0.0, sections 4.4.3 (actions) and 4.4.3.1 (merging). Beyond it each action
carries `x-reason` (why), `x-source` (where it is documented) and `x-level` (MUST, SHOULD, MAY; MUST when absent), and
the loader notes beside every keyword that an action sets who set it, so that a requirement can name its source.
"""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping, Sequence
from copy import deepcopy
from typing import Any

import msgspec

from telnyx_conformance.errors import ContractError

SUBSCHEMAS = ("items", "schema", "then", "else", "additionalProperties")
COMBINATIONS = ("allOf", "anyOf", "oneOf")


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
    """Apply the actions in order, in place. Raises `ContractError` for a target that matches nothing."""
    for action in actions:
        matches = _find(document, action)
        if action.remove:
            for place, keys in reversed(
                matches
            ):  # from the end, so that the earlier places in a list stay where they are
                _remove(place, keys)
        else:
            for place, keys in matches:
                _update(_at(place, keys), action, inside_properties=keys[-1:] == ("properties",))


def _update(node: Any, action: Action, *, inside_properties: bool) -> None:
    update = deepcopy(action.update)  # each match gets its own copy: a later action may change one of them
    if isinstance(node, list):
        node.append(update)
    elif isinstance(node, MutableMapping) and isinstance(update, Mapping):
        merge(node, update)
        _mark(node, update, action, inside_properties=inside_properties)
    else:
        raise ContractError(
            "an overlay updates what is neither object nor list", where=f"{action.file}: {action.target}"
        )


def _mark(
    node: MutableMapping[str, Any], update: Mapping[str, Any], action: Action, *, inside_properties: bool = False
) -> None:
    """Note beside every keyword that the action sets where it comes from and how binding it is.

    Rules in words (`x-rules`) and the branches of a combination carry the note themselves: several actions may add to
    one list.
    """
    if inside_properties:
        for name, child in update.items():
            _mark(node[name], child, action)
        return
    note = {"source": action.source, "level": action.level}
    own: dict[str, Any] = {}
    for key, value in update.items():
        if key == "properties":
            _mark(node[key], value, action, inside_properties=True)
        elif key in SUBSCHEMAS and isinstance(value, Mapping) and isinstance(node[key], MutableMapping):
            _mark(node[key], value, action)
        elif key == "x-rules":
            for rule in (added for added in node[key] if added in value):
                rule.update({name: said for name, said in note.items() if name not in rule})
        else:
            own[key] = note
            for branch in (added for added in node[key] if added in value) if key in COMBINATIONS else ():
                _mark(branch, dict(branch), action)
    if own:
        node["x-hardened"] = {**node.get("x-hardened", {}), **own}


def merge(node: MutableMapping[str, Any], update: Mapping[str, Any]) -> None:
    """Merge `update` into `node` as section 4.4.3.1 says: objects recursively, lists concatenated, the rest replaced.

    `enum`, `type` and `examples` are sets of words that belong together, so these lists are replaced.
    """
    for key, value in update.items():
        present = node.get(key)
        if isinstance(present, MutableMapping) and isinstance(value, Mapping):
            merge(present, value)
        elif isinstance(present, list) and isinstance(value, list) and key not in ("enum", "type", "examples"):
            node[key] = [*present, *(v for v in value if v not in present)]
        else:
            node[key] = value


def _find(document: dict[str, Any], action: Action) -> list[tuple[Any, tuple[Any, ...]]]:
    """Return (document, key path) of every match.

    Plain child paths are walked directly: a query over megabytes is slow.
    """
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
        import jsonpath  # noqa: PLC0415 - only where overlays are applied, not where a compiled contract is read

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
    import jsonpath  # noqa: PLC0415 - as above

    query = jsonpath.compile(target)
    keys: list[str | int] = []
    for segment in getattr(query, "segments", ()):
        selectors: Sequence[Any] = getattr(segment, "selectors", ())
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
    if isinstance(parent, MutableMapping) and isinstance(marks := parent.get("x-hardened"), MutableMapping):
        marks.pop(keys[-1], None)
        if not marks:
            del parent["x-hardened"]
