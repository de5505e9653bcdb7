"""What happened on the wire: requests, responses and the events that followed, as frozen values.

They stand with the contract because planner, runner, inbox and judges all speak of them.
"""

from __future__ import annotations

from typing import Any, Literal
from urllib.parse import quote

import msgspec


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """One HTTP request as it is sent. `path` is percent-encoded and relative to the base URL; `query` holds plain pairs."""

    method: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""

    @property
    def target(self) -> str:
        """The path with the query behind it, percent-encoded; brackets in names stay readable."""
        pairs = "&".join(f"{quote(name, safe='[].-_')}={quote(value, safe='')}" for name, value in self.query)
        return f"{self.path}?{pairs}" if pairs else self.path


class Response(msgspec.Struct, frozen=True, kw_only=True):
    """One HTTP response as it came. Header names are lower case; `seconds` is from send to last byte.

    `echoes_key` says that the request's own credentials stood in it, before whatever is secret was removed.
    """

    status: int
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    seconds: float = 0.0
    echoes_key: bool = False

    def header(self, name: str) -> str:
        """Return the first header called `name` (lower case), or an empty string."""
        return next((value for key, value in self.headers if key == name), "")

    @property
    def is_success(self) -> bool:
        """Whether the status is one of the 2xx."""
        return 200 <= self.status < 300  # noqa: PLR2004 - RFC 9110, section 15.3

    @property
    def is_refusal(self) -> bool:
        """Whether the status is one of the 4xx and 5xx."""
        return self.status >= 400  # noqa: PLR2004 - RFC 9110, section 15.5

    @property
    def is_fault(self) -> bool:
        """Whether the status is one of the 5xx."""
        return self.status >= 500  # noqa: PLR2004 - RFC 9110, section 15.6

    @property
    def media_type(self) -> str:
        """The content type without its parameters, lower case; empty when there is none."""
        return self.header("content-type").partition(";")[0].strip().lower()


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """One webhook delivery as the inbox received it.

    `raw` are the bytes as received (signatures are over bytes); `document` is what they decode to, `None` when they do not.
    `arrival` counts deliveries of this inbox from 0; `received_at` is Unix seconds on the inbox's clock.
    """

    token: str
    arrival: int
    method: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    headers: tuple[tuple[str, str], ...] = ()
    raw: bytes = b""
    document: dict[str, Any] | None = None
    signature: Literal["valid", "invalid", "missing", "stale"] = "missing"
    answered: int = 200
    received_at: float = 0.0

    @property
    def data(self) -> dict[str, Any]:
        """The event's `data` object, empty when it has none."""
        data = (self.document or {}).get("data")
        return data if isinstance(data, dict) else {}

    @property
    def id(self) -> str:
        """The event id that stays the same over retries."""
        return str(self.data.get("id", ""))

    @property
    def type(self) -> str:
        """Such as `call.answered`."""
        return str(self.data.get("event_type", ""))

    @property
    def occurred_at(self) -> str:
        """ISO 8601 as sent."""
        return str(self.data.get("occurred_at", ""))

    @property
    def payload(self) -> dict[str, Any]:
        """The event's payload, empty when it has none."""
        payload = self.data.get("payload")
        return payload if isinstance(payload, dict) else {}


class Exchange(msgspec.Struct, frozen=True, kw_only=True):
    """One request with what came of it. Exactly one of `response` and `error` is set; `error` says why no response could be had."""

    request: Request
    response: Response | None = None
    error: str = ""
    events: tuple[Event, ...] = ()
