"""Valid and boundary requests are accepted; each single violation is refused and its culprit named."""

from telnyx_conformance.contract.model import Operation
from telnyx_conformance.plugin import Prove


def test_what_is_valid_is_accepted_and_each_violation_refused(operation: Operation, prove: Prove) -> None:
    prove(operation)
