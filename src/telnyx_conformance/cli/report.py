"""`report`: look at certificates, compare two, merge the parts of a sharded run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from telnyx_conformance.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from telnyx_conformance.report.certificate import Certificate


@click.group()
def report() -> None:
    """Show, merge and compare certificates."""


@report.command()
@click.argument("folder", type=click.Path(path_type=Path))
def show(folder: Path) -> int:
    """Say what a run's certificate says; FOLDER is the run's folder or a certificate.json.

    A run that was killed left evidence and no certificate: it is scored now, as far as it came.
    """
    from telnyx_conformance.report.evidence import sources
    from telnyx_conformance.report.summary import print_summary
    from telnyx_conformance.report.write import write_reports

    if folder.is_dir() and not (folder / "certificate.json").exists() and sources(folder):
        write_reports(folder)
    certificate = read(folder)
    print_summary(certificate, folder if folder.is_dir() else folder.parent)
    return int(certificate.exit_code)


@report.command()
@click.argument("before", type=click.Path(path_type=Path))
@click.argument("after", type=click.Path(path_type=Path))
def compare(before: Path, after: Path) -> int:
    """Say what changed between two runs: newly failing, fixed, added, removed. Exit 1 when the later one is worse."""
    from telnyx_conformance.report import compare as comparing

    difference = comparing.compare(read(before), read(after))
    click.echo(comparing.text(difference))
    return int(ExitCode.DOES_NOT_CONFORM if difference.worse else ExitCode.CONFORMS)


@report.command()
@click.argument("folders", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--out", required=True, type=click.Path(path_type=Path), help="New folder of the merged run.")
@click.option("--waivers", type=click.Path(path_type=Path), help="YAML file of accepted deviations.")
def merge(folders: tuple[Path, ...], out: Path, waivers: Path | None) -> int:
    """Merge the run FOLDERS of all shards and prove that every planned requirement has exactly one verdict."""
    from telnyx_conformance.contract.document import load_edition
    from telnyx_conformance.contract.requirements import requirement_ids
    from telnyx_conformance.report import merge as merging
    from telnyx_conformance.report.summary import print_summary

    known = requirement_ids(load_edition()) if waivers else ()
    certificate = merging.merge(list(folders), out, waivers, known=known)
    print_summary(certificate, out)
    return int(certificate.exit_code)


def read(place: Path) -> Certificate:
    """Return the certificate in a run's folder or file."""
    from telnyx_conformance.report.certificate import from_json

    file = place / "certificate.json" if place.is_dir() else place
    try:
        return from_json(file.read_bytes(), where=str(file))
    except OSError as failed:
        raise UsageError("no certificate there", where=str(file), got=failed.strerror or str(failed)) from None
