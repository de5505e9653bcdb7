"""Calls in numbers: what a leg weighs, and whether a thousand commands a second lose a webhook.

python benchmarks/call_control.py [--legs 10000] [--rate 1000] [--seconds 60] [--accounts 5] [--lines 64]
"""

from __future__ import annotations

import argparse
import asyncio
import os
import urllib.request
from typing import TYPE_CHECKING, Any

from paced import Line, Pace, Paced, paced
from servers import bare, emulator, memory, processor_seconds, receiver

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

ANSWERS, CALLER = "+12025550100", "+12025550199"
NOBODY = "https://example.com/nobody"  # beyond loopback: events are made and entered in the log, nothing is sent
SPOKEN = {"payload": "Hello, this is a benchmark.", "voice": "female", "language": "en-US", "service_level": "basic"}
TRANSFERRED = {"to": ANSWERS, "from": CALLER, "timeout_secs": 60}
MIB = 1024 * 1024
Made = list[tuple[str, str]]


async def applications(port: int, count: int, webhook: str) -> Made:
    """Open accounts and return key and application of each."""
    line = await Line("127.0.0.1", port, Pace(0, 0)).open()
    made = []
    for number in range(count):
        key = f"KEYTEST_bench{number}"
        asked = {"application_name": "bench", "webhook_event_url": webhook, "webhook_api_version": "2"}
        made.append((key, (await line.ask("/v2/call_control_applications", asked, key))["id"]))
    line.close()
    return made


def dialled(application: str) -> dict[str, str]:
    return {"connection_id": application, "to": ANSWERS, "from": CALLER}


async def each(port: int, todo: Iterable[Any], deed: Callable[[Line, Any], Awaitable[None]], lines: int = 16) -> None:
    """Do something for each of many things, as fast as it goes."""
    left = iter(todo)

    async def working(line: Line) -> None:
        for one in left:
            await deed(line, one)

    opened = [await Line("127.0.0.1", port, Pace(0, 0)).open() for _ in range(lines)]
    await asyncio.gather(*map(working, opened))
    for line in opened:
        line.close()


async def legs(count: int, accounts: int) -> None:
    """Dial until `count` legs are answered at once, look at each, and say what they weigh."""
    with emulator() as (port, pid, _):
        made = await applications(port, accounts, NOBODY)
        known: Made = []
        alive: list[str] = []

        async def dial(line: Line, number: int) -> None:
            key, application = made[number % accounts]
            known.append((key, (await line.ask("/v2/calls", dialled(application), key))["call_control_id"]))

        async def look(line: Line, leg: tuple[str, str]) -> None:
            if (await line.ask(f"/v2/calls/{leg[1]}", None, leg[0], method="GET"))["is_alive"]:
                alive.append(leg[1])

        await each(port, range(accounts), dial)  # what is made at the first use does not count
        before = memory(pid)
        await each(port, range(count - accounts), dial)
        after = memory(pid)
        await each(port, known, look)
        weight = (after - before) * MIB / (count - accounts)
        resident = f"{after:.0f} MiB resident, {before:.0f} before, {weight:,.0f} bytes a leg"
        print(f"{len(alive):,} legs alive in {accounts} accounts: {resident}")


def living(made: Made) -> Callable[[Line, int], Awaitable[None]]:
    """Return the lives of calls: every other one comes in and is answered, the others are dialled."""

    async def life(line: Line, number: int) -> None:
        key, application = made[number % len(made)]
        if number // len(made) % 2:
            called = {"connection_id": application, "from": CALLER, "to": ANSWERS}
            leg = (await line.ask("/_control/inbound_calls", called, key))["call_control_id"]
            await line.command(f"/v2/calls/{leg}/actions/answer", {}, key)
        else:
            leg = (await line.command("/v2/calls", dialled(application), key))["call_control_id"]
        await line.command(f"/v2/calls/{leg}/actions/speak", SPOKEN, key)
        await line.command(f"/v2/calls/{leg}/actions/transfer", TRANSFERRED, key)
        await line.command(f"/v2/calls/{leg}/actions/send_dtmf", {"digits": "12"}, key)
        await line.command(f"/v2/calls/{leg}/actions/hangup", {}, key)

    return life


def commands(rate: float, seconds: float, accounts: int, lines: int) -> None:
    """Send mixed commands at a rate, and compare what was to be sent with what was received."""
    with receiver() as inbox, emulator() as (port, pid, _):
        made = asyncio.run(applications(port, accounts, f"http://127.0.0.1:{inbox}/"))
        before, used = memory(pid), processor_seconds(pid)
        seen = asyncio.run(paced(port, living(made), rate=rate, seconds=seconds, lines=lines))
        told = asyncio.run(settled(port, [key for key, _ in made]))
        spent = processor_seconds(pid) - used
        distinct = int(urllib.request.urlopen(f"http://127.0.0.1:{inbox}/distinct", timeout=10).read())
        show("ours, webhooks delivered", seen)
        print(f"  memory {before:.0f} MiB before, {memory(pid):.0f} after; {spent:.1f} s of processor time")
        print(f"  webhooks: {told}; distinct events received: {distinct:,}; lost: {told['posted'] - distinct:,}")


async def settled(port: int, keys: list[str]) -> dict[str, int]:
    """Wait until every account's webhooks are out, and return their counts, added up."""
    line = await Line("127.0.0.1", port, Pace(0, 0)).open()
    told: dict[str, int] = {}
    for key in keys:
        await line.ask("/_control/settle", {}, key)
        for name, count in (await line.ask("/_control/webhooks", None, key, method="GET")).items():
            told[name] = told.get(name, 0) + count
    line.close()
    return told


async def peer(rate: float, seconds: float, lines: int) -> None:
    async def life(line: Line, number: int) -> None:
        await line.command(f"/v2/calls/v3:{number}/actions/transfer", TRANSFERRED, "KEYTEST_bench")

    with bare() as (port, _, _):
        show("bare uvicorn application", await paced(port, life, rate=rate, seconds=seconds, lines=lines))


def show(name: str, seen: Paced) -> None:
    count = len(seen.millis)
    print(
        f"{name:26}{count:9,} commands in {seen.seconds:.1f} s: {seen.per_second:,.0f}/s, p50 {seen.part(0.5):.2f} ms, "
        f"p99 {seen.part(0.99):.2f} ms, statuses {dict(seen.statuses)}"
    )


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--legs", type=int, default=10_000)
    parser.add_argument("--rate", type=float, default=1000.0)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--accounts", type=int, default=5, help="an account has at most 2,000 legs")
    parser.add_argument("--lines", type=int, default=64)
    chosen = parser.parse_args()
    print(f"load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    asyncio.run(legs(chosen.legs, chosen.accounts))
    commands(chosen.rate, chosen.seconds, chosen.accounts, chosen.lines)
    asyncio.run(peer(chosen.rate, chosen.seconds, chosen.lines))
    print(f"load average {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
