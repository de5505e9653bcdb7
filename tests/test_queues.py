"""Queues and bridges as an application sees them: over the API of the emulator, on a manual clock."""

from __future__ import annotations

from typing import Any

import msgspec

from telnyx_conformance.contract.document import load_edition
from telnyx_conformance.emulator.core import Emulator

EDITION = load_edition()
ANSWERS = "+12025550100"


class Office:
    """One account that dials and puts calls into queues."""

    def __init__(self) -> None:
        self.emulator = Emulator(EDITION, clock="manual")
        self.world = self.emulator.world(b"Bearer KEYTEST")
        made = self.ask("POST", "/call_control_applications", {
            "application_name": "a", "webhook_event_url": "http://127.0.0.1:9/", "webhook_api_version": "2",
        })  # fmt: skip
        self.connection = made[1]["data"]["id"]
        self.posts: list[dict[str, Any]] = []
        self.world.account.outbox.post = lambda _, document, **__: self.posts.append(document["data"])  # type: ignore[method-assign]

    def ask(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        headers = [(b"authorization", b"Bearer KEYTEST"), (b"content-type", b"application/json")]
        reply = self.emulator.handle(
            method, "/v2" + path, headers, msgspec.json.encode(body) if body is not None else b""
        )
        return reply.status, msgspec.json.decode(reply.body)

    def call(self) -> str:
        body = {"to": ANSWERS, "from": "+12025550199", "connection_id": self.connection}
        leg: str = self.ask("POST", "/calls", body)[1]["data"]["call_control_id"]
        self.world.account.clock.advance(3)
        return leg

    def command(self, leg: str, action: str, **body: Any) -> tuple[int, str]:
        status, document = self.ask("POST", f"/calls/{leg}/actions/{action}", body)
        return status, document["errors"][0]["code"] if "errors" in document else "ok"

    def told(self, event_type: str) -> list[dict[str, Any]]:
        return [post["payload"] for post in self.posts if post["event_type"] == event_type]

    def wait(self, seconds: float) -> None:
        self.world.account.clock.advance(seconds)


def test_calls_wait_in_the_order_in_which_they_came_and_move_up() -> None:
    office = Office()
    first, second, third = office.call(), office.call(), office.call()
    for leg in (first, second, third):
        assert office.command(leg, "enqueue", queue_name="support") == (200, "ok")
        office.wait(10)
    assert [told["current_position"] for told in office.told("call.enqueued")] == [1, 2, 3]
    assert office.command(second, "leave_queue") == (200, "ok")
    [left] = office.told("call.dequeued")
    assert (left["reason"], left["queue"], left["queue_position"], left["wait_time_secs"]) == (
        "leave",
        "support",
        2,
        20,
    )
    waiting = office.ask("GET", "/queues/support/calls")[1]
    assert [(c["call_control_id"], c["queue_position"], c["wait_time_secs"]) for c in waiting["data"]] == [
        (first, 1, 30),
        (third, 2, 10),
    ]
    assert waiting["meta"] == {"page_number": 1, "page_size": 20, "total_pages": 1, "total_results": 2}
    queue = office.ask("GET", "/queues/support")[1]["data"]
    assert (queue["current_size"], queue["max_size"], queue["average_wait_time_secs"]) == (2, 100, 20)
    assert office.ask("GET", f"/queues/support/calls/{second}")[0] == 404
    assert office.ask("GET", f"/queues/support/calls/{third}")[1]["data"]["queue_position"] == 2


def test_a_queue_keeps_its_size_and_takes_no_more_than_that() -> None:
    office = Office()
    legs = [office.call() for _ in range(3)]
    assert office.command(legs[0], "enqueue", queue_name="small", max_size=2) == (200, "ok")
    assert office.command(legs[1], "enqueue", queue_name="small", max_size=3) == (422, "90037")
    assert office.command(legs[1], "enqueue", queue_name="small", max_size=2) == (200, "ok")
    assert office.command(legs[2], "enqueue", queue_name="small") == (422, "90036")
    assert office.command(legs[0], "enqueue", queue_name="other") == (422, "90038")
    assert office.command(legs[2], "leave_queue") == (422, "90035")
    assert office.ask("GET", "/queues/other")[0] == 404


def test_who_has_waited_long_enough_is_parked_and_who_hangs_up_is_gone() -> None:
    office = Office()
    patient, gone = office.call(), office.call()
    office.command(patient, "enqueue", queue_name="q", max_wait_time_secs=60)
    office.command(gone, "enqueue", queue_name="q")
    office.world.calls.far_hangs_up(gone)
    office.wait(59)
    assert [told["reason"] for told in office.told("call.dequeued")] == ["hangup"]
    office.wait(1)
    assert [told["reason"] for told in office.told("call.dequeued")] == ["hangup", "timeout"]
    assert office.command(patient, "leave_queue") == (422, "90035")
    assert office.command(patient, "hangup") == (200, "ok")


def test_a_bridge_to_a_queue_takes_the_one_that_has_waited_longest() -> None:
    office = Office()
    agent, first, second = office.call(), office.call(), office.call()
    assert office.command(agent, "bridge", queue="q") == (422, "90035")
    office.command(first, "enqueue", queue_name="q")
    office.command(second, "enqueue", queue_name="q")
    assert office.command(agent, "bridge", queue="q") == (200, "ok")
    [left] = office.told("call.dequeued")
    assert (left["call_control_id"], left["reason"]) == (first, "bridging-in-process")
    assert [told["call_control_id"] for told in office.told("call.bridged")] == [agent, first]


def test_a_bridged_leg_hangs_up_with_its_peer_unless_it_is_to_be_parked() -> None:
    office = Office()
    a, b, c, d = (office.call() for _ in range(4))
    assert office.command(a, "bridge", call_control_id_=b) == (422, "10004")
    assert office.command(a, "bridge", call_control_id=b) == (200, "ok")
    assert office.command(c, "bridge", call_control_id=d, park_after_unbridge="self") == (200, "ok")
    office.command(b, "hangup")
    office.command(d, "hangup")
    alive = {leg: office.ask("GET", f"/calls/{leg}")[1]["data"]["is_alive"] for leg in (a, b, c, d)}
    assert alive == {a: False, b: False, c: True, d: False}
    assert office.command(a, "bridge", call_control_id=c) == (422, "90018")
    assert office.command(c, "bridge", call_control_id=a) == (422, "90018")
    assert office.command(c, "bridge", call_control_id=c) == (422, "90015")
    assert office.command(c, "bridge", call_control_id="v3:nobody") == (422, "90015")


def test_who_is_bridged_and_enqueued_leaves_the_peer_which_hangs_up() -> None:
    office = Office()
    a, b = office.call(), office.call()
    office.command(a, "bridge", call_control_id=b)
    office.command(a, "enqueue", queue_name="q")
    assert [told["call_control_id"] for told in office.told("call.hangup")] == [b]
    assert office.ask("GET", "/queues/q")[1]["data"]["current_size"] == 1
