from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from telnyx_conformance.contract.document import contracts_folder, load_edition, read_contract_file
from telnyx_conformance.contract.files import contract_schema
from telnyx_conformance.contract.rules import Rule, is_effective, rules_of
from telnyx_conformance.contract.validators import compiled
from telnyx_conformance.contract.wording import schemas
from telnyx_conformance.emulator.products.calls.machine import TABLE

EDITION = load_edition()
PAGE = (Path(__file__).parent.parent / "docs" / "hardening.md").read_text(encoding="utf-8")
COMMANDS = ("DialCall", "AnswerCall", "HangupCall", "TransferCall")
VALID: dict[str, dict[str, Any]] = {
    "DialCall": {"to": "+12025550100", "from": "+12025550101", "connection_id": "1"},
    "AnswerCall": {},
    "HangupCall": {},
    "TransferCall": {"to": "+12025550100"},
}


def accepts(operation: str, **fields: Any) -> bool:
    body = EDITION.operation(operation).body
    assert body is not None
    return compiled(EDITION.document, body.content["application/json"], "request").is_valid(
        {**VALID[operation], **fields}
    )


@pytest.mark.parametrize("operation", COMMANDS)
def test_the_smallest_body_of_each_command_is_valid(operation: str) -> None:
    assert accepts(operation)


CALLING = ("DialCall", "TransferCall")
TALKING = ("DialCall", "AnswerCall", "TransferCall")
RECORDING = ("DialCall", "AnswerCall")
BOUNDARIES: list[tuple[tuple[str, ...], str, tuple[Any, ...], tuple[Any, ...]]] = [
    (CALLING, "timeout_secs", (5, 600), (4, 601)),
    (CALLING, "time_limit_secs", (30, 14400), (29, 14401)),
    (CALLING, "timeout_limit_secs", (60,), ("60",)),
    (CALLING, "to", ("+12025550100", "sip:someone@sip.example.com"), ("12025550100", "+1 or sip:a@b", "someone")),
    (("DialCall",), "to", (["+12025550100", "sip:a@example.com"],), ([], ["12025550100"])),
    (CALLING, "from", ("+12025550101",), ("2025550101", "sip:a@example.com", "")),
    (CALLING, "from_display_name", ("Aa 9-_~!.+", "x" * 128, ""), ("x" * 129, "a@b", "ü")),
    (CALLING, "audio_url", ("https://example.com/a.mp3",), ("a.mp3",)),
    (COMMANDS, "client_state", ("YQ==", "aGF2ZSBhIG5pY2UgZGF5ID1d", ""), ("YQ", "not base64!")),
    (("TransferCall",), "target_leg_client_state", ("YQ==",), ("YQ",)),
    (TALKING, "webhook_url", ("https://example.com/hook",), ("example",)),
    (RECORDING, "stream_url", ("wss://example.com/s",), ("https://example.com/s",)),
    (("TransferCall",), "stream_url", ("wss://example.com/s",), ("https://example.com/s",)),
    (("TransferCall",), "stream_track", ("both_tracks",), ("both",)),
    (RECORDING, "record_max_length", (0, 43200), (-1, 43201)),
    (RECORDING, "record_timeout_secs", (0, 1), (-1,)),
    (RECORDING, "preferred_codecs", ("G722", "OPUS,PCMU"), ("MP3", "G722, PCMU", "G722,", "")),
    (
        TALKING,
        "sound_modifications",
        ({"pitch": 0.01}, {"semitone": -14}, {"semitone": 14}),
        ({"pitch": 0}, {"semitone": -14.5}),
    ),
    (
        TALKING,
        "sound_modifications",
        ({"octaves": -1}, {"octaves": 1}),
        ({"octaves": 1.1}, {"octaves": -1.1}, {"semitone": 15}),
    ),
    (TALKING, "sound_modifications", ({"track": "inbound"}, {"track": "outbound"}), ({"track": "both"},)),
    (
        TALKING,
        "custom_headers",
        ([{"name": "X-A", "value": "b"}],),
        ([{"name": "X A", "value": "b"}], [{"name": "X-A", "value": "a\r\nb"}]),
    ),
    (
        TALKING,
        "sip_headers",
        ([{"name": "User-to-User", "value": "b"}],),
        ([{"name": "User-to-User", "value": "a\nb"}],),
    ),
    (
        ("DialCall",),
        "conference_config",
        ({"whisper_call_control_ids": ["a", "b"]},),
        ({"whisper_call_control_ids": ["a", "a"]},),
    ),
    (
        ("DialCall",),
        "conference_config",
        ({"hold_audio_url": "https://e.com/a"}, {"hold_media_name": "a"}),
        ({"hold_audio_url": "https://e.com/a", "hold_media_name": "a"}, {"hold_audio_url": "a"}),
    ),
    (
        RECORDING,
        "transcription_config",
        ({"transcription_tracks": "both"}, {"client_state": "YQ=="}),
        ({"transcription_tracks": "all"}, {"client_state": "YQ"}),
    ),
    (
        RECORDING,
        "transcription_config",
        (
            {},
            {"transcription_engine_config": {}},
            {"transcription_engine": "B", "transcription_engine_config": {"language": "auto_detect"}},
        ),
        (
            {"transcription_engine_config": {"language": "auto_detect"}},
            {"transcription_engine": "B", "transcription_engine_config": {"transcription_model": "x"}},
        ),
    ),
]


