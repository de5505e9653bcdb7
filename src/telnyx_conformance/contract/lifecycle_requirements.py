"""Requirements on the life of a resource, read off its lifecycle: which operations create, show, change and delete it.

A statement is about one operation and is judged by what others show afterwards; where nothing could show it, it is not
made. `departs` in a lifecycle names those that do not hold, with the reason.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import msgspec

from telnyx_conformance.contract.document import editions
from telnyx_conformance.contract.echoes import shared_fields
from telnyx_conformance.contract.envelopes import JSON, envelope_of, properties_of
from telnyx_conformance.contract.kinds import KINDS
from telnyx_conformance.contract.lifecycles import Resource, load_lifecycles, path_parameters
from telnyx_conformance.contract.model import Operation, Requirement

if TYPE_CHECKING:
    from collections.abc import Iterator

    from telnyx_conformance.contract.model import Edition

PLACE = "lifecycles"
# What a resource goes through and when it last did: that moves while nobody asks for anything.
BY_ITSELF = ("status", "state", "updated_at", "updatedAt")
SOME = 2  # to see that only one is touched, there must be another; to see a field stay, there must be a second


class Life(msgspec.Struct, frozen=True, kw_only=True):
    """The operations that make up the life of a resource, as far as they answer in JSON.

    `lists` is a list that shows the resource's id. `fields` maps the operations that create or change it to the fields
    that they set and a look then shows, `defaults` creations to the documented defaults among those.
    """

    resource: Resource
    creates: tuple[Operation, ...] = ()
    reads: Operation | None = None
    lists: Operation | None = None
    updates: Operation | None = None
    deletes: Operation | None = None
    fields: dict[str, tuple[str, ...]] = {}
    defaults: dict[str, dict[str, Any]] = {}

    @property
    def operations(self) -> tuple[Operation, ...]:
        """All of them, in the order of a life."""
        others = (self.reads, self.lists, self.updates, self.deletes)
        return (*self.creates, *(o for o in others if o is not None))

    @property
    def changeable(self) -> tuple[str, ...]:
        """The fields that a change can set and a look then shows."""
        return self.fields[self.updates.id] if self.updates else ()

    @property
    def settable(self) -> tuple[str, ...]:
        """The fields that a creation or change can set and a look then shows, sorted."""
        return tuple(sorted({name for names in self.fields.values() for name in names}))

    def is_volatile(self, name: str) -> bool:
        """Whether a property may be another at the next look though nobody changed it."""
        return name.endswith(BY_ITSELF) or name in self.resource.volatile

    @property
    def is_seen(self) -> bool:
        """Whether a single one can be looked at, by itself or in a list."""
        return self.reads is not None or self.lists is not None

    @property
    def is_owned(self) -> bool:
        """Whether a path says which one is meant, so that somebody else could mean it too."""
        return not self.resource.any_key and not self.resource.common

    @property
    def has_several(self) -> bool:
        """Whether an account can hold more than one."""
        made = bool(self.creates) and not self.resource.singleton
        return made or self.resource.seeded >= SOME


@cache
def _has_lifecycles(edition: str) -> bool:
    """Whether an edition is one that is carried along: of any other the lifecycles say nothing."""
    return edition in editions()


def lifecycle_requirements(edition: Edition, operation: Operation) -> Iterator[Requirement]:
    """Yield what is required of an operation as a part of the life of its resource."""
    placed = load_lifecycles(edition.name).placed(operation.id) if _has_lifecycles(edition.name) else None
    if placed is None or operation.server != "api":
        return
    life = life_of(edition, placed.resource)
    if operation not in life.operations:
        return
    departs = placed.resource.departs.get(operation.id, {})
    for kind in _kinds(edition, life, operation):
        if kind in departs:
            continue
        row = KINDS[f"{PLACE}:{kind}"]
        yield Requirement(
            id=f"{operation.id}:{PLACE}:{kind}", operation=operation.id, group=operation.group,
            conformance_class=row.conformance_class, level=row.level, kind=kind, place=PLACE,
            statement=row.statement, source="document",
        )  # fmt: skip


def life_of(edition: Edition, resource: Resource) -> Life:
    """Return what can be seen of the life of a resource."""
    creates = tuple(o for o in _of(edition, resource, "create") if _tells_key(edition, resource, o))
    reads = next((o for o in _of(edition, resource, "read") if _shows_one(edition, o)), None)
    lists = next((o for o in _of(edition, resource, "list") if _shows_id(edition, resource, o)), None)
    updates = next(_of(edition, resource, "update"), None)
    deletes = next(_of(edition, resource, "delete"), None)
    life = Life(resource=resource, creates=creates, reads=reads, lists=lists, updates=updates, deletes=deletes)
    shown = envelope_of(edition, seen).item if (seen := reads or lists) else {}
    setting = (*creates, *((updates,) if updates else ()))
    fields = {o.id: _fields(edition, resource, o, shown) for o in setting}
    defaults = {o.id: _defaults(edition, o, fields[o.id], shown) for o in creates}
    return msgspec.structs.replace(life, fields=fields, defaults=defaults)


def _kinds(edition: Edition, life: Life, operation: Operation) -> Iterator[str]:
    addressed = bool(path_parameters(operation))
    if operation in life.creates:
        yield from _of_creation(edition, life, operation)
        return
    if operation in (life.reads, life.lists):
        yield "kept"
    if operation is life.updates and life.is_seen and life.changeable:
        yield "changed"
        if operation.method == "PATCH" and len(life.settable) >= SOME and _leaves_out(edition, life, operation):
            yield "merged"
        if life.has_several:
            yield "alone"
    if operation is life.deletes and life.is_seen:
        yield "gone"
        if life.has_several:
            yield "alone"
    if operation is life.deletes and not life.resource.any_key and not life.resource.singleton:
        yield "again"
    if life.is_owned and operation.secured and (addressed or operation is life.lists):
        yield "isolated"


def _leaves_out(edition: Edition, life: Life, operation: Operation) -> bool:
    """Whether a change can do without some field that can be set."""
    content = operation.body.content.get(JSON, {}) if operation.body else {}
    return not set(life.settable) <= set(edition.resolve(content).get("required", ()))


def _of_creation(edition: Edition, life: Life, operation: Operation) -> Iterator[str]:
    if life.reads is not None:
        yield "readable"
    if life.resource.singleton:
        return
    if life.resource.form != "given":
        yield "distinct"
    if life.lists is not None:
        yield "listed"
        if not envelope_of(edition, operation).is_list:  # else it may create several
            yield "once"
    if life.defaults[operation.id] and operation is life.creates[0]:
        yield "default"


def _of(edition: Edition, resource: Resource, role: str) -> Iterator[Operation]:
    for name in resource.operations.get(role, ()):  # type: ignore[call-overload]  # roles are literals
        operation = edition.operation(name)
        if operation.server == "api":
            yield operation


def _tells_key(edition: Edition, resource: Resource, operation: Operation) -> bool:
    """Whether it is known after a creation which one was created."""
    if resource.singleton or operation.path == resource.item:
        return True
    return bool(resource.identifier) and resource.identifier in _shown_by(edition, operation)


def _shows_one(edition: Edition, operation: Operation) -> bool:
    envelope = envelope_of(edition, operation)
    shown = properties_of(edition, envelope.item) if envelope.item else {}
    return operation.method == "GET" and bool(shown) and not envelope.is_list


def _shows_id(edition: Edition, resource: Resource, operation: Operation) -> bool:
    listed = envelope_of(edition, operation).is_list and bool(resource.identifier)
    return listed and resource.identifier in _shown_by(edition, operation)


def _shown_by(edition: Edition, operation: Operation) -> dict[str, Any]:
    return properties_of(edition, envelope_of(edition, operation).item)


def _fields(edition: Edition, resource: Resource, operation: Operation, shown: dict[str, Any]) -> tuple[str, ...]:
    """Return the plain fields that a request sets and a look shows.

    What names a resource is none of them, nor what may be set in some states only.
    """
    if operation.body is None or JSON not in operation.body.content or not shown:
        return ()
    asked = properties_of(edition, operation.body.content[JSON])
    found = shared_fields(edition, operation.body.content[JSON], shown)
    unfit = {resource.identifier, *resource.volatile}
    return tuple(n for n in found if n not in unfit and not _depends(edition.resolve(asked[n])))


def _depends(field: dict[str, Any]) -> bool:
    return any(rule["rule"] == "only-while" for rule in field.get("x-rules", ()))


def _defaults(edition: Edition, operation: Operation, fields: tuple[str, ...], shown: dict[str, Any]) -> dict[str, Any]:
    """Return the defaults that the request documents and the answer, where it names one too, does not contradict."""
    if operation.body is None or JSON not in operation.body.content:
        return {}
    asked, answered = properties_of(edition, operation.body.content[JSON]), properties_of(edition, shown)
    stated = {name: edition.resolve(asked[name]).get("default") for name in fields}
    told = {name: edition.resolve(answered[name]).get("default", value) for name, value in stated.items()}
    return {name: value for name, value in stated.items() if value is not None and told[name] == value}
