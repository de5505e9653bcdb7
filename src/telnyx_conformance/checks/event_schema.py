"""The schemas of events: one validator for each event type that the edition's callbacks describe."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from telnyx_conformance.contract.sequence_requirements import event_type
from telnyx_conformance.contract.validators import Validator, compiled

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from telnyx_conformance.contract.model import Edition, Operation


ENVELOPE: Mapping[str, Any] = {
    "type": "object",
    "required": ["data"],
    "properties": {
        "data": {
            "type": "object",
            "required": ["record_type", "event_type", "id", "occurred_at", "payload"],
            "properties": {"payload": {"type": "object"}},
        }
    },
}


def event_validators(edition: Edition, operations: Iterable[Operation] | None = None) -> Mapping[str, Validator]:
    """Return validators of whole webhook documents by `event_type`, for the callbacks of `operations` (all by default).

    A validator demands the envelope too (`data` with type, id, time and payload), which the schemas leave optional.
    """
    found: dict[str, Validator] = {}
    for operation in edition.operations if operations is None else operations:
        for callback in operation.callbacks:
            kind = event_type(callback, edition)
            if kind and kind not in found:
                schema = {"allOf": [callback.schema, ENVELOPE]}
                found[kind] = compiled(edition.document, schema, "response")
    return found
