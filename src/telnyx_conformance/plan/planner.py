"""From the requirements of an operation to the few probes that prove them. Same edition, operation, seed.

Same probes, same ids.
"""

from __future__ import annotations

import copy
import random
from typing import TYPE_CHECKING, Any

import msgspec

from telnyx_conformance.contract.constraints import Constraint, constraints_of
from telnyx_conformance.contract.fields import Field, fields_of, is_json
from telnyx_conformance.contract.nodes import reader_of
from telnyx_conformance.contract.requirements import conformance_class, enumerate_requirements, field_id
from telnyx_conformance.contract.validators import Validator, compiled
from telnyx_conformance.errors import HarnessError
from telnyx_conformance.plan.covering import Offer, Root, Row, largest, offers_of, pack, root_of
from telnyx_conformance.plan.pairwise import Pairs
from telnyx_conformance.plan.probe import Plan, Probe
from telnyx_conformance.plan.references import references_in
from telnyx_conformance.plan.surface import header_probes, surface_probes, without_body
from telnyx_conformance.plan.values import Maker, filled
from telnyx_conformance.plan.violations import broken_roots, violation_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from telnyx_conformance.contract.model import Edition, Operation

Held = list[tuple[Field, tuple[Constraint, ...]]]
BODY: Root = ("body", "")
SAMPLE_XML = {
    "CreateBucket": (
        b"<CreateBucketConfiguration><LocationConstraint>us-east-1</LocationConstraint></CreateBucketConfiguration>"
    ),
    "DeleteObjects": b"<Delete><Object><Key>sample</Key></Object></Delete>",
}


