"""`certify`: run the suites against a target and write its certificate."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from telnyx_conformance.content import content_root
from telnyx_conformance.contract.model import CONFORMANCE_CLASSES
from telnyx_conformance.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from telnyx_conformance.run.settings import Settings

FEW_OPERATIONS = 40
ENVIRONMENT_SHARD = "JOB_COMPLETION_INDEX"


def suites() -> list[str]:
    """Return the classes that this release has a suite for; none when the content is missing, which the command itself tells."""
    try:
        root = content_root()
    except UsageError:
        return []
    return [name for name in CONFORMANCE_CLASSES if (root / "suites" / name).is_dir()]


@click.command(
    epilog="""\b
Examples:
  telnyx-conformance certify                                     the embedded emulator, everything
  telnyx-conformance certify --only TransferCall --class webhooks
  telnyx-conformance certify http://127.0.0.1:4010 --profile prism.yaml
  telnyx-conformance certify live                                safe reads only; key in $TELNYX_API_KEY

A run leaves certificate.html, certificate.json, junit.xml, allure/, evidence.ndjson and failures/ in its folder.
"""
)
@click.argument("target", default="embedded")
@click.option("--edition", default="", help="Edition of the contract; the newest when absent.")
@click.option("--only", multiple=True, metavar="PATTERN", help="Operation id, group or glob; may be repeated.")
@click.option("--class", "classes", multiple=True, metavar="NAME", help=f"Conformance class: {', '.join(suites())}.")
@click.option("--profile", default="", metavar="FILE", help="YAML file that describes the target.")
@click.option("--waivers", default="", metavar="FILE", help="YAML file of accepted deviations.")
@click.option("--allow", multiple=True, metavar="CLASS", help="Safety class that may be called, or all.")
@click.option("--workers", type=click.IntRange(1, 64), default=None, help="Processes; chosen by the size of the run.")
@click.option("--seed", default=1, show_default=True, help="Seed of everything that is chosen.")
@click.option(
    "--strength", type=click.IntRange(1, 2), default=1, show_default=True, help="2: let each two valid values meet."
)
@click.option(
    "--programs",
    type=click.IntRange(1),
    default=2,
    show_default=True,
    help="Random programs per command, for the class models.",
)
@click.option("--shard", default="", metavar="I/N", help="Run the I-th of N parts.")
@click.option("--out", default="", metavar="DIR", help="Folder of the results; reports/out/<time> when absent.")
@click.option("--allure/--no-allure", default=True, show_default=True, help="Write Allure results.")
@click.option("--plan", is_flag=True, help="Print the planned probes, one JSON object a line, and send nothing.")
def certify(
    target: str,
    edition: str,
    only: tuple[str, ...],
    classes: tuple[str, ...],
    profile: str,
    waivers: str,
    allow: tuple[str, ...],
    workers: int | None,
    seed: int,
    strength: int,
    programs: int,
    shard: str,
    out: str,
    allure: bool,
    plan: bool,
) -> int:
    """Run the suites against TARGET (embedded, live, or a URL) and write its certificate."""
    from telnyx_conformance.conducting import prepare
    from telnyx_conformance.run.settings import Settings

    shard = shard or _shard_of_job()
    settings = Settings(
        target=target, edition=edition, only=only, classes=classes, profile=profile, allow=allow, seed=seed, waivers=waivers,
        shard=shard, strength=strength,
    )  # fmt: skip
    if plan:
        print_plan(settings)
        return int(ExitCode.CONFORMS)
    folder = _folder(out)
    prepare(settings, folder)
    options = {"--edition": edition, "--profile": _absolute(profile), "--waivers": _absolute(waivers), "--shard": shard}
    # As `--name=value`: pytest looks for a conftest.py beside every word that is a path before it knows our options.
    arguments = [
        f"--target={target}",
        f"--seed={seed}",
        f"--strength={strength}",
        f"--programs={programs}",
        f"--out={folder}",
        "--progress",
    ]
    arguments += [f"{name}={value}" for name, value in options.items() if value]
    arguments += [f"--only={value}" for value in only]
    arguments += [f"--class={value}" for value in classes]
    arguments += [f"--allow={value}" for value in allow]
    if allure:
        arguments += [f"--alluredir={folder / 'allure'}", "--clean-alluredir"]
    count = workers or (1 if len(settings.selected) < FEW_OPERATIONS else min(os.cpu_count() or 1, 8))
    if settings.profile.webhook_port:
        count = 1  # workers cannot share the port that the target sends its webhooks to
    if count > 1:
        os.environ["PYTHONSAFEPATH"] = "1"  # workers would import a json.py that lies in the current folder
        arguments += ["-n", str(count), "--dist", "worksteal", "--maxschedchunk=50"]
    return run_suites(arguments, classes, folder)


def print_plan(settings: Settings) -> None:
    """Print every probe of the selection: the same edition, selection and seed give the same lines."""
    import msgspec

    from telnyx_conformance.plan.planning import plan_operation

    for operation in settings.selected:
        for probe in plan_operation(settings.edition, operation, settings.seed, settings.strength).probes:
            if not settings.classes or probe.conformance_class in settings.classes:
                click.echo(msgspec.json.encode(probe))


def run_suites(arguments: list[str], classes: tuple[str, ...], folder: Path) -> int:
    """Run pytest over the suites and return our exit code."""
    import pytest

    root = content_root()
    folders = [root / "suites" / name for name in classes] if classes else [root / "suites"]
    absent = [folder.name for folder in folders if not folder.is_dir()]
    if absent:
        raise UsageError(f"this release has no suite for: {', '.join(absent)}", expected=", ".join(suites()))
    common = [f"--rootdir={root}", "-c", str(root / "pyproject.toml"), f"--confcutdir={root}", "-p", "no:cacheprovider"]
    # Whatever else is installed beside us stays out: it costs start-up time, and it could change what the suites do.
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    common += ["-p", "xdist.plugin", "-p", "allure_pytest.plugin", "-p", "no:unraisableexception", "--no-summary"]
    sys.dont_write_bytecode = True  # the content may be installed where nothing can be written
    code = pytest.main([*common, *arguments, *map(str, folders)])
    return int(ours(int(code), folder))


def ours(code: int, folder: Path) -> ExitCode:
    """Translate pytest's exit status: the plugin already set ours; what is left are pytest's own.

    Nothing collected, although a plan was written, means that every worker went away.
    """
    if code == pytest_code("NO_TESTS_COLLECTED") and not any(folder.glob("evidence*.ndjson")):
        click.echo("error: nothing was selected: no claimed operation has the classes asked for", err=True)
        return ExitCode.USAGE
    return ExitCode(code) if code in set(ExitCode) else ExitCode.INCOMPLETE


def pytest_code(name: str) -> int:
    """Return one of pytest's exit statuses by name."""
    import pytest

    return int(pytest.ExitCode[name])


def _absolute(path: str) -> str:
    return str(Path(path).resolve()) if path else ""


def _folder(out: str) -> Path:
    if out:
        return Path(out).resolve()
    import time

    return Path.cwd() / "reports" / "out" / f"{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}-{os.getpid()}"


def _shard_of_job() -> str:
    """Return the shard of a Kubernetes Indexed Job: its index comes from the cluster, its size from `SHARDS`."""
    index, count = os.environ.get(ENVIRONMENT_SHARD, ""), os.environ.get("SHARDS", "")
    return f"{int(index) + 1}/{count}" if index.isdigit() and count.isdigit() else ""
