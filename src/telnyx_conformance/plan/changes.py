"""Changes to a resource that exists: for each field a valid request that gives it a value which it does not have yet."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from telnyx_conformance.contract.envelopes import JSON
from telnyx_conformance.contract.validators import compiled
from telnyx_conformance.plan.values import filled

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from telnyx_conformance.contract.model import Edition, Operation
    from telnyx_conformance.contract.validators import Validator
    from telnyx_conformance.plan.probe import Plan, Probe


class Changes:
    """What can be asked of one operation that takes a JSON object. `plan` is its own: every value in it is valid.

    `minimal` is the smallest valid request.
    """

    def __init__(self, edition: Edition, operation: Operation, plan: Plan) -> None:
        self.minimal = plan.probes[0]
        taken = [p for p in plan.probes if p.expect == "accept" and p.conformance_class == "requests"]
        self._taken = [p for p in taken if isinstance(p.body, dict) and not p.path and p.media_type == JSON]
        content = operation.body.content if operation.body else {}
        self._validator: Validator | None = (
            compiled(edition.document, content[JSON], "request") if content.get(JSON) else None
        )

    def fullest(self, fields: Iterable[str]) -> Probe:
        """Return the planned request that sets the most of `fields`."""
        names = set(fields)
        return max(self._taken, key=lambda probe: len(names & probe.body.keys()), default=self.minimal)

    def of(self, fields: Iterable[str], current: Mapping[str, Any], last: Any = None) -> dict[str, Probe]:
        """Return for each field that can be changed a request that changes it and nothing else but what is required.

        `current` is what a look shows, `last` the body of the probe that set it, in which tokens are not filled in yet.
        """
        said = last if isinstance(last, dict) else {}
        tokens = {name: value for name, value in said.items() if filled(value) != value}
        held = {name: (current.get(name), tokens.get(name)) for name in fields}
        return {name: probe for name in held if (probe := next(self._to(name, held[name]), None)) is not None}

    def together(self, changes: Mapping[str, Probe]) -> Probe | None:
        """Return one request that makes all changes, as far as they go together; `None` for none."""
        whole: Probe | None = None
        for probe in changes.values():
            joined = probe if whole is None else self._with(whole, probe.body, probe.references)
            whole = joined or whole
        return whole

    def otherwise(self, probe: Probe, name: str) -> Iterator[Probe]:
        """Yield requests that differ from `probe` in the text `name`, as far as they are valid."""
        value = probe.body.get(name) if isinstance(probe.body, dict) else None
        for other in others(value) if isinstance(value, str) else ():
            made = self._with(probe, {name: other}, {})
            if made is not None:
                yield made

    def _to(self, name: str, held: tuple[Any, ...]) -> Iterator[Probe]:
        """Yield requests that give a field another value: a planned one, else one that is like a planned one."""
        planned = [(probe.body[name], probe) for probe in self._taken if probe.body.get(name) is not None]
        nearby = [(other, probe) for value, probe in planned for other in others(value)]
        for value, probe in [*planned, *nearby]:
            pointed = {pointer: field for pointer, field in probe.references.items() if pointer == f"/{name}"}
            made = self._with(self.minimal, {name: value}, pointed) if value not in held else None
            if made is not None:
                yield made

    def _with(self, probe: Probe, fields: Mapping[str, Any], references: Mapping[str, str]) -> Probe | None:
        body = {**(probe.body if isinstance(probe.body, dict) else {}), **fields}
        if self._validator is None or not self._validator.is_valid(filled(body)):
            return None
        return replace(probe, body=body, media_type=JSON, references={**probe.references, **references})


def others(value: Any) -> Iterator[Any]:
    """Yield values of the same type that differ from `value`, the likeliest to be well-formed first."""
    if isinstance(value, bool):
        yield not value
    elif isinstance(value, int | float):
        yield from (value + 1, value - 1)
    elif isinstance(value, str):
        yield from (value[:-1] + end for end in "12" if value[-1:] != end)
        yield f"{value}-other"
        yield from (start + value[1:] for start in "12" if value and value[0] != start)
