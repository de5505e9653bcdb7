"""Bringing conferences about: one made from a call, with as many more calls in it as are wanted."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from telnyx_conformance.checks.finding import json_body, outline
from telnyx_conformance.run.calls import CallSetup, Unavailable

if TYPE_CHECKING:
    from telnyx_conformance.contract.exchange import Exchange
    from telnyx_conformance.run.session import Session

# Those who join differ in what lists of participants can be filtered by.
CROWD: tuple[dict[str, Any], ...] = ({"mute": True}, {"hold": True, "supervisor_role": "monitor"})
NewCall = Callable[[], Awaitable[str]]


class ConferenceSetup:
    """Makes conferences of calls that `new_call` makes. `members` maps a conference to the first call in it."""

    def __init__(self, session: Session, calls: CallSetup, new_call: NewCall) -> None:
        self._session, self._calls, self._new_call = session, calls, new_call
        self.members: dict[str, str] = {}
        self.behind: dict[str, tuple[int, ...]] = {}
        by_path = {(o.method, o.path): o for o in session.edition.operations}
        self._create = by_path["POST", "/conferences"]
        self._join = by_path["POST", "/conferences/{id}/actions/join"]

    async def make(self, *, crowded: bool = False) -> str:
        """Return the id of a new conference with one participant, or with several. Raises `Unavailable`."""
        first = await self._new_call()
        body = {"call_control_id": first, "name": self._session.fresh("conformance-")}
        exchange, numbers = await self._calls.command(self._create, {}, body, probe="setup.conference")
        conference = _id(exchange)
        self._session.gate.created.add(conference)
        self.members[conference] = first
        seen = [*self._calls.behind.get(first, ()), *numbers]
        for arrangements in CROWD if crowded else ():
            other = await self._new_call()
            body = {"call_control_id": other, **arrangements}
            exchange, numbers = await self._calls.command(self._join, {"id": conference}, body, probe="setup.join")
            if exchange.response is None or not exchange.response.is_success:
                raise Unavailable(f"a call could not join a conference: {outline(exchange)}")
            seen += [*self._calls.behind.get(other, ()), *numbers]
        self.behind[conference] = tuple(dict.fromkeys(seen))
        return conference


def _id(exchange: Exchange) -> str:
    document = json_body(exchange)
    data = document.get("data") if isinstance(document, dict) else None
    if not isinstance(data, dict) or not data.get("id"):
        raise Unavailable(f"no conference could be made: {outline(exchange)}")
    return str(data["id"])
