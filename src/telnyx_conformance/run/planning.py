"""Writing down what is planned before the first request: the fixed denominator of every figure."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from telnyx_conformance.contract.delivery import DeliveryContract
from telnyx_conformance.contract.lifecycles import Resource
from telnyx_conformance.contract.sequence import Sequence
from telnyx_conformance.run.evidence import EvidenceLog

if TYPE_CHECKING:
    from collections.abc import Sequence as Several
    from pathlib import Path

    from telnyx_conformance.contract.model import Operation, Requirement
    from telnyx_conformance.run.settings import Settings

    Subject = Operation | Sequence | DeliveryContract | Resource

PLAN_FILE = "evidence.plan.ndjson"


def write_plan(settings: Settings, folder: Path, proofs: Several[tuple[str, Subject]]) -> None:
    """Write the run's own record, the requirements of the collected proofs, and a verdict for each that is not claimed.

    `proofs` are (class, what an item is about), one per pytest item: what `-k` or a shard left out is not planned here.
    """
    log = EvidenceLog(folder / PLAN_FILE, [settings.profile.key], worker="plan")
    try:
        log.record("run", _run(settings))
        planned = [r for proven, subject in proofs for r in required_by(settings, proven, subject)]
        log.record("plan", {"requirements": [_wire(r) for r in planned], "probes": 0, "lower_bound": 0})
        unclaimed = _unclaimed(settings) if settings.shard[0] == 1 else []
        if unclaimed:
            log.record("plan", {"requirements": [_wire(r) for r, _ in unclaimed], "probes": 0, "lower_bound": 0})
        for requirement, reason in unclaimed:
            log.record(
                "verdict",
                {
                    "requirement": requirement.id, "verdict": "not_applicable", "check": "claims",
                    "expected": "claimed by the target", "actual": reason, "probe": "", "exchanges": [],
                },
            )  # fmt: skip
    finally:
        log.close()


def required_by(settings: Settings, proven: str, subject: Subject) -> list[Requirement]:
    """Return the requirements that one proof must give a verdict on."""
    if isinstance(subject, Resource):  # some of its operations may not be claimed
        mine = (r for r in settings.required_in(subject) if r.conformance_class == proven)
        return [r for r in mine if not settings.applies(r)]
    required = (
        settings.required_of(subject)
        if isinstance(subject, Sequence | DeliveryContract)
        else settings.required(subject)
    )
    return [r for r in required if r.conformance_class == proven and not settings.keeps_from(r)]


def _unclaimed(settings: Settings) -> list[tuple[Requirement, str]]:
    found = []
    for requirement in settings.planned():
        reason = settings.applies(requirement)
        if reason:
            found.append((requirement, reason))
    return found


def _run(settings: Settings) -> dict[str, Any]:
    profile = settings.profile
    return {
        "schema_version": 1,
        "edition": settings.edition.name,
        "target": {"kind": profile.kind, "base_url": profile.base_url},
        "seed": settings.seed,
        "started_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "arguments": {
            "only": list(settings.only),
            "classes": list(settings.classes),
            "allow": list(profile.allow),
            "shard": "{}/{}".format(*settings.shard),
            "strength": settings.strength,
        },
    }


def _wire(requirement: Requirement) -> dict[str, str]:
    return {
        "id": requirement.id, "operation": requirement.operation, "group": requirement.group,
        "class": requirement.conformance_class, "level": requirement.level, "kind": requirement.kind,
        "statement": requirement.statement, "source": requirement.source,
    }  # fmt: skip
