"""The fictional numbers that emulators know, by what they do."""

from __future__ import annotations

from functools import cache

import yaml

from telnyx_conformance.content import content_root


@cache
def magic_destinations() -> dict[str, str]:
    """Return the fictional numbers by what they do: `fixtures/destinations.yaml`."""
    table = yaml.load((content_root() / "fixtures" / "destinations.yaml").read_bytes(), Loader=yaml.CSafeLoader)
    return {name: row["number"] for name, row in table["destinations"].items()}
