"""Cases that failed once, kept as readable files, so that the next run begins with them.

`<folder>/<operation>/<kind>-<digest>.json`; may be committed beside a target's own tests.
"""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING

import msgspec

from telnyx_conformance.errors import ReportError, UsageError
from telnyx_conformance.fuzzing.probes import fingerprint
from telnyx_conformance.plan.probe import Probe

if TYPE_CHECKING:
    from pathlib import Path

DEFAULT_FOLDER = ".telnyx-conformance/examples"


class Example(msgspec.Struct, frozen=True, kw_only=True):
    """A request that failed: which kind of requirement, what it showed, and the request as a probe."""

    schema_version: int = 1
    operation: str
    kind: str
    expected: str
    actual: str
    probe: Probe


class Examples:
    """The examples of one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def of(self, operation: str) -> list[Example]:
        """Return an operation's examples, the oldest name first. Raises `UsageError` for a file that is none."""
        found = []
        for file in sorted((self.folder / operation).glob("*.json")):
            try:
                found.append(msgspec.json.decode(file.read_bytes(), type=Example))
            except (msgspec.DecodeError, UnicodeDecodeError) as wrong:
                raise UsageError(
                    "not an example of a failing request", where=str(file), got=str(wrong),
                    advice="delete the file: it is only kept to be tried first",
                ) from wrong  # fmt: skip
        return [example for example in found if example.operation == operation]

    def keep(self, example: Example) -> Path:
        """Write an example; the same request is kept once. Raises `ReportError`."""
        digest = hashlib.sha256(fingerprint(example.probe)).hexdigest()[:12]
        file = self.folder / example.operation / f"{example.kind}-{digest}.json"
        scratch = file.with_name(f".{file.name}.{os.getpid()}")
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            scratch.write_bytes(msgspec.json.format(msgspec.json.encode(example), indent=1) + b"\n")
            scratch.replace(file)
        except OSError as failed:
            raise ReportError(
                "an example cannot be kept", got=failed.strerror or str(failed), where=str(file),
                advice="choose another folder with --examples-dir",
            ) from failed  # fmt: skip
        return file
