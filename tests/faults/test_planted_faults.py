"""Every check is shown to fail: each row plants one fault, and that check alone reports it, by name."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import httpx
import msgspec
import pytest

from telnyx_conformance.contract.kinds import KINDS
from telnyx_conformance.run.planning import PLAN_FILE, write_plan
from telnyx_conformance.run.settings import Settings

if TYPE_CHECKING:
    from pathlib import Path

Change = Callable[[Any], Any]
When = Callable[[Any, httpx.Request], bool]
Answer = Callable[[Any, httpx.Request, Callable[[httpx.Request], Awaitable[httpx.Response]]], Awaitable[httpx.Response]]
ELSEWHERE = "00000000-0000-4000-8000-0000000000ff"


@dataclass(frozen=True)
class Row:
    """A planted fault and exactly what a run says of it. `unjudged` are the requirements that it leaves without a verdict."""

    check: str
    fault: str
    proven: str
    subject: str
    reported: tuple[str, ...]
    plant: dict[str, Any] = field(hash=False)
    unjudged: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        return f"{self.check}: {self.fault}"


# How a reply goes wrong


def always(_: Any, __: httpx.Request) -> bool:
    return True


def succeeded(response: httpx.Response) -> bool:
    return response.status_code < 300


def probe(name: str) -> When:
    return lambda asked, _: asked.name.partition(":")[2].startswith(name)


def probe_of(name: str) -> When:
    return lambda asked, _: asked.name == name


def query(name: str, value: str = "") -> When:
    return lambda _, request: request.url.params.get(name) == value if value else name in request.url.params


def replied(
    response: httpx.Response, *, status: int = 0, content: bytes | None = None, media_type: str = ""
) -> httpx.Response:
    headers = {k: v for k, v in response.headers.items() if k != "content-length"}
    if media_type:
        headers["content-type"] = media_type
    body = response.content if content is None else content
    return httpx.Response(status or response.status_code, headers=headers, content=body)


def bent(operation: str, change: Callable[[httpx.Response], httpx.Response], when: When = always) -> dict[str, Any]:
    """Change every reply of an operation whose request is meant by `when`."""

    async def answer(asked: Any, request: httpx.Request, real: Any) -> httpx.Response:
        response: httpx.Response = await real(request)
        return change(response) if asked.operation == operation and when(asked, request) else response

    return {"answer": answer}


def body(operation: str, change: Change, when: When = always, *, refusals: bool = False) -> dict[str, Any]:
    """Change the JSON of every success (or refusal) of an operation whose request is meant by `when`."""

    def changed(response: httpx.Response) -> httpx.Response:
        if succeeded(response) == refusals or not response.content:
            return response
        return replied(response, content=msgspec.json.encode(change(msgspec.json.decode(response.content))))

    return bent(operation, changed, when)


def instead(operation: str, status: int, when: When) -> dict[str, Any]:
    """Answer requests meant by `when` with a bare status, without carrying them out."""

    async def answer(asked: Any, request: httpx.Request, real: Any) -> httpx.Response:
        if asked.operation == operation and when(asked, request):
            return httpx.Response(status, json={"data": {}})
        response: httpx.Response = await real(request)
        return response

    return {"answer": answer}


def redirected(operation: str, when: When, **changes: str | None) -> dict[str, Any]:
    """Carry out another request than was sent: with other query parameters, or without them."""

    async def answer(asked: Any, request: httpx.Request, real: Any) -> httpx.Response:
        if asked.operation == operation and when(asked, request):
            kept = {k: v for k, v in request.url.params.multi_items() if k not in changes}
            kept |= {k: v for k, v in changes.items() if v is not None}
            url = request.url.copy_with(params=kept)
            request = httpx.Request(request.method, url, headers=request.headers, content=request.content)
        response: httpx.Response = await real(request)
        return response

    return {"answer": answer}


def unsized(_: Any, request: httpx.Request) -> bool:
    return not any(name in request.url.params for name in ("page[size]", "page[number]"))


def key_told(operation: str) -> dict[str, Any]:
    """Repeat the key of each request in a header of the answer."""

    async def answer(asked: Any, request: httpx.Request, real: Any) -> httpx.Response:
        response: httpx.Response = await real(request)
        if asked.operation == operation and "authorization" in request.headers:
            response.headers["x-key"] = request.headers["authorization"].removeprefix("Bearer ")
        return response

    return {"answer": answer}


def silent(operation: str, when: When) -> dict[str, Any]:
    async def answer(asked: Any, request: httpx.Request, real: Any) -> httpx.Response:
        if asked.operation == operation and when(asked, request):
            raise httpx.ConnectError("planted", request=request)
        response: httpx.Response = await real(request)
        return response

    return {"answer": answer}


def nth(number: int) -> When:
    """Mean the request of that number, from 1, that an operation is sent; strangers' requests count too."""
    seen: list[httpx.Request] = []

    def meant(_: Any, request: httpx.Request) -> bool:
        seen.append(request)
        return len(seen) == number

    return meant


