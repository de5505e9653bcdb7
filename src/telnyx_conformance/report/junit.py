"""junit.xml: a suite per conformance class, a case per operation, the requirement ids in the failures."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from telnyx_conformance.report.text import clipped, xml_safe

if TYPE_CHECKING:
    from collections.abc import Sequence

    from telnyx_conformance.report.certificate import Certificate, Result

MOST_TOLD = 100
LONGEST_TEXT = 1000
SCORED = ("MUST", "SHOULD")


def junit(certificate: Certificate) -> bytes:
    """Return the document. A case fails when a MUST or SHOULD fails, errs when one could not be judged.

    It is skipped when nothing of it is claimed. Waived and MAY requirements are told in its output. Stale waivers and
    an interrupted run are cases of a suite `run` of their own.
    """
    root = ET.Element("testsuites", {"name": "telnyx-conformance", "time": f"{certificate.run.seconds:.3f}"})
    for name in certificate.classes:
        cases: dict[tuple[str, str], list[Result]] = defaultdict(list)
        for result in certificate.requirements:
            if result.conformance_class == name:
                cases[result.group, result.operation].append(result)
        suite = ET.SubElement(root, "testsuite", {"name": xml_safe(name), "timestamp": certificate.run.started_at[:19]})
        for (group, operation), results in sorted(cases.items()):
            case = ET.SubElement(
                suite, "testcase", {"classname": xml_safe(f"{name}.{group}"), "name": xml_safe(operation), "time": "0"}
            )
            _outcome(case, results)
        _count(suite)
    _run_suite(root, certificate)
    for attribute in ("tests", "failures", "errors", "skipped"):
        root.set(attribute, str(sum(int(suite.get(attribute, "0")) for suite in root)))
    ET.indent(root)
    document: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return document


def _outcome(case: ET.Element, results: Sequence[Result]) -> None:
    scored = [result for result in results if result.level in SCORED]
    failing = [result for result in scored if result.verdict == "fail"]
    undecided = [result for result in scored if result.verdict == "inconclusive"]
    if failing:
        _tell(ET.SubElement(case, "failure", {"type": "fail"}), failing, "failed")
    if undecided:
        _tell(ET.SubElement(case, "error", {"type": "inconclusive"}), undecided, "could not be judged")
    if all(result.verdict == "not_applicable" for result in results):
        ET.SubElement(case, "skipped", {"message": "not claimed by the target"})
    aside = [result for result in results if result.verdict == "waived"]
    aside += [result for result in results if result.level not in SCORED and result.verdict == "fail"]
    if aside:
        output = ET.SubElement(case, "system-out")
        output.text = xml_safe("\n".join(f"{_word(result)}: {_told(result)}" for result in aside[:MOST_TOLD]))


def _word(result: Result) -> str:
    return "waived" if result.verdict == "waived" else "MAY, not met"


def _tell(element: ET.Element, results: Sequence[Result], word: str) -> None:
    more = f" and {len(results) - 1} more" if len(results) > 1 else ""
    element.set("message", xml_safe(f"{results[0].id}{more} {word}"))
    rows = [_told(result) for result in results[:MOST_TOLD]]
    if len(results) > MOST_TOLD:
        rows.append(f"… and {len(results) - MOST_TOLD} more, see certificate.json")
    element.text = xml_safe("\n".join(rows))


def _told(result: Result) -> str:
    expected, actual = clipped(result.expected, LONGEST_TEXT), clipped(result.actual, LONGEST_TEXT)
    return f"{result.id} ({result.level})\n  expected: {expected}\n  got: {actual}"


def _run_suite(root: ET.Element, certificate: Certificate) -> None:
    """Add what concerns the run as a whole: whoever reads JUnit alone must not be told that all is well."""
    suite = ET.SubElement(root, "testsuite", {"name": "run"})
    case = ET.SubElement(suite, "testcase", {"classname": "run", "name": "the run is whole", "time": "0"})
    if certificate.run.interrupted:
        ET.SubElement(case, "error", {"type": "interrupted", "message": "the run was interrupted"})
    for use in certificate.waivers:
        name = xml_safe(f"waiver {use.requirement}")
        waiver = ET.SubElement(suite, "testcase", {"classname": "waivers", "name": name, "time": "0"})
        if use.stale:
            ET.SubElement(waiver, "failure", {"type": "stale waiver", "message": use.state})
    verdict = ET.SubElement(suite, "testcase", {"classname": "run", "name": "verdict", "time": "0"})
    if certificate.verdict != "conforms":
        kind = "failure" if certificate.verdict == "does_not_conform" else "error"
        element = ET.SubElement(
            verdict, kind, {"type": certificate.verdict, "message": xml_safe(certificate.last_line)}
        )
        element.text = xml_safe("\n".join(certificate.reasons))
    _count(suite)


def _count(suite: ET.Element) -> None:
    cases = list(suite)
    suite.set("tests", str(len(cases)))
    suite.set("failures", str(sum(case.find("failure") is not None for case in cases)))
    suite.set("errors", str(sum(case.find("error") is not None and case.find("failure") is None for case in cases)))
    suite.set("skipped", str(sum(case.find("skipped") is not None for case in cases)))
