"""Every fault that can be planted, read off the contract: operators applied to the sites where they make sense.

An id is the requirement that names the fault, followed by what is wrong, such as
`TransferCall:request.body.timeout_secs:maximum:not-checked`. Ids are permanent.

What the contract merely permits (level MAY) is no fault, and so no mutant.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from telnyx_conformance.contract.constraints import constraints_of
from telnyx_conformance.contract.deliveries import load_deliveries
from telnyx_conformance.contract.echoes import echoed_fields
from telnyx_conformance.contract.envelopes import JSON, envelope_of
from telnyx_conformance.contract.fields import fields_of
from telnyx_conformance.contract.lifecycle_requirements import PLACE as LIFE
from telnyx_conformance.contract.nodes import reader_of
from telnyx_conformance.contract.requirements import enumerate_requirements
from telnyx_conformance.contract.sequences import load_sequences
from telnyx_conformance.errors import UnknownName
from telnyx_conformance.mutants.answers import typed_places
from telnyx_conformance.mutants.deliveries import of_delivery
from telnyx_conformance.mutants.equivalents import EQUIVALENTS
from telnyx_conformance.mutants.lives import of_requirement
from telnyx_conformance.mutants.mutant import Category, Mutant
from telnyx_conformance.mutants.robustness import ROBUSTNESS, rows_of
from telnyx_conformance.mutants.sequences import of_sequence
from telnyx_conformance.mutants.transitions import OPERATORS, places, site_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from telnyx_conformance.contract.constraints import Constraint
    from telnyx_conformance.contract.fields import Field
    from telnyx_conformance.contract.model import Edition, Operation, Requirement
    from telnyx_conformance.contract.sequence import Sequence

# What a rule that is ignored is called, and one that refuses what it should take.
IGNORED = {
    **dict.fromkeys(("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"), "bound-not-checked"),
    **dict.fromkeys(("minLength", "maxLength"), "length-not-checked"),
    **dict.fromkeys(("minItems", "maxItems", "uniqueItems", "minProperties"), "count-not-checked"),
    "enum": "foreign-member-accepted", "const": "foreign-member-accepted", "required": "required-not-required",
    "pattern": "pattern-not-checked", "format": "format-not-checked", "named-format": "format-not-checked",
    "type": "type-not-checked", "null": "null-accepted", "dependentRequired": "dependent-not-checked",
    "required-if": "dependent-not-checked", "allowed-if": "condition-not-checked", "narrowed": "condition-not-checked",
    "exclusive": "exclusive-not-checked", "oneOf": "alternatives-not-checked",
    "anyOf": "alternatives-not-checked", "additionalProperties": "unknown-member-accepted",
}  # fmt: skip
BEYOND = frozenset({"minimum", "maximum", "minLength", "maxLength", "minItems", "maxItems"})
TAKEN = {
    **dict.fromkeys(("type", "accepted", "format", "named-format", "pattern"), "value-refused"),
    "member": "member-refused", "nullable": "null-refused", "alternative": "alternative-refused",
}  # fmt: skip
SURFACE: dict[str, tuple[str, Category, str]] = {
    "route:exists": ("not-routed", "routing", "not-found"),
    "auth:missing": ("missing-key-accepted", "authentication", "accepted"),
    "auth:malformed": ("malformed-key-accepted", "authentication", "accepted"),
    "auth:unknown": ("foreign-key-accepted", "authentication", "accepted"),
    "method:not-allowed": ("method-allowed", "routing", "allowed"),
    "resource:unknown": ("unknown-resource-found", "routing", "found"),
    "headers:accept": ("accept-refused", "routing", "refused"),
    "headers:content-type-charset": ("charset-refused", "routing", "refused"),
    "headers:authorization-case": ("scheme-case-refused", "authentication", "refused"),
    "request.body:malformed": ("malformed-body-accepted", "validation", "accepted"),
    "request.body:content-type": ("foreign-media-type-accepted", "validation", "accepted"),
    "response:status": ("status-wrong", "responses", "undocumented"),
    "response:content-type": ("content-type-wrong", "responses", "undocumented"),
    "response:empty": ("body-not-empty", "responses", "body"),
    "response:envelope": ("envelope-wrong", "responses", "bare"),
    "error:schema": ("error-envelope-wrong", "responses", "bare"),
    "pagination:size": ("page-size-off-by-one", "responses", "one-more"),
    "pagination:number": ("page-repeated", "responses", "first-again"),
    "pagination:totals": ("totals-wrong", "responses", "none"),
    "pagination:beyond-end": ("page-beyond-end", "responses", "first-again"),
    "filter:applies": ("filter-ignored", "responses", "ignored"),
    "sort:order": ("sort-reversed", "responses", "reversed"),
}  # fmt: skip


def catalogue(edition: Edition) -> Iterator[Mutant]:
    """Yield every mutant of an edition, equivalent ones left out, always in the same order."""
    yield from (m for m in everything(edition) if not is_equivalent(m))


def everything(edition: Edition) -> Iterator[Mutant]:
    """Yield every mutant, also those that are equivalent to the original."""
    for operation in edition.operations:
        yield from of_operation(edition, operation)
    yield from of_sequences(edition)
    yield from of_deliveries(edition)
    yield from of_transitions(edition)


def of_operation(edition: Edition, operation: Operation) -> Iterator[Mutant]:
    """Yield the mutants of one operation that single requests can show."""
    required = {r.id: r for r in enumerate_requirements(edition, operation) if r.level != "MAY"}
    made = [*_of_requests(edition, operation, required), *_of_the_whole(edition, operation, required)]
    made += _of_life(edition, operation, required)
    yield from {m.id: m for m in made}.values()


def of_sequences(edition: Edition) -> Iterator[Mutant]:
    """Yield the mutants that only a sequence of events can show."""
    for sequence in load_sequences(edition.name):
        yield from shown_by(sequence, edition)


def shown_by(sequence: Sequence, edition: Edition) -> Iterator[Mutant]:
    """Yield the mutants that a sequence shows."""
    for row in {row.id: row for row in of_sequence(sequence, edition)}.values():
        yield Mutant(
            id=row.id,
            operator=row.operator,
            category=row.category,
            operation=sequence.command,
            site=row.site,
            kind=row.kind,
            variant=row.variant,
            sees=row.sees,
            conformance_class="commands" if row.category == "responses" else "webhooks",
            sequence=sequence.name,
        )


def of_deliveries(edition: Edition) -> Iterator[Mutant]:
    """Yield the mutants that only a webhook's journey can show."""
    for contract in load_deliveries(edition.name):
        for row in of_delivery(contract):
            yield Mutant(
                id=row.id,
                operator=row.operator,
                category=row.category,
                operation=contract.operation,
                site=row.site,
                kind=row.kind,
                variant=row.variant,
                sees=row.sees,
                conformance_class="webhooks",
                delivery=contract.name,
            )