@pytest.mark.parametrize(("operations", "field", "inside", "outside"), BOUNDARIES)
def test_a_documented_boundary_holds_on_both_sides(
    operations: tuple[str, ...], field: str, inside: tuple[Any, ...], outside: tuple[Any, ...]
) -> None:
    for operation in operations:
        assert [value for value in inside if not accepts(operation, **{field: value})] == []
        assert [value for value in outside if accepts(operation, **{field: value})] == []


@pytest.mark.parametrize("operation", CALLING)
def test_audio_comes_from_one_place(operation: str) -> None:
    url = {"audio_url": "https://example.com/a.wav"}
    assert accepts(operation, **url)
    assert accepts(operation, media_name="greeting")
    assert not accepts(operation, **url, media_name="greeting")


def test_every_required_property_is_declared() -> None:
    """Also through the combinations around it: nothing else can be generated or synthesised."""
    undeclared = [
        f"{place}: {name}"
        for place, node in schemas(EDITION.document)
        if "properties" in node and not {"allOf", "anyOf", "oneOf"} & node.keys()
        for name in node.get("required", [])
        if name not in node["properties"] and "/allOf/" not in place and "/anyOf/" not in place
    ]
    assert undeclared == []


def test_every_default_and_example_obeys_its_own_schema() -> None:
    broken = []
    for place, node in schemas(EDITION.document):
        values = [*node.get("examples", []), *([node["default"]] if "default" in node else [])]
        validator = compiled(EDITION.document, node, "request") if values else None
        broken += [(place, value) for value in values if validator is not None and not validator.is_valid(value)]
    assert broken == []


def test_every_action_names_its_level() -> None:
    files = sorted((contracts_folder() / "hardening").glob("*.yaml"))
    bare = [
        (file.name, action["target"])
        for file in files
        for action in read_contract_file(file, "overlay")["actions"]
        if "x-level" not in action
    ]
    assert bare == []


def test_inferences_are_never_binding() -> None:
    files = sorted((contracts_folder() / "hardening").glob("*.yaml"))
    actions = [action for file in files for action in read_contract_file(file, "overlay")["actions"]]
    assert {action["x-level"] for action in actions if "inferred" in action["x-source"]} == {"MAY"}


def test_the_rules_of_a_transfer_are_listed_with_their_places() -> None:
    found = {(rule.name, rule.place) for rule in rules_of(EDITION, EDITION.operation("TransferCall"))}
    assert found == {
        ("admitted-when", "request"),
        ("refers-to", "request.path.call_control_id"),
        ("default-from", "request.body.from"),
        ("default-from", "request.body.from_display_name"),
        ("unit", "request.body.timeout_secs"),
        ("unit", "request.body.time_limit_secs"),
        ("refers-to", "request.body.audio_url"),
        ("refers-to", "request.body.media_name"),
        ("once", "request.body.command_id"),
    }


def effective_when(operation: str, place: str) -> Rule:
    rules = rules_of(EDITION, EDITION.operation(operation))
    return next(rule for rule in rules if rule.name == "effective-when" and rule.place == place)


def test_a_codec_is_effective_for_rtp_only() -> None:
    rule = effective_when("DialCall", "request.body.stream_bidirectional_codec")
    modes = [{"stream_bidirectional_mode": "rtp"}, {"stream_bidirectional_mode": "mp3"}, {}]
    assert [is_effective(rule, body) for body in modes] == [True, False, False]


def test_hold_audio_is_effective_while_a_conference_waits_only() -> None:
    rule = effective_when("DialCall", "request.body.conference_config.hold_audio_url")
    waiting = {"hold": True, "start_conference_on_create": False}
    assert is_effective(rule, waiting)
    assert not is_effective(rule, {**waiting, "hold": False})
    assert not is_effective(rule, {"hold": True})


@pytest.mark.parametrize(
    "operation", ["AnswerCall", "HangupCall", "TransferCall", "GatherCall", "GatherUsingAudio", "GatherUsingSpeak"]
)
def test_the_emulator_admits_a_command_exactly_where_the_contract_does(operation: str) -> None:
    rules = rules_of(EDITION, EDITION.operation(operation))
    states = {state for rule in rules if rule.name == "admitted-when" for state in rule.arguments["state"]}
    assert {state for state, command in TABLE if command == operation} == states


def test_every_rule_and_key_is_explained() -> None:
    schema = json.loads((contracts_folder() / "schemas" / "rules.schema.json").read_text(encoding="utf-8"))
    names = schema["items"]["properties"]["rule"]["enum"]
    keys = ["x-hardened", "x-reason", "x-source", "x-level", "x-rules"]
    assert names
    assert [word for word in [*names, *keys] if f"`{word}`" not in PAGE] == []


def test_a_rule_takes_its_own_arguments_only() -> None:
    validator = contract_schema("rules")
    said = {"level": "MUST", "source": "the text"}
    good = [{"rule": "once", "scope": "dial", **said}, {"rule": "off-when-absent", **said}]
    bad = [{"rule": "once", **said}, {"rule": "unit", "unit": "seconds", "scope": "dial", **said}]
    assert [validator.is_valid([rule]) for rule in (*good, *bad)] == [True, True, False, False]
