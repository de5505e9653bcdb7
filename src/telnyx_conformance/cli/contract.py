"""`contract`: look at what the API promises, check it, import it, bundle it."""

from __future__ import annotations

import fnmatch
import json
from pathlib import Path
from typing import Any

import click

from telnyx_conformance.contract.document import DEFAULT_EDITION, contracts_folder, load_edition
from telnyx_conformance.errors import ContractError, ExitCode, UsageError

edition_option = click.option("--edition", default=DEFAULT_EDITION, show_default=True, help="Edition of the contract.")


@click.group()
def contract() -> None:
    """List, show, lint, import and bundle contracts."""


@contract.command(name="list")
@edition_option
@click.argument("patterns", nargs=-1)
def list_(edition: str, patterns: tuple[str, ...]) -> None:
    """List operations: id, method, path, group, safety class."""
    for operation in load_edition(edition).select(patterns):
        click.echo(f"{operation.id}\t{operation.method}\t{operation.path}\t{operation.group}\t{operation.safety}")


@contract.command()
@edition_option
@click.option("--json", "as_json", is_flag=True, help="One JSON object per requirement.")
@click.argument("operation")
@click.argument("pattern", default="*")
def show(edition: str, as_json: bool, operation: str, pattern: str) -> None:
    """Show every requirement of OPERATION whose id matches the glob PATTERN."""
    from telnyx_conformance.run.settings import Settings

    settings = Settings(edition=edition, only=[operation])
    found = [r for r in settings.planned() if fnmatch.fnmatchcase(r.id, pattern) or pattern in r.id]
    if as_json:
        for requirement in found:
            click.echo(json.dumps({f: getattr(requirement, f) for f in requirement.__struct_fields__}))
        return
    for one in settings.selected:
        click.secho(f"{one.id}: {one.method} {one.path} ({one.group}, {one.safety})", bold=True)
        for requirement in (r for r in found if r.operation == one.id):
            click.echo(
                f"  {requirement.id.removeprefix(one.id + ':')}  [{requirement.level}, {requirement.conformance_class}]"
            )
            click.echo(f"      {requirement.statement}  ({requirement.source})")
    click.echo(f"{len(found)} requirements", err=True)


@contract.command()
def control() -> None:
    """Print the contract of the control API: OpenAPI 3.1 as JSON."""
    from telnyx_conformance.contract.control import load_control

    click.echo(json.dumps(load_control().document, indent=1, ensure_ascii=False))


@contract.command()
def lint() -> int:
    """Check every contract file against the schema beside it, and what the files say of each other."""
    from telnyx_conformance.contract.lint import lint as linting

    problems = linting()
    for problem in problems:
        click.echo(str(problem))
    click.echo("no problems" if not problems else f"{len(problems)} problems", err=True)
    return int(ExitCode.USAGE if problems else ExitCode.CONFORMS)


@contract.command()
@click.option("--by", type=click.Choice(["kind", "group"]), default="kind", show_default=True, help="What a row is.")
def tally(by: str) -> None:
    """Count what became of the statements that the documentation makes in words only: keyword, named rule, or rejected."""
    from telnyx_conformance.contract.judgements import OUTCOMES, load_judgements
    from telnyx_conformance.contract.judgements import tally as tallying

    counted = tallying(load_judgements())
    lines = counted.by_kind if by == "kind" else counted.by_group
    click.echo("\t".join([by, *OUTCOMES, "all"]))
    for line in lines:
        click.echo("\t".join([line.name, *(str(line.counts.get(outcome, 0)) for outcome in OUTCOMES), str(line.total)]))
    totals = [sum(line.counts.get(outcome, 0) for line in lines) for outcome in OUTCOMES]
    click.echo("\t".join(["all", *map(str, totals), str(sum(totals))]))


@contract.command(name="import")
@click.argument("document", type=click.Path(path_type=Path))
@click.option("--edition", required=True, help="Name of the edition, a date such as 2025-06-16.")
@click.option("--out", type=click.Path(path_type=Path), help="Folder of the editions; contracts/ when absent.")
def import_(document: Path, edition: str, out: Path | None) -> None:
    """Turn an OpenAPI 3.0 DOCUMENT (JSON or YAML) into an edition: facts only, one file per group."""
    from telnyx_conformance.contract.importer import import_document, write_edition

    files = import_document(_read(document), edition)
    folder = (out or contracts_folder()) / edition
    changed = write_edition(files, folder)
    click.echo(f"{len(files)} files below {folder}, {changed} changed", err=True)


@contract.command()
@edition_option
@click.option("--hardened/--plain", default=True, show_default=True, help="With or without contracts/hardening.")
@click.option("--out", type=click.Path(path_type=Path), help="File to write; stdout when absent.")
def bundle(edition: str, hardened: bool, out: Path | None) -> None:
    """Write one OpenAPI 3.1 document with everything the edition promises, as JSON."""
    from telnyx_conformance.contract.bundle import bundle as bundling

    text = json.dumps(bundling(load_edition(edition, hardened=hardened)), indent=1, ensure_ascii=False) + "\n"
    if out is None:
        click.echo(text, nl=False)
    else:
        out.write_text(text, encoding="utf-8")


@contract.command()
@edition_option
def snapshot(edition: str) -> None:
    """Write down all requirement ids of an edition: ids are permanent, and a test holds this file against the contract."""
    from telnyx_conformance.contract.requirements import snapshot_file, write_snapshot

    loaded = load_edition(edition)
    added, gone = write_snapshot(loaded)
    for name in gone:
        click.echo(f"gone: {name}", err=True)
    click.echo(f"{len(added)} added, {len(gone)} gone: {snapshot_file(loaded)}", err=True)


@contract.command("machines")
@click.option(
    "--out", type=click.Path(dir_okay=False, path_type=Path), default=None, help="File to write; stdout when absent."
)
def diagrams(out: Path | None) -> None:
    """Draw the state machines of calls, conferences and queues, as Markdown with Mermaid diagrams."""
    from telnyx_conformance.contract.diagrams import page

    if out is None:
        click.echo(page(), nl=False)
    else:
        out.write_text(page(), encoding="utf-8")


def _read(document: Path) -> Any:
    import yaml

    try:
        text = document.read_text(encoding="utf-8")
    except OSError as failed:
        raise UsageError("the document cannot be read", where=str(document), got=failed.strerror or "") from None
    try:
        return json.loads(text) if text.lstrip().startswith("{") else yaml.load(text, Loader=yaml.CSafeLoader)
    except (json.JSONDecodeError, yaml.YAMLError) as broken:
        raise ContractError(
            "the document is neither JSON nor YAML", where=str(document), got=str(broken)[:200]
        ) from None
