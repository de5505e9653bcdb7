"""The delivery log of the emulator: what became of real webhooks, page by page, bounded, each account by itself."""

from __future__ import annotations

import json
from typing import Any

import pytest

from telnyx_conformance.contract.document import load_edition
from telnyx_conformance.emulator.core import Emulator
from telnyx_conformance.emulator.products import deliveries

BUSY = "+12025550102"


class Client:
    """An account whose application sends its webhooks where nobody may be reached: each journey ends at once."""

    def __init__(self, key: str = "KEYTEST_log") -> None:
        self.emulator, self.key = Emulator(load_edition()), key
        asked = {"application_name": "a", "webhook_event_url": "https://example.com/hook", "webhook_api_version": "2"}
        self.application = self("POST", "/call_control_applications", asked)["data"]["id"]

    def __call__(self, method: str, target: str, body: Any = None, *, key: str = "") -> Any:
        headers = [(b"authorization", b"Bearer " + (key or self.key).encode()), (b"content-type", b"application/json")]
        content = json.dumps(body).encode() if body is not None else b""
        return json.loads(self.emulator.handle(method, "/v2" + target, headers, content).body)

    def dial(self) -> None:
        self("POST", "/calls", {"connection_id": self.application, "to": BUSY, "from": "+12025550199"})

    def log(self, query: str = "") -> list[Any]:
        listed: list[Any] = self("GET", f"/webhook_deliveries?page[size]=250{query}")["data"]
        return listed

    def told(self, query: str = "") -> list[str]:
        return [one["webhook"]["event_type"] for one in self.log(query) if one["attempts"]]


@pytest.fixture
def client() -> Client:
    return Client()


def test_the_log_tells_of_each_webhook_the_latest_first(client: Client) -> None:
    client.dial()
    assert client.told() == ["call.hangup", "call.initiated"]
    one = client.log()[0]
    assert (one["status"], one["attempts"][0]["errors"], one["attempts"][0]["http"]["response"]) == (
        "failed", [75000], None,
    )  # fmt: skip
    assert one["attempts"][0]["http"]["request"]["url"] == "https://example.com/hook"
    assert client("GET", f"/webhook_deliveries/{one['id']}")["data"] == one


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ("call.hangup", ["call.hangup"]),
        ("call_hangup", ["call.hangup"]),
        ("call_initiated,call.hangup", ["call.hangup", "call.initiated"]),
        ("call.answered", []),
    ],
)
def test_the_log_is_filtered_by_types_in_either_spelling(client: Client, asked: str, told: list[str]) -> None:
    client.dial()
    assert client.told(f"&filter[event_type]={asked}") == told


def test_what_is_told_stays_until_there_is_too_much_of_it(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deliveries, "KEPT", 3)
    client.dial()
    first = client.log()[:2]
    assert client.log()[:2] == first
    client.dial()
    assert client.told() == ["call.hangup", "call.initiated", "call.hangup"]
    assert "errors" in client("GET", f"/webhook_deliveries/{first[1]['id']}")


def test_nobody_reads_the_log_of_another_account(client: Client) -> None:
    client.dial()
    [one, *_] = client.log()
    assert "errors" in client("GET", f"/webhook_deliveries/{one['id']}", key="KEYTEST_other")
