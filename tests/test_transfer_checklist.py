"""What the documentation page of Transfer call promises, item by item, and the requirement that holds each."""

from __future__ import annotations

from typing import Any

import pytest

from telnyx_conformance.content import content_root
from telnyx_conformance.contract.document import load_edition

EDITION = load_edition()
IDS = {
    line.removeprefix("TransferCall:")
    for line in (content_root() / "contracts" / EDITION.name / "requirements.txt").read_text("utf-8").splitlines()
    if line.startswith("TransferCall:")
}
ENUMS = {
    "answering_machine_detection": "premium detect detect_beep detect_words greeting_end disabled",
    "media_encryption": "disabled SRTP DTLS",
    "mute_dtmf": "none both self opposite",
    "sip_headers[].name": "User-to-User",
    "sip_transport_protocol": "UDP TCP TLS",
    "webhook_url_method": "POST GET",
}
FIELDS = (
    "audio_url", "client_state", "command_id", "custom_headers", "custom_headers[].name", "custom_headers[].value",
    "early_media", "from", "from_display_name", "media_name", "sip_auth_password", "sip_auth_username", "sip_headers[].value",
    "sound_modifications.octaves", "sound_modifications.pitch", "sound_modifications.semitone", "sound_modifications.track",
    "target_leg_client_state", "time_limit_secs", "timeout_secs", "to", "webhook_url",
)  # fmt: skip
MILLISECONDS = (
    "after_greeting_silence", "between_words_silence", "greeting_duration", "greeting_silence_duration",
    "greeting_total_analysis_time", "initial_silence", "maximum_word_length", "total_analysis_time",
)  # fmt: skip
THRESHOLDS = (*(f"{name}_millis" for name in MILLISECONDS), "maximum_number_of_words", "silence_threshold")
DEFAULTS = {
    "answering_machine_detection": "disabled", "early_media": True, "media_encryption": "disabled", "mute_dtmf": "none",
    "sip_transport_protocol": "UDP", "time_limit_secs": 14400, "timeout_secs": 30, "webhook_url_method": "POST",
}  # fmt: skip
RULES = (
    "request.body.to:required",
    "request.body.custom_headers[].name:required", "request.body.custom_headers[].value:required",
    "request.body.sip_headers[].name:required", "request.body.sip_headers[].value:required",
    "request.body.timeout_secs:minimum", "request.body.timeout_secs:maximum",
    "request.body.time_limit_secs:minimum", "request.body.time_limit_secs:maximum",
    "request.body.from_display_name:maxLength", "request.body.from_display_name:pattern",
    "auth:missing", "auth:malformed", "auth:unknown", "response.200:schema", "response.200:status",
)  # fmt: skip
EVENTS = (
    "webhooks.transfer-answered.initiated:present", "webhooks.transfer-answered.bridged-b:present",
    "webhooks.transfer-answered.answered:present",
    "webhooks.transfer-busy.hungup:present", "webhooks.transfer-rejected.hungup:present",
    "webhooks.transfer-not-found.hungup:present",
    "webhooks.transfer-busy.call.hangup@A:never", "commands.transfer-again.second:accepted",
    "webhooks.transfer-detect-machine-beep.detected:present", "webhooks.transfer-greeting-end-machine-beep.ended:present",
    "webhooks.transfer-detect-words-machine-beep.ended:present", "webhooks.transfer-detect-beep-machine-beep.ended:present",
    "webhooks.transfer-detect-beep-machine-no-beep.ended.result:payload",
    "webhooks.transfer-premium-human.detected:present", "webhooks.transfer-premium-machine-beep.beeped:present",
    "webhooks.transfer-disabled-human.call.machine.detection.ended@B:never",
    "webhooks.transfer-time-limit-30.answered..hungup-b.at_least:timing",
    "webhooks.transfer-time-limit-30.hungup-b.hangup_cause:payload",
    "webhooks.transfer-timeout-5.hungup.hangup_cause:payload", "webhooks.transfer-timeout-600.initiated..hungup.at_least:timing",
    "webhooks.transfer-caller-default.initiated.from:payload",
    "commands.transfer-repeated.again:accepted", "webhooks.transfer-repeated.initiated:present",
)  # fmt: skip


def body() -> dict[str, Any]:
    operation = EDITION.operation("TransferCall")
    assert operation.body is not None
    return dict(EDITION.resolve(operation.body.content[operation.body.media_type])["properties"])


@pytest.mark.parametrize("field", ENUMS)
def test_every_listed_value_is_taken_and_a_foreign_one_refused(field: str) -> None:
    place = f"request.body.{field}"
    assert {f"{place}:enum={value}" for value in ENUMS[field].split()} | {f"{place}:enum"} <= IDS


@pytest.mark.parametrize("field", [*FIELDS, *(f"answering_machine_detection_config.{name}" for name in THRESHOLDS)])
def test_every_parameter_is_held_to_something(field: str) -> None:
    assert [name for name in IDS if name.startswith(f"request.body.{field}:")]


@pytest.mark.parametrize("rule", [*RULES, *EVENTS])
def test_every_rule_and_every_event_of_the_page_is_a_requirement(rule: str) -> None:
    assert rule in IDS


@pytest.mark.parametrize("field", DEFAULTS)
def test_every_default_of_the_page_is_in_the_contract(field: str) -> None:
    assert body()[field]["default"] == DEFAULTS[field]


def test_the_contract_knows_no_parameter_that_is_not_on_the_list() -> None:
    named = {field.partition(".")[0].partition("[")[0] for field in (*FIELDS, *ENUMS)}
    in_examples_only = {"stream_track", "stream_url", "timeout_limit_secs"}
    assert body().keys() - named == in_examples_only | {"answering_machine_detection_config"}
