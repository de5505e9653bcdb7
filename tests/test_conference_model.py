"""Random programs of conferences: whatever an application does, each leg is in one at most, and each tells one story."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from telnyx_conformance.contract.document import load_edition
from telnyx_conformance.contract.machines import machine
from telnyx_conformance.emulator.account import Account, Ask, Refusal
from telnyx_conformance.emulator.clock import Clock
from telnyx_conformance.emulator.ids import Ids
from telnyx_conformance.emulator.products.calls import Calls
from telnyx_conformance.emulator.products.calls.machine import TABLE, TALKING

if TYPE_CHECKING:
    from collections.abc import Mapping

EDITION = load_edition()
ANSWERS = "+12025550100"
MOST_LEGS = 8
REFUSALS = {"90015", "90018", "90032", "90033", "90034", "90044", "90102"}
JOINING = st.fixed_dictionaries(
    {},
    optional={
        "end_conference_on_exit": st.booleans(),
        "soft_end_conference_on_exit": st.booleans(),
        "start_conference_on_enter": st.booleans(),
        "hold": st.booleans(),
        "mute": st.booleans(),
        "supervisor_role": st.sampled_from(["barge", "monitor", "none", "whisper"]),
    },
)
CREATING = st.fixed_dictionaries(
    {"name": st.sampled_from("xyz")},
    optional={
        "start_conference_on_create": st.booleans(),
        "duration_minutes": st.just(1),
        "max_participants": st.sampled_from([2, 3]),
    },
)
DEEDS: dict[str, dict[str, Any]] = {
    "HoldConferenceParticipants": {}, "UnholdConferenceParticipants": {}, "MuteConferenceParticipants": {},
    "UnmuteConferenceParticipants": {}, "StopConferenceAudio": {}, "StartConferenceRecording": {"format": "wav"},
    "StopConferenceRecording": {}, "PauseConferenceRecording": {}, "ResumeConferenceRecording": {},
    "PlayConferenceAudio": {"loop": 2}, "SpeakTextToConference": {"payload": "hello", "voice": "male"},
}  # fmt: skip
CALL_COMMANDS = {
    "HangupCall": {}, "EnqueueCall": {"queue_name": "q"}, "LeaveQueue": {}, "TransferCall": {"to": ANSWERS},
}  # fmt: skip
STORIES = (
    ("conference.playback.started", "conference.playback.ended"),
    ("conference.speak.started", "conference.speak.ended"),
    ("conference.participant.joined", "conference.participant.left"),
    ("conference.created", "conference.ended"),
)
CONFERENCE = machine("conference")


class Program(RuleBasedStateMachine):
    """An application with a few legs and three names for conferences; the outbox is this machine."""

    def __init__(self) -> None:
        super().__init__()
        self.events: list[dict[str, Any]] = []
        self.legs: list[str] = []
        self.rooms: list[str] = []
        self.clock = Clock(start=1_750_000_000, mode="manual")
        account = Account(
            key="KEYTEST", mode="stateful", clock=self.clock, ids=Ids(1), outbox=cast("Any", self), store=cast("Any", None)
        )  # fmt: skip
        application = {"webhook_event_url": "http://127.0.0.1:9/"}
        self.calls = Calls(account, edition=EDITION, find_application=lambda _: application)

    def post(self, _url: str, document: Mapping[str, Any], **_: Any) -> None:
        self.events.append(document["data"])

    def _ask(self, operation: str, path: dict[str, str], body: dict[str, Any]) -> dict[str, Any]:
        """Return what is answered, nothing when it is refused, which must leave no trace."""
        ask = Ask(operation=EDITION.operation(operation), path=path, query={}, headers={}, body=body)
        told = len(self.events)
        try:
            answer: dict[str, Any] = self.calls.handlers[operation](ask).document
        except Refusal as refusal:
            assert len(self.events) == told
            return {"code": refusal.code}
        return answer

    def _leg(self, data: st.DataObject) -> str:
        if len(self.legs) < MOST_LEGS:
            body = {"to": ANSWERS, "from": "+12025550199", "connection_id": "1"}
            self.legs.append(self._ask("DialCall", {}, body)["data"]["call_control_id"])
            self.clock.advance(data.draw(st.sampled_from([0, 2, 2, 2])))
        return data.draw(st.sampled_from(self.legs))

    def _room(self, data: st.DataObject) -> str:
        return data.draw(st.sampled_from([*self.rooms, "x", "y", "z"]))

    def _member(self, room: str) -> str:
        shown = self._ask("ListConferenceParticipants", {"conference_id": room}, {}).get("data", [])
        return next((str(one["call_control_id"]) for one in reversed(shown) if one["status"] == "joined"), "nobody")

    @rule(data=st.data(), body=CREATING)
    def create(self, data: st.DataObject, body: dict[str, Any]) -> None:
        answer = self._ask("CreateConference", {}, {"call_control_id": self._leg(data), **body})
        assert answer.get("code", "90033") in {"90018", "90033", "90034"}
        if "data" in answer:
            self.rooms.append(answer["data"]["id"])

    @rule(data=st.data(), body=JOINING)
    def join(self, data: st.DataObject, body: dict[str, Any]) -> None:
        answer = self._ask("JoinConference", {"id": self._room(data)}, {"call_control_id": self._leg(data), **body})
        assert answer.get("code", "90019") in {"90018", "90019", "90032", "90034", "90044", "90058"}

    @rule(data=st.data(), command=st.sampled_from(["LeaveConference", "UpdateConference"]))
    def leave_or_update(self, data: st.DataObject, command: str) -> None:
        room = self._room(data)
        leg = data.draw(st.sampled_from([self._member(room), self._leg(data)]))
        body = {"call_control_id": leg, "supervisor_role": data.draw(st.sampled_from(["none", "monitor"]))}
        assert self._ask(command, {"id": room}, body).get("code", "90019") in {*REFUSALS, "90019", "90058"}

    @rule(data=st.data(), command=st.sampled_from(sorted(DEEDS)), some=st.booleans())
    def command(self, data: st.DataObject, command: str, some: bool) -> None:  # noqa: FBT001 - drawn
        room = self._room(data)
        body = {**DEEDS[command], **({"call_control_ids": [self._member(room)]} if some else {})}
        code = self._ask(command, {"id": room}, body).get("code", "")
        assert code in {"", "90019", "90058"} or (some and code == "90033")

    @rule(data=st.data(), command=st.sampled_from(sorted(CALL_COMMANDS)))
    def call_command(self, data: st.DataObject, command: str) -> None:
        self._ask(command, {"call_control_id": self._leg(data)}, dict(CALL_COMMANDS[command]))

    @rule(data=st.data(), other=st.data())
    def bridge(self, data: st.DataObject, other: st.DataObject) -> None:
        self._ask("BridgeCall", {"call_control_id": self._leg(data)}, {"call_control_id": self._leg(other)})

    @rule(data=st.data())
    def far_speaks(self, data: st.DataObject) -> None:
        leg = self.calls.switch.legs.get(self._leg(data))
        if leg is not None and leg.state in TALKING:
            self.calls.far_says(leg.call_control_id, "hello")

    @rule(seconds=st.sampled_from([0.02, 1, 5, 60]))
    def wait(self, seconds: float) -> None:
        self.clock.advance(seconds)

    @invariant()
    def a_leg_is_where_its_conference_says(self) -> None:
        states = {leg.call_control_id: leg.state for leg in self.calls.switch.legs}
        inside: list[str] = []
        for room in self.rooms:
            read = self._ask("RetrieveConference", {"id": room}, {})["data"]
            shown = self._ask("ListConferenceParticipants", {"conference_id": room}, {})["data"]
            there = [one["call_control_id"] for one in shown if one["status"] != "left"]
            assert bool(there) == (read["status"] != "completed")
            assert ("end_reason" in read) == (read["status"] == "completed")
            inside += there
        assert len(inside) == len(set(inside))
        assert {leg for leg, state in states.items() if state == "conference"} == set(inside)

    @invariant()
    def what_begins_ends_at_most_once_and_not_before(self) -> None:
        for begun, ended in STORIES:
            on: dict[tuple[str, str], int] = {}
            for event in self.events:
                payload = event["payload"]
                key = (payload.get("conference_id", ""), payload.get("call_control_id", ""))
                on[key] = on.get(key, 0) + (event["event_type"] == begun) - (event["event_type"] == ended)
                assert on[key] in (0, 1), (begun, key)

    @invariant()
    def nothing_is_told_of_a_conference_that_is_over(self) -> None:
        over: set[str] = set()
        for event in self.events:
            room = event["payload"].get("conference_id")
            assert room not in over
            if event["event_type"] == "conference.ended":
                over.add(room)

    @invariant()
    def memory_is_bounded(self) -> None:
        assert self.clock.pending <= MOST_LEGS * 8 + len(self.rooms) * 3

    def teardown(self) -> None:
        self.clock.advance(20_000)
        reads = [self._ask("RetrieveConference", {"id": room}, {})["data"] for room in self.rooms]
        assert all(read["status"] == "completed" for read in reads)
        assert sum(event["event_type"] == "conference.ended" for event in self.events) == len(self.rooms)


TestProgram = Program.TestCase
TestProgram.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)


def test_every_conference_command_is_a_row_of_an_open_conference_and_refused_after_the_end() -> None:
    made, *others = sorted(
        (o.id for o in EDITION.operations if o.group == "Conference Commands" and o.method == "POST"),
        key=lambda id_: id_ != "CreateConference",
    )
    assert (made, len(others)) == ("CreateConference", 14)
    assert CONFERENCE.commands == {made, *others}
    for command in others:
        assert {state for state, trigger in CONFERENCE.rows if trigger == command} == {"init", "in_progress"}
        assert CONFERENCE.refusal_code("completed", command) == "90019"
    assert {row.sets["end_reason"] for row in CONFERENCE.rows.values() if row.next == "ending"} == {
        "all_left", "host_left", "time_exceeded",
    }  # fmt: skip


def test_a_participant_leaves_for_every_state_of_a_leg_that_is_no_conference() -> None:
    left = {trigger for (state, trigger), row in machine("participant").rows.items() if row.next == "left"}
    gone = {row.next for (state, _), row in TABLE.items() if state == "conference"} - {"conference"}
    assert left == {f"leg_{state}" for state in gone} | {"moved"}