def from_stranger(_: Any, request: httpx.Request) -> bool:
    """Mean what is sent with the key of another account than the one whose resource it is about."""
    return "strangers" in request.headers["authorization"]


def data(**changes: Any) -> Change:
    return lambda document: {**document, "data": {**document["data"], **changes}}


def items(change: Callable[[list[Any]], list[Any]]) -> Change:
    return lambda document: {**document, "data": change(document["data"])}


def meta(**changes: Any) -> Change:
    return lambda document: {**document, "meta": {**document["meta"], **changes}}


def each_error(**changes: Any) -> Change:
    return lambda document: {"errors": [{**error, **changes} for error in document["errors"]]}


def same_id(operation: str) -> Answer:
    """Create with the first id of all from the third time on."""
    ids: list[str] = []

    async def answer(asked: Any, request: httpx.Request, real: Any) -> httpx.Response:
        response: httpx.Response = await real(request)
        if asked.operation != operation:
            return response
        document = msgspec.json.decode(response.content)
        ids.append(document["data"]["id"])
        number = 0 if len(ids) > 2 else -1
        return replied(response, content=msgspec.json.encode(data(id=ids[number])(document)))

    return answer


def as_owner(operation: str) -> Answer:
    """Answer a stranger as the owner."""

    async def answer(asked: Any, request: httpx.Request, real: Any) -> httpx.Response:
        if asked.operation == operation and from_stranger(asked, request):
            key = request.headers["authorization"].replace("strangers", "lifecycles")
            request = httpx.Request(request.method, request.url, headers={**request.headers, "authorization": key})
        response: httpx.Response = await real(request)
        return response

    return answer


def forgetful(change: str, create: str) -> Answer:
    """Change what is named and put the rest back to what it was at first."""
    first: dict[str, Any] = {}

    async def answer(asked: Any, request: httpx.Request, real: Any) -> httpx.Response:
        if asked.operation == create and not first:
            first.update(msgspec.json.decode(request.content))
        if asked.operation == change and not from_stranger(asked, request):
            whole = msgspec.json.encode({**first, **msgspec.json.decode(request.content)})
            headers = {k: v for k, v in request.headers.items() if k != "content-length"}
            request = httpx.Request(request.method, request.url, headers=headers, content=whole)
        response: httpx.Response = await real(request)
        return response

    return answer


def stale(operation: str, number: int) -> Answer:
    """Answer the request of that number like the one before."""
    answers: list[httpx.Response] = []

    async def answer(asked: Any, request: httpx.Request, real: Any) -> httpx.Response:
        response: httpx.Response = await real(request)
        if asked.operation == operation and not from_stranger(asked, request):
            answers.append(response)
            return answers[-2] if len(answers) == number else response
        return response

    return answer


def crowded(listed: list[Any]) -> list[Any]:
    return [*listed, *({**one, "id": ELSEWHERE} for one in listed[:1])]


# How a webhook goes wrong


def posting(event: str, change: Callable[[Any], list[Any]], **where: Any) -> dict[str, Any]:
    """Post what `change` makes of each `event` whose payload holds `where`."""

    def post(one: Any) -> list[Any]:
        meant = one.event == event and all(one.payload.get(k) == v for k, v in where.items())
        return change(one) if meant else [one]

    return {"post": post}


