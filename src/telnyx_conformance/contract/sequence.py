"""A sequence contract as frozen values: the events that follow a command, a partial order, and how to bring it about.

What the words mean is said in `contracts/webhooks/README.md`; nothing here is ever evaluated as code.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from telnyx_conformance.contract.model import Level

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator


COMMAND = "command"
"""The name of the first step: the command that the sequence is about."""

LEG_PARAMETER = "call_control_id"
"""The path parameter by which a command addresses a leg."""

ABSENT: Any = msgspec.UNSET
"""What stands where nothing stands; null is something else."""

GIVEN_EVENTS = {
    "parked": ("call.initiated",),
    "ringing": ("call.initiated",),
    "answered": ("call.initiated", "call.answered"),
    "ended": ("call.initiated", "call.answered", "call.hangup"),
}
"""The events a leg has caused by the time it is in a state; the first of each belongs to the situation."""


class Symbol(msgspec.Struct, frozen=True):
    """A value that the runner fills in.

    A `destination` that does so, `base64` text, a `fresh` id, an `inbox` URL, the call control id of a `leg`, a field that
    was `returned` (`step.field`), the URL of a `media` file, the URL of a media `socket`, a UDP `port` for media.
    """

    kind: Literal["destination", "base64", "fresh", "inbox", "leg", "returned", "media", "socket", "port"]
    name: str


class Reference(msgspec.Struct, frozen=True):
    """A field of a step's request, of its answer's `data` (`step` may be a given leg), or of an event's payload.

    `field` may be a path with dots: names in objects, numbers in lists.
    """

    step: str
    field: str


Rule = Literal["equals", "echoes", "returned", "one_of", "each", "same_as", "present"]


class Expectation(msgspec.Struct, frozen=True, kw_only=True):
    """What a field must be. `equals` takes a literal (null: null or absent), others a reference or choice.

    `each` holds the values of an event's repetitions in order of occurrence; `same_as` refers to another event by name;
    `present` means there and not null.
    """

    field: str
    rule: Rule
    value: Any
    level: Level


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """Where and how an event must be delivered: an inbox named in a request, an HTTP method. Empty means anyhow."""

    inbox: str = ""
    method: str = ""


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """An event that occurs exactly `times` times (`must`) or at most so often (`may`) on a leg.

    `where` selects among the events of that type and leg by their payload. An `undocumented` event has no callback schema.
    """

    name: str
    event: str
    leg: str
    where: tuple[Expectation, ...]
    times: int
    undocumented: bool
    payload: tuple[Expectation, ...]
    delivery: Delivery | None
    level: Level
    source: str


class Unwanted(msgspec.Struct, frozen=True, kw_only=True):
    """An event that must not occur on a leg."""

    event: str
    leg: str
    undocumented: bool
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
    """The documented refusal of a command: HTTP status and error code; an empty code is any."""

    status: int
    code: str


class Caused(msgspec.Struct, frozen=True):
    """An event that a step of the situation causes: so often on that leg."""

    event: str
    leg: str
    times: int
    undocumented: bool


class Given(msgspec.Struct, frozen=True, kw_only=True):
    """A leg that exists before the command. `request` goes into the Dial command or the inbound call that makes it."""

    leg: str
    state: Literal["parked", "ringing", "answered", "ended"]
    origin: Literal["dialled", "inbound"]
    request: dict[str, Any]


class Send(msgspec.Struct, frozen=True, kw_only=True, tag="send"):
    """Send a command. `leg` is the one it addresses, empty for a command that addresses none.

    `path` and `query` hold parameters by name. `causes` is for steps of the situation.
    """

    name: str
    operation: str
    leg: str
    request: dict[str, Any]
    refused: Refused | None
    path: dict[str, Any] = {}
    query: dict[str, Any] = {}
    causes: tuple[Caused, ...] = ()


class Repeat(msgspec.Struct, frozen=True, kw_only=True, tag="repeat"):
    """Send the request of an earlier step again, byte for byte; `times` copies of it at once."""

    name: str
    of: str
    refused: Refused | None
    times: int = 1


class Advance(msgspec.Struct, frozen=True, kw_only=True, tag="advance"):
    """Let time pass: virtual where the target has virtual time, real otherwise."""

    seconds: float


class Await(msgspec.Struct, frozen=True, kw_only=True, tag="await"):
    """Go on when the named events have been received."""

    events: tuple[str, ...]


class FarEnd(msgspec.Struct, frozen=True, kw_only=True, tag="far_end"):
    """Let the far end of a leg act: `press` digits, `say` a text, or `hang_up` (then `said` is empty)."""

    act: Literal["press", "say", "hang_up"]
    leg: str
    said: str
    causes: tuple[Caused, ...] = ()


Step = Send | Repeat | Advance | Await | FarEnd


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What a field of a step's answer (of its `data`) must be."""

    step: str
    expected: Expectation
    source: str


