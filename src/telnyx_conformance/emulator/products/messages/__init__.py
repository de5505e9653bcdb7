"""Messages: those that come in, so far; the ones sent are generic resources."""

from telnyx_conformance.emulator.products.messages.inbound import Messages

__all__ = ["Messages"]
