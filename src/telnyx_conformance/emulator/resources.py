"""Generic state: whatever no product handles is created, read, listed, changed and deleted as its lifecycle says."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from telnyx_conformance.contract.envelopes import properties_of
from telnyx_conformance.contract.lifecycles import Lifecycles, Placement, Resource, path_parameters
from telnyx_conformance.emulator import media
from telnyx_conformance.emulator.account import Account, Answer, Ask, Refusal
from telnyx_conformance.emulator.leaves import Making
from telnyx_conformance.emulator.listing import DEFAULT_SIZE, page_of
from telnyx_conformance.emulator.synthesis import Synthesis

if TYPE_CHECKING:
    from telnyx_conformance.contract.model import Edition, Operation
    from telnyx_conformance.emulator.store import Collection, Place, Record

HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
STUB_LIST = 1
CAMPAIGN_LETTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
DELETED: Record = {}


class Resources:
    """Compiled knowledge of every operation, shared by all accounts of one emulator.

    The state itself is the account's.
    """

    def __init__(self, edition: Edition, lifecycles: Lifecycles) -> None:
        self._edition = edition
        self._lifecycles = lifecycles
        self._syntheses: dict[str, Synthesis] = {}
        self._canonical: dict[str, Synthesis] = {}
        self._settable: dict[str, frozenset[str]] = {}
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
        return self._lookup(account, self._lifecycles.resources[resource], (), key)

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
                if not resource.any_key and self._lookup(account, resource, above, ask.path[name]) is None:
                    raise Refusal(404, "10005")
        return tuple(ask.path[name] for name in names)

    def _lookup(self, account: Account, resource: Resource, parents: tuple[str, ...], key: str) -> Record | None:
        if resource.views:
            for name in resource.views:
                found = self._lookup(account, self._lifecycles.resources[name], parents, key)
                if found is not None:
                    return found
            return None
        depth = _depth(resource)
        if len(parents) < depth:  # addressed from elsewhere, without its parents
            places = account.store.places(resource.name)
            return next((r for p in places if (r := account.store.collection(p).get(key)) is not None), None)
        above = parents[-depth:] if depth else ()
        found = self._collection(account, resource, above).get(key)
        if found is None and resource.any_key:
            return self._known_by_path(account, resource, above, key)
        return None if found is DELETED else found

    def _known_by_path(self, account: Account, resource: Resource, parents: Place, key: str) -> Record:
        record = dict(self._canonical_of(resource).item(self._making(account), {"name": key, "id": key}) or {})
        self._collection(account, resource, parents).put(key, record)
        return record

    def _collection(self, account: Account, resource: Resource, parents: tuple[str, ...]) -> Collection:
        place = (resource.name, *parents)
        existing = account.store.existing(place)
        if existing is not None:
            return existing
        collection = account.store.collection(place)
        for _ in range(resource.seeded):
            self._put(account, resource, collection, {}, "")
        return collection

    def _put(
        self, account: Account, resource: Resource, collection: Collection, known: Mapping[str, Any], key: str
    ) -> Record:
        identifier = resource.identifier or "id"
        key = key or self._new_key(account, resource, known)
        record = self._canonical_of(resource).item(
            self._making(account), {**known, identifier: _as_known(key, known, identifier)}
        )
        record = dict(record) if isinstance(record, Mapping) else {}
        if resource.identifier:
            record.setdefault(identifier, key)
            key = str(record[identifier])
        collection.put(key, record)
        return record

    @staticmethod
    def _new_key(account: Account, resource: Resource, known: Mapping[str, Any]) -> str:
        ids = account.ids
        if resource.form == "given":
            given = known.get(resource.identifier)
            return given if isinstance(given, str) and given else ids.uuid()
        if resource.form == "digits":
            return ids.digits()
        if resource.form == "campaign":
            number = int(ids.digits(9))
            text = ""
            for _ in range(6):
                number, rest = divmod(number, 36)
                text += CAMPAIGN_LETTERS[rest]
            return "C" + text
        return ids.call_control_id() if resource.form == "call_control_id" else ids.uuid()

    # Making answers

    def synthesis(self, operation: Operation) -> Synthesis:
        """Return the compiled body maker of an operation."""
        made = self._syntheses.get(operation.id)
        if made is None:
            resource = self._lifecycles.of(operation.id).resource
            made = self._syntheses[operation.id] = Synthesis(self._edition, operation, self._settable_of(resource))
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

    @staticmethod
    def _making(account: Account) -> Making:
        now = account.clock.now
        stamp = datetime.fromtimestamp(now, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        return Making(account.ids, now, stamp)

    def _reply(
        self, account: Account, ask: Ask, known: Mapping[str, Any], frame: Mapping[str, Any] | None = None
    ) -> Answer:
        made = self.synthesis(ask.operation)
        if not made.is_json:
            return media.answer(ask.operation, made.status)
        return Answer(status=made.status, document=made.answer(self._making(account), known, frame))

    # Roles

    def _create(self, account: Account, ask: Ask, placement: Placement) -> Answer:
        resource = placement.resource
        given = _given(ask)
        if resource.singleton:
            parents = self._parents(account, ask, besides=0)
            self._collection(account, resource, parents[:-1]).put(parents[-1] if parents else "", given)
            return self._reply(account, ask, given)
        on_item = ask.operation.path == resource.item
        parents = self._parents(account, ask, besides=1 if on_item else 0)
        key = ""
        if on_item:
            key = ask.path[path_parameters(ask.operation)[-1]]
            if resource.keyed_by and self.find(account, resource.keyed_by, key) is None:
                raise Refusal(404, "10005")
        above = parents[-_depth(resource) :] if _depth(resource) else ()
        record = self._put(account, resource, self._collection(account, resource, above), given, key)
        return self._reply(account, ask, {**given, **record}, {**given, **_outer(ask)})

    def _list(self, account: Account, ask: Ask, placement: Placement) -> Answer:
        made = self.synthesis(ask.operation)
        if not made.is_json:
            return media.answer(ask.operation, made.status)
        parents = self._parents(account, ask, besides=0)
        page = page_of(self._records(account, placement.resource, parents), ask.query, _default_size(ask.operation))
        if not made.envelope.is_list:
            return self._reply(account, ask, page.frame(ask.operation.path))
        making = self._making(account)
        items = [item for item in (made.item(making, record) for record in page.records) if item is not None]
        return Answer(status=made.status, document=made.body(making, items, page.frame(ask.operation.path)))

    def _records(self, account: Account, resource: Resource, parents: tuple[str, ...]) -> list[Record]:
        if resource.views:
            shown = [self._lifecycles.resources[name] for name in resource.views]
            return [record for view in shown for record in self._records(account, view, parents)]
        if resource.singleton:
            owner = self._lifecycles.resources.get(resource.name.rpartition("/")[0])
            if owner is None:
                return []
            kept = self._collection(account, resource, ())
            pairs = self._collection(account, owner, ()).items()
            return [{**record, **(kept.get(key) or {})} for key, record in pairs]
        above = parents[-_depth(resource) :] if _depth(resource) else ()
        return [record for record in self._collection(account, resource, above) if record is not DELETED]

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
            collection = self._collection(account, resource, parents[:-1])
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
        found = self._lookup(account, resource, parents, key)
        if found is None and not (again and resource.any_key):
            raise Refusal(404, "10005")
        above = parents[-_depth(resource) :] if _depth(resource) else ()
        return found or {}, self._collection(account, resource, above), key

    def _update(self, account: Account, ask: Ask, placement: Placement) -> Answer:
        resource = placement.resource
        given = _given(ask)
        try:
            record, collection, key = self._addressed(account, ask, resource)
        except Refusal:
            if not resource.singleton or ask.operation.method != "PUT":
                raise
            parents = self._parents(account, ask, besides=0)
            record, collection, key = {}, self._collection(account, resource, parents[:-1]), parents[-1]
        making = self._making(account)
        merged = {**record, **{k: v for k, v in given.items() if k != resource.identifier}}
        for name in ("updated_at", "updatedAt"):
            if name in merged:
                merged[name] = making.stamp
        if not resource.singleton:
            kept = self._canonical_of(resource).item(making, merged) or {}
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
                record = self._lookup(account, resource, above, ask.path[name])
        if made.envelope.is_list and ask.operation.method == "GET":
            page = page_of([], ask.query, _default_size(ask.operation))
            return Answer(
                status=made.status, document=made.body(self._making(account), [], page.frame(ask.operation.path))
            )
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
            known[identifier] = self._new_key(account, placement.resource, known)
        page = page_of([{}] * STUB_LIST, {}, _default_size(ask.operation))
        return self._reply(account, ask, known, page.frame(ask.operation.path))


def _depth(resource: Resource) -> int:
    """Return how many parents a resource has: the parameters of its collection, or of its item but one."""
    if resource.collection:
        return resource.collection.count("{")
    return max(0, resource.item.count("{") - 1)


def _as_known(key: str, known: Mapping[str, Any], identifier: str) -> Any:
    """Return the key as the resource holds it: a given value keeps its type."""
    given = known.get(identifier)
    return given if given is not None and str(given) == key else key


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
    return DEFAULT_SIZE