Aspect = Literal["flow", "numbers", "identity", "format", "tracks", "digits", "packets"]


class Listener(msgspec.Struct, frozen=True, kw_only=True):
    """A socket or port that receives the media of a leg: which `tracks`, which `digits` of the far end, to the end (`closed`)."""

    word: str
    leg: str
    form: Literal["websocket", "rtp"]
    tracks: tuple[str, ...]
    digits: str
    closed: bool
    level: Level
    source: str

    @property
    def aspects(self) -> tuple[Aspect, ...]:
        """What is judged of it."""
        if self.form == "rtp":
            return ("packets",)
        return ("flow", "numbers", "identity", "format", "tracks", *(("digits",) if self.digits else ()))


class Sequence(msgspec.Struct, frozen=True, kw_only=True):
    """One contract: the situation, the steps (the first is the command), and what must, may and must not follow.

    `created` maps each leg that comes to be to the step that creates it, in the order of creation. `conferences` maps a
    leg that stands for a conference to the step whose answer bears its id. `prepare` are steps that belong to the situation.
    """

    name: str
    command: str
    claim: str
    given: tuple[Given, ...]
    legs: tuple[str, ...]
    created: dict[str, str]
    conferences: dict[str, str]
    prepare: tuple[Step, ...]
    steps: tuple[Step, ...]
    must: tuple[Wanted, ...]
    may: tuple[Wanted, ...]
    never: tuple[Unwanted, ...]
    before: tuple[Order, ...]
    timing: tuple[Timing, ...]
    share: tuple[str, ...]
    answers: tuple[Answer, ...]
    streams: tuple[Listener, ...]
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

    @property
    def every_step(self) -> tuple[Step, ...]:
        """The steps of the situation, then those from the command on."""
        return (*self.prepare, *self.steps)

    @property
    def needs_control(self) -> bool:
        """Whether calls must come in or far ends act, which no target can be made to do but through the control API."""
        return any(given.origin == "inbound" for given in self.given) or any(
            isinstance(step, FarEnd) for step in self.every_step
        )

    @property
    def situation(self) -> Counter[tuple[str, str]]:
        """How many events of each type and leg belong to the situation: those of the given legs, and what was prepared."""
        return self.situation_until(self.prepare)

    def situation_until(self, prepared: Iterable[Step]) -> Counter[tuple[str, str]]:
        """Return the events that the given legs and these steps of the situation cause."""
        found = Counter((kind, given.leg) for given in self.given for kind in GIVEN_EVENTS[given.state])
        for step in prepared:
            for caused in step.causes if isinstance(step, Send | FarEnd) else ():
                found[caused.event, caused.leg] += caused.times
        return found

    def original(self, step: str) -> str:
        """Return the step whose request `step` sends: itself, or what it repeats."""
        repeats = {s.name: s.of for s in self.steps if isinstance(s, Repeat)}
        while step in repeats:
            step = repeats[step]
        return step


def resolved(request: Mapping[str, Any], known: Callable[[Symbol], Any]) -> dict[str, Any]:
    """Return request values with every symbol, at whatever depth, replaced by what `known` says it stands for."""

    def value(node: Any) -> Any:
        if isinstance(node, Symbol):
            return known(node)
        if isinstance(node, dict):
            return {field: value(part) for field, part in node.items()}
        return [value(part) for part in node] if isinstance(node, list) else node

    return {field: value(node) for field, node in request.items()}


def symbols(node: Any) -> Iterator[Symbol]:
    """Yield every symbol among request values, at whatever depth."""
    if isinstance(node, Symbol):
        yield node
    elif isinstance(node, dict):
        for part in node.values():
            yield from symbols(part)
    elif isinstance(node, list):
        for part in node:
            yield from symbols(part)


def reference(text: str) -> Reference:
    """Read `field` (of the command), `step.field` or `leg.field`; what follows the first dot is the field's path."""
    step, dot, field = text.partition(".")
    return Reference(step, field) if dot else Reference(COMMAND, text)


def value_at(node: Any, path: str) -> Any:
    """Return what stands at a path with dots, names in objects and numbers in lists; `ABSENT` where nothing stands."""
    for part in path.split("."):
        if isinstance(node, Mapping) and part in node:
            node = node[part]
        elif isinstance(node, list) and part.isdigit() and int(part) < len(node):
            node = node[int(part)]
        else:
            return ABSENT
    return node
