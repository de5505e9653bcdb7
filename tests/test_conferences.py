"""Conferences as an application sees them: over the API of the emulator, on a manual clock."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import msgspec
import pytest

from telnyx_conformance.contract.document import load_edition
from telnyx_conformance.emulator.core import Emulator

EDITION = load_edition()
ANSWERS, RINGS_OUT = "+12025550100", "+12025550101"
OK = (200, "ok")
MINE, YOURS = "bWluZQ==", "eW91cnM="


class Office:
    """One account that dials and brings calls together."""

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
        content = msgspec.json.encode(body) if body is not None else b""
        reply = self.emulator.handle(method, "/v2" + path, headers, content)
        return reply.status, msgspec.json.decode(reply.body)

    def call(self, to: str = ANSWERS, **body: Any) -> str:
        asked = {"to": to, "from": "+12025550199", "connection_id": self.connection, **body}
        leg: str = self.ask("POST", "/calls", asked)[1]["data"]["call_control_id"]
        self.wait(3)
        return leg

    def create(self, leg: str, name: str = "room", **body: Any) -> str:
        status, document = self.ask("POST", "/conferences", {"call_control_id": leg, "name": name, **body})
        assert status == 200, document
        id_: str = document["data"]["id"]
        return id_

    def tried(self, path: str, **body: Any) -> tuple[int, str]:
        status, document = self.ask("POST", path, body)
        return status, document["errors"][0]["code"] if "errors" in document else "ok"

    def do(self, conference: str, action: str, **body: Any) -> tuple[int, str]:
        return self.tried(f"/conferences/{quote(conference)}/actions/{action}", **body)

    def hang_up(self, leg: str) -> None:
        assert self.tried(f"/calls/{leg}/actions/hangup") == OK

    def read(self, conference: str) -> dict[str, Any]:
        data: dict[str, Any] = self.ask("GET", f"/conferences/{conference}")[1]["data"]
        return data

    def people(self, conference: str, query: str = "") -> list[dict[str, Any]]:
        data: list[dict[str, Any]] = self.ask("GET", f"/conferences/{conference}/participants{query}")[1]["data"]
        return data

    def person(self, conference: str, leg: str) -> dict[str, Any]:
        return [one for one in self.people(conference) if one["call_control_id"] == leg][-1]

    def alive(self, leg: str) -> bool:
        return bool(self.ask("GET", f"/calls/{leg}")[1]["data"]["is_alive"])

    def state(self, leg: str) -> str:
        found = self.world.calls.switch.legs.get(leg)
        return found.state if found else ""

    def story(self, **legs: str) -> list[str]:
        """Return what was told since the last look, each with the name of its leg in `legs`."""
        names = {leg: name for name, leg in legs.items()}
        told = []
        for post in self.posts:
            who = names.get(post["payload"].get("call_control_id", ""), "")
            told.append(f"{post['event_type'].removeprefix('conference.')} {who}".strip())
        self.posts.clear()
        return told

    def told(self, event_type: str) -> list[dict[str, Any]]:
        return [post["payload"] for post in self.posts if post["event_type"] == event_type]

    def wait(self, seconds: float) -> None:
        self.world.account.clock.advance(seconds)


@pytest.fixture
def office() -> Office:
    return Office()


def test_a_conference_is_made_of_a_leg_and_ends_when_the_last_has_left(office: Office) -> None:
    a, b = office.call(client_state=YOURS), office.call()
    office.posts.clear()
    status, document = office.ask("POST", "/conferences", {"call_control_id": a, "name": "room", "client_state": MINE})
    room = document["data"]
    assert (status, room["record_type"], room["name"], room["status"]) == (200, "conference", "room", "in_progress")
    assert room["connection_id"] == office.connection
    assert office.read(room["id"]) == room
    assert office.do(room["id"], "join", call_control_id=b, client_state=YOURS) == OK
    # The floor comes first: so it was seen live, and nothing else is promised about the order.
    assert office.story(A=a, B=b) == [
        "floor.changed A", "created A", "participant.joined A", "participant.joined B",
    ]  # fmt: skip
    assert [(one["status"], one["muted"], one["on_hold"]) for one in office.people(room["id"])] == [
        ("joined", False, False)
    ] * 2
    office.hang_up(a)
    office.wait(1)
    office.hang_up(b)
    told = [post["payload"] for post in office.posts if post["event_type"].startswith("conference.")]
    assert {(payload["conference_id"], payload["client_state"]) for payload in told} == {(room["id"], MINE)}
    assert told[-1]["call_control_id"] == a
    assert told[-1]["reason"] == "all_left"
    assert office.story(A=a, B=b) == [
        "call.hangup A", "participant.left A", "call.hangup B", "participant.left B", "ended A",
    ]  # fmt: skip
    ended = office.read(room["id"])
    assert (ended["status"], ended["end_reason"], ended["ended_by"]["call_control_id"]) == ("completed", "all_left", b)
    assert [one["status"] for one in office.people(room["id"])] == ["left", "left"]


def test_the_time_of_an_event_stands_in_its_payload_where_the_schema_has_it(office: Office) -> None:
    a = office.call()
    room = office.create(a)
    office.do(room, "record_start", format="wav")
    office.do(room, "play", audio_url="http://example.com/a.wav")
    office.do(room, "leave", call_control_id=a)
    timed = {post["event_type"]: "occurred_at" in post["payload"] for post in office.posts}
    assert all("occurred_at" in post for post in office.posts)
    assert {word for word, is_timed in timed.items() if not is_timed and word.startswith("conference.")} == {
        "conference.participant.joined", "conference.participant.left", "conference.recording.saved",
    }  # fmt: skip


def test_the_state_of_the_owner_is_told_in_all_events_of_the_conference_and_of_nobody_else(office: Office) -> None:
    a, b = office.call(), office.call()
    room = office.create(a)
    office.do(room, "join", call_control_id=b, client_state=YOURS)
    assert office.told("conference.participant.joined")[-1]["client_state"] is None
    office.do(room, "leave", call_control_id=a)
    office.do(room, "join", call_control_id=a, client_state=MINE)
    office.do(room, "leave", call_control_id=b)
    assert office.told("conference.participant.left")[-1]["client_state"] == MINE
    office.hang_up(b)
    assert office.told("call.hangup")[-1]["client_state"] == YOURS


def test_every_event_of_a_conference_goes_where_its_owners_go(office: Office) -> None:
    urls: list[tuple[str, str]] = []
    office.world.account.outbox.post = lambda url, document, **__: urls.append((document["data"]["event_type"], url))  # type: ignore[method-assign]
    a, b = office.call(webhook_url="http://127.0.0.1:9/a"), office.call(webhook_url="http://127.0.0.1:9/b")
    room = office.create(a)
    office.do(room, "join", call_control_id=b)
    assert {url for word, url in urls if word.startswith("conference.")} == {"http://127.0.0.1:9/a"}


@pytest.mark.parametrize(
    ("minutes", "seconds"), [(None, 4 * 3600), (1, 60), (240, 4 * 3600), (10_000, 4 * 3600), (0, 0), (-5, 0)]
)
def test_a_conference_ends_when_its_time_is_up(office: Office, minutes: int | None, seconds: int) -> None:
    a, b, gone = office.call(time_limit_secs=14400), office.call(time_limit_secs=14400), office.call()
    room = office.create(gone, "room", **({} if minutes is None else {"duration_minutes": minutes}))
    office.do(room, "join", call_control_id=a)
    office.do(room, "join", call_control_id=b)
    office.do(room, "leave", call_control_id=gone)
    if seconds:
        office.wait(min(seconds, 14390) - 1)
        assert office.read(room)["status"] == "in_progress"
    office.wait(30)
    if seconds == 14400:  # the legs' own limit comes first: they were dialled before
        assert office.read(room)["end_reason"] == "all_left"
        return
    ended = office.read(room)
    assert (ended["status"], ended["end_reason"]) == ("completed", "time_exceeded")
    assert "ended_by" not in ended
    assert {payload["hangup_cause"] for payload in office.told("call.hangup")} == {"time_limit"}
    assert [office.alive(leg) for leg in (a, b)] == [False, False]
    assert office.alive(gone), "who has left survives the expiry, though the conference was made from it"


def test_inbound_legs_stay_for_four_hours_and_no_longer(office: Office) -> None:
    leg = office.world.calls.inbound(office.connection, "+12025550199", ANSWERS)["data"]["call_control_id"]
    office.tried(f"/calls/{leg}/actions/answer")
    room = office.create(leg)
    office.wait(4 * 3600 - 1)
    assert office.read(room)["status"] == "in_progress"
    office.wait(1)
    assert office.read(room)["end_reason"] == "time_exceeded"


def test_a_host_takes_everybody_along_and_the_creator_even_if_it_had_left(office: Office) -> None:
    creator, host, guest = office.call(), office.call(), office.call()
    room = office.create(creator)
    office.do(room, "join", call_control_id=host, end_conference_on_exit=True)
    office.do(room, "join", call_control_id=guest)
    office.do(room, "leave", call_control_id=creator)
    office.posts.clear()
    assert office.do(room, "leave", call_control_id=host) == OK
    assert {payload["hangup_cause"] for payload in office.told("call.hangup")} == {"time_limit"}
    assert office.told("conference.ended")[0]["reason"] == "host_left"
    assert office.story(C=creator, H=host, G=guest) == [
        "participant.left H", "call.hangup G", "participant.left G", "call.hangup C", "ended C",
    ]  # fmt: skip
    assert (office.state(host), office.state(guest), office.state(creator)) == ("answered", "ended", "ended")
    ended = office.read(room)
    assert (ended["end_reason"], ended["ended_by"]["call_control_id"]) == ("host_left", host)


def test_a_soft_end_leaves_the_others_parked(office: Office) -> None:
    creator, host, guest = office.call(), office.call(), office.call()
    room = office.create(creator)
    office.do(room, "join", call_control_id=host, soft_end_conference_on_exit=True)
    office.do(room, "join", call_control_id=guest)
    office.posts.clear()
    office.hang_up(host)
    assert office.story(C=creator, H=host, G=guest) == [
        "call.hangup H", "participant.left H", "participant.left C", "participant.left G", "ended C",
    ]  # fmt: skip
    assert (office.state(guest), office.state(creator)) == ("answered", "answered")
    assert office.read(room)["end_reason"] == "host_left"


def test_a_leg_is_in_one_conference_at_a_time(office: Office) -> None:
    a, b = office.call(), office.call()
    first = office.create(a, "first")
    office.do(first, "join", call_control_id=b)
    second = office.create(b, "second")
    assert office.person(first, b)["status"] == "left"
    office.posts.clear()
    assert office.do(second, "join", call_control_id=a) == OK
    assert office.story(A=a, B=b) == ["participant.left A", "ended A", "participant.joined A"]
    assert office.read(first)["end_reason"] == "all_left"


def test_a_host_that_moves_on_ends_what_it_leaves_and_lives(office: Office) -> None:
    a, b = office.call(), office.call()
    first = office.create(a, "first")
    office.do(first, "leave", call_control_id=a)
    first = office.create(a, "again")
    office.do(first, "join", call_control_id=b, end_conference_on_exit=True)
    second = office.create(b, "second")
    assert (office.state(a), office.state(b), office.person(second, b)["status"]) == ("ended", "conference", "joined")


@pytest.mark.parametrize(
    ("deed", "state"),
    [
        (lambda o, leg, _: o.tried(f"/calls/{leg}/actions/enqueue", queue_name="q"), "queued"),
        (lambda o, leg, other: o.tried(f"/calls/{leg}/actions/bridge", call_control_id=other), "bridged"),
    ],
)
def test_other_company_takes_a_leg_out_of_its_conference(office: Office, deed: Any, state: str) -> None:
    a, b, other = office.call(), office.call(), office.call()
    room = office.create(a)
    office.do(room, "join", call_control_id=b)
    assert deed(office, b, other) == OK
    assert (office.state(b), office.person(room, b)["status"]) == (state, "left")
    assert len(office.told("conference.participant.left")) == 1


def test_a_leg_leaves_its_queue_or_its_peer_for_a_conference(office: Office) -> None:
    a, b, c = office.call(), office.call(), office.call()
    office.tried(f"/calls/{a}/actions/enqueue", queue_name="q")
    office.tried(f"/calls/{b}/actions/bridge", call_control_id=c)
    room = office.create(a)
    assert office.told("call.dequeued")[0]["reason"] == "leave"
    assert office.do(room, "join", call_control_id=b) == OK
    assert (office.state(b), office.alive(c)) == ("conference", False)


def test_what_cannot_be_created_or_joined_is_refused_with_its_reason(office: Office) -> None:
    a, b, c, over = office.call(), office.call(), office.call(), office.call()
    ringing = office.ask(
        "POST", "/calls", {"to": RINGS_OUT, "from": "+12025550199", "connection_id": office.connection}
    )
    unanswered = ringing[1]["data"]["call_control_id"]
    office.hang_up(over)
    room = office.create(a, max_participants=2)
    told = len(office.posts)
    for leg, code in (("nobody", "90015"), (over, "90018"), (unanswered, "90034")):
        assert office.tried("/conferences", call_control_id=leg, name="other") == (422, code)
        assert office.do(room, "join", call_control_id=leg) == (422, code)
        assert office.do(room, "leave", call_control_id=leg) == (422, code)
        assert office.do(room, "update", call_control_id=leg, supervisor_role="none") == (422, code)
    assert office.tried("/conferences", call_control_id=b, name="room") == (422, "90033")
    assert office.do(room, "join", call_control_id=a) == (422, "90044")
    assert office.do("nowhere", "join", call_control_id=b) == (404, "90058")
    assert office.do(room, "leave", call_control_id=b) == (422, "90033")
    assert office.do(room, "update", call_control_id=b, supervisor_role="none") == (422, "90033")
    assert len(office.posts) == told, "a refusal leaves no trace"
    office.do(room, "join", call_control_id=b)
    assert office.do(room, "join", call_control_id=c) == (422, "90032")
    assert office.do(room, "join", call_control_id=b) == (422, "90044")
    assert office.ask("GET", "/conferences/nowhere")[0] == 404
    assert office.ask("GET", "/conferences/nowhere/participants")[0] == 404
    office.do(room, "leave", call_control_id=b)
    assert office.do(room, "join", call_control_id=c) == OK, "there is room again"


def test_an_ended_conference_takes_no_commands_and_its_name_is_free(office: Office) -> None:
    a, b = office.call(), office.call()
    room = office.create(a)
    office.do(room, "leave", call_control_id=a)
    bodies: dict[str, dict[str, Any]] = {
        "join": {"call_control_id": b}, "leave": {"call_control_id": a}, "hold": {}, "mute": {}, "unmute": {},
        "unhold": {"call_control_ids": [a]}, "play": {}, "stop": {}, "speak": {"payload": "hi", "voice": "female"},
        "record_start": {"format": "mp3"}, "record_stop": {}, "record_pause": {}, "record_resume": {},
        "update": {"call_control_id": a, "supervisor_role": "none"},
    }  # fmt: skip
    for place in (room, "room"):
        assert {action: office.do(place, action, **body) for action, body in bodies.items()} == dict.fromkeys(
            bodies, (422, "90019")
        )
    again = office.create(b)
    assert office.do("room", "mute") == OK
    assert [office.person(again, b)["muted"], office.person(room, a)["muted"]] == [True, False]


def test_nobody_is_heard_before_the_conference_starts(office: Office) -> None:
    a, b, c = office.call(), office.call(), office.call()
    room = office.create(a, start_conference_on_create=False)
    office.do(room, "join", call_control_id=b, hold=True)
    assert office.read(room)["status"] == "init"
    assert [one["on_hold"] for one in office.people(room)] == [True, True]
    office.do(room, "unhold", call_control_ids=[a])
    assert office.person(room, a)["on_hold"] is True, "there is nothing yet to be let into"
    assert office.told("conference.floor.changed") == []
    office.do(room, "join", call_control_id=c, start_conference_on_enter=True)
    assert office.read(room)["status"] == "in_progress"
    assert [one["on_hold"] for one in office.people(room)] == [False, True, False]
    assert [payload["call_control_id"] for payload in office.told("conference.floor.changed")] == [a]


def test_some_or_all_are_muted_and_held_and_no_event_tells(office: Office) -> None:
    a, b = office.call(), office.call()
    room = office.create(a)
    office.do(room, "join", call_control_id=b, mute=True)
    office.posts.clear()
    seen = []
    for action, ids in (
        ("mute", [a]), ("unmute", []), ("hold", [b]), ("hold", None), ("unhold", [a, "nobody"]), ("mute", None),
    ):  # fmt: skip
        office.wait(1)
        assert office.do(room, action, **({} if ids is None else {"call_control_ids": ids})) == OK
        seen.append([(one["muted"], one["on_hold"]) for one in office.people(room)])
    assert seen == [
        [(True, False), (True, False)], [(False, False), (False, False)], [(False, False), (False, True)],
        [(False, True), (False, True)], [(False, False), (False, True)], [(True, False), (True, True)],
    ]  # fmt: skip
    assert office.do(room, "mute", call_control_ids=["nobody"]) == (422, "90033")
    assert office.posts == []
    assert office.person(room, a)["updated_at"] > office.person(room, a)["created_at"]
    found = {q: [one["call_control_id"] for one in office.people(room, q)] for q in (
        "?filter[on_hold]=true", "?filter[on_hold]=false", "?filter[muted]=true", "?filter[muted]=false",
    )}  # fmt: skip
    assert list(found.values()) == [[b], [a], [a, b], []]


def test_a_supervisor_listens_whispers_or_joins_in(office: Office) -> None:
    a, b = office.call(), office.call()
    room = office.create(a)
    office.do(room, "join", call_control_id=b, supervisor_role="monitor")
    assert (office.person(room, b)["muted"], office.person(room, b)["whisper_call_control_ids"]) == (True, [])
    whisper = {"call_control_id": b, "supervisor_role": "whisper"}
    office.do(room, "update", **whisper, whisper_call_control_ids=[a])
    assert (office.person(room, b)["muted"], office.person(room, b)["whisper_call_control_ids"]) == (False, [a])
    assert [one["call_control_id"] for one in office.people(room, "?filter[whispering]=true")] == [b]
    assert [one["call_control_id"] for one in office.people(room, "?filter[whispering]=false")] == [a]
    office.do(room, "update", **whisper)
    assert office.person(room, b)["muted"] is True, "who may whisper to nobody only listens"
    office.do(room, "update", call_control_id=b, supervisor_role="barge")
    assert (office.person(room, b)["muted"], office.person(room, b)["whisper_call_control_ids"]) == (False, [])


def test_the_floor_goes_to_who_speaks_and_can_be_heard(office: Office) -> None:
    a, b = office.call(), office.call()
    room = office.create(a)
    office.do(room, "join", call_control_id=b)
    calls = office.world.calls
    for leg in (b, b, a):
        calls.far_says(leg, "hello")
    office.do(room, "mute", call_control_ids=[b])
    calls.far_says(b, "hello")
    office.do(room, "mute", call_control_ids=[a])
    office.do(room, "unmute", call_control_ids=[a])
    calls.far_says(a, "here again")
    office.do(room, "hold", call_control_ids=[a])
    calls.far_says(a, "hello")
    assert [p["call_control_id"] for p in office.told("conference.floor.changed")] == [a, b, a, a]


def test_audio_for_all_is_told_once_and_names_no_leg(office: Office) -> None:
    a, b = office.call(), office.call()
    room = office.create(a)
    office.do(room, "join", call_control_id=b)
    office.posts.clear()
    office.do(room, "play", audio_url="http://example.com/a.wav", loop=3)
    office.wait(8)
    assert office.story() == ["playback.started"]
    office.wait(2)
    [ended] = office.told("conference.playback.ended")
    assert set(ended) == {"connection_id", "conference_id", "creator_call_session_id", "media_url", "occurred_at"}
    assert ended["media_url"] == "http://example.com/a.wav"
    office.posts.clear()
    office.do(room, "speak", payload="a" * 30, voice="female")
    office.wait(10)
    assert office.story() == ["speak.started", "speak.ended"]


def test_audio_for_some_is_told_for_each(office: Office) -> None:
    a, b, c = office.call(), office.call(), office.call()
    room = office.create(a)
    for leg in (b, c):
        office.do(room, "join", call_control_id=leg)
    office.posts.clear()
    tune = "http://example.com/tune.mp3"
    office.do(room, "play", audio_url=tune, loop="infinity", call_control_ids=[a, b])
    office.wait(600)
    assert office.story(A=a, B=b) == ["participant.playback.started A", "participant.playback.started B"]
    office.do(room, "stop", call_control_ids=[a])
    assert [p["media_url"] for p in office.told("conference.participant.playback.ended")] == [tune]
    assert office.story(A=a) == ["participant.playback.ended A"]
    office.hang_up(b)
    assert office.story(B=b) == ["call.hangup B", "participant.left B", "participant.playback.ended B"]
    office.do(room, "speak", payload="hello", voice="male", call_control_ids=[c])
    office.do(room, "play", call_control_ids=[c])
    assert office.story(C=c) == [
        "participant.speak.started C", "participant.speak.ended C", "participant.playback.started C",
    ]  # fmt: skip
    assert office.do(room, "stop") == OK
    assert office.do(room, "stop") == OK
    assert office.story(C=c) == ["participant.playback.ended C"]


def test_audio_that_is_not_to_be_had_ends_soon_and_what_takes_too_long_is_refused(office: Office) -> None:
    room = office.create(office.call())
    office.posts.clear()
    assert office.do(room, "play", audio_url="http://slow.invalid/a.wav") == (400, "90040")
    assert office.posts == []
    office.do(room, "play", media_name="never-uploaded", loop="infinity")
    office.wait(1)
    assert [payload["media_name"] for payload in office.told("conference.playback.ended")] == ["never-uploaded"]


def test_some_can_be_spared_what_all_hear(office: Office) -> None:
    a, b = office.call(), office.call()
    room = office.create(a)
    office.do(room, "join", call_control_id=b)
    office.posts.clear()
    office.do(room, "play", loop="infinity")
    office.do(room, "stop", call_control_ids=[b])
    office.do(room, "stop", call_control_ids=[b])
    assert office.story(B=b) == ["playback.started", "participant.playback.ended B"]
    office.do(room, "stop", call_control_ids=[a])
    assert office.story(A=a) == ["participant.playback.ended A", "playback.ended"]


def test_audio_and_recordings_end_with_the_conference_and_before_it(office: Office) -> None:
    a = office.call()
    room = office.create(a)
    office.do(room, "play", loop="infinity")
    office.do(room, "record_start", format="wav")
    office.posts.clear()
    office.wait(7)
    office.hang_up(a)
    [saved] = office.told("conference.recording.saved")
    assert (saved["format"], saved["channels"], saved["conference_id"]) == ("wav", "single", room)
    assert saved["recording_urls"]["wav"]
    assert saved["recording_urls"]["mp3"] is None
    assert saved["recording_ended_at"] > saved["recording_started_at"]
    record = office.ask("GET", f"/recordings/{saved['recording_id']}")[1]["data"]
    assert (record["source"], record["conference_id"]) == ("conference", saved["conference_id"])
    assert office.story(A=a) == [
        "call.hangup A", "participant.left A", "playback.ended", "recording.saved A", "ended A",
    ]  # fmt: skip
    assert office.world.account.clock.pending == 0


def test_a_recording_is_saved_by_command_with_the_state_that_comes_with_it(office: Office) -> None:
    a = office.call()
    room = office.create(a)
    for _ in range(2):
        office.do(room, "record_start", format="mp3")
    office.wait(3)
    for action, seconds in (
        ("record_pause", 20),
        ("record_pause", 1),
        ("record_resume", 4),
        ("record_resume", 0),
        ("record_pause", 9),
    ):
        assert office.do(room, action) == OK
        office.wait(seconds)
    office.do(room, "record_stop", client_state=YOURS, recording_id="another")
    assert office.told("conference.recording.saved") == []
    office.do(room, "record_stop", client_state=YOURS)
    saved = office.told("conference.recording.saved")
    assert len({payload["recording_id"] for payload in saved}) == 2
    assert {payload["client_state"] for payload in saved} == {YOURS}
    assert office.do(room, "record_stop") == OK
    found = office.ask("GET", f"/recordings?filter[conference_id]={room}")[1]["data"]
    assert [one["duration_millis"] for one in found] == [7000, 7000], "without the pauses"


def test_a_command_id_is_heeded_once_within_a_minute(office: Office) -> None:
    a, b = office.call(), office.call()
    once = {"call_control_id": a, "name": "room", "command_id": "1"}
    first = office.ask("POST", "/conferences", once)
    assert office.ask("POST", "/conferences", once) == first
    room = first[1]["data"]["id"]
    for _ in range(3):
        assert office.do(room, "join", call_control_id=b, command_id="2") == OK
        assert office.do(room, "record_start", format="wav", command_id="3") == OK
        assert office.do(room, "speak", payload="hello", voice="male", command_id="4") == OK
    assert office.do(room, "join", call_control_id=b, command_id="5") == (422, "90044")
    told = office.story()
    assert [told.count(word) for word in ("created", "participant.joined", "speak.started")] == [1, 2, 1]
    office.do(room, "record_stop", command_id="6")
    assert office.story().count("recording.saved") == 1
    office.wait(61)
    assert office.ask("POST", "/conferences", once)[0] == 422, "the id is free again, and the name is taken"


def test_conferences_are_listed_by_when_they_expire(office: Office) -> None:
    legs = [office.call() for _ in range(3)]
    for name, leg, minutes in zip(("short", "long", "Long"), legs, (1, 30, 240), strict=True):
        office.create(leg, name, duration_minutes=minutes)
    office.do("long", "leave", call_control_id=legs[1])

    def names(query: str) -> list[str]:
        return [one["name"] for one in office.ask("GET", "/conferences" + query)[1]["data"]]

    assert names("") == ["Long", "long", "short"]
    assert names("?filter[name]=long") == ["long"]
    assert names("?filter[status]=in_progress") == ["Long", "short"]
    assert names("?filter[status]=completed") == ["long"]
    assert names("?page[size]=2&page[number]=2") == ["short"]
    assert office.ask("GET", "/conferences?page[size]=2")[1]["meta"] == {
        "page_number": 1, "page_size": 2, "total_pages": 2, "total_results": 3,
    }  # fmt: skip


def test_a_call_is_dialled_into_a_conference_that_is_made_if_it_must(office: Office) -> None:
    a = office.call(conference_config={"conference_name": "room", "start_conference_on_create": False})
    room = office.ask("GET", "/conferences")[1]["data"][0]
    assert (room["name"], room["status"]) == ("room", "init")
    b = office.call(conference_config={"id": room["id"], "mute": True, "start_conference_on_enter": True})
    c = office.call(conference_config={"conference_name": "room", "end_conference_on_exit": True})
    assert [(one["call_control_id"], one["muted"], one["on_hold"]) for one in office.people(room["id"])] == [
        (a, False, False), (b, True, False), (c, False, False),
    ]  # fmt: skip
    office.hang_up(c)
    assert office.read(room["id"])["end_reason"] == "host_left"
    late = office.call(conference_config={"id": room["id"]})
    assert office.state(late) == "answered"


def test_what_is_remembered_of_conferences_is_bounded(office: Office) -> None:
    a = office.call()
    first = office.create(a, "0")
    for number in range(1, 1002):
        office.create(a, str(number))
    assert office.ask("GET", f"/conferences/{first}")[0] == 404
    assert office.ask("GET", "/conferences")[1]["meta"]["total_results"] == 1000
    room = office.create(a, "last")
    for _ in range(150):
        office.do(room, "record_start", format="wav")
    assert len(office.told("conference.recording.saved")) == 50
    b = office.call()
    for _ in range(250):
        office.do(room, "join", call_control_id=b)
        office.do(room, "leave", call_control_id=b)
    assert office.ask("GET", f"/conferences/{room}/participants")[1]["meta"]["total_results"] == 201


def test_in_stub_mode_every_conference_exists() -> None:
    emulator = Emulator(EDITION, mode="stub")
    headers = [(b"authorization", b"Bearer KEYTEST"), (b"content-type", b"application/json")]
    reply = emulator.handle("POST", "/v2/conferences/any/actions/join", headers, b'{"call_control_id": "any"}')
    assert (reply.status, msgspec.json.decode(reply.body)["data"]["result"]) == (200, "ok")
