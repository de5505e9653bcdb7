"""Calls as their application sees them: commands in, events out, on a manual clock."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import jsonschema_rs
import pytest

from telnyx_conformance.contract.document import load_edition
from telnyx_conformance.emulator.account import Account, Answer, Ask, Mode, Refusal
from telnyx_conformance.emulator.clock import Clock, ClockMode
from telnyx_conformance.emulator.ids import Ids
from telnyx_conformance.emulator.products.calls import Calls

if TYPE_CHECKING:
    from collections.abc import Mapping

EDITION = load_edition()
START = 1_750_000_000
HOOK = "http://127.0.0.1:9/app"
APPLICATION = {"webhook_event_url": HOOK, "webhook_event_failover_url": HOOK + "/failover", "webhook_timeout_secs": 5}
NUMBER = "+12025550{}"
ANSWERS, RINGS_OUT, BUSY, REJECTS, NOT_FOUND = (NUMBER.format(n) for n in range(100, 105))
FROM = "+12025550199"


class Post:
    """One webhook as it was posted."""

    def __init__(  # noqa: PLR0917 - as the outbox is told
        self, url: str, document: Mapping[str, Any], method: str, failover_url: str, timeout: float, version: str
    ) -> None:
        self.url, self.method, self.failover_url, self.timeout = url, method, failover_url, timeout
        self.version = version
        self.data: dict[str, Any] = document["data"]
        self.payload: dict[str, Any] = self.data["payload"]


class World:
    """An account with calls, a clock and an outbox that only keeps."""

    def __init__(self, *, clock: ClockMode = "manual", mode: Mode = "stateful", limit: int = 5000) -> None:
        self.posts: list[Post] = []
        self.clock = Clock(start=START, mode=clock)
        self.account = Account(
            key="KEYTEST", mode=mode, clock=self.clock, ids=Ids(1), outbox=cast("Any", self), store=cast("Any", None)
        )
        self.applications: dict[str, dict[str, Any]] = {"1": APPLICATION, "silent": {"webhook_event_url": ""}}
        self.calls = Calls(self.account, edition=EDITION, find_application=self.applications.get, legs_limit=limit)

    def post(
        self,
        url: str,
        document: Mapping[str, Any],
        *,
        method: str = "POST",
        failover_url: str = "",
        timeout: float = 2.0,
        version: str = "2",
    ) -> None:
        self.posts.append(Post(url, document, method, failover_url, timeout, version))

    def ask(
        self, operation: str, path: dict[str, str], query: dict[str, Any] | None = None, body: Any = None
    ) -> Answer:
        ask = Ask(operation=EDITION.operation(operation), path=path, query=query or {}, headers={}, body=body)
        return self.calls.handlers[operation](ask)

    def command(self, operation: str, leg: str, **body: Any) -> Answer:
        return self.ask(operation, {"call_control_id": leg}, body={k.rstrip("_"): v for k, v in body.items()})

    def dial(self, to: Any = ANSWERS, **body: Any) -> dict[str, Any]:
        answer = self.ask("DialCall", {}, body={"to": to, "from": FROM, "connection_id": "1", **body})
        return cast("dict[str, Any]", answer.document["data"])

    def talking(self, **body: Any) -> str:
        """Return a leg that was dialled and answered; its events are forgotten."""
        leg: str = self.dial(**body)["call_control_id"]
        self.clock.advance(2)
        self.posts.clear()
        return leg

    def status(self, leg: str) -> dict[str, Any]:
        return cast("dict[str, Any]", self.ask("RetrieveCallStatus", {"call_control_id": leg}).document["data"])

    def story(self) -> list[str]:
        """Return what was told: event type, and the seconds from the start."""
        return [f"{post.data['event_type']} {seconds(post):g}" for post in self.posts]

    def other(self, leg: str) -> str:
        """Return the leg, not `leg`, of which events told."""
        others: list[str] = [p.payload["call_control_id"] for p in self.posts]
        return next(other for other in others if other != leg)

    def only(self, event_type: str, leg: str = "") -> dict[str, Any]:
        """Return the payload of the only event of a type (of a leg)."""
        [found] = [
            post.payload
            for post in self.posts
            if post.data["event_type"] == event_type and leg in ("", post.payload["call_control_id"])
        ]
        return found


def seconds(post: Post) -> float:
    text = post.data["occurred_at"]
    assert text.startswith("2025-06-15T")
    hours, minutes, rest = text.removeprefix("2025-06-15T").removesuffix("Z").split(":")
    return round(int(hours) * 3600 + int(minutes) * 60 + float(rest) - START % 86400, 6)


def refused(world: World, operation: str, leg: str, **body: Any) -> tuple[int, str, bool]:
    with pytest.raises(Refusal) as caught:
        world.command(operation, leg, **body)
    return caught.value.status, caught.value.code, caught.value.bare


def test_a_dialled_call_is_initiated_and_then_answered() -> None:
    world = World()
    data = world.dial(client_state="QQ==")
    world.clock.advance(10)
    assert world.story() == ["call.initiated 0", "call.answered 2"]
    assert (data["record_type"], data["is_alive"], data["client_state"]) == ("call", False, "QQ==")
    initiated = world.only("call.initiated")
    assert (initiated["direction"], initiated["state"]) == ("outgoing", "bridging")
    assert (initiated["from"], initiated["to"], initiated["connection_id"]) == (FROM, ANSWERS, "1")
    for payload in (initiated, world.only("call.answered")):
        for name in ("call_control_id", "call_leg_id", "call_session_id", "client_state"):
            assert payload[name] == data[name]


@pytest.mark.parametrize(
    ("to", "after", "cause", "source", "sip"),
    [
        (RINGS_OUT, 30, "timeout", "caller", "480"),
        (BUSY, 1, "user_busy", "callee", "486"),
        (REJECTS, 2, "call_rejected", "callee", "603"),
        (NOT_FOUND, 1, "not_found", "unknown", "404"),
    ],
)
def test_a_destination_that_does_not_answer_ends_the_leg(
    to: str, after: int, cause: str, source: str, sip: str
) -> None:
    world = World()
    leg = world.dial(to)["call_control_id"]
    world.clock.advance(100)
    assert world.story() == ["call.initiated 0", f"call.hangup {after}"]
    hangup = world.only("call.hangup")
    assert (hangup["hangup_cause"], hangup["hangup_source"], hangup["sip_hangup_cause"]) == (cause, source, sip)
    assert world.status(leg)["is_alive"] is False


@pytest.mark.parametrize("timeout", [5, 30, 600])
def test_a_transfer_that_nobody_answers_times_out_to_the_microsecond(timeout: int) -> None:
    world = World()
    a = world.talking()
    world.command("TransferCall", a, to=RINGS_OUT, timeout_secs=timeout)
    world.clock.advance(timeout - 0.000001)
    assert world.story() == ["call.initiated 2"]
    world.clock.advance(0.000001)
    assert world.story() == ["call.initiated 2", f"call.hangup {timeout + 2}"]
    assert world.only("call.hangup")["hangup_cause"] == "timeout"
    assert world.status(a)["is_alive"] is True


def test_an_answered_transfer_bridges_both_legs_of_one_session() -> None:
    world = World()
    a = world.talking(client_state="QQ==")
    answer = world.command("TransferCall", a, to=NUMBER.format(150), target_leg_client_state="Qg==")
    assert answer.document == {"data": {"result": "ok"}}
    world.clock.advance(100)
    assert world.story() == ["call.initiated 2", "call.answered 4", "call.bridged 4.02", "call.bridged 4.02"]
    b = world.other(a)
    assert [post.payload["call_control_id"] for post in world.posts] == [b, b, b, a]
    assert {post.payload["call_session_id"] for post in world.posts} == {world.status(a)["call_session_id"]}
    assert [post.payload["client_state"] for post in world.posts] == ["Qg==", "Qg==", "Qg==", "QQ=="]
    assert world.status(b)["call_leg_id"] != world.status(a)["call_leg_id"]
    assert world.only("call.initiated")["from"] == ANSWERS


@pytest.mark.parametrize("to", [RINGS_OUT, BUSY, REJECTS, NOT_FOUND])
def test_after_a_failed_transfer_the_first_leg_can_be_transferred_again(to: str) -> None:
    world = World()
    a = world.talking()
    world.command("TransferCall", a, to=to)
    world.clock.advance(30)
    b = world.other(a)
    assert world.only("call.hangup")["call_control_id"] == b
    world.posts.clear()
    world.command("TransferCall", a, to=ANSWERS, from_=FROM)
    world.clock.advance(3)
    c = world.other(a)
    assert c != b
    assert world.only("call.bridged", a)["call_session_id"] == world.only("call.bridged", c)["call_session_id"]
    assert world.only("call.initiated")["from"] == FROM


def test_an_unanswered_inbound_call_can_be_transferred() -> None:
    world = World()
    a = world.calls.inbound("1", FROM, "+12025550177")["data"]["call_control_id"]
    world.command("TransferCall", a, to=ANSWERS)
    world.clock.advance(3)
    assert world.story() == [
        "call.initiated 0",
        "call.initiated 0",
        "call.answered 2",
        "call.bridged 2.02",
        "call.bridged 2.02",
    ]


@pytest.mark.parametrize("limit", [30, 14400])
def test_the_time_limit_counts_from_the_answer_and_ends_both_legs(limit: int) -> None:
    world = World()
    a = world.calls.inbound("1", FROM, ANSWERS)["data"]["call_control_id"]
    world.command("AnswerCall", a)
    world.command("TransferCall", a, to=ANSWERS, time_limit_secs=limit)
    world.clock.advance(3)
    b = world.other(a)
    world.posts.clear()
    world.clock.advance(limit - 1.000001)
    assert world.posts == []
    world.clock.advance(0.000001)
    assert [seconds(post) for post in world.posts] == [limit + 2] * 2
    assert world.only("call.hangup", b)["hangup_cause"] == "time_limit"
    assert world.only("call.hangup", a)["hangup_cause"] == "normal_clearing"


def test_the_first_legs_own_limit_of_four_hours_ends_it() -> None:
    world = World()
    world.talking()
    world.clock.advance(14399.999999)
    assert world.posts == []
    world.clock.advance(0.000001)
    assert world.only("call.hangup")["hangup_cause"] == "time_limit"


def test_when_either_of_a_bridged_pair_hangs_up_the_other_does_too() -> None:
    for hang_up_first in (True, False):
        world = World()
        a = world.talking()
        world.command("TransferCall", a, to=ANSWERS)
        world.clock.advance(3)
        b = world.other(a)
        world.posts.clear()
        world.command("HangupCall", a if hang_up_first else b)
        assert {post.payload["call_control_id"] for post in world.posts} == {a, b}
        assert [post.payload["hangup_cause"] for post in world.posts] == ["normal_clearing"] * 2
        assert (world.clock.pending, world.status(a)["is_alive"], world.status(b)["is_alive"]) == (0, False, False)


def test_hanging_up_while_a_transfer_rings_calls_the_new_leg_off() -> None:
    world = World()
    a = world.talking()
    world.command("TransferCall", a, to=RINGS_OUT)
    b = world.other(a)
    world.command("HangupCall", a)
    hangup = world.only("call.hangup", b)
    assert (hangup["hangup_cause"], hangup["hangup_source"], hangup["sip_hangup_cause"]) == (
        "originator_cancel",
        "caller",
        "487",
    )
    assert world.clock.pending == 0


def test_hanging_up_between_answer_and_bridge_leaves_no_leg_behind() -> None:
    world = World()
    a = world.talking()
    world.command("TransferCall", a, to=ANSWERS)
    world.clock.advance(2.01)
    world.command("HangupCall", a)
    world.clock.advance(10)
    assert "call.bridged" not in " ".join(world.story())
    assert world.status(world.other(a))["is_alive"] is False


def test_a_second_transfer_calls_the_first_off_while_it_rings() -> None:
    world = World()
    a = world.talking()
    world.command("TransferCall", a, to=RINGS_OUT)
    b = world.other(a)
    world.command("TransferCall", a, to=ANSWERS)
    assert world.only("call.hangup")["call_control_id"] == b
    world.clock.advance(3)
    assert world.only("call.bridged", a)["call_control_id"] == a


def test_transferring_a_bridged_leg_lets_its_former_peer_go() -> None:
    world = World()
    a = world.talking()
    world.command("TransferCall", a, to=ANSWERS)
    world.clock.advance(3)
    b = world.other(a)
    world.posts.clear()
    world.command("TransferCall", a, to=ANSWERS)
    world.clock.advance(3)
    assert world.only("call.hangup")["call_control_id"] == b
    assert world.only("call.bridged", a)["call_control_id"] == a
    assert world.status(a)["is_alive"] is True


def test_hanging_up_a_ringing_leg_cancels_it() -> None:
    world = World()
    leg = world.dial(RINGS_OUT)["call_control_id"]
    world.command("HangupCall", leg, client_state="Ymll")
    hangup = world.only("call.hangup")
    assert (hangup["hangup_cause"], hangup["client_state"]) == ("originator_cancel", "Ymll")


def test_an_inbound_call_is_parked_answered_and_hung_up() -> None:
    world = World()
    data = world.calls.inbound("1", FROM, "+12025550177")["data"]
    leg = data["call_control_id"]
    initiated = world.only("call.initiated")
    assert (initiated["direction"], initiated["state"], initiated["client_state"]) == ("incoming", "parked", None)
    assert (initiated["from"], initiated["to"]) == (FROM, "+12025550177")
    answer = world.command("AnswerCall", leg, record="record-from-answer")
    assert answer.document["data"] == {"result": "ok", "recording_id": world.status(leg)["recording_id"]}
    world.calls.far_hangs_up(leg)
    assert world.story() == ["call.initiated 0", "call.answered 0", "call.hangup 0", "call.recording.saved 0"]
    assert world.only("call.hangup")["hangup_source"] == "caller"


def test_a_caller_who_gives_up_ends_a_parked_call() -> None:
    world = World()
    leg = world.calls.inbound("1", FROM, ANSWERS)["data"]["call_control_id"]
    world.calls.far_hangs_up(leg)
    hangup = world.only("call.hangup")
    assert (hangup["hangup_cause"], hangup["hangup_source"], hangup["sip_hangup_cause"]) == (
        "originator_cancel",
        "caller",
        "487",
    )


@pytest.mark.parametrize(
    ("cause", "expected", "sip"), [("CALL_REJECTED", "call_rejected", "603"), ("USER_BUSY", "user_busy", "486")]
)
def test_a_parked_call_can_be_rejected(cause: str, expected: str, sip: str) -> None:
    world = World()
    leg = world.calls.inbound("1", FROM, ANSWERS)["data"]["call_control_id"]
    world.command("RejectCall", leg, cause=cause)
    hangup = world.only("call.hangup")
    assert (hangup["hangup_cause"], hangup["hangup_source"], hangup["sip_hangup_cause"]) == (expected, "callee", sip)


def test_a_dial_to_several_numbers_keeps_the_first_to_answer() -> None:
    world = World()
    data = world.dial([RINGS_OUT, BUSY, "sip:+12025550100@example.test"])
    world.clock.advance(60)
    causes = [p.payload["hangup_cause"] for p in world.posts if p.data["event_type"] == "call.hangup"]
    assert causes == ["user_busy", "originator_cancel"]
    assert world.only("call.answered")["to"] == "sip:+12025550100@example.test"
    assert {post.payload["call_session_id"] for post in world.posts} == {data["call_session_id"]}


def test_a_linked_dial_shares_the_session_and_others_do_not() -> None:
    world = World()
    first, second = world.dial(), world.dial()
    linked = world.dial(link_to=first["call_control_id"])
    assert linked["call_session_id"] == first["call_session_id"] != second["call_session_id"]
    with pytest.raises(Refusal) as caught:
        world.dial(link_to="v3:nobody")
    assert (caught.value.status, caught.value.code, caught.value.pointer) == (422, "90015", "/link_to")


def test_client_state_stays_until_it_is_replaced() -> None:
    world = World()
    leg = world.dial(RINGS_OUT, client_state="b25l")["call_control_id"]
    world.command("UpdateClientState", leg, client_state="dHdv")
    assert len(world.posts) == 1
    world.clock.advance(30)
    assert (world.only("call.initiated")["client_state"], world.only("call.hangup")["client_state"]) == ("b25l", "dHdv")


def test_a_repeated_command_id_has_no_second_effect_for_a_minute() -> None:
    world = World()
    a = world.talking()
    command = {"to": RINGS_OUT, "timeout_secs": 600, "command_id": "x", "client_state": "b25l"}
    assert world.command("TransferCall", a, **command).document == {"data": {"result": "ok"}}
    world.clock.advance(59.999999)
    again = world.command("TransferCall", a, **(command | {"client_state": "dHdv"}))
    assert (again.document, world.story()) == ({"data": {"result": "ok"}}, ["call.initiated 2"])
    assert world.status(a)["client_state"] == "b25l"
    world.clock.advance(0.000001)
    world.command("TransferCall", a, **command)
    assert world.story().count("call.initiated 62") == 1


def test_a_command_id_belongs_to_one_leg_and_is_remembered_after_its_end() -> None:
    world = World()
    a, b = world.talking(), world.talking()
    for leg in (a, b, a):
        assert world.command("HangupCall", leg, command_id="x").document == {"data": {"result": "ok"}}
    assert len(world.posts) == 2


def test_a_refused_command_does_not_use_its_command_id_up() -> None:
    world = World()
    leg = world.dial()["call_control_id"]
    assert refused(world, "SpeakCall", leg, command_id="x") == (422, "90034", True)
    world.clock.advance(2)
    assert world.command("SpeakCall", leg, command_id="x", payload="x").status == 200


def test_a_repeated_dial_answers_as_the_first_and_makes_no_second_leg() -> None:
    world = World()
    first = world.dial(command_id="x")
    assert world.dial(command_id="x") == first
    assert (len(world.posts), len(world.calls.switch.legs)) == (1, 1)
    world.clock.advance(60)
    assert world.dial(command_id="x")["call_control_id"] != first["call_control_id"]


def test_command_ids_are_forgotten_above_a_bound() -> None:
    world = World()
    leg = world.talking()
    for number in range(3000):
        world.command("SendDTMF", leg, command_id=str(number), digits="1")
    [kept] = list(world.calls.switch.legs)
    assert kept.command_ids is not None
    assert len(kept.command_ids._seen) == 1000
    world.clock.advance(60)
    world.command("SendDTMF", leg, command_id="later", digits="1")
    assert list(kept.command_ids._seen) == ["later"]


def test_webhooks_go_to_the_application_unless_a_command_names_another_url_for_the_rest_of_the_call() -> None:
    world = World()
    a = world.talking()
    world.command("TransferCall", a, to=ANSWERS, webhook_url=HOOK + "/mine", webhook_url_method="GET")
    world.clock.advance(3)
    world.command("HangupCall", a)
    assert {(p.url, p.method, p.failover_url, p.timeout) for p in world.posts} == {
        (HOOK + "/mine", "GET", HOOK + "/failover", 5)
    }
    world.posts.clear()
    world.dial()
    assert [(p.url, p.method) for p in world.posts] == [(HOOK, "POST")]


def test_without_a_webhook_url_calls_go_on_unheard() -> None:
    world = World()
    leg = world.dial(connection_id="silent")["call_control_id"]
    world.clock.advance(3)
    assert world.command("TransferCall", leg, to=ANSWERS).status == 200
    assert world.posts == []


def test_a_dial_on_an_unknown_connection_is_refused() -> None:
    world = World()
    with pytest.raises(Refusal) as caught:
        world.dial(connection_id="2")
    assert (caught.value.status, caught.value.code, caught.value.pointer) == (422, "10015", "/connection_id")


@pytest.mark.parametrize(("to", "pointer"), [("12025550100", "/to"), ("sip:", "/to"), ([ANSWERS, "x"], "/to/1")])
def test_an_unreachable_destination_is_refused(to: Any, pointer: str) -> None:
    world = World()
    with pytest.raises(Refusal) as caught:
        world.dial(to)
    assert (caught.value.status, caught.value.code, caught.value.pointer) == (422, "10016", pointer)
    assert len(world.calls.switch.legs) == 0


def test_commands_are_refused_by_the_state_of_the_leg() -> None:
    world = World()
    ringing = world.dial(RINGS_OUT)["call_control_id"]
    assert refused(world, "TransferCall", ringing, to=ANSWERS) == (422, "90034", True)
    assert refused(world, "AnswerCall", ringing) == (422, "90102", True)
    talking = world.talking()
    assert refused(world, "AnswerCall", talking) == (422, "90102", True)
    assert refused(world, "LeaveQueue", talking) == (422, "90035", True)
    world.command("HangupCall", talking)
    assert refused(world, "TransferCall", talking, to=ANSWERS) == (422, "90018", True)
    assert refused(world, "HangupCall", "v3:nobody") == (422, "90015", True)


def test_the_status_tells_the_same_story_as_the_events() -> None:
    world = World()
    leg = world.dial()["call_control_id"]
    world.clock.advance(12)
    status = world.status(leg)
    assert (status["is_alive"], status["call_duration"], "end_time" in status) == (True, 12, False)
    world.command("HangupCall", leg)
    world.clock.advance(100)
    status, hangup = world.status(leg), world.only("call.hangup")
    assert (status["is_alive"], status["call_duration"]) == (False, 12)
    assert (status["start_time"], status["end_time"]) == (hangup["start_time"], hangup["end_time"])


def test_an_ended_leg_is_readable_for_ten_minutes() -> None:
    world = World()
    leg = world.talking()
    world.command("HangupCall", leg)
    world.clock.advance(599.999999)
    assert world.status(leg)["is_alive"] is False
    world.clock.advance(0.000001)
    with pytest.raises(Refusal) as caught:
        world.status(leg)
    assert (caught.value.status, caught.value.code) == (404, "10005")
    assert refused(world, "HangupCall", leg) == (422, "90015", True)


def test_the_number_of_legs_is_bounded_and_the_oldest_ended_goes_first() -> None:
    world = World(limit=10)
    stays, first, second = world.talking(), world.talking(), world.talking()
    for leg in (first, second):
        world.command("HangupCall", leg)
    for _ in range(8):
        world.dial(RINGS_OUT)
    assert len(world.calls.switch.legs) == 10
    with pytest.raises(Refusal, match="10005"):
        world.status(first)
    assert (world.status(second)["is_alive"], world.status(stays)["is_alive"]) == (False, True)
    world.dial(RINGS_OUT)
    with pytest.raises(Refusal) as caught:
        world.dial()
    assert (caught.value.status, caught.value.code) == (403, "90041")


def test_many_transfers_of_one_leg_leave_no_growing_trace() -> None:
    modes: tuple[ClockMode, ...] = ("manual", "auto")
    for mode in modes:
        world = World(limit=100, clock=mode)
        leg = world.talking()
        world.clock.settle()
        for _ in range(2000):
            world.command("TransferCall", leg, to=ANSWERS)
            world.clock.settle()
            world.posts.clear()
        assert len(world.calls.switch.legs) <= 100
        assert world.clock.pending < 10
        assert len(world.clock._heap) < 2000


def test_in_auto_mode_a_transfer_is_through_as_soon_as_the_account_is_idle() -> None:
    world = World(clock="auto")
    a = world.dial()["call_control_id"]
    world.clock.settle()
    world.command("TransferCall", a, to=RINGS_OUT, timeout_secs=600)
    world.clock.settle()
    assert world.story()[-1] == "call.hangup 602"
    assert world.status(a)["is_alive"] is True


def test_equal_seeds_tell_equal_stories() -> None:
    def told() -> list[dict[str, Any]]:
        world = World()
        a = world.dial()["call_control_id"]
        world.clock.advance(2)
        world.command("TransferCall", a, to=ANSWERS)
        world.clock.advance(20)
        return [post.data for post in world.posts]

    assert told() == told()


def test_active_calls_are_paged_by_cursor() -> None:
    world = World()
    legs = [world.dial()["call_control_id"] for _ in range(5)]
    world.command("HangupCall", legs[1])
    alive = [leg for leg in legs if leg != legs[1]]

    def page(**query: Any) -> tuple[list[str], dict[str, Any]]:
        named = {f"page[{name}]": value for name, value in query.items()}
        document = world.ask("ListConnectionActiveCalls", {"connection_id": "1"}, named).document
        return [call["call_control_id"] for call in document["data"]], document["meta"]

    everything, meta = page(after="null")
    assert (everything, meta) == (alive, {"total_items": 4, "cursors": {}})
    first, meta = page(limit=3)
    assert (first, "previous" in meta) == (alive[:3], False)
    rest, end = page(limit=3, after=meta["cursors"]["after"])
    assert (rest, "next" in end) == (alive[3:], False)
    back, _ = page(limit=2, before=end["cursors"]["before"])
    assert back == alive[1:3]
    assert page(after="no cursor")[0] == []
    assert page(before="no cursor", limit=2)[0] == alive[2:]
    with pytest.raises(Refusal, match="10005"):
        world.ask("ListConnectionActiveCalls", {"connection_id": "2"})


def test_in_stub_mode_every_call_exists_and_nobody_is_told() -> None:
    world = World(mode="stub")
    assert world.command("TransferCall", "v3:any", to="anything").document == {"data": {"result": "ok"}}
    assert world.command("SpeakCall", "v3:any").document == {"data": {"result": "ok"}}
    assert world.status("v3:any")["call_control_id"] == "v3:any"
    assert world.dial(client_state="QQ==", connection_id="any")["client_state"] == "QQ=="
    listed = world.ask("ListConnectionActiveCalls", {"connection_id": "any"}).document
    assert (listed["data"], world.posts, world.clock.pending) == ([], [], 0)


@pytest.mark.parametrize("mode", ["stateful", "stub"])
def test_every_answer_has_the_form_that_the_contract_declares(mode: Mode) -> None:
    def judged(operation: str, answer: Answer) -> Any:
        declared = EDITION.resolve(EDITION.operation(operation).success.content["application/json"])
        validator = jsonschema_rs.validator_for({**declared, "components": EDITION.document["components"]})
        assert [error.message for error in validator.iter_errors(answer.document)] == []
        return answer.document["data"]

    world = World(mode=mode)
    body = {"to": ANSWERS, "from": FROM, "connection_id": "1", "client_state": "QQ==", "record": "record-from-answer"}
    leg = judged("DialCall", world.ask("DialCall", {}, body=body))["call_control_id"]
    world.clock.advance(2)
    judged("TransferCall", world.command("TransferCall", leg, to=ANSWERS))
    judged("ListConnectionActiveCalls", world.ask("ListConnectionActiveCalls", {"connection_id": "1"}))
    judged("HangupCall", world.command("HangupCall", leg))
    assert judged("RetrieveCallStatus", world.ask("RetrieveCallStatus", {"call_control_id": leg})) != {}


@pytest.mark.parametrize(
    ("asked", "version"), [({}, "1"), ({"webhook_api_version": "1"}, "1"), ({"webhook_api_version": "2"}, "2")]
)
def test_an_application_gets_webhooks_of_the_version_that_it_asks_for(asked: dict[str, str], version: str) -> None:
    world = World()
    world.applications["1"] = APPLICATION | asked
    world.dial()
    assert [post.version for post in world.posts] == [version]


@pytest.mark.parametrize(("asked", "seconds"), [(None, 2.0), (0, 2.0), (1, 1), (30, 30)])
def test_an_answer_is_waited_for_as_long_as_the_application_says(asked: int | None, seconds: float) -> None:
    world = World()
    world.applications["1"] = APPLICATION | {"webhook_timeout_secs": asked}
    world.dial()
    assert [post.timeout for post in world.posts] == [seconds]


def inbound(world: World, **application: Any) -> str:
    world.applications["1"] = APPLICATION | application
    leg: str = world.calls.inbound("1", FROM, ANSWERS)["data"]["call_control_id"]
    return leg


@pytest.mark.parametrize(("asked", "seconds"), [({"first_command_timeout_secs": 7}, 7), ({}, 30)])
def test_a_call_that_nobody_commands_is_hung_up(asked: dict[str, int], seconds: int) -> None:
    world = World()
    inbound(world, first_command_timeout=True, **asked)
    world.clock.advance(seconds - 0.000001)
    assert world.story() == ["call.initiated 0"]
    world.clock.advance(1)
    assert world.story() == ["call.initiated 0", f"call.hangup {seconds}"]


@pytest.mark.parametrize("command", ["AnswerCall", "UpdateClientState", "TransferCall"])
def test_a_call_that_is_commanded_in_time_goes_on(command: str) -> None:
    world = World()
    leg = inbound(world, first_command_timeout=True)
    world.clock.advance(29)
    world.command(command, leg, client_state="b25l", to=ANSWERS)
    world.clock.advance(60)
    assert "call.hangup" not in {post.data["event_type"] for post in world.posts}


def test_without_that_setting_a_call_waits_for_its_command_and_a_clock_does_not_jump_to_the_end() -> None:
    waiting, jumping = World(), World(clock="auto")
    inbound(waiting)
    waiting.clock.advance(600)
    inbound(jumping, first_command_timeout=True)
    jumping.clock.settle()
    assert (waiting.story(), jumping.story()) == (["call.initiated 0"], ["call.initiated 0"])
