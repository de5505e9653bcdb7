"""Writes what a run leaves behind into its folder: each file whole or not at all, the most important one first."""

from __future__ import annotations

import datetime as dt
import errno
import os
import shutil
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

from telnyx_conformance.errors import ReportError
from telnyx_conformance.report.certificate import to_json
from telnyx_conformance.report.evidence import Evidence, merge_parts, sources
from telnyx_conformance.report.html import html
from telnyx_conformance.report.junit import junit
from telnyx_conformance.report.reproduce import FOLDER, LIMIT, reproducers, with_reproducers
from telnyx_conformance.report.scoring import certify
from telnyx_conformance.report.waivers import read_waivers

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from telnyx_conformance.report.certificate import Certificate

RESULTS = ("certificate.json", "certificate.html", "junit.xml")
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
FORBIDDEN = (errno.EACCES, errno.EPERM, errno.EROFS)


def write_reports(
    run_folder: Path,
    waivers_file: Path | None = None,
    *,
    known: Collection[str] = (),
    today: dt.date | None = None,
    limit: int = LIMIT,
) -> Certificate:
    """Score the evidence in `run_folder`; write certificate.json, certificate.html, junit.xml and `failures/` there.

    `known` are all requirement ids of the edition, so that a waiver of what this run did not select is not stale.
    May be called again on the same folder. `limit` bounds the reproducers.

    Raises:
        ReportError: a file could not be written; the evidence, and the files written before it, are kept.
        UsageError: the waivers are wrong, or the run had nothing to judge.
        IncompleteError: there is no evidence.

    """
    waivers = read_waivers(waivers_file, known) if waivers_file is not None else ()
    evidence = Evidence(run_folder)
    scored = certify(
        evidence.records(),
        waivers,
        today=today or dt.datetime.now(tz=dt.UTC).date(),
        known=known,
        tool_version=tool_version(),
    )
    certificate = with_reproducers(scored, limit)
    write_file(run_folder / "certificate.json", to_json(certificate))
    write_file(run_folder / "junit.xml", junit(certificate))
    write_file(run_folder / "certificate.html", html(certificate, evidence).encode())
    _write_failures(run_folder, certificate, evidence)
    try:
        merge_parts(run_folder)
    except OSError as error:
        raise report_error(error, run_folder / "evidence.ndjson") from error
    return certificate


def prepare_folder(run_folder: Path) -> None:
    """Make the folder of a run, empty of an earlier run's results: two runs in one folder would be scored as one.

    Raises `ReportError` when nothing can be written there.
    """
    try:
        run_folder.mkdir(parents=True, exist_ok=True)
        for earlier in (*sources(run_folder), *(run_folder / name for name in RESULTS)):
            earlier.unlink(missing_ok=True)
        if (run_folder / FOLDER).exists():
            shutil.rmtree(run_folder / FOLDER)
    except OSError as error:
        raise report_error(error, run_folder) from error
    write_file(run_folder / "certificate.json", b"")
    (run_folder / "certificate.json").unlink()


def write_file(path: Path, content: bytes, *, mode: int = 0o644, sync: bool = True) -> None:
    """Write a file so that a reader sees the old one or the new one, never a part. Raises `ReportError`."""
    scratch = path.with_name(f".{path.name}.writing")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with scratch.open("wb") as file:
                file.write(content)
                file.flush()
                if sync:
                    os.fsync(file.fileno())
            scratch.chmod(mode)
            scratch.replace(path)
        finally:
            scratch.unlink(missing_ok=True)
    except OSError as error:
        raise report_error(error, path) from error


def _write_failures(run_folder: Path, certificate: Certificate, evidence: Evidence) -> None:
    """Write the reproducers anew: one that is left from an earlier scoring would accuse wrongly."""
    folder = run_folder / FOLDER
    try:
        if folder.exists():
            shutil.rmtree(folder)
    except OSError as error:
        raise report_error(error, folder) from error
    for name, content in reproducers(certificate, evidence):
        write_file(run_folder / name, content, mode=0o755 if name.endswith(".sh") else 0o644, sync=False)


def report_error(error: OSError, path: Path) -> ReportError:
    """Say what the system refused: a full disk, a missing permission, anything else."""
    if error.errno in FULL:
        problem, advice = "no space is left for a result", "free some space, then write the reports again"
    elif error.errno in FORBIDDEN:
        problem, advice = "no permission to write a result", "choose another folder with --out"
    else:
        problem, advice = "a result could not be written", "choose another folder with --out"
    return ReportError(problem, where=str(path), got=error.strerror or str(error), advice=advice)


def tool_version() -> str:
    """Return the version of this package, nothing when it runs without being installed."""
    try:
        return version("telnyx-conformance")
    except PackageNotFoundError:
        return ""
