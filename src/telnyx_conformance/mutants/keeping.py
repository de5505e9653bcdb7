"""Stores that keep things wrongly: what is dropped, doubled, left, altered or let out while one operation is carried out."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, ClassVar

from telnyx_conformance.emulator.records import DELETED
from telnyx_conformance.emulator.store import MOST_IN_COLLECTION, Collection, Store
from telnyx_conformance.plan.changes import others

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from telnyx_conformance.emulator.store import Place, Record
    from telnyx_conformance.mutants.lives import LifeFault

WHO = ("id", "Id", "sid", "record_type")  # endings of what says which resource it is, not how it is

DATED = re.compile(r"\d{4}-\d\d-\d\d")


class BentStore(Store):
    """A store whose collections are subject to a fault."""

    def __init__(self, fault: LifeFault) -> None:
        super().__init__()
        self._fault = fault

    def collection(self, place: Place) -> Collection:
        """Return the collection at `place`, bent."""
        found = self._collections.get(place)
        if found is None:
            found = self._collections[place] = BentCollection(self._fault, place)
        return found

    def places(self, resource: str) -> list[Place]:
        """Return where records are kept, also in the stores of others while they are let out."""
        own = super().places(resource)
        if not self._fault.acts("another-account-let-in"):
            return own
        theirs = [place for store in self._fault.stores for place in Store.places(store, resource)]
        return list(dict.fromkeys([*own, *theirs]))


class BentCollection(Collection):
    """Records of one kind, kept wrongly."""

    __slots__ = ("_fault", "_is_meant", "_place")

    def __init__(self, fault: LifeFault, place: Place) -> None:
        super().__init__(MOST_IN_COLLECTION)
        self._fault, self._place, self._is_meant = fault, place, place[0] in fault.resources

    def held(self) -> dict[str, Record]:
        """Return what is kept, by id."""
        return dict(self._records)

    def put(self, key: str, record: Record) -> None:
        """Keep a record, or what the fault makes of it."""
        self._fault.is_kept_here = self._fault.is_kept_here or self._is_meant
        bend = self.BENDS.get(self._fault.operator) if self._is_meant and self._fault.acts() else None
        (bend or BentCollection._keep)(self, key, record)

    def get(self, key: str) -> Record | None:
        """Return a record; looking at it may change it, and it may be another account's."""
        found = super().get(key)
        if found is None and key in (let_out := self._let_out()):
            self._fault.bites()
            found = let_out[key]
        if found and self._is_meant and self._fault.acts("changed-by-read") and self._has_settable(found):
            self._fault.bites()
            self._fault.unkept = False
            self._records[key] = altered(found)
        return found

    def remove(self, key: str) -> Record | None:
        """Forget a record, or none, or another one too."""
        fault = self._fault
        if self._is_meant and key in self._records:
            fault.removed[key] = self._records[key]
            if fault.acts("not-deleted"):
                fault.bites()
                return self._records[key]
            for other in [k for k in self._records if k != key] if fault.acts("another-deleted") else ():
                fault.bites()
                del self._records[other]
        return super().remove(key)

    def items(self) -> list[tuple[str, Record]]:
        """Return keys and records, newest first, as they are shown."""
        shown = self._shown()
        return list(reversed(shown.items()))

    def __iter__(self) -> Iterator[Record]:
        return reversed(self._shown().values())

    def _shown(self) -> dict[str, Record]:
        fault, shown = self._fault, {**self._let_out(), **self._records}
        if len(shown) > len(self._records):
            fault.bites()
        if self._is_meant and fault.acts("created-but-unlisted") and fault.created & shown.keys():
            fault.bites()
            return {key: record for key, record in shown.items() if key not in fault.created}
        if self._is_meant and fault.acts("deleted-but-listed") and fault.removed:
            fault.bites()
            return {**fault.removed, **shown}
        if self._is_meant and fault.acts("changed-by-list") and any(map(self._has_settable, self._records.values())):
            fault.bites()
            fault.unkept = False
            self._records = {key: altered(record) for key, record in self._records.items()}
        return shown

    def _has_settable(self, record: Record) -> bool:
        """Whether a look shows what is altered in the store: anything else may be made up anew for each look."""
        return any(name in record for name in self._fault.life.settable if not name.endswith(WHO))

    def _let_out(self) -> dict[str, Record]:
        """Return what other accounts hold at the same place, as long as that is let out."""
        if not self._fault.acts("another-account-let-in"):
            return {}
        theirs = (store.existing(self._place) for store in self._fault.stores)
        held = [c.held() for c in theirs if isinstance(c, BentCollection) and c is not self]
        return {key: record for one in held for key, record in one.items() if record is not DELETED}

    def _keep(self, key: str, record: Record) -> None:
        if self._is_meant and self._fault.is_creating():
            self._fault.created.add(key)
        super().put(key, record)

    # One for each way of keeping a record wrongly

    def _drop(self, _: str, __: Record) -> None:
        self._fault.bites()

    def _double(self, key: str, record: Record) -> None:
        self._fault.bites()
        twin = next(others(key))
        self._keep(twin, {**record, self._fault.identifier: twin})
        self._keep(key, record)

    def _rename(self, key: str, record: Record) -> None:
        known = self._fault.removed if self._fault.operator == "id-given-again" else self._fault.created
        taken = next(iter(known), "")
        if taken:
            self._fault.bites()
            record[self._fault.identifier] = taken
        self._keep(taken or key, record)

    def _undo_default(self, key: str, record: Record) -> None:
        field, value = self._fault.field, record.get(self._fault.field)
        if value is not None and field not in self._fault.body:
            self._fault.bites()
            record[field] = next(v for v in (*self._fault.members, *others(value)) if v != value)
        self._keep(key, record)

    def _keep_older(self, key: str, record: Record) -> None:
        """Keep what was changed once as it is."""
        before, changed = self._records.get(key, {}), self._fault.changed.setdefault(key, set())
        stay = {name: before[name] for name in changed if name in before and name in self._fault.body}
        if any(record.get(name) != value for name, value in stay.items()):
            self._fault.bites()
        changed.update(self._fault.body)
        self._keep(key, {**record, **stay})

    def _reset(self, key: str, record: Record) -> None:
        """Forget what is not named, as if the change were the whole resource."""
        self._fault.bites()
        gone = set(self._fault.life.settable) - self._fault.body.keys()
        self._keep(key, {name: value for name, value in record.items() if name not in gone})

    def _change_others(self, key: str, record: Record) -> None:
        self._keep(key, record)
        for other in [k for k in self._records if k != key]:
            self._fault.bites()
            self._records[other] = {**self._records[other], **self._fault.body}

    def _leave(self, key: str, record: Record) -> None:
        """Do not mark as deleted what only a key tells of."""
        if record is DELETED:
            self._fault.bites()
        else:
            self._keep(key, record)

    BENDS: ClassVar[dict[str, Callable[[BentCollection, str, Record], None]]] = {
        "not-stored": _drop,
        "change-lost": _drop,
        "created-twice": _double,
        "id-given-twice": _rename,
        "id-given-again": _rename,
        "default-not-applied": _undo_default,
        "older-change-wins": _keep_older,
        "others-reset": _reset,
        "another-changed": _change_others,
        "not-deleted": _leave,
    }


def altered(record: Record) -> Record:
    """Return a record whose values are others, but for those that say which one it is."""
    return {name: value if name.endswith(WHO) else other_than(value) for name, value in record.items()}


def other_than(value: Any) -> Any:
    """Return a value of the same kind that differs, itself where there is none."""
    if isinstance(value, str) and DATED.match(value):
        return f"{int(value[:4]) + 1:04}{value[4:]}"
    if isinstance(value, dict):
        return altered(value)
    if isinstance(value, list):
        return [other_than(one) for one in value] or ["other"]
    return next(others(value), value)
