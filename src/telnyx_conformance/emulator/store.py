"""What an account holds: records by kind and parents, in the order they were made, bounded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

Record = dict[str, Any]
Place = tuple[str, ...]
MOST_IN_COLLECTION = 10_000
MOST_COLLECTIONS = 20_000


class Collection:
    """Records of one kind under the same parents, by id. Beyond the limit the oldest go."""

    __slots__ = ("_limit", "_records")

    def __init__(self, limit: int) -> None:
        self._records: dict[str, Record] = {}
        self._limit = limit

    def put(self, key: str, record: Record) -> None:
        """Keep a record under `key`, in place of what was there."""
        self._records[key] = record
        if len(self._records) > self._limit:
            del self._records[next(iter(self._records))]

    def get(self, key: str) -> Record | None:
        """Return the record called `key`."""
        return self._records.get(key)

    def remove(self, key: str) -> Record | None:
        """Forget a record and return it."""
        return self._records.pop(key, None)

    def items(self) -> list[tuple[str, Record]]:
        """Return keys and records, newest first."""
        return list(reversed(self._records.items()))

    def __iter__(self) -> Iterator[Record]:
        return reversed(self._records.values())

    def __len__(self) -> int:
        return len(self._records)


class Store:
    """All collections of an account. A collection's place is its resource's name followed by its parents' ids."""

    def __init__(self, *, limit: int = MOST_IN_COLLECTION, collections: int = MOST_COLLECTIONS) -> None:
        self._collections: dict[Place, Collection] = {}
        self._limit = limit
        self._most = collections

    def existing(self, place: Place) -> Collection | None:
        """Return the collection at `place` if anything ever touched it."""
        return self._collections.get(place)

    def collection(self, place: Place) -> Collection:
        """Return the collection at `place`, making an empty one."""
        found = self._collections.get(place)
        if found is None:
            found = self._collections[place] = Collection(self._limit)
            if len(self._collections) > self._most:
                del self._collections[next(iter(self._collections))]
        return found

    def find(self, resource: str, key: str) -> Record | None:
        """Return the record called `key` of a resource without parents."""
        found = self._collections.get((resource,))
        return found.get(key) if found else None

    def places(self, resource: str) -> list[Place]:
        """Return where records of a resource are kept."""
        return [place for place in self._collections if place[0] == resource]

    def drop_under(self, resource: str, key: str) -> None:
        """Forget what belongs to a record that was deleted."""
        for place in [p for p in self._collections if p[0].startswith(resource + "/") and key in p[1:]]:
            del self._collections[place]

    def __len__(self) -> int:
        return sum(map(len, self._collections.values()))
