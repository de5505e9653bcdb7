"""From a validator's errors to problems.

Which rule, which culprit, said in a sentence. Only invalid requests come here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from telnyx_conformance.contract import formats
from telnyx_conformance.emulator.refusals import Problem

if TYPE_CHECKING:
    from collections.abc import Callable

    from telnyx_conformance.contract.validators import Validator

MOST = 20
MOST_LOOKED_AT = 200
# What the validator calls a rule, where that differs from the JSON Schema keyword.
KEYWORDS = {"falseSchema": "additionalProperties", "oneOfMultipleValid": "oneOf", "oneOfNotValid": "oneOf"}


def problems_of(validator: Validator, document: Any) -> list[Problem]:
    """Return what is wrong with `document`, at most twenty problems, outermost first, one for each culprit."""
    found: dict[str, Problem] = {}
    for number, error in enumerate(validator.iter_errors(document)):
        if number >= MOST_LOOKED_AT:
            break
        for problem in _problems(error):
            found.setdefault(problem.pointer, problem)
    return sorted(found.values(), key=lambda p: (p.pointer.count("/"), p.pointer))[:MOST]


def _problems(error: Any) -> list[Problem]:
    kind = error.kind
    name = KEYWORDS.get(kind.name, kind.name)
    at = _pointer(error.instance_path)
    if name in ("anyOf", "oneOf") and (branch := _closest(error)):
        return [problem for part in branch for problem in _problems(part)]
    if name == "required":
        return [
            Problem(
                kind=name,
                detail=f"The parameter '{kind.property}' is missing.",
                pointer=f"{at}/{_escaped(kind.property)}",
            )
        ]
    if name in ("additionalProperties", "unevaluatedProperties"):
        return [
            Problem(kind=name, detail=f"'{word}' is not known here.", pointer=f"{at}/{_escaped(word)}")
            for word in getattr(kind, "unexpected", [])
        ] or [Problem(kind=name, detail="This is not known here.", pointer=at or "/")]
    if name == "type" and error.instance is None:
        name = "null"
    spelling = kind.format if name == "format" else ""
    known = formats.find(spelling)
    return [
        Problem(
            kind=name, detail=_sentence(name, kind), pointer=at or "/", format_name=known.name if known else spelling
        )
    ]


def _closest(error: Any) -> list[Any]:
    """Return the errors of the alternative that the value came nearest to; none when alternatives are equally far."""
    depth = len(error.instance_path)
    branches = [list(branch) for branch in getattr(error.kind, "context", [])]
    fitting = [b for b in branches if b and not any(_is_at(e, depth, "type") for e in b)]
    if not fitting:
        return []
    # A member that says which alternative is meant (`type: refer`) counts for more than the number of errors.
    return min(fitting, key=lambda b: (sum(_is_at(e, depth + 1, "enum", "const") for e in b), len(b)))


def _is_at(error: Any, depth: int, *kinds: str) -> bool:
    return len(error.instance_path) == depth and error.kind.name in kinds


SENTENCES: dict[str, Callable[[Any], str]] = {
    "type": lambda k: f"The value must be of type {' or '.join(map(str, k.types))}.",
    "enum": lambda k: f"The value must be one of {', '.join(map(str, k.options))}."[:400],
    "minimum": lambda k: f"The value must be at least {k.limit}.",
    "maximum": lambda k: f"The value must be at most {k.limit}.",
    "exclusiveMinimum": lambda k: f"The value must be above {k.limit}.",
    "exclusiveMaximum": lambda k: f"The value must be below {k.limit}.",
    "minLength": lambda k: f"The value must have at least {k.limit} characters.",
    "maxLength": lambda k: f"The value must have at most {k.limit} characters.",
    "minItems": lambda k: f"There must be at least {k.limit} items.",
    "maxItems": lambda k: f"There must be at most {k.limit} items.",
    "pattern": lambda k: f"The value must match {k.pattern}.",
    "format": lambda k: f"The value must have the format {k.format}.",
    "null": lambda k: f"The value must not be null but of type {' or '.join(map(str, k.types))}.",
}


def _sentence(name: str, kind: Any) -> str:
    make = SENTENCES.get(name)
    try:
        return make(kind) if make else f"The value breaks the rule {name}."
    except AttributeError:  # the validator does not say its limit
        return f"The value breaks the rule {name}."


def _pointer(path: list[Any]) -> str:
    return "".join("/" + _escaped(str(part)) for part in path)


def _escaped(part: str) -> str:
    return part.replace("~", "~0").replace("/", "~1")
