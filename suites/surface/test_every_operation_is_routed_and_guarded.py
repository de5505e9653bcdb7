"""Every operation is routed and asks for a key; unknown methods and resources are refused."""

from telnyx_conformance.contract.model import Operation
from telnyx_conformance.plugin import Prove


def test_every_operation_is_routed_and_guarded(operation: Operation, prove: Prove) -> None:
    prove(operation)
