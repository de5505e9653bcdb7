"""What every product of the emulator works with: a question, an answer or refusal, the account it happens in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal, Protocol

import msgspec

from telnyx_conformance.contract.machines import Machine, Row
from telnyx_conformance.contract.model import Operation
from telnyx_conformance.emulator.clock import Clock
from telnyx_conformance.emulator.ids import Ids
from telnyx_conformance.emulator.lines import Lines
from telnyx_conformance.emulator.outbox import Outbox
from telnyx_conformance.emulator.store import Store

Mode = Literal["stateful", "stub"]
Misread = Callable[[Machine, str, str, Row | None], Row | None]


class Ask(msgspec.Struct, frozen=True, kw_only=True):
    """A routed, authenticated and validated request: decoded path, query and body (`None` without one)."""

    operation: Operation
    path: dict[str, str]
    query: dict[str, Any]
    headers: Mapping[str, str]
    body: Any = None


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """A success: `document` is encoded as JSON unless `raw` bytes of `media_type` are given; neither is no body."""

    status: int = 200
    document: Any = None
    raw: bytes | None = None
    media_type: str = "application/json"


class Refusal(Exception):  # noqa: N818 - not an error of ours: the emulated API says no
    """The emulated API refuses: status, error code, and the culprit in body (`pointer`) or parameters (`parameter`).

    `bare` omits `source` and `meta`, as call control does for refusals that depend on a call's state.
    """

    def __init__(
        self, status: int, code: str, detail: str = "", *, pointer: str = "", parameter: str = "", bare: bool = False
    ) -> None:
        super().__init__(code)
        self.status, self.code, self.detail = status, code, detail
        self.pointer, self.parameter, self.bare = pointer, parameter, bare


Handler = Callable[[Ask], Answer]


class Product(Protocol):
    """One product's behaviour in one account: operation ids to what answers them; all others are generic."""

    handlers: Mapping[str, Handler]


class Account(msgspec.Struct, kw_only=True):
    """One API key's world: its own time, ids, resources, calls, webhooks and media. Accounts share nothing.

    `misread` is a planted fault's idea of what a state machine's table says of a command in a state.
    """

    key: str
    mode: Mode
    clock: Clock
    ids: Ids
    outbox: Outbox
    store: Store
    lines: Lines = msgspec.field(default_factory=Lines)
    misread: Misread | None = None
    products: list[Product] = []
