"""Where a judged statement stands in the hardened document, and whether it is said there as the judgement claims.

A keyword counts at the field itself, in an alternative or list item of it, or beside a reference to its owner; a rule
between members counts where an enclosing object names the field.
"""

from __future__ import annotations

import re
from collections import defaultdict
from typing import TYPE_CHECKING, Any

import msgspec

from telnyx_conformance.contract.files import suggestion
from telnyx_conformance.contract.importer import references
from telnyx_conformance.contract.model import pointed
from telnyx_conformance.errors import ContractError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from telnyx_conformance.contract.judgements import Judgement

Schema = dict[str, Any]
PLACE = re.compile(r"\A(body|query|path)\.")
WHOLE = re.compile(r"\A\(.*\)\Z")  # a word in parentheses names the owner as a whole: (operation)
METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
BRANCHES = ("allOf", "anyOf", "oneOf")
ONE = ("if", "then", "else", "not")
BETWEEN = (*BRANCHES, "not", "if", "then", "dependentRequired", "dependentSchemas", "required")
SHAPES = ("format", "pattern", "contentEncoding", "enum", "const")
NUMBERS = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf")
SIZES = ("minLength", "maxLength", "minItems", "maxItems", "uniqueItems", "minProperties", "maxProperties")
# The keywords that may say a statement of each kind; a pattern can hold a bound, a constant a form.
WORDS: dict[str, tuple[str, ...]] = {
    "default": ("default",),
    "deprecated": ("deprecated",),
    "enum": ("enum", "const", "pattern"),
    "format": SHAPES,
    "pattern": SHAPES,
    "minimum": ("minimum", "exclusiveMinimum", "pattern"),
    "maximum": ("maximum", "exclusiveMaximum", "pattern"),
    "multipleOf": ("multipleOf", "pattern"),
    "minLength": ("minLength", "pattern"),
    "maxLength": ("maxLength", "pattern"),
    "minItems": ("minItems",),
    "maxItems": ("maxItems",),
    "uniqueItems": ("uniqueItems",),
    "unit": SHAPES,
    "other": ("default", "type", *SHAPES, *NUMBERS, *SIZES, *BETWEEN),
}
MEMBERS = ("at_least_one", "exactly_one", "mutually_exclusive", "only_when", "other", "required_if", "required_with")


class Place:
    """Where a statement belongs: the schemas of the field, and the objects around it with the member's name."""

    def __init__(self, nodes: list[Schema], around: list[tuple[Schema, str]]) -> None:
        self.nodes = nodes
        self.around = around


