"""What is heard and pressed on a call as an application sees it: over the API of the emulator, on a manual clock."""

from __future__ import annotations

import base64
import itertools
from typing import TYPE_CHECKING, Any

import jsonschema_rs
import msgspec
import pytest

from telnyx_conformance.contract.document import load_edition
from telnyx_conformance.emulator.core import Emulator
from telnyx_conformance.emulator.products.calls import audio
from telnyx_conformance.emulator.products.calls.audio import CHARACTERS_PER_SECOND, audio_of, audio_table
from telnyx_conformance.emulator.products.calls.gathering import FIRST_PRESS_SECONDS, NEXT_PRESS_SECONDS
from telnyx_conformance.emulator.products.calls.sounds import FETCH_SECONDS, MOST_QUEUED
from telnyx_conformance.errors import ContractError
from telnyx_conformance.run.destinations import magic_destinations

if TYPE_CHECKING:
    from pathlib import Path

EDITION = load_edition()
EMULATOR = Emulator(EDITION, clock="manual")
ACCOUNTS = itertools.count()
MACHINE = {"to": magic_destinations()["machine_no_beep"], "answering_machine_detection": "detect"}
TUNE, OTHER = "http://media.example.test/tune.wav", "http://media.example.test/other.wav"
VOICE = "AWS.Polly.Joanna"
FILE = audio_table().seconds
FIVE_SECONDS = "x" * 5 * CHARACTERS_PER_SECOND


