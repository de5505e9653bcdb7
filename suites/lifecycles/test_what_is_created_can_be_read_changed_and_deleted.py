"""What is created can be read, listed, changed and deleted, and is then gone; nobody else's is ever reached."""

from telnyx_conformance.contract.lifecycles import Resource
from telnyx_conformance.plugin import Prove


def test_what_is_created_can_be_read_changed_and_deleted(resource: Resource, prove: Prove) -> None:
    prove(resource)
