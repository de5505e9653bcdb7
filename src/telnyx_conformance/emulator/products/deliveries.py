"""The delivery log: what became of an account's latest webhooks, as `GET /webhook_deliveries` tells it."""

from __future__ import annotations

from collections import deque
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from telnyx_conformance.emulator.account import Account, Answer, Ask, Handler
    from telnyx_conformance.emulator.outbox import Attempt, Delivery
    from telnyx_conformance.emulator.resources import Resources

RESOURCE = "webhook_deliveries"
EVENT_TYPE, IN_WEBHOOK = "filter[event_type]", "filter[webhook][event_type][in]"
KEPT = 200  # an answer's body may have 10,000 bytes
BODY_CHARACTERS = 10_000


class DeliveryLog:
    """Enters the journeys that have ended into the account's records when somebody asks for them; the latest are kept."""

    def __init__(self, account: Account, resources: Resources) -> None:
        self._account, self._resources = account, resources
        self._kept: deque[str] = deque()
        self.handlers: Mapping[str, Handler] = {
            "GetWebhookDeliveries": self._answer,
            "GetWebhookDelivery": self._answer,
        }

    def _answer(self, ask: Ask) -> Answer:
        log = self._account.outbox.log
        while log:
            self._kept.append(self._resources.keep(self._account, RESOURCE, entry(log.popleft())))
        while len(self._kept) > KEPT:
            self._resources.drop(self._account, RESOURCE, self._kept.popleft())
        wanted = ask.query.get(EVENT_TYPE)
        if isinstance(wanted, str):  # a list of types, in either spelling, of the webhook that an entry holds
            others = {name: value for name, value in ask.query.items() if name != EVENT_TYPE}
            ask = replace(ask, query={**others, IN_WEBHOOK: f"{wanted},{wanted.replace('_', '.')}"})
        return self._resources.answer(self._account, ask)


def entry(delivery: Delivery) -> dict[str, Any]:
    """Return a journey as the log shows it, still without an id. The webhook has the form of API v2 there."""
    return {
        "record_type": "webhook_delivery",
        "status": delivery.status,
        "webhook": dict(delivery.document.get("data", {})),
        "started_at": _stamp(delivery.started_at),
        "finished_at": _stamp(delivery.finished_at),
        "attempts": [_attempt(one) for one in delivery.attempts],
    }


def _attempt(one: Attempt) -> dict[str, Any]:
    answered = {
        "status": one.status,
        "headers": _pairs(one.answer_headers),
        "body": one.answer.decode(errors="replace")[:BODY_CHARACTERS],
    }
    return {
        "status": "delivered" if 200 <= one.status < 300 else "failed",  # noqa: PLR2004 - RFC 9110, section 15.3
        "started_at": _stamp(one.started_at),
        "finished_at": _stamp(one.finished_at),
        "http": {
            "request": {"url": one.url, "headers": _pairs(one.headers.items())},
            "response": answered if one.status else None,
        },
        "errors": [int(one.code)] if one.code else [],
    }


def _pairs(headers: Iterable[tuple[str, str]]) -> list[list[str]]:
    return [[str(name), value] for name, value in headers]  # aiohttp's names are a kind of str that JSON does not take


def _stamp(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