class Phone:
    """A call, in an account of its own, that was answered at second 0, and what its application is told from then on."""

    def __init__(self, **dial: Any) -> None:
        self._credentials = f"Bearer KEYTEST_{next(ACCOUNTS)}".encode()
        self.world = EMULATOR.world(self._credentials)
        application = {"application_name": "a", "webhook_event_url": "http://127.0.0.1:9/", "webhook_api_version": "2"}
        self.connection = self.ask("POST", "/call_control_applications", application)[1]["data"]["id"]
        self.posts: list[dict[str, Any]] = []
        self.world.account.outbox.post = lambda _, document, **__: self.posts.append(document["data"])  # type: ignore[method-assign]
        self.leg = self.dial(**dial)
        self._since = self.world.account.clock.micros
        self.posts.clear()

    def dial(self, **dial: Any) -> str:
        body = {"to": magic_destinations()["answers"], "from": "+12025550199", "connection_id": self.connection, **dial}
        leg: str = self.ask("POST", "/calls", body)[1]["data"]["call_control_id"]
        self.wait(2)
        return leg

    def ask(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        headers = [(b"authorization", self._credentials), (b"content-type", b"application/json")]
        reply = EMULATOR.handle(method, "/v2" + path, headers, msgspec.json.encode(body) if body is not None else b"")
        return reply.status, msgspec.json.decode(reply.body)

    def command(self, action: str, **body: Any) -> tuple[int, str]:
        status, document = self.ask("POST", f"/calls/{self.leg}/actions/{action}", body)
        return status, document["errors"][0]["code"] if "errors" in document else "ok"

    def speak(self, text: str = FIVE_SECONDS, **body: Any) -> tuple[int, str]:
        return self.command("speak", payload=text, voice=VOICE, **body)

    def press(self, digits: str) -> None:
        self.world.calls.far_presses(self.leg, digits)

    def wait(self, seconds: float) -> None:
        self.world.account.clock.advance(seconds)

    def told(self, event_type: str) -> list[dict[str, Any]]:
        return [post["payload"] for post in self.posts if post["event_type"] == event_type]

    def story(self) -> list[str]:
        """Return what was told: the event without `call.`, how it ended, and when, in seconds from the answer."""
        return [
            " ".join([post["event_type"].removeprefix("call."), *filter(None, [post["payload"].get("status")])])
            + f" {self._seconds(post):g}"
            for post in self.posts
        ]

    def _seconds(self, post: dict[str, Any]) -> float:
        hour, minute, second = post["occurred_at"].split("T")[1].removesuffix("Z").split(":")
        return round(int(hour) * 3600 + int(minute) * 60 + float(second) - self._since / 1e6 % 86400, 6)


def test_playbacks_and_speeches_are_heard_one_after_the_other() -> None:
    phone = Phone()
    assert phone.command("playback_start", audio_url=TUNE, loop=2) == (200, "ok")
    assert phone.speak() == (200, "ok")
    assert phone.command("playback_start", audio_url=OTHER) == (200, "ok")
    assert phone.story() == ["playback.started 0"]
    phone.wait(100)
    assert phone.story() == [
        "playback.started 0",
        f"playback.ended completed {2 * FILE:g}",
        f"speak.started {2 * FILE:g}",
        f"speak.ended completed {2 * FILE + 5:g}",
        f"playback.started {2 * FILE + 5:g}",
        f"playback.ended completed {3 * FILE + 5:g}",
    ]
    assert [told["media_url"] for told in phone.told("call.playback.started")] == [TUNE, OTHER]
    assert {told["overlay"] for told in phone.told("call.playback.ended")} == {False}


@pytest.mark.parametrize(
    ("stop", "heard"),
    [
        ({}, []),
        ({"stop": "all"}, []),
        ({"stop": "current"}, [OTHER]),
        ({"overlay": True}, None),
    ],
)
def test_stopping_ends_what_is_heard_and_perhaps_what_waits(stop: dict[str, Any], heard: list[str] | None) -> None:
    phone = Phone()
    for url in (TUNE, OTHER):
        phone.command("playback_start", audio_url=url, loop="infinity")
    assert phone.command("playback_stop", **stop) == (200, "ok")
    phone.wait(1000)
    ended = [told["status"] for told in phone.told("call.playback.ended")]
    assert ended == ([] if heard is None else ["cancelled"])
    assert [told["media_url"] for told in phone.told("call.playback.started")] == [TUNE, *(heard or [])]


@pytest.mark.parametrize(("stop", "then"), [("current", [TUNE, OTHER]), ("all", [TUNE])])
def test_a_command_that_stops_what_came_before_is_heard_in_its_turn(stop: str, then: list[str]) -> None:
    phone = Phone()
    for url in (TUNE, OTHER):
        phone.command("playback_start", audio_url=url, loop=100)
    phone.speak(stop=stop)
    assert phone.told("call.playback.ended")[0]["status"] == "cancelled"
    assert [told["media_url"] for told in phone.told("call.playback.started")] == then
    phone.wait(100 * FILE)
    assert len(phone.told("call.speak.started")) == 1


def test_a_stopped_speech_says_that_it_is_over() -> None:
    phone = Phone()
    phone.speak()
    phone.command("playback_stop")
    assert phone.story() == ["speak.started 0", "speak.ended completed 0"]


def test_an_overlay_lies_over_a_playback_and_over_nothing_else() -> None:
    phone = Phone()
    overlay = {"audio_url": OTHER, "overlay": True}
    assert phone.command("playback_start", **overlay) == (422, "10015")
    phone.speak()
    assert phone.command("playback_start", **overlay) == (422, "10015")
    phone.command("playback_stop")
    phone.command("playback_start", audio_url=TUNE, loop="infinity")
    assert phone.command("playback_start", **overlay, loop="infinity") == (200, "ok")
    assert phone.command("playback_stop", overlay=True) == (200, "ok")
    [ended] = phone.told("call.playback.ended")
    assert (ended["media_url"], ended["overlay"], ended["status"]) == (OTHER, True, "cancelled")


def test_a_file_is_named_in_events_as_in_the_command() -> None:
    phone = Phone()
    content = base64.b64encode(b"audio").decode()
    phone.ask("POST", "/media", {"media_url": TUNE, "media_name": "jingle"})
    for body in ({"media_name": "jingle"}, {"playback_content": content}, {"media_name": "unheard-of"}):
        phone.command("playback_start", **body)
    phone.wait(60)
    assert [(t.get("media_url"), t.get("media_name")) for t in phone.told("call.playback.started")] == [
        (None, "jingle"),
        (None, None),
    ]
    statuses = [(told.get("media_name"), told["status"]) for told in phone.told("call.playback.ended")]
    assert statuses == [("jingle", "completed"), (None, "completed"), ("unheard-of", "file_not_found")]


@pytest.mark.parametrize(("host", "status"), [("missing", "file_not_found"), ("broken", "failed")])
def test_a_file_that_cannot_be_played_is_given_up_and_the_next_is_heard(host: str, status: str) -> None:
    phone = Phone()
    phone.command("playback_start", audio_url=f"https://{host}.invalid/a.mp3")
    phone.speak()
    phone.wait(FETCH_SECONDS)
    assert phone.story() == [f"playback.ended {status} {FETCH_SECONDS:g}", f"speak.started {FETCH_SECONDS:g}"]
    assert phone.told("call.playback.ended")[0]["status_detail"]


def test_a_url_that_only_looks_like_one_is_like_any_other() -> None:
    assert audio_of({"audio_url": "http://[tune"}, lambda _: False).fate == "playable"


@pytest.mark.parametrize("content", ["", "seconds: 3", "seconds: 3\nhosts: {a.invalid: lost}", "{"])
def test_a_wrong_table_of_audio_is_refused_with_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str
) -> None:
    (tmp_path / "fixtures").mkdir()
    (tmp_path / "fixtures" / "media.yaml").write_text(content)
    monkeypatch.setattr(audio, "content_root", lambda: tmp_path)
    load: Any = audio_table
    with pytest.raises(ContractError, match="audio") as caught:
        load.__wrapped__()
    assert caught.value.where == "fixtures/media.yaml"


