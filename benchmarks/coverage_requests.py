"""The requests of Schemathesis' coverage phase, and those of our plan, sent to the same embedded target and recorded."""

from __future__ import annotations

import sys
import time
import urllib.parse
from collections import Counter
from typing import TYPE_CHECKING, Any

import msgspec
import requests
import schemathesis
from wire import Sent

from telnyx_conformance.contract.bundle import bundle
from telnyx_conformance.contract.document import load_edition
from telnyx_conformance.contract.fields import fields_of
from telnyx_conformance.contract.nodes import reader_of
from telnyx_conformance.emulator.core import Emulator
from telnyx_conformance.plan.planning import plan_operation
from telnyx_conformance.plan.serialise import build_request
from telnyx_conformance.plan.values import Maker, filled

if TYPE_CHECKING:
    from collections.abc import Iterator

    from telnyx_conformance.contract.model import Edition, Operation

KEY = "KEYTEST_coverage"
PARTS = ("method", "url", "headers", "params", "data", "json", "files", "cookies")


class Run(msgspec.Struct):
    """What one generator sent for one operation. `kinds` counts what it says it tried."""

    operation: str
    sent: list[Sent]
    kinds: Counter[tuple[str, str]]
    seconds: float


class Target:
    """The emulator in stub mode: every id exists, so that no request is refused for what it is about."""

    def __init__(self, edition: Edition) -> None:
        self._emulator = Emulator(edition, mode="stub")

    def answer(self, sent: Sent) -> Sent:
        """Return the request with the status that it was answered with."""
        target = sent.path + (f"?{sent.query}" if sent.query else "")
        headers = [(name.encode(), value.encode("utf-8", "replace")) for name, value in sent.headers.items()]
        reply = self._emulator.handle(sent.method, f"/v2{target}".encode("utf-8", "replace"), headers, sent.body)
        return msgspec.structs.replace(sent, status=reply.status)


def ours(edition: Edition, operation: Operation, target: Target) -> Run:
    """Send the probes of class `requests` of our plan."""
    began = time.perf_counter()
    maker = Maker(reader_of(edition))
    whole = (f for f in fields_of(edition, operation) if f.location == "path" and len(f.chain) == 1)
    path = {f.name or f.parameter.name: filled(maker.minimal(f.node, f.parameter.name)) for f in whole if f.parameter}
    path = {p.name: path.get(p.name, "sample") for p in operation.parameters_in("path")}
    run = Run(operation.id, [], Counter(), 0.0)
    for probe in plan_operation(edition, operation).probes:
        if probe.conformance_class != "requests":
            continue
        built = build_request(operation, probe, path, f"Bearer {KEY}")
        query = urllib.parse.urlencode(built.query)
        headers = dict(built.headers)
        run.sent.append(
            target.answer(Sent(method=built.method, path=built.path, query=query, headers=headers, body=built.body))
        )
        kind = probe.violation.requirement.rpartition(":")[2].partition("=")[0] if probe.violation else "valid"
        run.kinds["negative" if probe.violation else "positive", kind] += 1
    run.seconds = time.perf_counter() - began
    return run


class Schemathesis:
    """Schemathesis on one document, with its settings as they come."""

    def __init__(self, *, hardened: bool) -> None:
        self._schema = schemathesis.openapi.from_dict(bundle(load_edition(hardened=hardened)))
        self._operations: dict[str, Any] = {}
        for result in self._schema.get_all_operations():
            operation: Any = result.ok()  # type: ignore[union-attr]
            self._operations[operation.definition.raw["operationId"]] = operation

    def run(self, operation: Operation, target: Target) -> Run:
        """Send the cases of its coverage phase for one operation."""
        began = time.perf_counter()
        run = Run(operation.id, [], Counter(), 0.0)
        for case in self._cases(self._operations[operation.id]):
            sent = _sent(case)
            if sent is None:
                continue
            run.sent.append(target.answer(sent))
            meta = case.meta
            run.kinds[meta.generation.mode.value, str(meta.phase.data.scenario)] += 1
        run.seconds = time.perf_counter() - began
        return run

    def _cases(self, operation: Any) -> Iterator[Any]:
        settings = self._schema.config.generation_for(operation=operation, phase="coverage")
        try:
            yield from self._schema.iter_coverage_cases(
                operation, generation_modes=settings.modes, generation_config=settings
            )
        except Exception as broken:  # noqa: BLE001 - a defect of the peer ends its turn at this operation, not the comparison
            print(f"Schemathesis gave up on {operation.label}: {type(broken).__name__}: {broken}", file=sys.stderr)


def _sent(case: Any) -> Sent | None:
    """Return a case as it goes over the wire; `None` when it cannot be sent."""
    asked = case.as_transport_kwargs(base_url="http://127.0.0.1")
    try:
        prepared = requests.Request(**{k: v for k, v in asked.items() if k in PARTS}).prepare()
    except (ValueError, requests.RequestException, UnicodeError):
        return None
    url = urllib.parse.urlsplit(str(prepared.url))
    body = prepared.body or b""
    headers = {
        str(name).lower(): value.decode("latin-1") if isinstance(value, bytes) else str(value)
        for name, value in prepared.headers.items()
    }
    return Sent(
        method=str(prepared.method), path=url.path, query=url.query,
        headers={**headers, "authorization": f"Bearer {KEY}"},
        body=body.encode() if isinstance(body, str) else body if isinstance(body, bytes) else b"",
    )  # fmt: skip
