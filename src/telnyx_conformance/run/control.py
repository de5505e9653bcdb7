"""Speaking the control API of a target that has one: its clock, its signing key, calls that come in and their far ends.

The API is optional. A target without it is tested in real time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

import msgspec

from telnyx_conformance.contract.exchange import Request
from telnyx_conformance.contract.nesting import decoded

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from telnyx_conformance.run.client import Client


def control_url(base_url: str) -> str:
    """Return where the control API of a target lives: `/_control` at the root of its host."""
    parts = urlsplit(base_url)
    return f"{parts.scheme}://{parts.netloc}/_control"


class Control:
    """One account's view of the control API. Each method returns the decoded answer, `None` when the target does not speak it."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def ask(self, method: str, path: str, key: str, document: Any = None) -> dict[str, Any] | None:
        """Send one control request for the account of `key`."""
        headers = [("authorization", f"Bearer {key}")]
        body = b""
        if document is not None:
            headers.append(("content-type", "application/json"))
            body = msgspec.json.encode(document)
        exchange = await self._client.send(Request(method=method, path=path, headers=tuple(headers), body=body))
        if exchange.response is None or not exchange.response.is_success:
            return None
        try:
            answer = decoded(exchange.response.body or b"{}")
        except ValueError:
            return None
        return answer if isinstance(answer, dict) else None

    async def public_key(self, key: str) -> str:
        """Return the target's webhook signing key, base64; empty when it does not speak the control API."""
        answer = await self.ask("GET", "/public_key", key)
        return str(answer.get("public_key", "")) if answer else ""

    async def advance(self, key: str, seconds: float) -> bool:
        """Move the account's clock; true when done and every webhook it caused is out."""
        return await self.ask("POST", "/clock", key, {"advance": seconds}) is not None

    async def set_clock(self, key: str, mode: str) -> bool:
        """Choose how the account's time passes: auto, manual or real."""
        return await self.ask("PUT", "/clock", key, {"mode": mode}) is not None

    async def settle(self, key: str) -> bool:
        """Wait until the account's webhooks are out."""
        return await self.ask("POST", "/settle", key, {}) is not None

    async def inbound_call(self, key: str, connection_id: str, from_: str, to: str) -> dict[str, Any] | None:
        """Let a call come in for a connection and return its call object."""
        answer = await self.ask(
            "POST", "/inbound_calls", key, {"connection_id": connection_id, "from": from_, "to": to}
        )
        return answer.get("data") if answer else None

    async def inbound_message(
        self, key: str, from_: str, to: str, text: str = "", media: Sequence[Mapping[str, Any]] = ()
    ) -> dict[str, Any] | None:
        """Let somebody write to a number and return the message; `media` are objects with a `url`."""
        said: dict[str, Any] = {"from": from_, "to": to}
        said |= ({"text": text} if text else {}) | ({"media": list(media)} if media else {})
        answer = await self.ask("POST", "/inbound_messages", key, said)
        return answer.get("data") if answer else None

    async def destinations(self, key: str) -> list[dict[str, Any]]:
        """Return the account's magic destinations, each with name, number, outcome and what is heard; none when not told."""
        answer = await self.ask("GET", "/destinations", key)
        return list(answer.get("data", ())) if answer else []

    async def set_destination(
        self, key: str, destination: str, outcome: str, *, after: float = 0, hears: Mapping[str, Any] | None = None
    ) -> bool:
        """Let a destination, a name or a number, do something else: `answers`, `rings_out`, `busy`, `rejects`, `not_found`.

        It happens `after` seconds; `hears` describes what a caller then hears, as the contract's `Sound` does.
        """
        said = {"outcome": outcome, "after": after} | ({"hears": dict(hears)} if hears else {})
        return await self.ask("PUT", f"/destinations/{quote(destination, safe='')}", key, said) is not None

    async def requests(self, key: str, limit: int = 200) -> list[dict[str, Any]]:
        """Return the newest requests of the account, newest last: method, target, status, and the account's time."""
        answer = await self.ask("GET", f"/requests?limit={limit}", key)
        return list(answer.get("data", ())) if answer else []

    async def webhooks(self, key: str) -> dict[str, int]:
        """Return how many webhooks were posted, delivered, failed, dropped, and are under way; nothing when not told."""
        answer = await self.ask("GET", "/webhooks", key)
        return dict(answer.get("data", {})) if answer else {}

    async def reset(self, key: str) -> bool:
        """Empty the account."""
        return await self.ask("POST", "/reset", key, {}) is not None

    async def press(self, key: str, call_control_id: str, digits: str) -> bool:
        """Let the far end of an answered leg press keys: 0-9, A-D, * and #."""
        return await self._far_end(key, call_control_id, "digits", {"digits": digits})

    async def say(self, key: str, call_control_id: str, text: str) -> bool:
        """Let the far end of an answered leg speak."""
        return await self._far_end(key, call_control_id, "speech", {"text": text})

    async def hang_up(self, key: str, call_control_id: str) -> bool:
        """Let the far end of a leg hang up: of an answered one, or the caller of one that is parked."""
        return await self._far_end(key, call_control_id, "hangup", {})

    async def _far_end(self, key: str, call_control_id: str, deed: str, document: dict[str, str]) -> bool:
        path = f"/calls/{quote(call_control_id, safe='')}/{deed}"
        return await self.ask("POST", path, key, document) is not None
