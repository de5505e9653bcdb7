"""The command line: `telnyx-conformance`. Words go to stderr, data to stdout; the exit code is the verdict."""

from __future__ import annotations

import sys

import click

from telnyx_conformance import __version__
from telnyx_conformance.cli.certify import certify
from telnyx_conformance.cli.contract import contract
from telnyx_conformance.cli.emulate import emulate
from telnyx_conformance.cli.fuzz import fuzz
from telnyx_conformance.cli.mutants import mutants
from telnyx_conformance.cli.report import report
from telnyx_conformance.errors import ConformanceError, ExitCode

EPILOG = """\b
Exit codes: 0 conforms, 1 does not conform, 2 wrong usage or configuration, 3 could not be completed.

\b
Examples:
  telnyx-conformance certify                                   the embedded emulator
  telnyx-conformance certify http://127.0.0.1:4010 --only TransferCall
  telnyx-conformance fuzz --only TransferCall --seconds 20
  telnyx-conformance emulate --port 12111
  telnyx-conformance mutants run --sample 100                  the suites against planted faults
  telnyx-conformance contract show TransferCall
"""


@click.group(epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, prog_name="telnyx-conformance")
def commands() -> None:
    """Prove that an endpoint behaves like the Telnyx API v2, or show exactly where it does not."""


for command in (certify, emulate, fuzz, mutants, contract, report):
    commands.add_command(command)


def main() -> None:
    """Run the command line; an error of ours becomes its text on stderr and its exit code."""
    try:
        code = commands.main(standalone_mode=False)
    except click.exceptions.Abort:
        click.echo("interrupted", err=True)
        code = ExitCode.INCOMPLETE
    except click.ClickException as wrong:
        wrong.show()
        code = ExitCode.USAGE
    except ConformanceError as wrong:
        click.echo(f"error: {wrong}", err=True)
        code = wrong.exit_code
    except BrokenPipeError:
        sys.stderr.close()  # the reader of our output has gone; Python would complain about that at exit
        code = ExitCode.INCOMPLETE
    sys.exit(int(code or 0))
