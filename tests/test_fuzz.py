from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import httpx
import msgspec
import pytest
from click.testing import CliRunner

from telnyx_conformance import opening
from telnyx_conformance.checks.finding import Finding
from telnyx_conformance.cli import commands
from telnyx_conformance.contract.document import load_edition
from telnyx_conformance.contract.exchange import Exchange, Request, Response
from telnyx_conformance.contract.fuzz_requirements import ACCEPTED, DOCUMENTED, KINDS, NO_SERVER_ERROR, REFUSED
from telnyx_conformance.contract.lifecycles import load_lifecycles
from telnyx_conformance.emulator.core import Emulator
from telnyx_conformance.emulator.embedded import EmbeddedTransport
from telnyx_conformance.errors import UsageError
from telnyx_conformance.fuzzing.campaign import Campaign
from telnyx_conformance.fuzzing.cases import cases, planned
from telnyx_conformance.fuzzing.examples import Example, Examples
from telnyx_conformance.fuzzing.expectation import Expecting
from telnyx_conformance.fuzzing.hunt import Answer, Bounds, Catch, Hunt
from telnyx_conformance.fuzzing.judgement import Judge, Observation
from telnyx_conformance.fuzzing.probes import as_probe, fingerprint
from telnyx_conformance.fuzzing.schemathesis_cases import SchemathesisCases
from telnyx_conformance.fuzzing.shrinking import shrunk
from telnyx_conformance.plan.planner import Planner
from telnyx_conformance.run.core import AsyncCore
from telnyx_conformance.run.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from telnyx_conformance.contract.model import Edition, Operation
    from telnyx_conformance.plan.probe import Plan, Probe

TRANSFER = "/actions/transfer"
FAILS = httpx.Response(500, json={"errors": [{"code": "10007", "title": "Unexpected error"}]})


@pytest.fixture(scope="module")
def edition() -> Edition:
    return load_edition()


@pytest.fixture(scope="module")
def transfer(edition: Edition) -> Operation:
    return edition.operation("TransferCall")


@pytest.fixture(scope="module")
def schemathesis(edition: Edition) -> SchemathesisCases:
    return SchemathesisCases(edition)


@pytest.fixture(scope="module")
def planner(edition: Edition, transfer: Operation) -> Planner:
    return Planner(edition, transfer, 1)


@pytest.fixture(scope="module")
def plan(planner: Planner) -> Plan:
    return planner.plan()


@pytest.fixture(scope="module")
def expecting(planner: Planner) -> Expecting:
    return Expecting(planner, {})


@pytest.fixture(scope="module")
def core() -> Iterator[AsyncCore]:
    with AsyncCore() as running:
        yield running


class Faulty(EmbeddedTransport):
    """The emulator behind somebody who gets one thing wrong about transfers."""

    def __init__(self, emulator: Emulator, fault: Behaviour) -> None:
        super().__init__(emulator)
        self._fault = fault

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if TRANSFER not in str(request.url):
            return await super().handle_async_request(request)
        content = await request.aread()
        try:
            body = json.loads(content)
        except ValueError:
            body = None
        early = self._fault.before(body)
        if early is not None:
            return early
        answer = await super().handle_async_request(rewritten(request, self._fault.rewrite(body), body))
        return self._fault.after(answer, body)


class Behaviour:
    """No fault at all; each of those below is wrong in one way."""

    finds: tuple[str, str] = ("", "")

    def before(self, body: Any) -> httpx.Response | None:  # noqa: ARG002 - for those below
        return None

    def rewrite(self, body: Any) -> Any:
        return body

    def after(self, answer: httpx.Response, body: Any) -> httpx.Response:  # noqa: ARG002 - for those below
        return answer


def rewritten(request: httpx.Request, new: Any, old: Any) -> httpx.Request:
    if new is old or new == old:
        return request
    headers = [(k, v) for k, v in request.headers.raw if k.lower() != b"content-length"]
    return httpx.Request(request.method, request.url, headers=headers, content=json.dumps(new))


