"""From requirements to probes: pure functions of contract and seed."""
