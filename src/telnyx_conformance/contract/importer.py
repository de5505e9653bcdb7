"""From a published OpenAPI 3.0 document to an edition: facts only, one readable file per group, the same bytes each time.

A component that one group alone uses stands in that group's file; what several use stands in `shared.yaml`.
Descriptions, summaries beyond an operation's name, titles and long examples stay behind.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import yaml

from telnyx_conformance.contract.dialect import is_short_value, to_2020_12
from telnyx_conformance.errors import ContractError

if TYPE_CHECKING:
    from pathlib import Path

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
KINDS = ("parameters", "requestBodies", "responses", "schemas")
LONGEST_NAME = 9  # words
STORAGE_SERVER = {
    "url": "https://{region}.telnyxcloudstorage.com",
    "variables": {"region": {"default": "us-central-1"}},
}
STORAGE_PATHS = ("/", "/{bucketName}", "/{bucketName}/{objectName}")


def import_document(upstream: Mapping[str, Any], edition: str) -> dict[str, str]:
    """Return the files of an edition, relative path to YAML text, for an OpenAPI 3.0 document."""
    if not str(upstream.get("openapi", "")).startswith("3.0"):
        raise ContractError("not an OpenAPI 3.0 document", expected="openapi: 3.0.x", got=repr(upstream.get("openapi")))
    by_group: dict[str, dict[str, Any]] = defaultdict(dict)
    bare: dict[str, Any] = {}  # a path that the document declares without any operation
    for path, item in upstream["paths"].items():
        if not any(m in item for m in METHODS):
            bare[path] = {"parameters": [_parameter(p) for p in item.get("parameters", [])]}
        for method in (m for m in METHODS if m in item):
            operation = _operation(path, method, item)
            by_group[operation["tags"][0]].setdefault(path, {})[method] = operation
    components = {kind: _components(kind, upstream.get("components", {}).get(kind, {})) for kind in KINDS}
    owners = _owners(by_group, components)
    files: dict[str, str] = {}
    for group in sorted(by_group):
        owned = _pick(components, owners, {group})
        files[f"groups/{slug(group)}.yaml"] = dump({"group": group, "paths": by_group[group], **_some(owned)})
    shared = _pick(components, owners, None)
    files["shared.yaml"] = dump({**({"paths": bare} if bare else {}), **(_some(shared) or {"components": {}})})
    files["edition.yaml"] = dump(_header(upstream, edition, sorted(by_group)))
    return files


def write_edition(files: Mapping[str, str], folder: Path) -> int:
    """Write an edition's files below `folder`, remove those it no longer has, and return how many changed."""
    changed = 0
    for name, text in files.items():
        place = folder / name
        if place.exists() and place.read_text(encoding="utf-8") == text:
            continue
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text, encoding="utf-8")
        changed += 1
    for stale in {p for p in (folder / "groups").glob("*.yaml") if f"groups/{p.name}" not in files}:
        stale.unlink()
        changed += 1
    return changed


def slug(name: str) -> str:
    """Return a file name for a group: lower case words joined by underscores."""
    return re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")


