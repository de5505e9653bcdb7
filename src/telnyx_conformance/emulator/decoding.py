"""From wire text to JSON values.

Query strings, forms and multipart bodies carry strings, the schema says what they mean.
"""

from __future__ import annotations

import re
from email.parser import BytesHeaderParser
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from telnyx_conformance.contract.nesting import decoded

if TYPE_CHECKING:
    from collections.abc import Mapping

    from telnyx_conformance.contract.model import Edition


INTEGER = re.compile(r"[+-]?\d{1,18}\Z", re.ASCII)
NUMBER = re.compile(r"[+-]?\d{1,40}(\.\d{1,40})?([eE][+-]?\d{1,3})?\Z", re.ASCII)
BOOLEANS = {"true": True, "false": False}
MOST_PAIRS = 2000
LEAST_CHUNKS = 2  # what stands before the first boundary, and at least one part
NESTED = re.compile(r"\[([^\]]*)\]")
Pairs = dict[str, list[str]]


def types_of(edition: Edition, schema: Mapping[str, Any]) -> frozenset[str]:
    """Return the JSON types that a schema admits; empty when it does not say."""
    node = edition.resolve(schema)
    named = node.get("type")
    if isinstance(named, str):
        return frozenset({named})
    if isinstance(named, list):
        return frozenset(named)
    found: set[str] = set()
    for keyword in ("anyOf", "oneOf", "allOf"):
        for branch in node.get(keyword, ()):
            found |= types_of(edition, branch)
    if not found and "properties" in node:
        found.add("object")
    return frozenset(found)


def scalar(text: str, types: frozenset[str]) -> Any:
    """Return what `text` means as one of `types`, or the text itself when it is none of them."""
    if "boolean" in types and text in BOOLEANS:
        return BOOLEANS[text]
    if "integer" in types and INTEGER.match(text):
        return int(text)
    if "number" in types and NUMBER.match(text):
        return float(text) if not INTEGER.match(text) else int(text)
    if text == "" and "null" in types and "string" not in types:
        return None
    return text


def pairs_of(text: str) -> Pairs:
    """Return the values of each name in a query string or form, in order. Too many pairs are cut off."""
    found: Pairs = {}
    try:
        pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=MOST_PAIRS, errors="replace")
    except ValueError:
        pairs = []
    for name, value in pairs:
        found.setdefault(name, []).append(value)
    return found


def parameter_value(
    pairs: Pairs,
    name: str,
    types: frozenset[str],
    items: frozenset[str],
    *,
    explode: bool,
    members: Mapping[str, frozenset[str]],
) -> Any:
    """Return the value of a query parameter, or `None` when it is absent.

    `items` are the types of an array's items, `members` those of an object's properties (`filter[x][eq]=…` beside a
    plain `filter`).
    """
    if "object" in types:
        return _deep_object(pairs, name, members)
    values = pairs.get(name)
    if "array" in types:
        values = values if values is not None else pairs.get(name + "[]")
        if values is None:
            return None
        if not explode and len(values) == 1:
            values = values[0].split(",")
        return [scalar(value, items) for value in values]
    return None if values is None else scalar(values[-1], types)


def _deep_object(pairs: Pairs, name: str, members: Mapping[str, frozenset[str]]) -> Any:
    made: dict[str, Any] = {}
    for key, values in pairs.items():
        if key.startswith(name + "["):
            _put(made, NESTED.findall(key[len(name) :]), values[-1], members)
    return made or None


def _put(made: dict[str, Any], keys: list[str], value: str, members: Mapping[str, frozenset[str]]) -> None:
    types = members.get(keys[0], frozenset()) if keys else frozenset()
    node: dict[str, Any] = made
    for key in keys[:-1][:10]:
        inner = node.setdefault(key, {})
        if not isinstance(inner, dict):
            return
        node = inner
    if keys:
        node[keys[-1]] = scalar(value, types)


def form_document(edition: Edition, schema: Mapping[str, Any], pairs: Pairs) -> dict[str, Any]:
    """Return the JSON object that a form stands for, its values read as `schema` says."""
    properties = members_of(edition, schema)
    made: dict[str, Any] = {}
    for name, values in pairs.items():
        key = name if name in properties else name.removesuffix("[]")
        part = properties.get(key)
        if part is None:
            made[key] = values[-1]
            continue
        types = types_of(edition, part)
        if "array" in types:
            item_types = types_of(edition, edition.resolve(part).get("items") or {})
            made[key] = [scalar(value, item_types) for value in values]
        elif "object" in types and "string" not in types:
            made[key] = _json_or_text(values[-1])
        else:
            made[key] = scalar(values[-1], types)
    return made


def members_of(edition: Edition, schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return the properties of an object schema, those of its parts (`allOf`, `anyOf`, `oneOf`) included."""
    node = edition.resolve(schema)
    found: dict[str, Any] = {}
    for keyword in ("allOf", "anyOf", "oneOf"):
        for branch in node.get(keyword, ()):
            found |= members_of(edition, branch)
    found.update(node.get("properties", {}))
    return found


def _json_or_text(text: str) -> Any:
    try:
        return decoded(text.encode())
    except ValueError:
        return text


def multipart_pairs(content_type: str, body: bytes) -> Pairs | None:
    """Return the parts of a multipart body as text (a file part as its name), or `None` when it is not one."""
    boundary = _boundary(content_type)
    if not boundary:
        return None
    marker = b"--" + boundary
    chunks = (b"\r\n" + body).split(b"\r\n" + marker)
    if len(chunks) < LEAST_CHUNKS or not any(chunk.startswith(b"--") for chunk in chunks[1:]):
        return None
    found: Pairs = {}
    for chunk in chunks[1 : MOST_PAIRS + 1]:
        if chunk.startswith(b"--"):
            break
        head, separator, content = chunk.partition(b"\r\n\r\n")
        if not separator:
            return None
        headers = BytesHeaderParser().parsebytes(head.lstrip(b"\r\n"))
        name = headers.get_param("name", header="content-disposition")
        filename = headers.get_filename()
        if isinstance(name, str):
            found.setdefault(name, []).append(filename or content.decode("utf-8", "replace"))
    return found


def _boundary(content_type: str) -> bytes:
    match = re.search(r'boundary="?([^";]{1,200})"?', content_type)
    return match.group(1).strip().encode("latin-1", "replace") if match else b""