class Planner:
    """Plans one operation."""

    def __init__(self, edition: Edition, operation: Operation, seed: int, strength: int = 1) -> None:
        self.edition, self.operation, self.strength = edition, operation, strength
        self.reader = reader_of(edition)
        self.maker = Maker(self.reader)
        fields = fields_of(edition, operation)
        self.held: Held = [(f, constraints_of(self.reader, f)) for f in fields] if operation.server == "api" else []
        self.wanted = frozenset(r.id for r in enumerate_requirements(edition, operation))
        self.random = random.Random(f"{seed}:{operation.id}")  # noqa: S311 - reproducible, not secret
        self.base = self._base(fields)
        self.media_type = operation.body.media_type if operation.body else ""
        self._validators: dict[Root, Validator] = {}

    def plan(self) -> Plan:
        """Return all probes and the lower bounds."""
        minimal = self.minimal()
        accepted, bounds = self._accepted(minimal)
        single = (
            *self._other_media(minimal),
            *self._refused(minimal),
            *surface_probes(self.edition, self.operation, self.wanted, minimal, self.is_valid),
            *header_probes(self.operation, self.wanted, minimal),
        )
        for probe in single:
            bounds[probe.conformance_class] = bounds.get(probe.conformance_class, 0) + 1
        return Plan(operation=self.operation.id, probes=(*accepted, *single), bounds=bounds)

    def _base(self, fields: tuple[Field, ...]) -> dict[Root, Any]:
        base: dict[Root, Any] = {}
        for field in fields:
            if len(field.chain) > 1 or field.location == "path":
                continue
            if field.location == "body" or field.required:
                name = field.parameter.name if field.parameter else ""
                base.setdefault(root_of(field), self.maker.minimal(field.node, name))
        body = self.operation.body
        if body is not None and body.required and not is_json(body.media_type) and base.get(BODY) == {}:
            base[BODY] = self._one_member(
                fields
            )  # a form without fields has no bytes: nobody could tell that it is there
        return base

    def _one_member(self, fields: tuple[Field, ...]) -> dict[str, Any]:
        first = next((f for f in fields if f.location == "body" and len(f.chain) == 2 and f.name), None)  # noqa: PLR2004 - a member of the root
        return {first.name: self.maker.minimal(first.node, first.name)} if first else {}

    def minimal(self) -> Probe:
        """Return the accepted probe with nothing in it but what is required."""
        return self._probe(
            "request:minimal", "requests", "accept", self.base, covers=(f"{self.operation.id}:request:minimal",)
        )

    def offers(self, proven_by: str) -> list[Offer]:
        """Return every valid value that one class must show accepted."""
        held = [(f, cs) for f, cs in self.held if conformance_class(f) == proven_by and f.location != "path"]
        return offers_of(self.maker, held)

    def single(self, offer: Offer) -> Probe:
        """Return the accepted probe that carries one value and otherwise nothing but what is required."""
        row = Row(copy.deepcopy(self.base), optional=True)
        if not row.takes(self.maker, offer, self.is_valid):
            raise HarnessError(
                "a valid value fits no valid request", where=offer.field.place, got=str(offer.value.value)
            )
        return self._probe(offer.field.place, conformance_class(offer.field), "accept", row.roots)

    def accepted(self, row: Row, name: str) -> Probe:
        """Return the accepted probe that a row stands for."""
        covers = tuple(dict.fromkeys(_covered(self.operation, row)))
        return self._probe(name, "requests", "accept", row.roots, covers=covers)

    def _accepted(self, minimal: Probe) -> tuple[list[Probe], dict[str, int]]:
        probes: list[Probe] = []
        bounds: dict[str, int] = {}
        for proven_by in ("requests", "headers"):
            offers = self.offers(proven_by)
            if not offers and proven_by == "headers":
                continue
            offers = self._shuffled(offers)
            rows, left = pack(self.maker, self.base, offers, self.is_valid)
            if left:
                raise HarnessError(
                    "a valid value fits no valid request", where=left[0].field.place, got=str(left[0].value.value)
                )
            bounds[proven_by] = largest(offers)
            pairs = Pairs(self.maker, self.base, offers, self.is_valid) if self.strength > 1 else None
            rows = pairs.extend(rows) if pairs else rows
            for number, row in enumerate(rows):
                first = number == 0 and proven_by == "requests"
                if not first and not row.carried:
                    bounds[proven_by] -= 1  # nothing but what is required is already sent for the other class
                    continue
                covers = ([minimal.covers[0]] if first else []) + _covered(self.operation, row)
                name = "request:minimal" if first else f"{proven_by}:valid-{number:02d}"
                probes.append(self._probe(name, proven_by, "accept", row.roots, covers=tuple(dict.fromkeys(covers))))
            bounds[proven_by] = max(bounds[proven_by], pairs.lower_bound if pairs else 0)
        return probes, bounds

    def _shuffled(self, offers: list[Offer]) -> list[Offer]:
        """Return the offers with each place's values in an order that depends on the seed.

        The rows combine them differently.
        """
        by_place: dict[str, list[Offer]] = {}
        for offer in offers:
            by_place.setdefault(offer.field.place, []).append(offer)
        for mine in by_place.values():
            self.random.shuffle(mine)
        return [offer for mine in by_place.values() for offer in mine]

    def is_valid(self, root: Root, value: Any) -> bool:
        """Tell whether a value of the body or a parameter satisfies its schema."""
        validator = self.validator(root)
        return validator is None or validator.is_valid(filled(value))

    def validator(self, root: Root) -> Validator | None:
        """Return the validator of the body or a parameter, compiled when first asked for."""
        if root not in self._validators:
            schema = self.schema(root)
            if not schema:
                return None
            self._validators[root] = compiled(self.edition.document, schema, "request")
        return self._validators[root]

    def validator_for(self, media_type: str) -> Validator | None:
        """Return the validator of the body in another of its media types."""
        schema = self.operation.body.content.get(media_type) if self.operation.body else None
        return compiled(self.edition.document, schema, "request") if schema else None

    def schema(self, root: Root) -> dict[str, Any]:
        """Return the schema of the body or a parameter; empty when it is not described."""
        location, name = root
        if location == "body":
            return self.operation.body.content.get(self.media_type, {}) if self.operation.body else {}
        return next((p.schema for p in self.operation.parameters_in(location) if p.name == name), {})

    def _refused(self, minimal: Probe) -> Iterator[Probe]:
        for field, held in self.held:
            for constraint in held:
                if not constraint.refuses:
                    continue
                roots = broken_roots(self.maker, self.base, field, constraint)
                name = f"{field.place}:{constraint.kind}"
                violation = violation_of(self.operation, field, constraint)
                yield self._probe(name, conformance_class(field), "refuse", roots, violation=violation)
        described = any(f.place == "request.body" for f, _ in self.held)
        if not described and f"{self.operation.id}:request.body:required" in self.wanted:
            yield without_body(minimal)

    def _other_media(self, minimal: Probe) -> Iterator[Probe]:
        body = self.operation.body
        if body is None or len(body.content) < 2 or self.operation.server != "api":  # noqa: PLR2004 - a choice of media types
            return
        for media_type, schema in body.content.items():
            value = self.maker.minimal(self.reader.node(schema), "")
            name = f"request.body:media={media_type}"
            yield msgspec.structs.replace(
                minimal,
                id=f"{self.operation.id}:{name}",
                media_type=media_type,
                body=value,
                files=self._files(media_type),
                covers=(f"{self.operation.id}:{name}",),
            )

    def _files(self, media_type: str) -> tuple[str, ...]:
        if media_type != "multipart/form-data" or self.operation.body is None:
            return ()
        members = self.reader.node(self.operation.body.content[media_type]).properties
        return tuple(name for name, part in members.items() if self.reader.node(part).facts.get("format") == "binary")

    def _probe(self, name: str, proven_by: str, expect: Any, roots: dict[Root, Any], **more: Any) -> Probe:
        body = roots.get(BODY)
        culprit = more["violation"].pointer if more.get("violation") else ""
        raw = (
            SAMPLE_XML.get(self.operation.id, b"sample")
            if self.operation.server == "storage" and self.operation.body
            else None
        )
        parameters = {place: value for (place, _), value in roots.items() if place != "body"}
        return Probe(
            id=f"{self.operation.id}:{name}",
            operation=self.operation.id,
            conformance_class=proven_by,
            expect=expect,
            path={n: v for (place, n), v in roots.items() if place == "path"},
            query={n: v for (place, n), v in roots.items() if place == "query"},
            headers={n: str(v) for (place, n), v in roots.items() if place == "header"} if parameters else {},
            body=None if raw else body,
            raw=raw,
            media_type=self.media_type if BODY in roots or raw else "",
            files=self._files(self.media_type),
            references=references_in(roots, culprit),
            **more,
        )


def _covered(operation: Operation, row: Row) -> list[str]:
    return [field_id(operation, offer.field, kind) for offer in row.carried for kind in offer.value.kinds]
