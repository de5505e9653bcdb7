"""The certificate as frozen values, and its wire form `certificate.json`, schema version 1."""

from __future__ import annotations

import datetime as dt
import math
from typing import Any, Literal, TypeAlias

import msgspec

from telnyx_conformance.contract.model import Level
from telnyx_conformance.errors import ExitCode, UsageError
from telnyx_conformance.report.evidence import Control, Judgement, Target

SCHEMA_VERSION: Literal[1] = 1
CertificateVerdict: TypeAlias = Literal["conforms", "does_not_conform", "incomplete"]
WaiverState: TypeAlias = Literal["used", "passes", "expired", "unmatched", "outside"]
WORDS: dict[CertificateVerdict, str] = {
    "conforms": "conforms",
    "does_not_conform": "does not conform",
    "incomplete": "incomplete",
}
EXIT_CODES: dict[CertificateVerdict, ExitCode] = {
    "conforms": ExitCode.CONFORMS,
    "does_not_conform": ExitCode.DOES_NOT_CONFORM,
    "incomplete": ExitCode.INCOMPLETE,
}


class Counts(msgspec.Struct, frozen=True, kw_only=True):
    """How many requirements have which verdict; `requirements` is the sum of the other five."""

    requirements: int = 0
    passed: int = msgspec.field(name="pass", default=0)
    fail: int = 0
    inconclusive: int = 0
    not_applicable: int = 0
    waived: int = 0

    @property
    def claimed(self) -> int:
        """The denominator of both figures: everything planned but what the target does not claim."""
        return self.requirements - self.not_applicable


class Totals(Counts, frozen=True, kw_only=True):
    """Counts of all scored requirements with the two figures, which are never added up."""

    divergence: float = 0.0
    coverage: float = 0.0


class GroupCounts(Counts, frozen=True, kw_only=True):
    """Counts of one resource group; `operations` of it were planned."""

    operations: int = 0


class RunFigures(msgspec.Struct, frozen=True, kw_only=True):
    """What the run was and took.

    `control`: whether the target speaks the control API; empty when no worker came to its end to tell.
    `bound_ratio_median` and `bound_ratio_p95`: probes over lower bound of the plan's items that have one; else 0.
    """

    seed: int
    started_at: str
    seconds: float
    requests: int
    requests_lower_bound: int
    events: int
    probes: int = 0
    bound_ratio_median: float = 0.0
    bound_ratio_p95: float = 0.0
    interrupted: bool = False
    control: Control = ""
    arguments: dict[str, Any] = {}


class Result(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A requirement and what became of it. What comes after `reproduce` is told only of requirements that do not pass.

    `exchanges` name evidence as `worker/number`; `waiver` is the pattern that covers a waived one.
    """

    id: str
    conformance_class: str = msgspec.field(name="class")
    group: str
    operation: str
    level: Level
    verdict: Judgement
    expected: str
    actual: str
    reproduce: str
    statement: str = ""
    source: str = ""
    check: str = ""
    probe: str = ""
    waiver: str = ""
    exchanges: tuple[str, ...] = ()


class WaiverUse(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a waiver; every state but `used` and `outside` (of this run's selection) fails the run."""

    requirement: str
    reason: str
    link: str
    owner: str
    expires: dt.date
    state: WaiverState
    matched: int
    waived: int

    @property
    def stale(self) -> bool:
        """Whether it fails the run."""
        return self.state in ("passes", "expired", "unmatched")


class Certificate(msgspec.Struct, frozen=True, kw_only=True):
    """The result of a run.

    `totals`, `classes` and `groups` count scored requirements (MUST, SHOULD), `reported` counts the others (MAY);
    `requirements` lists all of them by id. `reasons` say why the verdict is not `conforms`.
    """

    schema_version: Literal[1] = SCHEMA_VERSION
    edition: str
    target: Target
    run: RunFigures
    verdict: CertificateVerdict
    totals: Totals
    classes: dict[str, Counts]
    groups: dict[str, GroupCounts]
    requirements: tuple[Result, ...]
    reported: Counts = Counts()
    waivers: tuple[WaiverUse, ...] = ()
    reasons: tuple[str, ...] = ()
    tool_version: str = ""

    @property
    def exit_code(self) -> ExitCode:
        """What the process tells its caller."""
        return EXIT_CODES[self.verdict]

    @property
    def last_line(self) -> str:
        """The verdict in one line, the last of every run's output."""
        totals = self.totals
        return (
            f"verdict: {WORDS[self.verdict]} — {totals.requirements:,} requirements, "
            f"divergence {shown_divergence(totals.divergence)}, coverage {shown_coverage(totals.coverage)}"
        )

    def results(self, verdict: Judgement) -> tuple[Result, ...]:
        """Return the requirements that have one verdict, of every level."""
        return tuple(result for result in self.requirements if result.verdict == verdict)


def shown_divergence(figure: float) -> str:
    """Return four decimals, rounded up: a divergence that is not nothing never reads 0.0000."""
    return f"{math.ceil(round(figure * 1e4, 6)) / 1e4:.4f}"


def shown_coverage(figure: float) -> str:
    """Return four decimals, rounded down: a coverage that is not whole never reads 1.0000."""
    return f"{math.floor(round(figure * 1e4, 6)) / 1e4:.4f}"


def to_json(certificate: Certificate) -> bytes:
    """Return the wire form: one requirement a line, so that two certificates can be compared with `diff`."""
    head, rows = msgspec.structs.replace(certificate, requirements=()), certificate.requirements
    text = msgspec.json.format(msgspec.json.encode(head), indent=1)
    listed = b",\n  ".join(msgspec.json.encode(row) for row in rows)
    before, after = text.rsplit(b'\n "requirements": []', 1)
    return before + b'\n "requirements": [\n  ' + listed + b"\n ]" + after + b"\n" if rows else text + b"\n"


def from_json(data: bytes, *, where: str = "") -> Certificate:
    """Return the certificate that `to_json` wrote.

    Raises:
        UsageError: it is not one; `where` names its place.

    """
    try:
        return msgspec.json.decode(data, type=Certificate)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise UsageError(
            "not a certificate",
            where=where,
            expected=f"certificate.json, schema_version {SCHEMA_VERSION}",
            got=str(error),
        ) from error
