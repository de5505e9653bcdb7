"""The emulator keeps what it is told: pages, filters and order over it, within bounds, each account by itself."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from telnyx_conformance.contract.document import load_edition
from telnyx_conformance.emulator.core import Emulator
from telnyx_conformance.emulator.listing import page_of
from telnyx_conformance.emulator.store import Store


class Client:
    """One account's view of an emulator."""

    def __init__(self, emulator: Emulator, key: str = "KEYTEST_state") -> None:
        self.emulator, self.key = emulator, key

    def __call__(self, method: str, target: str, body: Any = None) -> tuple[int, Any]:
        headers = [(b"authorization", b"Bearer " + self.key.encode())]
        content = b""
        if body is not None:
            headers.append((b"content-type", b"application/json"))
            content = json.dumps(body).encode()
        reply = self.emulator.handle(method, "/v2" + target, headers, content)
        return reply.status, json.loads(reply.body) if reply.body else None


@pytest.fixture
def ask() -> Client:
    return Client(Emulator(load_edition()))


def made(ask: Client, *names: str) -> list[str]:
    return [ask("POST", "/billing_groups", {"name": name})[1]["data"]["id"] for name in names]


def test_a_resource_says_what_was_asked_and_nothing_that_was_not(ask: Client) -> None:
    _, body = ask(
        "POST", "/messaging_profiles", {"name": "mine", "whitelisted_destinations": ["US", "DE"], "unknown": 1}
    )

    assert body["data"]["name"] == "mine"
    assert body["data"]["whitelisted_destinations"] == ["US", "DE"]
    assert body["data"]["record_type"] == "messaging_profile"
    assert "unknown" not in body["data"]
    assert list(body) == ["data"]


def test_a_change_keeps_what_it_does_not_name(ask: Client) -> None:
    _, created = ask("POST", "/outbound_voice_profiles", {"name": "first", "tags": ["a"], "concurrent_call_limit": 5})
    key = created["data"]["id"]
    ask("PATCH", f"/outbound_voice_profiles/{key}", {"name": "second"})
    _, read = ask("GET", f"/outbound_voice_profiles/{key}")

    assert (read["data"]["name"], read["data"]["tags"], read["data"]["concurrent_call_limit"]) == ("second", ["a"], 5)


def test_what_is_deleted_is_gone(ask: Client) -> None:
    [key] = made(ask, "short lived")

    assert ask("DELETE", f"/billing_groups/{key}")[0] == 200
    assert ask("GET", f"/billing_groups/{key}")[0] == 404
    assert ask("PATCH", f"/billing_groups/{key}", {"name": "x"})[0] == 404
    assert ask("GET", "/billing_groups")[1]["meta"]["total_results"] == 0


def test_the_newest_comes_first(ask: Client) -> None:
    keys = made(ask, "a", "b", "c")

    assert [group["id"] for group in ask("GET", "/billing_groups")[1]["data"]] == keys[::-1]


def test_pages_cover_everything_once(ask: Client) -> None:
    keys = made(ask, *(f"group {number}" for number in range(45)))
    pages = [ask("GET", f"/billing_groups?page[number]={number}&page[size]=20")[1] for number in (1, 2, 3, 4)]

    assert [len(page["data"]) for page in pages] == [20, 20, 5, 0]
    assert [group["id"] for page in pages for group in page["data"]] == keys[::-1]
    assert pages[1]["meta"] == {"page_number": 2, "page_size": 20, "total_pages": 3, "total_results": 45}


def test_filters_keep_what_fits(ask: Client) -> None:
    made_of = {"application_name": "", "webhook_event_url": "https://example.com/hook"}
    for name in ("red one", "red two", "blue one"):
        ask("POST", "/call_control_applications", {**made_of, "application_name": name})
    _, found = ask("GET", "/call_control_applications?filter[application_name][contains]=red")

    assert sorted(a["application_name"] for a in found["data"]) == ["red one", "red two"]


