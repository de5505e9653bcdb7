"""Every place of a request that the contract says something about.

Parameters, body, and the members within, as a flat list.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import msgspec

from telnyx_conformance.contract.model import Edition, Operation, Parameter, Schema
from telnyx_conformance.contract.nodes import Node, Reader, reader_of

if TYPE_CHECKING:
    from collections.abc import Iterator

Location = Literal["body", "query", "path", "header"]
DEEPEST = 12
ANY_KEY = "key"  # the key under which a probe fills a map
# A header parameter that repeats the bearer token is an artefact of the document; HTTP itself governs the others.
GOVERNED_BY_HTTP = frozenset({"authorization_bearer", "authorization", "accept", "content-type"})
HEADER_LIKE = ("custom_headers", "sip_headers", "CustomHeaders", "SipHeaders")


class Link(msgspec.Struct, frozen=True, kw_only=True):
    """One step from the root to a place: the key in its parent (a name, or 0 for an item) and what holds there.

    `branch` names the alternatives that were chosen at this place to get further.
    """

    key: str | int
    node: Node
    branch: tuple[str, ...] = ()


class Field(msgspec.Struct, frozen=True, kw_only=True):
    """A place of a request, such as `request.body.sip_headers[].name`.

    `chain` leads from the root value (first link, key `""`) to the place. `required` tells whether its parent demands
    it. `closed` tells whether a wrong value here is wrong altogether: it is not where another alternative would take
    it. `wire` is `text` where every value is sent as text: parameters and forms.
    """

    place: str
    location: Location
    wire: Literal["json", "text"]
    chain: tuple[Link, ...]
    required: bool
    closed: bool
    parameter: Parameter | None = None

    @property
    def node(self) -> Node:
        """What holds at the place."""
        return self.chain[-1].node

    @property
    def name(self) -> str:
        """The last name on the way to the place."""
        return next((str(link.key) for link in reversed(self.chain) if isinstance(link.key, str) and link.key), "")

    @property
    def path(self) -> tuple[str | int, ...]:
        """The keys from the root value to the place."""
        return tuple(link.key for link in self.chain[1:])

    @property
    def pointer(self) -> str:
        """The JSON pointer of the place."""
        return pointer_of(self.path)

    @property
    def within(self) -> int:
        """How many leading links stand outside every alternative.

        The deepest of them is what a judge can blame at least.
        """
        branched = (number for number, link in enumerate(self.chain, start=1) if link.branch or link.node.wrapped)
        return next(branched, len(self.chain))

    @property
    def header_like(self) -> bool:
        """Whether it belongs to a list of SIP or custom headers."""
        return any(key in HEADER_LIKE for key in self.path)


def pointer_of(path: tuple[str | int, ...]) -> str:
    """Return the JSON pointer (RFC 6901) of a path."""
    return "".join("/" + str(key).replace("~", "~0").replace("/", "~1") for key in path)


def fields_of(edition: Edition, operation: Operation) -> tuple[Field, ...]:
    """Return the places of an operation's requests.

    The body's first, then query, path and headers, each in documented order.
    """
    reader = reader_of(edition)
    found: list[Field] = []
    if operation.body is not None and (schema := operation.body.content.get(operation.body.media_type)):
        wire: Literal["json", "text"] = "json" if is_json(operation.body.media_type) else "text"
        root = Field(
            place="request.body",
            location="body",
            wire=wire,
            chain=(Link(key="", node=reader.node(schema)),),
            required=operation.body.required,
            closed=True,
        )
        if not (wire == "text" and root.node.kind not in ("object", "")):
            found += _walk(reader, root, ())
    for parameter in operation.parameters:
        if parameter.location == "header" and parameter.name.lower() in GOVERNED_BY_HTTP:
            continue
        root = Field(
            place=f"request.{parameter.location}.{parameter.name}",
            location=parameter.location,
            wire="text",
            chain=(Link(key="", node=reader.node(parameter.schema)),),
            required=parameter.required,
            closed=True,
            parameter=parameter,
        )
        found += _walk(reader, root, ())
    return tuple(found)


def is_json(media_type: str) -> bool:
    """Tell whether a body of this media type is JSON.

    A body of any type (`*/*`) with a described shape is sent as JSON.
    """
    return media_type == "*/*" or media_type.partition(";")[0].endswith(("/json", "+json"))


def _walk(reader: Reader, field: Field, seen: tuple[str, ...]) -> Iterator[Field]:
    yield field
    if len(field.chain) > DEEPEST:
        return
    yield from _members(reader, field, field.node, seen)
    for number, choice in enumerate(field.node.choices):
        separate = reader.separate(choice)
        reachable = reader.reachable(choice)
        for index, (branch, name) in enumerate(zip(choice.branches, choice.names, strict=True)):
            inner_seen = _entered(branch, seen)
            if inner_seen is None or name not in reachable:
                continue
            last = field.chain[-1]
            chosen = reader.chosen(field.node, number, index)
            link = Link(key=last.key, node=chosen, branch=(*last.branch, name))
            branched = msgspec.structs.replace(
                field,
                place=f"{field.place}({name})",
                chain=(*field.chain[:-1], link),
                required=False,
                closed=field.closed and separate,
            )
            own = {k: v for k, v in chosen.properties.items() if k not in field.node.properties}
            if own or chosen.items is not None or isinstance(chosen.additional, dict):
                known = {k: v for k, v in chosen.properties.items() if k in own or v != field.node.properties[k]}
                yield from _members(reader, branched, msgspec.structs.replace(chosen, properties=known), inner_seen)


def _members(reader: Reader, field: Field, node: Node, seen: tuple[str, ...]) -> Iterator[Field]:
    for name, schema in node.properties.items():
        yield from _member(
            reader, field, schema, seen, key=name, place=f"{field.place}.{name}", required=name in field.node.required
        )
    if node.items is not None:
        yield from _member(reader, field, node.items, seen, key=0, place=f"{field.place}[]", required=False)
    if isinstance(node.additional, dict):
        yield from _member(
            reader, field, node.additional, seen, key=ANY_KEY, place=f"{field.place}{{*}}", required=False
        )


def _member(
    reader: Reader,
    parent: Field,
    schema: Schema,
    seen: tuple[str, ...],
    *,
    key: str | int,
    place: str,
    required: bool,
) -> Iterator[Field]:
    entered = _entered(schema, seen)
    if entered is None:
        return
    if parent.wire == "text" and (key == ANY_KEY or (key != 0 and len(parent.chain) > 1)):
        return  # how a form or a query nests objects is not documented, so nothing can be required of it
    field = msgspec.structs.replace(
        parent,
        place=place,
        chain=(*parent.chain, Link(key=key, node=reader.node(schema))),
        required=required,
    )
    yield from _walk(reader, field, entered)


def _entered(schema: Schema, seen: tuple[str, ...]) -> tuple[str, ...] | None:
    """Return the references on the way, `None` when this one is already among them.

    A schema within itself is described once.
    """
    reference = schema.get("$ref")
    if reference is None:
        return seen
    return None if reference in seen else (*seen, reference)
