"""Sequence contracts load as values; a wrong one says file, place, rule and the nearest valid word."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from telnyx_conformance.contract.document import load_edition
from telnyx_conformance.contract.sequence import (
    ABSENT,
    Advance,
    Await,
    Caused,
    FarEnd,
    Reference,
    Repeat,
    Send,
    Symbol,
    resolved,
    value_at,
)
from telnyx_conformance.contract.sequence_requirements import sequence_requirements, weaker
from telnyx_conformance.contract.sequences import load_sequences
from telnyx_conformance.errors import ContractError, UnknownName

if TYPE_CHECKING:
    from pathlib import Path

EDITION = "2025-06-16"
SOUND = """
sound:
  claim: It works.
  command: TransferCall
  given: {A: {state: answered}}
  legs: {A: addressed, B: created, C: {created_by: second}}
  request: {to: {destination: busy}, custom_headers: {literal: [{name: X, value: y}]}, command_id: {fresh: one}}
  then:
    - await: [ended]
    - advance: 5
    - {send: TransferCall, as: second, request: {to: {destination: answers}}}
    - {repeat: second, as: third}
  must:
    begun: {event: call.initiated, leg: B, payload: {to: {echoes: to}, from: {echoes: A.to}, client_state: null}}
    ended: {event: call.hangup, leg: B, level: SHOULD, source: elsewhere}
  before: [[begun, ended]]
  never: [{event: call.hangup, leg: A}]
  share: [call_session_id]
  level: MUST
  source: somewhere
