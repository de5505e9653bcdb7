"""Generic state: whatever no product handles is created, read, listed, changed and deleted as its lifecycle says."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from zlib import crc32

from msgspec.structs import replace

from telnyx_conformance.contract.echoes import echoed_fields
from telnyx_conformance.contract.envelopes import properties_of
from telnyx_conformance.contract.lifecycle_requirements import life_of
from telnyx_conformance.contract.lifecycles import Lifecycles, Placement, Resource, path_parameters
from telnyx_conformance.emulator import media
from telnyx_conformance.emulator.account import Account, Answer, Ask, Refusal
from telnyx_conformance.emulator.listing import DEFAULT_SIZE, LARGEST_SIZE, is_selective, page_of
from telnyx_conformance.emulator.records import DELETED, Records, depth_of, making, new_key
from telnyx_conformance.emulator.synthesis import Compiler, Synthesis

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from telnyx_conformance.contract.model import Edition, Operation
    from telnyx_conformance.emulator.store import Collection, Record

HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
STUB_LIST = 1
SOME = 97  # records look different from so many others


class Resources:
    """Compiled knowledge of every operation, shared by all accounts of one emulator.

    The state itself is the account's.
    """

    def __init__(self, edition: Edition, lifecycles: Lifecycles) -> None:
        self._edition = edition
        self._lifecycles = lifecycles
        self._records = Records(lifecycles, self._canonical_of)
        self._compiler = Compiler(edition)
        self._syntheses: dict[str, Synthesis] = {}
        self._canonical: dict[str, Synthesis] = {}
        self._settable: dict[str, frozenset[str]] = {}
        self._echoed: dict[str, tuple[str, ...]] = {}
        self._defaults: dict[str, Mapping[str, Any]] = {}
        self._roles: dict[str, Callable[[Account, Ask, Placement], Answer]] = {
            "create": self._create,
            "list": self._list,
            "read": self._read,
            "update": self._update,
            "delete": self._delete,
            "action": self._action,
            "collection_action": self._report,
            "report": self._report,
        }

    def answer(self, account: Account, ask: Ask) -> Answer:
        """Carry out a validated request. Raises `Refusal` when what it addresses does not exist."""
        placement = self._lifecycles.of(ask.operation.id)
        if account.mode == "stub":
            return self._stub(account, ask, placement)
        return self._roles[placement.role](account, ask, placement)

    def find(self, account: Account, resource: str, key: str) -> Record | None:
        """Return a record of a resource without parents, for products that refer to one."""
        return self._records.find(account, self._lifecycles.resources[resource], (), key)

    def keep(self, account: Account, resource: str, record: Record, key: str = "") -> str:
        """Add a record that a product made to a resource without parents, and return its key: `key` or a new one."""
        shape = self._lifecycles.resources[resource]
        known = {**record, shape.identifier: key} if key else record
        return str(self._records.put(account, shape, (), known, key)[shape.identifier])

    def drop(self, account: Account, resource: str, key: str) -> None:
        """Forget a record of a resource without parents."""
        self._records.collection(account, self._lifecycles.resources[resource], ()).remove(key)

    def listed(self, account: Account, resource: str) -> list[Record]:
        """Return the records of a resource without parents, newest first; settings come with what they are settings of."""
        return self._records.listed(account, self._lifecycles.resources[resource], (), {})

    # Addressing

    def _parents(self, account: Account, ask: Ask, *, besides: int) -> tuple[str, ...]:
        """Return the values of the path parameters but the last `besides`, each of which must exist."""
        names = path_parameters(ask.operation)
        names = names[: len(names) - besides] if besides else names
        for position, name in enumerate(names):
            key = self._lifecycles.key(ask.operation.id, name)
            if key.exact and ask.path[name] != key.value:
                raise Refusal(404, "10005")
            if key.resource:
                resource = self._lifecycles.resources[key.resource]
                above = tuple(ask.path[n] for n in names[:position])
                if not resource.any_key and self._records.find(account, resource, above, ask.path[name]) is None:
                    raise Refusal(404, "10005")
        return tuple(ask.path[name] for name in names)

    # Making answers

    def synthesis(self, operation: Operation) -> Synthesis:
        """Return the compiled body maker of an operation."""
        made = self._syntheses.get(operation.id)
        if made is None:
            resource = self._lifecycles.of(operation.id).resource
            made = self._syntheses[operation.id] = Synthesis(self._compiler, operation, self._settable_of(resource))
        return made

    def _canonical_of(self, resource: Resource) -> Synthesis:
        """Return the maker of the shape that records are stored in.

        The richest that an operation on single ones declares.
        """
        made = self._canonical.get(resource.name)
        if made is None:
            names = [
                op
                for role in ("read", "create", "list", "update", "delete")
                for op in resource.operations.get(role, ())
            ]
            candidates = [self.synthesis(self._edition.operation(name)) for name in names]
            candidates = [c for c in candidates if c.item_names] or candidates
            made = max(candidates, key=lambda c: (resource.identifier in c.item_names, len(c.item_names)))
            self._canonical[resource.name] = made
        return made

    def _settable_of(self, resource: Resource) -> frozenset[str]:
        found = self._settable.get(resource.name)
        if found is None:
            names: set[str] = set()
            for role in ("create", "update"):
                for operation in resource.operations.get(role, ()):
                    body = self._edition.operation(operation).body
                    for schema in body.content.values() if body else ():
                        parts = properties_of(self._edition, schema).items()
                        names |= {n for n, part in parts if not self._edition.resolve(part).get("readOnly")}
            found = self._settable[resource.name] = frozenset(names - {resource.identifier, "record_type"})
        return found

    def _reply(
        self, account: Account, ask: Ask, known: Mapping[str, Any], frame: Mapping[str, Any] | None = None
    ) -> Answer:
        made = self.synthesis(ask.operation)
        if not made.is_json:
            return media.answer(ask.operation, made.status)
        return Answer(status=made.status, document=made.answer(making(account), known, frame))

    # Roles

    def _create(self, account: Account, ask: Ask, placement: Placement) -> Answer:
        resource = placement.resource
        given = {**self._defaults_of(ask.operation, resource), **_given(ask)}
        if resource.singleton:
            parents = self._parents(account, ask, besides=0)
            self._records.collection(account, resource, parents[:-1]).put(parents[-1] if parents else "", given)
            return self._reply(account, ask, given)
        on_item = ask.operation.path == resource.item
        parents = self._parents(account, ask, besides=1 if on_item else 0)
        key = ""
        if on_item:
            key = ask.path[path_parameters(ask.operation)[-1]]
            if resource.keyed_by and self.find(account, resource.keyed_by, key) is None:
                raise Refusal(404, "10005")
        above = parents[-depth_of(resource) :] if depth_of(resource) else ()
        record = self._records.put(account, resource, above, given, key)
        asked = {name: given[name] for name in self._echoed_by(ask.operation) if given.get(name) is not None}
        return self._reply(account, ask, {**given, **record, **asked}, {**given, **_outer(ask)})

    def _defaults_of(self, operation: Operation, resource: Resource) -> Mapping[str, Any]:
        """Return what a creation takes for granted where the request does not say."""
        if operation.id not in self._defaults:
            self._defaults[operation.id] = life_of(self._edition, resource).defaults.get(operation.id, {})
        return self._defaults[operation.id]

    def _echoed_by(self, operation: Operation) -> tuple[str, ...]:
        """Return what a creation repeats even where the resource, read later, is of another shape."""
        if operation.id not in self._echoed:
            self._echoed[operation.id] = echoed_fields(self._edition, operation)
        return self._echoed[operation.id]

    def _list(self, account: Account, ask: Ask, placement: Placement) -> Answer:
        """List: filters and order are about what is shown, which may hold more than what is stored."""
        made = self.synthesis(ask.operation)
        if not made.is_json:
            return media.answer(ask.operation, made.status)
        parents = self._parents(account, ask, besides=0)
        resource = placement.resource
        records = self._records.listed(account, resource, parents, ask.query)
        size = _default_size(ask.operation)
        if not made.envelope.is_list:
            return self._reply(account, ask, page_of(records, ask.query, size).frame(ask.operation.path))
        if is_selective(ask.query):
            page = page_of(self._shown(account, made, resource, records), ask.query, size, known=made.item_names)
            items = page.records
        else:
            page = page_of(records, ask.query, size)
            items = self._shown(account, made, resource, page.records)
        return Answer(status=made.status, document=made.body(making(account), items, page.frame(ask.operation.path)))

    @staticmethod
    def _shown(account: Account, made: Synthesis, resource: Resource, records: list[Record]) -> list[Record]:
        moment = making(account)
        identifier = resource.identifier or "id"
        shown: list[Record] = []
        for place, record in enumerate(records, 1):
            key = record.get(identifier)
            ordinal = crc32(str(key).encode()) % SOME + 1 if key else place
            item = made.item(replace(moment, ordinal=ordinal), record)
            if item is not None:
                shown.append(item)
        return shown

    def _read(self, account: Account, ask: Ask, placement: Placement) -> Answer:
        record, _, _ = self._addressed(account, ask, placement.resource)
        return self._reply(account, ask, record, _outer(ask))

    def _addressed(
        self, account: Account, ask: Ask, resource: Resource, *, again: bool = False
    ) -> tuple[Record, Collection, str]:
        """Return the record that a path names, its collection and its key. Raises `Refusal` when there is none.

        With `again` what cannot be made anew (a part of something else, a thing that only its key tells of) may be
        deleted twice.
        """
        if resource.singleton or not resource.item:
            parents = self._parents(account, ask, besides=0)
            collection = self._records.collection(account, resource, parents[:-1])
            key = parents[-1] if parents else ""
            record = collection.get(key)
            if record is DELETED and not again:
                raise Refusal(404, "10005")
            return record or {}, collection, key
        parents = self._parents(account, ask, besides=1)
        name = path_parameters(ask.operation)[-1]
        key = ask.path[name]
        stated = self._lifecycles.key(ask.operation.id, name)
        if stated.exact and key != stated.value:
            raise Refusal(404, "10005")
        found = self._records.find(account, resource, parents, key)
        if found is None and not (again and resource.any_key):
            raise Refusal(404, "10005")
        above = parents[-depth_of(resource) :] if depth_of(resource) else ()
        return found or {}, self._records.collection(account, resource, above), key

    def _update(self, account: Account, ask: Ask, placement: Placement) -> Answer:
        resource = placement.resource
        given = _given(ask)
        try:
            record, collection, key = self._addressed(account, ask, resource)
        except Refusal:
            if not resource.singleton or ask.operation.method != "PUT":
                raise
            parents = self._parents(account, ask, besides=0)
            record, collection, key = {}, self._records.collection(account, resource, parents[:-1]), parents[-1]
        moment = making(account)
        merged = {**record, **{k: v for k, v in given.items() if k != resource.identifier}}
        for name in ("updated_at", "updatedAt"):
            if name in merged:
                merged[name] = moment.stamp
        if not resource.singleton:
            kept = self._canonical_of(resource).item(moment, merged) or {}
            merged = {
                **kept,
                **({resource.identifier: record[resource.identifier]} if resource.identifier in record else {}),
            }
        collection.put(key, merged)
        return self._reply(account, ask, merged, _outer(ask))

    def _delete(self, account: Account, ask: Ask, placement: Placement) -> Answer:
        resource = placement.resource
        record, collection, key = self._addressed(account, ask, resource, again=True)
        if resource.singleton or resource.any_key:
            collection.put(key, DELETED)
        else:
            collection.remove(key)
            account.store.drop_under(resource.name, key)
        return self._reply(account, ask, {**record, "deleted": True, "success": True}, _outer(ask))

    def _action(self, account: Account, ask: Ask, placement: Placement) -> Answer:
        names = path_parameters(ask.operation)
        self._parents(account, ask, besides=0)
        resource = placement.resource
        made = self.synthesis(ask.operation)
        given = _given(ask)
        record: Record | None = None
        for position, name in enumerate(names):
            key = self._lifecycles.key(ask.operation.id, name)
            if key.resource == resource.name:
                above = tuple(ask.path[n] for n in names[:position])
                record = self._records.find(account, resource, above, ask.path[name])
        if made.envelope.is_list and ask.operation.method == "GET":
            page = page_of([], ask.query, _default_size(ask.operation))
            return Answer(status=made.status, document=made.body(making(account), [], page.frame(ask.operation.path)))
        is_same = record is not None and made.item_names and made.item_names == self._canonical_of(resource).item_names
        return self._reply(account, ask, {**record, **given} if is_same and record else {**_outer(ask), **given})

    def _report(self, account: Account, ask: Ask, placement: Placement) -> Answer:
        del placement
        self._parents(account, ask, besides=0)
        return self._reply(account, ask, {**_outer(ask), **_given(ask)}, _outer(ask))

    def _stub(self, account: Account, ask: Ask, placement: Placement) -> Answer:
        """Answer as if whatever is addressed existed."""
        made = self.synthesis(ask.operation)
        if not made.is_json:
            return media.answer(ask.operation, made.status)
        known = {**_outer(ask), **_given(ask)}
        names = path_parameters(ask.operation)
        identifier = placement.resource.identifier
        if identifier and placement.role in ("read", "update", "delete"):
            known[identifier] = ask.path[names[-1]] if names else account.ids.uuid()
        elif identifier and placement.role == "create":
            known[identifier] = new_key(account, placement.resource, known)
        page = page_of([{}] * STUB_LIST, {}, _default_size(ask.operation))
        return self._reply(account, ask, known, page.frame(ask.operation.path))


def _given(ask: Ask) -> Record:
    """Return what the body says, also as TeXML answers (`StatusCallback` as `status_callback`)."""
    body = ask.body
    if not isinstance(body, dict):
        return {}
    aliases = {HUMP.sub("_", name).lower(): value for name, value in body.items() if name[:1].isupper()}
    return {**aliases, **body}


def _outer(ask: Ask) -> Record:
    """Return what the path says: products repeat it in their answers."""
    return {name: value for name, value in ask.path.items() if name != "id"}


def _default_size(operation: Operation) -> int:
    for parameter in operation.parameters_in("query"):
        if parameter.name in ("page[size]", "page[limit]", "page_size", "PageSize", "recordsPerPage", "limit"):
            default = parameter.schema.get("default")
            return default if isinstance(default, int) else DEFAULT_SIZE
    return LARGEST_SIZE  # nobody can ask for another page