@pytest.mark.parametrize("action", ["playback_start", "gather_using_audio"])
def test_a_file_that_does_not_come_in_time_is_refused(action: str) -> None:
    phone = Phone()
    assert phone.command(action, audio_url="https://slow.invalid/a.mp3") == (400, "90040")
    assert phone.posts == []


def test_no_more_than_a_bound_waits_on_a_call() -> None:
    phone = Phone()
    answers = [phone.speak("x") for _ in range(MOST_QUEUED + 1)]
    assert set(answers[:-1]) == {(200, "ok")}
    assert answers[-1] == (422, "10015")


@pytest.mark.parametrize("by", ["command", "far end"])
def test_a_hang_up_ends_everything_first_and_leaves_nothing_waiting(by: str) -> None:
    phone = Phone()
    phone.command("playback_start", audio_url=TUNE)
    phone.speak()
    phone.command("gather")
    if by == "command":
        phone.command("hangup")
    else:
        phone.world.calls.far_hangs_up(phone.leg)
    assert phone.story() == [
        "playback.started 0",
        "playback.ended call_hangup 0",
        "gather.ended call_hangup 0",
        "hangup 0",
    ]
    assert phone.world.account.clock.pending == 0


@pytest.mark.parametrize("who", ["machine_no_beep", "fax", "human"])
def test_a_machine_ends_what_goes_on_and_a_human_does_not(who: str) -> None:
    phone = Phone(to=magic_destinations()[who], answering_machine_detection="premium")
    phone.speak("x" * 100 * CHARACTERS_PER_SECOND)
    phone.speak()
    phone.command("gather", initial_timeout_millis=90_000, timeout_millis=100_000)
    phone.wait(60)
    [found] = phone.told("call.machine.premium.detection.ended")
    ended = {told["status"] for kind in ("speak", "gather") for told in phone.told(f"call.{kind}.ended")}
    assert (found["result"], ended) in [
        ("machine", {"cancelled_amd"}),
        ("fax_detected", {"cancelled_amd"}),
        ("human_residence", set()),
    ]
    assert (who == "human") == (ended == set())
    assert len(phone.told("call.speak.started")) == 1


def test_a_gather_without_keys_gives_up_after_its_first_timeout() -> None:
    phone = Phone()
    assert phone.command("gather", initial_timeout_millis=4_000, gather_id="menu") == (200, "ok")
    phone.wait(100)
    assert phone.story() == ["gather.ended timeout 4"]
    [ended] = phone.told("call.gather.ended")
    assert (ended["digits"], ended["gather_id"], ended["from"]) == ("", "menu", "+12025550199")


@pytest.mark.parametrize(
    ("asked", "pressed", "status", "digits", "seconds"),
    [
        ({}, "12#", "valid", "12", 0),
        ({}, "12", "valid", "12", 5),
        ({"maximum_digits": 2}, "123", "valid", "12", 0),
        ({"minimum_digits": 3}, "12#", "invalid", "12", 0),
        ({"minimum_digits": 3, "inter_digit_timeout_millis": 7_000}, "12", "invalid", "12", 7),
        ({"minimum_digits": 3, "timeout_millis": 3_000}, "12", "timeout", "12", 3),
        ({"timeout_millis": 3_000}, "12", "valid", "12", 3),
        ({"valid_digits": "123"}, "14#", "invalid", "14", 0),
        ({"terminating_digit": "*"}, "1#*", "valid", "1#", 0),
        ({}, "#", "invalid", "", 0),
    ],
)
def test_what_was_pressed_is_judged_once(
    asked: dict[str, Any], pressed: str, status: str, digits: str, seconds: int
) -> None:
    phone = Phone()
    phone.command("gather", **asked)
    phone.press(pressed)
    phone.wait(100)
    assert [told["digit"] for told in phone.told("call.dtmf.received")] == list(pressed)
    assert [told for told in phone.story() if "gather" in told] == [f"gather.ended {status} {seconds}"]
    assert phone.told("call.gather.ended")[0]["digits"] == digits


