"""Reading contract files: YAML, validated against the schema beside it; a typo is told with its place and neighbour."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

import jsonschema_rs
import yaml

from telnyx_conformance.content import content_root
from telnyx_conformance.errors import ContractError, nearest

if TYPE_CHECKING:
    from pathlib import Path

LONGEST_QUOTE = 300


def contracts_folder() -> Path:
    """Return the folder of the contract data."""
    return content_root() / "contracts"


def read_contract_file(file: Path, kind: str) -> Any:
    """Return the content of a contract file after validating it against `contracts/schemas/<kind>.schema.json`.

    Raises `ContractError` that names file, place, the rule broken and, for a misspelt word, the nearest valid one.
    """
    document = read_yaml(file)
    for problem in schema_problems(document, file, kind):
        raise problem
    return document


def read_yaml(file: Path) -> Any:
    """Return what a YAML file holds; raise `ContractError` when it is unreadable, truncated or names a key twice."""
    try:
        return yaml.load(file.read_bytes(), Loader=_Loader)  # noqa: S506 - a subclass of the safe loader
    except OSError as failed:
        raise ContractError(
            "a contract file cannot be read", where=str(file), got=failed.strerror or str(failed)
        ) from None
    except yaml.YAMLError as broken:
        mark = getattr(broken, "problem_mark", None)
        where = f"{file}:{mark.line + 1}:{mark.column + 1}" if mark else str(file)
        advice = getattr(broken, "note", None) or "is the file truncated?"
        raise ContractError(
            "not YAML", got=str(getattr(broken, "problem", broken)), where=where, advice=advice
        ) from None
    except RecursionError:
        raise ContractError("a contract file is nested too deeply", where=str(file)) from None


def schema_problems(document: Any, file: Path, kind: str) -> Iterator[ContractError]:
    """Yield what breaks `contracts/schemas/<kind>.schema.json`; a misspelt key is not told as a missing one besides."""
    errors = list(contract_schema(kind).iter_errors(document))
    strange = {(str(e.instance_path), word) for e in errors for word in getattr(e.kind, "unexpected", ())}
    for error in errors:
        missing, here = getattr(error.kind, "property", None), str(error.instance_path)
        if missing is None or not any(at == here and nearest(word, [missing]) for at, word in strange):
            yield _told(error, file, kind)


@cache
def contract_schema(kind: str) -> Any:
    """Return the validator of one kind of contract file."""
    return jsonschema_rs.Draft202012Validator(_schema_document(kind), validate_formats=True)


@cache
def _schema_document(kind: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((contracts_folder() / "schemas" / f"{kind}.schema.json").read_text("utf-8"))
    return document


def _told(error: Any, file: Path, kind: str) -> ContractError:
    return ContractError(
        "a contract file breaks its schema",
        where=place(file, error.instance_path),
        expected="/".join(str(part) for part in error.schema_path),
        got=error.message[:LONGEST_QUOTE],
        advice=_advice(error, kind),
    )


def _advice(error: Any, kind: str) -> str:
    unexpected = getattr(error.kind, "unexpected", None)
    if unexpected is None:
        return suggestion(error.instance, _options(error)) if isinstance(error.instance, str) else ""
    known = _known_words(error, kind)
    found = [f"{word}: {told}" for word in unexpected if (told := suggestion(word, known))]
    return "; ".join(found) or (f"known here: {', '.join(known)}" if known else "")


def suggestion(word: str, known: list[str]) -> str:
    """Return the question whether the nearest known word was meant, empty when none is near."""
    near = nearest(word, known)
    return f"did you mean {near}?" if near and near != word else ""


def _known_words(error: Any, kind: str) -> list[str]:
    """Return the names that the schema admits where an unexpected one was found."""
    node: Any = _schema_document(kind)
    for part in error.schema_path[:-1]:  # without the keyword itself
        node = node[part]
    return sorted(node.get("properties", {})) if isinstance(node, Mapping) else []


def _options(error: Any) -> list[str]:
    """Return the words that would have been right, also those of the branches of a combination."""
    own = getattr(error.kind, "options", None)
    if isinstance(own, list):
        return [option for option in own if isinstance(option, str)]
    branches = getattr(error.kind, "context", None) or []
    return [
        word for branch in branches for inner in branch if inner.instance == error.instance for word in _options(inner)
    ]


def place(file: Path, path: list[Any]) -> str:
    """Return `file:line:column: /json/pointer` of a place in a contract file."""
    pointer = "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in path)
    mark = _mark(file, path)
    return f"{file}:{mark.line + 1}:{mark.column + 1}: {pointer or '/'}" if mark else f"{file}: {pointer or '/'}"


def _mark(file: Path, path: list[Any]) -> Any:
    """Return where a place begins; only asked for once something is wrong, so the file is simply read again."""
    try:
        node = yaml.compose(file.read_bytes(), Loader=yaml.CSafeLoader)
    except (OSError, yaml.YAMLError, RecursionError):
        return None
    for part in path:
        if isinstance(node, yaml.MappingNode):
            found = next((value for key, value in node.value if key.value == str(part)), None)
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int):
            found = node.value[part] if part < len(node.value) else None
        else:
            found = None
        if found is None:
            break
        node = found
    return getattr(node, "start_mark", None)


class _Loader(yaml.CSafeLoader):
    """The safe loader, which besides refuses a mapping that names a key twice: YAML keeps the last one silently."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002 - PyYAML's
        seen: set[tuple[str, str]] = set()
        for key, _ in node.value:
            name = (key.tag, key.value) if isinstance(key, yaml.ScalarNode) else ("", str(id(key)))
            if name in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"{key.value} stands twice in one mapping", key.start_mark, "remove one of the two"
                )
            seen.add(name)
        return super().construct_mapping(node, deep)
