"""The inbox: where the webhooks of the target under test arrive."""

from telnyx_conformance.inbox.receiver import Inbox, Reply
from telnyx_conformance.inbox.signature import Verifier

__all__ = ["Inbox", "Reply", "Verifier"]
