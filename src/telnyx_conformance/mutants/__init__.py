"""Faults planted in the emulator, one at a time, to see whether the suites notice."""
