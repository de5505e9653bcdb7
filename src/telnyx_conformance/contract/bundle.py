"""One OpenAPI 3.1 document of a whole edition, for other tools: mock servers, fuzzers, validators, code generators.

Beyond the edition it says what those tools need: a description for each response, a summary for each callback, a server
for each path, the groups as tags, a `pattern` for the formats that only this project knows. `x-hardened` and `x-rules`
stay: docs/hardening.md.
"""

from __future__ import annotations

from collections import defaultdict
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from telnyx_conformance.contract.importer import METHODS, references

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from telnyx_conformance.contract.model import Edition

# Keywords that mean the same in a part of `allOf` and beside it.
MOVABLE = frozenset({"anyOf", "oneOf", "dependentRequired", "dependentSchemas"})
CONDITION = ("if", "then", "else")
E164 = r"\+[1-9]\d{6,14}"
SIP = r"sips?:[^\s@:]+(:[^\s@]*)?(@[^\s@/]+)?"
OCTET = r"(25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)"
PATTERNS = {
    "e164": f"^{E164}$",
    "sip-uri": f"^{SIP}$",
    "e164-or-sip-uri": f"^({E164}|{SIP})$",
    "e164-or-id": rf"^({E164}|\d{{1,40}}|[0-9A-Fa-f]{{8}}-([0-9A-Fa-f]{{4}}-){{3}}[0-9A-Fa-f]{{12}})$",
    "url-or-empty": r"^$|^([hH][tT][tT][pP][sS]?|[wW][sS]{1,2}|ftp|s3|gs)://[^\s/@]+@?[^\s]+$",
    "wss-url": r"^[wW][sS]{1,2}://[A-Za-z0-9][A-Za-z0-9.-]*(:\d{1,5})?([/?#]\S*)?$",
    "ip-address": rf"^({OCTET}(\.{OCTET}){{3}}|([0-9A-Fa-f]{{0,4}}:){{2,7}}[0-9A-Fa-f]{{0,4}})$",
    "base64": "^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$",
}


def bundle(edition: Edition) -> dict[str, Any]:
    """Return an edition as one valid OpenAPI 3.1 document; the same edition gives the same bytes."""
    document = edition.document
    components = {kind: dict(nodes) for kind, nodes in document["components"].items()}
    said = _descriptions(document)
    components["responses"] = {
        name: {"description": said[name], **_patterned(node)} for name, node in components.get("responses", {}).items()
    }
    for kind in ("parameters", "requestBodies"):
        components[kind] = {name: _patterned(node) for name, node in components.get(kind, {}).items()}
    components["schemas"] = {name: _patterned(node) for name, node in components.get("schemas", {}).items()}
    return {
        "openapi": document["openapi"],
        "info": document["info"],
        "servers": document["servers"],
        "security": document["security"],
        "tags": [{"name": group} for group in edition.groups],
        "paths": {path: _path_item(item) for path, item in document["paths"].items()},
        "components": components,
    }


def _path_item(item: Mapping[str, Any]) -> dict[str, Any]:
    servers = next((item[m]["servers"] for m in METHODS if m in item and "servers" in item[m]), None)
    made: dict[str, Any] = {"servers": servers} if servers else {}
    for key, node in item.items():
        made[key] = _operation(node) if key in METHODS else _patterned(node)
    return made


def _operation(node: Mapping[str, Any]) -> dict[str, Any]:
    made = {key: _patterned(part) for key, part in node.items() if key not in ("servers", "responses", "callbacks")}
    made["responses"] = _responses(node["responses"])
    if "callbacks" in node:
        made["callbacks"] = {
            name: {
                expression: {method: _posted(name, posted) for method, posted in item.items()}
                for expression, item in expressions.items()
            }
            for name, expressions in node["callbacks"].items()
        }
    return made


def _posted(name: str, node: Mapping[str, Any]) -> dict[str, Any]:
    said = {"summary": name, **{key: _patterned(part) for key, part in node.items()}}
    return {**said, "responses": _responses(node.get("responses", {}))}


def _responses(responses: Mapping[str, Any]) -> dict[str, Any]:
    return {
        status: dict(node) if "$ref" in node else {"description": reason(status), **_patterned(node)}
        for status, node in responses.items()
    }


