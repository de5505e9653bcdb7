"""A target that speaks no control API and lives in real time: the same sequences prove it, and what they cannot do is told."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest

from telnyx_conformance.contract.document import load_edition
from telnyx_conformance.emulator.core import Emulator
from telnyx_conformance.emulator.server import Server, listening_socket
from telnyx_conformance.opening import open_session
from telnyx_conformance.report.summary import CONTROL, print_summary
from telnyx_conformance.report.write import write_reports
from telnyx_conformance.run.core import AsyncCore
from telnyx_conformance.run.destinations import magic_destinations
from telnyx_conformance.run.planning import write_plan
from telnyx_conformance.run.proving import prove
from telnyx_conformance.run.settings import Settings

if TYPE_CHECKING:
    from pathlib import Path

    from telnyx_conformance.report.certificate import Certificate
    from telnyx_conformance.report.evidence import Control
    from telnyx_conformance.run.verdict import Verdict

ONLY = ("DialCall", "TransferCall", "HangupCall", "AnswerCall")
# Each takes at most six seconds, and all are played side by side.
SHORT = {"dial-answered", "dial-busy", "hangup-ringing", "transfer-answered", "transfer-rejected", "transfer-timeout-5"}
# Numbers as a profile names them: those of this target's own trunk, not the ones that emulators know.
PROFILE = """
public_key: {key}
event_seconds: 4
real_wait_seconds: 6
destinations:
  answers: sip:+12025550100@trunk.example
  busy: sip:+12025550102@trunk.example
  rejects: sip:+12025550103@trunk.example
  rings_out: sip:+12025550101@trunk.example
{more}
"""
Proven = tuple["Certificate", dict[str, "Verdict"]]


def proven(folder: Path, names: set[str], more: str = "") -> Proven:
    """Prove the sequences `names`, as one certificate, against an emulator that is served as a telephone network would be."""

    async def work() -> list[Verdict]:
        emulator = Emulator(load_edition(), clock="real")
        server = Server(emulator, listening_socket(port=0), control=False)
        serving = asyncio.ensure_future(server.serve())
        await server.ready()
        try:
            profile = folder / "profile.yaml"
            profile.write_text(PROFILE.format(key=emulator.courier.public_key, more=more), "utf-8")
            settings = Settings(target=f"{server.base_url}/v2", only=ONLY, classes=["webhooks"], profile=str(profile))
            chosen = [s for s in settings.sequences("webhooks") if s.name in names]
            write_plan(settings, folder, [("webhooks", sequence) for sequence in chosen])
            session = await open_session(settings, folder, "main")
            try:
                parts = await asyncio.gather(*(prove(session, "webhooks", sequence) for sequence in chosen))
            finally:
                await session.close()
        finally:
            server.stop()
            await serving
        return [verdict for part in parts for verdict in part]

    with AsyncCore() as core:
        verdicts = core.run(work())
    return write_reports(folder), {verdict.requirement: verdict for verdict in verdicts}


def test_sequences_are_proven_in_real_time_with_the_destinations_of_the_profile(tmp_path: Path) -> None:
    certificate, verdicts = proven(tmp_path, SHORT)
    evidence = (tmp_path / "evidence.ndjson").read_text("utf-8")

    assert {v.requirement: v.actual for v in verdicts.values() if v.verdict != "pass"} == {}
    assert len(verdicts) > len(SHORT)
    assert certificate.totals.passed > len(SHORT)
    assert [number for number in magic_destinations().values() if f'"to":"{number}"' in evidence] == []


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("transfer-inbound", "claims: {control: false}"),
        ("transfer-timeout-600", "this takes 600 s, the target's time is real, and no more than 6 s are waited for"),
    ],
)
def test_what_cannot_be_brought_about_is_inconclusive_and_says_what_to_do(
    tmp_path: Path, name: str, reason: str
) -> None:
    certificate, verdicts = proven(tmp_path, {name})

    assert {v.verdict for v in verdicts.values()} == {"inconclusive"}
    assert [v.actual for v in verdicts.values() if reason not in v.actual] == []
    assert certificate.verdict == "incomplete"


def test_what_needs_it_is_not_applicable_only_where_the_profile_does_not_claim_it(tmp_path: Path) -> None:
    certificate, verdicts = proven(tmp_path, {"transfer-inbound", "hangup-ringing"}, "claims: {control: false}")
    aside = {r.id: r.actual for r in certificate.results("not_applicable")}

    assert {name.partition(":")[0] for name in verdicts} == {"HangupCall"}
    assert set(aside.values()) == {"it needs the control API, which is not claimed"}
    assert any(name.startswith("TransferCall:webhooks.transfer-inbound") for name in aside)


@pytest.mark.parametrize(
    ("claims", "resources", "told"),
    [({}, {}, ""), ({"control": False}, {}, "not claimed"), ({"control": False}, {"call_control_id": "v3:a"}, "")],
)
def test_an_operation_on_calls_that_came_in_is_left_out_with_them(
    tmp_path: Path, claims: dict[str, Any], resources: dict[str, str], told: str
) -> None:
    profile = tmp_path / "profile.yaml"
    profile.write_text(json.dumps({"claims": claims, "resources": resources}), "utf-8")
    settings = Settings(target="http://127.0.0.1:1/v2", only=["AnswerCall", "HangupCall"], profile=str(profile))
    why = {r.id: settings.applies(r) for r in settings.planned()}

    assert told in why["AnswerCall:route:exists"]
    assert bool(why["AnswerCall:route:exists"]) == bool(told)
    assert why["HangupCall:route:exists"] == ""


@pytest.mark.parametrize(("more", "told"), [("", "absent"), ("claims: {control: false}", "unclaimed")])
def test_the_certificate_and_the_terminal_say_whether_the_target_speaks_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], more: str, told: Control
) -> None:
    certificate, _ = proven(tmp_path, {"hangup-ringing"}, more)
    print_summary(certificate)
    page = (tmp_path / "certificate.html").read_text("utf-8")

    assert json.loads((tmp_path / "certificate.json").read_bytes())["run"]["control"] == told
    assert f"control API {told}" in page
    assert CONTROL[told] in capsys.readouterr().err.splitlines()


def test_a_target_that_speaks_it_is_said_to(tmp_path: Path) -> None:
    async def work() -> None:
        session = await open_session(Settings(only=["DialCall"]), tmp_path, "main")
        await session.close()

    with AsyncCore() as core:
        core.run(work())
    assert '"control":"spoken"' in (tmp_path / "evidence.main.ndjson").read_text("utf-8")