def second(change: Callable[[Any], Any]) -> Callable[[Any], list[Any]]:
    """Leave the first event and change the second: leg A's events come before those of leg B."""
    seen: list[Any] = []

    def changing(one: Any) -> list[Any]:
        seen.append(one)
        return change(one) if len(seen) == 2 else [one]

    return changing


def twice(one: Any) -> list[Any]:
    return [one, one.with_data(id=ELSEWHERE)]


def of_another_leg(one: Any) -> list[Any]:
    return [one, one.with_data(id=ELSEWHERE).with_payload(call_leg_id=ELSEWHERE, call_control_id="v3:elsewhere")]


def without(field: str) -> Callable[[Any], list[Any]]:
    return lambda one: [one.with_data(payload={name: value for name, value in one.payload.items() if name != field})]


def eleventh() -> When:
    """The eleventh request that carries a transfer."""
    seen: list[str] = []

    def meant(asked: Any, _: httpx.Request) -> bool:
        seen.append(asked.name)
        return len(seen) == 11

    return meant


def wrongly_signed(right: dict[str, str], _: bytes) -> dict[str, str]:
    return {**right, "telnyx-signature-ed25519": "A" * 86 + "=="}


def first(change: Callable[[Any], list[Any]]) -> Callable[[Any], list[Any]]:
    seen: list[Any] = []

    def changing(one: Any) -> list[Any]:
        seen.append(one)
        return change(one) if len(seen) == 1 else [one]

    return changing


def hung_up(one: Any) -> list[Any]:
    """A leg that is bridged tells besides that it has ended."""
    return [one, one.with_data(id=ELSEWHERE, event_type="call.hangup")]


GROUP, GROUPS, CHANGE, PROFILES = (
    "CreateBillingGroup",
    "ListBillingGroups",
    "UpdateBillingGroup",
    "ListOutboundVoiceProfiles",
)
LIFE = "billing_groups"
ANSWERED, NUMBER = "TransferCall:webhooks.transfer-answered", "request.query.page[number]"

