"""Checking the contract files: each against its schema, then what they say of each other.

A file that breaks its own schema is told and left out of the comparison; with a file of the edition itself missing
there is nothing to compare with. So one typo gives one message.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Any

from telnyx_conformance.contract import expressed, files, overlay, wording
from telnyx_conformance.contract.files import place, suggestion
from telnyx_conformance.contract.importer import references
from telnyx_conformance.contract.judgements import judgements_of
from telnyx_conformance.contract.machines import machine_problems
from telnyx_conformance.errors import ContractError, nearest

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
FOLDERS = {
    "hardening": "overlay", "judgements": "judgements", "webhooks": "webhooks", "deliveries": "deliveries",
    "lifecycles": "lifecycles", "groups": "group", "machines": "machines",
}  # fmt: skip
NAMED = {
    "edition.yaml": "edition", "shared.yaml": "shared", "errors.yaml": "errors", "safety.yaml": "safety", "control.yaml": "control",
}  # fmt: skip
VARIABLE = re.compile(r"\{([^}]+)\}")
EDITION_KINDS = ("edition", "shared", "group")
Read = dict["Path", Any]


def lint(folder: Path | None = None) -> list[ContractError]:
    """Return every problem of the contract files below `folder`, the project's own when absent."""
    root = folder or files.contracts_folder()
    problems: list[ContractError] = []
    by_kind: dict[str, Read] = defaultdict(dict)
    for file in sorted(root.rglob("*.yaml")):
        kind = _kind_of(file, root)
        if kind is None:
            known = [*NAMED, *(f"{name}/" for name in FOLDERS)]
            problems.append(ContractError("nothing reads this file", where=str(file), expected=", ".join(known)))
            continue
        try:
            document = files.read_yaml(file)
        except ContractError as broken:
            problems.append(broken)
            continue
        found = list(files.schema_problems(document, file, kind))
        problems += found
        if not found:
            by_kind[kind][file] = document
    kinds = {file: _kind_of(file, root) for file in root.rglob("*.yaml")}
    if any(kind in EDITION_KINDS and file not in by_kind[kind] for file, kind in kinds.items()):
        return problems
    if any(kind == "overlay" and file not in by_kind[kind] for file, kind in kinds.items()):
        by_kind["judgements"].clear()  # what an unread overlay says cannot be compared with
    operations: dict[str, str] = {}
    for header in sorted(root.glob("*/edition.yaml")):
        problems += _edition_problems(header.parent, by_kind, operations)
    problems += _operation_problems(by_kind, operations)
    problems += _error_problems(by_kind["errors"], set(operations.values()))
    for file, document in by_kind["machines"].items():
        problems += machine_problems(file.stem, document, str(file))
    return problems


def _kind_of(file: Path, root: Path) -> str | None:
    return FOLDERS.get(file.relative_to(root).parent.name) or NAMED.get(file.name)


def _edition_problems(base: Path, by_kind: Mapping[str, Read], operations: dict[str, str]) -> Iterator[ContractError]:
    """Yield what the files of one edition say wrong of each other; note its operations and their groups."""
    parts: Read = {f: d for kind in ("shared", "group") for f, d in by_kind[kind].items() if base in f.parents}
    document: dict[str, Any] = {"paths": {}, "components": {}}
    seen: dict[str, str] = {}
    for file, part in parts.items():
        yield from _duplicate_problems(file, part, document, seen)
        for path, item in part.get("paths", {}).items():
            document["paths"].setdefault(path, {}).update(item)
        for kind, nodes in part.get("components", {}).items():
            document["components"].setdefault(kind, {}).update(nodes)
        for _, _, node in _operations(part):
            operations.setdefault(node["operationId"], part["group"])
    for file, part in parts.items():
        yield from _reference_problems(file, part, document)
        yield from _path_problems(file, part, document)
    header = by_kind["edition"].get(base / "edition.yaml", {"groups": []})
    for group in sorted({part["group"] for part in parts.values() if "group" in part} ^ set(header["groups"])):
        yield ContractError("a group is in the edition's list or has a file, not both", got=group, where=str(base))
    stale = [p for file, hardening in by_kind["overlay"].items() for p in _overlay_problems(file, hardening, document)]
    yield from stale
    yield from wording.problems(document, str(base))
    for file, judged in by_kind["judgements"].items() if not stale else ():
        yield from _judgement_problems(file, judged, document, header["groups"])