def copied(answer: httpx.Response, document: Any) -> httpx.Response:
    return httpx.Response(answer.status_code, json=document)


def member(body: Any, name: str) -> Any:
    return body.get(name, ...) if isinstance(body, dict) else ...


class FailsOnOddText(Behaviour):
    finds = (NO_SERVER_ERROR, "")

    def before(self, body: Any) -> httpx.Response | None:
        astral = any(ord(letter) > 0xFFFF for letter in json.dumps(body, ensure_ascii=False))
        return FAILS if astral else None


class FailsOnNullClientState(Behaviour):
    finds = (NO_SERVER_ERROR, "client_state")

    def before(self, body: Any) -> httpx.Response | None:
        return FAILS if member(body, "client_state") is None else None


class FailsOnFalse(Behaviour):
    def before(self, body: Any) -> httpx.Response | None:
        return FAILS if member(body, "early_media") is False else None


class NeverAnswersCustomHeaders(Behaviour):
    finds = (NO_SERVER_ERROR, "custom_headers")

    def before(self, body: Any) -> httpx.Response | None:
        if member(body, "custom_headers") not in (..., [], None):
            raise httpx.ReadTimeout("nothing comes")
        return None


class TakesOneSecondMore(Behaviour):
    finds = (REFUSED, "timeout_secs")

    def rewrite(self, body: Any) -> Any:
        return {**body, "timeout_secs": 600} if member(body, "timeout_secs") == 601 else body


class TakesTextForTruth(Behaviour):
    finds = (REFUSED, "early_media")

    def rewrite(self, body: Any) -> Any:
        return {**body, "early_media": True} if isinstance(member(body, "early_media"), str) else body


class PointsNowhere(Behaviour):
    finds = (REFUSED, "")

    def after(self, answer: httpx.Response, body: Any) -> httpx.Response:  # noqa: ARG002 - any body
        if answer.status_code != 422:
            return answer
        document = answer.json()
        for error in document["errors"]:
            if "source" in error:
                error["source"] = {"pointer": "/nowhere"}
        return copied(answer, document)


class RefusesTls(Behaviour):
    finds = (ACCEPTED, "sip_transport_protocol")

    def after(self, answer: httpx.Response, body: Any) -> httpx.Response:
        if answer.status_code != 200 or member(body, "sip_transport_protocol") != "TLS":
            return answer
        return httpx.Response(422, json={"errors": [{"code": "10015", "title": "Bad Request"}]})


class WordsErrorsItsOwnWay(Behaviour):
    finds = (DOCUMENTED, "")

    def after(self, answer: httpx.Response, body: Any) -> httpx.Response:  # noqa: ARG002 - any body
        return copied(answer, {"error": "wrong"}) if answer.status_code >= 400 else answer


class LeavesDataOut(Behaviour):
    finds = (DOCUMENTED, "")

    def after(self, answer: httpx.Response, body: Any) -> httpx.Response:  # noqa: ARG002 - any body
        return copied(answer, {}) if answer.status_code == 200 else answer


class SaysItIsText(Behaviour):
    finds = (DOCUMENTED, "")

    def after(self, answer: httpx.Response, body: Any) -> httpx.Response:  # noqa: ARG002 - any body
        if answer.status_code != 200:
            return answer
        return httpx.Response(200, content=answer.content, headers={"content-type": "text/plain"})


TEN = [
    FailsOnOddText, FailsOnNullClientState, NeverAnswersCustomHeaders, TakesOneSecondMore, TakesTextForTruth,
    PointsNowhere, RefusesTls, WordsErrorsItsOwnWay, LeavesDataOut, SaysItIsText,
]  # fmt: skip


def transport(edition: Edition, fault: Behaviour) -> Faulty:
    return Faulty(Emulator(edition, lifecycles=load_lifecycles(edition.name)), fault)


