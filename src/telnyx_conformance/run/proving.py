"""Proving: one conformance class of an operation, contract or resource, from its plan to a verdict on each requirement."""

from __future__ import annotations

from typing import TYPE_CHECKING

from telnyx_conformance.contract.delivery import DeliveryContract
from telnyx_conformance.contract.lifecycles import Resource
from telnyx_conformance.contract.sequence import Sequence
from telnyx_conformance.run.delivery_proof import prove_delivery
from telnyx_conformance.run.lifecycle import LifeProof
from telnyx_conformance.run.planning import required_by
from telnyx_conformance.run.proof import OperationProof
from telnyx_conformance.run.sequence_proof import prove_sequence_for
from telnyx_conformance.run.verdict import Verdict, inconclusive, worst

if TYPE_CHECKING:
    from telnyx_conformance.run.planning import Subject
    from telnyx_conformance.run.session import Session


async def prove(session: Session, proven: str, subject: Subject) -> list[Verdict]:
    """Return one verdict for each requirement that the class `proven` has for `subject`, and write them to the evidence.

    A requirement that no probe judged is inconclusive: the harness accuses itself rather than stay silent.
    """
    requirements = required_by(session.settings, proven, subject)
    if isinstance(subject, Sequence):
        said, probes, bound = await prove_sequence_for(session, proven, subject), 0, 0
    elif isinstance(subject, DeliveryContract):
        said, probes, bound = await prove_delivery(session, subject), 0, 0
    elif isinstance(subject, Resource):
        said, probes, bound = await LifeProof(session, subject).prove(requirements), 0, 0
    else:
        proof = OperationProof(session, subject, proven)
        said = await proof.prove(requirements)
        probes, bound = proof.probes, proof.lower_bound
    final = worst(said)
    verdicts = [
        final.get(r.id) or inconclusive(r.id, session.down or "no probe of the plan judged it") for r in requirements
    ]
    session.record(verdicts, probes=probes, lower_bound=bound)
    return verdicts