class Places:
    """Finds places in one document; what refers to what, and which operation is which, is gathered once."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self.document = document
        self.operations: dict[str, Schema] = {
            item[method]["operationId"]: item[method]
            for item in document["paths"].values()
            for method in METHODS
            if method in item
        }
        self.referring: dict[str, list[Schema]] = defaultdict(list)
        self.holders: dict[str, list[Schema]] = defaultdict(list)
        self.sources: dict[str, set[str]] = defaultdict(set)
        self._gather(document["paths"])
        self._gather(document["components"])
        for operation in self.operations.values():
            body = operation.get("requestBody", {})
            for reference in {
                *references(body),
                *(references(pointed(document, body["$ref"])) if "$ref" in body else ()),
            }:
                self.holders[reference].append(operation)

    def _gather(self, node: Any) -> None:
        if isinstance(node, dict):
            self._note(node)
            for key, child in node.items():
                if key not in ("x-hardened", "examples", "default"):
                    self._gather(child)
        elif isinstance(node, list):
            for child in node:
                self._gather(child)

    def _note(self, node: Schema) -> None:
        """Note what says more beside a reference, what holds a member that is one, and which source set which keyword.

        Answers share many owners with requests, which therefore say what holds for them alone beside the reference.
        """
        parts = node.get("allOf", ())
        for part in (node, *parts) if len(node) > 1 or len(parts) > 1 else ():
            if isinstance(part.get("$ref"), str):
                self.referring[part["$ref"]].append(node)
        members = node.get("properties")
        for child in members.values() if isinstance(members, dict) else ():
            if isinstance(child, dict) and isinstance(child.get("$ref"), str):
                self.holders[child["$ref"]].append(node)
        for word, note in node.get("x-hardened", {}).items():
            if word in node:
                self.sources[note["source"]].add(word)


def problems(document: Mapping[str, Any], judgements: Iterable[Judgement]) -> Iterator[tuple[int, ContractError]]:
    """Yield the number of each judgement that names what does not exist or claims what is not there, and what is wrong."""
    places = Places(document)
    for number, judgement in enumerate(judgements):
        found = _problem(places, judgement)
        if found is not None:
            yield number, found


def _problem(places: Places, judgement: Judgement) -> ContractError | None:
    try:
        place = _place(places, judgement)
    except ContractError as unknown:
        return unknown
    if place is None or is_expressed(places, place, judgement):
        return None
    claimed = judgement.rule or " or ".join(WORDS.get(judgement.kind, BETWEEN)[:6])
    return ContractError("a judgement claims what the contract does not say", got=_shown(judgement), expected=claimed)


def is_expressed(places: Places, place: Place, judgement: Judgement) -> bool:
    """Tell whether the contract says at `place` what the judgement claims; a rejected statement claims nothing."""
    document = places.document
    if judgement.outcome == "keyword":
        return _has_keyword(document, place, judgement) or _is_source(places, judgement)
    if judgement.outcome == "rule":
        near = [*place.nodes, *(holder for holder, _ in place.around[-1:])]
        own = {rule["rule"] for node in near for part in _applying(document, node) for rule in part.get("x-rules", ())}
        beside = {
            rule["rule"]
            for holder, name in place.around
            for rule in _rules_within(document, holder)
            if _names(rule, name)
        }
        return judgement.rule in own | beside
    return True


def _is_source(places: Places, judgement: Judgement) -> bool:
    """Tell whether an overlay set a fitting keyword elsewhere and names this very statement as its source."""
    words = {*WORDS.get(judgement.kind, ()), *BETWEEN}
    return bool(words & places.sources.get(f"{judgement.owner}, {judgement.field}", set()))


def _has_keyword(document: Mapping[str, Any], place: Place, judgement: Judgement) -> bool:
    words = WORDS.get(judgement.kind, ())
    parts = [part for node in place.nodes for part in _applying(document, node)]
    if judgement.kind in MEMBERS:
        if not WHOLE.sub("", judgement.field) and any(word in part for part in parts for word in BETWEEN):
            return True
        for holder, name in place.around:
            between = BETWEEN if judgement.kind.startswith("required") else BETWEEN[:-1]
            rules = [part[word] for part in _applying(document, holder) for word in between if word in part]
            if any(_names(rule, name) for rule in rules):
                return True
    return any(word in part for part in parts for word in words)


def _place(places: Places, judgement: Judgement) -> Place | None:
    """Return the place of a judged statement; `None` for a contradiction, of which only the owner has to exist."""
    judgement = msgspec.structs.replace(judgement, field=WHOLE.sub("", judgement.field))
    document, operations = places.document, places.operations
    components = document["components"]
    kinds = ("schemas", "requestBodies", "responses") if judgement.location in ("body", "response") else ("parameters",)
    known = {name: node for kind in reversed(kinds) for name, node in components.get(kind, {}).items()}
    operation = operations.get(judgement.owner)
    if operation is None and judgement.owner not in known:
        raise _unknown("owner", judgement.owner, [*known, *operations])
    if judgement.outcome in ("corrected", "explained"):
        return None
    if operation is not None:
        return _in_operation(document, operation, judgement)
    if judgement.location not in ("body", "response"):
        parameter = known[judgement.owner]
        if judgement.field.removesuffix("[]") not in ("", parameter["name"], parameter["name"].removesuffix("[]")):
            raise _unknown("field", judgement.field, [parameter["name"]])
        return Place([parameter["schema"]], [(parameter, parameter["name"])])
    reference = f"#/components/schemas/{judgement.owner}"
    roots = [*_roots(known[judgement.owner]), *places.referring.get(reference, ())]
    holders = [(holder, judgement.field.rpartition(".")[2]) for holder in places.holders.get(reference, ())]
    found = _in_schemas(document, roots, judgement.field)
    return Place(found.nodes, [*holders, *found.around] if judgement.field else found.around)


def _in_operation(document: Mapping[str, Any], operation: Schema, judgement: Judgement) -> Place:
    if judgement.location == "body":
        body = operation.get("requestBody", {})
        body = pointed(document, body["$ref"]) if "$ref" in body else body
        roots = list(_roots(body))
        if not judgement.field:
            return Place([operation, *roots], [])
        found = _in_schemas(document, roots, judgement.field)
        return Place(found.nodes, [(operation, judgement.field.rpartition(".")[2]), *found.around])
    if not judgement.field:
        return Place([operation], [])
    parameters = [pointed(document, p["$ref"]) if "$ref" in p else p for p in operation.get("parameters", ())]
    names = (judgement.field, judgement.field.removesuffix("[]"))
    mine = [p for p in parameters if p["name"] in names or p["name"].startswith(f"{judgement.field}[")]
    if not mine:
        raise _unknown("field", judgement.field, [p["name"] for p in parameters])
    return Place([p["schema"] for p in mine], [(operation, judgement.field)])


def _in_schemas(document: Mapping[str, Any], roots: list[Schema], field: str) -> Place:
    nodes, around = roots, []
    for name in field.split(".") if field else ():
        holders = [part for node in nodes for part in _applying(document, node)]
        bare = name if any(name in part.get("properties", {}) for part in holders) else name.removesuffix("[]")
        found = [part["properties"][bare] for part in holders if bare in part.get("properties", {})]
        if not found:
            raise _unknown("field", bare, sorted({known for part in holders for known in part.get("properties", {})}))
        around += [(node, bare) for node in nodes]
        nodes = found
    return Place(nodes, around)


def _roots(node: Mapping[str, Any]) -> Iterator[Schema]:
    """Yield the schemas of a component: itself, or those of each media type of a body or an answer."""
    if "content" in node:
        yield from (part["schema"] for part in node["content"].values() if "schema" in part)
    else:
        yield dict(node)


def _applying(document: Mapping[str, Any], node: Schema, seen: frozenset[int] = frozenset()) -> Iterator[Schema]:
    """Yield what is said of one value: the schema, what it refers to, its branches, and what its list items are held to."""
    if id(node) in seen or not isinstance(node, dict):
        return
    yield node
    seen |= {id(node)}
    inner = [pointed(document, node["$ref"])] if "$ref" in node else []
    inner += [branch for key in BRANCHES for branch in node.get(key, ())]
    inner += [node[key] for key in (*ONE, "items", "additionalProperties") if isinstance(node.get(key), dict)]
    for part in inner:
        yield from _applying(document, part, seen)


def _rules_within(document: Mapping[str, Any], holder: Schema) -> Iterator[Mapping[str, Any]]:
    for part in _applying(document, holder):
        yield from part.get("x-rules", ())
        for child in part.get("properties", {}).values():
            yield from child.get("x-rules", ())


def _names(said: Any, name: str) -> bool:
    """Tell whether a rule names a member, as a key or among a list; `query.a[b]` counts as naming `a`."""
    if isinstance(said, dict):
        return any(key == name or _names(value, name) for key, value in said.items())
    if isinstance(said, list):
        return any(_names(value, name) for value in said)
    if not isinstance(said, str):
        return False
    bare = PLACE.sub("", said)
    return bare == name or bare.startswith(f"{name}[")


def _unknown(what: str, name: str, known: Iterable[str]) -> ContractError:
    return ContractError(f"unknown {what}", got=name, advice=suggestion(name, list(known)))


def _shown(judgement: Judgement) -> str:
    where = ".".join(part for part in (judgement.owner, judgement.field) if part)
    return f"{where} ({judgement.location}): {judgement.kind} as {judgement.rule or judgement.outcome}"