def fuzzed(core: AsyncCore, schemathesis: SchemathesisCases, folder: Path, fault: Behaviour, bounds: Bounds) -> Catch:
    settings = Settings(only=["TransferCall"], classes=["fuzz"])
    carrying = transport(settings.edition, fault)

    async def work() -> Catch:
        session = await opening.open_session(settings, folder, "main", transport=carrying)
        try:
            return await Campaign(session, schemathesis=schemathesis).fuzz(settings.selected[0], bounds)
        finally:
            await session.close()

    return core.run(work())


@pytest.mark.parametrize("fault", TEN, ids=lambda fault: fault.__name__)
def test_each_planted_fault_is_found_and_shrunk_to_its_cause(
    fault: type[Behaviour], core: AsyncCore, schemathesis: SchemathesisCases, tmp_path: Path
) -> None:
    catch = fuzzed(core, schemathesis, tmp_path, fault(), Bounds(examples=2000, faults=1))
    kind, name = fault.finds
    found = [f for f in catch.faults if f.kind == kind]
    assert found, [f.mark for f in catch.faults]
    assert all(f.repeats for f in found)
    smallest = found[0].probe
    if name:
        assert set(smallest.body) == {"to", name}
        assert smallest.body["to"] == "+12025550100"


def test_a_text_is_shrunk_to_the_letter_that_matters(transfer: Operation, plan: Plan) -> None:
    minimal = planned(transfer, plan.probes[0])
    body = {"to": "+12025550100", "from": "abc", "client_state": "some \U0001f9e8 text", "mute_dtmf": "none"}
    failing = as_probe(transfer, "altered", "refuse", body=body, media_type="application/json")
    smallest = shrunk(transfer, failing, minimal, lambda probe: "\U0001f9e8" in str(probe.body), seed=1)
    assert smallest.body == {"to": "+12025550100", "client_state": "\U0001f9e8"}


def test_a_clean_emulator_yields_no_finding(core: AsyncCore, schemathesis: SchemathesisCases, tmp_path: Path) -> None:
    catch = fuzzed(core, schemathesis, tmp_path, Behaviour(), Bounds(examples=150))
    assert catch.faults == ()
    assert catch.cases == 150
    assert set(catch.judged) == set(KINDS)
    assert min(catch.judged.values()) > 20


def test_two_faults_that_look_alike_are_told_apart(
    core: AsyncCore, schemathesis: SchemathesisCases, tmp_path: Path
) -> None:
    class Both(Behaviour):
        def before(self, body: Any) -> httpx.Response | None:
            wrong = member(body, "early_media") is False or member(body, "sip_transport_protocol") == "TLS"
            return FAILS if wrong else None

    catch = fuzzed(core, schemathesis, tmp_path, Both(), Bounds(examples=300))
    causes = {name for fault in catch.faults if fault.kind == NO_SERVER_ERROR for name in fault.probe.body}
    assert causes == {"to", "early_media", "sip_transport_protocol"}


def sent(planner: Planner, expecting: Expecting, seed: int, count: int) -> list[bytes]:
    operation = planner.operation
    plan = Planner(planner.edition, operation, 1).plan()
    seen: list[bytes] = []

    def ask(probe: Probe) -> Answer:
        seen.append(fingerprint(probe))
        return Answer()

    strategy = cases(planner.edition, operation, plan, expecting.told, SchemathesisCases(planner.edition))
    minimal = planned(operation, plan.probes[0])
    Hunt(operation, minimal, strategy, ask, seed=seed, bounds=Bounds(examples=count), clock=lambda: 0.0).run()
    return seen


def test_the_same_seed_sends_the_same_cases(planner: Planner, expecting: Expecting) -> None:
    first = sent(planner, expecting, 1, 70)
    assert sent(planner, expecting, 1, 70) == first
    assert sent(planner, expecting, 2, 70) != first
    assert len(set(first)) == len(first) == 70


