"""The control API under `/_control/`: an account's clock, incoming calls, the latest requests, the signing key.

It is no part of the emulated API; any emulator may implement it, and a target without it is tested in real time.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import msgspec

from telnyx_conformance.emulator import refusals
from telnyx_conformance.emulator.account import Refusal
from telnyx_conformance.emulator.core import Emulator, Headers, Reply, World, json_reply
from telnyx_conformance.emulator.credentials import Unauthenticated

PREFIX = "/_control/"
MODES = ("auto", "manual", "real")
MOST_SECONDS = 10 * 365 * 86_400.0
Handler = Callable[[Emulator, World, Mapping[str, Any]], Awaitable[Any]]


async def handle_control(emulator: Emulator, method: str, target: bytes, headers: Headers, body: bytes) -> Reply:
    """Answer one control request; the bearer key selects the account."""
    path = target.decode("latin-1").partition("?")[0]
    methods = ROUTES.get(path.removeprefix(PREFIX))
    if methods is None:
        return json_reply(*refusals.of_situation("unknown_route"))
    try:
        world = emulator.world(dict(headers).get(b"authorization"))
        handler = methods.get(method)
        if handler is None:
            reply = json_reply(*refusals.of_situation("method_not_allowed"))
            reply.headers.append((b"allow", ", ".join(sorted(methods)).encode()))
            return reply
        return json_reply(200, msgspec.json.encode(await handler(emulator, world, _document(body))))
    except Unauthenticated as refused:
        return json_reply(*refusals.of_situation(refused.situation, refused.detail))
    except Refusal as refusal:
        return json_reply(*refusals.of_refusal(refusal))


def _document(body: bytes) -> Mapping[str, Any]:
    try:
        document = msgspec.json.decode(body or b"{}")
    except (ValueError, RecursionError):
        raise Refusal(400, "10023", "The body is not JSON.") from None
    if not isinstance(document, dict):
        raise Refusal(422, "10026", "The body must be an object.", pointer="/")
    return document


def _clock_state(world: World) -> dict[str, Any]:
    clock = world.account.clock
    return {"now": clock.now, "mode": clock.mode, "pending": clock.pending}


async def _read_clock(_: Emulator, world: World, __: Mapping[str, Any]) -> Any:
    return {"data": _clock_state(world)}


async def _advance(_: Emulator, world: World, document: Mapping[str, Any]) -> Any:
    seconds = document.get("advance", 0)
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 <= seconds <= MOST_SECONDS:
        raise Refusal(422, "10033", f"Seconds from 0 to {MOST_SECONDS:.0f}.", pointer="/advance")
    await world.account.outbox.advance(float(seconds))
    return {"data": _clock_state(world)}


async def _set_clock(emulator: Emulator, world: World, document: Mapping[str, Any]) -> Any:
    mode = document.get("mode")
    if mode not in MODES:
        raise Refusal(422, "10032", f"One of {', '.join(MODES)}.", pointer="/mode")
    world.account.clock.mode = mode
    world.account.clock.settle()
    if emulator.on_world is not None:
        emulator.on_world(world)
    return {"data": _clock_state(world)}


async def _reset(emulator: Emulator, world: World, __: Mapping[str, Any]) -> Any:
    return {"data": _clock_state(emulator.reset(world.account.key))}


async def _inbound_call(_: Emulator, world: World, document: Mapping[str, Any]) -> Any:
    for name in ("connection_id", "from", "to"):
        if not isinstance(document.get(name), str):
            raise Refusal(422, "10004", f"The parameter '{name}' is missing.", pointer=f"/{name}")
    made = world.calls.inbound(document["connection_id"], document["from"], document["to"])
    world.account.clock.settle()
    return made


async def _requests(_: Emulator, world: World, __: Mapping[str, Any]) -> Any:
    return {
        "data": [{"method": method, "target": target, "status": status} for method, target, status in world.requests]
    }


async def _public_key(emulator: Emulator, _: World, __: Mapping[str, Any]) -> Any:
    return {"public_key": emulator.courier.public_key}


async def _settle(_: Emulator, world: World, __: Mapping[str, Any]) -> Any:
    world.account.clock.settle()
    await world.account.outbox.idle()
    return {"data": _clock_state(world)}


ROUTES: dict[str, dict[str, Handler]] = {
    "reset": {"POST": _reset},
    "clock": {"GET": _read_clock, "POST": _advance, "PUT": _set_clock},
    "inbound_calls": {"POST": _inbound_call},
    "requests": {"GET": _requests},
    "public_key": {"GET": _public_key},
    "settle": {"POST": _settle},
}
