"""The official SDK against the emulator: what an application would do, and the errors and webhooks that it would see."""

from __future__ import annotations

import asyncio
import threading
import time
from typing import TYPE_CHECKING, Any

import httpx
import pytest
import telnyx
from telnyx.lib.webhook_verification import WebhookVerificationError, verify_webhook_signature

from telnyx_conformance.contract.document import load_edition
from telnyx_conformance.emulator.core import Emulator
from telnyx_conformance.emulator.courier import Courier
from telnyx_conformance.emulator.server import Server, listening_socket
from telnyx_conformance.inbox.receiver import Inbox

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from telnyx_conformance.contract.exchange import Event

ANSWERS, CALLER, ELSEWHERE, PRESSES = "+12025550100", "+12025550199", "+12025550105", "+12025550110"
PATIENCE = 20.0


class World:
    """An emulator behind a socket and an inbox, on an event loop of their own: the SDK blocks."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self._thread.start()
        self.emulator = Emulator(load_edition(), start_time=time.time(), courier=Courier(wall=time.time))
        self.server = Server(self.emulator, listening_socket(port=0))
        self.inbox: Inbox = self.wait(self._open())
        self._served = asyncio.run_coroutine_threadsafe(self.server.serve(), self.loop)
        self.wait(self.server.ready())

    async def _open(self) -> Inbox:
        inbox = Inbox(public_key=self.emulator.courier.public_key)
        await inbox.start()
        return inbox

    def wait(self, work: Awaitable[Any]) -> Any:
        async def done() -> Any:
            return await work

        return asyncio.run_coroutine_threadsafe(done(), self.loop).result(PATIENCE)

    def close(self) -> None:
        self.server.stop()
        self._served.result(PATIENCE)
        self.wait(self.inbox.stop())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(PATIENCE)
        self.loop.close()


class Application:
    """A call control application in an account of its own, and the webhooks that it is sent."""

    def __init__(self, world: World, name: str) -> None:
        self._world, self._token = world, name
        self.public_key = world.emulator.courier.public_key
        self.client = client_of(world, f"KEYTEST_{name}")

    def dial(self, to: str = ANSWERS) -> Any:
        """Dial through the application; return the call."""
        url = self._world.inbox.url(self._token)
        made = self.client.call_control_applications.create(
            application_name="sdk", webhook_event_url=url, webhook_api_version="2"
        ).data
        assert made is not None
        call = self.client.calls.dial(connection_id=str(made.id), from_=CALLER, to=to).data
        assert call is not None
        return call

    def events(self, condition: Callable[[tuple[Event, ...]], bool]) -> tuple[Event, ...]:
        """Return what was delivered as soon as `condition` holds."""
        found: tuple[Event, ...] = self._world.wait(self._world.inbox.wait(self._token, condition, PATIENCE))
        return found

    def say(self, leg: str, text: str) -> None:
        """Let the far end of a call speak."""
        url = f"{self._world.server.base_url}/_control/calls/{leg}/speech"
        headers = {"authorization": f"Bearer {self.client.api_key}"}
        httpx.post(url, json={"text": text}, headers=headers, trust_env=False).raise_for_status()

    def socket(self) -> str:
        """Return the address of a socket that listens."""
        return self._world.inbox.socket_url(self._token)


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    opened = World()
    yield opened
    opened.close()


def client_of(world: World, key: str) -> telnyx.Telnyx:
    return telnyx.Telnyx(
        api_key=key,
        base_url=f"{world.server.base_url}/v2",
        public_key=world.emulator.courier.public_key,
        max_retries=0,
        http_client=httpx.Client(trust_env=False),
    )


@pytest.fixture
def application(world: World, request: pytest.FixtureRequest) -> Application:
    return Application(world, request.node.name)


@pytest.fixture
def client(application: Application) -> telnyx.Telnyx:
    return application.client


def types(events: tuple[Event, ...], call_control_id: str) -> list[str]:
    return [e.type for e in events if e.payload.get("call_control_id") == call_control_id]


def answered(call: Any) -> Callable[[tuple[Event, ...]], bool]:
    return lambda events: "call.answered" in types(events, call.call_control_id)


def test_a_dialled_call_comes_alive_under_the_ids_it_was_given(application: Application, client: telnyx.Telnyx) -> None:
    call = application.dial()
    application.events(answered(call))
    status = client.calls.retrieve_status(call.call_control_id).data

    assert status is not None
    assert [call.is_alive, status.is_alive] == [False, True]  # dialling is asynchronous
    assert (status.call_leg_id, status.call_session_id) == (call.call_leg_id, call.call_session_id)


def test_a_call_is_transferred_and_its_legs_are_bridged(application: Application, client: telnyx.Telnyx) -> None:
    call = application.dial()
    application.events(answered(call))

    result = client.calls.actions.transfer(call.call_control_id, to=ELSEWHERE).data
    events = application.events(lambda seen: [e.type for e in seen].count("call.bridged") == 2)

    assert result is not None
    assert result.result == "ok"
    assert "call.bridged" in types(events, call.call_control_id)
    assert {e.payload["call_session_id"] for e in events} == {call.call_session_id}


def test_phone_numbers_are_listed_page_by_page(client: telnyx.Telnyx) -> None:
    page = client.phone_numbers.list(page_size=2)
    ids = [number.id for number in page]

    assert page.meta is not None
    assert page.meta.page_number == 1
    assert [number.record_type for number in page.data or []] == ["phone_number"] * 2
    assert page.meta.total_pages == -(-len(ids) // 2) > 1
    assert len(set(ids)) == len(ids)


def test_a_messaging_profile_is_created_and_deleted_and_is_gone(client: telnyx.Telnyx) -> None:
    created = client.messaging_profiles.create(name="of the SDK", whitelisted_destinations=["US"]).data
    assert created is not None
    assert created.id is not None
    read = client.messaging_profiles.retrieve(created.id).data
    deleted = client.messaging_profiles.delete(created.id).data

    assert read is not None
    assert deleted is not None
    assert [one.id for one in (read, deleted)] == [created.id] * 2
    assert read.name == "of the SDK"
    with pytest.raises(telnyx.NotFoundError):
        client.messaging_profiles.retrieve(created.id)


def error_of(refused: pytest.ExceptionInfo[telnyx.APIStatusError]) -> dict[str, Any]:
    """The first error object, as the SDK hands it over."""
    body = refused.value.body
    assert isinstance(body, dict)
    error: dict[str, Any] = body["errors"][0]
    return error


def test_what_does_not_exist_raises_not_found(client: telnyx.Telnyx) -> None:
    with pytest.raises(telnyx.NotFoundError) as refused:
        client.messaging_profiles.retrieve("00000000-0000-4000-8000-00000000dead")
    assert error_of(refused)["code"] == "10005"


def test_a_wrong_key_raises_an_authentication_error(world: World) -> None:
    with pytest.raises(telnyx.AuthenticationError) as refused:
        client_of(world, "KEY0000_nobody").phone_numbers.list()
    assert error_of(refused)["code"] == "10009"


def test_a_value_out_of_bounds_raises_unprocessable_entity_and_names_the_field(
    application: Application, client: telnyx.Telnyx
) -> None:
    call = application.dial()
    with pytest.raises(telnyx.UnprocessableEntityError) as refused:
        client.calls.actions.transfer(call.call_control_id, to=ELSEWHERE, timeout_secs=601)
    assert error_of(refused)["source"] == {"pointer": "/timeout_secs"}


def test_a_delivered_webhook_passes_the_verification_of_the_sdk(
    application: Application, client: telnyx.Telnyx
) -> None:
    call = application.dial()
    delivered = application.events(answered(call))

    assert delivered
    for event in delivered:
        verify_webhook_signature(event.raw, dict(event.headers), application.public_key)
        assert client.webhooks.unwrap(event.raw.decode(), headers=dict(event.headers))


def test_an_altered_webhook_is_refused_by_the_verification_of_the_sdk(
    application: Application, client: telnyx.Telnyx
) -> None:
    event = application.events(answered(application.dial()))[0]
    altered = event.raw.replace(CALLER.encode(), b"+12025550198")
    later = {**dict(event.headers), "telnyx-timestamp": str(int(dict(event.headers)["telnyx-timestamp"]) + 1)}

    assert altered != event.raw
    for body, headers in ((altered, dict(event.headers)), (event.raw, later)):
        with pytest.raises(WebhookVerificationError, match=r"[Ss]ignature"):
            verify_webhook_signature(body, headers, application.public_key)
        with pytest.raises((ValueError, WebhookVerificationError), match="signature does not match"):
            client.webhooks.unwrap(body.decode(), headers=headers)


def test_call_events_are_parsed_by_the_models_of_the_sdk(application: Application, client: telnyx.Telnyx) -> None:
    call = application.dial()
    application.events(answered(call))
    client.calls.actions.hangup(call.call_control_id)
    events = application.events(lambda seen: "call.hangup" in types(seen, call.call_control_id))
    models: dict[str, Any] = {
        "call.initiated": telnyx.types.CallInitiatedWebhookEvent,
        "call.answered": telnyx.types.CallAnsweredWebhookEvent,
        "call.hangup": telnyx.types.CallHangupWebhookEvent,
    }

    assert [e.type for e in events] == list(models)
    for event in events:
        parsed = models[event.type].model_validate_json(event.raw, strict=False)
        assert parsed.data.event_type == event.type
        assert parsed.data.payload.call_control_id == call.call_control_id
        assert parsed.data.payload.call_session_id == call.call_session_id
    assert parsed.data.payload.hangup_cause == "normal_clearing"


def test_events_of_what_is_heard_and_pressed_are_parsed_by_the_models_of_the_sdk(
    application: Application, client: telnyx.Telnyx
) -> None:
    call = application.dial(PRESSES)
    leg = call.call_control_id
    application.events(answered(call))
    actions = client.calls.actions
    actions.start_playback(leg, audio_url="https://missing.invalid/a.mp3")
    actions.speak(leg, payload="Good morning", voice="AWS.Polly.Joanna")
    actions.gather_using_audio(leg, audio_url="http://media.example.test/menu.wav")
    application.events(lambda seen: "call.gather.ended" in types(seen, leg))
    actions.refer(leg, sip_address="sip:rejects@example.test")
    application.events(lambda seen: "call.refer.failed" in types(seen, leg))
    actions.refer(leg, sip_address="sip:answers@example.test")
    events = application.events(lambda seen: "call.refer.completed" in types(seen, leg))
    models: dict[str, Any] = {
        "call.playback.started": telnyx.types.CallPlaybackStartedWebhookEvent,
        "call.playback.ended": telnyx.types.CallPlaybackEndedWebhookEvent,
        "call.speak.started": telnyx.types.CallSpeakStartedWebhookEvent,
        "call.speak.ended": telnyx.types.CallSpeakEndedWebhookEvent,
        "call.dtmf.received": telnyx.types.CallDtmfReceivedWebhookEvent,
        "call.gather.ended": telnyx.types.CallGatherEndedWebhookEvent,
        "call.refer.started": telnyx.types.CallReferStartedWebhookEvent,
        "call.refer.failed": telnyx.types.CallReferFailedWebhookEvent,
        "call.refer.completed": telnyx.types.CallReferCompletedWebhookEvent,
    }
    parsed = {
        event.type: models[event.type].model_validate_json(event.raw, strict=False).data
        for event in events
        if event.type in models
    }

    assert set(parsed) == set(models)
    assert {data.payload.call_control_id for data in parsed.values()} == {leg}
    assert {name: data.event_type for name, data in parsed.items()} == {name: name for name in models}
    assert (parsed["call.gather.ended"].payload.digits, parsed["call.gather.ended"].payload.status) == ("1234", "valid")
    assert parsed["call.refer.failed"].payload.sip_notify_response == 603


def test_events_of_conferences_are_parsed_by_the_models_of_the_sdk(
    application: Application, client: telnyx.Telnyx
) -> None:
    first, second = application.dial(), application.dial()
    for call in (first, second):
        application.events(answered(call))
    leg, guest = first.call_control_id, second.call_control_id
    room = client.conferences.create(call_control_id=leg, name="room", client_state="cm9vbQ==").data
    assert room is not None
    actions = client.conferences.actions
    actions.join(room.id, call_control_id=guest, end_conference_on_exit=True)
    actions.record_start(room.id, format="wav")
    tune = "http://media.example.test/tune.wav"
    actions.play(room.id, audio_url=tune)
    actions.play(room.id, audio_url=tune, call_control_ids=[guest])
    actions.speak(room.id, payload="Good morning", voice="AWS.Polly.Joanna")
    actions.speak(room.id, payload="Good morning", voice="AWS.Polly.Joanna", call_control_ids=[guest])
    people = {one.call_control_id: one for one in client.conferences.list_participants(room.id)}
    assert (set(people), people[guest].end_conference_on_exit) == ({leg, guest}, True)
    client.calls.actions.hangup(guest)
    events = application.events(lambda seen: any(e.type == "conference.ended" for e in seen))
    names = {
        f"Conference{''.join(word.capitalize() for word in event.type.split('.')[1:])}WebhookEvent": event
        for event in events
        if event.type.startswith("conference.") and event.type != "conference.floor.changed"  # it has no model
    }
    models = [n for n in dir(telnyx.types) if n.startswith("Conference") and n.endswith("WebhookEvent")]

    assert sorted(names) == sorted(models)
    for name, event in names.items():
        parsed = getattr(telnyx.types, name).model_validate_json(event.raw, strict=False).data
        assert (parsed.event_type, parsed.payload.conference_id) == (event.type, room.id)
    assert names["ConferenceEndedWebhookEvent"].payload["reason"] == "host_left"
    assert names["ConferenceParticipantJoinedWebhookEvent"].payload["client_state"] == "cm9vbQ=="
    assert client.conferences.retrieve(room.id).data.status == "completed"  # type: ignore[union-attr]


def test_events_of_recordings_media_and_assistants_are_parsed_by_the_models_of_the_sdk(
    application: Application, client: telnyx.Telnyx
) -> None:
    call = application.dial()
    leg = call.call_control_id
    application.events(answered(call))
    actions = client.calls.actions
    wanted: dict[str, object] = {
        "type": "object",
        "properties": {"age": {"type": "integer"}, "name": {"type": "string"}},
    }

    def until(event_type: str, count: int = 1) -> tuple[Event, ...]:
        return application.events(lambda seen: types(seen, leg).count(event_type) >= count)

    actions.start_recording(leg, format="mp3", channels="single", extra_body={"transcription": True})
    actions.start_transcription(leg)
    application.say(leg, "good morning")
    actions.stop_recording(leg)
    actions.start_streaming(leg, stream_url="ws://127.0.0.1:9/nobody")
    until("streaming.failed")
    actions.start_streaming(leg, stream_url=application.socket())
    until("streaming.started")
    actions.stop_streaming(leg)
    actions.start_forking(leg, rx="udp:127.0.0.1:9", tx="udp:127.0.0.1:9")
    actions.stop_forking(leg, stream_type="decrypted")
    client.siprec_connectors.create(name="recorder", host="siprec.example.com", port=5060)
    actions.start_siprec(leg, connector_name="nobody")
    actions.start_siprec(leg, connector_name="recorder")
    actions.stop_siprec(leg)
    actions.gather_using_ai(leg, parameters=wanted, send_partial_results=True, send_message_history_updates=True)
    application.say(leg, "42")
    application.say(leg, "Ada")
    actions.start_ai_assistant(leg, assistant={"id": "assistant-1"})
    actions.stop_ai_assistant(leg)
    until("call.recording.transcription.saved")
    until("call.conversation.ended", 2)
    events = until("call.conversation_insights.generated")
    models: dict[str, Any] = {
        "call.recording.saved": telnyx.types.CallRecordingSavedWebhookEvent,
        "call.recording.transcription.saved": telnyx.types.CallRecordingTranscriptionSavedWebhookEvent,
        "call.transcription": telnyx.types.TranscriptionWebhookEvent,
        "streaming.failed": telnyx.types.CallStreamingFailedWebhookEvent,
        "streaming.started": telnyx.types.CallStreamingStartedWebhookEvent,
        "streaming.stopped": telnyx.types.CallStreamingStoppedWebhookEvent,
        "call.fork.started": telnyx.types.CallForkStartedWebhookEvent,
        "call.fork.stopped": telnyx.types.CallForkStoppedWebhookEvent,
        "siprec.failed": telnyx.types.CallSiprecFailedWebhookEvent,
        "siprec.started": telnyx.types.CallSiprecStartedWebhookEvent,
        "siprec.stopped": telnyx.types.CallSiprecStoppedWebhookEvent,
        "call.ai_gather.partial_results": telnyx.types.CallAIGatherPartialResultsWebhookEvent,
        "call.ai_gather.message_history_updated": telnyx.types.CallAIGatherMessageHistoryUpdatedWebhookEvent,
        "call.ai_gather.ended": telnyx.types.CallAIGatherEndedWebhookEvent,
        "call.conversation.ended": telnyx.types.CallConversationEndedWebhookEvent,
        "call.conversation_insights.generated": telnyx.types.CallConversationInsightsGeneratedWebhookEvent,
    }
    parsed = {
        event.type: models[event.type].model_validate_json(event.raw, strict=False).data
        for event in events
        if event.type in models
    }

    assert set(parsed) == set(models)
    assert {name: data.event_type for name, data in parsed.items()} == {name: name for name in models}
    assert {data.payload.call_leg_id for data in parsed.values()} == {call.call_leg_id}
    assert parsed["call.ai_gather.ended"].payload.result == {"age": 42, "name": "Ada"}
    assert parsed["call.recording.transcription.saved"].payload.transcription_text == "good morning"
    record = client.recordings.retrieve(parsed["call.recording.transcription.saved"].payload.recording_id).data
    assert record is not None
    assert (record.status, record.channels, record.call_control_id) == ("completed", "single", leg)
