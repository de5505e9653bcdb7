"""The operations on calls: what each checks, sets and answers. What follows stands in `machine` and `switch`.

Dial, answer, reject, hang up, transfer and the update of client state are carried out here; what other commands do
beyond the leg's table is said by the features.
"""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from telnyx_conformance.emulator.account import Answer, Ask, Refusal
from telnyx_conformance.emulator.products.calls.features import FEATURES
from telnyx_conformance.emulator.products.calls.legs import CommandIds, Leg, Route
from telnyx_conformance.emulator.products.calls.machine import LEG, TABLE, TALKING
from telnyx_conformance.emulator.products.calls.stub import stub_handlers
from telnyx_conformance.emulator.products.calls.switch import Switch

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from telnyx_conformance.contract.model import Edition
    from telnyx_conformance.emulator.account import Account, Handler
    from telnyx_conformance.emulator.products.calls.activity import Command
    from telnyx_conformance.emulator.registry import Registry

OK = Answer(document={"data": {"result": "ok"}})
REJECT_CAUSES: Mapping[str, str] = {"CALL_REJECTED": "call_rejected", "USER_BUSY": "user_busy"}
PAGE_LIMIT = 20
FIRST_COMMAND_SECONDS = 30
CALL = "{call_control_id}"


class Calls:
    """The calls of one account.

    `find_application` returns the Call Control application that a connection id names, `find_connection` any connection.
    `has_media` tells whether a file was uploaded under a name; `registry` is where recordings are kept and connectors are
    found. `legs_limit` bounds the memory: beyond it the oldest ended leg is forgotten, and without one a dial is refused.
    """

    def __init__(
        self,
        account: Account,
        *,
        edition: Edition,
        find_application: Callable[[str], Mapping[str, Any] | None],
        find_connection: Callable[[str], Mapping[str, Any] | None] | None = None,
        has_media: Callable[[str], bool] = lambda _: False,
        registry: Registry | None = None,
        legs_limit: int = 2000,
    ) -> None:
        self._clock = account.clock
        self._ids = account.ids
        self._find_application = find_application
        self._find_connection = find_connection or find_application
        self._dials = CommandIds()
        self.switch = Switch(account, limit=legs_limit, has_media=has_media, registry=registry)
        self._commands: dict[str, Command] = {}
        commands = sorted(id_ for id_ in LEG.commands & set(edition.by_id) if CALL in edition.by_id[id_].path)
        handlers: dict[str, Handler] = {
            **dict.fromkeys(commands, self._command),
            "DialCall": self._dial,
            "RetrieveCallStatus": self._status,
            "ListConnectionActiveCalls": self._active,
        }
        for make in FEATURES:
            feature = make(self.switch)
            self._commands |= feature.commands
            self.switch.on_answer.append(feature.begin)
            handlers |= feature.handlers
        if account.mode == "stub":
            handlers = stub_handlers(commands, account.ids, account.clock)
        self.handlers: Mapping[str, Handler] = {id_: h for id_, h in handlers.items() if id_ in edition.by_id}

    def inbound(self, connection_id: str, from_: str, to: str) -> dict[str, Any]:
        """Let somebody call: return the new parked leg's document, of the form of `GET /calls/{call_control_id}`."""
        application = self._application(connection_id)
        leg = self.switch.incoming(connection_id=connection_id, from_=from_, to=to, route=Route.of(application))
        if application.get("first_command_timeout"):
            seconds = application.get("first_command_timeout_secs")
            self.switch.expect_command(leg, FIRST_COMMAND_SECONDS if seconds is None else seconds)
        return {"data": leg.document(self._clock.micros)}

    def far_hangs_up(self, call_control_id: str) -> None:
        """Let the other side of a leg hang up: of an answered one, or the caller of one that is parked."""
        leg = self._leg(call_control_id)
        if (leg.state, "far_hangs_up") not in TABLE:
            raise Refusal(422, LEG.refusal_code(leg.state, "far_hangs_up"), bare=True)
        self.switch.happen(leg, "far_hangs_up")

    def far_presses(self, call_control_id: str, digits: str) -> None:
        """Let the other side of a leg press keys."""
        self.switch.press(self._talking(call_control_id), digits)

    def far_says(self, call_control_id: str, text: str) -> None:
        """Let the other side of a leg speak."""
        self.switch.say(self._talking(call_control_id), text)

    def _talking(self, call_control_id: str) -> Leg:
        leg = self._leg(call_control_id)
        if leg.state not in TALKING:
            raise Refusal(422, LEG.refusal_code(leg.state, ""), bare=True)
        return leg

    def _leg(self, call_control_id: str) -> Leg:
        leg = self.switch.legs.get(call_control_id)
        if leg is None:
            raise Refusal(422, "90015", bare=True)
        return leg

    def _application(self, connection_id: str) -> Mapping[str, Any]:
        application = self._find_application(connection_id)
        if application is None:
            raise Refusal(422, "10015", pointer="/connection_id")
        return application

    def _command(self, ask: Ask) -> Answer:
        """Carry out a command to a leg: a repeated one is ignored, one without a row in the state is refused."""
        leg = self._leg(ask.path["call_control_id"])
        body: Mapping[str, Any] = ask.body or {}
        command = ask.operation.id
        command_id = body.get("command_id")
        if command_id and leg.command_ids and (seen := leg.command_ids.answer(command_id, self._clock.micros)):
            return seen  # type: ignore[no-any-return]
        row = self.switch.tables.row(LEG, leg.state, command)
        if command == "TransferCall":
            self.switch.admit({"/to": body["to"]})
        feature = self._commands.get(command)
        if feature is not None and feature.check is not None:
            feature.check(leg, body)
        if "client_state" in body:
            leg.client_state = body["client_state"]
        leg.route = leg.route.overridden(body)
        if leg.commanded_by is not None:
            leg.commanded_by.cancel()
        answer = OK
        if command == "AnswerCall" and body.get("record"):
            leg.recording_id = self._ids.uuid()
            answer = Answer(document={"data": {"result": "ok", "recording_id": leg.recording_id}})
        self.switch.carry_out(leg, row, body, cause=REJECT_CAUSES.get(body.get("cause", ""), "unspecified"))
        if feature is not None and (more := feature.do(leg, body)):
            answer = Answer(document={"data": {"result": "ok", **more}})
        if command_id:
            leg.command_ids = leg.command_ids or CommandIds()
            leg.command_ids.remember(command_id, self._clock.micros, answer)
        return answer

    def _dial(self, ask: Ask) -> Answer:
        """Ring one leg, or several at once of which the first to answer stays; the answer describes the first."""
        body: Mapping[str, Any] = ask.body
        command_id = body.get("command_id")
        if command_id and (seen := self._dials.answer(command_id, self._clock.micros)):
            return seen  # type: ignore[no-any-return]
        route = Route.of(self._application(body["connection_id"])).overridden(body)
        to = body["to"]
        targets = {"/to": to} if isinstance(to, str) else {f"/to/{place}": each for place, each in enumerate(to)}
        if not targets:
            raise Refusal(422, "10015", pointer="/to")
        session_id = self._session(body.get("link_to"))
        self.switch.admit(targets)
        legs = [
            self.switch.outgoing(
                session_id=session_id,
                connection_id=body["connection_id"],
                from_=body["from"],
                to=target,
                route=route,
                body=body,
            )
            for target in targets.values()
        ]
        for leg in legs:
            leg.client_state = body.get("client_state")
            leg.rivals = [other for other in legs if other is not leg]
            if body.get("record"):
                leg.recording_id = self._ids.uuid()
            self.switch.carry_out(leg, TABLE["new", "DialCall"], body)
        data = {
            "record_type": "call",
            "call_control_id": legs[0].call_control_id,
            "call_leg_id": legs[0].leg_id,
            "call_session_id": legs[0].session_id,
            "is_alive": False,
        }
        if legs[0].client_state is not None:
            data["client_state"] = legs[0].client_state
        if legs[0].recording_id:
            data["recording_id"] = legs[0].recording_id
        answer = Answer(document={"data": data})
        if command_id:
            self._dials.remember(command_id, self._clock.micros, answer)
        return answer

    def _session(self, link_to: str | None) -> str:
        if not link_to:
            return self._ids.uuid()
        leg = self.switch.legs.get(link_to)
        if leg is None:
            raise Refusal(422, "90015", pointer="/link_to")
        return leg.session_id

    def _status(self, ask: Ask) -> Answer:
        leg = self.switch.legs.get(ask.path["call_control_id"])
        if leg is None:
            raise Refusal(404, "10005", parameter="call_control_id")
        return Answer(document={"data": leg.document(self._clock.micros)})

    def _active(self, ask: Ask) -> Answer:
        """Page through the legs of a connection that have not ended, oldest first; a cursor names an edge."""
        connection_id = ask.path["connection_id"]
        if self._find_connection(connection_id) is None:
            raise Refusal(404, "10005", parameter="connection_id")
        legs = [leg for leg in self.switch.legs if leg.connection_id == connection_id and leg.state != "ended"]
        first, last = 0, len(legs)
        if after := _cursor(ask, "page[after]"):
            first = next((place + 1 for place, leg in enumerate(legs) if leg.leg_id == after), last)
        if before := _cursor(ask, "page[before]"):
            last = next((place for place, leg in enumerate(legs) if leg.leg_id == before), last)
        limit = int(ask.query.get("page[limit]") or PAGE_LIMIT)
        if before and not after:
            first = max(first, last - limit)
        last = min(last, first + limit)
        now = self._clock.micros
        meta: dict[str, Any] = {"total_items": len(legs), "cursors": {}}
        path = f"/v2/connections/{quote(connection_id)}/active_calls"
        if last < len(legs) and last > first:
            meta["cursors"]["after"] = _encoded(legs[last - 1])
            meta["next"] = f"{path}?page[after]={meta['cursors']['after']}&page[limit]={limit}"
        if 0 < first < len(legs):
            meta["cursors"]["before"] = _encoded(legs[first])
            meta["previous"] = f"{path}?page[before]={meta['cursors']['before']}&page[limit]={limit}"
        return Answer(document={"data": [_active_call(leg, now) for leg in legs[first:last]], "meta": meta})


def _active_call(leg: Leg, now: int) -> dict[str, Any]:
    document = leg.document(now)
    shown = ("record_type", "call_session_id", "call_leg_id", "call_control_id", "call_duration")
    return {"client_state": leg.client_state or "", **{key: document[key] for key in shown}}


def _encoded(leg: Leg) -> str:
    return base64.urlsafe_b64encode(leg.leg_id.encode()).decode()


def _cursor(ask: Ask, parameter: str) -> str:
    """Return the leg id that a cursor stands for, empty without one (the documented default is the word `null`).

    A cursor that was never handed out stands for no leg: nothing comes after it or is cut off by it.
    """
    text = str(ask.query.get(parameter) or "null")
    if text == "null":
        return ""
    try:
        return base64.urlsafe_b64decode(text.encode()).decode()
    except (binascii.Error, ValueError):
        return text
