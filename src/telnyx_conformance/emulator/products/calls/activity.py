"""What goes on on a leg beside the call itself: gathering, playing, recording and the like, each an instance of a machine.

A feature is the commands that belong together; what they begin is an activity, driven by its table like the leg by its own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

import msgspec

from telnyx_conformance.contract.machines import machine
from telnyx_conformance.emulator.account import Refusal
from telnyx_conformance.emulator.products.calls.legs import Leg

if TYPE_CHECKING:
    from telnyx_conformance.emulator.account import Handler
    from telnyx_conformance.emulator.clock import Timer
    from telnyx_conformance.emulator.products.calls.switch import Switch

Body = Mapping[str, Any]


class Command(msgspec.Struct, frozen=True):
    """What a command does beyond its row in the leg's table.

    `check` may raise a `Refusal` and must change nothing; `do` then acts and may return more of the answer's `data`.
    """

    do: Callable[[Leg, Body], Mapping[str, Any] | None]
    check: Callable[[Leg, Body], None] | None = None


def going_on(leg: Leg, *names: str) -> bool:
    """Return whether an activity of one of these machines goes on on a leg."""
    return any(activity.name in names for activity in leg.activities or ())


def refusal(name: str, state: str, command: str) -> Refusal:
    """Return the refusal that a machine's table has for a command in a state."""
    return Refusal(422, machine(name).refusal_code(state, command), bare=True)


class Feature:
    """Commands that belong together. `commands` address a leg; `handlers` answer operations that address none."""

    def __init__(self, switch: Switch) -> None:
        self.switch = switch
        self.commands: dict[str, Command] = {}
        self.handlers: dict[str, Handler] = {}

    def begin(self, leg: Leg, body: Body) -> None:
        """Begin what was asked for with the call: `leg` was answered, `body` is that of the command behind it."""


class Instance:
    """One instance of the machine called `name`.

    A trigger moves it along its table: facts are set as attributes, then events are announced, then the effects take
    place: methods called `do_<effect>`.
    """

    name: ClassVar[str]

    def __init__(self, switch: Switch) -> None:
        self.switch = switch
        self.machine = machine(self.name)
        self.state = self.machine.initial
        self._timers: list[Timer] = []

    @property
    def is_over(self) -> bool:
        """Whether nothing can follow."""
        return self.state in self.machine.final

    def happen(self, trigger: str, **facts: Any) -> bool:
        """Let `trigger` take its course; return whether the state has a row for it."""
        row = self.machine.rows.get((self.state, trigger))
        if row is None:
            return False
        self.state = row.next
        for fact, value in {**facts, **row.sets}.items():
            setattr(self, fact, value)
        if self.is_over:
            self.leave()
        for event_type in row.events:
            self.announce(event_type)
        for effect in row.effects:
            getattr(self, f"do_{effect}")()
        return True

    def announce(self, event_type: str) -> None:
        """Send an event."""
        raise NotImplementedError

    def later(self, seconds: float, trigger: str, *, guard: bool = False) -> Timer:
        """Let `trigger` happen in `seconds` of the account's time, unless it is over by then."""
        timer = self.switch.clock.at(seconds, partial(self.happen, trigger), guard=guard)
        self._timers = [*(one for one in self._timers if one.action is not None), timer]
        return timer

    def forget_timers(self) -> None:
        """Let nothing happen by itself any more."""
        for timer in self._timers:
            timer.cancel()
        self._timers.clear()

    def leave(self) -> None:
        """Take leave: it is over."""
        self.forget_timers()


class Activity(Instance):
    """An instance of a machine on one leg.

    Events carry what `payload` adds to the leg's own fields. It hears, besides its own triggers, `digit` (with the fact
    `digit`), `speech` (`text`), `detected` (`result`), `leg_<state>` when the leg enters that state, `leg_ends` before
    `call.hangup` is sent and `leg_ended` after it.
    """

    def __init__(self, switch: Switch, leg: Leg) -> None:
        super().__init__(switch)
        self.leg = leg
        if leg.activities is None:
            leg.activities = []
        leg.activities.append(self)

    def announce(self, event_type: str) -> None:
        """Send an event of the leg."""
        self.switch.send(self.leg, event_type, self.payload(event_type))

    def payload(self, event_type: str) -> Mapping[str, Any]:  # noqa: ARG002 - for those that send several
        """Return what an event says beyond the leg's own fields."""
        return {}

    def leave(self) -> None:
        """Take leave of the leg."""
        super().leave()
        if self.leg.activities and self in self.leg.activities:
            self.leg.activities.remove(self)
