"""Events of calls against the contract's callback schemas, for every way a call can go."""

from __future__ import annotations

import json
from typing import Any

import jsonschema_rs
import pytest

from telnyx_conformance.contract.document import load_edition
from telnyx_conformance.emulator.products.calls.events import event_document
from telnyx_conformance.emulator.products.calls.legs import Leg, Route, stamp
from telnyx_conformance.emulator.products.calls.machine import SIP_CODES

EDITION = load_edition()
CALLBACKS = {
    "call.initiated": "callInitiated",
    "call.answered": "callAnswered",
    "call.bridged": "callBridged",
    "call.hangup": "callHangup",
    "call.machine.detection.ended": "callMachineDetectionEnded",
    "call.machine.greeting.ended": "callMachineGreetingEnded",
    "call.machine.premium.detection.ended": "callMachinePremiumDetectionEnded",
    "call.machine.premium.greeting.ended": "callMachinePremiumGreetingEnded",
}
RESULTS = {
    "call.machine.detection.ended": ("human", "machine", "not_sure"),
    "call.machine.greeting.ended": ("beep_detected", "ended", "not_sure"),
    "call.machine.premium.detection.ended": (
        "human_residence",
        "human_business",
        "machine",
        "silence",
        "fax_detected",
        "not_sure",
    ),
    "call.machine.premium.greeting.ended": ("beep_detected",),
}
NOW = 1_750_000_000_521_992


def schema(event_type: str) -> dict[str, Any]:
    """Return the callback's schema as TransferCall declares it, with all that its references need."""
    [callback] = [c for c in EDITION.operation("TransferCall").callbacks if c.name == CALLBACKS[event_type]]
    return {**callback.schema, "components": EDITION.document["components"]}


def leg(client_state: str | None, **body: Any) -> Leg:
    made = Leg("v3:a", "l", "s", "1", "outgoing", "+12025550199", "+12025550100", Route("http://x/"), NOW, body)
    made.client_state = client_state
    made.cause = "normal_clearing"
    return made


def event(subject: Leg, event_type: str, result: str = "") -> dict[str, Any]:
    return event_document(
        subject,
        event_type,
        event_id="0ccc7b54-4df3-4bca-a65a-3da1ecc777f0",
        now=NOW,
        fields={"result": result} if result else {},
    )


@pytest.mark.parametrize("client_state", ["QQ==", None])
@pytest.mark.parametrize("event_type", CALLBACKS)
def test_every_event_has_the_form_that_the_contract_declares(event_type: str, client_state: str | None) -> None:
    headers = [{"name": "User-to-User", "value": "1"}]
    subject = leg(client_state, sip_headers=headers, custom_headers=headers, from_display_name="A")
    validator = jsonschema_rs.validator_for(schema(event_type), validate_formats=True)
    for subject.cause in SIP_CODES:
        for result in RESULTS.get(event_type, ("",)):
            document = event(subject, event_type, result)
            assert [e.message for e in validator.iter_errors(document)] == []
            assert document["data"]["event_type"] == event_type
            assert json.loads(json.dumps(document)) == document


def test_a_planted_wrong_result_would_be_noticed() -> None:
    validator = jsonschema_rs.validator_for(schema("call.machine.greeting.ended"))
    assert not validator.is_valid(event(leg("QQ=="), "call.machine.greeting.ended", "human"))


def test_client_state_that_was_never_set_is_null() -> None:
    for event_type in CALLBACKS:
        assert event(leg(None), event_type)["data"]["payload"]["client_state"] is None


def test_what_was_seen_live_is_there() -> None:
    initiated, hangup = (event(leg(None), t)["data"]["payload"] for t in ("call.initiated", "call.hangup"))
    assert initiated["calling_party_type"] == "pstn"
    assert {"end_time", "telnyx_error"} <= set(hangup)


def test_times_carry_microseconds_and_z() -> None:
    assert stamp(NOW) == "2025-06-15T15:06:40.521992Z"


def test_every_detection_event_is_covered_here() -> None:
    assert set(RESULTS) == {event for event in CALLBACKS if ".machine." in event}
