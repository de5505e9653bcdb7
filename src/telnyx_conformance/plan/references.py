"""Which values of a request name something that exists elsewhere, so that a run may put a real one in their place."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from telnyx_conformance.contract.fields import pointer_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

REFERENCE = re.compile(
    r"_(?:id|ids|sid)\Z|[a-z](?:Id|Sid)\Z|\A(?:id|ids|link_to|media_name|queue_name|queue|bucket_name|bucket)\Z"
)
OWN_WORDS = frozenset({"command_id", "client_id", "tenant_id", "external_id", "custom_id"})


def references_in(roots: Mapping[tuple[str, str], Any], culprit: str = "") -> dict[str, str]:
    """Return JSON pointer (or `query.name`) to field name for each text that names a resource but the culprit."""
    found: dict[str, str] = {}
    for (location, name), value in roots.items():
        if location == "body":
            found |= {pointer: field for pointer, field in _within(value, (), "") if pointer != culprit}
        elif location == "query" and is_reference(name) and isinstance(value, str):
            found[f"query.{name}"] = name
    return found


def is_reference(name: str) -> bool:
    """Tell whether a field of this name holds the id of something."""
    return bool(REFERENCE.search(name)) and name not in OWN_WORDS


def _within(value: Any, path: tuple[str | int, ...], name: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for key, part in value.items():
            yield from _within(part, (*path, key), key)
    elif isinstance(value, list):
        for number, part in enumerate(value):
            yield from _within(part, (*path, number), name)
    elif isinstance(value, str) and is_reference(name):
        yield pointer_of(path), name
