"""Whatever an application does, in whatever order: each command is taken or refused, and told of, as the state machines say."""

from telnyx_conformance.contract.model import Operation
from telnyx_conformance.plugin import Prove


def test_random_programs_agree_with_the_model(operation: Operation, prove: Prove) -> None:
    prove(operation)
