"""The records of an account: found by key, seeded where a fresh one has some, kept in their richest shape."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from telnyx_conformance.emulator.plausible import Making

if TYPE_CHECKING:
    from telnyx_conformance.contract.lifecycles import Lifecycles, Resource
    from telnyx_conformance.emulator.account import Account
    from telnyx_conformance.emulator.store import Collection, Place, Record
    from telnyx_conformance.emulator.synthesis import Synthesis

CAMPAIGN_LETTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
SECONDS_BETWEEN_SEEDS = 60
DELETED: Record = {}


class Records:
    """Reads and writes any account's store as the lifecycles say; `shape_of` gives what records are made with."""

    def __init__(self, lifecycles: Lifecycles, shape_of: Callable[[Resource], Synthesis]) -> None:
        self._lifecycles = lifecycles
        self._shape_of = shape_of

    def find(self, account: Account, resource: Resource, parents: tuple[str, ...], key: str) -> Record | None:
        """Return the record called `key`, `None` when there is none."""
        if resource.views:
            for name in resource.views:
                found = self.find(account, self._lifecycles.resources[name], parents, key)
                if found is not None:
                    return found
            if not resource.seeded or resource.parent_property:
                return None
        depth = depth_of(resource)
        if len(parents) < depth:  # addressed from elsewhere, without its parents
            places = account.store.places(resource.name)
            return next((r for p in places if (r := account.store.collection(p).get(key)) is not None), None)
        above = parents[-depth:] if depth else ()
        found = self.collection(account, resource, above).get(key)
        if found is None and resource.any_key:
            return self._known_by_path(account, resource, above, key)
        return None if found is DELETED else found

    def _known_by_path(self, account: Account, resource: Resource, parents: Place, key: str) -> Record:
        record = dict(self._shape_of(resource).item(making(account), {"name": key, "id": key}) or {})
        self.collection(account, resource, parents).put(key, record)
        return record

    def collection(
        self, account: Account, resource: Resource, parents: tuple[str, ...], known: Mapping[str, Any] | None = None
    ) -> Collection:
        """Return the collection below `parents`; what it is seeded with holds `known`."""
        place = (resource.name, *parents)
        existing = account.store.existing(place)
        if existing is not None:
            return existing
        collection = account.store.collection(place)
        known = {**_under(resource, parents), **(known or {})}
        for number in range(1, resource.seeded + 1):
            age = (resource.seeded - number) * SECONDS_BETWEEN_SEEDS
            turn = {name: values[number % len(values)] for name, values in resource.seeded_with.items()}
            self._keep(account, resource, collection, {**turn, **known}, "", making(account, number, age))
        return collection

    def put(
        self, account: Account, resource: Resource, parents: tuple[str, ...], known: Mapping[str, Any], key: str
    ) -> Record:
        """Make a record of what is known of it and keep it, under a new key unless one is given."""
        collection = self.collection(account, resource, parents)
        return self._keep(account, resource, collection, known, key, making(account, len(collection) + 1))

    def _keep(  # noqa: PLR0917 - a record has that many sources
        self,
        account: Account,
        resource: Resource,
        collection: Collection,
        known: Mapping[str, Any],
        key: str,
        moment: Making,
    ) -> Record:
        identifier = resource.identifier or "id"
        key = key or new_key(account, resource, known)
        made = self._shape_of(resource).item(moment, {**known, identifier: _as_known(key, known, identifier)})
        record = dict(made) if isinstance(made, Mapping) else {}
        if resource.identifier:
            record.setdefault(identifier, key)
            key = str(record[identifier])
        collection.put(key, record)
        return record

    def listed(
        self, account: Account, resource: Resource, parents: tuple[str, ...], query: Mapping[str, Any]
    ) -> list[Record]:
        """Return what a list shows before filters and pages, newest first."""
        depth = depth_of(resource)
        above = parents[-depth:] if depth else ()
        if resource.views:
            return self._seen(account, resource, above)
        if resource.singleton:
            owner = self._lifecycles.resources.get(resource.name.rpartition("/")[0])
            if owner is None:
                return []
            kept = self.collection(account, resource, ())
            pairs = self.collection(account, owner, ()).items()
            return [{**record, **(kept.get(key) or {})} for key, record in pairs]
        asked = {prop: query[name] for name, prop in resource.seeded_for.items() if query.get(name) is not None}
        below = (*above, *map(str, asked.values()))
        return [r for r in self.collection(account, resource, below, asked) if r is not DELETED]

    def _seen(self, account: Account, resource: Resource, above: tuple[str, ...]) -> list[Record]:
        """Return what a resource shows of others: all they hold, or what belongs to its parent."""
        shown = [self._lifecycles.resources[name] for name in resource.views]
        if not resource.parent_property:
            own = list(self.collection(account, resource, above)) if resource.seeded else []
            return [record for view in shown for record in self.listed(account, view, above, {})] + own
        prop, parent = resource.parent_property, above[-1]
        found = [r for view in shown for r in self.listed(account, view, (), {}) if str(r.get(prop)) == parent]
        place = (resource.name, *above)
        if not found and account.store.existing(place) is None:
            account.store.collection(place)  # seeded once
            for _ in range(resource.seeded):
                self.put(account, shown[0], (), {prop: parent}, "")
            return self._seen(account, resource, above)
        return found


def making(account: Account, ordinal: int = 0, age: float = 0.0) -> Making:
    """Return the moment at which something is made: now, or `age` seconds ago."""
    now = account.clock.now - age
    stamp = datetime.fromtimestamp(now, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return Making(account.ids, now, stamp, ordinal)


def depth_of(resource: Resource) -> int:
    """Return how many parents a resource has: the parameters of its collection, or of its item but one."""
    if resource.collection:
        return resource.collection.count("{")
    return max(0, resource.item.count("{") - 1)


def new_key(account: Account, resource: Resource, known: Mapping[str, Any]) -> str:
    """Return a new id in the form that the resource's ids have."""
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


def _under(resource: Resource, parents: tuple[str, ...]) -> dict[str, Any]:
    return {resource.parent_property: parents[-1]} if resource.parent_property and parents else {}


def _as_known(key: str, known: Mapping[str, Any], identifier: str) -> Any:
    """Return the key as the resource holds it: a given value keeps its type."""
    given = known.get(identifier)
    return given if given is not None and str(given) == key else key