def _judgement_problems(
    file: Path, judged: Mapping[str, Any], document: Mapping[str, Any], groups: Iterable[str]
) -> Iterator[ContractError]:
    """Yield the rows that name what the hardened document does not have, and those that claim what it does not say."""
    if judged["group"] not in groups:
        yield _unknown("group", file, ["group"], judged["group"], groups)
    for number, found in expressed.problems(document, judgements_of(judged)):
        first = len(judged["judgements"])
        path = ["judgements", number] if number < first else ["inconsistencies", number - first]
        where = place(file, [*path, "owner" if found.problem.endswith("owner") else "field"])
        yield ContractError(found.problem, expected=found.expected, got=found.got, where=where, advice=found.advice)


def _operations(part: Mapping[str, Any]) -> Iterator[tuple[str, str, Any]]:
    for path, item in part.get("paths", {}).items():
        yield from ((path, method, item[method]) for method in METHODS if method in item)


def _duplicate_problems(
    file: Path, part: Mapping[str, Any], document: Mapping[str, Any], seen: dict[str, str]
) -> Iterator[ContractError]:
    def told(problem: str, got: str, expected: str, path: list[Any]) -> ContractError:
        return ContractError(problem, got=got, expected=expected, where=place(file, path))

    for path, method, node in _operations(part):
        spoken, at = f"{method.upper()} {path}", ["paths", path, method]
        if method in document["paths"].get(path, {}):
            yield told("an operation stands in two files", spoken, "one place for each path and method", at)
        if node["operationId"] in seen:
            taken = f"an id of its own; {seen[node['operationId']]} has this one"
            yield told("an operation id is used twice", node["operationId"], taken, [*at, "operationId"])
        seen.setdefault(node["operationId"], spoken)
        if node["tags"] != [part["group"]]:
            yield told("an operation's tag is not its group", node["tags"][0], part["group"], [*at, "tags"])
    for kind, nodes in part.get("components", {}).items():
        for name in sorted(nodes.keys() & document["components"].get(kind, {}).keys()):
            yield told("a component stands in two files", name, "one place for each name", ["components", kind, name])


def _reference_problems(file: Path, part: Any, document: Mapping[str, Any]) -> Iterator[ContractError]:
    for reference in sorted(set(references(part))):
        kind, _, name = reference.removeprefix("#/components/").partition("/")
        known = document["components"].get(kind, {})
        if name not in known:
            advice = suggestion(name, list(known))
            yield ContractError(
                "a reference leads nowhere", got=reference, where=_where_is(file, reference), advice=advice
            )


def _where_is(file: Path, text: str) -> str:
    lines = file.read_text(encoding="utf-8").splitlines()
    whole = re.compile(re.escape(text) + r"(?![\w.-])")
    number = next((n for n, line in enumerate(lines, 1) if whole.search(line)), None)
    return f"{file}:{number}" if number else str(file)


def _path_problems(file: Path, part: Mapping[str, Any], document: Mapping[str, Any]) -> Iterator[ContractError]:
    shared = document["components"].get("parameters", {})
    for path, method, node in _operations(part):
        parameters = [
            shared.get(p["$ref"].rpartition("/")[2], {}) if "$ref" in p else p for p in node.get("parameters", [])
        ]
        declared = {p["name"] for p in parameters if p.get("in") == "path"}
        for name in sorted(declared ^ set(VARIABLE.findall(path))):
            problem = "a path parameter is not in the path" if name in declared else "a path parameter is not declared"
            near = suggestion(name, sorted((set(VARIABLE.findall(path)) | declared) - {name}))
            yield ContractError(problem, got=name, where=place(file, ["paths", path, method]), advice=near)