ROWS = (
    # Statuses
    Row("status", "success has an undocumented status", "envelopes", GROUP,
        (f"{GROUP}:response.200:status",), bent(GROUP, lambda r: replied(r, status=203) if succeeded(r) else r)),
    Row("accepted", "a valid value is refused", "requests", GROUPS,
        (f"{GROUPS}:request.query.page[size]:maximum",), instead(GROUPS, 422, query("page[size]", "250"))),
    Row("refused", "a value beyond the bound is taken", "requests", GROUPS,
        (f"{GROUPS}:request.query.page[size]:maximum",), instead(GROUPS, 200, query("page[size]", "251")),
        (f"{GROUPS}:request.query.page[size]:code", f"{GROUPS}:request.query.page[size]:pointer")),
    Row("routed", "the operation is not routed", "surface", GROUP,
        (f"{GROUP}:route:exists",), instead(GROUP, 501, probe("route:exists"))),
    Row("answered", "one request is never answered while others are", "surface", GROUP,
        (f"{GROUP}:route:answers",), silent(GROUP, probe("route:exists")), (f"{GROUP}:route:exists",)),
    Row("secrecy", "a refusal tells the key that it refuses", "surface", GROUP,
        (f"{GROUP}:auth:secret",),
        body(GROUP, each_error(detail="No such key: KEY0000CONFORMANCE_never_issued"), probe("auth:unknown"), refusals=True)),
    Row("secrecy", "a header tells the key", "surface", "GetBillingGroup",
        ("GetBillingGroup:auth:secret",), key_told("GetBillingGroup")),
    # Refusals
    Row("error-envelope", "a refusal has a body of its own", "envelopes", GROUP,
        (f"{GROUP}:error.422:schema",),
        body(GROUP, lambda _: {"message": "no"}, probe("request.body"), refusals=True)),
    Row("error-code", "a refusal has the code of something else", "requests", GROUP,
        (f"{GROUP}:request.body.name:code",),
        body(GROUP, each_error(code="10038"), probe("request.body.name"), refusals=True)),
    Row("pointer", "a refusal blames another field", "requests", GROUP,
        (f"{GROUP}:request.body.name:pointer",),
        body(GROUP, each_error(source={"pointer": "/other"}), probe("request.body.name"), refusals=True)),
    Row("parameter", "a refusal blames no parameter", "requests", GROUPS,
        (f"{GROUPS}:{NUMBER}:pointer",), body(GROUPS, each_error(source={}), probe(NUMBER), refusals=True)),
    # Success bodies
    Row("media-type", "JSON is called text", "envelopes", GROUP, (f"{GROUP}:response.200:content-type",),
        bent(GROUP, lambda r: replied(r, media_type="text/plain") if succeeded(r) else r)),
    Row("media-type", "a body comes where none is documented", "envelopes", "delete_integration_secret",
        ("delete_integration_secret:response.204:empty",),
        bent("delete_integration_secret", lambda r: replied(r, content=b"gone") if succeeded(r) else r)),
    Row("schema", "a field has another type", "envelopes", GROUP,
        (f"{GROUP}:response.200:schema",), body(GROUP, data(organization_id=7))),
    Row("envelope", "the resource stands bare", "envelopes", "GetBillingGroup",
        ("GetBillingGroup:response.200:envelope",), body("GetBillingGroup", lambda document: document["data"])),
    Row("echo", "a change answers with another name", "envelopes", CHANGE,
        (f"{CHANGE}:response.200:echo",), body(CHANGE, data(name="another"))),
    Row("default", "a creation takes another default", "envelopes", "CreateFqdnConnection",
        ("CreateFqdnConnection:response.201:default",), body("CreateFqdnConnection", data(dtmf_type="Inband"),
             lambda _, request: b"dtmf_type" not in request.content)),
    # Lists
    Row("page-default", "a page says that it has another size", "envelopes", GROUPS,
        (f"{GROUPS}:pagination:default",), body(GROUPS, meta(page_size=7), unsized)),
    Row("page-size", "a page holds one item too many", "envelopes", GROUPS,
        (f"{GROUPS}:pagination:size",), body(GROUPS, items(crowded), query("page[number]", "1"))),
    Row("page-meta", "a page bears the number of another", "envelopes", GROUPS,
        (f"{GROUPS}:pagination:totals",), body(GROUPS, meta(page_number=7))),
    Row("page-meta", "the totals are too small", "envelopes", GROUPS,
        (f"{GROUPS}:pagination:totals",), body(GROUPS, meta(total_results=1, total_pages=1))),
    Row("page-overlap", "every page is the first", "envelopes", GROUPS, (f"{GROUPS}:pagination:number",),
        redirected(GROUPS, query("page[number]", "2"), **{"page[number]": "1"})),
    Row("page-beyond-end", "there is always another page", "envelopes", GROUPS, (f"{GROUPS}:pagination:beyond-end",),
        redirected(GROUPS, query("page[number]", "100000"), **{"page[number]": "1"})),
    Row("list", "a page beyond the end is not found", "envelopes", GROUPS,
        (f"{GROUPS}:pagination:beyond-end",), instead(GROUPS, 404, query("page[number]", "100000"))),
    Row("filter", "a filter is ignored", "envelopes", PROFILES, (f"{PROFILES}:filter.name[contains]:applies",),
        redirected(PROFILES, query("filter[name][contains]"), **{"filter[name][contains]": None})),
    Row("filter", "a filter leaves nothing", "envelopes", PROFILES, (f"{PROFILES}:filter.name[contains]:applies",),
        body(PROFILES, items(lambda _: []), query("filter[name][contains]"))),
    Row("sort", "items come in the opposite order", "envelopes", PROFILES,
        (f"{PROFILES}:sort:order",), body(PROFILES, items(lambda listed: listed[::-1]), query("sort", "name"))),
    # Lives
    Row("readable", "the first look shows another name", "lifecycles", LIFE,
        (f"{GROUP}:lifecycles:readable",), body("GetBillingGroup", data(name="another"), nth(1))),
    Row("listed", "the list is empty after a creation", "lifecycles", LIFE,
        (f"{GROUP}:lifecycles:listed",), body(GROUPS, items(lambda _: []), nth(2))),
    Row("created-once", "the list holds two more after a creation", "lifecycles", LIFE,
        (f"{GROUP}:lifecycles:once",), body(GROUPS, items(crowded), nth(2))),
    Row("distinct", "the id of what was deleted is given again", "lifecycles", LIFE,
        (f"{GROUP}:lifecycles:distinct",), {"answer": same_id(GROUP)}),
    Row("default", "a field that was left out is something else", "lifecycles", "outbound_voice_profiles",
        ("CreateVoiceProfile:lifecycles:default",),
        body("GetOutboundVoiceProfile", data(enabled=False), nth(2))),
    Row("kept", "a look changes the name", "lifecycles", LIFE,
        ("GetBillingGroup:lifecycles:kept",), body("GetBillingGroup", data(name="another"), nth(3))),
    Row("kept", "a list changes the name", "lifecycles", LIFE,
        (f"{GROUPS}:lifecycles:kept",), body("GetBillingGroup", data(name="another"), nth(5))),
    Row("kept", "what was listed cannot be found", "lifecycles", LIFE,
        (f"{GROUPS}:lifecycles:kept",), instead("GetBillingGroup", 404, nth(5))),
    Row("isolated", "a stranger reads it", "lifecycles", LIFE,
        ("GetBillingGroup:lifecycles:isolated",), instead("GetBillingGroup", 200, from_stranger)),
    Row("isolated", "a stranger's change is taken", "lifecycles", LIFE,
        (f"{CHANGE}:lifecycles:isolated",), instead(CHANGE, 200, from_stranger)),
    Row("isolated", "a stranger's deletion leaves another name", "lifecycles", LIFE,
        ("DeleteBillingGroup:lifecycles:isolated",), body("GetBillingGroup", data(name="another"), nth(10))),
    Row("isolated", "a stranger lists it", "lifecycles", LIFE,
        (f"{GROUPS}:lifecycles:isolated",), {"answer": as_owner(GROUPS)}),
    Row("changed", "the name is not what was set", "lifecycles", LIFE,
        (f"{CHANGE}:lifecycles:changed",), body("GetBillingGroup", data(name="another"), nth(13))),
    Row("changed", "a change is not carried out", "lifecycles", LIFE,
        (f"{CHANGE}:lifecycles:changed",), instead(CHANGE, 200, nth(3))),
    Row("changed", "what was changed cannot be found", "lifecycles", LIFE,
        (f"{CHANGE}:lifecycles:changed",), instead("GetBillingGroup", 404, nth(13))),
    Row("merged", "what was not named is something else", "lifecycles", "outbound_voice_profiles",
        ("UpdateOutboundVoiceProfile:lifecycles:merged",),
        {"answer": forgetful("UpdateOutboundVoiceProfile", "CreateVoiceProfile")}),
    Row("alone", "a change renames another one", "lifecycles", LIFE,
        (f"{CHANGE}:lifecycles:alone",), body("GetBillingGroup", data(name="another"), nth(17))),
    Row("alone", "a deletion takes another one too", "lifecycles", LIFE,
        ("DeleteBillingGroup:lifecycles:alone",), instead("GetBillingGroup", 404, nth(20))),
    Row("gone", "what was deleted can be read", "lifecycles", LIFE,
        ("DeleteBillingGroup:lifecycles:gone",), instead("GetBillingGroup", 200, nth(19))),
    Row("gone", "what was deleted is listed", "lifecycles", LIFE,
        ("DeleteBillingGroup:lifecycles:gone",), {"answer": stale(GROUPS, 4)}),
    Row("again", "what was deleted is deleted again", "lifecycles", LIFE,
        ("DeleteBillingGroup:lifecycles:again",), instead("DeleteBillingGroup", 200, nth(3))),
    # Commands
    Row("sequence-accepted", "a command is carried out and called wrong", "commands", "transfer-answered",
        ("TransferCall:commands.transfer-answered.command:accepted",),
        bent("TransferCall", lambda r: replied(r, status=400))),
    Row("sequence-refused", "a command is refused with the code of something else", "commands", "transfer-ended",
        ("TransferCall:commands.transfer-ended.command:refused",),
        body("TransferCall", each_error(code="90015"), refusals=True)),
    Row("sequence-legs", "an event of a third leg comes", "commands", "transfer-answered",
        ("TransferCall:commands.transfer-answered:legs",), posting("call.bridged", second(of_another_leg))),
    Row("sequence-answer", "a call that is alive is called dead", "commands", "dial-read-back",
        ("DialCall:commands.dial-read-back.read.is_alive:answer",), body("RetrieveCallStatus", data(is_alive=False))),
    Row("sequence-answer", "an answer and an event tell two stories", "commands", "dial-read-back",
        ("DialCall:commands.dial-read-back.read.call_leg_id:answer",),
        body("RetrieveCallStatus", data(call_leg_id=ELSEWHERE))),
    Row("sequence-answer", "a call keeps its place when the one before it leaves", "commands", "leave-queue",
        ("LeaveQueue:commands.leave-queue.rest.B.queue_position:answer",),
        body("ListQueueCalls", items(lambda listed: [{**one, "queue_position": 2} for one in listed]),
             probe_of("leave-queue.rest"))),
    Row("sequence-accepted", "one copy of many is refused", "commands", "transfer-again-and-again",
        ("TransferCall:commands.transfer-again-and-again.crowd:accepted",),
        instead("TransferCall", 503, eleventh())),
    Row("sequence-refused", "what is not there is found", "commands", "dial-read-back",
        ("DialCall:commands.dial-read-back.none:refused",), instead("RetrieveConference", 200, always)),
    # Webhooks
    Row("sequence-payload", "an event belongs to another session than the one it must agree with", "webhooks",
        "hangup-bridged", ("HangupCall:webhooks.hangup-bridged.hungup-a.call_session_id:payload",),
        posting("call.hangup", first(lambda one: [one.with_payload(call_session_id=ELSEWHERE)]))),
    Row("sequence-payload", "a field that must be there is absent", "webhooks", "hangup-bridged",
        ("HangupCall:webhooks.hangup-bridged.hungup-b.start_time:payload",),
        posting("call.hangup", without("start_time"))),
    Row("sequence-payload", "pressed digits come the other way round", "webhooks", "press-digits",
        ("UpdateClientState:webhooks.press-digits.digits.digit:payload",),
        posting("call.dtmf.received", second(lambda one: [one.with_payload(digit="3")]))),
    Row("sequence-present", "the event that is meant is another one's twin", "webhooks", "transfer-twice",
        ("TransferCall:webhooks.transfer-twice.rejected:present",),
        posting("call.hangup", second(lambda one: [one.with_payload(hangup_cause="timeout")]))),
    Row("sequence-present", "an event is missing", "webhooks", "transfer-answered",
        (f"{ANSWERED}.bridged-b:present",), posting("call.bridged", first(lambda _: [])),
        (f"{ANSWERED}.answered<bridged-b:order",)),
    Row("sequence-present", "an event comes twice as two", "webhooks", "transfer-answered",
        (f"{ANSWERED}.bridged-b:present",), posting("call.bridged", first(twice))),
    Row("sequence-payload", "the second leg is called incoming", "webhooks", "transfer-answered",
        (f"{ANSWERED}.initiated.direction:payload",),
        posting("call.initiated", second(lambda one: [one.with_payload(direction="incoming")]))),
    Row("sequence-order", "a leg is bridged before it is answered", "webhooks", "transfer-answered",
        (f"{ANSWERED}.answered<bridged-b:order",),
        posting("call.bridged", first(lambda one: [one.with_data(occurred_at="2025-06-16T12:00:03.000000Z")]))),
    Row("sequence-timing", "nobody is waited for", "webhooks", "transfer-timeout-5",
        ("TransferCall:webhooks.transfer-timeout-5.initiated..hungup.at_least:timing",),
        posting("call.hangup", lambda one: [one.with_data(occurred_at="2025-06-16T12:00:04.000000Z")])),
    Row("sequence-never", "the first leg is hung up", "webhooks", "transfer-answered",
        (f"{ANSWERED}.call.hangup@A:never",), posting("call.bridged", second(hung_up))),
    Row("sequence-share", "the second leg is of another session", "webhooks", "transfer-answered",
        (f"{ANSWERED}.call_session_id:share",),
        posting("call.bridged", first(lambda one: [one.with_payload(call_session_id=ELSEWHERE)]))),
    Row("sequence-closed", "an event that may come once comes twice", "webhooks", "transfer-inbound",
        ("TransferCall:webhooks.transfer-inbound:closed",), posting("call.bridged", second(twice))),
    Row("sequence-delivery", "an event goes to the address of the first leg", "webhooks", "transfer-webhook-url",
        ("TransferCall:webhooks.transfer-webhook-url.bridged-b:delivery",),
        posting("call.bridged", first(lambda one: [type(one)(one.url.removesuffix("-own"), one.document, one.method)]))),
    Row("sequence-delivery", "an event is put", "webhooks", "transfer-webhook-url",
        ("TransferCall:webhooks.transfer-webhook-url.bridged-b:delivery",),
        posting("call.bridged", first(lambda one: [type(one)(one.url, one.document, "PUT")]))),
    Row("sequence-schema", "a payload field has another type", "webhooks", "transfer-answered",
        (f"{ANSWERED}:schema",), posting("call.answered", second(lambda one: [one.with_payload(start_time=7)]))),
    Row("sequence-stream", "the event names another stream than the media do", "webhooks", "streaming-heard",
        ("StartCallStreaming:webhooks.streaming-heard.ear.identity:stream",),
        posting("streaming.started", first(lambda one: [one.with_payload(stream_id="0ccc7b54-4df3-4bca-a65a-3da1ecc777f0")]))),
    Row("sequence-signature", "webhooks are not signed", "webhooks", "transfer-answered",
        (f"{ANSWERED}:signature",), {"sign": lambda _right, _body: {}}),
    Row("sequence-signature", "the signature is of something else", "webhooks", "transfer-answered",
        (f"{ANSWERED}:signature",), {"sign": wrongly_signed}),
    # No verdict
    Row("judgeable", "no answer comes", "surface", GROUP,
        (), silent(GROUP, probe("auth:missing")), (f"{GROUP}:auth:missing",)),
)  # fmt: skip
SUBJECTS = sorted({(row.proven, row.subject) for row in ROWS})


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
def test_a_planted_fault_is_reported_by_its_check_and_by_no_other(target: Any, row: Row) -> None:
    report = target.prove(row.proven, row.subject, **row.plant)
    assert report.failed == {(requirement, row.check) for requirement in row.reported}
    assert set(report.unjudged) == set(row.unjudged)
    assert row.reported or set(report.unjudged.values()) == {row.check}


