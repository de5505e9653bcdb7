"""From a probe to the request on the wire.

Parameters in their styles, bodies in their media types, fresh ids filled in.

Source: OpenAPI 3.1 "Parameter Object" (styles), HTML "URL-encoded form data", RFC 7578 (multipart/form-data).
"""

from __future__ import annotations

import copy
import hashlib
import re
import uuid
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

import msgspec

from telnyx_conformance.contract.exchange import Request
from telnyx_conformance.errors import HarnessError
from telnyx_conformance.plan.values import FRESH, NOWHERE, UUID, WEBHOOK, filled

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from telnyx_conformance.contract.model import Operation
    from telnyx_conformance.plan.probe import Probe

FORM, MULTIPART = "application/x-www-form-urlencoded", "multipart/form-data"
TEMPLATE = re.compile(r"\{([^{}]+)\}")


def build_request(
    operation: Operation,
    probe: Probe,
    path_values: Mapping[str, Any],
    authorization: str,
    *,
    fresh: str = "",
    webhook: str = NOWHERE,
    references: Mapping[str, Any] | None = None,
) -> Request:
    """Return the request that a probe stands for.

    `path_values` are the ids of what the request is about; those in the probe win. `authorization` is the whole header
    value. `fresh` is a text that no other request carries; ids are derived from it (from the probe's id when it is
    empty). `webhook` is where events go. `references` maps field names (`connection_id`), or `field name@pointer`, to
    values that replace the probe's own. Raises `HarnessError` when a path parameter has no value.
    """
    tokens = tokens_from(fresh or probe.id, webhook)
    body, query = copy.deepcopy(probe.body), dict(probe.query)
    for pointer, name in probe.references.items():
        value = (references or {}).get(f"{name}@{pointer}", (references or {}).get(name))
        if value is None:
            continue
        if pointer.startswith("query."):
            query[pointer.removeprefix("query.")] = value
        else:
            _put(body, pointer, value)
    content, content_type = _content(probe, filled(body, tokens), tokens[FRESH])
    headers = {"authorization": authorization}
    if content_type:
        headers["content-type"] = content_type
    key = authorization.partition(" ")[2]
    headers |= {name.lower(): value.replace("{key}", key) for name, value in probe.headers.items()}
    return Request(
        method=probe.method or operation.method,
        path=_path(operation, {**path_values, **filled(probe.path, tokens)}),
        query=tuple(pair for name, value in query.items() for pair in _pairs(operation, name, filled(value, tokens))),
        headers=tuple((name, value) for name, value in headers.items() if value),
        body=content,
    )


def tokens_from(fresh: str, webhook: str) -> dict[str, str]:
    """Return what the tokens of a request stand for: the same text gives the same ids."""
    digest = hashlib.sha256(fresh.encode()).hexdigest()
    return {FRESH: digest[:12], UUID: str(uuid.UUID(digest[:32], version=4)), WEBHOOK: webhook}


def _put(body: Any, pointer: str, value: Any) -> None:
    *parents, last = [part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:]]
    node = body
    for part in parents:
        node = node[int(part)] if isinstance(node, list) else node[part]
    if isinstance(node, list):
        node[int(last)] = value
    else:
        node[last] = value


def _path(operation: Operation, values: Mapping[str, Any]) -> str:
    def value_of(match: re.Match[str]) -> str:
        if match[1] not in values:
            raise HarnessError(
                "a path parameter has no value", expected=match[1], where=f"{operation.id} {operation.path}"
            )
        return quote(text_of(values[match[1]]), safe="")

    return TEMPLATE.sub(value_of, operation.path)


def text_of(value: Any) -> str:
    """Return a scalar as parameters and forms carry it."""
    if value is None:
        return ""
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _pairs(operation: Operation, name: str, value: Any) -> Iterator[tuple[str, str]]:
    parameter = next((p for p in operation.parameters_in("query") if p.name == name), None)
    explode = parameter.explode if parameter else True
    if isinstance(value, dict):  # nested filters are written in brackets throughout the API, so objects are too
        for key, part in value.items():
            yield from _pairs(operation, f"{name}[{key}]", part)
    elif isinstance(value, list):
        if explode:
            yield from ((name, text_of(part)) for part in value)
        else:
            yield name, ",".join(text_of(part) for part in value)
    else:
        yield name, text_of(value)


def _content(probe: Probe, body: Any, fresh: str) -> tuple[bytes, str]:
    if probe.raw is not None:
        media_type = "application/octet-stream" if probe.media_type == "*/*" else probe.media_type
        return probe.raw, media_type
    if body is None or not probe.media_type:
        return b"", ""
    if probe.media_type == FORM and isinstance(body, dict):
        return urlencode(list(_fields(body))).encode(), FORM
    if probe.media_type == MULTIPART and isinstance(body, dict):
        boundary = f"boundary-{fresh}"
        return _multipart(body, probe.files, boundary), f"{MULTIPART}; boundary={boundary}"
    media_type = "application/json" if probe.media_type == "*/*" else probe.media_type
    return msgspec.json.encode(body), media_type


def _fields(body: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, value in body.items():
        for part in value if isinstance(value, list) else [value]:
            yield name, text_of(part)


def _multipart(body: Mapping[str, Any], files: tuple[str, ...], boundary: str) -> bytes:
    parts: list[bytes] = []
    for name, text in _fields(body):
        head = f'Content-Disposition: form-data; name="{name}"'
        if name in files:
            head += f'; filename="{name}.bin"\r\nContent-Type: application/octet-stream'
        parts.append(f"--{boundary}\r\n{head}\r\n\r\n{text}\r\n".encode())
    return b"".join((*parts, f"--{boundary}--\r\n".encode()))