"""


def folder_with(tmp_path: Path, text: str) -> Path:
    (tmp_path / "calls.yaml").write_text(text)
    return tmp_path


def test_a_contract_becomes_steps_and_expectations(tmp_path: Path) -> None:
    [sequence] = load_sequences(EDITION, folder_with(tmp_path, SOUND))
    first, awaited, advanced, second, third = sequence.steps
    assert isinstance(first, Send)
    assert (first.operation, first.leg, first.request["to"]) == ("TransferCall", "A", Symbol("destination", "busy"))
    assert first.request["custom_headers"] == [{"name": "X", "value": "y"}]
    assert (awaited, advanced) == (Await(events=("ended",)), Advance(seconds=5.0))
    assert isinstance(second, Send)
    assert second.leg == "A"
    assert third == Repeat(name="third", of="second", refused=None)
    assert sequence.original("third") == "second"
    assert sequence.created == {"B": "command", "C": "second"}
    assert sequence.complete == ("begun", "ended")
    to, from_, state = sequence.must[0].payload
    assert (to.value, from_.value) == (Reference("command", "to"), Reference("A", "to"))
    assert (state.rule, state.value) == ("equals", None)


def test_symbols_are_filled_in_and_literals_kept(tmp_path: Path) -> None:
    [sequence] = load_sequences(EDITION, folder_with(tmp_path, SOUND))
    first = sequence.steps[0]
    assert isinstance(first, Send)
    assert resolved(first.request, lambda symbol: f"<{symbol.kind} {symbol.name}>") == {
        "to": "<destination busy>",
        "custom_headers": [{"name": "X", "value": "y"}],
        "command_id": "<fresh one>",
    }


def test_files_of_another_edition_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / EDITION).mkdir()
    (tmp_path / "1999-01-01").mkdir()
    (tmp_path / EDITION / "calls.yaml").write_text(SOUND)
    (tmp_path / "1999-01-01" / "calls.yaml").write_text(SOUND.replace("sound", "other"))
    assert [sequence.name for sequence in load_sequences(EDITION, tmp_path)] == ["sound"]


@pytest.mark.parametrize(
    ("right", "wrong", "said"),
    [
        pytest.param("level: MUST\n  source: som", "level: MOST\n  source: som", "did you mean MUST", id="level"),
        pytest.param("{destination: busy}", "{destination: bussy}", "did you mean busy", id="destination"),
        pytest.param("{state: answered}", "{state: answerd}", "did you mean answered", id="state"),
        pytest.param("C: {created_by: second}", "C: {created_by: secnd}", "did you mean second", id="step"),
        pytest.param("[begun, ended]", "[begun, endde]", "did you mean ended", id="event name in an order"),
        pytest.param("await: [ended]", "await: [endid]", "did you mean ended", id="event name in a step"),
        pytest.param("event: call.hangup, leg: B", "event: call.hangup, leg: D", "no such leg", id="leg"),
        pytest.param("{echoes: A.to}", "{echoes: seconds.to}", "did you mean second", id="reference"),
        pytest.param("{A: {state: answered}}", "{}", "no such given leg", id="a leg from nowhere"),
        pytest.param("{repeat: second, as", "{repeat: secont, as", "did you mean second", id="repeated step"),
        pytest.param("as: third", "as: second", "two steps bear one name", id="step twice"),
        pytest.param("event: call.hangup, leg: A}", "event: call.hangup, leg: B}", "once only", id="must and never"),
        pytest.param("[[begun, ended]]", "[[begun, ended], [ended, begun]]", "no history can have", id="circle"),
        pytest.param("[[begun, ended]]", "[[begun, ended], [begun, ended]]", "given twice", id="order twice"),
        pytest.param("advance: 5", "advance: -5", "/sound/then/1/advance", id="time backwards"),
        pytest.param("advance: 5", "advance: soon", "/sound/then/1/advance", id="no number"),
        pytest.param("advance: 5", "advance: 5\n      await: [ended]", "/sound/then/1", id="two verbs"),
        pytest.param("  claim: It works.\n", "", "claim", id="without its claim"),
        pytest.param("custom_headers: {literal: ", "custom_headers: {litteral: ", "litteral", id="symbol"),
        pytest.param("share: [call_session_id]", "share: [call_session_id", "not YAML", id="truncated"),
        pytest.param("sound:", "Sound:", "Sound", id="name"),
    ],
)
def test_a_wrong_contract_is_refused_with_its_place(tmp_path: Path, right: str, wrong: str, said: str) -> None:
    assert right in SOUND
    with pytest.raises(ContractError) as refused:
        load_sequences(EDITION, folder_with(tmp_path, SOUND.replace(right, wrong)))
    assert said in str(refused.value)
    assert "calls.yaml" in refused.value.where


RICH = """
rich:
  claim: It works.
  command: JoinConference
  given: {A: {state: answered}}
  legs: {C: {created_by: late}, B: {created_by: early}, A: given, K: {conference: create}}
  prepare:
    - send: CreateConference
      as: create
      request: {call_control_id: {leg: A}, name: {fresh: room}}
      causes: [{event: conference.created, leg: A}]
    - {send: TransferCall, as: early, to: A, request: {to: {destination: busy}}}
    - {press: '12', by: A, causes: [call.dtmf.received, {event: call.odd.thing, undocumented: true}]}
  path: {id: {returned: create.id}}
  request: {call_control_id: {leg: A}, whisper_call_control_ids: {legs: [A, B]}}
  then:
    - {send: TransferCall, as: late, to: A, request: {to: {destination: busy}, custom_headers: [{object: {name: {fresh: x}}}]}}
    - {send: ListConferences, as: list, query: {'page[size]': 1}}
    - {hang_up: A}
  must:
    one: {event: call.hangup, leg: A, where: {hangup_cause: {echoes: A.to}}, payload: {a: {same_as: two.b}}}
    two: {event: call.hangup, leg: A, times: 2, payload: {digit: {each: ['1', '2']}}}
  answers: {list: {0.id: {returned: create.id}, 0.name: {echoes: create.name}}}
  level: MUST
  source: somewhere
