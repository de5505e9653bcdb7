"""Where the content lives: contracts, suites, fixtures and report templates, in a checkout or inside a wheel."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from telnyx_conformance.errors import UsageError

PARTS = ("contracts", "suites", "fixtures")


@cache
def content_root() -> Path:
    """Return the folder that holds `contracts/`, `suites/`, `fixtures/` and `reports/templates/`.

    An installed wheel carries them in `_content` beside this module; a checkout has them at its top.
    """
    here = Path(__file__).resolve().parent
    candidates = (here / "_content", here.parent.parent)
    for candidate in candidates:
        if all((candidate / part).is_dir() for part in PARTS):
            return candidate
    raise UsageError(
        "the content folders are missing",
        expected=f"{', '.join(PARTS)} side by side",
        got=" and ".join(f"{c}: not complete" for c in candidates),
        advice="install the package again, or run from a complete checkout",
    )
