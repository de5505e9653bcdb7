"""Calls: legs and sessions, the commands that move them, and the events that tell of it."""

from telnyx_conformance.emulator.products.calls.commands import Calls

__all__ = ["Calls"]
