"""How resources come to be, are addressed and end.

From this, prerequisites are planned and the emulator keeps state.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from telnyx_conformance.contract.document import contracts_folder, load_edition, read_contract_file
from telnyx_conformance.contract.envelopes import envelope_of, properties_of
from telnyx_conformance.errors import ContractError, UnknownName

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from telnyx_conformance.contract.model import Edition, Operation

Role = Literal["create", "list", "read", "update", "delete", "action", "collection_action", "report"]
IdForm = Literal["uuid", "digits", "given", "campaign", "call_control_id"]
PARAMETER = re.compile(r"\{([^}]+)\}")


class Resource(msgspec.Struct, frozen=True, kw_only=True):
    """One kind of thing an account holds. `identifier` is the property that holds its id (empty: only the path does).

    `keyed_by` names the resource whose id addresses this one; `views` those it shows in another shape; with `any_key`
    every key is taken to exist; `seeded` is how many a fresh account has for each parent. `parent_property` holds the
    parent's id: a view with one shows what belongs to its parent. `seeded_for` maps query parameters to properties:
    what is seeded is about what was asked; `seeded_with` gives the values that seeded ones have in turn. With `common`
    every account sees the same ones. `departs` names the statements about a lifecycle that do not hold here, by
    operation, and `volatile` the properties that change by themselves, each with the reason.
    """

    name: str
    operations: dict[Role, tuple[str, ...]]
    group: str = ""
    collection: str = ""
    item: str = ""
    singleton: str = ""
    identifier: str = ""
    form: IdForm = "uuid"
    keyed_by: str = ""
    views: tuple[str, ...] = ()
    any_key: bool = False
    seeded: int = 0
    parent_property: str = ""
    seeded_for: dict[str, str] = {}
    seeded_with: dict[str, tuple[str, ...]] = {}
    common: bool = False
    departs: dict[str, dict[str, str]] = {}
    volatile: dict[str, str] = {}


class Key(msgspec.Struct, frozen=True, kw_only=True):
    """Where a path parameter's value comes from.

    A resource, or a value that may be used as it is (`exact`: no other exists).
    """

    resource: str = ""
    value: str = ""
    exact: bool = False


class Placement(msgspec.Struct, frozen=True, kw_only=True):
    """What an operation does, and to which resource."""

    role: Role
    resource: Resource


class Producer(msgspec.Struct, frozen=True, kw_only=True):
    """How to come by a path parameter's value.

    `value`: use it. `create`, `list`: call `operation`; the value stands at the dotted `place` of its success body,
    or, when `place` is empty, it is the value that the last path parameter of `operation` was given.
    """

    kind: Literal["create", "list", "value"]
    operation: str = ""
    place: str = ""
    value: str = ""


class _File(msgspec.Struct, frozen=True):
    group: str
    resources: tuple[Resource, ...] = ()
    keys: dict[str, dict[str, Key]] = {}


class Lifecycles:
    """The resources of an edition. Each operation has exactly one placement."""

    def __init__(self, edition: Edition, files: tuple[_File, ...]) -> None:
        self._edition = edition
        self.resources: dict[str, Resource] = {}
        self._placements: dict[str, Placement] = {}
        self._keys: dict[str, dict[str, Key]] = {}
        self._by_prefix: dict[str, str] = {}
        for file in files:
            self._keys |= file.keys
            for resource in file.resources:
                self.add(msgspec.structs.replace(resource, group=file.group))

    def add(self, resource: Resource) -> None:
        """Place the operations of one more resource. Raises `UnknownName` and `ContractError`."""
        self.resources[resource.name] = resource
        if resource.item:
            self._by_prefix[shape_of(resource.item)] = resource.name
        for role, operations in resource.operations.items():
            for operation in operations:
                if operation not in self._edition.by_id:
                    raise UnknownName("operation", operation, self._edition.by_id, where=f"lifecycles: {resource.name}")
                if operation in self._placements:
                    raise ContractError(
                        "an operation has two lifecycles", got=operation, where=f"lifecycles: {resource.name}"
                    )
                self._placements[operation] = Placement(role=role, resource=resource)

    def __iter__(self) -> Iterator[Resource]:
        return iter(self.resources.values())

    def of(self, operation_id: str) -> Placement:
        """Return what an operation does to which resource; raise `UnknownName` for one that no lifecycle names."""
        try:
            return self._placements[operation_id]
        except KeyError:
            raise UnknownName("operation with a lifecycle", operation_id, self._placements) from None

    def placed(self, operation_id: str) -> Placement | None:
        """Return what an operation does to which resource, `None` for one that no lifecycle names."""
        return self._placements.get(operation_id)

    def key(self, operation_id: str, parameter: str) -> Key:
        """Return where the value of a path parameter comes from; raise `ContractError` when nobody has said."""
        stated = self._keys.get(operation_id, {}).get(parameter)
        if stated is not None:
            return stated
        path = self._edition.operation(operation_id).path
        prefix = shape_of(path[: path.index("{" + parameter + "}")] + "{}")
        for ending in ("", ".json"):
            if prefix + ending in self._by_prefix:
                return Key(resource=self._by_prefix[prefix + ending])
        raise ContractError(
            "a path parameter comes from nowhere",
            where=f"{operation_id}: {parameter}",
            expected="a resource whose item path ends there, or an entry under keys",
        )

    def producer(self, operation_id: str, parameter: str) -> Producer:
        """Return how to come by a value of a path parameter.

        An existing instance, except for what the operation itself creates.
        """
        key = self.key(operation_id, parameter)
        if key.value:
            return Producer(kind="value", value=key.value)
        resource = self.resources[key.resource]
        creates = operation_id in resource.operations.get("create", ())
        if resource.keyed_by and (creates or not resource.operations.get("create")):
            resource = self.resources[resource.keyed_by]
        return self._source(resource)

    def _source(self, resource: Resource) -> Producer:
        for role in ("create", "list"):
            for operation_id in resource.operations.get(role, ()):
                envelope = envelope_of(self._edition, self._edition.operation(operation_id))
                if resource.identifier and resource.identifier in properties_of(self._edition, envelope.item):
                    return Producer(kind=role, operation=operation_id, place=envelope.place(resource.identifier))
        for operation_id in resource.operations.get("create", ()):
            if self._edition.operation(operation_id).path == resource.item:
                return Producer(kind="create", operation=operation_id)
        raise ContractError(
            "a resource cannot be come by",
            where=f"lifecycles: {resource.name}",
            expected=f"an operation that creates or lists it and whose answer holds {resource.identifier!r}",
        )


def shape_of(path: str) -> str:
    """Return a path template without its parameters' names: equal shapes address the same thing."""
    return PARAMETER.sub("{}", path)


@lru_cache(maxsize=4)
def load_lifecycles(edition: str | None = None) -> Lifecycles:
    """Return the lifecycles of an edition (the default one when not named)."""
    loaded = load_edition(edition) if edition else load_edition()
    return lifecycles_of(loaded)


def lifecycles_of(edition: Edition) -> Lifecycles:
    """Return the lifecycles of an edition that is already loaded, read from `contracts/lifecycles/`."""
    folder = contracts_folder() / "lifecycles"
    return Lifecycles(edition, tuple(_file(read_contract_file(f, "lifecycles")) for f in sorted(folder.glob("*.yaml"))))


def _file(data: Mapping[str, Any]) -> _File:
    return msgspec.convert(data, _File)


def path_parameters(operation: Operation) -> tuple[str, ...]:
    """Return the names of an operation's path parameters, from left to right."""
    return tuple(PARAMETER.findall(operation.path))
