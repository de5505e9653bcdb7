"""Fuzzing: requests that nobody planned, generated from the hardened contract, judged by the suites' own checks."""
