"""Mutants that nobody can tell from the original, each with the reason: they are not planted and not counted."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Mapping


class Equivalent(msgspec.Struct, frozen=True, kw_only=True):
    """A family of mutants by the pattern of their ids."""

    pattern: str
    reason: str

    def matches(self, name: str) -> bool:
        """Whether a mutant belongs to the family. Brackets in ids are no pattern."""
        return fnmatchcase(name, self.pattern.replace("[", "[[]"))


UNNAMED: Mapping[str, str] = {
    f"{operation}:response.200:content-type": "the contract documents that any media type will do"
    for operation in ("DownloadDocument", "DownloadMedia", "GetObject")
}
"""The binding requirements that no fault can break, each with the reason."""

EQUIVALENTS: tuple[Equivalent, ...] = (
    Equivalent(
        pattern="*ListPhoneNumbers:request.query.filter[country_iso_alpha2]:oneOf=string:refused",
        reason="in a query one text and a list of one text are written alike: who takes the list takes the text",
    ),
    Equivalent(
        pattern="BridgeCall:request.body.call_control_id:type:not-checked",
        reason="a value that is no text names no call: it is refused with the same code and pointer as an unknown one",
    ),
    *(
        Equivalent(
            pattern=f"*-machine-no-beep.{event}.result:payload:changed",
            reason="the event need not come where no beep was heard, and the emulator does not send it",
        )
        for event in ("ended", "not-beeped")
    ),
    *(
        Equivalent(
            pattern=f"LeaveConference:*:leg.{state}:taken",
            reason="who is in no conference is no participant either, and that is refused with the same code",
        )
        for state in ("answered", "bridged", "queued")
    ),
    *(
        Equivalent(
            pattern=f"{operation}:filter.{name}:applies:ignored",
            reason="the filter takes one value only, and everything in the list has it",
        )
        for operation, name in (
            ("ListBulkSimCardActions", "action_type"),
            ("ListOtaUpdates", "type"),
            ("ListPhoneNumberBlocksJobs", "type"),
            ("ListPortingReports", "report_type"),
            ("ListPortoutReports", "report_type"),
        )
    ),
)
