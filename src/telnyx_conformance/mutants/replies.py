"""Faults of answers: status, media type, envelope, fields, error bodies, and bodies that are not what they are called."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from telnyx_conformance.contract.envelopes import JSON, envelope_of, properties_of
from telnyx_conformance.emulator import refusals
from telnyx_conformance.emulator.account import Refusal
from telnyx_conformance.emulator.fault import Fault
from telnyx_conformance.emulator.reply import Reply, json_reply
from telnyx_conformance.mutants.answers import EACH, wrong_value
from telnyx_conformance.mutants.rules import NO_NUMBER, with_length

if TYPE_CHECKING:
    from collections.abc import Callable

    from telnyx_conformance.contract.model import Edition, Operation
    from telnyx_conformance.mutants.mutant import Mutant

SUCCESSES = (203, 206, 202, 201, 200)
NO_ENVELOPE = b'"no"'
PAGE = b"<html><body>Service temporarily unavailable</body></html>"
OTHER_TYPE = b"text/html"
UNSPECIFIC = "10015"
BROKEN_ERRORS: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "error-title-missing": lambda error: {name: part for name, part in error.items() if name != "title"},
    "error-code-missing": lambda error: {name: part for name, part in error.items() if name != "code"},
    "error-code-type": lambda error: {**error, "code": int(error["code"])},
}


class ReplyFault(Fault):
    """Bends one operation's answers, but for so many that are `skipped`."""

    def __init__(self, mutant: Mutant, edition: Edition, operation: Operation, *, skipped: int = 0) -> None:
        super().__init__()
        self._skipped = skipped
        self._mutant, self._edition, self._operation = mutant, edition, operation
        self._was_refused = False
        self._error = mutant.site.removeprefix("error.") if mutant.site.startswith("error.") else ""
        self._envelope = envelope_of(edition, operation)
        self._bend: Callable[[Reply], Reply] = {
            "status-wrong": self._status, "content-type-wrong": self._content_type, "body-not-empty": self._not_empty,
            "internal-error": self._internal, "body-truncated": self._truncated, "body-not-json": self._not_json,
            "error-envelope-wrong": self._bare_error, "command-refused": self._refused, "refusal-code-wrong": self._code,
            "refusal-status-wrong": self._other_refusal,
            **dict.fromkeys(BROKEN_ERRORS, self._broken_error),
        }.get(mutant.operator, self._document)  # fmt: skip

    def overlooks(self, operation: Operation, refused: Exception) -> bool:
        """Take note of why a request is refused."""
        self._was_refused = operation.id == self._operation.id and isinstance(refused, Refusal)
        return False

    def answered(self, operation: Operation, reply: Reply) -> Reply:
        """Bend the answer."""
        was_refused, self._was_refused = self._was_refused, False
        if operation.id != self._operation.id:
            return reply
        if self._skipped > 0:
            self._skipped -= 1
            return reply
        is_success = 200 <= reply.status < 300  # noqa: PLR2004 - RFC 9110
        if is_success == (bool(self._error) or self._mutant.operator.startswith("refusal-")):
            return reply
        if self._error and self._error != self._meant(reply, was_refused=was_refused):
            return reply
        bent = self._bend(reply)
        if bent.body is not reply.body or (bent.status, bent.headers) != (reply.status, reply.headers):
            self.bites()
        return bent

    @staticmethod
    def _meant(reply: Reply, *, was_refused: bool) -> str:
        """Return the documented refusal that an answer stands for: calls say 422 for what is not there."""
        if reply.status == 401:  # noqa: PLR2004 - RFC 9110
            return "401"
        return "404" if was_refused else "422"

    def _status(self, reply: Reply) -> Reply:
        documented = {response.status for response in self._operation.responses}
        return msgspec.structs.replace(reply, status=next(s for s in SUCCESSES if str(s) not in documented))

    @staticmethod
    def _content_type(reply: Reply) -> Reply:
        others = [row for row in reply.headers if row[0] != b"content-type"]
        return msgspec.structs.replace(reply, headers=[*others, (b"content-type", OTHER_TYPE)])

    @staticmethod
    def _not_empty(reply: Reply) -> Reply:
        return json_reply(200 if reply.status == 204 else reply.status, b'{"data": {}}')  # noqa: PLR2004 - 204 has no body

    @staticmethod
    def _internal(_: Reply) -> Reply:
        return json_reply(*refusals.of_situation("internal"))

    @staticmethod
    def _truncated(reply: Reply) -> Reply:
        return with_body(reply, reply.body[: len(reply.body) // 2])

    @staticmethod
    def _not_json(reply: Reply) -> Reply:
        return with_body(reply, PAGE)

    @staticmethod
    def _bare_error(reply: Reply) -> Reply:
        return with_body(reply, NO_ENVELOPE)

    def _broken_error(self, reply: Reply) -> Reply:
        said, change = msgspec.json.decode(reply.body), BROKEN_ERRORS[self._mutant.operator]
        return with_body(reply, msgspec.json.encode({"errors": [change(error) for error in said["errors"]]}))

    @staticmethod
    def _refused(_: Reply) -> Reply:
        return json_reply(422, refusals.encode([refusals.error(UNSPECIFIC)]))

    @staticmethod
    def _other_refusal(reply: Reply) -> Reply:
        return msgspec.structs.replace(reply, status=418)  # RFC 9110, section 15.5.19: never to be used

    @staticmethod
    def _code(reply: Reply) -> Reply:
        said = msgspec.json.decode(reply.body)
        return with_body(reply, msgspec.json.encode({"errors": [{**e, "code": NO_NUMBER} for e in said["errors"]]}))

    def _document(self, reply: Reply) -> Reply:
        try:
            document, before = msgspec.json.decode(reply.body), msgspec.json.decode(reply.body)
        except ValueError:
            return reply
        operator, slot = self._mutant.operator, self._envelope.slot
        if operator == "envelope-wrong":
            document = document.get(slot, document)
        elif operator == "totals-wrong":
            document = _without_totals(document)
        elif operator == "value-not-echoed":
            document = self._otherwise(document, self._mutant.site.rpartition(":")[2])
        elif operator == "answer-wrong":
            _, _, field = self._mutant.site.split(".", 2)
            _bend_at(document.get("data"), field, to_null=self._mutant.variant == "null")
        else:
            self._change(document, self._mutant.site.partition(":")[2])
        return reply if document == before else with_body(reply, msgspec.json.encode(document))

    def _otherwise(self, document: Any, name: str) -> Any:
        holder = document.get(self._envelope.slot) if self._envelope.slot else document
        if isinstance(holder, dict) and holder.get(name) is not None:
            holder[name] = other_value(holder[name])
        return document

    def _change(self, document: Any, place: str) -> None:
        stem, _, name = place.rpartition(".")
        holders: list[Any] = [document]
        if stem:
            found = document.get(stem.removesuffix(EACH)) if isinstance(document, dict) else None
            holders = found if stem.endswith(EACH) and isinstance(found, list) else [found]
        for holder in holders:
            if not isinstance(holder, dict):
                continue
            if self._mutant.variant == "missing":
                holder.pop(name, None)
            elif self._mutant.variant == "null":
                holder[name] = None
            else:
                holder[name] = wrong_value(self._schema(stem, name))

    def _schema(self, stem: str, name: str) -> dict[str, Any]:
        whole = self._operation.success.content[JSON]
        return self._edition.resolve(properties_of(self._edition, self._envelope.item if stem else whole)[name])


def _bend_at(holder: Any, path: str, *, to_null: bool) -> None:
    """Change what stands at a path with dots: to null, else to another value of its type."""
    name, _, rest = path.partition(".")
    if isinstance(holder, list) and not rest and name.isdigit():
        holder[int(name) : int(name) + 1] = [None if to_null else other_value(item) for item in holder[int(name) :][:1]]
    elif isinstance(holder, list):
        for item in holder[int(name) : int(name) + 1] if name.isdigit() else holder:  # or a leg's, whichever it is
            _bend_at(item, rest, to_null=to_null)
    elif isinstance(holder, dict) and rest:
        _bend_at(holder.get(name), rest, to_null=to_null)
    elif isinstance(holder, dict):
        value = holder.get(name)
        holder[name] = None if to_null else "unexpected" if value is None else other_value(value)


def other_value(value: Any) -> Any:
    """Return another value of the same type."""
    if isinstance(value, bool):
        return not value
    return value + 1 if isinstance(value, int | float) else f"{value}-other"


def _without_totals(document: Any) -> Any:
    meta = document.get("meta")
    if isinstance(meta, dict):
        document["meta"] = {**meta, **{name: 0 for name in meta if name.startswith("total_")}}
    return document


def with_body(reply: Reply, body: bytes) -> Reply:
    """Return a reply with another body."""
    return Reply(reply.status, with_length(reply.headers, body), body)
