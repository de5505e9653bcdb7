"""What numbers, porting, connections, SIM cards and networks say in words, shown at both sides of it."""

from __future__ import annotations

from typing import Any

import pytest

from telnyx_conformance.contract.document import load_edition
from telnyx_conformance.contract.requirements import enumerate_requirements
from telnyx_conformance.contract.rules import rules_of
from telnyx_conformance.contract.validators import compiled
from telnyx_conformance.plan.planning import plan_operation

EDITION = load_edition()
NUMBER, IDENTIFIER = "+12025550100", "1293384261075731499"
ADDRESS = {"street_address": "1 Main St", "locality": "Austin", "country_code": "US"}
CROSS_CONNECT = {
    "network_id": "6a09cdc3-8948-47f0-aa62-74ac943d6c58",
    "region_code": "ashburn-va",
    "cloud_provider_region": "us-east-1",
    "bgp_asn": 1234,
    "primary_cloud_account_id": "123456789012",
}
CREDENTIALS = {"user_name": "user1234", "password": "12345678", "connection_name": "office"}
FQDN = {"fqdn": "example.com", "connection_id": "1"}
PERSON = {"first_name": "A", "last_name": "B"}
EMERGENCY = "CreatePhoneNumbersJobUpdateEmergencySettings"
BODIES: list[tuple[str, dict[str, Any], tuple[dict[str, Any], ...], tuple[dict[str, Any], ...]]] = [
    ("CreateAddress", ADDRESS, (PERSON, {"business_name": "C"}), ({}, {"first_name": "A"})),
    ("CreateAddress", ADDRESS | PERSON, ({"country_code": "DE"},), ({"country_code": "de"}, {"country_code": "DEU"})),
    (
        "CreateExternalConnectionUpload",
        {},
        ({"location_id": CROSS_CONNECT["network_id"]}, {"civic_address_id": CROSS_CONNECT["network_id"]}),
        ({}, dict.fromkeys(("location_id", "civic_address_id"), CROSS_CONNECT["network_id"])),
    ),
    (
        EMERGENCY,
        {"phone_numbers": [NUMBER]},
        (
            {"emergency_enabled": True, "emergency_address_id": IDENTIFIER},
            {"emergency_enabled": False},
            {"emergency_enabled": False, "emergency_address_id": None},
        ),
        ({"emergency_enabled": True}, {"emergency_enabled": False, "emergency_address_id": IDENTIFIER}),
    ),
    (
        "CreateDeletePhoneNumbersJob",
        {},
        ({"phone_numbers": [NUMBER] * 1000}, {"phone_numbers": [IDENTIFIER, IDENTIFIER]}),
        (
            {"phone_numbers": []},
            {"phone_numbers": [NUMBER] * 1001},
            {"phone_numbers": [NUMBER, IDENTIFIER]},
            {"phone_numbers": ["number one"]},
        ),
    ),
    ("CreateUpdatePhoneNumbersJob", {"phone_numbers": [NUMBER]}, ({"tags": []}, {"voice": {}}), ({},)),
    (
        "UpdatePhoneNumberVoiceSettings",
        {},
        (
            {"cnam_listing": {"cnam_listing_enabled": True, "cnam_listing_details": "15 letters long"}},
            {"cnam_listing": {"cnam_listing_enabled": False}},
            {"call_forwarding": {"forwards_to": NUMBER}},
        ),
        (
            {"cnam_listing": {"cnam_listing_enabled": True}},
            {"cnam_listing": {"cnam_listing_details": "A"}},
            {"cnam_listing": {"cnam_listing_enabled": False, "cnam_listing_details": "A"}},
            {"cnam_listing": {"cnam_listing_enabled": True, "cnam_listing_details": "16 letters longs"}},
            {"cnam_listing": {"cnam_listing_enabled": True, "cnam_listing_details": "no-sign"}},
            {"call_forwarding": {"forwards_to": "2025550100"}},
        ),
    ),
    (
        "UpdatePortingOrder",
        {},
        (
            {"misc": {"type": "full"}},
            {"misc": {"remaining_numbers_action": "keep", "new_billing_phone_number": NUMBER}},
            {"misc": {"type": "partial", "remaining_numbers_action": "disconnect"}},
        ),
        (
            {"misc": {"remaining_numbers_action": "keep"}},
            {"misc": {"type": "full", "remaining_numbers_action": "disconnect"}},
            {"end_user": {"location": {"country_code": "usa"}}},
        ),
    ),
    (
        "CreateCredentialConnection",
        CREDENTIALS,
        (
            {"user_name": "a1B2"},
            {"user_name": "a" * 32, "password": "!" * 128},
            {"webhook_api_version": "texml", "outbound": {"call_parking_enabled": True}},
            {"rtcp_settings": {"report_frequency_secs": 5}},
            {"rtcp_settings": {"report_frequency_secs": 3000}},
            {"outbound": {"localization": "", "channel_limit": None}},
        ),
        (
            {"user_name": "a1B"},
            {"user_name": "a" * 33},
            {"user_name": "user_name"},
            {"password": "1234567"},
            {"password": "!" * 129},
            {"webhook_api_version": "texml"},
            {"webhook_api_version": "texml", "outbound": {"call_parking_enabled": False}},
            {"rtcp_settings": {"report_frequency_secs": 4}},
            {"rtcp_settings": {"report_frequency_secs": 3001}},
            {"outbound": {"localization": "USA"}},
            {"webhook_event_url": "example.com"},
        ),
    ),
    (
        "CreateIpConnection",
        {},
        (
            {"transport_protocol": "TLS", "encrypted_media": None},
            {"transport_protocol": "TCP", "encrypted_media": "SRTP"},
            {"inbound": {"timeout_2xx_secs": 1, "sip_region": None, "default_routing_method": ""}},
            {"outbound": {"tech_prefix": "0123"}},
            {"outbound": {"tech_prefix": ""}},
        ),
        (
            {"transport_protocol": "TLS", "encrypted_media": "SRTP"},
            {"inbound": {"timeout_2xx_secs": 0}},
            {"inbound": {"timeout_2xx_secs": 601}},
            {"outbound": {"tech_prefix": "123"}},
            {"outbound": {"tech_prefix": "12a4"}},
        ),
    ),
    (
        "CreateFqdnConnection",
        {"connection_name": "office"},
        ({"transport_protocol": "UDP", "outbound": {"encrypted_media": "SRTP"}},),
        ({"transport_protocol": "TLS", "outbound": {"encrypted_media": "SRTP"}},),
    ),
    (
        "CreateFqdn",
        FQDN,
        ({"dns_record_type": "a"}, {"dns_record_type": "srv", "port": None}),
        ({"dns_record_type": "a", "port": None}, {"dns_record_type": "mx"}),
    ),
    (
        "CreateVirtualCrossConnect",
        CROSS_CONNECT,
        (
            {"cloud_provider": "aws", "primary_cloud_ip": "169.254.0.2"},
            {"cloud_provider": "aws", "bgp_asn": None},
            {"cloud_provider": "gce", "secondary_cloud_account_id": "1", "primary_cloud_ip": None},
            {"cloud_provider": "azure", "secondary_cloud_account_id": "1", "secondary_bgp_key": "k"},
        ),
        (
            {"cloud_provider": "gce"},
            {"cloud_provider": "gce", "secondary_cloud_account_id": "1", "primary_cloud_ip": "169.254.0.2"},
            {"cloud_provider": "azure", "secondary_cloud_account_id": "1"},
        ),
    ),
    ("PurchaseESim", {"amount": 1}, ({"whitelabel_name": "My SIM 2"},), ({"whitelabel_name": "My-SIM"},)),
    ("PhoneNumberBundleStatusChange", {}, ({"bundle_id": None}, {"bundle_id": "b"}), ({},)),
    ("CreateVoiceProfile", {"name": "office"}, ({"whitelisted_destinations": ["US"]},), ({"whitelisted_destinations": ["us"]},)),
    ("CreateMigration", {"source_id": "s", "target_region": "us-central-1"}, ({}, {"target_bucket_name": "b"}), ()),
]  # fmt: skip
PARAMETERS: list[tuple[str, str, tuple[str, ...], tuple[str, ...]]] = [
    ("ListPhoneNumbers", "filter[phone_number]", ("123", "abc"), ("12",)),
    ("ListPhoneNumbers", "filter[emergency_address_id]", ("null", IDENTIFIER), ("none",)),
    ("ListExternalConnectionReleases", "filter[phone_number][contains]", ("123", "+123456789012345"), ("12", "1" * 16)),
    ("FindAddresses", "sort", ("created_at", "-created_at", "-last_name"), ("+created_at",)),
    ("SearchDetailRecords", "filter[date_range]", ("today", "last_month", "last_7_days"), ("last_days", "someday")),
    ("GetUsageReports", "start_date", ("2026-01-31T00:00:00Z",), ("2026-01-31",)),
]


