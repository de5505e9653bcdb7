"""A sequence contract as frozen values: the events that follow a command, a partial order, and how to bring it about.

What the words mean is said in `contracts/webhooks/README.md`; nothing here is ever evaluated as code.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import msgspec

from telnyx_conformance.contract.model import Level

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


COMMAND = "command"
"""The name of the first step: the command that the sequence is about."""

GIVEN_EVENTS = {
    "parked": ("call.initiated",),
    "ringing": ("call.initiated",),
    "answered": ("call.initiated", "call.answered"),
    "ended": ("call.initiated", "call.answered", "call.hangup"),
}
"""The events a leg has caused by the time it is in a state; the first of each belongs to the situation."""


class Symbol(msgspec.Struct, frozen=True):
    """A value that the runner fills in: a `destination` that does so, `base64` text, a `fresh` id, an `inbox` URL."""

    kind: Literal["destination", "base64", "fresh", "inbox"]
    name: str


class Reference(msgspec.Struct, frozen=True):
    """A field of a step's request, or of its answer's `data`; `step` may be a given leg: the request that made it."""

    step: str
    field: str


class Expectation(msgspec.Struct, frozen=True, kw_only=True):
    """What a payload field must be. `equals` takes a literal (null: null or absent), others a reference or choice."""

    field: str
    rule: Literal["equals", "echoes", "returned", "one_of"]
    value: Any
    level: Level


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """Where and how an event must be delivered: an inbox named in a request, an HTTP method. Empty means anyhow."""

    inbox: str = ""
    method: str = ""


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """An event that occurs exactly once (`must`) or at most once (`may`) on a leg."""

    name: str
    event: str
    leg: str
    payload: tuple[Expectation, ...]
    delivery: Delivery | None
    level: Level
    source: str


class Unwanted(msgspec.Struct, frozen=True, kw_only=True):
    """An event that must not occur on a leg."""

    event: str
    leg: str
    level: Level
    source: str


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """The first event does not occur after the second."""

    first: str
    second: str
    level: Level
    source: str


class Timing(msgspec.Struct, frozen=True, kw_only=True):
    """The seconds between two events by their `occurred_at`: not less than `at_least`, less than `less_than`."""

    first: str
    second: str
    at_least: float | None
    less_than: float | None
    level: Level
    source: str


class Refused(msgspec.Struct, frozen=True, kw_only=True):
    """The documented refusal of a command: HTTP status and error code."""

    status: int
    code: str


class Given(msgspec.Struct, frozen=True, kw_only=True):
    """A leg that exists before the command. `request` goes into the Dial command or the inbound call that makes it."""

    leg: str
    state: Literal["parked", "ringing", "answered", "ended"]
    origin: Literal["dialled", "inbound"]
    request: dict[str, Any]


class Send(msgspec.Struct, frozen=True, kw_only=True, tag="send"):
    """Send a command. `leg` is the one it addresses, empty for a command that addresses none."""

    name: str
    operation: str
    leg: str
    request: dict[str, Any]
    refused: Refused | None


class Repeat(msgspec.Struct, frozen=True, kw_only=True, tag="repeat"):
    """Send the request of an earlier step again, byte for byte."""

    name: str
    of: str
    refused: Refused | None


class Advance(msgspec.Struct, frozen=True, kw_only=True, tag="advance"):
    """Let time pass: virtual where the target has virtual time, real otherwise."""

    seconds: float


class Await(msgspec.Struct, frozen=True, kw_only=True, tag="await"):
    """Go on when the named events have been received."""

    events: tuple[str, ...]


Step = Send | Repeat | Advance | Await


class Sequence(msgspec.Struct, frozen=True, kw_only=True):
    """One contract: the situation, the steps (the first is the command), and what must, may and must not follow.

    `created` maps each leg that comes to be to the step that creates it, in the order of creation.
    """

    name: str
    command: str
    claim: str
    given: tuple[Given, ...]
    legs: tuple[str, ...]
    created: dict[str, str]
    steps: tuple[Step, ...]
    must: tuple[Wanted, ...]
    may: tuple[Wanted, ...]
    never: tuple[Unwanted, ...]
    before: tuple[Order, ...]
    timing: tuple[Timing, ...]
    share: tuple[str, ...]
    complete: tuple[str, ...]
    signed: bool
    level: Level
    source: str
    file: str

    @property
    def addressed(self) -> str:
        """The leg that the command addresses, empty when it addresses none."""
        first = self.steps[0]
        return first.leg if isinstance(first, Send) else ""

    @property
    def sends(self) -> tuple[Send | Repeat, ...]:
        """The steps that send a request, in order."""
        return tuple(step for step in self.steps if isinstance(step, Send | Repeat))

    @property
    def wanted(self) -> dict[str, Wanted]:
        """The events that must or may occur, by name."""
        return {item.name: item for item in (*self.must, *self.may)}

    def original(self, step: str) -> str:
        """Return the step whose request `step` sends: itself, or what it repeats."""
        repeats = {s.name: s.of for s in self.steps if isinstance(s, Repeat)}
        while step in repeats:
            step = repeats[step]
        return step


def resolved(request: Mapping[str, Any], known: Callable[[Symbol], Any]) -> dict[str, Any]:
    """Return a request body with every symbol replaced by what `known` says it stands for."""
    return {field: known(value) if isinstance(value, Symbol) else value for field, value in request.items()}
