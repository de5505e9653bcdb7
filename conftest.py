"""Loads the engine's pytest plugin for the suites and for the engine's own tests."""

pytest_plugins = ["telnyx_conformance.plugin"]