@pytest.mark.parametrize(("operation", "base", "valid", "invalid"), BODIES)
def test_a_body_is_taken_on_one_side_and_refused_on_the_other(
    operation: str, base: dict[str, Any], valid: tuple[dict[str, Any], ...], invalid: tuple[dict[str, Any], ...]
) -> None:
    body = EDITION.operation(operation).body
    assert body is not None
    judge = compiled(EDITION.document, body.content["application/json"], "request")
    assert [more for more in valid if not judge.is_valid({**base, **more})] == []
    assert [more for more in invalid if judge.is_valid({**base, **more})] == []


@pytest.mark.parametrize(("operation", "name", "valid", "invalid"), PARAMETERS)
def test_a_parameter_is_taken_on_one_side_and_refused_on_the_other(
    operation: str, name: str, valid: tuple[str, ...], invalid: tuple[str, ...]
) -> None:
    schema = next(p.schema for p in EDITION.operation(operation).parameters if p.name == name)
    judge = compiled(EDITION.document, schema, "request")
    assert [text for text in valid if not judge.is_valid(text)] == []
    assert [text for text in invalid if judge.is_valid(text)] == []


def test_an_answer_may_hold_what_a_request_may_not() -> None:
    schema = {"$ref": "#/components/schemas/CnamListing"}
    shown = {"cnam_listing_enabled": True}
    assert compiled(EDITION.document, schema, "response").is_valid(shown)


