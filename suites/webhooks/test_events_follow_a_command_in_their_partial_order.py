"""The events that a command promises follow it, in an order that respects causality, signed, and telling one story."""

from telnyx_conformance.contract.sequence import Sequence
from telnyx_conformance.plugin import Prove


def test_events_follow_a_command_in_their_partial_order(sequence: Sequence, prove: Prove) -> None:
    prove(sequence)
