"""What fuzzing can show of an operation: four statements about any request at all.

They stand apart from the planned requirements because a run that was not asked to fuzz does not plan them: a figure
over what nobody tried would mean nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from telnyx_conformance.contract.model import Level, Operation, Requirement

if TYPE_CHECKING:
    from collections.abc import Iterable

FUZZ = "fuzz"
NO_SERVER_ERROR, DOCUMENTED = "no-server-error", "documented-response"
ACCEPTED, REFUSED = "positive-accepted", "negative-refused"
KINDS: dict[str, tuple[Level, str]] = {
    NO_SERVER_ERROR: ("MUST", "no request makes the server fail or stay silent"),
    DOCUMENTED: ("MUST", "whatever is asked, the answer has a documented status and its documented shape"),
    ACCEPTED: ("SHOULD", "whatever satisfies the contract is accepted"),
    REFUSED: ("SHOULD", "whatever breaks the contract is refused, and the refusal names the culprit"),
}


def fuzz_requirements(operation: Operation, planned: Iterable[Requirement]) -> tuple[Requirement, ...]:
    """Return what fuzzing shows of an operation. `planned` are its other requirements.

    Object storage speaks S3's own XML, which no generator here makes. Where nothing can be refused, nothing is
    required to be; what is wrong in a path may as well be unknown, and is left to the class surface.
    """
    if operation.server != "api":
        return ()
    refusable = any(
        r.kind == "pointer" and r.level != "MAY" and not r.place.startswith("request.path") for r in planned
    )
    return tuple(
        Requirement(
            id=f"{operation.id}:{FUZZ}:{kind}", operation=operation.id, group=operation.group, conformance_class=FUZZ,
            level=level, kind=kind, place=FUZZ, statement=statement, source="document",
        )
        for kind, (level, statement) in KINDS.items()
        if kind != REFUSED or refusable
    )  # fmt: skip