def test_the_rules_of_a_job_say_what_no_keyword_can() -> None:
    rules = rules_of(EDITION, EDITION.operation("CreateUpdatePhoneNumbersJob"))
    own = [(rule.name, rule.place) for rule in rules if ".voice" not in rule.place and "query" not in rule.place]
    assert own == [
        ("capacity", "request"),
        ("at-least-one", "request.body.phone_numbers"),
        ("refers-to", "request.body.phone_numbers[]"),
        ("refers-to", "request.body.billing_group_id"),
    ]


def test_valid_requests_keep_to_conditions_and_each_condition_is_broken_once() -> None:
    operation = EDITION.operation(EMERGENCY)
    probes = plan_operation(EDITION, operation).probes
    taken = {
        (probe.body["emergency_enabled"], probe.body.get("emergency_address_id") is not None)
        for probe in probes
        if probe.expect == "accept"
    }
    broken = {
        probe.violation.requirement.rpartition(":")[2]: probe.body
        for probe in probes
        if probe.violation is not None and "-if-" in probe.violation.requirement
    }
    assert taken == {(True, True), (False, False)}
    assert sorted(broken) == [
        "allowed=emergency_address_id-if-emergency_enabled=false",
        "required=emergency_address_id-if-emergency_enabled=true",
    ]


def test_conditions_of_one_place_keep_their_own_levels() -> None:
    levels = {r.kind: r.level for r in enumerate_requirements(EDITION, EDITION.operation("UpdatePortingOrder"))}
    assert levels["required=new_billing_phone_number-if-remaining_numbers_action=keep"] == "MUST"
