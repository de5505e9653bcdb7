"""Live targets cost money and reach people: which key goes where, what is sent at all, and what is deleted."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest
from msgspec.structs import replace

from telnyx_conformance.contract.document import load_edition
from telnyx_conformance.errors import UnknownName, UsageError
from telnyx_conformance.inbox.receiver import Inbox
from telnyx_conformance.run.profile import ALL_CLASSES, LIVE_URL, Profile, is_loopback, is_telnyx, read_profile
from telnyx_conformance.run.redaction import Redactor
from telnyx_conformance.run.safety import Gate
from telnyx_conformance.run.settings import Settings

if TYPE_CHECKING:
    from pathlib import Path

LIVE_KEY = "KEY0198A7B6C5D4E3F2_live"
OTHER_KEY = "KEY0198A7B6C5D4E3F2_other"
STAGING = "https://staging.example/v2"
EDITION = load_edition()


@pytest.fixture(autouse=True)
def _keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TELNYX_API_KEY", LIVE_KEY)
    monkeypatch.setenv("OTHER", OTHER_KEY)


def said(folder: Path, text: str) -> Path:
    file = folder / "profile.yaml"
    file.write_text(text)
    return file


def test_the_live_key_goes_to_telnyx_and_to_nobody_else() -> None:
    assert read_profile("live", None).key == LIVE_KEY
    assert read_profile("https://api.telnyx.com/v2", None).key == LIVE_KEY
    assert LIVE_KEY not in {read_profile(where, None).key for where in ("embedded", STAGING, "http://127.0.0.1:1")}


@pytest.mark.parametrize(
    ("target", "profile", "problem"),
    [
        (STAGING, "{key_variable: TELNYX_API_KEY}", "a live key is never sent to a host that is not Telnyx"),
        (STAGING, "{key_variable: SAME}", "a live key is never sent to a host that is not Telnyx"),
        ("live", "{key_variable: FICTIONAL}", "an emulator's key is never sent to Telnyx"),
        ("https://api.telnyx.com/v2", "{key_variable: FICTIONAL}", "an emulator's key is never sent to Telnyx"),
        ("live", "{key_variable: ABSENT}", "no key for the live API"),
        (STAGING, "{key_variable: ABSENT}", "the profile names a key that is not there"),
        ("http://api.telnyx.com/v2", "{}", "a live key is never sent without TLS"),
        ("live", "{storage_url: 'https://staging.example/s3'}", "one key would go to Telnyx and to somebody else"),
        (STAGING, "{storage_url: 'https://eu.telnyxcloudstorage.com'}", "one key would go to Telnyx and to somebody else"),
        (STAGING, "{base_url: 'https://api.telnyx.com/v2'}", "one key would go to Telnyx and to somebody else"),
        ("https://api.telnyx.com/v2", f"{{base_url: '{STAGING}'}}", "one key would go to Telnyx and to somebody else"),
        ("https://api.telnyx.com/v2", "{base_url: 'http://api.telnyx.com/v2'}", "a live key is never sent without TLS"),
        (STAGING, "{key_variable: SHORT}", "the key is too plain to be kept out of reports"),
        (STAGING, "{key_variable: WORD}", "the key is too plain to be kept out of reports"),
        (STAGING, "{key_variable: SPACED}", "not a key"),
        ("https://me:s3cret@staging.example/v2", "{}", "a target's URL carries no user name and no password"),
    ],
)  # fmt: skip
def test_a_key_that_would_go_astray_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, target: str, profile: str, problem: str
) -> None:
    values = {
        "SAME": LIVE_KEY,
        "FICTIONAL": "KEYTEST_mine",
        "SHORT": "a1",
        "WORD": "requirement",
        "SPACED": "a b c d e f 1",
    }
    for name, value in values.items():
        monkeypatch.setenv(name, value)

    with pytest.raises(UsageError) as refused:
        read_profile(target, said(tmp_path, profile))

    assert refused.value.problem == problem
    assert not [value for value in (*values.values(), LIVE_KEY, "s3cret") if value in str(refused.value).split()]
    assert "s3cret" not in str(refused.value)


@pytest.mark.parametrize(
    "url",
    [
        "ftp://127.0.0.1", "127.0.0.1:4010", "http://", "http://127.0.0.1:99999/v2", "http://[::1", "http://a b/v2",
        "https://api.telnyx\u3002com/v2", "http://127.0.0.1\\@api.telnyx.com/", "http://127.0.0.1/v2?x=1",
        "http://127.0.0.1/v2#x", "http://127.0.0.1/\x1b[31m", "", "embeded", "http://127.0.0.1:0/v2",
    ],
)  # fmt: skip
def test_what_is_no_plain_url_is_refused(url: str) -> None:
    with pytest.raises(UsageError):
        read_profile(url, None)


@pytest.mark.parametrize(
    ("url", "telnyx", "loopback"),
    [
        (LIVE_URL, True, False),
        ("https://API.Telnyx.com./v2", True, False),
        ("https://eu-central-1.telnyxcloudstorage.com", True, False),
        ("https://api.telnyx.com.evil.example", False, False),
        ("https://eviltelnyx.com", False, False),
        ("http://127.0.0.1:4010", False, True),
        ("http://127.9.9.9", False, True),
        ("http://[::1]:80", False, True),
        ("http://localhost", False, True),
        ("http://127.evil.example", False, False),
        ("http://localhost.evil.example", False, False),
        ("http://10.0.0.1", False, False),
    ],
)
def test_a_host_is_known_by_its_whole_name(url: str, telnyx: bool, loopback: bool) -> None:  # noqa: FBT001 - a table
    assert (is_telnyx(url), is_loopback(url)) == (telnyx, loopback)


@pytest.mark.parametrize(
    ("target", "allowed"),
    [
        ("embedded", ALL_CLASSES),
        ("http://127.0.0.1:4010", ALL_CLASSES),
        (STAGING, ("safe_read",)),
        ("http://127.evil.example", ("safe_read",)),
        ("live", ("safe_read",)),
    ],
)
def test_beyond_this_machine_only_safe_reads_are_sent_unless_allowed(target: str, allowed: tuple[str, ...]) -> None:
    profile = read_profile(target, None)
    gate = Gate(profile)
    sent = {o.safety for o in EDITION.operations if not gate.refuses(o)}

    assert profile.allow == allowed
    assert sent == set(allowed)


def test_what_is_not_allowed_is_not_claimed_and_neither_is_a_method_that_nobody_documents() -> None:
    settings = Settings(target=STAGING, only=["Billing Groups"])
    planned = {r.id: settings.applies(r) for r in settings.planned()}

    assert planned["CreateBillingGroup:route:exists"] == "only safe_read operations are claimed"
    assert planned["ListBillingGroups:route:exists"] == ""
    assert {bool(why) for name, why in planned.items() if name.endswith(":method:not-allowed")} == {True}


def test_an_undocumented_method_is_stopped_at_the_gate_too() -> None:
    gate = Gate(read_profile(STAGING, None))
    listing = EDITION.operation("ListBillingGroups")

    assert gate.objects(listing, {}, None) == ""
    assert gate.objects(listing, {}, None, method="DELETE") != ""
    assert Gate(read_profile("http://127.0.0.1:1", None)).objects(listing, {}, None, method="DELETE") == ""


def allowing(*, kind: Any = "live", budget: int = 0, destinations: dict[str, str] | None = None) -> Gate:
    where = LIVE_URL if kind == "live" else STAGING
    profile = Profile(kind=kind, base_url=where, allow=ALL_CLASSES, billable_budget=budget)
    return Gate(replace(profile, destinations=destinations or {}))


@pytest.mark.parametrize("kind", ["live", "url"])
def test_the_budget_is_enforced_before_sending(kind: Any) -> None:
    gate, room = allowing(kind=kind, budget=2), EDITION.operation("CreateRoom")
    answers = [gate.objects(room, {}, {"unique_name": "x"}) for _ in range(4)]

    assert answers == ["", "", *["the billable budget of 2 requests is spent"] * 2]


def test_what_costs_nothing_spends_nothing() -> None:
    gate = allowing(budget=1)
    group, room = EDITION.operation("CreateBillingGroup"), EDITION.operation("CreateRoom")

    assert [gate.objects(group, {}, {"name": "x"}) for _ in range(3)] == ["", "", ""]
    assert gate.objects(room, {}, {}) == ""


@pytest.mark.parametrize(
    ("operation", "body"),
    [
        ("DialCall", {"to": "+12025550100"}),
        ("DialCall", {"to": ["+12025550111", "+12025550100"]}),
        ("TransferCall", {"to": "+12025550100", "from": "+12025550111"}),
        ("SendMessage", {"to": "+12025550100", "text": "x"}),
        ("CreateGroupMmsMessage", {"to": ["+12025550100"]}),
        ("CreateNumberOrder", {"phone_numbers": [{"phone_number": "+12025550100"}]}),
        ("InitiateTexmlCall", {"To": "+12025550100"}),
        ("SendMessage", {"deep": {"phone_numbers": {"a": ["+12025550100"]}}}),
    ],
)
def test_nobody_is_reached_who_is_not_on_the_list(operation: str, body: dict[str, Any]) -> None:
    gate = allowing(budget=1, destinations={"answers": "+12025550111"})
    one = EDITION.operation(operation)
    path = {"call_control_id": "v3:x"}

    assert gate.objects(one, path, body) == "destination +12025550100 is not on the profile's list"
    assert allowing(budget=1, destinations={"a": "+12025550111", "b": "+12025550100"}).objects(one, path, body) == ""
    assert gate.objects(EDITION.operation("CreateRoom"), {}, {}) == ""  # what was refused has spent nothing


def test_only_what_this_run_created_is_deleted() -> None:
    gate, delete = allowing(), EDITION.operation("DeleteBillingGroup")
    assert gate.objects(delete, {"id": "theirs"}, None) == "only what this run created is deleted"

    gate.created.add("ours")

    assert gate.objects(delete, {"id": "ours"}, None) == ""
    assert gate.objects(delete, {"id": "theirs"}, None) != ""
    assert gate.objects(delete, {"outer": "ours", "id": "theirs"}, None) != ""
    assert gate.objects(delete, {"id": "nobody's"}, None, names_nothing=True) == ""


@pytest.mark.parametrize(
    ("profile", "word"),
    [
        ("{claims: {groups: [Billing Gruops]}}", "Billing Groups"),
        ("{claims: {operations: [TransferCal]}}", "TransferCall"),
        ("{claims: {classes: [sufrace]}}", "surface"),
        ("{resources: {call_control_di: x}}", "call_control_id"),
        ("{destinations: {rings_uot: '+12025550101'}}", "rings_out"),
    ],
)
def test_a_name_in_a_profile_that_nobody_knows_is_told_with_its_neighbour(
    tmp_path: Path, profile: str, word: str
) -> None:
    with pytest.raises(UnknownName) as unknown:
        Settings(target="http://127.0.0.1:1", profile=str(said(tmp_path, profile)))

    assert unknown.value.advice == f"did you mean {word}?"


def test_a_webhook_that_carries_the_key_is_kept_without_it() -> None:
    async def scene() -> None:
        async with Inbox(scrub=Redactor([OTHER_KEY])) as inbox, aiohttp.ClientSession() as client:
            url = inbox.url("t")
            await client.post(url, json={"data": {"payload": {"key": OTHER_KEY}}}, headers={"x-echo": OTHER_KEY})
            await client.get(url, params={"data": f'"{OTHER_KEY}"'})
            posted, got = inbox.events("t")

        assert posted.payload == {"key": "[redacted]"}
        assert got.document == {"data": "[redacted]"}
        assert OTHER_KEY not in repr((posted, got))

    asyncio.run(scene())


def test_what_holds_no_secret_is_left_as_it_is() -> None:
    redactor = Redactor([OTHER_KEY])

    assert redactor(b"\xff plain \x00") == b"\xff plain \x00"
    assert Redactor([""])(b"anything") == b"anything"
    assert redactor.text(f"a {OTHER_KEY.lower()} b") == "a [redacted] b"


def test_on_this_machine_a_list_may_be_emptied() -> None:
    profile = Profile(kind="url", base_url="http://127.0.0.1:4010", allow=ALL_CLASSES)
    assert Gate(profile).objects(EDITION.operation("DeleteRecordings"), {}, {"ids": ["theirs"]}) == ""
