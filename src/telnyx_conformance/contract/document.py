"""Loading an edition: files merged, overlays applied, operations built; compiled once and cached by content hash."""

from __future__ import annotations

import hashlib
import os
import tempfile
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from telnyx_conformance.contract import overlay
from telnyx_conformance.contract.files import contracts_folder, read_contract_file
from telnyx_conformance.contract.model import (
    Body,
    Callback,
    Edition,
    Operation,
    Parameter,
    ResponseSpec,
    SafetyClass,
    pointed,
)
from telnyx_conformance.errors import UnknownName

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["DEFAULT_EDITION", "build_edition", "contracts_folder", "editions", "load_edition", "read_contract_file"]

DEFAULT_EDITION = "2025-06-16"
METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
STYLES = {"query": "form", "path": "simple", "header": "simple"}
COMPILED_FORM = 3  # raise when what is cached changes shape


def editions() -> tuple[str, ...]:
    """Return the names of the editions that this installation carries, oldest first."""
    return tuple(sorted(p.parent.name for p in contracts_folder().glob("*/edition.yaml")))


@lru_cache(maxsize=4)
def load_edition(name: str = DEFAULT_EDITION, *, hardened: bool = True) -> Edition:
    """Return an edition, with the overlays of `contracts/hardening/` applied unless `hardened` is false.

    Raises `UnknownName` for an edition that does not exist and `ContractError` for a file that breaks its schema.
    """
    folder = contracts_folder()
    if not (folder / name / "edition.yaml").is_file():
        raise UnknownName("edition", name, editions(), where=str(folder))
    files = _files_of(folder, name, hardened=hardened)
    digest = hashlib.sha256(f"{COMPILED_FORM}{hardened}".encode())
    for file in files:
        digest.update(file.name.encode() + b"\0" + file.read_bytes())
    kept = cache_folder() / f"edition-{name}-{digest.hexdigest()[:24]}.msgpack"
    document = _read_cached(kept)
    if document is None:
        document = _compile(folder, name, files)
        _write_cached(kept, msgspec.msgpack.encode(document))
    return build_edition(name, document, _safety(folder))


def _files_of(folder: Path, name: str, *, hardened: bool) -> list[Path]:
    found = sorted((folder / name).rglob("*.yaml"))
    if hardened:
        found += sorted((folder / "hardening").rglob("*.yaml"))
    return found


def _compile(folder: Path, name: str, files: Iterable[Path]) -> dict[str, Any]:
    base = folder / name
    header = read_contract_file(base / "edition.yaml", "edition")
    document: dict[str, Any] = {
        "openapi": header["openapi"],
        "info": header["info"],
        "servers": header["servers"],
        "security": header["security"],
        "paths": {},
        "components": {"securitySchemes": header["securitySchemes"]},
    }
    hardening = [f for f in files if f.parent == folder / "hardening"]
    for file in (f for f in files if f not in hardening and f.name != "edition.yaml"):
        part = read_contract_file(file, "shared" if file.name == "shared.yaml" else "group")
        for path, item in part.get("paths", {}).items():
            document["paths"].setdefault(path, {}).update(item)
        for kind, nodes in part.get("components", {}).items():
            document["components"].setdefault(kind, {}).update(nodes)
    for file in hardening:
        overlay.apply(document, overlay.read_overlay(read_contract_file(file, "overlay"), file.name))
    return document


def cache_folder() -> Path:
    """Return where compiled contracts are kept: `$XDG_CACHE_HOME/telnyx-conformance`, else below the home folder."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "telnyx-conformance"


def _read_cached(kept: Path) -> dict[str, Any] | None:
    try:
        document: dict[str, Any] = msgspec.msgpack.decode(kept.read_bytes())
    except (OSError, msgspec.DecodeError):
        return None  # not there, not readable, or half written by an older release: compile again
    return document


def _write_cached(kept: Path, encoded: bytes) -> None:
    """Keep a compiled form; a cache that cannot be written costs time, never a run."""
    try:
        kept.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=kept.parent, delete=False) as draft:
            draft.write(encoded)
        Path(draft.name).replace(kept)
    except OSError:
        return


def _safety(folder: Path) -> dict[str, SafetyClass]:
    classes = read_contract_file(folder / "safety.yaml", "safety")["classes"]
    return {operation: safety for safety, operations in classes.items() for operation in operations}


def build_edition(name: str, document: dict[str, Any], safety: Mapping[str, SafetyClass]) -> Edition:
    """Read the operations out of a merged OpenAPI 3.1 document.

    An operation without a safety class is billable: the careful reading.
    """
    operations = tuple(
        _operation(document, path, method, item[method], safety)
        for path, item in document["paths"].items()
        for method in METHODS
        if method in item
    )
    return Edition(name=name, document=document, operations=operations, by_id={o.id: o for o in operations})


def _operation(
    document: dict[str, Any], path: str, method: str, node: Mapping[str, Any], safety: Mapping[str, SafetyClass]
) -> Operation:
    def followed(part: Mapping[str, Any]) -> Mapping[str, Any]:
        while "$ref" in part:
            part = pointed(document, part["$ref"])
        return part

    body = followed(node["requestBody"]) if "requestBody" in node else None
    return Operation(
        id=node["operationId"],
        name=node["summary"],
        group=node["tags"][0],
        method=method.upper(),
        path=path,
        server="storage" if "servers" in node else "api",
        secured=bool(node.get("security", document.get("security"))),
        deprecated=bool(node.get("deprecated")),
        parameters=tuple(_parameter(followed(p)) for p in node.get("parameters", [])),
        body=Body(required=bool(body.get("required")), content=_content(body)) if body is not None else None,
        responses=tuple(ResponseSpec(status=s, content=_content(followed(r))) for s, r in node["responses"].items()),
        callbacks=tuple(
            Callback(name=callback, schema=next(iter(_content(followed(posted["requestBody"])).values()), {}))
            for callback, expressions in node.get("callbacks", {}).items()
            for item in expressions.values()
            for posted in item.values()
        ),
        safety=safety.get(node["operationId"], "billable"),
    )


def _parameter(node: Mapping[str, Any]) -> Parameter:
    style = node.get("style", STYLES[node["in"]])
    return Parameter(
        name=node["name"],
        location=node["in"],
        required=bool(node.get("required")),
        schema=node.get("schema", {}),
        style=style,
        explode=node.get("explode", style == "form"),
    )


def _content(node: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    return {media: part.get("schema", {}) for media, part in node.get("content", {}).items()}
