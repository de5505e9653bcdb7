"""Delivery contracts load as values, a wrong one is told with its place, and waits are judged by what they can have been."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from telnyx_conformance.checks.attempts import Heard, Seen
from telnyx_conformance.checks.delivery import judge_delivery
from telnyx_conformance.contract.deliveries import load_deliveries
from telnyx_conformance.contract.delivery import Answering, Command, Pause
from telnyx_conformance.contract.delivery_requirements import DELIVERY_KINDS, delivery_requirements
from telnyx_conformance.contract.document import DEFAULT_EDITION, load_edition
from telnyx_conformance.contract.exchange import Event
from telnyx_conformance.contract.sequence import Symbol
from telnyx_conformance.contract.sequences import load_sequences
from telnyx_conformance.errors import ContractError, UnknownName

if TYPE_CHECKING:
    from pathlib import Path

    from telnyx_conformance.contract.delivery import DeliveryContract

SOUND = """
sound:
  claim: It works.
  operation: DialCall
  call: inbound
  application: {webhook_timeout_secs: 1, webhook_api_version: {absent: true}}
  request: {to: {destination: busy}}
  then: [{send: AnswerCall, request: {webhook_url: {inbox: spare}}}, {advance: 5}]
  inboxes: {primary: [500, slow, closed, {status: 302, location: spare}], spare: []}
  event: call.initiated
  attempts: {first: {inbox: primary}, second: {inbox: primary}, third: {inbox: spare}}
  backoff: {attempts: [first, second, third], at_least: 0.5, factor: 1.5}
  levels: {attempt: MAY}
  level: MUST
  source: somewhere
"""


def loaded(folder: Path, text: str) -> DeliveryContract:
    (folder / "contract.yaml").write_text(text)
    [contract] = load_deliveries(DEFAULT_EDITION, folder)
    return contract


def test_a_contract_becomes_a_situation_and_attempts(tmp_path: Path) -> None:
    contract = loaded(tmp_path, SOUND)
    given = contract.given
    assert given.application == {"webhook_event_url": Symbol("inbox", "primary"), "webhook_timeout_secs": 1}
    assert given.then == (
        Command(operation="AnswerCall", request={"webhook_url": Symbol("inbox", "spare")}),
        Pause(seconds=5.0),
    )
    assert given.inboxes["primary"] == (
        Answering(status=500),
        Answering(behaviour="slow"),
        Answering(behaviour="closed"),
        Answering(status=302, location="spare"),
    )
    assert [(one.name, one.inbox) for one in contract.attempts] == [
        ("first", "primary"), ("second", "primary"), ("third", "spare"),
    ]  # fmt: skip


def test_a_kind_of_statement_is_no_stronger_than_its_contract_allows(tmp_path: Path) -> None:
    levels = {r.id: r.level for r in delivery_requirements([loaded(tmp_path, SOUND)], load_edition())}
    assert levels["DialCall:webhooks.sound.first:attempt"] == "MAY"
    assert levels["DialCall:webhooks.sound:event-id"] == "MUST"
    assert levels["DialCall:webhooks.sound:backoff"] == "SHOULD"


@pytest.mark.parametrize(
    ("old", "new", "got", "advice"),
    [
        ("third: {inbox: spare}", "third: {inbox: spear}", "spear", "did you mean spare?"),
        ("location: spare", "location: spear", "spear", "did you mean spare?"),
        ("[first, second, third]", "[first, second, thrid]", "thrid", "did you mean third?"),
        ("webhook_timeout_secs: 1, ", "", "none", ""),
    ],
)
def test_a_name_that_nothing_bears_is_told(tmp_path: Path, old: str, new: str, got: str, advice: str) -> None:
    with pytest.raises(ContractError) as wrong:
        loaded(tmp_path, SOUND.replace(old, new))
    assert (wrong.value.got, wrong.value.advice) == (got, advice)
    assert wrong.value.where.endswith("contract.yaml: /sound")


@pytest.mark.parametrize(
    ("old", "new", "got"),
    [
        ("event: call.initiated", "event: call.initated", "call.initated"),
        ("{attempt: MAY}", "{atempt: MAY}", "atempt"),
        ("request: {webhook_url:", "request: {webhook_urls:", "webhook_urls"),
        ("operation: DialCall", "operation: DialCall\n  log: {status: failed, attempts: [{inbox: spare, status: failed}]}",
         "DialCall"),
    ],
)  # fmt: skip
def test_a_word_that_the_edition_lacks_is_told(tmp_path: Path, old: str, new: str, got: str) -> None:
    contract = loaded(tmp_path, SOUND.replace(old, new))
    with pytest.raises(ContractError) as wrong:
        delivery_requirements([contract], load_edition())
    assert wrong.value.got == got


def test_an_unknown_operation_is_told_with_the_nearest(tmp_path: Path) -> None:
    contract = loaded(tmp_path, SOUND.replace("operation: DialCall", "operation: DialCal"))
    with pytest.raises(UnknownName):
        delivery_requirements([contract], load_edition())


def test_no_contract_bears_the_name_of_a_sequence_and_every_kind_is_used() -> None:
    contracts = load_deliveries(DEFAULT_EDITION)
    names = {contract.name for contract in contracts}
    assert names & {sequence.name for sequence in load_sequences(DEFAULT_EDITION)} == set()
    assert {r.kind for r in delivery_requirements(contracts, load_edition())} == set(DELIVERY_KINDS)


def waited(contract: DeliveryContract, *bounds: tuple[float, float]) -> str:
    """Return what is said of the back-off when attempts came between these seconds."""
    data = {"id": "1", "event_type": "call.initiated", "payload": {"call_control_id": "c"}}
    heard = tuple(
        Heard(
            event=Event(token="t", arrival=number, method="POST", path="/t", document={"data": data}),
            earliest=earliest,
            latest=latest,
        )
        for number, (earliest, latest) in enumerate(bounds)
    )
    seen = Seen(call="c", heard=heard, urls={"primary": "u", "spare": "v"}, tokens={"t": "primary"})
    said = judge_delivery(contract, seen)[f"DialCall:webhooks.{contract.name}:backoff"]
    return "" if said is None else getattr(said, "actual", "") or getattr(said, "reason", "")


@pytest.mark.parametrize(
    ("bounds", "said"),
    [
        (((0, 0), (0.9, 1.0), (2.9, 3.0)), ""),
        (((0, 0), (0.4, 0.5), (1.5, 1.6)), ""),
        (((0, 0), (0.3, 0.4), (1.5, 1.6)), "the first wait lasts at most 0.4 s"),
        (((0, 0), (0.9, 1.0), (1.9, 2.0)), "wait 2 lasts at most 1.1 s, the one before at least 0.9 s"),
        (((0, 0.5), (0.9, 1.5), (1.9, 2.5)), ""),  # it may have grown: nobody is accused of what is not certain
        (((0, 0), (0.9, 1.0)), "attempt 3 was not made"),
    ],
)
def test_a_wait_is_wrong_when_it_cannot_have_been_right(
    tmp_path: Path, bounds: tuple[tuple[float, float], ...], said: str
) -> None:
    assert waited(loaded(tmp_path, SOUND), *bounds) == said


def test_a_file_that_breaks_the_schema_is_told_with_its_place(tmp_path: Path) -> None:
    with pytest.raises(ContractError) as wrong:
        loaded(tmp_path, SOUND.replace("inbox: primary}, second", "inbocks: primary}, second"))
    assert "did you mean inbox?" in wrong.value.advice
