"""The kill matrix as one HTML file in the certificate's style: no network, no script, every string escaped."""

from __future__ import annotations

import base64
import hashlib
from typing import TYPE_CHECKING

import jinja2
from markupsafe import Markup

from telnyx_conformance.content import content_root
from telnyx_conformance.mutants.matrix import percent, verdict
from telnyx_conformance.report.text import visible

if TYPE_CHECKING:
    from collections.abc import Sequence

    from telnyx_conformance.mutants.judging import Outcome
    from telnyx_conformance.mutants.matrix import Matrix, Result


def page(result: Result, outcomes: Sequence[Outcome], matrix: Matrix) -> str:
    """Return the page."""
    folder = content_root() / "reports" / "templates"
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(folder), autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip
    environment.filters["visible"] = visible
    environment.filters["number"] = "{:,}".format
    environment.filters["share"] = lambda tally: percent(tally.killed, tally.sampled)
    style = (folder / "certificate.css").read_text("utf-8") + (folder / "mutants.css").read_text("utf-8")
    by_id = {o.id: o for o in outcomes}
    return environment.get_template("mutants.html.j2").render(
        result=result,
        matrix=matrix,
        words=verdict(result),
        classes=sorted({name for row in matrix.classes.values() for name in row}),
        outcomes=by_id,
        style=Markup(style),  # noqa: S704 - our own files
        style_hash="sha256-" + base64.b64encode(hashlib.sha256(style.encode()).digest()).decode(),
    )
