"""The life of a resource, played once: created twice, looked at, tried by a stranger, changed, deleted, and created again.

Each step is followed by a look, so that what went wrong can be laid at the door of one operation.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from telnyx_conformance.checks import lifecycle as checks
from telnyx_conformance.checks.finding import json_body, outline
from telnyx_conformance.contract.envelopes import envelope_of
from telnyx_conformance.contract.exchange import Exchange
from telnyx_conformance.contract.lifecycle_requirements import PLACE, life_of
from telnyx_conformance.contract.lifecycles import path_parameters
from telnyx_conformance.plan.changes import Changes
from telnyx_conformance.run.asking import Asker
from telnyx_conformance.run.calls import Unavailable
from telnyx_conformance.run.prerequisites import found_at
from telnyx_conformance.run.roll import Roll
from telnyx_conformance.run.verdict import Verdict, inconclusive, judged

if TYPE_CHECKING:
    from telnyx_conformance.checks.finding import Finding
    from telnyx_conformance.contract.lifecycles import Resource
    from telnyx_conformance.contract.model import Operation, Requirement
    from telnyx_conformance.plan.probe import Probe
    from telnyx_conformance.run.session import Session

Numbers = tuple[int, ...]
REFUSED_AS_UNKNOWN = ("unknown_resource", "unknown_call")


class Being(msgspec.Struct, frozen=True, kw_only=True):
    """One instance: the path values that lead to it, its own last; its key; what is known of it.

    `said` is the body that created it as planned, `asked` as it was sent, `answer` what came back.
    """

    values: tuple[str, ...]
    key: str
    said: Any = None
    asked: dict[str, Any] = {}
    answer: dict[str, Any] = {}
    numbers: Numbers = ()

    @property
    def known(self) -> dict[str, Any]:
        """What was asked for, and what came back."""
        return {**self.asked, **self.answer}


class Look(msgspec.Struct, frozen=True, kw_only=True):
    """What was seen of an instance, `None` when it was not found."""

    exchange: Exchange
    item: Any
    numbers: Numbers


class LifeProof:
    """One resource under test, in an account of its own, with another account beside it."""

    def __init__(self, session: Session, resource: Resource) -> None:
        self._session, self._resource = session, resource
        self._life = life_of(session.edition, resource)
        first = self._life.operations[0]
        self._owner, self._stranger = Asker(session, first, PLACE), Asker(session, first, "strangers")
        known = (session.settings.errors.situation(name).statuses for name in REFUSED_AS_UNKNOWN)
        self._unknown = frozenset(status for statuses in known for status in statuses)
        self._wanted: set[str] = set()
        self._said: list[Verdict] = []
        self._lacking = ""

    async def prove(self, requirements: list[Requirement]) -> list[Verdict]:
        """Return a verdict for each requirement; one that the life did not come to is inconclusive, with the reason."""
        self._wanted = {r.id for r in requirements}
        try:
            await self._live()
        except Unavailable as reason:
            self._lacking = self._lacking or str(reason)
        finally:
            self._owner.close()
            self._stranger.close()
        said = {verdict.requirement for verdict in self._said}
        left = (
            inconclusive(r.id, self._lacking or "it was never to be seen") for r in requirements if r.id not in said
        )
        return [*self._said, *left]

    async def _live(self) -> None:
        one, two = await self._begin()
        await self._is_looked_at(one)
        await self._is_tried_by_a_stranger(one)
        await self._is_changed(one, two)
        await self._ends(one, two)

    # How it begins

    async def _begin(self) -> tuple[Being, Being | None]:
        """Return an instance, and another where an account can have two: made, else found."""
        made: list[Being] = []
        try:
            for create in self._life.creates:
                made += await self._created_by(create, made)
        except Unavailable as reason:
            self._lacking = str(reason)
        if made:
            return made[0], made[1] if len(made) > 1 else None
        return await self._found()

    async def _created_by(self, create: Operation, before: list[Being]) -> list[Being]:
        changes = self._changes(create)
        fullest = changes.fullest(self._life.fields[create.id])
        earlier = await self._keys(self._owner, fullest.body) if self._judges(create, "once") else ()
        one = await self._created(create, fullest, [b.key for b in before]) if not before else None
        one = one or await self._created(create, changes.minimal, [b.key for b in before])
        if one is None:
            return []
        await self._is_there(create, one, earlier)
        if self._life.resource.singleton:
            await self._is_made_anew(create, one)
        if self._life.resource.singleton or before:
            return [one]
        other = await self._created(create, self._other(changes, one), [one.key])
        if other is not None and self._judges(create, "default") and self._life.is_seen:
            look = await self._look(other)
            left_out = {n: v for n, v in self._life.defaults[create.id].items() if n not in other.asked}
            self._say(create, "default", checks.has_defaults(look.item, left_out), other.numbers + look.numbers)
        return [one] if other is None or other.key == one.key else [one, other]

    def _other(self, changes: Changes, one: Being) -> Probe:
        """Return the smallest creation, of another thing where the client itself names what it creates."""
        name = self._resource.identifier
        named = one.asked.get(name) == one.key
        return next(changes.otherwise(changes.minimal, name), changes.minimal) if named else changes.minimal

    async def _created(self, create: Operation, probe: Probe, others: list[str]) -> Being | None:
        """Return what a creation made, `None` when it was refused."""
        names_it = create.path == self._resource.item or bool(self._resource.singleton)
        path = await self._owner.prerequisites.path_values(create, fresh=names_it)
        exchange, numbers = await self._owner.send(create, probe, path)
        if exchange.response is None or not exchange.response.is_success:
            self._lacking = self._lacking or f"{create.id} is refused: {outline(exchange)}"
            return None
        envelope = envelope_of(self._session.edition, create)
        place = envelope.place(self._resource.identifier)
        key = path[path_parameters(create)[-1]] if names_it and path else found_at(exchange, place)
        if key is None:
            self._lacking = self._lacking or f"{create.id} gives no {place}: {outline(exchange)}"
            return None
        key = str(key)
        self._session.gate.created.add(key)
        self._say(create, "distinct", checks.are_distinct(key, others), numbers)
        values = tuple(path.values()) if names_it else (*path.values(), key)
        answer = found_at(exchange, envelope.place("").rstrip("."))
        shown = answer if isinstance(answer, dict) else {}
        return Being(values=values, key=key, said=probe.body, asked=_asked(exchange), answer=shown, numbers=numbers)

    async def _is_there(self, create: Operation, one: Being, earlier: tuple[str, ...]) -> None:
        identifier = self._resource.identifier
        wanted = {n: one.asked[n] for n in self._life.fields[create.id] if one.asked.get(n) is not None}
        if self._judges(create, "readable"):
            look = await self._look(one)
            finding = checks.is_readable(look.exchange, look.item, identifier, one.key, wanted)
            self._say(create, "readable", finding, one.numbers + look.numbers)
        if self._judges(create, "listed") or self._judges(create, "once"):
            roll = await self._roll(self._owner, one.known)
            seen = one.numbers + roll.numbers
            self._say(create, "listed", checks.is_listed(roll.exchange, roll.items, identifier, one.key), seen)
            if roll.items is not None:
                now = checks.keys_of(roll.items, identifier)
                self._say(create, "once", checks.is_one(earlier, now, one.key), seen)

    async def _is_made_anew(self, create: Operation, one: Being) -> None:
        """Put another in the place of the only one: what is read of one that was never kept may look like the first."""
        changes, look = self._changes(create), await self._look(one)
        probe = changes.together(changes.of(self._life.fields[create.id], _object(look.item), one.said))
        exchange, numbers = await self._send(self._owner, create, one, probe)
        if exchange.response is not None and exchange.response.is_success:
            anew = Being(values=one.values, key=one.key, asked=_asked(exchange), numbers=one.numbers + numbers)
            await self._is_there(create, anew, ())

    async def _found(self) -> tuple[Being, Being | None]:
        """Return one or two instances that are there already."""
        operation = next(o for o in self._life.operations if o not in self._life.creates)
        lists = self._life.lists
        if lists is not None:
            parents = tuple((await self._owner.prerequisites.path_values(lists)).values())
            roll = await self._roll(self._owner, {})
            identifier = self._resource.identifier
            beings = [
                Being(values=(*parents, key), key=key, answer=item, numbers=roll.numbers)
                for item in roll.items or ()
                for key in checks.keys_of([item], identifier)
            ]
            if beings:
                return beings[-1], beings[-2] if len(beings) > 1 else None
            raise Unavailable(self._lacking or f"{lists.id} lists nothing: {outline(roll.exchange)}")
        path = await self._owner.prerequisites.path_values(operation, fresh=True)
        values = tuple(path.values())
        return Being(values=values, key=values[-1] if values else ""), None

    # What happens to it

    async def _is_looked_at(self, one: Being) -> None:
        for operation in (self._life.reads, self._life.lists):
            if operation is None or not self._judges(operation, "kept"):
                continue
            before = await self._look(one)
            if operation is self._life.lists and self._life.reads is not None:
                await self._roll(self._owner, one.known)
            after = await self._look(one)
            if not isinstance(before.item, dict):
                self._lack(
                    operation, ("kept",), f"there is nothing to look at: {outline(before.exchange)}", before.numbers
                )
                continue
            finding = checks.is_kept(before.item, after.exchange, after.item, self._life.is_volatile)
            self._say(operation, "kept", finding, one.numbers + before.numbers + after.numbers)

    async def _is_tried_by_a_stranger(self, one: Being) -> None:
        life = self._life
        if life.reads is not None and self._judges(life.reads, "isolated"):
            exchange, numbers = await self._send(self._stranger, life.reads, one)
            self._say(life.reads, "isolated", checks.is_closed(exchange, self._unknown), one.numbers + numbers)
        if life.lists is not None and self._judges(life.lists, "isolated"):
            roll = await self._roll(self._stranger, one.known)
            finding = checks.is_hidden(roll.items, self._resource.identifier, one.key)
            self._say(life.lists, "isolated", finding, one.numbers + roll.numbers)
        for operation in (life.updates, life.deletes):
            if operation is None or not self._judges(operation, "isolated"):
                continue
            before = await self._look(one) if life.is_seen else None
            probe = self._change(operation, one, before)
            exchange, numbers = await self._send(self._stranger, operation, one, probe)
            finding = checks.is_closed(exchange, self._unknown)
            if before is not None:
                after = await self._look(one)
                numbers += after.numbers
                finding = finding or checks.is_untouched(
                    before.item, after.exchange, after.item, self._life.is_volatile
                )
            self._say(operation, "isolated", finding, one.numbers + numbers)

    def _change(self, operation: Operation, one: Being, look: Look | None) -> Probe | None:
        """Return a request that would change what is seen, for what can be changed."""
        if operation is not self._life.updates:
            return None
        changes = self._changes(operation)
        return (
            changes.together(changes.of(self._life.changeable, _object(look.item if look else {}), one.said))
            or changes.minimal
        )

    async def _is_changed(self, one: Being, two: Being | None) -> None:
        """Change everything, then one field after another; each time look at what should and what should not differ."""
        update = self._life.updates
        if update is None or not self._judges(update, "changed"):
            return
        other = await self._look(two) if two is not None else None
        changes = self._changes(update)
        look = await self._look(one)
        single = changes.of(self._life.changeable, _object(look.item), one.said)
        whole = changes.together(single)
        if whole is None:
            self._lack(
                update,
                ("changed", "merged", "alone"),
                f"nothing about it can be changed: {outline(look.exchange)}",
                look.numbers,
            )
            return
        if not await self._set(update, one, whole, look):
            await self._set(update, one, next(iter(single.values())), look)
        await self._is_left_alone(update, two, other)  # a later change may be to what the other has
        for name in list(single)[:2]:
            look = await self._look(one)
            again = changes.of([name], _object(look.item), whole.body)
            for probe in again.values():
                await self._set(update, one, probe, look)
        await self._is_left_alone(update, two, other)
        if not self._life.creates:  # what nobody made may have had nothing to show before
            await self._is_looked_at(one)

    async def _is_left_alone(self, operation: Operation, two: Being | None, before: Look | None) -> None:
        if two is None or before is None:
            return
        now = await self._look(two)
        finding = checks.is_alone(before.item, now.exchange, now.item, self._life.is_volatile)
        self._say(operation, "alone", finding, two.numbers + before.numbers + now.numbers)

    async def _set(self, update: Operation, one: Being, probe: Probe, before: Look) -> bool:
        """Make one change and look at what came of it; tell whether it was taken."""
        exchange, numbers = await self._send(self._owner, update, one, probe)
        if exchange.response is None or not exchange.response.is_success:
            self._lacking = self._lacking or f"the change is refused: {outline(exchange)}"
            return False
        asked = _asked(exchange)
        after = await self._look(one)
        wanted = {n: asked[n] for n in self._life.changeable if asked.get(n) is not None}
        seen = one.numbers + before.numbers + numbers + after.numbers
        self._say(update, "changed", checks.is_changed(after.exchange, after.item, wanted), seen)
        self._say(update, "merged", checks.is_merged(before.item, after.item, self._life.settable, asked), seen)
        return True

    # How it ends

    async def _ends(self, one: Being, two: Being | None) -> None:
        delete = self._life.deletes
        if delete is None:
            return
        other = await self._look(two) if two is not None and self._life.is_seen else None
        exchange, numbers = await self._send(self._owner, delete, one)
        if exchange.response is None or not exchange.response.is_success:
            raise Unavailable(f"{delete.id} is refused: {outline(exchange)}")
        await self._is_gone(delete, one, one.numbers + numbers)
        if self._judges(delete, "again"):
            repeated, more = await self._send(self._owner, delete, one)
            self._say(delete, "again", checks.is_refused_again(repeated, self._unknown), one.numbers + numbers + more)
        await self._is_left_alone(delete, two, other)
        for create in self._life.creates[:1]:
            if self._judges(create, "distinct"):
                await self._created(create, self._changes(create).minimal, [b.key for b in (one, two) if b is not None])

    async def _is_gone(self, delete: Operation, one: Being, numbers: Numbers) -> None:
        if self._life.reads is not None:
            exchange, seen = await self._send(self._owner, self._life.reads, one)
            self._say(delete, "gone", checks.is_gone(exchange, self._unknown), numbers + seen)
        if self._life.lists is not None:
            roll = await self._roll(self._owner, one.known)
            finding = checks.is_unlisted(roll.items, self._resource.identifier, one.key)
            self._say(delete, "gone", finding, numbers + roll.numbers)

    # Asking and telling

    async def _look(self, being: Being) -> Look:
        if self._life.reads is None:
            roll = await self._roll(self._owner, being.known)
            mine = [i for i in roll.items or () if being.key in checks.keys_of([i], self._resource.identifier)]
            return Look(exchange=roll.exchange, item=mine[0] if mine else None, numbers=roll.numbers)
        exchange, numbers = await self._send(self._owner, self._life.reads, being)
        success = exchange.response is not None and exchange.response.is_success
        slot = envelope_of(self._session.edition, self._life.reads).slot
        body = json_body(exchange) if success else None
        item = body.get(slot) if slot and isinstance(body, dict) else body
        return Look(exchange=exchange, item=item if isinstance(item, dict) else None, numbers=numbers)

    async def _send(
        self, asker: Asker, operation: Operation, being: Being, probe: Probe | None = None
    ) -> tuple[Exchange, Numbers]:
        names = path_parameters(operation)
        if len(names) > len(being.values):
            raise Unavailable(f"{operation.path} cannot be filled in with {', '.join(being.values)}")
        path = dict(zip(names, being.values[len(being.values) - len(names) :], strict=True))
        return await asker.send(operation, probe or self._session.plan(operation).probes[0], path)

    async def _roll(self, asker: Asker, known: dict[str, Any]) -> Roll:
        lists = self._life.lists
        if lists is None:
            raise Unavailable("nothing lists it")
        path = await self._owner.prerequisites.path_values(lists)
        addressed = path_parameters(self._life.reads or lists)
        free = {n for n in path.keys() - set(addressed) if self._session.lifecycles.key(lists.id, n).value}
        path |= {name: str(known[name]) for name in free & known.keys()}
        probe = self._session.plan(lists).probes[0]
        return await Roll.call(
            self._session.edition, lists, probe, known,
            lambda asked: asker.send(lists, asked, path),
        )  # fmt: skip

    async def _keys(self, asker: Asker, known: Any) -> tuple[str, ...]:
        roll = await self._roll(asker, known if isinstance(known, dict) else {})
        return checks.keys_of(roll.items or (), self._resource.identifier)

    def _changes(self, operation: Operation) -> Changes:
        return Changes(self._session.edition, operation, self._session.plan(operation))

    def _judges(self, operation: Operation, kind: str) -> bool:
        return f"{operation.id}:{PLACE}:{kind}" in self._wanted

    def _say(self, operation: Operation, kind: str, finding: Finding | None, numbers: Numbers) -> None:
        if self._judges(operation, kind):
            name = f"{operation.id}:{PLACE}:{kind}"
            self._said.append(judged(name, finding, probe=f"{self._resource.name}:life", exchanges=_sorted(numbers)))

    def _lack(self, operation: Operation, kinds: tuple[str, ...], reason: str, numbers: Numbers) -> None:
        lacking = (f"{operation.id}:{PLACE}:{kind}" for kind in kinds if self._judges(operation, kind))
        self._said += [inconclusive(name, reason, exchanges=_sorted(numbers)) for name in lacking]


def _asked(exchange: Exchange) -> dict[str, Any]:
    """Return what a JSON request asked for; a form says nothing that could be compared."""
    try:
        body = msgspec.json.decode(exchange.request.body)
    except msgspec.DecodeError:
        return {}
    return _object(body)


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _sorted(numbers: Numbers) -> Numbers:
    return tuple(sorted(set(numbers)))
