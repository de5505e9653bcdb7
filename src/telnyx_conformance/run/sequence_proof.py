"""Proving a sequence: play it once for all classes, judge what followed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from telnyx_conformance.checks.event_schema import event_validators
from telnyx_conformance.checks.sequence import judge_sequence
from telnyx_conformance.contract.exchange import Exchange, Request
from telnyx_conformance.run.scenario import Scenario
from telnyx_conformance.run.verdict import Verdict, inconclusive

if TYPE_CHECKING:
    from telnyx_conformance.contract.sequence import Sequence
    from telnyx_conformance.contract.validators import Validator
    from telnyx_conformance.run.session import Session

ABSENCES = ("present", "stream")  # what a sequence that was not played to its end proves nothing about


async def prove_sequence_for(session: Session, proven: str, sequence: Sequence) -> list[Verdict]:
    """Return the verdicts on a sequence, for the class `proven`: of the play for another class, where this worker had one.

    The requirements of all classes are judged on one play, whose exchanges stand in the evidence once.
    """
    kept = session.take_play(sequence.name, proven)
    if kept is not None:
        return kept
    verdicts = await prove_sequence(session, sequence)
    classes = {r.conformance_class for r in session.settings.required_of(sequence)}
    for other in classes.intersection(session.settings.classes or classes) - {proven}:
        session.keep_play(sequence.name, other, verdicts)
    return verdicts


async def prove_sequence(session: Session, sequence: Sequence) -> list[Verdict]:
    """Play a sequence and return the verdicts on all of its requirements."""
    scenario = Scenario(session, sequence)
    await scenario.play()
    events = scenario.events()
    outcomes = judge_sequence(sequence, events, scenario.bindings(), _validators(session))
    scenario.forget()
    operation = session.edition.operation(sequence.command)
    heard = Exchange(request=Request(method="WEBHOOKS", path=f"#{sequence.name}"), error="events", events=events)
    seen = (*scenario.exchanges, session.keep(heard, operation, sequence.name))
    verdicts = []
    for outcome in outcomes:
        if scenario.unfinished and (outcome.verdict != "fail" or outcome.kind in ABSENCES):
            verdicts.append(inconclusive(outcome.requirement, scenario.unfinished, exchanges=seen))
            continue
        verdicts.append(
            Verdict(
                requirement=outcome.requirement,
                verdict=outcome.verdict,
                check=f"sequence-{outcome.kind}",
                expected=outcome.expected,
                actual=outcome.actual,
                probe=sequence.name,
                exchanges=seen,
            )
        )
    return verdicts


def _validators(session: Session) -> dict[str, Validator]:
    if not session.event_validators:
        session.event_validators.update(event_validators(session.edition))
    return session.event_validators
