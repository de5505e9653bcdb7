"""Proving a delivery contract: play it, judge what the receivers saw and what the log tells."""

from __future__ import annotations

from typing import TYPE_CHECKING

from telnyx_conformance.checks.attempts import Unjudged
from telnyx_conformance.checks.delivery import judge_delivery
from telnyx_conformance.contract.exchange import Exchange, Request
from telnyx_conformance.run.delivery_scenario import DeliveryScenario
from telnyx_conformance.run.verdict import Verdict, inconclusive, judged

if TYPE_CHECKING:
    from telnyx_conformance.contract.delivery import DeliveryContract
    from telnyx_conformance.run.session import Session


async def prove_delivery(session: Session, contract: DeliveryContract) -> list[Verdict]:
    """Return the verdicts on a delivery contract."""
    scenario = DeliveryScenario(session, contract)
    await scenario.play()
    seen = scenario.seen()
    scenario.forget()
    heard = Exchange(
        request=Request(method="WEBHOOKS", path=f"#{contract.name}"),
        error="events",
        events=tuple(one.event for one in seen.heard),
    )
    shown = (*scenario.exchanges, session.keep(heard, session.edition.operation(contract.operation), contract.name))
    verdicts = []
    for requirement, said in judge_delivery(contract, seen).items():
        if scenario.unfinished:
            verdicts.append(inconclusive(requirement, scenario.unfinished, probe=contract.name, exchanges=shown))
        elif isinstance(said, Unjudged):
            verdicts.append(inconclusive(requirement, said.reason, probe=contract.name, exchanges=shown))
        else:
            verdicts.append(judged(requirement, said, probe=contract.name, exchanges=shown))
    return verdicts
