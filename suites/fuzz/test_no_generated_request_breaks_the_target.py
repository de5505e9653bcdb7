"""Whatever is asked, nothing breaks: what is valid is taken, what is not is refused, each answer as documented."""

from telnyx_conformance.contract.model import Operation
from telnyx_conformance.plugin import Prove


def test_no_generated_request_breaks_the_target(operation: Operation, prove: Prove) -> None:
    prove(operation)