def test_order_follows_the_asked_field(ask: Client) -> None:
    for name in ("bbb", "aaa", "ccc"):
        ask("POST", "/outbound_voice_profiles", {"name": name})
    up, down = (ask("GET", f"/outbound_voice_profiles?sort={order}")[1]["data"] for order in ("name", "-name"))

    assert [p["name"] for p in up] == ["aaa", "bbb", "ccc"]
    assert [p["name"] for p in down] == ["ccc", "bbb", "aaa"]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"filter[n]": 2}, ["b"]),
        ({"filter[n][gte]": 2}, ["b", "c"]),
        ({"filter[n][lt]": "2"}, ["a"]),
        ({"filter[n][in]": "1,3"}, ["a", "c"]),
        ({"filter[n][ne]": 1}, ["b", "c"]),
        ({"filter[id][starts_with]": "B"}, ["b"]),
        ({"filter[in.ner]": "x"}, ["a"]),
        ({"filter": {"n": {"gt": 2}}}, ["c"]),
        ({"filter[nothing that any record has]": 1}, ["a", "b", "c"]),
        ({"sort": ["-n"]}, ["c", "b", "a"]),
        ({"page[size]": 2, "page[number]": 2}, ["c"]),
        ({"recordsPerPage": 1, "page": 2}, ["b"]),
    ],
)
def test_each_operator_means_what_it_says(query: dict[str, Any], expected: list[str]) -> None:
    records: list[dict[str, Any]] = [{"id": "a", "n": 1, "in": {"ner": "x"}}, {"id": "b", "n": 2}, {"id": "c", "n": 3}]

    assert [r["id"] for r in page_of(records, query).records] == expected


def test_a_child_belongs_to_its_parent_and_ends_with_it(ask: Client) -> None:
    body = {"name": "p", "whitelisted_destinations": ["US"]}
    one, two = (ask("POST", "/messaging_profiles", body)[1]["data"]["id"] for _ in range(2))
    reply = {"country_code": "US", "keywords": ["keyword1"], "op": "start", "resp_text": "Thank you"}
    _, child = ask("POST", f"/messaging_profiles/{one}/autoresp_configs", reply)
    key = child["data"]["id"]

    assert ask("GET", f"/messaging_profiles/{one}/autoresp_configs/{key}")[0] == 200
    assert ask("GET", f"/messaging_profiles/{two}/autoresp_configs/{key}")[0] == 404
    ask("DELETE", f"/messaging_profiles/{one}")
    assert ask("GET", f"/messaging_profiles/{one}/autoresp_configs/{key}")[0] == 404


def test_a_connection_shows_under_every_address_that_it_has(ask: Client) -> None:
    body = {"application_name": "a", "webhook_event_url": "https://example.com/hook"}
    key = ask("POST", "/call_control_applications", body)[1]["data"]["id"]

    assert ask("GET", f"/connections/{key}")[1]["data"]["id"] == key


def test_accounts_know_nothing_of_each_other(ask: Client) -> None:
    other = Client(ask.emulator, "KEYTEST_other")
    [key] = made(ask, "mine")

    assert other("GET", f"/billing_groups/{key}")[0] == 404
    assert other("GET", "/billing_groups")[1]["data"] == []
    assert ask("GET", f"/billing_groups/{key}")[0] == 200


def test_equal_requests_to_equal_emulators_give_equal_answers() -> None:
    answers = [made(Client(Emulator(load_edition(), seed=7)), "a", "b") for _ in range(2)]

    assert answers[0] == answers[1]
    assert answers[0] != made(Client(Emulator(load_edition(), seed=8)), "a", "b")


def test_a_stub_knows_every_id_and_keeps_nothing() -> None:
    ask = Client(Emulator(load_edition(), mode="stub"))
    key = "6a09cdc3-8948-47f0-aa62-74ac943d6c58"
    status, body = ask("GET", f"/billing_groups/{key}")
    made(ask, "a", "b", "c")

    assert (status, body["data"]["id"]) == (200, key)
    assert len(ask("GET", "/billing_groups")[1]["data"]) == 1
    assert len(ask.emulator.worlds[0].account.store) == 0


def test_collections_are_bounded_and_lose_the_oldest() -> None:
    store = Store(limit=3, collections=2)
    for number in range(5):
        store.collection(("a",)).put(str(number), {"n": number})
    store.collection(("b",))
    store.collection(("c",))

    assert store.existing(("a",)) is None
    assert store.existing(("c",)) is not None
    for number in range(5):
        store.collection(("c",)).put(str(number), {"n": number})
    assert [key for key, _ in store.collection(("c",)).items()] == ["4", "3", "2"]


def test_the_number_of_accounts_is_bounded() -> None:
    emulator = Emulator(load_edition(), max_accounts=3)
    for number in range(5):
        made(Client(emulator, f"KEYTEST_{number}"), "x")

    assert [world.account.key for world in emulator.worlds] == ["KEYTEST_2", "KEYTEST_3", "KEYTEST_4"]