@pytest.mark.parametrize(("proven", "subject"), SUBJECTS)
def test_without_a_fault_every_requirement_passes(target: Any, proven: str, subject: str) -> None:
    words = {verdict.verdict for verdict in target.prove(proven, subject).verdicts}
    assert words == {"pass"}


def test_what_a_target_does_not_claim_is_not_applicable_and_says_why(tmp_path: Path) -> None:
    profile = tmp_path / "profile.yaml"
    profile.write_text("claims: {groups: [Billing Groups]}\n")
    settings = Settings(profile=str(profile), only=["GetBillingGroup", "TransferCall"], classes=["surface"])
    write_plan(settings, tmp_path, [])
    rows = [msgspec.json.decode(line) for line in (tmp_path / PLAN_FILE).read_text().splitlines()]
    told = {(r["requirement"].partition(":")[0], r["verdict"], r["check"]) for r in rows if r["t"] == "verdict"}
    assert told == {("TransferCall", "not_applicable", "claims")}


def test_every_check_has_a_planted_fault(names_of_checks: set[str]) -> None:
    planted = {row.check for row in ROWS} | {"claims"}  # the one that judges no target has a test of its own
    assert names_of_checks == planted


def test_every_kind_that_checks_or_scenarios_judge_has_a_planted_fault() -> None:
    parts = [name.split(":") for row in ROWS for name in row.reported]
    planted = {f"{place.partition('.')[0]}:{kind}" for _, place, kind in parts}
    assert {name for name, kind in KINDS.items() if kind.judge != "probes"} <= planted
