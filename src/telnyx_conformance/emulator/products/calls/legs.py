"""Legs, the sides of calls, and the bounded store that keeps ended ones readable for a while."""

from __future__ import annotations

from collections import deque
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal

import msgspec
from msgspec.structs import replace

from telnyx_conformance.emulator.account import Refusal
from telnyx_conformance.emulator.clock import MICROS
from telnyx_conformance.emulator.outbox import DEFAULT_TIMEOUT_SECONDS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from telnyx_conformance.emulator.clock import Clock, Timer
    from telnyx_conformance.emulator.products.calls.activity import Activity

READABLE_SECONDS = 600
COMMAND_ID_SECONDS = 60
COMMAND_IDS_KEPT = 1000
DEFAULT_RING_SECONDS = 30
DEFAULT_TIME_LIMIT_SECONDS = 14_400


class Route(msgspec.Struct, frozen=True):
    """Where a leg's webhooks go, and in the form of which API version; no URL means that nobody listens.

    `timeout` is in seconds. An application that asks for 0, or for nothing, gets the general one.
    """

    url: str = ""
    method: Literal["POST", "GET"] = "POST"
    failover_url: str = ""
    timeout: float = DEFAULT_TIMEOUT_SECONDS
    version: Literal["1", "2"] = "1"

    @classmethod
    def of(cls, application: Mapping[str, Any]) -> Route:
        """Return the route that a Call Control application names."""
        return cls(
            url=application.get("webhook_event_url") or "",
            failover_url=application.get("webhook_event_failover_url") or "",
            timeout=application.get("webhook_timeout_secs") or DEFAULT_TIMEOUT_SECONDS,
            version=application.get("webhook_api_version") or "1",
        )

    def overridden(self, body: Mapping[str, Any]) -> Route:
        """Return the route after a command that may carry a URL or method of its own."""
        if "webhook_url" not in body and "webhook_url_method" not in body:
            return self
        return replace(
            self,
            url=body.get("webhook_url") or self.url,
            method=body.get("webhook_url_method") or self.method,
        )


class CommandIds:
    """The command ids of the last minute, each with what its command was answered."""

    __slots__ = ("_seen",)

    def __init__(self) -> None:
        self._seen: dict[str, tuple[int, Any]] = {}

    def answer(self, command_id: str, now: int) -> Any:
        """Return what the command with this id was answered, or `None` when none was within the window."""
        seen = self._seen.get(command_id)
        return seen[1] if seen is not None and now - seen[0] < COMMAND_ID_SECONDS * MICROS else None

    def remember(self, command_id: str, now: int, answer: Any) -> None:
        """Keep `answer` for as long as the window is open; above a bound the oldest are forgotten earlier."""
        self._seen.pop(command_id, None)
        self._seen[command_id] = (now, answer)
        oldest = next(iter(self._seen))
        while len(self._seen) > COMMAND_IDS_KEPT or now - self._seen[oldest][0] >= COMMAND_ID_SECONDS * MICROS:
            del self._seen[oldest]
            oldest = next(iter(self._seen))


