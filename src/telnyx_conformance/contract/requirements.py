"""Requirements: one testable statement each, with a permanent id, read off the hardened contract.

An id is `Operation:place:kind`, such as `TransferCall:request.body.time_limit_secs:minimum`. Ids are permanent: the
snapshot `requirements.txt` beside an edition holds them all, and a test fails when one goes or changes its name. After
an addition write the snapshot anew (`telnyx-conformance contract snapshot`) and read the difference before committing
it. `KINDS` says of every kind how binding it is and who judges it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from telnyx_conformance.contract.constraints import Constraint, constraints_of, shown
from telnyx_conformance.contract.deliveries import load_deliveries
from telnyx_conformance.contract.delivery_requirements import delivery_requirements
from telnyx_conformance.contract.document import contracts_folder
from telnyx_conformance.contract.exchange_requirements import exchange_requirements
from telnyx_conformance.contract.fields import Field, fields_of, is_json
from telnyx_conformance.contract.fuzz_requirements import fuzz_requirements
from telnyx_conformance.contract.kinds import KINDS
from telnyx_conformance.contract.lifecycle_requirements import lifecycle_requirements
from telnyx_conformance.contract.model import Edition, Level, Operation, Requirement
from telnyx_conformance.contract.model_requirements import model_requirements
from telnyx_conformance.contract.nodes import Node, Reader, reader_of
from telnyx_conformance.contract.sequence_requirements import sequence_requirements
from telnyx_conformance.contract.sequences import load_sequences

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SNAPSHOT = "requirements.txt"


def enumerate_requirements(edition: Edition, operation: Operation) -> tuple[Requirement, ...]:
    """Return an operation's requirements: the request's first, then surface, envelopes and headers.

    Pure and deterministic.
    """
    reader = reader_of(edition)
    fields = fields_of(edition, operation)
    found = [*_whole(operation), *(r for field in fields for r in _of_field(reader, operation, field))]
    refusals = any(r.kind == "pointer" for r in found)
    found += exchange_requirements(edition, operation, refuses=refusals)
    found += lifecycle_requirements(edition, operation)
    return tuple({r.id: r for r in found}.values())


def field_id(operation: Operation, field: Field, kind: str) -> str:
    """Return the id of a requirement on a place of a request."""
    return f"{operation.id}:{field.place}:{kind}"


def conformance_class(field: Field) -> str:
    """Return the class that proves what a place is held to: header-like fields belong to `headers`."""
    return "headers" if field.header_like else "requests"


def _whole(operation: Operation) -> Iterator[Requirement]:
    yield requirement(operation, "request", "minimal", "minimal")
    body = operation.body
    if body is None or operation.server != "api":
        return
    if body.media_type == "application/json":
        yield requirement(operation, "request.body", "malformed", "malformed")
    if "*/*" not in body.content:
        yield requirement(operation, "request.body", "content-type", "content-type")
    if len(body.content) > 1:
        for media_type in body.content:
            yield requirement(operation, "request.body", f"media={media_type}", "media", argument=media_type)
    if body.required and not (is_json(body.media_type) and body.content[body.media_type]):
        yield requirement(operation, "request.body", "required", "required", place_name="the body")


def requirement(
    operation: Operation,
    place: str,
    kind: str,
    rule: str,
    *,
    level: Level | None = None,
    source: str = "document",
    argument: str = "",
    place_name: str = "",
    types: str = "",
    proven_by: str = "",
) -> Requirement:
    """Return a requirement of the kind `rule` with the id `Operation:place:kind`."""
    row = KINDS[rule]
    statement = row.statement.format(place=place_name or place, argument=argument, types=types)
    return Requirement(
        id=f"{operation.id}:{place}:{kind}",
        operation=operation.id,
        group=operation.group,
        conformance_class=proven_by or row.conformance_class,
        level=level or row.level,
        kind=kind,
        place=place,
        statement=statement,
        source=source,
    )


def _of_field(reader: Reader, operation: Operation, field: Field) -> Iterator[Requirement]:
    if operation.server != "api":
        return  # object storage speaks S3's own XML; what it refuses is not this document's matter
    named = field.place.removeprefix("request.")
    refused: list[Level] = []
    for constraint in constraints_of(reader, field):
        holder = field.chain[-2].node if constraint.of_parent and len(field.chain) > 1 else field.node
        row = KINDS[constraint.rule]
        made = constraint.made or holder.provenance.get(constraint.keyword)
        level: Level = made.level if made and row.level != "MAY" else row.level
        if constraint.refuses:
            refused.append(level)
        if not constraint.keyword:  # how a refusal is worded binds no more than the refusal itself
            level = "SHOULD" if any(one != "MAY" for one in refused) else "MAY"
        yield requirement(
            operation,
            field.place,
            constraint.kind,
            constraint.rule,
            level=level,
            source=(made.source if made else "schema") if constraint.keyword else "document",
            argument=_argument(constraint, field.node),
            place_name=named,
            types=" or ".join(field.node.types),
            proven_by=conformance_class(field),
        )


def _argument(constraint: Constraint, node: Node) -> str:
    argument: Any = constraint.argument
    if constraint.rule == "required-if":
        return constraint.kind.removeprefix("required=").replace("-if-", " is required when ")
    if constraint.rule == "allowed-if":
        return constraint.kind.removeprefix("allowed=").replace("-if-", " is restricted when ")
    if constraint.rule == "narrowed":
        name, _, keyword = argument
        return constraint.kind.removeprefix(f"{keyword}=").replace(
            f"{name}-if-", f"{name} has a {keyword} to keep to when "
        )
    if isinstance(argument, tuple):
        return " and ".join(map(str, argument))
    if argument is None:
        argument = node.facts.get(constraint.keyword, "")
    return shown(argument) if isinstance(argument, str | int | float | bool) else ""


def requirement_ids(edition: Edition) -> list[str]:
    """Return the ids of all requirements of an edition, sorted."""
    found = [r.id for operation in edition.operations for r in enumerate_requirements(edition, operation)]
    found += [r.id for o in edition.operations for r in fuzz_requirements(o, enumerate_requirements(edition, o))]
    found += [r.id for o in edition.operations for r in model_requirements(o)]
    found += [r.id for r in sequence_requirements(load_sequences(edition.name), edition)]
    found += [r.id for r in delivery_requirements(load_deliveries(edition.name), edition)]
    return sorted(found)


def snapshot_file(edition: Edition) -> Path:
    """Return where the snapshot of an edition's ids is kept."""
    return contracts_folder() / edition.name / SNAPSHOT


def read_snapshot(edition: Edition) -> list[str]:
    """Return the ids of the committed snapshot."""
    return snapshot_file(edition).read_text("utf-8").splitlines()


def write_snapshot(edition: Edition, file: Path | None = None) -> tuple[list[str], list[str]]:
    """Write the snapshot anew and return the ids that were added and those that went; the latter should be none."""
    target = file or snapshot_file(edition)
    before = set(target.read_text("utf-8").splitlines()) if target.exists() else set()
    now = requirement_ids(edition)
    target.write_text("\n".join(now) + "\n", "utf-8")
    return sorted(set(now) - before), sorted(before - set(now))
