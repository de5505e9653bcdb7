"""Every documented shape of Authorization, Content-Type, Accept and of header-like fields is understood."""

from telnyx_conformance.contract.model import Operation
from telnyx_conformance.plugin import Prove


def test_header_shapes_are_understood(operation: Operation, prove: Prove) -> None:
    prove(operation)
