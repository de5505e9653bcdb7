"""The virtual clock: exact, ordered, bounded."""

from __future__ import annotations

import asyncio

import pytest

from telnyx_conformance.emulator.clock import Clock, follow
from telnyx_conformance.errors import UsageError

START = 1_750_000_000.0


def test_a_manual_clock_moves_only_when_told() -> None:
    clock = Clock(start=START, mode="manual")
    ran: list[float] = []
    clock.at(30, lambda: ran.append(clock.now))
    assert clock.settle() == 0
    clock.advance(29.999999)
    assert ran == []
    clock.advance(0.000001)
    assert ran == [START + 30]


def test_actions_run_in_order_of_time_and_then_of_making_at_their_very_time() -> None:
    clock = Clock(start=START, mode="manual")
    ran: list[tuple[str, float]] = []
    for name, delay in (("c", 2.5), ("a", 0.1), ("d", 2.5), ("b", 0.2)):
        clock.at(delay, lambda name=name: ran.append((name, round(clock.now - START, 6))))  # type: ignore[misc]
    clock.advance(10)
    assert ran == [("a", 0.1), ("b", 0.2), ("c", 2.5), ("d", 2.5)]
    assert clock.now == START + 10


def test_an_action_may_set_a_timer_that_still_falls_into_the_same_advance() -> None:
    clock = Clock(start=START, mode="manual")
    ran: list[float] = []

    def first() -> None:
        clock.at(1, lambda: ran.append(clock.now))

    clock.at(1, first)
    clock.advance(3)
    assert ran == [START + 2]


def test_many_small_steps_lose_no_microsecond() -> None:
    clock = Clock(start=START, mode="manual")
    for _ in range(1000):
        clock.advance(0.000_1)
    assert clock.micros == int(START) * 1_000_000 + 100_000


def test_an_auto_clock_jumps_to_steps_and_not_to_guards() -> None:
    clock = Clock(start=START)
    ran: list[str] = []
    clock.at(14400, lambda: ran.append("limit"), guard=True)
    clock.at(2, lambda: ran.append("answer"))
    clock.settle()
    assert (ran, clock.now) == (["answer"], START + 2)


def test_a_guard_that_a_jump_passes_acts_at_its_own_time() -> None:
    clock = Clock(start=START)
    ran: list[tuple[str, float]] = []
    clock.at(30, lambda: ran.append(("limit", clock.now)), guard=True)
    clock.at(600, lambda: ran.append(("timeout", clock.now)))
    clock.settle()
    assert ran == [("limit", START + 30), ("timeout", START + 600)]


def test_a_cancelled_timer_never_acts() -> None:
    clock = Clock(start=START)
    ran: list[str] = []
    timer = clock.at(1, lambda: ran.append("never"))
    timer.cancel()
    timer.cancel()
    clock.settle()
    assert (ran, clock.pending, clock.next_due) == ([], 0, None)


def test_settling_an_endless_chain_of_steps_ends() -> None:
    clock = Clock(start=START)

    def again() -> None:
        clock.at(1, again)

    again()
    assert clock.settle(most=100) == 100


def test_cancelled_and_finished_timers_do_not_pile_up() -> None:
    clock = Clock(start=START, mode="manual")
    for _ in range(10_000):
        clock.at(14400, lambda: None, guard=True).cancel()
        clock.at(1, lambda: None)
        clock.advance(1)
    assert (clock.pending, len(clock._steps)) == (0, 0)
    assert len(clock._heap) < 1000


def test_too_many_timers_are_refused() -> None:
    clock = Clock(start=START, limit=2)
    clock.at(1, lambda: None)
    clock.at(1, lambda: None)
    with pytest.raises(OverflowError):
        clock.at(1, lambda: None)


def test_a_real_clock_follows_the_wall_and_keeps_its_time_when_the_mode_changes() -> None:
    wall = [100.0]
    clock = Clock(start=START, mode="real", wall=lambda: wall[0])
    ran: list[float] = []
    clock.at(2, lambda: ran.append(clock.now))
    wall[0] += 1.5
    assert (clock.due(), clock.now, clock.next_due) == (0, START + 1.5, START + 2)
    wall[0] += 1
    assert clock.due() == 1
    clock.mode = "manual"
    wall[0] += 50
    assert (ran, clock.now) == ([START + 2.5], START + 2.5)


def test_a_real_clock_without_a_wall_is_refused() -> None:
    with pytest.raises(UsageError, match="wall"):
        Clock(start=START, mode="real")


def test_a_follower_runs_what_is_due_and_wakes_for_an_earlier_timer() -> None:
    async def scenario() -> list[str]:
        clock = Clock(start=START, mode="real", wall=asyncio.get_running_loop().time)
        ran: list[str] = []
        done = asyncio.Event()
        clock.at(3600, lambda: ran.append("late"))
        follower = asyncio.create_task(follow(clock))
        await asyncio.sleep(0)
        clock.at(0.001, lambda: ran.append("early"))
        clock.at(0.002, done.set)
        async with asyncio.timeout(10):
            await done.wait()
        follower.cancel()
        await asyncio.gather(follower, return_exceptions=True)
        return ran

    assert asyncio.run(scenario()) == ["early"]
