"""Bodies that say the same in other words: what JSON and the documentation leave open in an answer."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import msgspec

from telnyx_conformance.contract.catalogue import load_errors
from telnyx_conformance.contract.envelopes import JSON, envelope_of
from telnyx_conformance.emulator.fault import Fault
from telnyx_conformance.mutants.rules import with_length

if TYPE_CHECKING:
    from telnyx_conformance.contract.model import Edition, Operation
    from telnyx_conformance.emulator.account import Ask
    from telnyx_conformance.emulator.fault import Arrival
    from telnyx_conformance.emulator.refusals import Problem
    from telnyx_conformance.emulator.reply import Reply

Change = Callable[[Any], Any]
UNKNOWN = {"x_not_documented": {"more": [1, 2.5, None, "ä"]}}
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z\Z")
MADE_BY_THE_SERVER = ("created_at", "updated_at")
REFUSAL = 400
NOBODY_TO_BLAME = ("no_credentials", "unknown_key", "unknown_resource", "unknown_call", "ended_call")


class Recoded(Fault):
    """Writes the same JSON document in other bytes, whatever the answer is about."""

    def __init__(self, encode: Callable[[Any], bytes]) -> None:
        super().__init__()
        self._encode = encode

    def leaves(self, reply: Reply) -> Reply:
        """Encode the body anew."""
        if not _is_json(reply):
            return reply
        body = self._encode(msgspec.json.decode(reply.body))
        return reply if body == reply.body else self._bitten(reply, body)

    def _bitten(self, reply: Reply, body: bytes) -> Reply:
        self.bites()
        return msgspec.structs.replace(reply, body=body, headers=with_length(reply.headers, body))


class Changed(Recoded):
    """Changes the documents of successes, or of refusals; `change` returns another document or the same."""

    def __init__(self, change: Change, *, of_refusals: bool = False) -> None:
        super().__init__(msgspec.json.encode)
        self._change, self._of_refusals = change, of_refusals

    def leaves(self, reply: Reply) -> Reply:
        """Let what is not the reply of an operation as it is."""
        return reply

    def answered(self, operation: Operation, reply: Reply) -> Reply:
        """Change the document."""
        if not _is_json(reply) or (reply.status >= REFUSAL) != self._of_refusals or not self.is_about(operation):
            return reply
        document = msgspec.json.decode(reply.body)
        changed = self.changed(operation, document)
        body = msgspec.json.encode(changed)
        return reply if body == msgspec.json.encode(document) else self._bitten(reply, body)

    def is_about(self, operation: Operation) -> bool:
        """Whether the operation's answers are changed at all."""
        return operation.server == "api"

    def changed(self, operation: Operation, document: Any) -> Any:  # noqa: ARG002 - others look at it
        """Return the document in other words."""
        return self._change(document)


class Resources(Changed):
    """Changes each resource that a success carries: the one it is about, or every item of its list."""

    def __init__(self, edition: Edition, change: Change, *, lists: bool) -> None:
        super().__init__(change)
        self._edition, self._lists = edition, lists

    def changed(self, operation: Operation, document: Any) -> Any:
        """Return the document with its resources changed."""
        slot = envelope_of(self._edition, operation).slot
        held = document.get(slot) if slot and isinstance(document, dict) else document
        if self._lists != isinstance(held, list):
            return document
        new = [self._change(one) for one in held] if isinstance(held, list) else self._change(held)
        return {**document, slot: new} if slot and isinstance(document, dict) and slot in document else new


class Unordered(Resources):
    """Turns the items of a page round where nobody asked for an order and none is documented."""

    def __init__(self, edition: Edition) -> None:
        super().__init__(edition, lambda item: item, lists=True)
        self._is_sorted = False

    def arrives(self, arrival: Arrival) -> None:
        """Take note whether an order is asked for."""
        super().arrives(arrival)
        self._is_sorted = "sort" in arrival.target.partition("?")[2]

    def is_about(self, operation: Operation) -> bool:
        """Whether the order of the list is the server's to choose."""
        named = (p for p in operation.parameters_in("query") if p.name.startswith("sort"))
        return not self._is_sorted and not any("default" in self._edition.resolve(p.schema) for p in named)

    def changed(self, operation: Operation, document: Any) -> Any:
        """Return the document with its list turned round."""
        slot = envelope_of(self._edition, operation).slot
        held = document.get(slot) if slot and isinstance(document, dict) else None
        return {**document, slot: held[::-1]} if isinstance(held, list) else document


class OtherStatus(Fault):
    """Answers with another of the documented statuses of the same success."""

    def answered(self, operation: Operation, reply: Reply) -> Reply:
        """Take the last documented one with a body like this one's."""
        documented = {r.status: r for r in operation.responses if r.status.startswith("2")}
        mine = documented.get(str(reply.status))
        alike = [s for s, r in documented.items() if mine is not None and r.content == mine.content]
        other = int(alike[-1]) if alike else reply.status
        if other == reply.status:
            return reply
        self.bites()
        return msgspec.structs.replace(reply, status=other)