def _overlay_problems(file: Path, hardening: Mapping[str, Any], document: dict[str, Any]) -> Iterator[ContractError]:
    """Yield the actions that match nothing; the others are applied, because later files build on them."""
    for number, action in enumerate(overlay.read_overlay(hardening, file.name)):
        try:
            overlay.apply(document, [action])
        except ContractError as stale:
            words = action.target.replace("[", ".").replace("]", "").replace("'", "").split(".")
            advice = "; ".join(_nearest_keys(document, words)) or stale.advice
            where = place(file, ["actions", number])
            yield ContractError(stale.problem, got=action.target, where=where, advice=advice)


def _nearest_keys(document: Any, words: Iterable[str]) -> Iterator[str]:
    """Follow a path as far as it goes and yield what the next word may have meant."""
    node = document
    for word in (w for w in words if w != "$"):
        if not isinstance(node, dict):
            return
        if word not in node:
            if near := nearest(word, node):
                yield f"{word}: did you mean {near}?"
            return
        node = node[word]


def _operation_problems(by_kind: Mapping[str, Read], operations: Mapping[str, str]) -> Iterator[ContractError]:
    if not operations:
        return
    for file, document in by_kind["safety"].items():
        yield from _safety_problems(file, document["classes"], operations)
    for kind, word in (("webhooks", "command"), ("deliveries", "operation")):
        for file, document in by_kind[kind].items():
            yield from (
                _unknown("operation", file, [name, word], contract[word], operations)
                for name, contract in document.items()
                if contract[word] not in operations
            )
    groups = sorted(set(operations.values()))
    for file, document in by_kind["lifecycles"].items():
        for path, name in _named_in(document.get("resources", []), ["resources"]):
            if name not in operations:
                yield _unknown("operation", file, path, name, operations)
        if document.get("group", groups[0]) not in groups:
            yield _unknown("group", file, ["group"], document["group"], groups)


def _safety_problems(
    file: Path, classes: Mapping[str, Mapping[str, str]], operations: Mapping[str, str]
) -> Iterator[ContractError]:
    counted = Counter(name for names in classes.values() for name in names)
    for name in sorted(operations.keys() - counted.keys()):
        yield ContractError("an operation has no safety class", got=name, where=str(file))
    for safety, names in classes.items():
        for name in names:
            if counted[name] > 1:
                where = place(file, ["classes", safety, name])
                yield ContractError("an operation has two safety classes", got=name, where=where)
            if name not in operations:
                yield _unknown("operation", file, ["classes", safety, name], name, operations)


def _named_in(resources: Iterable[Mapping[str, Any]], path: list[Any]) -> Iterator[tuple[list[Any], str]]:
    """Yield every operation that a lifecycle names, and where."""
    for number, resource in enumerate(resources):
        for role, names in resource.get("operations", {}).items():
            for at, name in enumerate(names):
                yield [*path, number, "operations", role, at], name


def _unknown(what: str, file: Path, path: list[Any], name: str, known: Iterable[str]) -> ContractError:
    return ContractError(f"unknown {what}", got=name, where=place(file, path), advice=suggestion(name, list(known)))


def _error_problems(read: Read, groups: set[str]) -> Iterator[ContractError]:
    for file, document in read.items():
        known = document["codes"]
        for path, code in _codes_in(document):
            if code not in known:
                yield _unknown("error code", file, path, code, known)
        for number, group in enumerate(document["fields"]["groups"]):
            if groups and group not in groups:
                yield _unknown("group", file, ["fields", "groups", number], group, groups)


def _codes_in(document: Mapping[str, Any]) -> Iterator[tuple[list[Any], str]]:
    yield from ((["general", n, "code"], row["code"]) for n, row in enumerate(document["general"]))
    yield from ((["fields", "codes", field], code) for field, code in document["fields"]["codes"].items())
    for part in ("situations", "kinds"):
        for name, facts in document[part].items():
            yield from (([part, name, "codes"], code) for code in facts["codes"])
            for row in facts.get("also", []):
                yield from (([part, name, "also"], code) for code in (row["codes"] if isinstance(row, dict) else [row]))
