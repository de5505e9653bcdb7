"""Error bodies: the documented envelope, a code that fits, and the culprit named. Source: behaviour of errors, API error codes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from telnyx_conformance.checks.finding import NOT_JSON, Finding, json_body, outline, shown

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from telnyx_conformance.contract.exchange import Exchange


def error_objects(exchange: Exchange) -> Iterator[dict[str, Any]]:
    """Yield the error objects of a body in Telnyx's envelope; nothing for any other body."""
    body = json_body(exchange)
    errors = body.get("errors") if isinstance(body, dict) else None
    if isinstance(errors, list):
        yield from (error for error in errors if isinstance(error, dict))


def has_error_envelope(exchange: Exchange) -> Finding | None:
    """A refusal carries `{"errors": [{"code", "title", …}, …]}`; codes are digits, as text or as a number."""
    body = json_body(exchange)
    expected = 'JSON {"errors": [{"code", "title", …}]}'
    if body is NOT_JSON:
        return Finding(check="error-envelope", expected=expected, actual=outline(exchange))
    errors = list(error_objects(exchange))
    if not errors:
        return Finding(check="error-envelope", expected=expected, actual=shown(body))
    for error in errors:
        code, title = error.get("code"), error.get("title")
        if not (isinstance(code, int) or (isinstance(code, str) and code)) or isinstance(code, bool):
            return Finding(check="error-envelope", expected="a code", actual=shown(error))
        if not isinstance(title, str) or not title:
            return Finding(check="error-envelope", expected="a title", actual=shown(error))
    return None


def has_fitting_code(exchange: Exchange, codes: Collection[str]) -> Finding | None:
    """One of the errors carries a code that is documented for what went wrong."""
    came = [str(error.get("code")) for error in error_objects(exchange)]
    if any(code in codes for code in came):
        return None
    return Finding(
        check="error-code", expected=f"code {' or '.join(codes)}", actual=", ".join(came) or outline(exchange)
    )


def names_pointer(exchange: Exchange, pointers: Collection[str]) -> Finding | None:
    """One of the errors points at the culprit in the body."""
    came = [str(pointer) for pointer in _sources(exchange, "pointer")]
    if any(pointer in pointers for pointer in came):
        return None
    return Finding(
        check="pointer", expected=f"source.pointer {' or '.join(pointers)}", actual=", ".join(came) or "no pointer"
    )


def names_parameter(exchange: Exchange, name: str) -> Finding | None:
    """One of the errors names the culprit parameter."""
    came = [str(parameter) for parameter in _sources(exchange, "parameter")]
    if name in came:
        return None
    return Finding(check="parameter", expected=f"source.parameter {name}", actual=", ".join(came) or "no parameter")


def _sources(exchange: Exchange, key: str) -> Iterator[Any]:
    for error in error_objects(exchange):
        source = error.get("source")
        if isinstance(source, dict) and key in source:
            yield source[key]
