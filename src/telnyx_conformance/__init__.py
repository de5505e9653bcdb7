"""Prove that an endpoint behaves like the Telnyx API v2, or show exactly where it does not."""

__version__ = "0.1.0"
