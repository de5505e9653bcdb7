"""Values at both sides of what hardening says of messaging, brands, assistants, media and their neighbours."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest

from telnyx_conformance.contract.constraints import constraints_of
from telnyx_conformance.contract.document import load_edition
from telnyx_conformance.contract.fields import fields_of
from telnyx_conformance.contract.nodes import reader_of
from telnyx_conformance.contract.requirements import enumerate_requirements
from telnyx_conformance.contract.rules import rules_of
from telnyx_conformance.contract.validators import Validator, compiled
from telnyx_conformance.plan.boundaries import taken
from telnyx_conformance.plan.planning import plan_operation
from telnyx_conformance.plan.values import Maker

EDITION = load_edition()
TO = {"to": "+12025550100"}
BRAND = {
    "entityType": "GOVERNMENT", "displayName": "A", "country": "CA", "email": "a@example.com", "vertical": "TECHNOLOGY",
}  # fmt: skip
TRADED = {**BRAND, "entityType": "PUBLIC_PROFIT", "companyName": "A Ltd", "businessContactEmail": "a@example.com"}
CODE = {"phone_number": "+12025550100", "verify_profile_id": "12ade33a-21c0-473b-b055-b3c836e1c292"}


@cache
def body(operation: str) -> Validator:
    described = EDITION.operation(operation).body
    assert described is not None
    return compiled(EDITION.document, described.content[described.media_type], "request")


@cache
def parameter(operation: str, name: str) -> Validator:
    schema = next(p.schema for p in EDITION.operation(operation).parameters if p.name == name)
    return compiled(EDITION.document, schema, "request")


@pytest.mark.parametrize(
    ("operation", "taken", "refused"),
    [
        ("SendMessage", {**TO, "from": "+12025550101", "text": "a"}, {**TO, "from": "+12025550101"}),
        ("SendMessage", {**TO, "from": "12345", "media_urls": []}, {**TO, "from": "12345", "text": ""}),
        ("SendMessage", {**TO, "messaging_profile_id": "a", "text": "a"}, {**TO, "text": "a"}),
        (
            "SendMessage",
            {**TO, "from": "Sender", "messaging_profile_id": "a", "text": "a"},
            {**TO, "from": "Sender", "text": "a"},
        ),
        (
            "SendMessage",
            {**TO, "from": "12345", "type": "MMS", "media_urls": ["https://example.com/"]},
            {**TO, "from": "12345", "type": "MMS", "text": "a"},
        ),
        (
            "CreateGroupMmsMessage",
            {"from": "+12025550101", "to": ["+12025550100"] * 8},
            {"from": "+12025550101", "to": ["+12025550100"] * 9},
        ),
        ("CreateBrandPost", BRAND, {**BRAND, "country": "ca"}),
        ("CreateBrandPost", {**BRAND, "entityType": "NON_PROFIT", "companyName": "A", "ein": "1"}, TRADED),
        ("CreateBrandPost", {**TRADED, "stockSymbol": "A", "stockExchange": "LON"}, {**TRADED, "stockSymbol": "A"}),
        (
            "CreateBrandPost",
            {**BRAND, "country": "US", "postalCode": "10001", "state": "NY", "ein": "111111111"},
            {**BRAND, "country": "US", "postalCode": "10001-1"},
        ),
        ("CreateBrandPost", {**BRAND, "ipAddress": "2001:db8::1"}, {**BRAND, "ipAddress": "192.0.2.256"}),
        ("CreateVerificationSms", {**CODE, "custom_code": "0123"}, {**CODE, "custom_code": "a123"}),
        (
            "CreateMessagingProfile",
            {"name": "a", "whitelisted_destinations": ["*"]},
            {"name": "a", "whitelisted_destinations": ["*", "US"]},
        ),
        ("UpdateMediaStorage", {"ttl_secs": 630720000}, {"ttl_secs": 630720001}),
        (
            "PostAssignMessagingProfileToCampaign",
            {"messagingProfileId": "a", "campaignId": "a"},
            {"messagingProfileId": "a", "campaignId": "a", "tcrCampaignId": "a"},
        ),
        (
            "create_integration_secret",
            {"identifier": "a", "type": "basic", "username": "a", "password": "a"},
            {"identifier": "a", "type": "bearer", "username": "a", "password": "a"},
        ),
        (
            "UpdateAssistant",
            {"voice_settings": {"voice": "ElevenLabs.a.b", "api_key_ref": "a"}},
            {"voice_settings": {"voice": "ElevenLabs.a.b"}},
        ),
        (
            "UpdateAssistant",
            {"voice_settings": {"voice": "Telnyx.a.b", "voice_speed": 0.25}},
            {"voice_settings": {"voice": "Telnyx.a"}},
        ),
        (
            "CreateFineTuningJob",
            {"model": "a", "training_file": "a", "hyperparameters": {"n_epochs": "auto"}},
            {"model": "a", "training_file": "a", "hyperparameters": {"n_epochs": 51}},
        ),
        (
            "Transcribe",
            {"model": "openai/whisper-large-v3-turbo", "file_url": "https://example.com/a.mp3"},
            {"model": "openai/whisper-large-v3-turbo", "file_url": "https://example.com/a.mp3", "file": "a"},
        ),
        ("UpdatePhoneNumberMessagingSettings", {"messaging_profile_id": ""}, {"messaging_profile_id": "a"}),
        ("UpdatePhoneNumberMessagingSettings", {"messaging_profile_id": None}, {"messaging_profile_id": 1}),
        ("generateTextToSpeech", {"voice": "A.b.c", "text": "a"}, {"voice": "A", "text": "a"}),
    ],
)
def test_a_body_is_taken_up_to_the_edge(operation: str, taken: Any, refused: Any) -> None:
    validator = body(IDS.get(operation, operation))
    assert [validator.is_valid(taken), validator.is_valid(refused)] == [True, False]


IDS = {
    "UpdateAssistant": "update_assistant_public_assistants__assistant_id__post",
    "CreateFineTuningJob": "create_new_finetuningjob_public_finetuning_post",
    "Transcribe": "audio_public_audio_transcriptions_post",
}


@pytest.mark.parametrize(
    ("operation", "name", "taken", "refused"),
    [
        ("GetBrands", "recordsPerPage", 500, 501),
        ("GetCampaigns", "page", 1, 0),
        ("GetSharedCampaigns", "sort", "-tcrBrandId", "-tcrBranId"),
        ("ListDocuments", "sort[]", "-created_at", "-size"),
        ("ListDocuments", "filter[created_at][gt]", "2026-01-31T12:00:00Z", "yesterday"),
        ("ListManagedAccounts", "filter[email][contains]", "abc", "ab"),
        ("ListVerifications", "phone_number", "+12025550100", "12025550100"),
        ("GetTasksByStatus", "status", ["queued", "partial_success"], ["waiting"]),
        ("get_conversations_public_conversations_get", "order", "created_at.desc", "created_at"),
        ("get_conversations_public_conversations_get", "id", "eq.1", "1"),
    ],
)
def test_a_parameter_is_taken_up_to_the_edge(operation: str, name: str, taken: Any, refused: Any) -> None:
    validator = parameter(operation, name)
    assert [validator.is_valid(taken), validator.is_valid(refused)] == [True, False]


def test_answers_are_not_held_to_what_only_requests_are() -> None:
    answer = EDITION.operation("get_assistant_public_assistants__assistant_id__get").success.content["application/json"]
    settings = EDITION.resolve(EDITION.resolve(answer)["properties"]["voice_settings"])
    optout = EDITION.document["components"]["schemas"]["OptOutItem"]["properties"]["to"]
    assert compiled(EDITION.document, settings, "response").is_valid({"voice": "ElevenLabs.a.b"})
    assert compiled(EDITION.document, optout, "response").is_valid("+1202555XXXX")


def test_alternatives_at_one_place_have_ids_and_sources_of_their_own() -> None:
    found = enumerate_requirements(EDITION, EDITION.operation("SendMessage"))
    told = {r.kind: r.source for r in found if r.place == "request.body" and r.kind.startswith("anyOf")}
    assert told["anyOf"] != told["anyOf-text+media_urls"]
    assert told["anyOf=text"] == told["anyOf-text+media_urls"]


def test_a_condition_on_a_form_is_met_with_its_example() -> None:
    probes = {p.id: p for p in plan_operation(EDITION, EDITION.operation("SendMessage")).probes}
    probe = probes["SendMessage:request.body:required=messaging_profile_id-if-from=Sender"]
    assert probe.body["from"] == "Sender"
    assert "messaging_profile_id" not in probe.body


def test_what_a_condition_asks_of_a_value_is_broken_alone() -> None:
    probes = {p.id: p for p in plan_operation(EDITION, EDITION.operation("CreateBrandPost")).probes}
    probe = probes["CreateBrandPost:request.body:pattern=state-if-country=US"]
    assert [e.instance_path for e in body("CreateBrandPost").iter_errors(probe.body)] == [["state"]]


def test_items_that_must_be_several_are_not_one_and_the_same() -> None:
    carousel = EDITION.document["components"]["schemas"]["RCSCarouselCard"]
    made = Maker(reader_of(EDITION)).minimal(reader_of(EDITION).node(carousel), "")
    assert len(made["card_contents"]) == 2
    assert made["card_contents"][0] is not made["card_contents"][1]


def test_the_longest_known_text_stands_in_where_a_format_ends_before_the_limit() -> None:
    field = next(
        f for f in fields_of(EDITION, EDITION.operation("CreateBrandPost")) if f.place == "request.body.ipAddress"
    )
    reader = reader_of(EDITION)
    values = taken(Maker(reader), field, constraints_of(reader, field))
    assert [v.value for v in values if "maxLength" in v.kinds] == ["2001:db8::1"]


@pytest.mark.parametrize(
    ("operation", "place", "name"),
    [
        ("DeleteBrand", "request", "only-while"),
        ("CreateManagedAccount", "request", "subject-to"),
        ("SendMessage", "request.body.media_urls", "largest-file"),
        ("UploadMessagingHostedNumberOrderFile", "request.body.loa", "file-type"),
        ("chat_public_chat_completions_post", "request.body.guided_json", "json-schema"),
        ("PostCampaign", "request.body.referenceId", "unique"),
        ("VerifyVerificationCodeById", "request.body.status", "permitted-after"),
        ("GetMessage", "request", "lasts"),
        ("ListManagedAccounts", "request.query.filter[email][contains]", "match"),
    ],
)
def test_a_rule_stands_where_no_keyword_says_it(operation: str, place: str, name: str) -> None:
    assert (place, name) in {(r.place, r.name) for r in rules_of(EDITION, EDITION.operation(operation))}
