"""Every operation of the edition, asked minimally and validly, answers with its documented success."""

from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

import pytest

from telnyx_conformance.contract.document import load_edition
from telnyx_conformance.contract.envelopes import envelope_of, properties_of
from telnyx_conformance.contract.lifecycles import Producer, lifecycles_of, path_parameters
from telnyx_conformance.contract.validators import compiled
from telnyx_conformance.emulator.core import Emulator
from telnyx_conformance.emulator.routing import PREFIXES
from telnyx_conformance.plan.planner import Planner
from telnyx_conformance.plan.values import filled

if TYPE_CHECKING:
    from telnyx_conformance.contract.model import Operation
    from telnyx_conformance.emulator.account import Mode
    from telnyx_conformance.emulator.reply import Reply
    from telnyx_conformance.plan.probe import Probe

EDITION = load_edition()
LIFECYCLES = lifecycles_of(EDITION)
FRESH = {"{uuid}": "6a09cdc3-8948-47f0-aa62-74ac943d6c58", "{webhook}": "http://127.0.0.1:9/hook"}


@cache
def minimal(operation_id: str) -> Probe:
    return Planner(EDITION, EDITION.operation(operation_id), 1).minimal()


# What a call must be doing before a command can end it.
BEFORE: dict[str, tuple[str, dict[str, Any]]] = {
    "leave_queue": ("enqueue", {"queue_name": "line"}),
    "fork_stop": ("fork_start", {"rx": "udp:127.0.0.1:9", "tx": "udp:127.0.0.1:9"}),
}


class Walker:
    """Asks an emulator for operations, making first what their paths name."""

    def __init__(self, mode: Mode = "stateful") -> None:
        self.emulator = Emulator(EDITION, mode=mode)
        self.count = 0
        self.application = ""
        self.members: dict[str, str] = {}
        self.waiting = ""

    def ask(self, operation: Operation, above: tuple[str, ...] = ()) -> tuple[Reply, tuple[str, ...]]:
        """Send the minimal request; `above` are the leading path values. Return the reply and all path values."""
        values = list(above)
        for name in path_parameters(operation)[len(above) :]:
            values.append(self.value(operation, name, tuple(values)))
        return self.send(operation, tuple(values)), tuple(values)

    def value(self, operation: Operation, name: str, above: tuple[str, ...]) -> str:
        if name == "call_control_id" and operation.path.startswith("/calls/"):
            return self.call(operation.path)
        if name == "connection_id" and operation.id == "ListConnectionActiveCalls":
            return self.connection()
        if name == "queue_name":
            return self.queue()
        if name == "call_control_id" and operation.path.startswith("/queues/"):
            return self.waiting
        producer = LIFECYCLES.producer(operation.id, name)
        return producer.value or self.produced(producer, above)

    def produced(self, producer: Producer, above: tuple[str, ...]) -> str:
        source = EDITION.operation(producer.operation)
        reply, values = self.ask(source, above[: len(path_parameters(source))])
        if not producer.place:
            return values[-1]
        node: Any = json.loads(reply.body)
        for part in producer.place.split("."):
            node = node[int(part)] if isinstance(node, list) else node[part]
        return str(node)

    def connection(self) -> str:
        if not self.application:
            body = {"application_name": "calls", "webhook_event_url": "http://127.0.0.1:9/hook"}
            made = self.raw("POST", "/v2/call_control_applications", json.dumps(body).encode(), "application/json")
            self.application = json.loads(made.body)["data"]["id"]
        return self.application

    def call(self, path: str) -> str:
        """Return an answered call, or a parked inbound one for the commands that need that."""
        if path.endswith(("/answer", "/reject")):
            self.connection()
            world = self.emulator.world(b"Bearer KEYTEST_walker")
            made = world.calls.inbound(self.connection(), "+12025550123", "+12025550124")
            world.account.clock.settle()
            return str(made["data"]["call_control_id"])
        wanted = {"connection_id": self.connection(), "from": "+12025550123", "to": "+12025550100"}
        answer = self.raw("POST", "/v2/calls", json.dumps(wanted).encode(), "application/json")
        call = str(json.loads(answer.body)["data"]["call_control_id"])
        before = BEFORE.get(path.rsplit("/", 1)[-1])
        if before is not None:
            self.raw(
                "POST", f"/v2/calls/{call}/actions/{before[0]}", json.dumps(before[1]).encode(), "application/json"
            )
        return call

    def queue(self) -> str:
        """Return the name of a queue in which a call waits."""
        if not self.waiting:
            self.waiting = self.call("/leave_queue")
        return "line"

    def shows(self, operation: Operation) -> bool:
        """Return whether an answer carries the resource's id; a few do not."""
        resource = LIFECYCLES.of(operation.id).resource
        envelope = envelope_of(EDITION, operation)
        return resource.identifier in properties_of(EDITION, envelope.item)

    def send(self, operation: Operation, values: tuple[str, ...]) -> Reply:
        self.count += 1
        probe = minimal(operation.id)
        fresh = {**FRESH, "{fresh}": f"conformance{self.count}"}
        path = operation.path
        for name, value in zip(path_parameters(operation), values, strict=True):
            path = path.replace("{" + name + "}", quote(value, safe=""))
        query = urlencode(sorted(pairs_of(filled(probe.query, fresh))))
        body = filled(probe.body, fresh)
        if isinstance(body, dict) and "connection_id" in body and operation.path == "/calls":
            body["connection_id"] = self.connection()
        if operation.id == "BridgeCall":
            body["call_control_id"] = self.call(operation.path)
        if isinstance(body, dict) and operation.group == "Conference Commands":
            self.bring_together(operation, values, body)
        content = probe.raw if probe.raw is not None else encoded(body, probe.media_type)
        media_type = (
            probe.media_type if probe.media_type != "multipart/form-data" else "multipart/form-data; boundary=b"
        )
        target = PREFIXES[operation.server] + path.rstrip("/") + ("?" + query if query else "")
        reply = self.raw(
            operation.method, target, content, media_type if content or probe.media_type.endswith("urlencoded") else ""
        )
        if operation.id == "CreateConference":
            self.members[json.loads(reply.body)["data"]["id"]] = body["call_control_id"]
        return reply

    def bring_together(self, operation: Operation, values: tuple[str, ...], body: dict[str, Any]) -> None:
        """Name real calls in a command to a conference: new ones to come in, else the one that is there."""
        comes_in = operation.id in ("CreateConference", "JoinConference")
        if "call_control_id" in body:
            body["call_control_id"] = self.call(operation.path) if comes_in else self.members[values[0]]
        if "call_control_ids" in body:
            body["call_control_ids"] = [self.members[values[0]]]

    def raw(self, method: str, target: str, body: bytes, media_type: str) -> Reply:
        headers = [(b"authorization", b"Bearer KEYTEST_walker")]
        if media_type:
            headers.append((b"content-type", media_type.replace("*/*", "application/octet-stream").encode()))
        return self.emulator.handle(method, target, headers, body)


