"""The embedded target: a stateful emulator of the whole API."""