def test_no_case_is_sent_once_the_time_is_up(
    edition: Edition, transfer: Operation, plan: Plan, expecting: Expecting
) -> None:
    ticks = iter(range(1000))
    strategy = cases(edition, transfer, plan, expecting.told, None)
    hunt = Hunt(
        transfer, planned(transfer, plan.probes[0]), strategy, lambda _: Answer(), seed=1,
        bounds=Bounds(examples=500, until=10.0), clock=lambda: float(next(ticks)),
    )  # fmt: skip
    assert 0 < hunt.run().cases < 10


def wrong(kind: str, mark: str) -> Observation:
    return Observation(kind=kind, mark=mark, finding=Finding(check="status", expected="2xx", actual="500"))


def test_a_stored_case_is_tried_before_all_others(
    edition: Edition, transfer: Operation, plan: Plan, expecting: Expecting
) -> None:
    asked: list[Probe] = []
    stored = as_probe(
        transfer, "kept", "accept", body={"to": "+12025550100", "from": "+12025550101"}, media_type="application/json"
    )

    def ask(probe: Probe) -> Answer:
        asked.append(probe)
        fails = isinstance(probe.body, dict) and probe.body.get("from") == "+12025550101"
        return Answer(observations=(wrong(NO_SERVER_ERROR, "500"),) if fails else ())

    strategy = cases(edition, transfer, plan, expecting.told, None)
    minimal = planned(transfer, plan.probes[0])
    hunt = Hunt(transfer, minimal, strategy, ask, seed=1, bounds=Bounds(examples=1), clock=lambda: 0.0)
    catch = hunt.run([stored])
    assert asked[0] == stored
    assert [(f.replayed, f.mark) for f in catch.faults] == [(True, "500")]


def test_an_example_is_kept_once_and_read_back(tmp_path: Path, transfer: Operation) -> None:
    examples = Examples(tmp_path / "kept")
    probe = as_probe(transfer, "altered", "refuse", body={"to": "\U0001f9e8"}, media_type="application/json")
    example = Example(operation="TransferCall", kind=REFUSED, expected="422", actual="200", probe=probe)
    assert examples.keep(example) == examples.keep(example)
    assert examples.of("TransferCall") == [example]
    assert examples.of("DialCall") == []


def test_a_file_that_is_no_example_is_named(tmp_path: Path) -> None:
    (tmp_path / "TransferCall").mkdir()
    (tmp_path / "TransferCall" / "broken.json").write_text("{", "utf-8")
    with pytest.raises(UsageError) as raised:
        Examples(tmp_path).of("TransferCall")
    assert raised.value.where.endswith("broken.json")


@pytest.mark.parametrize(
    ("body", "claimed", "word", "places"),
    [
        ({"to": "+12025550100"}, "accept", "valid", []),
        ({"to": "+12025550100", "timeout_secs": 601}, "refuse", "broken", ["request.body.timeout_secs"]),
        ({"to": "+12025550100", "timeout_secs": 601}, "accept", "open", ["request.body.timeout_secs"]),
        ({"to": "+12025550100"}, "refuse", "open", []),
        ({}, "refuse", "broken", ["request.body.to"]),
        ({"to": "+12025550100", "client_state": None}, "refuse", "open", ["request.body.client_state"]),
        ({"to": "+12025550100", "custom_headers": [{"name": "a"}]}, "refuse", "broken", ["request.body.custom_headers[].value"]),
    ],
)  # fmt: skip
def test_an_answer_is_held_against_a_target_only_where_generator_and_contract_agree(  # noqa: PLR0917 - one row each
    body: Any, claimed: Any, word: str, places: list[str], transfer: Operation, expecting: Expecting
) -> None:
    probe = as_probe(transfer, "test", claimed, body=body, media_type="application/json")
    expected = expecting.of(probe)
    assert (expected.word, [breach.place for breach in expected.breaches]) == (word, places)


