"""Is a request what its operation takes? Compiled per operation when first asked for.

Rules are checked in this order: content type (415), syntax (400), then parameters and body together (422). Whether the
addressed resource exists is asked afterwards. A valid JSON body costs one decode and one check.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from telnyx_conformance.contract.nesting import decoded
from telnyx_conformance.contract.validators import Validator, compiled
from telnyx_conformance.emulator import decoding
from telnyx_conformance.emulator.refusals import Problem
from telnyx_conformance.emulator.violations import problems_of

if TYPE_CHECKING:
    from telnyx_conformance.contract.model import Edition, Operation, Parameter

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"
XML = "text/xml"
ANY = "*/*"
MULTIPART = "multipart/form-data"
# An artefact of the document: a header parameter that repeats the bearer token.
IGNORED_HEADERS = frozenset({"authorization_bearer", "authorization", "content-type", "accept"})


class Unreadable(Exception):  # noqa: N818 - a fact about the request
    """The body cannot be read at all: 415 for its type, 400 for its syntax."""

    def __init__(self, situation: str, detail: str) -> None:
        super().__init__(situation)
        self.situation, self.detail = situation, detail


class _Parameter(msgspec.Struct, frozen=True):
    name: str
    location: str
    required: bool
    explode: bool
    types: frozenset[str]
    items: frozenset[str]
    members: Mapping[str, frozenset[str]]
    validator: Validator | None


class Rules:
    """All rules for one operation's requests."""

    def __init__(self, edition: Edition, operation: Operation) -> None:
        self._edition = edition
        self._operation = operation
        self._path = [self._parameter(p) for p in operation.parameters_in("path")]
        self._path = [p for p in self._path if p.validator is not None]
        self._query = [self._parameter(p) for p in operation.parameters_in("query")]
        self._headers = [
            self._parameter(p) for p in operation.parameters_in("header") if p.name.lower() not in IGNORED_HEADERS
        ]
        self._body = operation.body
        self._schemas = operation.body.content if operation.body else {}
        self._validators: dict[str, Validator] = {
            media: compiled(edition.document, schema, "request")
            for media, schema in self._schemas.items()
            if schema and media != XML
        }
        anything = self._schemas.get(ANY)
        self._any_is_json = bool(anything) and "object" in decoding.types_of(edition, anything or {})

    def _parameter(self, parameter: Parameter) -> _Parameter:
        schema = self._edition.resolve(parameter.schema)
        types = decoding.types_of(self._edition, schema)
        trivial = types == {"string"} and not (set(schema) - {"type", "examples", "default"})
        return _Parameter(
            parameter.name,
            parameter.location,
            parameter.required,
            parameter.explode,
            types,
            decoding.types_of(self._edition, schema.get("items") or {}),
            {n: decoding.types_of(self._edition, s) for n, s in decoding.members_of(self._edition, schema).items()},
            None if trivial else compiled(self._edition.document, parameter.schema, "request"),
        )

    def examined(
        self, path: Mapping[str, str], query: str, headers: Mapping[str, str], body: bytes
    ) -> tuple[dict[str, Any], Any, list[Problem]]:
        """Return the decoded query parameters and body with the rules that they break. Raises `Unreadable`."""
        document, media = self._decoded(headers, body) if self._body is not None else (None, "")
        validator = self._validators.get(media)
        if (
            not self._path
            and not self._query
            and not self._headers
            and validator is not None
            and document is not None
            and validator.is_valid(document)
        ):
            return {}, document, []
        problems: list[Problem] = []
        for parameter in self._path:
            value = decoding.scalar(path.get(parameter.name, ""), parameter.types)
            problems += _broken(parameter, value)
        values = self._query_values(query, problems)
        for parameter in self._headers:
            text = headers.get(parameter.name.lower())
            if text is not None:
                problems += _broken(parameter, decoding.scalar(text, parameter.types))
            elif parameter.required:
                problems.append(_missing(parameter))
        problems += self._body_problems(validator, document)
        return values, document, problems

    def _query_values(self, query: str, problems: list[Problem]) -> dict[str, Any]:
        pairs = decoding.pairs_of(query) if query else {}
        values: dict[str, Any] = {}
        for parameter in self._query:
            value = (
                decoding.parameter_value(
                    pairs,
                    parameter.name,
                    parameter.types,
                    parameter.items,
                    explode=parameter.explode,
                    members=parameter.members,
                )
                if pairs
                else None
            )
            if value is None:
                if parameter.required:
                    problems.append(_missing(parameter))
                continue
            values[parameter.name] = value
            problems += _broken(parameter, value)
        for name, given in pairs.items():
            values.setdefault(name, given[-1])
        return values

    def _body_problems(self, validator: Validator | None, document: Any) -> list[Problem]:
        if self._body is None:
            return []
        if document is None:
            needed = self._body.required
            return [Problem(kind="required", detail="The request needs a body.", pointer="/")] if needed else []
        if validator is None or validator.is_valid(document):
            return []
        return problems_of(validator, document)

    def _decoded(self, headers: Mapping[str, str], body: bytes) -> tuple[Any, str]:
        """Return the body as a JSON value (`None` without one) and the media type it was read as."""
        content_type = headers.get("content-type", "")
        media = content_type.partition(";")[0].strip().lower()
        if not body:  # a form without fields is a form; nothing is not JSON
            return ({}, FORM) if media == FORM and FORM in self._schemas else (None, "")
        if media not in self._schemas:
            media = self._other_media(media)
        if media == JSON or (media == ANY and self._any_is_json):
            return _json(body), media
        if media == FORM:
            return decoding.form_document(self._edition, self._schemas[media], decoding.pairs_of(_text(body))), media
        if media == MULTIPART:
            parts = decoding.multipart_pairs(content_type, body)
            if parts is None:
                raise Unreadable("malformed_json", "The body is not multipart/form-data as its content type says.")
            return decoding.form_document(self._edition, self._schemas[media], parts), media
        return body.decode("latin-1"), media  # keeps every byte

    def _other_media(self, media: str) -> str:
        if not media and len(self._schemas) == 1:
            return next(iter(self._schemas))
        if ANY in self._schemas:
            return ANY
        if media == "application/xml" and XML in self._schemas:
            return XML
        offered = " or ".join(self._schemas)
        raise Unreadable("wrong_content_type", f"This operation takes {offered}.")


def _json(body: bytes) -> Any:
    try:
        return decoded(body)
    except UnicodeDecodeError:
        raise Unreadable("malformed_json", "The body is not UTF-8.") from None
    except ValueError:  # no JSON, or nested deeper than validators go
        raise Unreadable("malformed_json", "The body is not JSON that can be read.") from None


def _text(body: bytes) -> str:
    return body.decode("utf-8", "replace")


def _broken(parameter: _Parameter, value: Any) -> list[Problem]:
    if parameter.validator is None or parameter.validator.is_valid(value):
        return []
    found = problems_of(parameter.validator, value)
    return [
        Problem(kind=p.kind, detail=p.detail, parameter=parameter.name, format_name=p.format_name) for p in found[:1]
    ]


def _missing(parameter: _Parameter) -> Problem:
    return Problem(kind="required", detail=f"The parameter '{parameter.name}' is missing.", parameter=parameter.name)