"""


def test_what_is_prepared_becomes_steps_of_the_situation(tmp_path: Path) -> None:
    [sequence] = load_sequences(EDITION, folder_with(tmp_path, RICH))
    create, _, press = sequence.prepare
    command, late, _, hang_up = sequence.steps
    assert isinstance(create, Send)
    assert isinstance(command, Send)
    assert isinstance(late, Send)
    assert create.causes == (Caused("conference.created", "A", 1, False),)  # noqa: FBT003
    assert press == FarEnd(
        act="press", leg="A", said="12",
        causes=(Caused("call.dtmf.received", "A", 1, False), Caused("call.odd.thing", "A", 1, True)),  # noqa: FBT003
    )  # fmt: skip
    assert hang_up == FarEnd(act="hang_up", leg="A", said="")
    assert command.path == {"id": Symbol("returned", "create.id")}
    assert command.request["whisper_call_control_ids"] == [Symbol("leg", "A"), Symbol("leg", "B")]
    assert late.request["custom_headers"] == [{"name": Symbol("fresh", "x")}]
    assert (command.leg, late.leg) == ("", "A")


def test_legs_come_to_be_in_the_order_of_the_steps(tmp_path: Path) -> None:
    [sequence] = load_sequences(EDITION, folder_with(tmp_path, RICH))
    assert list(sequence.created.items()) == [("B", "early"), ("C", "late")]
    assert sequence.conferences == {"K": "create"}


@pytest.mark.parametrize(
    ("right", "wrong", "said"),
    [
        pytest.param("{conference: create}", "{conference: creat}", "did you mean create", id="conference"),
        pytest.param("path: {id: {returned: create.id}}", "path: {id: {returned: creat.id}}", "mean create", id="path"),
        pytest.param("{legs: [A, B]}", "{legs: [A, D]}", "no such leg", id="leg in a request"),
        pytest.param("press: '12', by: A", "press: '12', by: D", "no such leg", id="far end"),
        pytest.param("press: '12', by: A", "press: '12'", "prepare/2", id="nobody presses"),
        pytest.param("conference.created, leg: A", "conference.created", "no such leg", id="caused on no leg"),
        pytest.param("conference.created, leg: A", "conference.created, leg: D", "no such leg", id="caused"),
        pytest.param("{same_as: two.b}", "{same_as: too.b}", "did you mean two", id="agreement"),
        pytest.param("{0.id: {returned", "{D.id: {returned", "no such leg", id="leg of an answer"),
        pytest.param("each: ['1', '2']", "each: ['1', '2', '3']", "one value for each time", id="each"),
        pytest.param("where: {hangup_cause: {echoes: A.to}}, ", "", "once only", id="not told apart"),
        pytest.param("answers: {list:", "answers: {lost:", "did you mean list", id="answer"),
        pytest.param("leg: A, where: {hangup_cause: {echoes: A.to}}, payload: {a:", "leg: K, payload: {conference_id:",
                     "a rule that nothing can break", id="tautology"),
        pytest.param("- {hang_up: A}", "- {repeat: late, as: list}", "two steps bear one name", id="step twice"),
        pytest.param("{object: {name: {fresh: x}}}", "{name: x}", "custom_headers/0", id="bare object"),
    ],
)  # fmt: skip
def test_a_rich_contract_that_is_wrong_is_refused_with_its_place(
    tmp_path: Path, right: str, wrong: str, said: str
) -> None:
    assert right in RICH
    with pytest.raises(ContractError) as refused:
        load_sequences(EDITION, folder_with(tmp_path, RICH.replace(right, wrong)))
    assert re.search(said, str(refused.value))


@pytest.mark.parametrize(
    ("right", "wrong", "said"),
    [
        pytest.param(
            "path: {id: {returned: create.id}}", "path: {ids: {returned: create.id}}", "mean id", id="parameter"
        ),
        pytest.param("  path: {id: {returned: create.id}}\n", "", "does not say whom", id="no address"),
        pytest.param("{'page[size]': 1}", "{'page[sise]': 1}", "page.size", id="query"),
        pytest.param("as: late, to: A", "as: late", "or a leg", id="no leg"),
        pytest.param(", undocumented: true", "", "call.odd.thing", id="undocumented event"),
    ],
)
def test_addresses_and_events_that_the_edition_lacks_are_refused(
    tmp_path: Path, right: str, wrong: str, said: str
) -> None:
    assert right in RICH
    sequences = load_sequences(EDITION, folder_with(tmp_path, RICH.replace(right, wrong)))
    with pytest.raises(ContractError) as refused:
        sequence_requirements(sequences, load_edition(EDITION))
    assert re.search(said, str(refused.value))


def test_statements_on_answers_and_selected_events_say_what_they_mean(tmp_path: Path) -> None:
    sequences = load_sequences(EDITION, folder_with(tmp_path, RICH))
    found = {
        one.id.partition("rich.")[2]: one.statement for one in sequence_requirements(sequences, load_edition(EDITION))
    }
    assert found["list.0.id:answer"] == "0.id of the answer of list equals id of the answer of create"
    assert found["one:present"] == (
        "call.hangup occurs exactly once on leg A where hangup_cause equals to of the request of A"
    )
    assert found["two:present"] == "call.hangup occurs exactly 2 times on leg A"
    assert found["two.digit:payload"] == "digit of call.hangup on leg A is, in order, 1, 2"
    assert found["one.a:payload"].endswith("is the same as b of two")
    assert "create:accepted" not in found


@pytest.mark.parametrize(
    ("path", "value"),
    [("a", 1), ("b.c", None), ("d.1.e", "f"), ("d.2", ABSENT), ("a.b", ABSENT), ("x", ABSENT), ("d.e", ABSENT)],
)
def test_paths_lead_through_objects_and_lists(path: str, value: Any) -> None:
    assert value_at({"a": 1, "b": {"c": None}, "d": [0, {"e": "f"}]}, path) == value


def test_one_name_in_two_files_is_refused(tmp_path: Path) -> None:
    (tmp_path / "other.yaml").write_text(SOUND)
    with pytest.raises(ContractError, match="two sequences bear one name") as refused:
        load_sequences(EDITION, folder_with(tmp_path, SOUND))
    assert "calls.yaml" in refused.value.where
    assert "other.yaml" in refused.value.where


@pytest.mark.parametrize(
    ("right", "wrong", "said"),
    [
        pytest.param("command: TransferCall", "command: TransferCal", "did you mean TransferCall", id="operation"),
        pytest.param("command_id: {fresh", "comand_id: {fresh", "did you mean command_id", id="field"),
        pytest.param("event: call.initiated", "event: call.initated", "did you mean call.initiated", id="event"),
        pytest.param("{A: {state: answered}}", "{A: {state: answered, request: {too: x}}}", "too", id="given field"),
    ],
)
def test_words_that_the_edition_lacks_are_refused(tmp_path: Path, right: str, wrong: str, said: str) -> None:
    assert right in SOUND
    sequences = load_sequences(EDITION, folder_with(tmp_path, SOUND.replace(right, wrong)))
    with pytest.raises((ContractError, UnknownName)) as refused:
        sequence_requirements(sequences, load_edition(EDITION))
    assert said in str(refused.value)


def test_requirements_carry_readable_ids_levels_and_sources(tmp_path: Path) -> None:
    sequences = load_sequences(EDITION, folder_with(tmp_path, SOUND))
    found = {one.id: one for one in sequence_requirements(sequences, load_edition(EDITION))}
    assert list(found) == [
        "TransferCall:commands.sound.command:accepted",
        "TransferCall:commands.sound.second:accepted",
        "TransferCall:commands.sound.third:accepted",
        "TransferCall:commands.sound:legs",
        "TransferCall:webhooks.sound.begun:present",
        "TransferCall:webhooks.sound.ended:present",
        "TransferCall:webhooks.sound.begun.to:payload",
        "TransferCall:webhooks.sound.begun.from:payload",
        "TransferCall:webhooks.sound.begun.client_state:payload",
        "TransferCall:webhooks.sound.begun<ended:order",
        "TransferCall:webhooks.sound.call_session_id:share",
        "TransferCall:webhooks.sound.call.hangup@A:never",
        "TransferCall:webhooks.sound:closed",
        "TransferCall:webhooks.sound:schema",
        "TransferCall:webhooks.sound:signature",
    ]
    ended = found["TransferCall:webhooks.sound.ended:present"]
    assert (ended.level, ended.source, ended.conformance_class) == ("SHOULD", "elsewhere", "webhooks")
    assert ended.statement == "call.hangup occurs exactly once on leg B"
    assert found["TransferCall:commands.sound:legs"].conformance_class == "commands"
    assert found["TransferCall:commands.sound.third:accepted"].level == "SHOULD"


def test_a_part_is_never_stronger_than_its_sequence() -> None:
    assert weaker("MUST", "SHOULD") == weaker("SHOULD", "MUST") == "SHOULD"
    assert weaker("MAY", "SHOULD") == "MAY"


def test_the_contracts_that_ship_give_requirements_with_distinct_ids() -> None:
    shipped = load_sequences(EDITION)
    found = sequence_requirements(shipped, load_edition(EDITION))
    assert len({one.id for one in found}) == len(found)
    assert {one.operation for one in found} == {sequence.command for sequence in shipped}


@pytest.mark.parametrize("command", ["DialCall", "TransferCall"])
@pytest.mark.parametrize("mode", ["premium", "detect", "detect_beep", "detect_words", "greeting_end", "disabled"])
@pytest.mark.parametrize("destination", ["human", "machine_beep", "machine_no_beep"])
def test_each_detection_mode_is_held_against_each_kind_of_answer(command: str, mode: str, destination: str) -> None:
    wanted = {"to": Symbol("destination", destination), "answering_machine_detection": mode}
    firsts = [s.steps[0] for s in load_sequences(EDITION) if s.command == command]
    assert [step.request for step in firsts if isinstance(step, Send)].count(wanted) == 1
