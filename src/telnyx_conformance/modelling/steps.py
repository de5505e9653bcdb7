"""The steps of a random program, as values: what an application, the far end, or time does."""

from __future__ import annotations

from typing import Literal

import msgspec

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


class Dial(msgspec.Struct, frozen=True, tag="dial"):
    """Dial a new leg to a destination that behaves so."""

    destination: str


class RingIn(msgspec.Struct, frozen=True, tag="ring_in"):
    """Let a call come in."""


class Command(msgspec.Struct, frozen=True, tag="command"):
    """Send a command to the `leg`-th leg; `other` is the leg it names besides, if it names one."""

    operation: str
    leg: int
    other: int = 0


class Repeat(msgspec.Struct, frozen=True, tag="repeat"):
    """Send the latest command again, byte for byte."""


class FarEnd(msgspec.Struct, frozen=True, tag="far_end"):
    """Let the far end of a leg act."""

    act: Literal["hang_up", "press", "say"]
    leg: int


class Wait(msgspec.Struct, frozen=True, tag="wait"):
    """Let time pass."""

    seconds: float


Step = Dial | RingIn | Command | Repeat | FarEnd | Wait


def letter(place: int) -> str:
    """Return how the `place`-th leg (from 0) is called in reports."""
    return LETTERS[place % len(LETTERS)] + ("" if place < len(LETTERS) else str(place // len(LETTERS)))


def described(step: Step) -> str:
    """Return a step in words."""
    match step:
        case Dial():
            return f"dial a destination that {step.destination}"
        case RingIn():
            return "let a call come in"
        case Command():
            return f"{step.operation} to {letter(step.leg)}"
        case Repeat():
            return "send that again"
        case FarEnd():
            return f"let the far end of {letter(step.leg)} {step.act.replace('_', ' ')}"
        case Wait():
            return f"wait {step.seconds:g} s"
