"""The time of one account: nothing in the emulator reads the wall clock, so a timeout of ten minutes takes no time.

Time is kept in whole microseconds: what is due in 30 s is due in 30 s exactly, however often the clock moved.
"""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Callable
from typing import Literal

from telnyx_conformance.errors import UsageError

ClockMode = Literal["manual", "auto", "real"]
Action = Callable[[], object]
MICROS = 1_000_000
# Cancelled timers stay in the heap until they come up; above this many, and half of the heap, they are swept out.
SWEEP_ABOVE = 256


class Timer:
    """One action that waits for its time. A `guard` (such as a time limit) is never jumped to, only passed."""

    __slots__ = ("_clock", "action", "due", "guard")

    def __init__(self, clock: Clock, due: int, action: Action, *, guard: bool) -> None:
        self._clock: Clock = clock
        self.due: int = due
        self.action: Action | None = action
        self.guard: bool = guard

    def cancel(self) -> None:
        """Do not act any more; harmless when it already has."""
        if self.action is not None:
            self.action = None
            self._clock.forget()


class Clock:
    """Virtual time with timers, run in the order of their times, and of their making where times are equal.

    `manual` moves by `advance` only; `auto` also jumps with `settle` through whatever is pending except guards; `real`
    follows `wall` (seconds of any origin) and is driven by `due`, for instance from `follow`.
    """

    def __init__(
        self,
        *,
        start: float,
        mode: ClockMode = "auto",
        wall: Callable[[], float] | None = None,
        limit: int = 100_000,
    ) -> None:
        self._base: int = round(start * MICROS)
        self._wall: Callable[[], float] | None = wall
        self._wall_base: float = 0.0
        self._mode: ClockMode = "manual"
        self._limit: int = limit
        self._heap: list[tuple[int, int, Timer]] = []
        self._steps: list[tuple[int, int, Timer]] = []
        self._made: int = 0
        self._cancelled: int = 0
        self.on_earlier: Callable[[], None] | None = None
        self.stretch: Callable[[float], float] | None = None  # a planted fault's idea of how long a delay is
        self.mode = mode

    @property
    def micros(self) -> int:
        """The time now in whole microseconds since 1970."""
        if self._mode == "real" and self._wall is not None:
            return self._base + round((self._wall() - self._wall_base) * MICROS)
        return self._base

    @property
    def now(self) -> float:
        """The time now in Unix seconds."""
        return self.micros / MICROS

    @property
    def mode(self) -> ClockMode:
        """How time passes; changing it neither loses time nor timers."""
        return self._mode

    @mode.setter
    def mode(self, mode: ClockMode) -> None:
        if mode == "real" and self._wall is None:
            raise UsageError(
                "a real clock needs a wall to follow",
                expected="wall: a function that tells seconds",
                where="Clock(wall=…)",
            )
        self._base = self.micros
        if mode == "real" and self._wall is not None:
            self._wall_base = self._wall()
        self._mode = mode
        self._notify()

    @property
    def pending(self) -> int:
        """How many timers wait."""
        return len(self._heap) - self._cancelled

    @property
    def next_due(self) -> float | None:
        """When the next timer is due, in Unix seconds of this clock; `None` when none waits."""
        entry = self._head(self._heap)
        return None if entry is None else entry[0] / MICROS

    def at(self, delay: float, action: Action, *, guard: bool = False) -> Timer:
        """Run `action` in `delay` seconds; raise `OverflowError` when far too many already wait."""
        if self.pending >= self._limit:
            raise OverflowError(f"more than {self._limit} timers")
        if self.stretch is not None:
            delay = self.stretch(delay)
        due = self.micros + max(0, round(delay * MICROS))
        timer = Timer(self, due, action, guard=guard)
        self._made += 1
        entry = (due, self._made, timer)
        heapq.heappush(self._heap, entry)
        if not guard:
            heapq.heappush(self._steps, entry)
        if self.on_earlier is not None and self._heap[0] is entry:
            self.on_earlier()
        return timer

    def advance(self, seconds: float) -> int:
        """Move by `seconds`, doing what falls due at its very time; return how many actions ran.

        A real clock does not obey: it only does what is due.
        """
        if self._mode == "real":
            return self.due()
        target = self._base + max(0, round(seconds * MICROS))
        ran = self._run_until(target)
        self._base = max(self._base, target)
        return ran

    def settle(self, most: int = 10_000) -> int:
        """In auto mode jump from step to step till none is left, or `most` actions ran; return how many did."""
        ran = 0
        while self._mode == "auto" and ran < most:
            step = self._head(self._steps)
            if step is None:
                break
            ran += self._run_until(step[0])
        return ran

    def due(self) -> int:
        """Do what is due by now (real mode: by the wall); return how many actions ran."""
        return self._run_until(self.micros)

    def clear(self) -> None:
        """Forget every timer."""
        for _, _, timer in self._heap:
            timer.action = None
        self._heap.clear()
        self._steps.clear()
        self._cancelled = 0

    def forget(self) -> None:
        """Take note that one timer was cancelled (called by the timer)."""
        self._cancelled += 1
        if self._cancelled > SWEEP_ABOVE and self._cancelled * 2 > len(self._heap):
            self._heap = [entry for entry in self._heap if entry[2].action is not None]
            self._steps = [entry for entry in self._steps if entry[2].action is not None]
            heapq.heapify(self._heap)
            heapq.heapify(self._steps)
            self._cancelled = 0

    def _run_until(self, target: int) -> int:
        ran = 0
        while (entry := self._head(self._heap)) is not None and entry[0] <= target:
            heapq.heappop(self._heap)
            timer = entry[2]
            action, timer.action = timer.action, None
            if self._mode != "real":
                self._base = max(self._base, entry[0])
            self._head(self._steps)  # drops what has just run: nothing may grow without bound
            if action is not None:
                action()
            ran += 1
        return ran

    def _head(self, heap: list[tuple[int, int, Timer]]) -> tuple[int, int, Timer] | None:
        """Return the first live entry of `heap`, dropping the dead before it; only the main heap's dead are counted."""
        while heap and heap[0][2].action is None:
            heapq.heappop(heap)
            if heap is self._heap:
                self._cancelled -= 1
        return heap[0] if heap else None

    def _notify(self) -> None:
        if self.on_earlier is not None:
            self.on_earlier()


async def follow(clock: Clock) -> None:
    """Drive a clock in real mode till cancelled: sleep until its next timer, or until an earlier one is set.

    In the other modes it waits; so one task may follow an account's clock for good.
    """
    changed = asyncio.Event()
    clock.on_earlier = changed.set
    try:
        while True:
            changed.clear()
            wait: float | None = None
            if clock.mode == "real":
                clock.due()
                next_due = clock.next_due
                wait = None if next_due is None else max(0.0, next_due - clock.now)
            try:
                async with asyncio.timeout(wait):
                    await changed.wait()
            except TimeoutError:
                continue
    finally:
        clock.on_earlier = None
