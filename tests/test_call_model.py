"""Random programs of commands and time: whatever an application does, the calls of an account stay consistent."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, cast

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from telnyx_conformance.contract.document import load_edition
from telnyx_conformance.emulator.account import Account, Ask, Refusal
from telnyx_conformance.emulator.clock import Clock
from telnyx_conformance.emulator.ids import Ids
from telnyx_conformance.emulator.products.calls import Calls
from telnyx_conformance.emulator.products.calls.audio import audio_table
from telnyx_conformance.emulator.products.calls.destinations import destinations
from telnyx_conformance.emulator.products.calls.machine import TABLE, TALKING
from telnyx_conformance.emulator.products.calls.sounds import sounds

if TYPE_CHECKING:
    from collections.abc import Mapping

EDITION = load_edition()
NUMBERS = st.sampled_from([destination.number for destination in destinations().by_name.values()])
LEGS_LIMIT = 12
COMMANDS = sorted(o.id for o in EDITION.operations if o.group == "Call Commands" and o.id != "DialCall")
VAIN = [[host] for host in audio_table().hosts]
AUDIO = st.fixed_dictionaries(
    {"audio_url": st.sampled_from([f"https://{host}/a.mp3" for host in ("media.example.test", *audio_table().hosts)])}
)
STOP = st.fixed_dictionaries({}, optional={"stop": st.sampled_from(["current", "all"])})
TEXT = st.fixed_dictionaries({"payload": st.text(min_size=1, max_size=100)})
WAITS = st.fixed_dictionaries(
    {},
    optional={
        "maximum_digits": st.integers(1, 3),
        "maximum_tries": st.integers(1, 3),
        "timeout_millis": st.sampled_from([1_000, 10_000]),
        "terminating_digit": st.sampled_from("#1"),
    },
)
OVERLAY = st.fixed_dictionaries({}, optional={"overlay": st.booleans()})
LOOP = st.fixed_dictionaries({}, optional={"loop": st.sampled_from([1, 2, "3", "infinity"])})
RECORDING = st.fixed_dictionaries(
    {"format": st.sampled_from(["mp3", "wav"]), "channels": st.just("dual"), "transcription": st.booleans()},
    optional={"max_length": st.just(3), "timeout_secs": st.just(4)},
)
BODIES: dict[str, list[st.SearchStrategy[dict[str, Any]]]] = {
    "StartCallPlayback": [AUDIO, STOP, OVERLAY, LOOP],
    "StopCallPlayback": [STOP, OVERLAY],
    "SpeakCall": [TEXT, STOP],
    "GatherCall": [WAITS],
    "GatherUsingAudio": [AUDIO, WAITS],
    "GatherUsingSpeak": [TEXT, WAITS],
    "ReferCall": [st.fixed_dictionaries({"sip_address": NUMBERS.map("sip:{}@example.test".format)})],
    "SendSIPInfo": [st.just({"content_type": "text/plain", "body": "b"})],
    "StartCallRecord": [RECORDING],
    "StartCallFork": [st.just({"target": "udp:127.0.0.1:9"})],
    "StartCallStreaming": [st.just({"stream_url": "ws://127.0.0.1:9/"})],
    "callGatherUsingAI": [st.just({"parameters": {"properties": {"age": {"type": "integer"}, "name": {}}}})],
}
# What a command that its state takes may still be refused with, besides too many legs: see the checks of the features.
REFUSALS = {
    "StartCallPlayback": {"10015", "90040"}, "GatherUsingAudio": {"90040"}, "StopCallFork": {"90031"},
    "StartCallFork": {"90045"}, "StartCallStreaming": {"90045"}, "StopCallStreaming": {"90048"}, "StartCallRecord": {"90053"},
    "StartCallTranscription": {"90054"}, "StopCallTranscription": {"90055"}, "CallStartAIAssistant": {"90061"},
    "callGatherUsingAI": {"90061"},
}  # fmt: skip
STARTED_AND_ENDED = ["call.playback", "call.speak"]
ORDER = ["call.initiated", "call.answered", "call.bridged", "call.hangup"]


class Program(RuleBasedStateMachine):
    """An application that dials, commands and waits; the outbox is this machine."""

    def __init__(self) -> None:
        super().__init__()
        self.events: list[dict[str, Any]] = []
        self.known: list[str] = []
        self.clock = Clock(start=1_750_000_000, mode="manual")
        account = Account(
            key="KEYTEST",
            mode="stateful",
            clock=self.clock,
            ids=Ids(1),
            outbox=cast("Any", self),
            store=cast("Any", None),
        )
        application = {"webhook_event_url": "http://127.0.0.1:9/"}
        self.calls = Calls(account, edition=EDITION, find_application=lambda _: application, legs_limit=LEGS_LIMIT)

    def post(self, _url: str, document: Mapping[str, Any], **_: Any) -> None:
        self.events.append(document["data"])
        self.known.append(document["data"]["payload"]["call_control_id"])

    def _ask(self, operation: str, leg: str, body: dict[str, Any]) -> None:
        ask = Ask(
            operation=EDITION.operation(operation), path={"call_control_id": leg}, query={}, headers={}, body=body
        )
        state = next((kept.state for kept in self.calls.switch.legs if kept.call_control_id == leg), None)
        told = len(self.events)
        try:
            self.calls.handlers[operation](ask)
        except Refusal as refusal:
            assert len(self.events) == told
            is_legal = (state or "new", operation) in TABLE
            assert not is_legal or refusal.code in {"90041", *REFUSALS.get(operation, ())}  # noqa: PT017 - refusals are half of the story

    @rule(to=st.lists(NUMBERS, min_size=1, max_size=3), timeout=st.integers(5, 40), limit=st.integers(30, 60))
    def dial(self, to: list[str], timeout: int, limit: int) -> None:
        body = {"to": to, "from": "+12025550199", "connection_id": "1", "timeout_secs": timeout}
        self._ask("DialCall", "", body | {"time_limit_secs": limit, "answering_machine_detection": "greeting_end"})

    @rule()
    def ring(self) -> None:
        try:
            self.calls.inbound("1", "+12025550199", "+12025550177")
        except Refusal as refusal:
            assert refusal.code == "90041"  # noqa: PT017 - only this refusal is expected, and only sometimes

    @rule(data=st.data(), to=NUMBERS, detection=st.sampled_from(["premium", "detect", "disabled"]))
    def transfer(self, data: st.DataObject, to: str, detection: str) -> None:
        if self.known:
            leg = data.draw(st.sampled_from(self.known))
            self._ask("TransferCall", leg, {"to": to, "answering_machine_detection": detection})

    @rule(data=st.data(), command=st.sampled_from(COMMANDS))
    def command(self, data: st.DataObject, command: str) -> None:
        if self.known:
            body = {"to": "+12025550100", "cause": "USER_BUSY"}
            for part in BODIES.get(command, []):
                body |= data.draw(part)
            self._ask(command, data.draw(st.sampled_from(self.known)), body)

    @rule(data=st.data(), text=st.sampled_from(["hello", "42"]))
    def far_speaks(self, data: st.DataObject, text: str) -> None:
        if self.known:
            leg = self.calls.switch.legs.get(data.draw(st.sampled_from(self.known)))
            if leg is not None and leg.state in TALKING:
                self.calls.far_says(leg.call_control_id, text)

    @rule(data=st.data(), digits=st.text("19#", min_size=1, max_size=3))
    def far_presses(self, data: st.DataObject, digits: str) -> None:
        if self.known:
            leg = self.calls.switch.legs.get(data.draw(st.sampled_from(self.known)))
            if leg is not None and leg.state in TALKING:
                self.calls.far_presses(leg.call_control_id, digits)

    @rule(data=st.data())
    def far_hangs_up(self, data: st.DataObject) -> None:
        if self.known:
            leg = self.calls.switch.legs.get(data.draw(st.sampled_from(self.known)))
            if leg is not None and leg.state not in ("dialling", "ended"):
                self.calls.far_hangs_up(leg.call_control_id)

    @rule(seconds=st.sampled_from([0.01, 0.02, 1, 2, 5, 30, 700]))
    def wait(self, seconds: float) -> None:
        self.clock.advance(seconds)

    @invariant()
    def peers_are_mutual_and_alive(self) -> None:
        for leg in self.calls.switch.legs:
            if leg.peer is not None:
                assert leg.peer.peer is leg
                assert leg.state == leg.peer.state == "bridged"
            if leg.target is not None:
                assert leg.target.origin is leg
                assert leg.target.state in ("dialling", "answered")
            if leg.state == "ended":
                assert leg.peer is leg.target is leg.origin is None
                assert (leg.timers, leg.rivals) == ([], [])
            if leg.state == "bridged":
                assert leg.peer is not None

    @invariant()
    def every_leg_tells_one_story_in_order(self) -> None:
        stories: dict[str, list[str]] = {}
        for event in self.events:
            if event["event_type"] in ORDER:
                stories.setdefault(event["payload"]["call_control_id"], []).append(event["event_type"])
        for story in stories.values():
            assert story == sorted(story, key=ORDER.index)
            assert [story.count(e) for e in ("call.initiated", "call.hangup")] in ([1, 0], [1, 1])

    @invariant()
    def at_most_one_sound_of_a_queue_is_heard_and_it_is_the_first(self) -> None:
        for leg in self.calls.switch.legs:
            for overlay in (False, True):
                states = [sound.state for sound in sounds(leg, overlay=overlay)]
                assert states[1:] == ["waiting"] * len(states[1:])
                assert states[:1] in ([], ["playing"], ["fetching"])
                assert not states or leg.state != "ended"

    @invariant()
    def whatever_was_started_ends_once_at_the_latest_with_its_call(self) -> None:
        told: dict[str, Counter[str]] = {}
        for event in self.events:
            told.setdefault(event["payload"]["call_control_id"], Counter())[event["event_type"]] += 1
        for leg in self.calls.switch.legs:
            seen = told.get(leg.call_control_id, Counter())
            for kind in STARTED_AND_ENDED:
                vain = sum(  # of which only the end is told
                    event["payload"].get("status") in ("file_not_found", "failed")
                    or event["payload"].get("media_url", "").split("/")[2:3] in VAIN
                    for event in self.events
                    if event["event_type"] == f"{kind}.ended"
                    and event["payload"]["call_control_id"] == leg.call_control_id
                )
                going_on = seen[f"{kind}.started"] - (seen[f"{kind}.ended"] - vain)
                assert 0 <= going_on <= (0 if leg.state == "ended" else 2)

    @invariant()
    def memory_is_bounded(self) -> None:
        assert len(self.calls.switch.legs) <= LEGS_LIMIT
        assert self.clock.pending <= LEGS_LIMIT * 20

    def teardown(self) -> None:
        self.clock.advance(20_000)
        assert not any(leg.activities for leg in self.calls.switch.legs if leg.state == "ended")
        talking = [leg for leg in self.calls.switch.legs if leg.state not in ("ended", "parked")]
        assert all(leg.direction == "incoming" for leg in talking)


TestProgram = Program.TestCase
TestProgram.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
