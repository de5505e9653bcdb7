"""A command takes effect once per command_id, and only in the states that admit it."""

from telnyx_conformance.contract.sequence import Sequence
from telnyx_conformance.plugin import Prove


def test_a_command_takes_effect_once_and_in_the_right_state(sequence: Sequence, prove: Prove) -> None:
    prove(sequence)
