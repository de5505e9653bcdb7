"""The data of the HTML page: what does not pass in full, passing ids compactly, all within a budget of bytes."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Any, get_args

from telnyx_conformance.report.evidence import Judgement
from telnyx_conformance.report.reproduce import LEVELS, spread, steps_of
from telnyx_conformance.report.script import curl, needs_file
from telnyx_conformance.report.text import clipped, visible
from telnyx_conformance.report.timeline import timeline

if TYPE_CHECKING:
    from collections.abc import Sequence

    from telnyx_conformance.report.certificate import Certificate, Result
    from telnyx_conformance.report.evidence import Evidence
    from telnyx_conformance.report.recorded import Step

VERDICTS: tuple[Judgement, ...] = ("fail", "inconclusive", "waived", "pass", "not_applicable")
SHOWN = (*VERDICTS, "reported")
TEXT_BUDGET = 1_300_000
DETAIL_BUDGET = 700_000
PASSING_BUDGET = 700_000
LONGEST_TEXT = 700
LONGEST_CURL = 4000
LONGEST_ANSWER = 1200
LONGEST_BODY = 2000
assert set(VERDICTS) == set(get_args(Judgement))  # noqa: S101 - two lists of the same words


class Texts:
    """Strings that repeat, each once. What does not fit the budget becomes the empty string, and `full` says so."""

    def __init__(self, budget: int) -> None:
        self.listed: list[str] = [""]
        self.full = False
        self._places: dict[str, int] = {"": 0}
        self._left = budget

    def place(self, text: str, limit: int = LONGEST_TEXT) -> int:
        """Return the index of a text, as it may be shown."""
        shown = clipped(visible(text), limit)
        known = self._places.get(shown)
        if known is not None:
            return known
        self._left -= len(shown.encode()) + 3
        if self._left < 0:
            self.full = True
            return 0
        self.listed.append(shown)
        return self._places.setdefault(shown, len(self.listed) - 1)


def page_data(certificate: Certificate, evidence: Evidence | None = None) -> dict[str, Any]:
    """Return what the page's script reads: tables of names and texts, and rows of indices into them."""
    results = certificate.requirements
    groups, classes = list(certificate.groups), list(certificate.classes)
    operations = sorted({(result.operation, result.group) for result in results})
    place = {pair: number for number, pair in enumerate(operations)}
    texts, names = Texts(TEXT_BUDGET), Texts(PASSING_BUDGET)
    findings, details, left = [], [], DETAIL_BUDGET
    for result in _findings(results):
        told: dict[str, Any] | None = None
        if evidence is not None and left > 0 and (steps := steps_of(result, evidence)):
            told = detail(steps)
            left -= len(json.dumps(told, ensure_ascii=False).encode())
            details.append(told)
        findings.append(
            [
                place[result.operation, result.group],
                classes.index(result.conformance_class),
                LEVELS.index(result.level),
                SHOWN.index(_shown(result)),
                _rest(result),
                *(texts.place(text) for text in (result.statement, result.source, result.expected, result.actual)),
                texts.place(result.check),
                visible(result.reproduce),
                visible(result.waiver),
                len(details) - 1 if told else -1,
            ]
        )
    passing: dict[tuple[int, int, int], list[int]] = defaultdict(list)
    for result in results:
        if result.verdict in ("pass", "not_applicable"):
            cell = place[result.operation, result.group], classes.index(result.conformance_class)
            passing[*cell, VERDICTS.index(result.verdict)].append(names.place(_rest(result)))
    return {
        "groups": [visible(group) for group in groups],
        "classes": [visible(name) for name in classes],
        "operations": [[visible(operation), groups.index(group)] for operation, group in operations],
        "verdicts": SHOWN,
        "levels": LEVELS,
        "texts": texts.listed,
        "findings": findings,
        "details": details,
        "names": names.listed,
        "passing": [[*cell, numbers] for cell, numbers in sorted(passing.items())],
        "shortened": {"texts": texts.full, "names": names.full},
    }


def detail(steps: Sequence[Step]) -> dict[str, Any]:
    """Return how to ask again, what came, and the timeline when events followed."""
    calls = []
    requests = [step for step in steps if step.sent]
    for step in requests:
        body_file = "body.bin" if needs_file(step.body) or len(step.body) > LONGEST_BODY else ""
        calls.append(curl(step, body_file=body_file))
    told: dict[str, Any] = {
        "curl": clipped(_lines("\n\n".join(calls)), LONGEST_CURL),
        "answer": clipped(_lines(_answer(requests[-1])), LONGEST_ANSWER) if requests else "",
    }
    lanes = timeline(steps)
    return {**told, "timeline": lanes} if lanes else told


def _answer(step: Step) -> str:
    first = f"HTTP {step.status}" if step.status else step.error
    headers = [f"{name}: {value}" for name, value in step.answer_headers]
    return "\n".join([first, *headers, "", step.answer.decode(errors="replace")])


def cells(certificate: Certificate) -> list[dict[str, Any]]:
    """Return the grid: a row per group, a cell per class with its counts (every level) and its worst verdict."""
    counts: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for result in certificate.requirements:
        counts[result.group, result.conformance_class][_shown(result)] += 1
    rows = []
    for group, figures in certificate.groups.items():
        row = [counts.get((group, name), Counter()) for name in certificate.classes]
        rows.append({"group": group, "figures": figures, "cells": [_cell(counter) for counter in row]})
    return rows


def _shown(result: Result) -> str:
    """Return the verdict that a cell shows: a MAY that fails is listed, but colours no cell."""
    return "reported" if result.level == "MAY" and result.verdict in ("fail", "inconclusive") else result.verdict


def _cell(counter: Counter[str]) -> dict[str, Any]:
    worst = next((verdict for verdict in VERDICTS if counter[verdict]), "reported" if counter else "")
    return {"worst": worst, "number": counter[worst] if worst else 0, "of": counter.total(), "counts": dict(counter)}


def _findings(results: Sequence[Result]) -> list[Result]:
    ordered: list[Result] = []
    for verdict in ("fail", "inconclusive", "waived", "reported"):
        ordered.extend(spread(tuple(result for result in results if _shown(result) == verdict)))
    return ordered


def _rest(result: Result) -> str:
    """Return the id without the operation it begins with, so that the name stands in the page once."""
    shown = visible(result.id)
    prefix = f"{visible(result.operation)}:"
    return shown.removeprefix(prefix[:-1]) if shown.startswith(prefix) else shown


def _lines(text: str) -> str:
    """Keep line breaks and tabs, which `visible` keeps too, but no carriage returns."""
    return visible(text.replace("\r\n", "\n"))
