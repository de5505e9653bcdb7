"""Answering-machine detection: every mode against everything that may answer."""

from __future__ import annotations

from typing import Any

import pytest

from telnyx_conformance.emulator.products.calls import destinations as module
from telnyx_conformance.emulator.products.calls.destinations import destinations
from telnyx_conformance.emulator.products.calls.detection import Finding, Sound, findings
from telnyx_conformance.errors import ContractError

STANDARD = ("detect", "detect_beep", "detect_words", "greeting_end")
TABLE = destinations()


def found(mode: str, name: str, **config: Any) -> list[tuple[float, str, str]]:
    heard = findings(mode, config, TABLE.by_name[name].hears)
    return [(round(f.after, 3), f.happening, f.result) for f in heard]


def test_disabled_detection_finds_nothing() -> None:
    assert [found("disabled", name) for name in TABLE.by_name] == [[]] * len(TABLE.by_name)


@pytest.mark.parametrize("mode", STANDARD)
def test_a_human_is_told_by_the_silence_after_the_greeting(mode: str) -> None:
    assert found(mode, "human") == [(2.0, "detected", "human")]


@pytest.mark.parametrize("mode", STANDARD)
@pytest.mark.parametrize("name", ["machine_silence", "fax"])
def test_what_says_nothing_until_the_limit_is_not_sure(mode: str, name: str) -> None:
    assert found(mode, name) == [(3.5, "detected", "not_sure")]


MACHINE = (2.543, "detected", "machine")
PREMIUM_MACHINE = (2.543, "premium_detected", "machine")


@pytest.mark.parametrize(
    ("mode", "name", "expected"),
    [
        ("detect", "machine_beep", [MACHINE]),
        ("detect", "machine_no_beep", [MACHINE]),
        ("detect_beep", "machine_beep", [MACHINE, (6.2, "greeting_ended", "beep_detected")]),
        ("detect_beep", "machine_no_beep", [MACHINE]),
        ("detect_words", "machine_beep", [MACHINE, (6.2, "greeting_ended", "beep_detected")]),
        ("detect_words", "machine_no_beep", [MACHINE, (32.543, "greeting_ended", "not_sure")]),
        ("greeting_end", "machine_beep", [MACHINE, (6.2, "greeting_ended", "beep_detected")]),
        ("greeting_end", "machine_no_beep", [MACHINE, (6.9, "greeting_ended", "ended")]),
        ("premium", "human", [(2.0, "premium_detected", "human_residence")]),
        ("premium", "machine_beep", [PREMIUM_MACHINE, (6.2, "premium_greeting_ended", "beep_detected")]),
        ("premium", "machine_no_beep", [PREMIUM_MACHINE]),
        ("premium", "machine_silence", [(3.5, "premium_detected", "silence")]),
        ("premium", "fax", [(2.2, "premium_detected", "fax_detected")]),
    ],
)
def test_each_mode_reports_what_its_documentation_promises(mode: str, name: str, expected: list[Any]) -> None:
    assert found(mode, name) == expected


@pytest.mark.parametrize(
    ("name", "config", "expected"),
    [
        ("human", {"after_greeting_silence_millis": 200}, (1.4, "human")),
        ("human", {"total_analysis_time_millis": 1000}, (1.0, "not_sure")),
        ("human", {"maximum_number_of_words": 1}, (1.2, "machine")),
        ("human", {"maximum_word_length_millis": 300}, (0.7, "machine")),
        ("human", {"greeting_duration_millis": 500}, (0.9, "machine")),
        ("human", {"initial_silence_millis": 300}, (0.3, "machine")),
        ("machine_silence", {"initial_silence_millis": 1000}, (1.0, "machine")),
        ("machine_beep", {"maximum_number_of_words": 99}, (3.5, "not_sure")),
        ("fax", {"total_analysis_time_millis": 5000}, (3.7, "machine")),
    ],
)
def test_each_threshold_moves_the_verdict(name: str, config: dict[str, int], expected: tuple[float, str]) -> None:
    assert found("detect", name, **config) == [(expected[0], "detected", expected[1])]


def test_the_end_of_the_greeting_follows_its_thresholds() -> None:
    assert found("greeting_end", "machine_no_beep", greeting_silence_duration_millis=500)[1][0] == 5.9
    assert found("greeting_end", "machine_no_beep", greeting_total_analysis_time_millis=1000)[1] == (
        3.543,
        "greeting_ended",
        "ended",
    )


def test_a_beep_before_the_premium_result_makes_it_superfluous() -> None:
    sound = Sound(starts=0.4, ends=5.4, words=14, beep=1.0)
    assert findings("premium", {}, sound) == [Finding(1.0, "premium_greeting_ended", "beep_detected")]


def test_premium_detection_gives_up_at_its_limit() -> None:
    assert found("premium", "human", total_analysis_time_millis=1500) == [(1.5, "premium_detected", "not_sure")]


def test_every_magic_number_is_fictional_and_in_its_range() -> None:
    numbers = [destination.number for destination in TABLE.by_name.values()]
    assert len(set(numbers)) == len(numbers)
    assert all(number.startswith(("+120255501", "sip:")) for number in numbers)


def test_any_other_valid_destination_answers() -> None:
    default = TABLE.by_name["answers"]
    assert [TABLE.find(to) for to in ("+12025550150", "+442071838750", "sip:bob@example.test")] == [default] * 3
    assert TABLE.find("sips:+12025550102@example.test") == TABLE.by_name["busy"]
    assert [TABLE.find(to) for to in ("", "12025550100", "+0123", "+1202555010012345", "sip:", "bob", "+1 202")] == [
        None
    ] * 7


@pytest.mark.parametrize(
    "content",
    ["default: x", "default: nobody\ndestinations: {}", "default: [", "default: a\ndestinations: {a: {b: 1}}"],
)
def test_a_broken_table_of_destinations_is_reported_with_its_place(
    content: str, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "fixtures").mkdir()
    (tmp_path / "fixtures" / "destinations.yaml").write_text(content)
    monkeypatch.setattr(module, "content_root", lambda: tmp_path)
    load: Any = destinations
    with pytest.raises(ContractError, match="destinations") as caught:
        load.__wrapped__()
    assert caught.value.where == "fixtures/destinations.yaml"
