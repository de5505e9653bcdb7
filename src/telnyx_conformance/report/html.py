"""The certificate as one HTML file: no network, a strict Content-Security-Policy, every string escaped."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import TYPE_CHECKING, Any

import jinja2
from markupsafe import Markup

from telnyx_conformance.content import content_root
from telnyx_conformance.report.certificate import WORDS, shown_coverage, shown_divergence
from telnyx_conformance.report.page import VERDICTS, cells, page_data
from telnyx_conformance.report.text import visible

if TYPE_CHECKING:
    from telnyx_conformance.report.certificate import Certificate
    from telnyx_conformance.report.evidence import Evidence

SYMBOLS = {
    "fail": "✗",
    "inconclusive": "?",
    "waived": "≈",
    "pass": "✓",
    "not_applicable": "\N{EN DASH}",
    "reported": "i",
    "": "",
}
LABELS = {
    "fail": "failed",
    "inconclusive": "inconclusive",
    "waived": "waived",
    "pass": "passed",
    "not_applicable": "not claimed",
    "reported": "reported only",
}
THINNEST = 0.006
WHOLE = "1/1"
STATES = {
    "used": "in use",
    "passes": "stale: it covers what passes",
    "expired": "expired",
    "unmatched": "stale: it matches nothing",
    "outside": "outside this run",
}
UNSAFE_IN_SCRIPTS = {ord(char): f"\\u{ord(char):04x}" for char in "<>&\u2028\u2029"}


def html(certificate: Certificate, evidence: Evidence | None = None) -> str:
    """Return the page. With `evidence` it shows request, answer and, where events followed, a timeline of failures."""
    folder = content_root() / "reports" / "templates"
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(folder), autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip
    environment.filters["visible"] = visible
    environment.filters["number"] = "{:,}".format
    style = (folder / "certificate.css").read_text("utf-8")
    script = (folder / "certificate.js").read_text("utf-8")
    return environment.get_template("certificate.html.j2").render(
        certificate=certificate,
        words=WORDS[certificate.verdict],
        divergence=shown_divergence(certificate.totals.divergence),
        coverage=shown_coverage(certificate.totals.coverage),
        shares=shares(certificate),
        rows=cells(certificate),
        symbols=SYMBOLS,
        labels=LABELS,
        states=STATES,
        selection=selection(certificate),
        style=Markup(style),  # noqa: S704 - our own file
        script=Markup(script),  # noqa: S704 - our own file
        style_hash=_hash(style),
        script_hash=_hash(script),
        data=Markup(embedded({**page_data(certificate, evidence), "symbols": SYMBOLS, "labels": LABELS})),  # noqa: S704
    )


def embedded(data: Any) -> str:
    """Return JSON that can stand inside a script element whatever its strings hold."""
    return json.dumps(data, ensure_ascii=False, separators=(",", ":")).translate(UNSAFE_IN_SCRIPTS)


def shares(certificate: Certificate) -> list[dict[str, Any]]:
    """Return the bar over all scored requirements: where each part begins and how wide it is, in thousandths.

    A part is never too thin to be seen: one failure among thousands has to catch the eye.
    """
    totals, begin, parts = certificate.totals, 0.0, []
    numbers = {name: totals.passed if name == "pass" else getattr(totals, name) for name in VERDICTS}
    whole = sum(max(number, THINNEST * totals.requirements) for number in numbers.values() if number) or 1
    for verdict in reversed(VERDICTS):
        number = numbers[verdict]
        width = 1000 * max(number, THINNEST * totals.requirements) / whole if number else 0.0
        parts.append({"verdict": verdict, "number": number, "begin": round(begin, 3), "width": round(width, 3)})
        begin += width
    return parts[::-1]


def selection(certificate: Certificate) -> str:
    """Say what the run was narrowed to; empty when it was not."""
    arguments = certificate.run.arguments
    told = []
    for name in ("only", "class", "classes", "shard"):
        value = arguments.get(name)
        if value and value != WHOLE:
            told.append(f"{name} {', '.join(map(str, value)) if isinstance(value, list | tuple) else value}")
    return "; ".join(told)


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
