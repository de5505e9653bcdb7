"""Webhooks on their way out, as values: before they are enqueued, and each attempt to deliver one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import msgspec


class Outgoing(msgspec.Struct, frozen=True, kw_only=True):
    """A webhook before it is enqueued; `timeout` in seconds, `version` that of the API whose form it will have."""

    url: str
    document: Mapping[str, Any]
    method: str
    failover_url: str = ""
    timeout: float = 2.0
    version: Literal["1", "2"] = "2"


class Letter(msgspec.Struct, frozen=True, kw_only=True):
    """One attempt of a webhook as it goes out: the `number`-th, with the query in `url`; `timestamp` in Unix seconds."""

    number: int
    event_type: str
    url: str
    method: str
    body: bytes
    timestamp: int
    headers: dict[str, str]
