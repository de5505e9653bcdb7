"""Sending probes to a target and keeping the evidence."""