def test_a_body_that_is_missing_is_broken_and_one_that_is_null_is_open(
    transfer: Operation, expecting: Expecting
) -> None:
    missing = as_probe(transfer, "test", "refuse")
    null = as_probe(transfer, "test", "refuse", raw=b"null", media_type="application/json")
    assert [expecting.of(probe).word for probe in (missing, null)] == ["broken", "open"]


def test_bytes_that_are_no_json_are_broken(transfer: Operation, expecting: Expecting) -> None:
    probe = as_probe(transfer, "test", "refuse", raw=b"\x00{", media_type="application/json")
    assert [b.keyword for b in expecting.of(probe).breaches] == ["malformed"]


@pytest.mark.parametrize(
    ("name", "text", "word"),
    [
        ("page[size]", "5", "valid"),
        ("page[size]", "x", "broken"),
        ("page[size]", "0", "broken"),
        ("page[size]", "", "open"),
        ("page[size]", "1_0", "open"),
        ("page[size]", "05", "open"),
        ("page[number]", str(2**70), "open"),
    ],
)
def test_what_a_query_says_is_read_as_text(name: str, text: str, word: str, edition: Edition) -> None:
    operation = edition.operation("ListPhoneNumbers")
    claimed: Any = "accept" if word == "valid" else "refuse"
    probe = as_probe(operation, "test", claimed, query={name: text})
    assert Expecting(Planner(edition, operation, 1), {}).of(probe).word == word


def judged(planner: Planner, expecting: Expecting, body: Any, answer: Response) -> set[str]:
    operation = planner.operation
    settings = Settings(only=["TransferCall"], classes=["fuzz"])
    judge = Judge(planner.edition, operation, planner.plan(), settings.errors, lambda *_: None)
    probe = expecting.told(as_probe(operation, "test", "accept", body=body, media_type="application/json"))
    exchange = Exchange(request=Request(method="POST", path="/"), response=answer)
    return {f"{o.kind} {o.mark}" for o in judge.observe(probe, expecting.of(probe), exchange)}


JSON_HEADERS = (("content-type", "application/json"),)
TAKEN = Response(status=200, headers=JSON_HEADERS, body=b'{"data": {"result": "ok"}}')
VALID, BROKEN = {"to": "+12025550100"}, {"to": "+12025550100", "timeout_secs": 601}


def refusal(status: int, pointer: str = "/timeout_secs", code: str = "10015") -> Response:
    error = {"code": code, "title": "Bad Request", "source": {"pointer": pointer}}
    return Response(status=status, headers=JSON_HEADERS, body=msgspec.json.encode({"errors": [error]}))


@pytest.mark.parametrize(
    ("body", "answer", "found"),
    [
        (VALID, TAKEN, set()),
        (BROKEN, refusal(422), set()),
        (VALID, Response(status=503), {"no-server-error 503"}),
        (BROKEN, TAKEN, {"negative-refused request.body.timeout_secs:maximum"}),
        (BROKEN, refusal(422, "/to"), {"negative-refused pointer"}),
        (BROKEN, refusal(422, code="90018"), {"negative-refused code"}),
        (BROKEN, refusal(403), {"negative-refused status-403"}),
        (VALID, refusal(422, "/to"), {"positive-accepted 422 10015 /to"}),
        (VALID, Response(status=302), {"documented-response status-302"}),
        (VALID, Response(status=418), {"documented-response error-envelope"}),
        (VALID, Response(status=201, headers=JSON_HEADERS, body=b"{}"), {"documented-response status"}),
        (VALID, Response(status=200, body=b"ok"), {"documented-response media-type"}),
        (BROKEN, Response(status=422, headers=JSON_HEADERS, body=b"{}"), {"documented-response error-envelope"}),
    ],
)
def test_an_answer_is_judged_by_what_was_to_come(
    body: Any, answer: Response, found: set[str], planner: Planner, expecting: Expecting
) -> None:
    told = judged(planner, expecting, body, answer)
    assert {" ".join(one.split()[:5]) for one in told} >= found
    assert bool(told) == bool(found)


