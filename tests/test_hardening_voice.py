"""What hardening makes of the pages on calls, conferences, faxes, TeXML and rooms: values that are taken and refused."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest

from telnyx_conformance.contract.document import load_edition
from telnyx_conformance.contract.rules import is_effective, rules_of
from telnyx_conformance.contract.validators import Validator, compiled
from telnyx_conformance.plan.planning import plan_operation

EDITION = load_edition()
NUMBER = "+12025550100"
SPEECH = {"payload": "text", "voice": "Telnyx.KokoroTTS.af"}
CALL = {"To": NUMBER, "From": NUMBER, "ApplicationSid": "1"}
FAX = {"connection_id": "1", "from": NUMBER, "to": NUMBER}
PREMIUM = {"language": "pl-PL", "service_level": "premium"}

# operation, what every body has, bodies that are taken, bodies that are refused
CASES: list[tuple[str, dict[str, Any], list[dict[str, Any]], list[dict[str, Any]]]] = [
    ("BridgeCall", {}, [{"call_control_id": "a"}, {"queue": "q"}], [{}, {"call_control_id": "a", "queue": "q"}]),
    (
        "BridgeCall",
        {"video_room_id": "0ccc7b54-4df3-4bca-a65a-3da1ecc777f0"},
        [{}, {"video_room_context": "Alice"}],
        [{"queue": "q"}, {"call_control_id": "a"}],
    ),
    ("BridgeCall", {"queue": "q"}, [{"park_after_unbridge": "self"}], [{"video_room_context": "Alice"}]),
    ("BridgeCall", {"queue": "q"}, [{"record_max_length": 43200}], [{"record_max_length": 43201}]),
    ("GatherCall", {}, [{"maximum_digits": 128, "minimum_digits": 1}], [{"maximum_digits": 129}, {"minimum_digits": 0}]),
    ("GatherCall", {}, [{"terminating_digit": "*"}], [{"terminating_digit": "**"}, {"terminating_digit": "x"}]),
    ("StartCallPlayback", {}, [{"loop": 1}, {"loop": 100}, {"loop": "infinity"}], [{"loop": 0}, {"loop": 101}, {"loop": "ever"}]),
    ("StartCallPlayback", {}, [{"stop": "all"}, {"target_legs": "both"}], [{"stop": "none"}, {"target_legs": "all"}]),
    ("StartCallPlayback", {"overlay": True}, [{}, {"target_legs": "self"}], [{"target_legs": "both"}]),
    ("StartCallPlayback", {"audio_url": "https://example.com/a.mp3"}, [{}], [{"media_name": "a"}]),
    ("SpeakCall", SPEECH, [{"voice": "AWS.Polly.Joanna"}, {"voice": "Azure"}], [{"voice": "Somebody"}, {"payload": "x" * 3001}]),
    ("SpeakCall", SPEECH, [{"voice": "female", "service_level": "basic"}], [{"voice": "female"}, {"voice": "male", **PREMIUM}]),
    ("SpeakCall", SPEECH, [{"service_level": "basic", "language": "en-US"}, PREMIUM], [{**PREMIUM, "service_level": "basic"}]),
    (
        "SpeakCall",
        {**SPEECH, "voice": "ElevenLabs.Default.x"},
        [{"voice_settings": {"api_key_ref": "k"}}],
        [{}, {"voice_settings": {}}],
    ),
    ("SendDTMF", {"digits": "1w2WA*#"}, [{"duration_millis": 100}], [{"duration_millis": 99}, {"digits": "E"}]),
    ("ReferCall", {}, [{"sip_address": "sip:a@example.com"}], [{"sip_address": NUMBER}]),
    ("StartCallFork", {}, [{"rx": "udp:192.0.2.1:1", "tx": "udp:192.0.2.1:2"}, {"target": "udp:192.0.2.1:1"}], [{}]),
    ("StartCallFork", {"rx": "udp:192.0.2.1:1"}, [{"tx": "udp:192.0.2.1:2"}], [{}, {"tx": "tcp:192.0.2.1:2"}]),
    ("StartSiprecSession", {}, [{"session_timeout_secs": 0}, {"session_timeout_secs": 90}], [{"session_timeout_secs": 89}]),
    ("CreateConference", {"call_control_id": "a", "name": "n"}, [{"max_participants": 800}], [{"max_participants": 1}]),
    (
        "JoinConference",
        {"call_control_id": "a", "hold_media_name": "m"},
        [{"whisper_call_control_ids": ["a", "b"]}],
        [{"hold_audio_url": "https://example.com/a"}, {"whisper_call_control_ids": ["a", "a"]}],
    ),
    ("InitiateTexmlCall", CALL, [{"StatusCallbackEvent": "initiated ringing"}], [{"StatusCallbackEvent": "initiated,ringing"}]),
    ("InitiateTexmlCall", CALL, [{"CallerId": "A b"}], [{"CallerId": "a@b"}, {"From": "12025550100"}]),
    ("DialTexmlConferenceParticipant", {}, [{"Timeout": 5}, {"Timeout": 120}], [{"Timeout": 4}, {"Timeout": 121}]),
    ("DialTexmlConferenceParticipant", {"Coaching": True}, [{"CallSidToCoach": "a"}], [{}]),
    ("SendFax", FAX, [{"media_url": "https://example.com/a"}, {"media_url": ["https://example.com/a"]}], [{"media_url": "a"}]),
    ("SendFax", {**FAX, "media_name": "a"}, [{"store_media": False}], [{"store_media": True}, {"media_url": "https://example.com/a"}]),
    ("CreateRoomComposition", {}, [{"resolution": "16x1280"}], [{"resolution": "15x16"}, {"resolution": "16x1281"}]),
    (
        "CreateDialogflowConnection",
        {"service_account": {}, "dialogflow_api": "cx"},
        [{"location": "global", "conversation_profile_id": "a"}],
        [{}, {"location": "global"}],
    ),
]  # fmt: skip


@cache
def validator_of(operation: str) -> Validator:
    body = EDITION.operation(operation).body
    assert body is not None
    return compiled(EDITION.document, body.content[body.media_type], "request")


@pytest.mark.parametrize(("operation", "always", "taken", "refused"), CASES)
def test_what_the_pages_admit_is_taken_and_what_they_exclude_is_refused(
    operation: str, always: dict[str, Any], taken: list[dict[str, Any]], refused: list[dict[str, Any]]
) -> None:
    validator = validator_of(operation)
    assert [body for body in taken if not validator.is_valid({**always, **body})] == []
    assert [body for body in refused if validator.is_valid({**always, **body})] == []


QUERIES = [
    ("GetTexmlConferences", "DateCreated", ["2025-06-16", ">=2025-06-16"], ["16.06.2025", "2025-06-16T00:00:00Z"]),
    ("GetTeXMLCallRecordings", "DateCreated", ["2025-06-16", "<2025-06-16T00:00:00Z"], ["yesterday"]),
    ("ListFaxes", "filter[direction][eq]", ["inbound", "outbound"], ["in"]),
    ("ListCallControlApplications", "filter[application_name][contains]", ["abc"], ["ab"]),
    ("ListCallControlApplications", "sort", ["created_at", "-created_at", "-active"], ["+active"]),
    ("GetRecordings", "filter[created_at][gte]", ["2025-06-16T00:00:00Z"], ["2025-06-16"]),
]


@pytest.mark.parametrize(("operation", "name", "taken", "refused"), QUERIES)
def test_what_a_list_is_narrowed_by_has_its_form(
    operation: str, name: str, taken: list[str], refused: list[str]
) -> None:
    schema = next(p.schema for p in EDITION.operation(operation).parameters if p.name == name)
    validator = compiled(EDITION.document, schema, "request")
    assert [value for value in taken if not validator.is_valid(value)] == []
    assert [value for value in refused if validator.is_valid(value)] == []


EFFECTS = [
    ("SpeakCall", "request.body.language", {"voice": "Azure.x"}, {"voice": "Polly.Joanna"}),
    ("BridgeCall", "request.body.ringtone", {"play_ringtone": True}, {}),
    ("SendFax", "request.body.preview_format", {"store_preview": True}, {"store_preview": False}),
    ("StartCallRecord", "request.body.channels", {"recording_track": "both"}, {"recording_track": "inbound"}),
    ("InitiateTexmlCall", "request.body.MachineDetectionSpeechThreshold", {}, {"DetectionMode": "Premium"}),
]


@pytest.mark.parametrize(("operation", "place", "within", "without"), EFFECTS)
def test_some_fields_have_an_effect_only_beside_others(
    operation: str, place: str, within: dict[str, Any], without: dict[str, Any]
) -> None:
    rules = rules_of(EDITION, EDITION.operation(operation))
    rule = next(rule for rule in rules if rule.name == "effective-when" and rule.place == place)
    assert is_effective(rule, within)
    assert not is_effective(rule, without)


def test_a_member_that_asks_for_another_makes_room_for_it_in_the_plan() -> None:
    probes = plan_operation(EDITION, EDITION.operation("BridgeCall")).probes
    kind = "BridgeCall:request.body:dependentRequired=video_room_context+video_room_id"
    shown = [probe.body for probe in probes if probe.expect == "accept" and kind in probe.covers]
    assert [("video_room_id" in body, "call_control_id" in body) for body in shown] == [(True, False)]
