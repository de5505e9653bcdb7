"""Recordings, transcriptions, SIPREC sessions and assistants as an application sees them, on a manual clock."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from telnyx_conformance.contract.document import load_edition
from telnyx_conformance.emulator.core import Emulator
from telnyx_conformance.emulator.products.calls.recordings import storage_problem

EDITION = load_edition()
START = {"format": "mp3", "channels": "dual"}


class Studio:
    """One account with an answered call; its webhooks are kept as they are posted."""

    def __init__(self, **body: Any) -> None:
        self.emulator = Emulator(EDITION, clock="manual")
        self.world = self.emulator.world(b"Bearer KEYTEST")
        made = self.ask("POST", "/call_control_applications", {
            "application_name": "a", "webhook_event_url": "http://127.0.0.1:9/", "webhook_api_version": "2",
        })  # fmt: skip
        self.connection: str = made["data"]["id"]
        self.posts: list[dict[str, Any]] = []
        self.world.account.outbox.post = lambda _, document, **__: self.posts.append(document["data"])  # type: ignore[method-assign]
        dial = {"to": "+12025550100", "from": "+12025550199", "connection_id": self.connection, **body}
        self.dialled: dict[str, Any] = self.ask("POST", "/calls", dial)["data"]
        self.leg: str = self.dialled["call_control_id"]
        self.wait(2)
        self.posts.clear()

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        headers = [(b"authorization", b"Bearer KEYTEST"), (b"content-type", b"application/json")]
        content = msgspec.json.encode(body) if body is not None else b""
        return msgspec.json.decode(self.emulator.handle(method, "/v2" + path, headers, content).body)

    def command(self, action: str, **body: Any) -> str:
        document = self.ask("POST", f"/calls/{self.leg}/actions/{action}", body)
        return str(document["errors"][0]["code"]) if "errors" in document else "ok"

    def say(self, text: str) -> None:
        self.world.calls.far_says(self.leg, text)

    def wait(self, seconds: float) -> None:
        self.world.account.clock.advance(seconds)

    def told(self) -> list[str]:
        return [post["event_type"] for post in self.posts]

    def payload(self, event_type: str) -> dict[str, Any]:
        found: dict[str, Any]
        [found] = [post["payload"] for post in self.posts if post["event_type"] == event_type]
        return found

    def recording(self) -> dict[str, Any]:
        """Return the resource of the one recording that was saved."""
        id_ = self.payload("call.recording.saved")["recording_id"]
        record: dict[str, Any] = self.ask("GET", f"/recordings/{id_}")["data"]
        return record


def test_a_recording_is_saved_when_it_is_stopped_and_can_then_be_read() -> None:
    studio = Studio()
    assert studio.command("record_start", format="wav", channels="single") == "ok"
    studio.wait(7)
    assert studio.told() == []
    assert studio.command("record_stop", client_state="YQ==") == "ok"
    saved = studio.payload("call.recording.saved")
    assert saved["client_state"] == "YQ=="
    assert saved["channels"] == "single"
    record = studio.recording()
    assert record["duration_millis"] == 7000
    assert (record["status"], record["source"], record["channels"]) == ("completed", "call", "single")
    assert record["call_control_id"] == studio.leg
    assert saved["recording_urls"] == {"mp3": None, "wav": record["download_urls"]["wav"]}
    for name in ("recording_started_at", "recording_ended_at"):
        assert record[name] == saved[name]
    listed = studio.ask("GET", "/recordings?filter[call_leg_id]=" + studio.dialled["call_leg_id"])["data"]
    assert [item["id"] for item in listed] == [saved["recording_id"]]
    assert studio.command("record_stop") == "ok"
    assert studio.told() == ["call.recording.saved"]


def test_a_recording_from_the_answer_bears_the_id_of_the_dial_and_is_saved_after_the_hang_up() -> None:
    studio = Studio(record="record-from-answer", record_channels="single", record_format="wav")
    studio.wait(3)
    assert studio.command("hangup") == "ok"
    assert studio.told() == ["call.hangup", "call.recording.saved"]
    assert studio.recording()["id"] == studio.dialled["recording_id"]
    assert studio.recording()["duration_millis"] == 3000


def test_what_is_heard_in_a_pause_is_not_recorded() -> None:
    studio = Studio()
    studio.command("record_start", transcription=True, **START)
    studio.say("before")
    studio.wait(2)
    assert studio.command("record_pause") == "ok"
    assert studio.command("record_pause") == "ok"
    studio.say("between")
    studio.wait(20)
    assert studio.command("record_resume") == "ok"
    studio.say("after")
    studio.wait(3)
    studio.command("record_stop")
    assert studio.recording()["duration_millis"] == 5000
    running = studio.ask("GET", "/recording_transcriptions?page[size]=1")["data"][0]
    assert (running["status"], running["recording_id"]) == ("in-progress", studio.recording()["id"])
    studio.wait(1)
    text = studio.payload("call.recording.transcription.saved")
    assert (text["transcription_text"], text["status"]) == ("before after", "completed")
    read = studio.ask("GET", f"/recording_transcriptions/{text['recording_transcription_id']}")["data"]
    assert (read["id"], read["status"], read["transcription_text"]) == (running["id"], "completed", "before after")


def test_a_paused_recording_is_saved_at_the_hang_up_too() -> None:
    studio = Studio()
    studio.command("record_start", **START)
    studio.wait(4)
    studio.command("record_pause")
    studio.wait(4)
    studio.world.calls.far_hangs_up(studio.leg)
    assert studio.told() == ["call.hangup", "call.recording.saved"]
    assert studio.recording()["duration_millis"] == 4000


def test_a_recording_stops_at_its_longest_which_pauses_do_not_count_for() -> None:
    studio = Studio()
    studio.command("record_start", max_length=5, **START)
    studio.wait(3)
    studio.command("record_pause")
    studio.wait(100)
    studio.command("record_resume")
    studio.wait(1.9)
    assert studio.told() == []
    studio.wait(0.1)
    assert studio.told() == ["call.recording.saved"]
    assert studio.recording()["duration_millis"] == 5000


def test_silence_ends_a_recording_and_what_is_heard_keeps_it() -> None:
    studio = Studio()
    studio.command("record_start", timeout_secs=5, trim="trim-silence", **START)
    studio.wait(4)
    studio.say("still here")
    studio.wait(3)
    studio.world.calls.far_presses(studio.leg, "1")
    studio.wait(4.9)
    assert studio.told() == ["call.dtmf.received"]
    studio.wait(0.1)
    assert studio.told()[1:] == ["call.recording.saved"]
    assert studio.recording()["duration_millis"] == 3000


def test_one_of_two_recordings_is_stopped_by_its_id() -> None:
    studio = Studio(record="record-from-answer")
    studio.command("record_start", **START)
    studio.command("record_stop", recording_id=studio.dialled["recording_id"])
    assert studio.payload("call.recording.saved")["recording_id"] == studio.dialled["recording_id"]
    studio.command("record_stop")
    assert studio.told() == ["call.recording.saved"] * 2


def test_a_leg_has_a_bounded_number_of_recordings() -> None:
    studio = Studio()
    for _ in range(15):
        assert studio.command("record_start", **START) == "ok"
    assert studio.told() == ["call.recording.saved"] * 5


def test_recording_before_the_answer_is_refused() -> None:
    studio = Studio()
    studio.leg = studio.world.calls.inbound(studio.connection, "+12025550199", "+12025550177")["data"][
        "call_control_id"
    ]
    assert studio.command("record_start", **START) == "90020"


def test_storage_of_the_application_s_own_may_not_take_a_recording() -> None:
    studio = Studio()
    credentials = {"backend": "gcs", "configuration": {"bucket": "mine", "credentials": "not JSON"}}
    studio.ask("POST", f"/custom_storage_credentials/{studio.connection}", credentials)
    studio.command("record_start", **START)
    studio.command("record_stop")
    assert studio.told() == ["call.recording.error"]
    assert studio.payload("call.recording.error")["reason"] == "Invalid credentials json"


@pytest.mark.parametrize(
    ("credentials", "reason"),
    [
        (None, ""),
        ({"backend": "s3", "configuration": {"bucket": "mine"}}, ""),
        ({"backend": "s3", "configuration": {}}, "Failed to authorize with storage using custom credentials"),
        ({"backend": "ftp", "configuration": {"bucket": "mine"}}, "Unsupported backend"),
        ({"backend": "gcs", "configuration": {"bucket": "mine", "credentials": "{}"}}, ""),
    ],
)
def test_credentials_are_judged_by_their_form(credentials: dict[str, Any] | None, reason: str) -> None:
    assert storage_problem(credentials) == reason


def test_what_the_far_end_says_is_transcribed_until_that_is_stopped() -> None:
    studio = Studio()
    config = {"transcription_engine": "A", "interim_results": True}
    assert studio.command("transcription_start", transcription_engine_config=config) == "ok"
    assert studio.command("transcription_start") == "90054"
    studio.say("hello there")
    heard = [post["payload"]["transcription_data"] for post in studio.posts]
    assert heard == [
        {"confidence": 0.98, "is_final": False, "transcript": "hello"},
        {"confidence": 0.98, "is_final": True, "transcript": "hello there"},
    ]
    assert studio.command("transcription_stop") == "ok"
    studio.say("nobody listens")
    assert len(studio.posts) == 2


def test_transcription_and_recordings_that_wait_for_silence_are_in_each_other_s_way() -> None:
    studio = Studio()
    studio.command("transcription_start", transcription_engine="B")
    assert studio.command("record_start", timeout_secs=5, **START) == "90053"
    assert studio.command("record_start", **START) == "ok"
    assert studio.command("transcription_stop") == "ok"
    assert studio.command("record_start", timeout_secs=5, **START) == "ok"
    assert studio.command("transcription_start", transcription_engine="B") == "ok"
    assert studio.command("transcription_stop") == "90055"
    studio.say("yes")
    assert studio.payload("call.transcription")["transcription_data"]["transcription_track"] == "inbound"


def test_a_dial_may_ask_for_transcription_of_one_track() -> None:
    studio = Studio(transcription=True, transcription_config={"transcription_tracks": "outbound"})
    studio.say("the far end is inbound")
    assert studio.told() == []
    assert studio.command("transcription_start") == "90054"


def test_a_siprec_session_needs_a_connector_of_the_account() -> None:
    studio = Studio()
    assert studio.command("siprec_start", connector_name="recorder") == "ok"
    assert studio.payload("siprec.failed")["failure_cause"] == "connector_not_found"
    connector = {"name": "recorder", "host": "siprec.example.com", "port": 5060, "app_subdomain": "x"}
    studio.ask("POST", "/siprec_connectors", connector)
    assert studio.command("siprec_start", connector_name="recorder") == "ok"
    assert studio.command("siprec_stop") == "ok"
    assert studio.command("siprec_start", connector_name="recorder") == "ok"
    assert studio.command("hangup") == "ok"
    assert studio.told() == [
        "siprec.failed", "siprec.started", "siprec.stopped", "siprec.started", "siprec.stopped", "call.hangup",
    ]  # fmt: skip


def test_noise_is_suppressed_in_silence() -> None:
    studio = Studio()
    for action in (
        "suppression_start",
        "suppression_start",
        "suppression_stop",
        "suppression_stop",
        "suppression_start",
    ):
        assert studio.command(action) == "ok"
    studio.command("hangup")
    assert studio.told() == ["call.hangup"]


def test_an_assistant_talks_alone_and_insights_follow_its_conversation() -> None:
    studio = Studio()
    assert studio.command("ai_assistant_start", assistant={"id": "assistant-1"}, greeting="Hello") == "ok"
    assert studio.command("ai_assistant_start", assistant={"id": "assistant-2"}) == "90061"
    assert studio.command("gather_using_ai", parameters={"properties": {}}) == "90061"
    studio.say("hello")
    studio.wait(9)
    assert studio.command("ai_assistant_stop") == "ok"
    studio.wait(1)
    assert studio.told() == ["call.conversation.ended", "call.conversation_insights.generated"]
    ended = studio.payload("call.conversation.ended")
    assert (ended["assistant_id"], ended["duration_sec"]) == ("assistant-1", 9)
    assert (ended["tts_provider"], ended["tts_model_id"], ended["tts_voice_id"]) == ("telnyx", "KokoroTTS", "af")
    assert studio.ask("GET", f"/ai/conversations/{ended['conversation_id']}")["data"]["id"] == ended["conversation_id"]
    assert studio.payload("call.conversation_insights.generated")["results"]


def test_an_assistant_ends_before_its_leg_and_its_insights_come_after() -> None:
    studio = Studio()
    studio.command("ai_assistant_start", assistant={"id": "assistant-1"})
    studio.world.calls.far_hangs_up(studio.leg)
    studio.wait(1)
    assert studio.told() == ["call.conversation.ended", "call.hangup", "call.conversation_insights.generated"]


WANTED = {"type": "object", "properties": {"age": {"type": "integer"}, "name": {"type": "string"}}}


def test_what_the_far_end_says_fills_the_parameters_in_order() -> None:
    studio = Studio()
    assert studio.command("gather_using_ai", parameters=WANTED, send_partial_results=True, greeting="Your age?") == "ok"
    studio.say("I do not know")
    studio.say("42")
    assert studio.told() == ["call.ai_gather.partial_results"]
    assert studio.payload("call.ai_gather.partial_results")["partial_results"] == {"age": 42}
    studio.say("Ada")
    assert studio.told()[1:] == ["call.ai_gather.partial_results", "call.ai_gather.ended", "call.conversation.ended"]
    ended = studio.payload("call.ai_gather.ended")
    assert (ended["status"], ended["result"]) == ("valid", {"age": 42, "name": "Ada"})
    assert ended["message_history"] == [
        {"role": "assistant", "content": "Your age?"},
        {"role": "user", "content": "I do not know"},
        {"role": "assistant", "content": "What is the age?"},
        {"role": "user", "content": "42"},
        {"role": "assistant", "content": "What is the name?"},
        {"role": "user", "content": "Ada"},
    ]


def test_a_gathering_without_an_answer_ends_as_invalid_with_what_it_knows() -> None:
    studio = Studio()
    history = [{"role": "user", "content": "earlier"}]
    studio.command(
        "gather_using_ai", parameters=WANTED, user_response_timeout_ms=3000, send_message_history_updates=True,
        message_history=history,
    )  # fmt: skip
    studio.wait(2)
    studio.say("7")
    studio.wait(2.9)
    assert studio.told() == ["call.ai_gather.message_history_updated"] * 3
    assert studio.posts[0]["payload"]["message_history"][0] == history[0]
    studio.wait(0.1)
    assert studio.told()[3:] == ["call.ai_gather.ended", "call.conversation.ended"]
    ended = studio.payload("call.ai_gather.ended")
    assert (ended["status"], ended["result"]) == ("invalid", {"age": 7})


def test_a_gathering_ends_as_invalid_before_its_leg() -> None:
    studio = Studio()
    studio.command("gather_using_ai", parameters=WANTED)
    studio.command("hangup")
    assert studio.told() == ["call.ai_gather.ended", "call.conversation.ended", "call.hangup"]
    assert studio.payload("call.ai_gather.ended")["status"] == "invalid"
