"""Bringing a sequence contract about: the given legs, the steps, and whatever events follow until nothing more is awaited.

Where the target speaks the control API, time is virtual and moves only when a step or the wait for an event asks for it; elsewhere
the scenario lives in real time.
"""

from __future__ import annotations

import asyncio
import base64
import itertools
from typing import TYPE_CHECKING, Any

import msgspec

from telnyx_conformance.checks.finding import json_body
from telnyx_conformance.checks.history import Bindings, LegIds, Sent, has_come_about, leg_ids
from telnyx_conformance.checks.sequence import has_occurred, is_complete
from telnyx_conformance.checks.stream import is_heard
from telnyx_conformance.contract.model import Operation
from telnyx_conformance.contract.sequence import (
    ABSENT,
    LEG_PARAMETER,
    Advance,
    Await,
    FarEnd,
    Given,
    Send,
    Sequence,
    Step,
    Symbol,
    reference,
    resolved,
    value_at,
)
from telnyx_conformance.run.calls import CallSetup, Unavailable
from telnyx_conformance.run.patience import looks, own_seconds

if TYPE_CHECKING:
    from collections.abc import Callable

    from telnyx_conformance.contract.exchange import Event, Exchange
    from telnyx_conformance.run.session import Session

QUIET_SECONDS = 5.0
REAL_QUIET_SECONDS = 1.0
SILENT_SECONDS = 1.0
MOST_WAITS_IN_VAIN = 2
SUCCESSES = range(200, 300)  # RFC 9110, section 15.3
NEVER_AGAIN_SILENT = -(10**9)  # one leg was heard of: from now on a wait in vain is news


class Played(Exception):  # noqa: N818 - the scenario cannot go on; no error of ours
    """A step could not be carried out; the reason makes the requirements inconclusive."""


