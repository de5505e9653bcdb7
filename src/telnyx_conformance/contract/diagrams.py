"""State diagrams of the machines, as a page of Markdown with Mermaid in it: made from the tables, never by hand."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from telnyx_conformance.contract.machines import is_command, machines

if TYPE_CHECKING:
    from collections.abc import Iterator

    from telnyx_conformance.contract.machines import Machine

PAGE = "docs/machines.md"
HEAD = """# State machines

Made from [contracts/machines](../contracts/machines/README.md) by `telnyx-conformance contract machines`; a test holds this page
to them. An arrow is a trigger: an operation is a command, a word in small letters something that happens; the events that tell of
it stand after the slash. What has no arrow is illegal: a command is refused with the code in the table below each diagram, and a
happening comes too late. Commands that change nothing and send nothing are listed, not drawn.
"""
WIDEST = 5


def page() -> str:
    """Return the page with a diagram of each machine."""
    return "\n".join([HEAD, *(_section(machine) for machine in machines().values())])


def _section(machine: Machine) -> str:
    rows = [
        f"## {machine.name.replace('_', ' ').capitalize()}",
        "",
        machine.claim,
        "",
        "```mermaid",
        "stateDiagram-v2",
        *_arrows(machine),
        "```",
        "",
        "| state | meaning | taken without change |",
        "|---|---|---|",
        *(f"| {state} | {meaning} | {_kept(machine, state)} |" for state, meaning in machine.states.items()),
        "",
    ]
    if machine.refusals:
        rows += ["| refused | in | code |", "|---|---|---|", *_refusals(machine), ""]
    return "\n".join(rows)


def _arrows(machine: Machine) -> Iterator[str]:
    yield f"    [*] --> {machine.initial}"
    labels: dict[tuple[str, str, tuple[str, ...]], list[str]] = defaultdict(list)
    for (state, trigger), row in machine.rows.items():
        if state != row.next or row.events or not is_command(trigger):
            labels[state, row.next, row.events].append(trigger)
    for (state, following, events), triggers in labels.items():
        shown = ", ".join(triggers[:WIDEST]) + (f" and {len(triggers) - WIDEST} more" if len(triggers) > WIDEST else "")
        told = f" / {', '.join(events)}" if events else ""
        yield f"    {state} --> {following}: {shown}{told}"
    for state in machine.states:
        if state in machine.final:
            yield f"    {state} --> [*]"


def _kept(machine: Machine, state: str) -> str:
    found = [t for (at, t), row in machine.rows.items() if at == state == row.next and not row.events and is_command(t)]
    return ", ".join(sorted(found))


def _refusals(machine: Machine) -> Iterator[str]:
    for rule in machine.refusals:
        said = ", ".join(sorted(rule.commands)) or "any other command"
        yield f"| {said} | {', '.join(sorted(rule.states)) or 'any state'} | {rule.code} |"
