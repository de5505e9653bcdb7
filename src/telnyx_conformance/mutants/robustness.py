"""Faults of answers that do not come, say too much or too little: silence, echoed keys, defaults, errors in part."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import msgspec

from telnyx_conformance.contract.echoes import default_fields
from telnyx_conformance.contract.envelopes import JSON, envelope_of, properties_of
from telnyx_conformance.contract.exchange_requirements import PAGE_SIZE, default_page_size
from telnyx_conformance.contract.validators import compiled
from telnyx_conformance.emulator.fault import Fault
from telnyx_conformance.mutants.carriage import Sent
from telnyx_conformance.mutants.replies import other_value, with_body

if TYPE_CHECKING:
    from collections.abc import Iterator

    from telnyx_conformance.contract.model import Edition, Operation, Requirement
    from telnyx_conformance.emulator.account import Ask
    from telnyx_conformance.emulator.fault import Arrival
    from telnyx_conformance.emulator.reply import Reply

SUCCESS = range(200, 300)
UNAUTHENTICATED = 401
ROBUSTNESS: dict[str, Literal["validation", "responses", "authentication", "robustness"]] = {
    "never-answers": "robustness", "answer-cut": "robustness", "key-echoed": "authentication", "default-wrong": "responses",
    "error-title-missing": "responses", "error-code-missing": "responses", "error-code-type": "responses",
}  # fmt: skip
Row = tuple[str, str, str]  # operator, variant, and the field that it is about where there are several


def rows_of(edition: Edition, operation: Operation, requirement: Requirement) -> Iterator[Row]:
    """Yield what can be done to an operation so that this requirement fails."""
    match f"{requirement.place.partition('.')[0]}:{requirement.kind}":
        case "route:answers":
            yield "never-answers", "never", ""
            yield "answer-cut", "cut", ""
        case "auth:secret":
            yield "key-echoed", "in-refusal", ""
            yield "key-echoed", "in-header", ""
            if JSON in operation.success.content:
                yield "key-echoed", "in-body", ""
        case "pagination:default":
            yield "default-wrong", "one-more", ""
        case "response:default":
            names = (n for n in default_fields(edition, operation) if _other_default(edition, operation, n) is not None)
            yield from (("default-wrong", "other", name) for name in names)
        case "error:schema" if not _is_foreign(edition, operation):
            yield "error-title-missing", "no-title", ""
            yield "error-code-missing", "no-code", ""
            if _codes_are_texts(edition, operation, requirement.place.removeprefix("error.")):
                yield "error-code-type", "integer", ""


def _refusals(edition: Edition, operation: Operation) -> list[dict[str, Any]]:
    """Return the properties of each documented refusal."""
    documented = [r.content.get(JSON) for r in operation.responses if not r.status.startswith("2")]
    return [properties_of(edition, schema) for schema in documented if schema]


def _is_foreign(edition: Edition, operation: Operation) -> bool:
    """Whether some refusal is documented with another body than Telnyx's own."""
    return any(properties and "errors" not in properties for properties in _refusals(edition, operation))


def _codes_are_texts(edition: Edition, operation: Operation, status: str) -> bool:
    """Whether a refusal is documented for the status, and each documented one describes its codes as texts."""
    documented = [r for r in operation.responses if not r.status.startswith("2")]
    refusals = _refusals(edition, operation)
    return (
        any(r.status in (status, "default") for r in documented)
        and len(refusals) == len(documented)
        and all(_code_type(edition, properties.get("errors", {})) == "string" for properties in refusals)
    )


def _code_type(edition: Edition, listed: Any) -> Any:
    entry = edition.resolve(edition.resolve(listed).get("items", {}))
    return edition.resolve(properties_of(edition, entry).get("code", {})).get("type")


class KeyFault(Fault):
    """Tells the key of a request in the answer to it."""

    def __init__(self, operation: Operation, variant: str) -> None:
        super().__init__()
        self._operation, self._variant, self._key = operation, variant, ""

    def arrives(self, arrival: Arrival) -> None:
        """Take note of the key."""
        super().arrives(arrival)
        self._key = arrival.headers.get(b"authorization", b"").decode("latin-1").rpartition(" ")[2]

    def answered(self, operation: Operation, reply: Reply) -> Reply:
        """Tell it."""
        if operation.id != self._operation.id or not self._key:
            return reply
        is_success = reply.status in SUCCESS
        if self._variant == "in-header":
            self.bites()
            return msgspec.structs.replace(reply, headers=[*reply.headers, (b"x-api-key", self._key.encode())])
        if is_success == (self._variant == "in-body") and (is_success or reply.status == UNAUTHENTICATED):
            return self._telling(reply)
        return reply

    def _telling(self, reply: Reply) -> Reply:
        document = msgspec.json.decode(reply.body) if reply.body.startswith(b"{") else None
        if not isinstance(document, dict):
            return reply
        if self._variant == "in-body":
            document["api_key"] = self._key
        else:
            document["errors"] = [{**e, "detail": f"No such key: {self._key}"} for e in document["errors"]]
        self.bites()
        return with_body(reply, msgspec.json.encode(document))


def fault_of(operator: str, variant: str, field: str, edition: Edition, operation: Operation) -> Fault:
    """Return the fault of a row that is no matter of a reply's document."""
    if operator == "key-echoed":
        return KeyFault(operation, variant)
    if operator == "default-wrong":
        size = default_page_size(edition, operation) + 1
        return DefaultFault(operation, field, _other_default(edition, operation, field) if field else size)
    return Sent("never" if variant == "never" else "cut", operation)


def _other_default(edition: Edition, operation: Operation, name: str) -> Any:
    """Return a value that the field may have in request and answer and that is not its default; `None` when there is none."""
    default = default_fields(edition, operation)[name]
    schema = properties_of(edition, operation.body.content[JSON] if operation.body else {})[name]
    answer = properties_of(edition, envelope_of(edition, operation).item)[name]
    asked, answered = compiled(edition.document, schema, "request"), compiled(edition.document, answer, "response")
    candidates = [*edition.resolve(schema).get("enum", ()), other_value(default), "https://example.com/other"]
    candidates += [default - 1] if isinstance(default, int) and not isinstance(default, bool) else []
    fitting = (v for v in candidates if v != default and asked.is_valid(v) and answered.is_valid(v))
    return next((value for value in fitting if value is not None), None)


class DefaultFault(Fault):
    """Takes another default for what a creation leaves out, or for the size of a page."""

    def __init__(self, operation: Operation, field: str, default: Any) -> None:
        super().__init__()
        self._operation, self._field, self._default = operation, field, default

    def asked(self, ask: Ask) -> Ask:
        """Put the wrong default in."""
        if ask.operation.id != self._operation.id:
            return ask
        if self._field:
            given = ask.body if isinstance(ask.body, dict) else {}
            if self._field in given:
                return ask
            self.bites()
            return msgspec.structs.replace(ask, body={**given, self._field: self._default})
        if PAGE_SIZE in ask.query:
            return ask
        self.bites()
        return msgspec.structs.replace(ask, query={**ask.query, PAGE_SIZE: self._default})