class Leg:
    """One side of a call. Legs of one session share `session_id`; times are microseconds of the account's clock.

    `peer` is the leg it is bridged with; `target` the leg a transfer is dialling for it, whose `origin` it is; `rivals`
    are the legs that one dial rang at the same time; `parks` tells that it stays when its peer leaves. `body` is that of
    the command that dialled it. `activities` are what goes on on it.
    """

    __slots__ = (
        "activities", "answered_at", "body", "call_control_id", "cause", "client_state", "command_ids", "commanded_by",
        "connection_id", "detection", "detection_config", "direction", "display_name", "ended_at", "from_", "headers",
        "leg_id", "origin", "parks", "peer", "recording_id", "ring_seconds", "rivals", "route", "session_id", "side",
        "started_at", "state", "target", "time_limit", "timers", "to",
    )  # fmt: skip

    def __init__(  # noqa: PLR0917 - called once per leg at full speed, where keywords cost
        self,
        call_control_id: str,
        leg_id: str,
        session_id: str,
        connection_id: str,
        direction: Literal["incoming", "outgoing"],
        from_: str,
        to: str,
        route: Route,
        started_at: int,
        body: Mapping[str, Any],
    ) -> None:
        self.call_control_id = call_control_id
        self.leg_id = leg_id
        self.session_id = session_id
        self.connection_id = connection_id
        self.direction = direction
        self.from_ = from_
        self.to = to
        self.route = route
        self.started_at = started_at
        self.answered_at: int = 0
        self.ended_at: int = 0
        self.state: str = "new"
        self.cause: str = ""
        self.side: str = ""
        self.body = body
        self.parks: bool = False
        self.activities: list[Activity] | None = None
        self.client_state: str | None = None
        self.recording_id: str = ""
        self.display_name: str = body.get("from_display_name") or ""
        self.ring_seconds: float = body.get("timeout_secs", DEFAULT_RING_SECONDS)
        self.time_limit: float = body.get("time_limit_secs", DEFAULT_TIME_LIMIT_SECONDS)
        self.detection: str = body.get("answering_machine_detection") or "disabled"
        self.detection_config: Mapping[str, Any] = body.get("answering_machine_detection_config") or {}
        self.headers = {key: body[key] for key in ("custom_headers", "sip_headers") if body.get(key)}
        self.peer: Leg | None = None
        self.target: Leg | None = None
        self.origin: Leg | None = None
        self.rivals: list[Leg] = []
        self.timers: list[Timer] = []
        self.command_ids: CommandIds | None = None
        self.commanded_by: Timer | None = None  # hangs up unless a command comes before

    @property
    def party_type(self) -> str:
        """What kind of line the caller uses, as some events name it."""
        return "sip" if self.from_.startswith(("sip:", "sips:")) else "pstn"

    @property
    def source(self) -> str:
        """Who hung up, as `call.hangup` names it: the application speaks for the caller on outgoing legs."""
        if self.side not in ("ours", "theirs"):
            return "unknown"
        return "caller" if (self.side == "ours") == (self.direction == "outgoing") else "callee"

    def document(self, now: int) -> dict[str, Any]:
        """Return the leg as `GET /calls/{call_control_id}` shows it at `now`."""
        data: dict[str, Any] = {
            "record_type": "call",
            "call_control_id": self.call_control_id,
            "call_leg_id": self.leg_id,
            "call_session_id": self.session_id,
            "is_alive": self.state != "ended",
            "call_duration": ((self.ended_at or now) - self.started_at) // MICROS,
            "start_time": stamp(self.started_at),
        }
        if self.client_state is not None:
            data["client_state"] = self.client_state
        if self.recording_id:
            data["recording_id"] = self.recording_id
        if self.state == "ended":
            data["end_time"] = stamp(self.ended_at)
        return data


class Legs:
    """All legs of an account by their call control ids: at most `limit`, ended ones for ten minutes at most."""

    def __init__(self, clock: Clock, *, limit: int) -> None:
        self._clock = clock
        self._limit = limit
        self._legs: dict[str, Leg] = {}
        self._ended: deque[Leg] = deque()

    def __len__(self) -> int:
        return len(self._legs)

    def __iter__(self) -> Iterator[Leg]:
        return iter(self._legs.values())

    def make_room(self, count: int) -> None:
        """Let the oldest ended legs go until `count` more can be kept; refuse where too many have not ended."""
        self._expire()
        if len(self._legs) - len(self._ended) + count > self._limit:
            raise Refusal(403, "90041", bare=True)
        while len(self._legs) + count > self._limit:
            del self._legs[self._ended.popleft().call_control_id]

    def add(self, leg: Leg) -> None:
        """Keep a new leg, for which room was made."""
        self._legs[leg.call_control_id] = leg

    def get(self, call_control_id: str) -> Leg | None:
        """Return the leg, or `None` when there never was one or it ended too long ago."""
        self._expire()
        return self._legs.get(call_control_id)

    def end(self, leg: Leg) -> None:
        """Take note that `leg` has ended; call it once, in the order of ending."""
        self._ended.append(leg)

    def _expire(self) -> None:
        if self._ended:
            oldest = self._clock.micros - READABLE_SECONDS * MICROS
            while self._ended and self._ended[0].ended_at <= oldest:
                del self._legs[self._ended.popleft().call_control_id]


def stamp(micros: int) -> str:
    """Return ISO 8601 with microseconds and Z, as call events carry it."""
    seconds, fraction = divmod(micros, MICROS)
    return f"{_second(seconds)}.{fraction:06d}Z"


@lru_cache(maxsize=256)
def _second(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")
