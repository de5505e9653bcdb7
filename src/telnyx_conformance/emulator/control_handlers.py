"""What each operation of the control API does in an account. Requests come validated against the contract."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from telnyx_conformance.contract.control import load_control
from telnyx_conformance.emulator.account import Ask
from telnyx_conformance.emulator.core import Emulator, World

Handler = Callable[[Emulator, World, Ask], Awaitable[Any]]
DONE = {"data": {"result": "ok"}}


def _clock_state(world: World) -> dict[str, Any]:
    clock = world.account.clock
    return {"data": {"now": clock.now, "mode": clock.mode, "pending": clock.pending}}


async def _read_clock(_: Emulator, world: World, __: Ask) -> Any:
    return _clock_state(world)


async def _advance_clock(_: Emulator, world: World, ask: Ask) -> Any:
    await world.account.outbox.advance(float(ask.body["advance"]))
    return _clock_state(world)


async def _set_clock_mode(emulator: Emulator, world: World, ask: Ask) -> Any:
    world.account.clock.mode = ask.body["mode"]
    world.account.clock.settle()
    if emulator.on_world is not None:
        emulator.on_world(world)
    return _clock_state(world)


async def _settle(_: Emulator, world: World, __: Ask) -> Any:
    world.account.clock.settle()
    await world.account.outbox.idle()
    return _clock_state(world)


async def _reset(emulator: Emulator, world: World, _: Ask) -> Any:
    return _clock_state(emulator.reset(world.account.key))


async def _list_requests(_: Emulator, world: World, ask: Ask) -> Any:
    newest = list(world.requests)[-ask.query.get("limit", len(world.requests)) :]
    return {"data": [dict(zip(("method", "target", "status", "at"), entry, strict=True)) for entry in newest]}


async def _count_webhooks(_: Emulator, world: World, __: Ask) -> Any:
    outbox = world.account.outbox
    counted = {"posted": outbox.posted, "delivered": outbox.ended["delivered"], "failed": outbox.ended["failed"]}
    over = counted["delivered"] + counted["failed"] + outbox.dropped
    return {"data": {**counted, "dropped": outbox.dropped, "under_way": outbox.posted - over}}


async def _read_public_key(emulator: Emulator, _: World, __: Ask) -> Any:
    return {"public_key": emulator.courier.public_key}


async def _list_destinations(_: Emulator, world: World, __: Ask) -> Any:
    return {"data": world.calls.switch.destinations.listed()}


async def _set_destination(_: Emulator, world: World, ask: Ask) -> Any:
    return {"data": world.calls.switch.destinations.put(ask.path["destination"], ask.body)}


async def _create_inbound_message(_: Emulator, world: World, ask: Ask) -> Any:
    body = ask.body
    message = world.messages.inbound(body["from"], body["to"], body.get("text", ""), tuple(body.get("media", ())))
    world.account.clock.settle()
    return {"data": message}


async def _create_inbound_call(_: Emulator, world: World, ask: Ask) -> Any:
    made = world.calls.inbound(ask.body["connection_id"], ask.body["from"], ask.body["to"])
    world.account.clock.settle()
    return made


async def _press_digits(_: Emulator, world: World, ask: Ask) -> Any:
    world.calls.far_presses(ask.path["call_control_id"], ask.body["digits"])
    world.account.clock.settle()
    return DONE


async def _say(_: Emulator, world: World, ask: Ask) -> Any:
    world.calls.far_says(ask.path["call_control_id"], ask.body["text"])
    world.account.clock.settle()
    return DONE


async def _hang_up(_: Emulator, world: World, ask: Ask) -> Any:
    world.calls.far_hangs_up(ask.path["call_control_id"])
    world.account.clock.settle()
    return DONE


async def _read_control_contract(_: Emulator, __: World, ___: Ask) -> Any:
    return load_control().document


HANDLERS: Mapping[str, Handler] = {
    "readClock": _read_clock,
    "advanceClock": _advance_clock,
    "setClockMode": _set_clock_mode,
    "settle": _settle,
    "reset": _reset,
    "listRequests": _list_requests,
    "countWebhooks": _count_webhooks,
    "readPublicKey": _read_public_key,
    "listDestinations": _list_destinations,
    "setDestination": _set_destination,
    "createInboundMessage": _create_inbound_message,
    "createInboundCall": _create_inbound_call,
    "pressDigits": _press_digits,
    "say": _say,
    "hangUp": _hang_up,
    "readControlContract": _read_control_contract,
}
