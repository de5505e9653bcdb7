"""The model that random programs are compared with: pure parts, without a target."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from telnyx_conformance.contract.exchange import Event
from telnyx_conformance.contract.machines import machines
from telnyx_conformance.contract.model_requirements import model_requirements
from telnyx_conformance.modelling.reckoning import Difference, Reckoning
from telnyx_conformance.modelling.search import without
from telnyx_conformance.modelling.steps import Command, Dial, FarEnd, RingIn, Step, Wait, described
from telnyx_conformance.modelling.world import Conference, LegModel, World
from telnyx_conformance.run.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterable


def heard(number: int, event: str, leg: str, **payload: Any) -> Event:
    data = {"event_type": event, "id": str(number), "payload": {"call_control_id": leg, **payload}}
    return Event(token="t", arrival=number, method="POST", path="/", document={"data": data})


def answered(world: World, *names: str) -> list[LegModel]:
    legs = [world.add({"call_control_id": name}, "DialCall")[0] for name in names]
    for leg in legs:
        leg.state = "answered"
    return legs


def differs(reckoning: Reckoning, events: Iterable[Event]) -> Difference:
    found = reckoning.difference(events)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("state", "operation", "code"),
    [
        ("answered", "SpeakCall", ""),
        ("dialling", "SpeakCall", "90034"),
        ("ended", "SpeakCall", "90018"),
        ("dialling", "AnswerCall", "90102"),
        ("answered", "LeaveQueue", "90035"),
        ("queued", "EnqueueCall", "90038"),
    ],
)
def test_an_answer_is_predicted_from_the_table(state: str, operation: str, code: str) -> None:
    world = World()
    [leg] = answered(world, "a")
    leg.state = state
    expected = world.expected(leg, operation, None)
    assert (expected.taken, expected.codes) == (not code, (code,) if code else ())


def test_a_leg_that_ended_long_ago_may_be_forgotten() -> None:
    world = World()
    [leg] = answered(world, "a")
    leg.state = "ended"
    assert world.expected(leg, "SpeakCall", None).codes == ("90018",)
    world.now = 600.0
    assert world.expected(leg, "SpeakCall", None).codes == ("90018", "90015")


def test_a_bridge_is_predicted_from_the_state_of_both_legs() -> None:
    world = World()
    first, second = answered(world, "a", "b")
    assert world.expected(first, "BridgeCall", second).taken
    assert world.expected(first, "BridgeCall", first).codes == ("90015",)
    second.state = "dialling"
    assert world.expected(first, "BridgeCall", second).codes == ("90034",)


def test_who_loses_a_peer_must_hang_up() -> None:
    world = World()
    first, second = answered(world, "a", "b")
    world.pair(first, second)
    first.state = second.state = "bridged"
    row = world.leg_machine.rows["bridged", "HangupCall"]
    first.state = row.next

    def hung_up() -> Reckoning:
        reckoning = Reckoning(world, "HangupCall", first)
        reckoning.await_events(first, row)
        reckoning.leave_alone(world.part(first))
        return reckoning

    reckoning, mine = hung_up(), heard(1, "call.hangup", "a", hangup_cause="normal_clearing")
    assert "whose peer is gone" in differs(reckoning, [mine]).expected
    world.pair(first, second)
    told = [mine, heard(2, "call.hangup", "b", hangup_cause="normal_clearing")]
    assert hung_up().difference(told) is None
    assert second.state == "ended"


def test_what_nothing_explains_differs() -> None:
    world = World()
    answered(world, "a")
    assert "known legs" in differs(Reckoning(world, ""), [heard(1, "call.hangup", "nobody")]).expected
    assert "no call.answered on leg A" in differs(Reckoning(world, ""), [heard(2, "call.answered", "a")]).expected
    assert "no call.gather.ended" in differs(Reckoning(world, ""), [heard(3, "call.gather.ended", "a")]).expected


def test_what_goes_on_ends_once_and_says_how() -> None:
    world = World()
    [leg] = answered(world, "a")
    assert list(world.carry_out(leg, "GatherCall"))
    by_time = world.happenings
    wrong = heard(1, "call.gather.ended", "a", status="over")
    assert Reckoning(world, "", happenings=by_time).difference([wrong]) is not None
    right = heard(2, "call.gather.ended", "a", status="timeout")
    assert Reckoning(world, "", happenings=by_time).difference([right]) is None
    assert Reckoning(world, "", happenings=by_time).difference([right]) is not None


def test_who_joins_and_leaves_a_conference_is_accounted_for() -> None:
    world = World()
    [leg] = answered(world, "a")
    conference = Conference("c")
    world.conferences.append(conference)
    assert world.expected_in_conference(leg, "JoinConference", conference).taken
    reckoning = Reckoning(world, "JoinConference", leg)
    for row in (*world.carry_out(leg, "JoinConference"), world.enter(leg)):
        reckoning.await_events(leg, row)
    assert reckoning.difference([heard(1, "conference.participant.joined", "a", conference_id="c")]) is None
    assert conference.members == {leg}
    assert world.expected_in_conference(leg, "JoinConference", conference).codes == ("90044",)
    left = heard(2, "conference.participant.left", "a", conference_id="c")
    assert "conference.ended" in differs(Reckoning(world, "LeaveConference", leg), [left]).expected
    assert (leg.state, conference.members) == ("answered", set())


def test_a_program_without_a_step_means_the_same_legs() -> None:
    steps: tuple[Step, ...] = (Dial("answers"), RingIn(), Wait(3), Command("BridgeCall", 1, 0), FarEnd("press", 1))
    assert without(steps, 2) == (steps[0], steps[1], steps[3], steps[4])
    assert without(steps, 0) == (RingIn(), Wait(3), Command("BridgeCall", 0, 0), FarEnd("press", 0))
    assert [described(step) for step in steps] == [
        "dial a destination that answers",
        "let a call come in",
        "wait 3 s",
        "BridgeCall to B",
        "let the far end of B press",
    ]


def test_every_command_that_makes_or_moves_a_leg_has_both_requirements_and_nothing_else_has() -> None:
    edition = Settings().edition
    named = {o.id for o in edition.operations if model_requirements(o)}
    conferences = {"CreateConference", "JoinConference", "LeaveConference"}
    assert named == {o.id for o in edition.operations if o.group == "Call Commands"} | conferences
    assert named <= machines()["leg"].commands


def test_the_class_is_chosen_only_where_it_says_something() -> None:
    settings = Settings(only=["ListConferences", "SpeakCall"])
    assert [operation.id for operation in settings.chosen("models")] == ["SpeakCall"]
