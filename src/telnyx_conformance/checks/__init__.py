"""The judges: functions from exchange and contract to failures. No network, clock, file or pytest."""