def test_objects_are_kept_byte_by_byte(ask: Client) -> None:
    key = [(b"authorization", b"AWS4-HMAC-SHA256 Credential=KEYTEST_state/20250616/us/s3/aws4_request, Signature=x")]
    content = bytes(range(256))
    handle = ask.emulator.handle
    handle("PUT", "/s3/my-bucket", key, b"")
    handle("PUT", "/s3/my-bucket/a/b.bin", [*key, (b"content-type", b"application/octet-stream")], content)

    assert handle("GET", "/s3/my-bucket/a/b.bin", key, b"").body == content
    assert b"<Key>a/b.bin</Key>" in handle("GET", "/s3/my-bucket", key, b"").body
    assert handle("GET", "/s3/my-bucket/other", key, b"").status == 404
    assert handle("DELETE", "/s3/my-bucket/a/b.bin", key, b"").status == 204
    assert handle("GET", "/s3/my-bucket/a/b.bin", key, b"").status == 404


def test_head_answers_like_get_without_a_body(ask: Client) -> None:
    headers = [(b"authorization", b"Bearer KEYTEST_state")]
    get, head = (ask.emulator.handle(method, "/v2/balance", headers, b"") for method in ("GET", "HEAD"))

    assert (head.status, head.headers, head.body) == (get.status, get.headers, b"")


@pytest.mark.parametrize(
    "path",
    [
        "/call_events",
        "/network_coverage",
        "/messaging_optouts",
        "/porting_phone_numbers",
        "/messaging_profile_metrics",
        "/virtual_cross_connects_coverage",
        "/connections",
        "/external_connections/log_messages",
        "/detail_records?filter[record_type]=messaging",
    ],
)
def test_what_an_account_starts_with_differs_from_each_other(ask: Client, path: str) -> None:
    _, body = ask("GET", path)
    items = body.get("data", body.get("log_messages"))

    assert len(items) == 3
    assert len({json.dumps(item, sort_keys=True) for item in items}) == 3


def test_numbers_dates_and_ids_look_like_what_they_are(ask: Client) -> None:
    _, body = ask("GET", "/messaging_optouts")
    shown = body["data"][0]

    assert re.fullmatch(r"\+120255501\d\d", shown["from"])
    assert re.fullmatch(r"\+120255501\d\d", shown["to"])
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", shown["messaging_profile_id"])
    assert shown["created_at"].startswith("2025-06-16T12:0")


def test_a_list_below_a_parent_shows_what_belongs_to_it(ask: Client) -> None:
    rooms = [ask("POST", "/rooms", {"unique_name": name})[1]["data"]["id"] for name in ("a", "b")]
    below = [ask("GET", f"/rooms/{room}/sessions")[1]["data"] for room in rooms]

    assert [{session["room_id"] for session in sessions} for sessions in below] == [{rooms[0]}, {rooms[1]}]
    assert ask("GET", f"/room_sessions/{below[0][0]['id']}")[1]["data"]["room_id"] == rooms[0]
    assert ask("GET", f"/rooms/{rooms[0]}/sessions")[1]["data"] == below[0]


def test_connections_of_every_kind_are_listed_together_and_have_active_calls(ask: Client) -> None:
    _, created = ask(
        "POST", "/credential_connections", {"connection_name": "mine", "user_name": "user1", "password": "secret12"}
    )
    key = created["data"]["id"]

    assert key in [connection["id"] for connection in ask("GET", "/connections")[1]["data"]]
    assert ask("GET", f"/connections/{key}/active_calls")[0] == 200


def test_what_is_asked_about_a_number_is_answered_about_that_number(ask: Client) -> None:
    _, body = ask("GET", "/phone_numbers_regulatory_requirements?filter[phone_number]=%2B12025550142")

    assert [item["phone_number"] for item in body["data"]] == ["+12025550142"]


def test_a_filter_is_about_what_is_shown(ask: Client) -> None:
    _, slim = ask("GET", "/phone_numbers/slim")
    wanted = slim["data"][3]["phone_number"].replace("+", "%2B")
    _, found = ask("GET", f"/phone_numbers/slim?filter[phone_number]={wanted}")

    assert found["data"] == [slim["data"][3]]


def test_buckets_are_listed_at_the_root_with_and_without_a_slash(ask: Client) -> None:
    headers = [(b"authorization", b"Bearer KEYTEST_state")]

    assert [ask.emulator.handle("GET", path, headers, b"").status for path in ("/s3", "/s3/")] == [200, 200]
