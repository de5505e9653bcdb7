"""The control API under `/_control/`, as `contracts/control.yaml` describes it: routed and validated by that document.

It is no part of the emulated API; any emulator may implement it, and a target without it is tested in real time.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import msgspec

from telnyx_conformance.contract.control import load_control
from telnyx_conformance.emulator import refusals
from telnyx_conformance.emulator.account import Ask, Refusal
from telnyx_conformance.emulator.control_handlers import HANDLERS
from telnyx_conformance.emulator.credentials import Unauthenticated
from telnyx_conformance.emulator.reply import Reply, json_reply
from telnyx_conformance.emulator.routing import Router
from telnyx_conformance.emulator.validation import Rules, Unreadable

if TYPE_CHECKING:
    from telnyx_conformance.contract.model import Operation
    from telnyx_conformance.emulator.core import Emulator, Headers
    from telnyx_conformance.emulator.routing import Match

PREFIX = "/_control/"


async def handle_control(emulator: Emulator, method: str, target: bytes, headers: Headers, body: bytes) -> Reply:
    """Answer one control request; the bearer key selects the account."""
    path, _, query = target.decode("latin-1").partition("?")
    match = _router().match(method, path)
    if match is None:
        return json_reply(*refusals.of_situation("unknown_route"))
    try:
        reply = await _answer(emulator, match, query, dict(headers), body)
    except Unauthenticated as refused:
        reply = json_reply(*refusals.of_situation(refused.situation, refused.detail))
    except Unreadable as unreadable:
        reply = json_reply(*refusals.of_situation(unreadable.situation, unreadable.detail))
    except Refusal as refusal:
        reply = json_reply(*refusals.of_refusal(refusal))
    return msgspec.structs.replace(reply, body=b"") if method == "HEAD" else reply


async def _answer(emulator: Emulator, match: Match, query: str, named: dict[bytes, bytes], body: bytes) -> Reply:
    operation = match.route.operation if match.route else None
    world = emulator.world(named.get(b"authorization"), secured=operation is None or operation.secured)
    if operation is None:
        reply = json_reply(*refusals.of_situation("method_not_allowed"))
        reply.headers.append((b"allow", ", ".join(match.allow).encode()))
        return reply
    told = {name.decode("latin-1"): value.decode("latin-1") for name, value in named.items()}
    values, document, problems = _rules(operation.id).examined(match.path, query, told, body)
    if problems:
        return json_reply(*refusals.of_problems(problems, operation))
    ask = Ask(operation=operation, path=match.path, query=values, headers=told, body=document)
    return json_reply(200, msgspec.json.encode(await HANDLERS[operation.id](emulator, world, ask)))


@cache
def _router() -> Router:
    return Router(load_control().operations, {"api": PREFIX.rstrip("/")})


@cache
def _rules(operation_id: str) -> Rules:
    operation: Operation = load_control().operation(operation_id)
    return Rules(load_control(), operation)