def pairs_of(query: dict[str, Any]) -> list[tuple[str, str]]:
    pairs: list[tuple[str, str]] = []
    for name, value in query.items():
        if isinstance(value, dict):
            pairs += [(f"{name}[{key}]", text_of(part)) for key, part in value.items()]
        elif isinstance(value, list):
            pairs += [(name, text_of(part)) for part in value]
        else:
            pairs.append((name, text_of(value)))
    return pairs


def text_of(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def encoded(body: Any, media_type: str) -> bytes:
    if body is None:
        return b""
    if media_type == "application/json":
        return json.dumps(body).encode()
    if media_type == "application/x-www-form-urlencoded":
        return urlencode(pairs_of(body)).encode()
    if media_type == "multipart/form-data":
        part = '--b\r\ncontent-disposition: form-data; name="{}"\r\n\r\n{}\r\n'
        return ("".join(part.format(name, text_of(value)) for name, value in body.items()) + "--b--\r\n").encode()
    return text_of(body).encode()


@pytest.fixture(scope="module", params=["stateful", "stub"])
def walker(request: pytest.FixtureRequest) -> Walker:
    return Walker(request.param)


def test_a_stream_that_could_not_connect_cannot_be_stopped() -> None:
    """Streams are connections, which only a server makes; tests/test_streaming.py stops some."""
    reply, _ = Walker().ask(EDITION.operation("StopCallStreaming"))
    assert (reply.status, b'"90048"' in reply.body) == (422, True)


@pytest.mark.parametrize(
    "operation", [o for o in EDITION.operations if o.id != "StopCallStreaming"], ids=lambda o: o.id
)
def test_the_minimal_valid_request_is_answered_as_documented(walker: Walker, operation: Operation) -> None:
    reply, _ = walker.ask(operation)

    assert (reply.status, reply.body[:500] if reply.status >= 400 else b"") == (int(operation.success.status), b"")
    schema = operation.success.content.get("application/json")
    if schema is not None:
        document = json.loads(reply.body)
        errors = [e.message for e in compiled(EDITION.document, schema, "response").iter_errors(document)]
        assert errors == []
    assert walker.emulator.faults == 0


def created_and_read() -> list[str]:
    """Return the resources that can be created and read back one by one."""
    return [
        resource.name
        for resource in LIFECYCLES
        if resource.item and resource.identifier and not resource.keyed_by and resource.name != "calls"
        if resource.operations.get("create") and resource.operations.get("read")
    ]


@pytest.mark.parametrize("name", created_and_read())
def test_what_is_created_is_read_listed_changed_and_deleted(name: str) -> None:
    walker = Walker()
    resource = LIFECYCLES.resources[name]
    read = EDITION.operation(resource.operations["read"][0])
    key = walker.value(read, path_parameters(read)[-1], above := above_of(walker, read))

    first_read = walker.send(read, (*above, key))
    assert first_read.status == int(read.success.status)
    shown = key.encode() if walker.shows(read) else b""
    assert shown in first_read.body
    assert walker.send(read, (*above, key)).body == first_read.body
    for operation_id in resource.operations.get("list", ()):
        listed = EDITION.operation(operation_id)
        narrowed = any(p.required for p in listed.parameters_in("query"))  # to what the creation did not say
        if len(path_parameters(listed)) == len(above) and walker.shows(listed) and not narrowed:
            assert key.encode() in walker.send(listed, above).body
    for operation_id in resource.operations.get("update", ()):
        changed = EDITION.operation(operation_id)
        assert walker.send(changed, (*above, key)).status == int(changed.success.status)
        assert shown in walker.send(read, (*above, key)).body
    for operation_id in resource.operations.get("delete", ()):
        deleted = EDITION.operation(operation_id)
        assert walker.send(deleted, (*above, key)).status == int(deleted.success.status)
        assert walker.send(read, (*above, key)).status == 404
        assert walker.send(deleted, (*above, key)).status == 404
    assert walker.emulator.faults == 0


def above_of(walker: Walker, read: Operation) -> tuple[str, ...]:
    above: tuple[str, ...] = ()
    for name in path_parameters(read)[:-1]:
        above += (walker.value(read, name, above),)
    return above