def of_transitions(edition: Edition) -> Iterator[Mutant]:
    """Yield the mutants that misread the table of a state machine."""
    for place in places(edition, load_sequences(edition.name)):
        if not place.requirement:
            continue
        operation, where, kind = place.requirement.split(":")
        yield Mutant(
            id=f"{place.requirement}:{place.machine}.{place.state}:{place.variant}",
            operator=OPERATORS[place.variant],
            category="state",
            operation=operation,
            site=site_of(place.machine, place.state, place.command),
            kind=kind,
            variant=place.variant,
            sees=(place.requirement,),
            conformance_class=where.partition(".")[0],
            sequence=place.sequence,
        )


def is_equivalent(mutant: Mutant) -> bool:
    """Whether nobody could tell a mutant from the original; `EQUIVALENTS` says why."""
    return any(rule.matches(mutant.id) for rule in EQUIVALENTS)


def mutant_called(edition: Edition, name: str) -> Mutant:
    """Return the mutant with an id. Raises `UnknownName` with the nearest one."""
    operation = edition.operation(name.partition(":")[0])
    found = {m.id: m for m in of_operation(edition, operation)}
    others = (*of_sequences(edition), *of_deliveries(edition), *of_transitions(edition))
    found |= {m.id: m for m in others if m.operation == operation.id}
    if name not in found:
        raise UnknownName("mutant", name, found)
    return found[name]


