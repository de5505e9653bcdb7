"""The judge of sequences, case by case: what belongs where, what is known, and what is said of it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from telnyx_conformance.checks.event_schema import event_validators
from telnyx_conformance.checks.history import LEG_FIELDS, LegIds, history_of, leg_ids, moment
from telnyx_conformance.checks.sequence import has_occurred, is_complete, judge_sequence
from telnyx_conformance.checks.timeline import timeline
from telnyx_conformance.contract.document import load_edition
from telnyx_conformance.contract.exchange import Event
from telnyx_conformance.contract.sequence_requirements import constraints

MILLISECOND = timedelta(milliseconds=1)


def occurred(one: Event) -> datetime:
    return datetime.fromisoformat(one.occurred_at)


@pytest.fixture(scope="module")
def real_validators() -> Any:
    edition = load_edition("2025-06-16")
    return event_validators(edition, [edition.operation("TransferCall")])


def test_two_events_of_one_kind_are_not_one_event_delivered_twice(histories: Any) -> None:
    sequence = histories.sequences["transfer-answered"]
    history, bindings = histories.conforming(sequence)
    history["second"] = histories.event("B", "call.bridged", 50)
    assert histories.failures(sequence, histories.arrived(history.values()), bindings) == {
        "TransferCall:webhooks.transfer-answered.bridged-b:present"
    }


def test_an_optional_event_that_comes_twice_is_reported(histories: Any) -> None:
    sequence = histories.sequences["transfer-inbound"]
    history, bindings = histories.conforming(sequence)
    history["second"] = histories.event("A", "call.bridged", 50)
    assert histories.failures(sequence, histories.arrived(history.values()), bindings) == {
        "TransferCall:webhooks.transfer-inbound:closed"
    }


def test_a_repeated_command_that_dials_again_is_reported(histories: Any) -> None:
    sequence = histories.sequences["transfer-repeated"]
    history, bindings = histories.conforming(sequence)
    history["again"] = histories.event("X", "call.initiated", 50)
    assert histories.failures(sequence, histories.arrived(history.values()), bindings) == {
        "TransferCall:commands.transfer-repeated:legs"
    }


def test_ids_that_name_two_legs_belong_to_neither(histories: Any) -> None:
    sequence = histories.sequences["transfer-answered"]
    history, bindings = histories.conforming(sequence)
    history["mixed"] = histories.altered(
        histories.event("B", "call.dtmf.received", 50), {"call_control_id": "call_control_id A"}
    )
    assert histories.failures(sequence, histories.arrived(history.values()), bindings) == {
        "TransferCall:commands.transfer-answered:legs"
    }


def test_where_nothing_came_only_presence_and_the_command_are_judged(histories: Any) -> None:
    sequence = histories.sequences["transfer-webhook-url"]
    _, bindings = histories.conforming(sequence)
    outcomes = judge_sequence(sequence, [], bindings, histories.validators)
    by_verdict = {verdict: {o.kind for o in outcomes if o.verdict == verdict} for verdict in ("pass", "fail")}
    assert by_verdict == {"pass": {"accepted"}, "fail": {"present"}}


def test_a_signature_is_not_judged_without_the_public_key(histories: Any) -> None:
    sequence = histories.sequences["transfer-answered"]
    history, bindings = histories.conforming(sequence)
    unsigned = histories.arrived([msgspec.structs.replace(one, signature="invalid") for one in history.values()])
    keyless = msgspec.structs.replace(bindings, verifiable=False)
    verdicts = {o.kind: o.verdict for o in judge_sequence(sequence, unsigned, keyless, histories.validators)}
    assert verdicts["signature"] == "inconclusive"


def test_repetitions_at_one_moment_have_their_values_in_any_order(histories: Any) -> None:
    sequence, history, bindings = histories.named("queue-two-songs")
    at = occurred(history["digits"])
    history["digits#2"], history["digits"] = (
        histories.altered(history["digits"], {"digit": "1"}, at=at),
        histories.altered(history["digits#2"], {"digit": "2"}, at=at),
    )
    assert histories.verdicts(sequence, history, bindings) == {}
    history["digits#2"] = histories.altered(history["digits#2"], {"digit": "3"})
    assert histories.verdicts(sequence, history, bindings) == {".digits.digit:payload": "fail"}


def test_a_repetition_too_many_or_too_few_is_a_matter_of_presence_alone(histories: Any) -> None:
    sequence, history, bindings = histories.named("queue-two-songs")
    del history["digits#2"]
    told = {".digits:present": "fail", ".digits.digit:payload": "inconclusive"}
    assert histories.verdicts(sequence, history, bindings) == told
    for place in (1, 2):
        more = histories.event("A", "call.dtmf.received", place, digit="2", **{"from": "caller"})
        at = occurred(history["digits"]) + place * MILLISECOND
        history[f"more {place}"] = histories.altered(more, at=at)
    assert histories.verdicts(sequence, history, bindings) == told


def test_what_selects_an_event_must_be_known(histories: Any) -> None:
    sequence, history, bindings = histories.named("queue-two-songs")
    sent = bindings.sent | {"again": msgspec.structs.replace(bindings.sent["again"], body={})}
    told = histories.verdicts(sequence, history, msgspec.structs.replace(bindings, sent=sent))
    assert told[".second:present"] == "inconclusive"
    assert ".first:present" not in told


def test_an_event_that_fits_no_selection_goes_to_the_name_that_makes_none(histories: Any) -> None:
    sequence, history, bindings = histories.named("queue-two-songs")
    history["more"] = histories.event("A", "call.playback.started", 60, media_url="another")
    # two of them are among those that may be
    assert histories.verdicts(sequence, history, bindings) == {":closed": "fail"}
    del history["other"]
    assert histories.verdicts(sequence, history, bindings) == {}
    history["spoken?"] = histories.event("B", "call.speak.ended", 60, status="failed")
    assert histories.verdicts(sequence, history, bindings) == {":closed": "fail"}


@pytest.mark.parametrize("value", [None, "absent"])
def test_what_another_event_lacks_cannot_be_agreed_with(value: str | None, histories: Any) -> None:
    sequence, history, bindings = histories.named("queue-two-songs")
    assert history["saved"].document
    payload = history["saved"].document["data"]["payload"]
    if value:
        del payload["recording_id"]
    else:
        payload["recording_id"] = None
    assert histories.verdicts(sequence, history, bindings) == {
        ".saved.recording_id:payload": "fail",
        ".failed.recording_id:payload": "inconclusive",
        ".command.recording.id:answer": "inconclusive",
    }


def test_an_answer_that_is_a_refusal_says_nothing_of_its_fields(histories: Any) -> None:
    sequence, history, bindings = histories.named("queue-two-songs")
    read = msgspec.structs.replace(bindings.sent["read"], status=404, codes=("10005",))
    bindings = msgspec.structs.replace(bindings, sent=bindings.sent | {"read": read})
    told = histories.verdicts(sequence, history, bindings)
    assert {place: word for place, word in told.items() if word == "fail"} == {".read:accepted": "fail"}
    assert {word for place, word in told.items() if place.endswith(":answer")} == {"inconclusive"}


@pytest.mark.parametrize("field", LEG_FIELDS)
@pytest.mark.parametrize("order", [1, -1])
def test_an_item_of_a_list_is_found_by_the_leg_it_names(field: str, order: int, histories: Any) -> None:
    sequence = next(s for s in histories.samples if s.name == "leave-queue")
    history, bindings = histories.conforming(sequence)
    first = {field: f"{field} A", "queue_position": 1}
    second = {field: f"{field} B", "queue_position": 2}
    full = msgspec.structs.replace(bindings.sent["full"], data=[first, second][::order])
    rest = msgspec.structs.replace(
        bindings.sent["rest"],
        data=[{**histories.ids("B"), "queue_position": 1}],
    )
    sent = bindings.sent | {"full": full, "rest": rest}
    assert histories.verdicts(sequence, history, msgspec.structs.replace(bindings, sent=sent)) == {}
    sent["rest"] = full
    assert {
        place for place, word in histories.verdicts(sequence, history, msgspec.structs.replace(bindings, sent=sent)).items()
        if word == "fail"
    } >= {".rest.B.queue_position:answer"}  # fmt: skip


def test_an_event_of_a_conference_that_nobody_declared_belongs_nowhere(histories: Any) -> None:
    sequence, history, bindings = histories.named("conference-speak")
    history["stray"] = histories.altered(history["ended"], {"conference_id": "another"}, at=occurred(history["ended"]))
    assert history["stray"].document
    history["stray"].document["data"]["id"] = "another"
    assert histories.verdicts(sequence, history, bindings) == {":legs": "fail"}


def test_an_event_of_a_participant_belongs_to_the_leg(histories: Any) -> None:
    sequence, history, bindings = histories.named("conference-speak")
    found = history_of(sequence, histories.arrived(history.values()), bindings)
    assert {name: found.legs[events[0].arrival] for name, events in found.found.items()} == {
        "started": "K", "ended": "K", "heard": "A",
    }  # fmt: skip
    assert leg_ids(sequence, histories.arrived(history.values()), bindings).keys() == {"A", "B"}


def test_one_id_of_a_leg_is_enough(histories: Any) -> None:
    sequence, history, bindings = histories.named("queue-two-songs")
    assert history["saved"].document
    del history["saved"].document["data"]["payload"]["call_control_id"]
    assert histories.verdicts(sequence, history, bindings) == {}


def test_a_leg_that_was_prepared_comes_before_one_of_the_command(histories: Any) -> None:
    text = histories.samples[[s.name for s in histories.samples].index("hangup-bridged")]
    assert text.created == {"B": "transfer"}
    assert text.situation == {
        ("call.initiated", "A"): 1, ("call.answered", "A"): 1, ("call.bridged", "A"): 1,
        ("call.initiated", "B"): 1, ("call.answered", "B"): 1, ("call.bridged", "B"): 1,
    }  # fmt: skip


def test_true_is_not_one_and_null_is_absent(histories: Any) -> None:
    sequence = histories.sequences["transfer-client-state-a"]
    history, bindings = histories.conforming(sequence)
    assert "client_state" in history["initiated"].payload
    absent = {name: one for name, one in history.items() if name != "initiated"}
    absent["initiated"] = histories.event("B", "call.initiated", 1)
    assert histories.failures(sequence, histories.arrived(absent.values()), bindings) == set()
    history["initiated"] = histories.altered(history["initiated"], {"client_state": False})
    assert histories.failures(sequence, histories.arrived(history.values()), bindings) == {
        "TransferCall:webhooks.transfer-client-state-a.initiated.client_state:payload"
    }


@pytest.mark.parametrize("text", ["", "yesterday", "2025-13-01T00:00:00Z"])
def test_an_event_without_a_readable_time_has_no_order(text: str, histories: Any) -> None:
    sequence = histories.sequences["transfer-answered"]
    history, bindings = histories.conforming(sequence)
    assert history["answered"].document
    history["answered"].document["data"]["occurred_at"] = text
    outcomes = judge_sequence(sequence, histories.arrived(history.values()), bindings, histories.validators)
    assert {o.verdict for o in outcomes if o.kind == "order"} == {"inconclusive"}


@pytest.mark.parametrize(
    ("text", "microseconds"),
    [
        ("1970-01-01T00:00:01.000002Z", 1_000_002),
        ("1970-01-01T01:00:00+01:00", 0),
        ("1970-01-01T00:00:00", 0),
        ("2025-06-16T00:00:00.123456789Z", 1_750_032_000_123_456),
    ],
)
def test_moments_are_read_to_the_microsecond(text: str, microseconds: int) -> None:
    one = Event(token="t", arrival=0, method="POST", path="/", document={"data": {"occurred_at": text}})
    assert moment(one) == microseconds


@given(
    documents=st.lists(
        st.recursive(st.none() | st.integers() | st.text(), lambda x: st.dictionaries(st.text(), x)), max_size=5
    )
)
def test_whatever_arrives_is_judged(documents: list[Any], histories: Any, real_validators: Any) -> None:
    sequence = histories.sequences["transfer-answered"]
    _, bindings = histories.conforming(sequence)
    base = histories.event("B", "call.answered", 1)
    odd = [
        msgspec.structs.replace(base, document=document if isinstance(document, dict) else None, arrival=place)
        for place, document in enumerate([*documents, *({"data": {"payload": d, "id": d}} for d in documents)])
    ]
    outcomes = judge_sequence(sequence, odd, bindings, real_validators)
    assert len(outcomes) == len(constraints(sequence))
    assert timeline(sequence, odd, bindings, outcomes)


def test_the_callbacks_of_an_operation_give_one_schema_for_each_event_type(real_validators: Any) -> None:
    assert set(real_validators) == {
        "call.initiated",
        "call.answered",
        "call.bridged",
        "call.hangup",
        "call.machine.detection.ended",
        "call.machine.greeting.ended",
        "call.machine.premium.detection.ended",
        "call.machine.premium.greeting.ended",
    }


@pytest.mark.parametrize(
    ("kind", "fields", "place"),
    [
        ("call.hangup", {"hangup_cause": "bored"}, "data/payload/hangup_cause"),
        ("call.initiated", {"direction": "sideways"}, "data/payload/direction"),
        ("call.machine.greeting.ended", {"result": "no_beep_detected"}, "data/payload/result"),
        ("call.answered", {"tags": "none"}, "data/payload/tags"),
    ],
)
def test_a_payload_that_breaks_its_callback_schema_is_found(
    kind: str, fields: dict[str, Any], place: str, histories: Any, real_validators: Any
) -> None:
    validator = real_validators[kind]
    sound = histories.event("B", kind, 1)
    assert sound.document
    sound.document["data"]["id"] = "0ccc7b54-4df3-4bca-a65a-3da1ecc777f0"
    assert validator.is_valid(sound.document)
    [error] = validator.iter_errors(histories.altered(sound, fields).document)
    assert "/".join(str(part) for part in error.instance_path) == place


def test_an_event_without_its_envelope_is_found(real_validators: Any) -> None:
    assert not real_validators["call.answered"].is_valid({"event_type": "call.answered"})


def test_what_has_been_received_so_far_can_be_awaited(histories: Any) -> None:
    sequence = histories.sequences["transfer-again"]
    history, bindings = histories.conforming(sequence)
    so_far = histories.arrived(
        [one for name, one in history.items() if name.startswith("given") or name.endswith("-b")]
    )
    assert has_occurred(sequence, ["hungup-b"], so_far, bindings)
    assert not is_complete(sequence, so_far, bindings)
    assert leg_ids(sequence, so_far, bindings)["B"] == LegIds(
        call_control_id="call_control_id B", call_leg_id="call_leg_id B"
    )


def test_the_events_of_the_situation_are_not_judged_but_their_repetition_is(histories: Any) -> None:
    sequence = histories.sequences["hangup-answered"]
    history, bindings = histories.conforming(sequence)
    events = histories.arrived(history.values())
    assert set(history_of(sequence, events, bindings).slots) == {("call.hangup", "A")}
    history["again"] = histories.event("A", "call.answered", 50)
    assert histories.failures(sequence, histories.arrived(history.values()), bindings) == {
        "HangupCall:webhooks.hangup-answered:closed"
    }


def test_a_failing_history_is_shown_as_a_timeline_with_a_lane_for_each_leg(histories: Any) -> None:
    sequence = histories.sequences["transfer-busy"]
    history, bindings = histories.conforming(sequence)
    history["unwanted"] = histories.event("A", "call.hangup", 3, hangup_cause="normal_clearing")
    events = histories.arrived([*history.values(), history["hungup"]])
    outcomes = judge_sequence(sequence, events, bindings, histories.validators)
    assert timeline(sequence, events, bindings, outcomes).splitlines() == [
        "     seconds  A                                      B",
        "    0.000000  #0 call.initiated",
        "    1.000000  #1 call.answered",
        "  101.000000                                         #2 call.initiated",
        "  102.000000                                         #3 call.hangup user_busy 2 deliveries",
        "> 103.000000  #4 call.hangup normal_clearing",
        "fail TransferCall:webhooks.transfer-busy.call.hangup@A:never",
        "  expected: call.hangup does not occur on leg A",
        "  actual:   it occurs at 2025-06-16T00:00:03+00:00",
    ]