class OtherRefusal(Fault):
    """Refuses bad values with another status than 422, where the catalogue of errors accepts it."""

    def __init__(self, status: int) -> None:
        super().__init__()
        self._status = status
        self._is_about_values = False

    def problems(self, ask: Ask, found: list[Problem]) -> list[Problem]:
        """Take note whether this refusal is about values."""
        situations = {"invalid_parameter" if p.parameter else "invalid_body" for p in found[:1]}
        documented = any(response.status == str(self._status) for response in ask.operation.responses)
        accepted = all(self._status in load_errors().situation(name).statuses for name in situations)
        self._is_about_values = bool(found) and accepted and not documented
        return found

    def answered(self, operation: Operation, reply: Reply) -> Reply:
        """Answer with the other status."""
        was_about_values, self._is_about_values = self._is_about_values, False
        is_described = any(r.status == str(reply.status) and r.content for r in operation.responses)
        if not was_about_values or is_described or reply.status == self._status:
            return reply
        self.bites()
        return msgspec.structs.replace(reply, status=self._status)


def reversed_members(value: Any) -> Any:
    """Return a document with the members of each object in the opposite order."""
    if isinstance(value, dict):
        return {name: reversed_members(value[name]) for name in reversed(value)}
    return [reversed_members(part) for part in value] if isinstance(value, list) else value


def sorted_members(value: Any) -> Any:
    """Return a document with the members of each object in alphabetical order."""
    if isinstance(value, dict):
        return {name: sorted_members(value[name]) for name in sorted(value)}
    return [sorted_members(part) for part in value] if isinstance(value, list) else value


def with_unknown(value: Any) -> Any:
    """Return an object with a member that nobody documents."""
    return {**value, **UNKNOWN} if isinstance(value, dict) else value


def with_unknown_in_meta(document: Any) -> Any:
    """Return a list's document with a member in `meta` that nobody documents."""
    held = isinstance(document, dict) and isinstance(document.get("meta"), dict)
    return {**document, "meta": with_unknown(document["meta"])} if held else document


def whole_as_fractions(value: Any) -> Any:
    """Return a document with each whole number written as 1.0 where that loses nothing."""
    if isinstance(value, dict):
        return {name: whole_as_fractions(part) for name, part in value.items()}
    if isinstance(value, list):
        return [whole_as_fractions(part) for part in value]
    is_whole = isinstance(value, int) and not isinstance(value, bool) and float(value) == value
    return float(value) if is_whole and abs(value) < 10**15 else value


def indented(document: Any) -> bytes:
    """Return JSON over many lines."""
    return msgspec.json.format(msgspec.json.encode(document), indent=2)


def escaped(document: Any) -> bytes:
    r"""Return JSON of ASCII letters only, all others as \u escapes, and slashes escaped."""
    return json.dumps(document).replace("/", "\\/").encode()


def padded(document: Any) -> bytes:
    """Return JSON between white space."""
    return b"\r\n \t" + msgspec.json.encode(document) + b"\n\n"


def with_moments(write: Callable[[datetime], str]) -> Change:
    """Return a change that writes the times at which a resource was made and changed in another notation."""

    def change(value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        told = {n: value[n] for n in MADE_BY_THE_SERVER if isinstance(value.get(n), str) and MOMENT.match(value[n])}
        return {**value, **{name: write(datetime.fromisoformat(text)) for name, text in told.items()}}

    return change


def seconds_only(moment: datetime) -> str:
    """Return a time without a fraction."""
    return moment.astimezone(UTC).replace(microsecond=0).isoformat().replace("+00:00", "Z")


def microseconds(moment: datetime) -> str:
    """Return a time with six digits behind the point."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def with_offset(moment: datetime) -> str:
    """Return a time with its offset in digits."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds")


def each_error(change: Callable[[dict[str, Any]], dict[str, Any]]) -> Change:
    """Return a change of every error of a refusal in Telnyx's envelope."""
    return errors(lambda listed: [change(error) for error in listed])


def errors(change: Callable[[list[dict[str, Any]]], list[dict[str, Any]]]) -> Change:
    """Return a change of the list of errors of a refusal in Telnyx's envelope."""

    def changed(document: Any) -> Any:
        held = document.get("errors") if isinstance(document, dict) else None
        return {**document, "errors": change(held)} if isinstance(held, list) else document

    return changed


def without(*names: str) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """Return a change that leaves members out."""
    return lambda error: {name: part for name, part in error.items() if name not in names}


def bare_where_nobody_is_to_blame(error: dict[str, Any]) -> dict[str, Any]:
    """Return an error about credentials or a resource with code, title and detail alone."""
    catalogue = load_errors()
    nobody = [c for name in NOBODY_TO_BLAME for c in catalogue.situation(name).codes]
    blames = error.get("source", {"pointer": "/"}) != {"pointer": "/"}
    is_bare = error.get("code") in nobody and not blames
    return {name: error[name] for name in ("code", "title", "detail") if name in error} if is_bare else error


def another_code_of_the_situation(error: dict[str, Any]) -> dict[str, Any]:
    """Return an error with another of the codes that are listed for a request without good credentials."""
    situation = load_errors().situation("no_credentials")
    others = [code for also in situation.also for code in also.codes if code in load_errors().codes]
    if error.get("code") not in situation.codes or not others:
        return error
    return {**error, "code": others[0], "title": load_errors().codes[others[0]].title}


def _is_json(reply: Reply) -> bool:
    return bool(reply.body) and any(
        name.lower() == b"content-type" and value.startswith(JSON.encode()) for name, value in reply.headers
    )