def test_a_key_interrupts_the_audio_of_a_gather() -> None:
    phone = Phone()
    phone.command("gather_using_audio", audio_url=TUNE)
    phone.wait(1)
    phone.press("5#")
    assert phone.story() == [
        "playback.started 0",
        "dtmf.received 1",
        "playback.ended cancelled 1",
        "dtmf.received 1",
        "gather.ended valid 1",
    ]
    assert phone.told("call.playback.ended")[0]["media_url"] == TUNE


def test_audio_is_played_again_while_there_are_tries_and_no_keys() -> None:
    phone = Phone()
    phone.command("gather_using_audio", audio_url=TUNE, invalid_audio_url=OTHER, maximum_tries=2, timeout_millis=4_000)
    phone.wait(100)
    assert phone.story() == [
        "playback.started 0",
        f"playback.ended completed {FILE:g}",
        f"playback.started {FILE + 4:g}",
        f"playback.ended completed {2 * FILE + 4:g}",
        f"gather.ended timeout {2 * FILE + 8:g}",
    ]


def test_after_wrong_keys_their_prompt_comes_before_the_other() -> None:
    phone = Phone()
    phone.command("gather_using_audio", audio_url=TUNE, invalid_audio_url=OTHER, maximum_tries=2, valid_digits="1")
    phone.press("2#")
    phone.wait(2 * FILE)
    assert [told["media_url"] for told in phone.told("call.playback.started")] == [TUNE, OTHER, TUNE]
    phone.press("2#")
    assert phone.told("call.gather.ended")[0]["status"] == "invalid"


def test_no_event_tells_of_the_speech_of_a_gather() -> None:
    phone = Phone()
    phone.command("gather_using_speak", payload=FIVE_SECONDS, voice=VOICE, maximum_tries=2, timeout_millis=1_000)
    phone.wait(100)
    assert phone.story() == ["gather.ended timeout 12"]


def test_the_prompt_of_a_gather_waits_its_turn() -> None:
    phone = Phone()
    phone.speak()
    phone.command("gather_using_speak", payload=FIVE_SECONDS, voice=VOICE, maximum_tries=1, timeout_millis=1_000)
    phone.wait(100)
    assert phone.story() == ["speak.started 0", "speak.ended completed 5", "gather.ended timeout 11"]


def test_stopping_what_is_heard_lets_a_gather_listen() -> None:
    phone = Phone()
    phone.command("gather_using_audio", audio_url=TUNE, maximum_tries=1, timeout_millis=1_000)
    phone.command("playback_stop")
    phone.wait(100)
    assert phone.story() == ["playback.started 0", "playback.ended cancelled 0", "gather.ended timeout 1"]


def test_stopping_a_gather_ends_its_prompt_too_and_without_one_does_nothing() -> None:
    phone = Phone()
    phone.command("gather_using_audio", audio_url=TUNE)
    assert phone.command("gather_stop", client_state="QQ==") == (200, "ok")
    assert phone.story() == ["playback.started 0", "playback.ended cancelled 0", "gather.ended cancelled 0"]
    assert phone.told("call.gather.ended")[0]["client_state"] == "QQ=="
    assert phone.command("gather_stop") == (200, "ok")
    assert len(phone.posts) == 3


def test_a_second_gather_takes_the_place_of_the_first() -> None:
    phone = Phone()
    phone.command("gather", gather_id="first")
    phone.command("gather", gather_id="second")
    phone.press("1#")
    ended = [(told["gather_id"], told["status"]) for told in phone.told("call.gather.ended")]
    assert ended == [("first", "cancelled"), ("second", "valid")]


@pytest.mark.parametrize(("who", "keys", "status"), [("presses_1234", "1234#", "valid"), ("presses_9", "9", "invalid")])
def test_some_far_ends_press_keys_once_they_were_asked(who: str, keys: str, status: str) -> None:
    phone = Phone(to=magic_destinations()[who])
    asked = {"valid_digits": "1234", "maximum_tries": 1, "inter_digit_timeout_millis": 1_000}
    phone.command("gather_using_speak", payload=FIVE_SECONDS, voice=VOICE, **asked)
    phone.wait(100)
    assert [told["digit"] for told in phone.told("call.dtmf.received")] == list(keys)
    last = 5 + FIRST_PRESS_SECONDS + NEXT_PRESS_SECONDS * (len(keys) - 1)
    assert phone.story()[-1] == f"gather.ended {status} {last + (0 if keys.endswith('#') else 1):g}"


