"""What a refusal looks like on the wire: Telnyx's error envelope, codes and titles from the catalogue."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from telnyx_conformance.contract.catalogue import load_errors
from telnyx_conformance.errors import UnknownName

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from telnyx_conformance.contract.model import Operation
    from telnyx_conformance.emulator.account import Refusal

HELP = "https://developers.telnyx.com/docs/overview/errors/"


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """One violated rule: its kind (a JSON Schema keyword, or a word of ours), the culprit and a sentence."""

    kind: str
    detail: str
    pointer: str = ""
    parameter: str = ""
    format_name: str = ""


def of_situation(name: str, detail: str = "", *, operation: Operation | None = None) -> tuple[int, bytes]:
    """Return status and body for what is wrong with a request as a whole."""
    situation = load_errors().situation(name)
    status = situation.status_for(_documented(operation)) if operation else situation.status
    pointer = "/" if situation.place == "root" else ""
    return status, encode([error(situation.codes[0], detail or situation.detail, pointer=pointer)])


def of_refusal(refusal: Refusal) -> tuple[int, bytes]:
    """Return status and body for what a product refuses."""
    return refusal.status, encode(
        [
            error(
                refusal.code,
                refusal.detail,
                pointer=refusal.pointer,
                parameter=refusal.parameter,
                bare=refusal.bare,
            )
        ]
    )


def of_problems(problems: Sequence[Problem], operation: Operation) -> tuple[int, bytes]:
    """Return status and body that name each violated rule. The first problem decides on the status."""
    situation = load_errors().situation("invalid_parameter" if problems[0].parameter else "invalid_body")
    in_path = problems[0].parameter in {p.name for p in operation.parameters_in("path")}
    documented = [s for s in _documented(operation) if in_path or s != "404"]
    made = [error(_code(p, operation.group), p.detail, pointer=p.pointer, parameter=p.parameter) for p in problems]
    return situation.status_for(documented), encode(made)


def error(code: str, detail: str = "", *, pointer: str = "", parameter: str = "", bare: bool = False) -> dict[str, Any]:
    """Return one entry of `errors`."""
    known = load_errors().codes.get(code)
    title = known.title if known else "Bad Request"
    made: dict[str, Any] = {"code": code, "title": title, "detail": detail or (known.detail if known else "") or title}
    if bare:
        return made
    if pointer:
        made["source"] = {"pointer": pointer}
    elif parameter:
        made["source"] = {"parameter": parameter}
    made["meta"] = {"url": HELP + code}
    return made


def encode(errors: list[dict[str, Any]]) -> bytes:
    """Return the error envelope."""
    return msgspec.json.encode({"errors": errors})


def _code(problem: Problem, group: str) -> str:
    field = problem.pointer.rpartition("/")[2] or problem.parameter
    catalogue = load_errors()
    try:
        return catalogue.codes_for(problem.kind, field, group=group, format_name=problem.format_name)[0]
    except UnknownName:
        return catalogue.general[0]


def _documented(operation: Operation) -> Iterable[str]:
    return (response.status for response in operation.responses)