def _of_requests(edition: Edition, operation: Operation, required: dict[str, Requirement]) -> Iterator[Mutant]:
    reader = reader_of(edition)
    if operation.server != "api":
        return
    for field in fields_of(edition, operation):
        for constraint in constraints_of(reader, field):
            requirement = required.get(f"{operation.id}:{field.place}:{constraint.kind}")
            if requirement is None:
                continue
            if constraint.rule in ("pointer", "code"):
                yield from _of_wording(requirement, field)
                continue
            if constraint.refuses:
                yield from _ignored(requirement, constraint, field)
            if constraint.accepts:
                yield from _refused(requirement, constraint)


def _of_wording(requirement: Requirement, field: Field) -> Iterator[Mutant]:
    what = "parameter" if requirement.kind == "pointer" and field.location != "body" else requirement.kind
    for variant in ("wrong", "missing"):
        yield _one(requirement, f"{what}-{variant}", "responses", variant)


def _ignored(requirement: Requirement, constraint: Constraint, field: Field) -> Iterator[Mutant]:
    # What a path names wrongly is not found either: then only the wording tells the two refusals apart.
    words = ("pointer", "code") if field.location == "path" else ()
    sees = (requirement.id, *(f"{requirement.operation}:{field.place}:{word}" for word in words))
    yield _one(requirement, IGNORED[constraint.rule], "validation", "not-checked", sees=sees)
    if constraint.rule in BEYOND:
        yield _one(requirement, "bound-off-by-one", "validation", "beyond-accepted", sees=sees)


def _refused(requirement: Requirement, constraint: Constraint) -> Iterator[Mutant]:
    if constraint.rule in BEYOND:
        yield _one(requirement, "bound-off-by-one", "validation", "edge-refused")
    elif constraint.rule in TAKEN:
        yield _one(requirement, TAKEN[constraint.rule], "validation", "refused")


def _of_the_whole(edition: Edition, operation: Operation, required: dict[str, Requirement]) -> Iterator[Mutant]:
    for requirement in required.values():
        yield from _of_surface(requirement, operation)
        for operator, variant, field in rows_of(edition, operation, requirement):
            yield _one(requirement, operator, ROBUSTNESS[operator], variant, at=field)
    minimal = required[f"{operation.id}:request:minimal"]
    if operation.secured:
        yield _one(minimal, "right-key-refused", "authentication", "key-refused")
    yield _one(minimal, "internal-error", "robustness", "error")
    place = f"{operation.id}:response.{operation.success.status}"
    schema = required.get(f"{place}:schema")
    if schema is None:
        return
    broken: tuple[str, ...] = (f"{place}:schema", f"{place}:envelope")
    for variant in ("truncated", "not-json"):
        yield _one(schema, f"body-{variant}", "robustness", variant, sees=broken)
    for name, facts in typed_places(edition, operation.success.content[JSON], envelope_of(edition, operation)):
        for variant in facts:
            yield _one(schema, f"field-{variant}", "responses", variant, at=name)
    echo = required.get(f"{place}:echo")
    if echo is not None:
        for name in echoed_fields(edition, operation):
            yield _one(echo, "value-not-echoed", "responses", "changed", at=name)


def _of_life(edition: Edition, operation: Operation, required: dict[str, Requirement]) -> Iterator[Mutant]:
    for requirement in (r for r in required.values() if r.place == LIFE):
        for row in of_requirement(edition, operation, requirement):
            yield _one(requirement, row.operator, "state", row.variant, at=row.at)


def _of_surface(requirement: Requirement, operation: Operation) -> Iterator[Mutant]:
    place = requirement.place
    row = SURFACE.get(f"{place if place.startswith('request') else place.partition('.')[0]}:{requirement.kind}")
    if requirement.kind.startswith("media="):
        yield _one(requirement, "media-type-refused", "validation", "refused")
    if row is not None and not (row[0] == "content-type-wrong" and "*/*" in operation.success.content):
        yield _one(requirement, *row)


def _one(
    requirement: Requirement,
    operator: str,
    category: Category,
    variant: str,
    *,
    at: str = "",
    sees: tuple[str, ...] = (),
) -> Mutant:
    site = f"{requirement.place}:{at}" if at else requirement.place
    return Mutant(
        id=f"{requirement.operation}:{site}:{requirement.kind}:{variant}", operator=operator, category=category,
        operation=requirement.operation, site=site, kind=requirement.kind, variant=variant,
        sees=sees or (requirement.id,), conformance_class=requirement.conformance_class,
    )  # fmt: skip