def test_what_a_far_end_presses_can_be_chosen() -> None:
    phone = Phone()
    phone.world.calls.switch.destinations.put("answers", {"outcome": "answers", "presses": "42#"})
    phone.command("gather")
    phone.wait(10)
    assert phone.told("call.gather.ended")[0]["digits"] == "42"


def test_a_caller_presses_keys_too() -> None:
    phone = Phone()
    call = phone.world.calls.inbound(phone.connection, magic_destinations()["presses_9"], "+12025550199")["data"]
    phone.leg = call["call_control_id"]
    phone.command("answer")
    phone.command("gather", maximum_digits=1)
    phone.wait(FIRST_PRESS_SECONDS)
    assert phone.told("call.gather.ended")[0]["digits"] == "9"


@pytest.mark.parametrize(
    ("who", "seconds", "event", "code"),
    [
        ("sip:answers@example.test", 2, "refer.completed", 200),
        ("sip:rejects@example.test", 2, "refer.failed", 603),
        ("sip:+12025550102@example.test", 1, "refer.failed", 486),
        ("sip:+12025550104@example.test", 1, "refer.failed", 404),
        ("sip:+12025550101@example.test", 30, "refer.failed", 480),
    ],
)
def test_a_referred_far_end_reaches_the_other_or_says_why_not(who: str, seconds: int, event: str, code: int) -> None:
    phone = Phone()
    assert phone.command("refer", sip_address=who) == (200, "ok")
    phone.wait(100)
    left = ["hangup 2"] if event == "refer.completed" else []
    assert phone.story() == ["refer.started 0", f"{event} {seconds}", *left]
    assert phone.told("call.refer.started")[0]["sip_notify_response"] == 100
    assert phone.told(f"call.{event}")[0]["sip_notify_response"] == code


def test_a_call_that_ends_first_is_referred_to_nobody() -> None:
    phone = Phone()
    phone.command("refer", sip_address="sip:answers@example.test")
    phone.command("hangup")
    phone.wait(100)
    assert phone.story() == ["refer.started 0", "hangup 0"]


def test_sip_info_is_told_on_the_leg_at_the_other_end() -> None:
    phone = Phone()
    message = {"content_type": "application/json", "body": "{}"}
    assert phone.command("send_sip_info", **message) == (200, "ok")
    assert phone.posts == []
    other = phone.dial()
    phone.command("bridge", call_control_id=other)
    assert phone.command("send_sip_info", **message) == (200, "ok")
    [received] = phone.told("call.sip_info.received")
    assert (received["call_control_id"], received["content_type"], received["body"]) == (other, *message.values())


def test_tones_that_are_sent_are_told_to_nobody() -> None:
    phone = Phone()
    assert phone.command("send_dtmf", digits="1w2W#", duration_millis=100) == (200, "ok")
    phone.wait(100)
    assert phone.posts == []


def test_every_event_satisfies_the_schema_of_its_callback() -> None:
    schemas = {
        callback.name: jsonschema_rs.validator_for({**callback.schema, "components": EDITION.document["components"]})
        for operation in EDITION.operations
        for callback in operation.callbacks
    }
    phone = Phone(**MACHINE)
    phone.command("playback_start", audio_url="https://missing.invalid/a.mp3")
    phone.speak()
    phone.wait(10)
    phone.command("gather_using_audio", audio_url=TUNE)
    phone.press("1#")
    phone.command("refer", sip_address="sip:rejects@example.test")
    phone.wait(10)
    phone.command("refer", sip_address="sip:answers@example.test")
    phone.wait(10)
    names = {"call" + "".join(map(str.title, post["event_type"].split(".")[1:])) for post in phone.posts}
    assert {"callReferFailed", "callReferCompleted", "callGatherEnded", "callDtmfReceived", "callSpeakEnded"} <= names
    assert {"callPlaybackStarted", "callPlaybackEnded", "callSpeakStarted", "callReferStarted"} <= names
    for post in phone.posts:
        name = "call" + "".join(map(str.title, post["event_type"].split(".")[1:]))
        document = {"data": post, "meta": {"attempt": 1, "delivered_to": "http://127.0.0.1:9/"}}
        assert [str(error) for error in schemas[name].iter_errors(document)] == []
