"""Success bodies made from response schemas, compiled once per schema to small functions.

A maker takes what is known (a stored record, a request body) and keeps every value that fits its place; the rest comes
from the schema: its first example, default, enum member or bound. Equal requests at equal times give equal bodies.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from telnyx_conformance.contract.envelopes import Envelope, envelope_of, properties_of
from telnyx_conformance.contract.validators import Validator, compiled
from telnyx_conformance.emulator.leaves import ABSENT, leaf_maker, scalar_validator, types_in
from telnyx_conformance.emulator.plausible import Making

if TYPE_CHECKING:
    from telnyx_conformance.contract.model import Edition, Operation

Maker = Callable[[Making, Any], Any]
DEEPEST = 12
MOST_REPAIRS = 12


class Synthesis:
    """Makes one operation's success bodies. `settable` are the names a client may set: such a field is not invented."""

    def __init__(self, compiler: Compiler, operation: Operation, settable: frozenset[str] = frozenset()) -> None:
        edition = compiler.edition
        self.envelope: Envelope = envelope_of(edition, operation)
        self.status = int(operation.success.status)
        schema = operation.success.content.get("application/json")
        self.is_json = schema is not None
        self.item_names = frozenset(properties_of(edition, self.envelope.item)) if self.envelope.item else frozenset()
        self._validator: Validator | None = compiled(edition.document, schema, "response") if schema else None
        self._item = compiler.maker(self.envelope.item, "", settable) if self.envelope.item else None
        whole = schema or {}
        self._frame = compiler.maker(whole, "", frozenset(), without=self.envelope.slot) if self.envelope.slot else None

    def item(self, making: Making, known: Mapping[str, Any]) -> Any:
        """Return one resource in this operation's shape, `None` when nothing that satisfies its schema can be made."""
        made = self._item(making, known) if self._item else {}
        return None if made is ABSENT else made

    def body(self, making: Making, content: Any, frame: Mapping[str, Any] | None = None) -> Any:
        """Return the whole body around a resource or a list of them; `frame` holds what is known of the rest."""
        if self._frame is None:
            return content
        body = self._frame(making, frame or {})
        body = body if isinstance(body, dict) else {}
        return {self.envelope.slot: content, **body}

    def answer(self, making: Making, known: Mapping[str, Any], frame: Mapping[str, Any] | None = None) -> Any:
        """Return a valid body around one resource: what does not fit in it after all is left out of `known`."""
        kept = dict(known)
        for _ in range(MOST_REPAIRS):
            item = self.item(making, kept)
            body = self.body(making, self._content(item), frame)
            culprit = self._culprit(body)
            if culprit is None:
                return body
            if culprit not in kept:
                break
            del kept[culprit]
        item = self.item(making, {})
        return self.body(making, self._content(item))

    def _content(self, item: Any) -> Any:
        if self.envelope.is_list:
            return [] if item is None else [item]
        return {} if item is None else item

    def _culprit(self, body: Any) -> str | None:
        """Return the field that makes the body invalid, empty for another place, `None` when it is valid."""
        if self._validator is None or self._validator.is_valid(body):
            return None
        depth = (1 if self.envelope.slot else 0) + (1 if self.envelope.is_list else 0)
        for error in self._validator.iter_errors(body):
            path = list(error.instance_path)
            if len(path) > depth:
                return str(path[depth])
        return ""


