"""A delivery contract as frozen values: how one event travels to receivers that answer by a script.

What the words mean is said in `contracts/deliveries/README.md`; nothing here is ever evaluated as code.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from telnyx_conformance.contract.model import Level

Behaviour = Literal["answers", "slow", "closed"]


class Answering(msgspec.Struct, frozen=True, kw_only=True):
    """How an inbox treats one attempt. `slow` answers too late, `closed` hangs up; `location` names another inbox."""

    behaviour: Behaviour = "answers"
    status: int = 200
    location: str = ""


class Command(msgspec.Struct, frozen=True, kw_only=True):
    """Send a command to the call."""

    operation: str
    request: dict[str, Any]


class Pause(msgspec.Struct, frozen=True, kw_only=True):
    """Let seconds pass: virtual where the target has virtual time, real otherwise."""

    seconds: float


class Situation(msgspec.Struct, frozen=True, kw_only=True):
    """An application of its own, a call through it, further commands, and what each inbox answers to the watched event."""

    call: Literal["dialled", "inbound"]
    to: str
    application: dict[str, Any]
    request: dict[str, Any]
    then: tuple[Command | Pause, ...]
    inboxes: dict[str, tuple[Answering, ...]]

    @property
    def timeout(self) -> float:
        """The seconds that the application gives a receiver, 0 when it says nothing."""
        seconds = self.application.get("webhook_timeout_secs")
        return float(seconds) if isinstance(seconds, int) else 0.0


class Tried(msgspec.Struct, frozen=True, kw_only=True):
    """One attempt that must be made: at which inbox and, unless empty, by which method."""

    name: str
    inbox: str
    method: str


class Logged(msgspec.Struct, frozen=True, kw_only=True):
    """One attempt as the log must tell it. `answered` is the receiver's status, 0 when none came; `errors` are its codes."""

    inbox: str
    status: Literal["delivered", "failed"]
    answered: int
    errors: tuple[int, ...]


class Log(msgspec.Struct, frozen=True, kw_only=True):
    """What the delivery log must tell of the watched event."""

    status: Literal["delivered", "failed"]
    attempts: tuple[Logged, ...]


class BackOff(msgspec.Struct, frozen=True, kw_only=True):
    """The waits between the named attempts: the first lasts `at_least` seconds, each next one `factor` times as long."""

    attempts: tuple[str, ...]
    at_least: float
    factor: float


class Since(msgspec.Struct, frozen=True, kw_only=True):
    """The seconds from another event to the watched one, by their own time stamps."""

    event: str
    at_least: float | None
    less_than: float | None


class DeliveryContract(msgspec.Struct, frozen=True, kw_only=True):
    """One contract. `levels` say how binding a kind of statement is where it is less than the whole."""

    name: str
    operation: str
    claim: str
    given: Situation
    event: str
    attempts: tuple[Tried, ...]
    silent: tuple[str, ...]
    meanwhile: tuple[str, ...]
    never: tuple[str, ...]
    backoff: BackOff | None
    since: Since | None
    version: Literal["1", "2"]
    log: Log | None
    levels: dict[str, Level]
    level: Level
    source: str
    file: str

    @property
    def needs_control(self) -> bool:
        """Whether a call must come in, which no target can be made to let but through the control API."""
        return self.given.call == "inbound"

    @property
    def tries(self) -> int:
        """How many attempts there must be."""
        return len(self.log.attempts) if self.log else len(self.attempts)
