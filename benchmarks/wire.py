"""Requests as they went over the wire, read back into values as the contract says."""

from __future__ import annotations

import urllib.parse
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from telnyx_conformance.contract.fields import is_json
from telnyx_conformance.emulator import decoding

if TYPE_CHECKING:
    from telnyx_conformance.contract.model import Edition, Operation, Parameter

Root = tuple[str, str]  # location, and the parameter's name (empty for the body)
ABSENT: Any = object()
UNREADABLE: Any = object()
FORM = "application/x-www-form-urlencoded"


class Sent(msgspec.Struct, frozen=True, kw_only=True):
    """A request as it went over the wire, and the status that came back."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes
    status: int = 0


def read(edition: Edition, operation: Operation, sent: Sent) -> dict[Root, Any] | None:
    """Return the values of the body and of each parameter; `None` when the request is none of this operation's."""
    named = _matched(operation.path, sent.path)
    if sent.method != operation.method or named is None:
        return None
    pairs = decoding.pairs_of(sent.query) if sent.query else {}
    roots: dict[Root, Any] = {}
    for parameter in operation.parameters:
        value = _parameter(edition, parameter, named, pairs, sent.headers)
        if value is not None:
            roots[parameter.location, parameter.name] = value
    if operation.body is not None and sent.body:
        body = _body(edition, operation.body.media_type, operation.body.content, sent)
        if body is UNREADABLE:
            return None
        roots["body", ""] = body
    return roots


def _parameter(
    edition: Edition, parameter: Parameter, path: Mapping[str, str], pairs: decoding.Pairs, headers: Mapping[str, str]
) -> Any:
    schema = edition.resolve(parameter.schema)
    types = decoding.types_of(edition, schema)
    if parameter.location == "query":
        members = {n: decoding.types_of(edition, s) for n, s in decoding.members_of(edition, schema).items()}
        items = decoding.types_of(edition, schema.get("items") or {})
        return decoding.parameter_value(pairs, parameter.name, types, items, explode=parameter.explode, members=members)
    text = path.get(parameter.name) if parameter.location == "path" else headers.get(parameter.name.lower())
    return None if text is None else decoding.scalar(text, types)


def _body(edition: Edition, asked: str, content: Mapping[str, Any], sent: Sent) -> Any:
    declared = sent.headers.get("content-type", "")
    media_type = declared.partition(";")[0].strip().lower()
    if asked not in (media_type, "*/*"):
        return UNREADABLE
    if is_json(asked):
        try:
            return msgspec.json.decode(sent.body)
        except (ValueError, RecursionError):
            return UNREADABLE
    text = sent.body.decode("utf-8", "replace")
    parts = decoding.pairs_of(text) if media_type == FORM else decoding.multipart_pairs(declared, sent.body)
    return UNREADABLE if parts is None else decoding.form_document(edition, content[asked], parts)


def _matched(template: str, path: str) -> dict[str, str] | None:
    asked, given = template.strip("/").split("/"), path.strip("/").split("/")
    if len(asked) != len(given):
        return None
    named: dict[str, str] = {}
    for one, other in zip(asked, given, strict=True):
        if one.startswith("{") and one.endswith("}"):
            named[one[1:-1]] = urllib.parse.unquote(other)
        elif "{" not in one and one != urllib.parse.unquote(other):
            return None
    return named