def test_schemathesis_gives_both_kinds_and_leaves_the_key_alone(
    transfer: Operation, plan: Plan, schemathesis: SchemathesisCases
) -> None:
    for strategy, expect in ((schemathesis.positive(transfer), "accept"), (schemathesis.negative(transfer), "refuse")):
        seen: list[Probe] = []

        def ask(probe: Probe, seen: list[Probe] = seen) -> Answer:
            seen.append(probe)
            return Answer()

        minimal = planned(transfer, plan.probes[0])
        Hunt(transfer, minimal, strategy, ask, seed=1, bounds=Bounds(examples=15), clock=lambda: 0.0).run()
        assert {probe.expect for probe in seen} == {expect}
        assert all(not probe.path and "authorization" not in probe.headers for probe in seen)


def test_a_run_that_was_not_asked_to_fuzz_does_not_plan_it() -> None:
    settings = Settings(only=["TransferCall"])
    assert settings.chosen("fuzz") == ()
    assert not [r for r in settings.planned() if r.conformance_class == "fuzz"]
    assert [r.id for r in settings.everything() if r.id.startswith("TransferCall:fuzz:")]


def test_a_run_that_was_asked_to_fuzz_plans_four_requirements_of_an_operation() -> None:
    settings = Settings(only=["TransferCall"], classes=["fuzz"])
    assert settings.chosen("fuzz") == settings.selected
    assert {r.id for r in settings.planned()} == {f"TransferCall:fuzz:{kind}" for kind in KINDS}


def test_object_storage_is_not_fuzzed() -> None:
    settings = Settings(only=["ListBuckets"], classes=["fuzz"])
    assert settings.chosen("fuzz") == ()


def run_command(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(commands, ["fuzz", *arguments], standalone_mode=False)
    if result.exception is not None:
        raise result.exception
    return int(result.return_value or 0), result.stderr


def test_the_command_says_the_verdict_last_and_exits_with_it(tmp_path: Path) -> None:
    code, told = run_command(
        "--only",
        "TransferCall",
        "--examples",
        "30",
        "--out",
        str(tmp_path / "run"),
        "--examples-dir",
        str(tmp_path / "kept"),
    )
    assert (code, told.splitlines()[-1]) == (
        0, "verdict: conforms — 4 requirements, divergence 0.0000, coverage 1.0000",
    )  # fmt: skip
    assert not (tmp_path / "kept").exists()


def test_the_command_shows_a_finding_as_curl_and_tries_it_first_the_next_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opening, "_transport", lambda settings: transport(settings.edition, FailsOnFalse()))
    kept = ["--only", "TransferCall", "--examples-dir", str(tmp_path / "kept")]
    code, told = run_command(*kept, "--examples", "200", "--out", str(tmp_path / "one"))
    assert code == 1
    assert "curl --silent" in told
    assert '"early_media":false' in told
    assert told.splitlines()[-1].startswith("verdict: does not conform")
    folder = tmp_path / "one" / "failures" / "TransferCall--fuzz--no-server-error"
    assert {f.name for f in folder.iterdir()} >= {"request.sh", "test_reproduce.py"}
    assert (tmp_path / "kept" / "TransferCall").is_dir()

    code, told = run_command(*kept, "--examples", "1", "--out", str(tmp_path / "two"))
    assert code == 1
    assert "no-server-error [500] (kept from an earlier run)" in told


def test_nothing_to_fuzz_is_wrong_usage(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as raised:
        run_command("--only", "ListBuckets", "--out", str(tmp_path))
    assert raised.value.exit_code == 2
