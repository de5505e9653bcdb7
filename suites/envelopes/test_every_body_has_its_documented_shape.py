"""Success and error bodies have their documented shape; pages, filters and sorting keep their promises."""

from telnyx_conformance.contract.model import Operation
from telnyx_conformance.plugin import Prove


def test_every_body_has_its_documented_shape(operation: Operation, prove: Prove) -> None:
    prove(operation)
