"""Faults that only a sequence of events can show: what becomes of a webhook on its way out, and how time passes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal

from telnyx_conformance.contract.sequence import Repeat, Send, Sequence
from telnyx_conformance.contract.sequence_requirements import sequence_requirements

if TYPE_CHECKING:
    from telnyx_conformance.contract.model import Edition

Kind = Literal["webhooks", "time", "idempotency"]
Row = tuple[str, str, Kind, str, str, str, tuple[str, ...]]
PAYLOADS = {"hangup_cause": "cause-wrong", "client_state": "client-state-wrong"}


def of_sequence(sequence: Sequence, edition: Edition) -> Iterator[Row]:
    """Yield (id, operator, category, site, kind, variant, sees) for each fault that the sequence can show."""
    binding = {r.id: r for r in sequence_requirements([sequence], edition) if r.level != "MAY"}
    whole = f"{sequence.command}:webhooks.{sequence.name}"
    legs = f"{sequence.command}:commands.{sequence.name}:legs"
    wanted = sequence.wanted
    must = {item.name for item in sequence.must}
    for requirement in binding.values():
        place = requirement.place.removeprefix("webhooks.").removeprefix("commands.").removeprefix(sequence.name)
        site, kind, own = f"{sequence.name}{place}", requirement.kind, (requirement.id,)
        event, _, field = place.removeprefix(".").partition(".")

        def row(
            operator: str, variant: str, sees: tuple[str, ...], category: Kind = "webhooks",
            at: tuple[str, str, str] = (requirement.id, site, kind),
        ) -> Row:  # fmt: skip
            return (f"{at[0]}:{variant}", operator, category, at[1], at[2], variant, sees)

        if kind == "present":
            yield row("event-missing", "missing", own)
            yield row("event-doubled", "doubled", own)
            yield row("event-type-wrong", "type", (*own, f"{whole}:closed", f"{whole}.{event}:present"))
            yield row("leg-wrong", "leg", (*own, legs))
            if f"{whole}:schema" in binding:
                yield row("event-field-type", "schema", (f"{whole}:schema",))
            if f"{whole}.call_session_id:share" in binding:
                yield row("session-wrong", "session", (f"{whole}.call_session_id:share",))
        elif kind == "payload" and event in must:
            yield row(PAYLOADS.get(field, "payload-wrong"), "changed", own)
        elif kind == "order":
            yield row("event-before-cause", "before", own)
        elif kind == "timing":
            late = place.endswith("less_than")
            yield row("timeout-late" if late else "timeout-early", "late" if late else "early", own, "time")
            if not late:
                hung = place.removeprefix(".").partition("..")[2].rpartition(".")[0]
                yield row("timeout-unit", "unit", (*own, f"{whole}.{hung}:present"), "time")
        elif kind == "never":
            yield row("event-that-must-not-be", "extra", own)
        elif kind == "signature":
            yield row("signature-wrong", "wrong", own)
            yield row("signature-missing", "missing", own)
        elif kind == "delivery" and wanted[event].delivery is not None:
            delivery = wanted[event].delivery
            if delivery is not None and delivery.inbox:
                yield row("url-wrong", "url", own)
            if delivery is not None and delivery.method:
                yield row("method-wrong", "method", own)
    if _repeats_an_id(sequence):
        name = f"{sequence.command}:commands.{sequence.name}:command-id:ignored"
        sees = (whole, f"{sequence.command}:commands.{sequence.name}")
        yield (name, "command-id-ignored", "idempotency", sequence.name, "command-id", "ignored", sees)


def _repeats_an_id(sequence: Sequence) -> bool:
    sends = {step.name: step for step in sequence.steps if isinstance(step, Send)}
    repeated = [sends[s.of] for s in sequence.steps if isinstance(s, Repeat) and s.of in sends]
    return any("command_id" in step.request for step in repeated)
