"""A webhook reaches the address it is meant for, is tried again as documented, stays what it was, and the log tells the truth."""

from telnyx_conformance.contract.delivery import DeliveryContract
from telnyx_conformance.plugin import Prove


def test_every_webhook_is_delivered_by_the_rules(delivery: DeliveryContract, prove: Prove) -> None:
    prove(delivery)