class Compiler:
    """Makers for an edition's schemas; those of shared schemas are shared, unless they lead back to themselves."""

    def __init__(self, edition: Edition) -> None:
        self.edition = edition
        self._open: list[int] = []
        self._cuts = 0
        self._shared: dict[tuple[str, str, frozenset[str], str], Maker] = {}

    def maker(self, schema: Mapping[str, Any], name: str, settable: frozenset[str], without: str = "") -> Maker:
        """Return the maker of a field called `name`, of which clients may set the fields `settable`."""
        key = (schema["$ref"], name, settable, without) if set(schema) == {"$ref"} else None
        if key is not None and key in self._shared:
            return self._shared[key]
        node = self.edition.resolve(schema)
        marker = id(node.get("properties")) if "properties" in node else 0
        if len(self._open) > DEEPEST or (marker and marker in self._open):
            self._cuts += 1
            return _nothing
        self._open.append(marker)
        cuts = self._cuts
        try:
            made = self._maker(node, name, settable, without)
        finally:
            self._open.pop()
        if key is not None and cuts == self._cuts:
            self._shared[key] = made
        return made

    def _maker(self, node: dict[str, Any], name: str, settable: frozenset[str], without: str) -> Maker:
        if "allOf" in node:
            node = self._merged(node)
        branches = node.get("oneOf") or node.get("anyOf")
        if branches and "properties" not in node:
            return self._choice("oneOf" if "oneOf" in node else "anyOf", branches, name, settable, without)
        types = types_in(node)
        if "object" in types or "properties" in node:
            return self._object(node, settable, without)
        if "array" in types:
            return self._array(node, name)
        return leaf_maker(node, name)

    def _merged(self, node: dict[str, Any]) -> dict[str, Any]:
        merged: dict[str, Any] = {k: v for k, v in node.items() if k != "allOf"}
        properties: dict[str, Any] = {}
        required: list[str] = []
        for part in (*node["allOf"], merged):
            inner = self.edition.resolve(part)
            if "allOf" in inner:
                inner = self._merged(inner)
            merged = {**{k: v for k, v in inner.items() if k not in ("properties", "required")}, **merged}
            for key, value in inner.get("properties", {}).items():
                properties[key] = (
                    {**self.edition.resolve(properties[key]), **self.edition.resolve(value)}
                    if key in properties
                    else value
                )
            required += inner.get("required", [])
        if properties:
            merged["properties"] = properties
        if required:
            merged["required"] = required
        return merged

    def _choice(
        self, keyword: str, branches: list[Mapping[str, Any]], name: str, settable: frozenset[str], without: str
    ) -> Maker:
        options = [b for b in branches if "null" not in types_in(self.edition.resolve(b))] or list(branches)
        makers = [self.maker(b, name, settable, without) for b in options]
        validators = [compiled(self.edition.document, b, "response") for b in options]
        whole = compiled(self.edition.document, {keyword: list(branches)}, "response")

        def choose(making: Making, known: Any) -> Any:
            if known is not ABSENT and known != {}:
                made_by = [
                    (maker(making, known), validator) for maker, validator in zip(makers, validators, strict=True)
                ]
                meant = [made for made, v in made_by if made is not ABSENT and (v.is_valid(known) or made == known)]
                likely = [made for made in meant if whole.is_valid(made)]
                if likely:
                    return max(likely, key=lambda made: _kept(known, made))
            given = known if isinstance(known, Mapping) else {}
            possible = [maker(making, given or ABSENT) for maker in makers]
            fitting = [made for made in possible if made is not ABSENT and whole.is_valid(made)]
            # None, where nothing that can be made is valid under exactly the branches that it should be.
            return max(fitting, key=lambda made: _kept(given, made), default=ABSENT)

        return choose

    def _object(  # noqa: C901 - the maker within is kept flat for speed
        self, node: dict[str, Any], settable: frozenset[str], without: str
    ) -> Maker:
        required = frozenset(node.get("required", ()))
        is_nullable = "null" in types_in(node)
        fields: list[tuple[str, Maker, bool, Any]] = []
        for key, part in node.get("properties", {}).items():
            if key == without:
                continue
            inner = self.edition.resolve(part)
            if inner.get("writeOnly") and key not in required:
                continue
            unset = _unset(inner, is_required=key in required) if key in settable or key in NOT_YET else _INVENT
            fields.append((key, self.maker(part, key, frozenset()), key in required, unset))
        undeclared = [key for key in required if key not in node.get("properties", {}) and key != without]
        fields += [(key, _echo, True, _INVENT) for key in undeclared]
        if not fields and not without:
            return _free_object(is_nullable=is_nullable)

        def make(making: Making, known: Any) -> Any:
            if known is None and is_nullable:
                return None
            given = known if isinstance(known, Mapping) else {}
            made: dict[str, Any] = {}
            for key, maker, is_required, unset in fields:
                value = given.get(key, ABSENT)
                if value is ABSENT and unset is not _INVENT:
                    if unset is not ABSENT:
                        made[key] = unset
                    continue
                result = maker(making, value)
                if result is not ABSENT:
                    made[key] = result
                elif is_required:
                    made[key] = None
            return made

        return make

    def _array(self, node: dict[str, Any], name: str) -> Maker:
        item = self.maker(node.get("items") or {}, name, frozenset())
        least, most = int(node.get("minItems", 0)), int(node.get("maxItems", 1000))
        is_nullable = "null" in types_in(node)

        def make(making: Making, known: Any) -> Any:
            if known is None and is_nullable:
                return None
            given = known[:most] if isinstance(known, list) else []
            made = [part for part in (item(making, value) for value in given) if part is not ABSENT]
            while len(made) < least:
                made.append(item(making, ABSENT))
            return made

        return make


def _kept(known: Any, made: Any) -> int:
    """Return how much of what is known stands in what was made."""
    if not isinstance(known, Mapping) or not isinstance(made, dict):
        return 0
    return sum(made.get(name) == value for name, value in known.items())


_INVENT = msgspec.UNSET


# What has not happened yet, or did not go wrong.
NOT_YET = frozenset({
    "deleted_at", "deletedAt", "canceled_at", "cancelled_at", "ended_at", "failed_at", "error_code", "error_message",
    "error_description", "failure_reason", "failureReasons",
})  # fmt: skip


def _unset(node: Mapping[str, Any], *, is_required: bool) -> Any:
    """Return what a field that the client could have set and did not holds: its default, null, or nothing."""
    if "default" in node and scalar_validator(node).is_valid(node["default"]):
        return node["default"]
    if "null" in types_in(node):
        return None
    return _INVENT if is_required else ABSENT


def _free_object(*, is_nullable: bool) -> Maker:
    def make(_: Making, known: Any) -> Any:
        if known is None and is_nullable:
            return None
        return known if isinstance(known, dict) else {}

    return make


def _echo(_: Making, known: Any) -> Any:
    """Return what is known of a field that is required and declared nowhere."""
    return known


def _nothing(_: Making, __: Any) -> Any:
    return ABSENT