def _header(upstream: Mapping[str, Any], edition: str, groups: list[str]) -> dict[str, Any]:
    canonical = json.dumps(upstream, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    info = upstream.get("info", {})
    return {
        "edition": edition,
        "openapi": "3.1.0",
        "info": {
            "title": info.get("title", ""),
            "version": edition,
            "license": info.get("license", {"name": "unknown"}),
        },
        "servers": [{"url": server["url"]} for server in upstream.get("servers", [])],
        "security": upstream.get("security", []),
        "securitySchemes": upstream.get("components", {}).get("securitySchemes", {}),
        "source": {"sha256": hashlib.sha256(canonical).hexdigest(), "version": str(info.get("version", ""))},
        "groups": groups,
    }


def _operation(path: str, method: str, item: Mapping[str, Any]) -> dict[str, Any]:
    upstream = item[method]
    operation_id = upstream.get("operationId") or _invented_id(path, method)
    facts: dict[str, Any] = {
        "operationId": operation_id,
        "summary": _name(upstream.get("summary", ""), operation_id),
        "tags": upstream["tags"][:1],
    }
    if upstream.get("deprecated"):
        facts["deprecated"] = True
    if path in STORAGE_PATHS:
        facts["servers"] = [STORAGE_SERVER]
    if upstream.get("security") == []:
        facts["security"] = []
    parameters = [*item.get("parameters", []), *upstream.get("parameters", [])]
    if parameters:
        facts["parameters"] = [_parameter(p) for p in parameters]
    if "requestBody" in upstream:
        facts["requestBody"] = _request_body(upstream["requestBody"])
    facts["responses"] = {str(status): _response(r) for status, r in upstream["responses"].items()}
    if "callbacks" in upstream:
        facts["callbacks"] = {name: _callback(c) for name, c in upstream["callbacks"].items()}
    return facts


def _name(summary: str, operation_id: str) -> str:
    """Return an operation's name; a summary as long as a sentence is prose, and the words of the id stand in for it."""
    if 0 < len(re.findall(r"[A-Za-z0-9']+", summary)) <= LONGEST_NAME:
        return summary
    words = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+", operation_id)
    return " ".join(words).capitalize()


def _invented_id(path: str, method: str) -> str:
    words = re.findall(r"[A-Za-z0-9]+", path)
    return method + "".join(word[0].upper() + word[1:] for part in words for word in part.split("_") if word)


def _parameter(upstream: Mapping[str, Any]) -> dict[str, Any]:
    if "$ref" in upstream:
        return {"$ref": upstream["$ref"]}
    schema = to_2020_12(upstream.get("schema", {}))
    if "example" in upstream and "examples" not in schema and is_short_value(upstream["example"], schema):
        schema["examples"] = [upstream["example"]]
    facts: dict[str, Any] = {"name": upstream["name"], "in": upstream["in"]}
    if upstream.get("required") or upstream["in"] == "path":
        facts["required"] = True
    for key in ("style", "explode", "deprecated"):
        if key in upstream:
            facts[key] = upstream[key]
    return {**facts, "schema": schema}


def _request_body(upstream: Mapping[str, Any]) -> dict[str, Any]:
    if "$ref" in upstream:
        return {"$ref": upstream["$ref"]}
    facts: dict[str, Any] = {"required": True} if upstream.get("required") else {}
    return {**facts, "content": _content(upstream.get("content", {}))}


def _response(upstream: Mapping[str, Any]) -> dict[str, Any]:
    if "$ref" in upstream:
        return {"$ref": upstream["$ref"]}
    content = _content(upstream.get("content", {}))
    return {"content": content} if content else {}


def _content(upstream: Mapping[str, Any]) -> dict[str, Any]:
    return {media: {"schema": to_2020_12(node.get("schema", {}))} for media, node in upstream.items()}


def _callback(upstream: Mapping[str, Any]) -> dict[str, Any]:
    facts: dict[str, Any] = {}
    for expression, item in upstream.items():
        for method in (m for m in METHODS if m in item):
            posted = item[method]
            facts.setdefault(expression, {})[method] = {
                "requestBody": _request_body(posted.get("requestBody", {"content": {}})),
                "responses": {str(s): _response(r or {}) for s, r in posted.get("responses", {}).items()},
            }
    return facts


def _components(kind: str, upstream: Mapping[str, Any]) -> dict[str, Any]:
    read = {"parameters": _parameter, "requestBodies": _request_body, "responses": _response, "schemas": to_2020_12}[
        kind
    ]
    return {name: read(node) for name, node in upstream.items()}


def references(node: Any) -> Iterator[str]:
    """Yield every `$ref` below `node`, and the targets of discriminator mappings."""
    if isinstance(node, Mapping):
        for key, value in node.items():
            if key == "$ref" and isinstance(value, str):
                yield value
            elif key == "mapping" and isinstance(value, Mapping):
                yield from (v for v in value.values() if isinstance(v, str) and v.startswith("#/"))
            else:
                yield from references(value)
    elif isinstance(node, list):
        for value in node:
            yield from references(value)


def _owners(
    by_group: Mapping[str, Any], components: Mapping[str, Mapping[str, Any]]
) -> dict[tuple[str, str], set[str]]:
    owners: dict[tuple[str, str], set[str]] = defaultdict(set)
    for group, paths in by_group.items():
        waiting = list(references(paths))
        while waiting:
            kind, name = waiting.pop().removeprefix("#/components/").split("/")
            if group in owners[kind, name]:
                continue
            if name not in components.get(kind, {}):
                raise ContractError("dangling reference", got=f"#/components/{kind}/{name}", where=group)
            owners[kind, name].add(group)
            waiting.extend(references(components[kind][name]))
    return owners


def _pick(
    components: Mapping[str, Mapping[str, Any]], owners: Mapping[tuple[str, str], set[str]], alone: set[str] | None
) -> dict[str, dict[str, Any]]:
    """Return the components that belong to one group alone, or (`None`) those that several groups or none use."""
    return {
        kind: {
            name: node
            for name, node in nodes.items()
            if (owners.get((kind, name), set()) == alone if alone else len(owners.get((kind, name), set())) != 1)
        }
        for kind, nodes in components.items()
    }


def _some(components: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    kept = {kind: nodes for kind, nodes in components.items() if nodes}
    return {"components": kept} if kept else {}


class _Dumper(yaml.CSafeDumper):
    """Readable YAML: short lists of plain values on one line, no anchors."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 - the signature is PyYAML's
        return True


def _represent_list(dumper: Any, data: list[Any]) -> yaml.Node:
    plain = all(isinstance(v, str | int | float | bool | None) for v in data)
    node: yaml.Node = dumper.represent_sequence("tag:yaml.org,2002:seq", data, flow_style=plain)
    return node


_Dumper.add_representer(list, _represent_list)


def dump(document: Mapping[str, Any]) -> str:
    """Return `document` as the YAML that contract files are written in."""
    text: str = yaml.dump(document, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=120)
    return text
