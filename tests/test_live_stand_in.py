"""A live target, played by a stand-in that behaves like one: what is sent to it, with which key, and what is left unasked."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
import pytest

from telnyx_conformance.contract.document import load_edition
from telnyx_conformance.emulator.core import Emulator
from telnyx_conformance.emulator.embedded import EmbeddedTransport
from telnyx_conformance.opening import open_session
from telnyx_conformance.run.core import AsyncCore
from telnyx_conformance.run.planning import write_plan
from telnyx_conformance.run.proving import prove
from telnyx_conformance.run.settings import Settings

if TYPE_CHECKING:
    from pathlib import Path

    from telnyx_conformance.contract.model import Operation
    from telnyx_conformance.run.verdict import Verdict

KEY = "KEY0198A7B6C5D4E3F2_liveStandIn"
GROUPS = ("Addresses", "Billing Groups")


class StandIn(httpx.AsyncBaseTransport):
    """Answers as the API would, and remembers who asked what of whom."""

    def __init__(self) -> None:
        self._api = EmbeddedTransport(Emulator(load_edition(), api_keys=(KEY,)))
        self.asked: list[tuple[str, str, str]] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.asked.append((request.method, request.url.host, request.headers.get("authorization", "")))
        return await self._api.handle_async_request(request)

    async def aclose(self) -> None:
        await self._api.aclose()


@pytest.fixture
def settings(monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("TELNYX_API_KEY", KEY)
    return Settings(target="live", only=GROUPS)


def proven(settings: Settings, folder: Path, operations: tuple[Operation, ...]) -> tuple[StandIn, list[Verdict]]:
    stand_in = StandIn()

    async def work() -> list[Verdict]:
        session = await open_session(settings, folder, "main", transport=stand_in)
        try:
            return [v for o in operations for v in await prove(session, "surface", o)]
        finally:
            await session.close()

    with AsyncCore() as core:
        return stand_in, core.run(work())


def test_a_live_target_is_asked_safe_reads_only_and_the_rest_is_said_to_be_unclaimed(
    settings: Settings, tmp_path: Path
) -> None:
    chosen = settings.chosen("surface")
    write_plan(settings, tmp_path, [("surface", operation) for operation in chosen])
    unclaimed = [
        line for line in (tmp_path / "evidence.plan.ndjson").read_text().splitlines() if "not_applicable" in line
    ]

    assert {operation.safety for operation in chosen} == {"safe_read"}
    assert len(chosen) < len(settings.selected)
    assert any('"CreateAddress:route:exists"' in line and "safe_read" in line for line in unclaimed)


def test_the_live_key_goes_to_telnyx_and_nothing_but_reads_is_sent(settings: Settings, tmp_path: Path) -> None:
    reads = tuple(operation for operation in settings.chosen("surface") if operation.method == "GET")
    stand_in, verdicts = proven(settings, tmp_path, reads)

    assert {method for method, _, _ in stand_in.asked} == {"GET"}
    assert {host for _, host, _ in stand_in.asked} == {"api.telnyx.com"}
    assert f"Bearer {KEY}" in {authorization for _, _, authorization in stand_in.asked}
    assert {v.verdict for v in verdicts if v.requirement == "FindAddresses:route:exists"} == {"pass"}
    assert KEY.encode() not in b"".join(file.read_bytes() for file in tmp_path.rglob("*.ndjson"))


def test_what_a_live_target_lacks_and_nobody_may_make_is_inconclusive(settings: Settings, tmp_path: Path) -> None:
    read = settings.edition.operation("GetAddress")
    _, verdicts = proven(settings, tmp_path, (read,))
    said = {v.requirement: v for v in verdicts}["GetAddress:route:exists"]

    assert (said.verdict, "not allowed on this target" in said.actual) == ("inconclusive", True)


def test_a_write_that_slips_through_the_plan_stops_at_the_gate(settings: Settings, tmp_path: Path) -> None:
    create = settings.edition.operation("CreateAddress")
    stand_in, verdicts = proven(settings, tmp_path, (create,))
    said = {v.requirement: v for v in verdicts}["CreateAddress:route:exists"]

    assert said.verdict == "inconclusive"
    assert "POST" not in {method for method, _, _ in stand_in.asked}
