"""What a search found besides the one failure that stands for a requirement: each with its own reproducer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from telnyx_conformance.report.evidence import Evidence
from telnyx_conformance.report.reproduce import FOLDER, reproducer, steps_of
from telnyx_conformance.report.script import curl
from telnyx_conformance.report.text import file_name
from telnyx_conformance.report.write import write_file

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from telnyx_conformance.report.certificate import Certificate, Result


class Written(msgspec.Struct, frozen=True, kw_only=True):
    """Where a finding's reproducer stands below the run's folder, and its last request as one curl command."""

    folder: str
    curl: str = ""


def write_findings(run_folder: Path, certificate: Certificate, findings: Iterable[Result]) -> list[Written]:
    """Write a reproducer for each finding. Several of one requirement get a number: `failures/<id>-2/`.

    `findings` are results of the certificate with an own `expected`, `actual` and `exchanges`. Raises `ReportError`.
    """
    evidence = Evidence(run_folder)
    for _ in evidence.records():
        pass  # only to learn where the exchanges are
    written: list[Written] = []
    counted: dict[str, int] = {}
    for finding in findings:
        number = counted[finding.id] = counted.get(finding.id, 0) + 1
        name = f"{FOLDER}/{file_name(finding.id)}" + (f"-{number}" if number > 1 else "")
        steps = steps_of(finding, evidence)
        for file, content in reproducer(finding, steps, certificate).items():
            mode = 0o755 if file.endswith(".sh") else 0o644
            write_file(run_folder / name / file, content, mode=mode, sync=False)
        sent = [step for step in steps if step.sent]
        written.append(Written(folder=name, curl=curl(sent[-1], {}) if sent else ""))
    return written