class Scenario:
    """One sequence being played on a session, in an account and with inboxes of its own."""

    def __init__(self, session: Session, sequence: Sequence) -> None:
        self.session, self.sequence = session, sequence
        self.exchanges: list[int] = []
        self.unfinished = ""
        self._stem = session.fresh("s").replace("_", "-")
        self._account = self._stem
        self._calls = CallSetup(session, account=self._account, token=self._token(""))
        self._legs: dict[str, LegIds] = {}
        self._sent: dict[str, Sent] = {}
        self._requests: dict[str, _Request] = {}
        self._inboxes: dict[str, str] = {}
        self._streams: dict[str, str] = {}
        self._fresh: dict[str, str] = {}
        self._virtual = False
        self._values: dict[str, Callable[[str], Any]] = {
            "destination": self._calls.destination, "base64": lambda text: base64.b64encode(text.encode()).decode(),
            "fresh": self._fresh_id, "inbox": self._inbox, "leg": self._address, "returned": self._returned,
            "media": session.inbox.media_url, "socket": self._socket, "port": self._port,
        }  # fmt: skip

    async def play(self) -> None:
        """Carry out the situation and every step, then let what is still to come, come."""
        self._virtual = await self._calls.virtual_time()
        try:
            for given in self.sequence.given:
                await self._give(given)
            for number, step in enumerate(self.sequence.prepare, start=1):
                await self._prepare(step, number)
            for step in self.sequence.steps:
                await self._take(step)
            await self._until(lambda: is_complete(self.sequence, self.events(), self.bindings()))
            if self.sequence.streams:
                seconds = SILENT_SECONDS if self._virtual else self.session.settings.profile.event_seconds
                await self.session.inbox.until(lambda: is_heard(self.sequence, self.bindings()), seconds)
            await self._pass(QUIET_SECONDS if self._virtual else REAL_QUIET_SECONDS)
        except (Unavailable, Played) as reason:
            self.unfinished = str(reason)
        self.exchanges += self._calls.exchanges

    def bindings(self) -> Bindings:
        """Return what the events do not say: ids, requests, answers, inboxes."""
        return Bindings(
            legs=dict(self._legs), sent=dict(self._sent), inboxes=dict(self._inboxes),
            streams={word: self.session.inbox.streams.messages(token) for word, token in self._streams.items()},
            verifiable=self.session.inbox.is_verifying,
        )  # fmt: skip

    def events(self) -> tuple[Event, ...]:
        """Return what the inboxes of this scenario received so far, in order of arrival."""
        tokens = [self._token(""), *self._inboxes.values()]
        received = [event for token in dict.fromkeys(tokens) for event in self.session.inbox.events(token)]
        return tuple(sorted(received, key=lambda event: event.arrival))

    def forget(self) -> None:
        """Free the inboxes."""
        for token in dict.fromkeys([self._token(""), *self._inboxes.values()]):
            self.session.inbox.forget(token)
        for word in self._streams.values():
            self.session.inbox.streams.forget(word)

    def _token(self, name: str) -> str:
        return f"{self._stem}-{name}" if name else self._stem

    def _occurred(self, names: tuple[str, ...]) -> bool:
        return has_occurred(self.sequence, names, self.events(), self.bindings())

    async def _give(self, given: Given) -> None:
        body = self._resolved(given.request)
        ids, sent = await self._calls.leg(given.state, given.origin, body, self._until_event)
        self._legs[given.leg] = ids
        self._sent[given.leg] = sent

    async def _prepare(self, step: Step, number: int) -> None:
        """Take a step of the situation and wait for what it causes: without it, nothing that follows can be judged."""
        await self._take(step)
        if isinstance(step, Send):
            sent = self._sent[step.name]
            if sent.status not in SUCCESSES:
                raise Played(
                    f"the situation could not be prepared: {step.name} was answered {sent.status} {', '.join(sent.codes)}"
                )
        if not isinstance(step, Send | FarEnd) or not step.causes:
            return
        situation = self.sequence.situation_until(self.sequence.prepare[:number])
        if not await self._until(lambda: has_come_about(self.sequence, situation, self.events(), self.bindings())):
            wanted = ", ".join(f"{caused.event} on leg {caused.leg}" for caused in step.causes)
            raise Played(f"the situation could not be prepared: not all came of {wanted}")

    async def _take(self, step: Step) -> None:
        if isinstance(step, Advance):
            await self._pass(step.seconds)
        elif isinstance(step, Await):
            await self._until(lambda: self._occurred(step.events))
        elif isinstance(step, FarEnd):
            await self._calls.far_end(step.act, self._address(step.leg), step.said)
        elif isinstance(step, Send):
            self._requests[step.name] = await self._request(step)
            await self._send(step.name, 1)
        else:
            await self._send(step.name, step.times)

    async def _request(self, step: Send) -> _Request:
        operation = self.session.edition.operation(step.operation)
        body = self._resolved(step.request)
        if operation.id == self._calls.dial_operation.id:
            body = {**await self._calls.dial_defaults(), **body}
        path = {name: str(value) for name, value in self._resolved(step.path).items()}
        if step.leg and LEG_PARAMETER not in path and "{" + LEG_PARAMETER + "}" in operation.path:
            path[LEG_PARAMETER] = self._address(step.leg)
        return _Request(operation, path, self._resolved(step.query), body)

    async def _send(self, name: str, times: int) -> None:
        """Send a step's request, several copies of it at once."""
        asked = self._requests[self.sequence.original(name)]
        probe = f"{self.sequence.name}.{name}"
        copies = [
            self._calls.command(asked.operation, asked.path, asked.body, probe=probe, query=asked.query)
            for _ in range(times)
        ]
        answers = await asyncio.gather(*copies)
        self.exchanges += [number for _, numbers in answers for number in numbers]
        said = [answered(exchange, asked.body) for exchange, _ in answers]
        self._sent[name] = next((one for one in said if one.status not in SUCCESSES), said[0])
        if asked.operation.method == "POST" and value_at(self._sent[name].data, "id") is not ABSENT:
            self.session.gate.created.add(str(value_at(self._sent[name].data, "id")))
        data = self._sent[name].data
        first = next((leg for leg, step_name in self.sequence.created.items() if step_name == name), "")
        if first and isinstance(data, dict) and data.get("call_control_id"):  # of several legs the first is answered
            self._legs.setdefault(first, ids_of(data))
        self._legs.update(leg_ids(self.sequence, self.events(), self.bindings()))

    def _address(self, leg: str) -> str:
        known = leg_ids(self.sequence, self.events(), self.bindings()).get(leg)
        if known and known.call_control_id:
            return known.call_control_id
        raise Played(f"leg {leg} has no call control id yet: no event of it came")

    def _resolved(self, request: dict[str, Any]) -> dict[str, Any]:
        return resolved(request, self._known)

    def _known(self, symbol: Symbol) -> Any:
        return self._values[symbol.kind](symbol.name)

    def _fresh_id(self, word: str) -> str:
        return self._fresh.setdefault(word, self.session.fresh(f"{word}-"))

    def _inbox(self, word: str) -> str:
        return self.session.inbox.url(self._inboxes.setdefault(word, self._token(word)))

    def _returned(self, text: str) -> Any:
        wanted = reference(text)
        sent = self._sent.get(wanted.step)
        value = value_at(sent.data, wanted.field) if sent else ABSENT
        if value is ABSENT:
            raise Played(f"the answer of {wanted.step} has no {wanted.field}, which a later request needs")
        return value

    def _socket(self, word: str) -> str:
        return self.session.inbox.socket_url(self._stream(word))

    def _port(self, word: str) -> str:
        return self.session.inbox.streams.port(self._stream(word))

    def _stream(self, word: str) -> str:
        """Return the word under which the inbox keeps what a socket or port of this scenario receives."""
        return self._streams.setdefault(word, self._token(word))

    async def _pass(self, seconds: float) -> None:
        if self._virtual:
            if not await self._calls.advance(seconds):
                raise Played("the control API refused to advance the clock")
            return
        longest = self.session.settings.profile.real_wait_seconds
        if seconds > longest:
            raise Played(_too_long(f"this takes {seconds:g} s", longest))
        if seconds > REAL_QUIET_SECONDS and self._is_silent:
            raise Played("the target has let no leg be heard of: no time is spent on what would follow")
        await asyncio.sleep(seconds)

    async def _until_event(self, event_type: str, call_control_id: str) -> bool:
        """Wait for an event of a leg; false when it does not come in time."""

        def came() -> bool:
            return any(
                e.type == event_type and e.payload.get("call_control_id") == call_control_id for e in self.events()
            )

        return await self._until(came) if self._virtual else await self._heard(came, came)

    @property
    def _is_silent(self) -> bool:
        return self.session.waits_in_vain >= MOST_WAITS_IN_VAIN

    async def _heard(self, condition: Callable[[], bool], sign: Callable[[], bool]) -> bool:
        """Wait in real time; `sign` tells whether a leg has been heard of by then.

        A target that has never given one is soon not waited for long: each wait would be in vain.
        """
        condition = self._whenever_news_came(condition)
        seconds = SILENT_SECONDS if self._is_silent else self.session.settings.profile.event_seconds
        came = await self.session.inbox.until(condition, seconds)
        if sign():
            self.session.waits_in_vain = NEVER_AGAIN_SILENT
        elif not came:
            self.session.waits_in_vain += 1
        return came

    def _whenever_news_came(self, condition: Callable[[], bool]) -> Callable[[], bool]:
        """Return a condition that is looked at again only after an event that is not another's repetition."""
        ids: set[str] = set()
        latest, news, holds = -1, True, False

        def look() -> bool:
            nonlocal latest, news, holds
            seen = self.events()
            for event in itertools.takewhile(lambda event: event.arrival > latest, reversed(seen)):
                news = news or not event.id or event.id not in ids
                ids.add(event.id)
            latest = seen[-1].arrival if seen else latest
            if news:
                holds, news = condition(), False
            return holds

        return look

    async def _until(self, condition: Callable[[], bool]) -> bool:
        condition = self._whenever_news_came(condition)
        if self._virtual:
            for step in looks():
                if condition():
                    return True
                await self._pass(step)
            return condition()
        if not await self._heard(lambda: condition() or self._is_heard_of(), self._is_heard_of):
            return False  # minutes of patience are for legs that live
        profile = self.session.settings.profile
        needed, longest = own_seconds(self.sequence), profile.real_wait_seconds
        came = await self.session.inbox.until(condition, profile.event_seconds + min(needed, longest))
        if not came and needed > longest:
            raise Played(_too_long(f"what was asked for may take {needed:g} s", longest))
        return came

    def _is_heard_of(self) -> bool:
        known = {ids.call_control_id for ids in self._legs.values()}
        return any(event.payload.get("call_control_id") in known for event in self.events())


class _Request(msgspec.Struct, frozen=True):
    """What a step sends: every value in its place."""

    operation: Operation
    path: dict[str, str]
    query: dict[str, Any]
    body: dict[str, Any]


def _too_long(what: str, longest: float) -> str:
    return f"{what}, the target's time is real, and no more than {longest:g} s are waited for"


def answered(exchange: Exchange, body: dict[str, Any]) -> Sent:
    """Return an exchange as the judge of sequences reads it."""
    document = json_body(exchange)
    data = document.get("data") if isinstance(document, dict) else None
    errors = document.get("errors") if isinstance(document, dict) else None
    listed = [e for e in errors if isinstance(e, dict)] if isinstance(errors, list) else []
    codes = tuple(str(error["code"]) for error in listed if "code" in error)
    status = exchange.response.status if exchange.response else 0
    return Sent(body=body, status=status, data=data if isinstance(data, dict | list) else {}, codes=codes)


def ids_of(data: dict[str, Any]) -> LegIds:
    """Return the ids of a call object."""
    return LegIds(call_control_id=str(data.get("call_control_id", "")), call_leg_id=str(data.get("call_leg_id", "")))
