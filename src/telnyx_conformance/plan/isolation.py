"""Finding the culprit.

When a probe that carries many values is refused, probes that carry one each tell which it was.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from telnyx_conformance.contract.requirements import field_id
from telnyx_conformance.plan.covering import Offer, Root, carries
from telnyx_conformance.plan.planner import Planner
from telnyx_conformance.plan.surface import header_shapes

if TYPE_CHECKING:
    from telnyx_conformance.contract.model import Edition, Operation
    from telnyx_conformance.plan.probe import Probe


def isolate(edition: Edition, operation: Operation, probe: Probe) -> tuple[Probe, ...]:
    """Return accepted probes that carry one value of `probe` each, together all of them.

    None when it carries one or nothing optional.

    Their ids are the probe's own with the place of the value after a slash.
    """
    planner = Planner(edition, operation, 1)
    minimal = planner.minimal()
    if probe.expect == "refuse" or probe.id == minimal.id:
        return ()
    shapes = [shape for shape in header_shapes(operation, planner.wanted, minimal) if shape[0] in probe.covers]
    if shapes:
        return _each_shape(probe, minimal, shapes) if len(shapes) > 1 else ()
    carried = [offer for offer in planner.offers(probe.conformance_class) if _is_carried(planner, probe, offer)]
    if len(carried) < 2:  # noqa: PLR2004 - one value is its own culprit
        return ()
    return tuple(_alone(planner, probe, offer) for offer in carried)


def _each_shape(probe: Probe, minimal: Probe, shapes: list[tuple[str, dict[str, str]]]) -> tuple[Probe, ...]:
    return tuple(
        msgspec.structs.replace(
            probe,
            id=f"{probe.id}/{requirement.rpartition(':')[2]}",
            headers={**minimal.headers, **added},
            covers=(requirement,),
        )
        for requirement, added in shapes
    )


def _roots(probe: Probe) -> dict[Root, Any]:
    roots: dict[Root, Any] = {("query", name): value for name, value in probe.query.items()}
    roots |= {("header", name): value for name, value in probe.headers.items()}
    if probe.body is not None:
        roots[("body", "")] = probe.body
    return roots


def _is_carried(planner: Planner, probe: Probe, offer: Offer) -> bool:
    named = {field_id(planner.operation, offer.field, kind) for kind in offer.value.kinds}
    return bool(named & set(probe.covers)) and carries(_roots(probe), offer)


def _alone(planner: Planner, probe: Probe, offer: Offer) -> Probe:
    covers = tuple(field_id(planner.operation, offer.field, kind) for kind in offer.value.kinds)
    made = planner.single(offer)
    word = msgspec.json.encode(offer.value.value).decode()[:40]
    return msgspec.structs.replace(
        made, id=f"{probe.id}/{offer.field.place}={word}", conformance_class=probe.conformance_class, covers=covers
    )