def reason(status: str) -> str:
    """Return HTTP's own words for a status as OpenAPI writes it: `200`, `4XX`, `default`."""
    if status.isdigit():
        return HTTPStatus(int(status)).phrase
    return {"2XX": "Success", "4XX": "Client error", "5XX": "Server error"}.get(status, "Error")


def _descriptions(document: Mapping[str, Any]) -> dict[str, str]:
    """Return words for each shared response: those of the status it is used for, when that is one."""
    used: dict[str, set[str]] = defaultdict(set)
    for status, node in _answers(document):
        for reference in references({"$ref": node["$ref"]} if "$ref" in node else {}):
            used[reference.rpartition("/")[2]].add(status)
    names = document["components"].get("responses", {})
    return {name: reason(next(iter(used[name]))) if len(used[name]) == 1 else "Error" for name in names}


def _answers(document: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for item in document["paths"].values():
        for method in (m for m in METHODS if m in item):
            yield from item[method]["responses"].items()


def _patterned(node: Any) -> Any:
    """Return a copy in which every string of a format of our own also has the pattern that says the same."""
    if isinstance(node, list):
        return [_patterned(part) for part in node]
    if not isinstance(node, dict):
        return node
    made = {
        key: part if key in ("enum", "const", "examples", "default") else _patterned(part) for key, part in node.items()
    }
    form = node.get("format")
    if form == "url":  # no format of JSON Schema; where validators know it, it excludes 127.0.0.1 and private addresses
        made["format"] = "uri"
    if isinstance(form, str) and form in PATTERNS and "pattern" not in node:
        made["pattern"] = PATTERNS[form]
    return _folded(made) if isinstance(made.get("allOf"), list) or _has_condition(made) else made


def _has_condition(node: Mapping[str, Any]) -> bool:
    return isinstance(node.get("if"), dict) and ("then" in node or "else" in node)


def _folded(node: dict[str, Any]) -> dict[str, Any]:
    """Return a schema whose rules between members stand in the schema itself, and whose conditions are what is forbidden.

    It says the same. Schemathesis makes one valid body for TransferCall where `not` stands in `allOf` and 145 where not,
    one for SpeakCall where a condition is `if` and 48 where it is `not`.
    """
    kept: list[Any] = []
    own: dict[str, Any] = {}
    forbidden = [*([node["not"]] if "not" in node else []), *_forbidden(node)]
    for part in node.get("allOf", ()):
        said = set(part) - {"x-hardened"}
        if said == {"not"}:
            forbidden.append(part["not"])
        elif said and said <= MOVABLE and not said & {*node, *own}:
            own |= {key: part[key] for key in part if key != "x-hardened"}
        else:
            kept.append(part)
    if forbidden:
        own["not"] = forbidden[0] if len(forbidden) == 1 else {"anyOf": _either(forbidden)}
    marks = {"x-hardened": _marks(node, kept)} if "x-hardened" in node else {}
    gone = {"allOf", "not", "x-hardened", *(CONDITION if _has_condition(node) else ())}
    rest = {key: value for key, value in node.items() if key not in gone}
    return {**rest, **({"allOf": kept} if kept else {}), **own, **marks}


def _forbidden(node: Mapping[str, Any]) -> list[Any]:
    """Return what a condition forbids: its test without what must then hold, and neither its test nor what else must."""
    found: list[Any] = []
    if _has_condition(node) and "then" in node:
        test = node["if"]
        found.append({"allOf": [test, {"not": node["then"]}]} if "not" in test else {**test, "not": node["then"]})
    if _has_condition(node) and "else" in node:
        found.append({"not": {"anyOf": [node["if"], node["else"]]}})
    return found


def _either(forbidden: list[Any]) -> list[Any]:
    """Return all that is forbidden as one list of alternatives."""
    return [one for part in forbidden for one in (part["anyOf"] if set(part) == {"anyOf"} else [part])]


def _marks(node: Mapping[str, Any], kept: list[Any]) -> dict[str, Any]:
    """Return the provenance of a schema and of those parts of its `allOf` that went into it; a condition's is that of `not`."""
    made = {key: mark for key, mark in node["x-hardened"].items() if key not in CONDITION and (key != "allOf" or kept)}
    marks = [node["x-hardened"], *(part.get("x-hardened", {}) for part in node.get("allOf", ()) if part not in kept)]
    for own in marks:
        for key, mark in own.items():
            if key != "allOf":
                made.setdefault("not" if key in CONDITION else key, mark)
    return made
