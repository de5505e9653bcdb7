"""Sending probes: prerequisites first, ids that nobody used before, the gate, then the exchange."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from telnyx_conformance.checks.finding import json_body
from telnyx_conformance.contract.exchange_requirements import demanded_filters, filtered_properties
from telnyx_conformance.contract.lifecycles import path_parameters
from telnyx_conformance.plan.changes import Changes
from telnyx_conformance.plan.serialise import build_request
from telnyx_conformance.run.calls import Unavailable
from telnyx_conformance.run.prerequisites import CONFERENCES, Prerequisites, found_at

if TYPE_CHECKING:
    from telnyx_conformance.contract.exchange import Exchange
    from telnyx_conformance.contract.model import Operation
    from telnyx_conformance.plan.probe import Probe
    from telnyx_conformance.run.session import Session

STOCK = 3
CALL_REFERENCES = {"call_control_id", "link_to", "supervise_call_control_id"}


class Asker:
    """Asks one operation's questions in an account of their own, where the target keeps accounts apart."""

    def __init__(self, session: Session, operation: Operation, proven: str) -> None:
        self.session, self.operation = session, operation
        self.account = f"{proven}-{operation.id}"
        self._token = session.fresh("p")
        self._lifecycles = session.lifecycles
        self.prerequisites = Prerequisites(session, self._lifecycles, account=self.account, minimal=self._minimal)

    async def ask(self, probe: Probe, *, fresh: bool = False) -> tuple[Exchange, tuple[int, ...]]:
        """Send a probe; return the exchange and the evidence numbers of all that led to it, itself last.

        Raises `Unavailable` when a prerequisite cannot be had or the gate does not let the request through.
        """
        path = {**await self.prerequisites.path_values(self.operation, fresh=fresh), **probe.path}
        return await self.send(self.operation, probe, path)

    async def stock(self, operation: Operation) -> None:
        """Make a few of what `operation` lists, where the lifecycles know how; a list that holds nothing shows nothing."""
        resource = self._lifecycles.of(operation.id).resource
        outer = await self.prerequisites.path_values(operation)
        for name in resource.operations.get("create", ())[:1]:
            create = self.session.edition.operation(name)
            if self.session.gate.refuses(create):
                return
            probes = self.session.plan(create).probes
            asked = _settable(demanded_filters(operation, self.session.plan(operation).probes[0].query), probes)
            others = Changes(self.session.edition, create, self.session.plan(create)).otherwise(
                probes[0], resource.identifier
            )
            alike = [probes[0], *(others if resource.form == "given" else ()), *probes[:1] * STOCK][:STOCK]
            for probe in [*alike, *_showing(filtered_properties(operation), probes)]:
                if self.session.control is not None:  # what was made at one time has no order
                    await self.session.control.advance(self.session.key(self.account), 1.0)
                path = {**outer, **await self.prerequisites.path_values(create)}
                fitting = replace(probe, body={**(probe.body or {}), **asked}) if asked else probe
                await self.send(create, fitting, {p: path[p] for p in path_parameters(create)})

    async def send(self, operation: Operation, probe: Probe, path: dict[str, Any]) -> tuple[Exchange, tuple[int, ...]]:
        """Send a probe of any operation about what `path` names; return as `ask` does. Raises `Unavailable`."""
        made_up = probe.expect == "refuse" and bool(probe.path)
        reason = self.session.gate.objects(operation, path, probe.body, names_nothing=made_up, method=probe.method)
        if reason:
            raise Unavailable(reason)
        references = await self.references(operation, probe, path)
        request = build_request(
            operation, probe, path, f"Bearer {self.session.key(self.account)}",
            fresh=self.session.fresh(), webhook=self.session.inbox.url(self._token), references=references,
        )  # fmt: skip
        exchange, numbers = await self.session.send(operation, request, probe=probe.id)
        if operation.method == "POST" and probe.expect == "accept":
            self._remember(exchange)
        return exchange, (*self.prerequisites.behind((*path.values(), *references.values())), *numbers)

    def close(self) -> None:
        """Stop listening for the events of this operation's probes."""
        self.session.inbox.forget(self._token)
        self.prerequisites.close()

    async def references(self, operation: Operation, probe: Probe, path: dict[str, Any]) -> dict[str, Any]:
        """Return real values for the fields that name something this run can make: an application, a call, a queue."""
        named = set(probe.references.values()) if probe.body is not None else set()
        found: dict[str, Any] = {}
        if operation.path == "/calls" and "connection_id" in named:
            found["connection_id"] = await self.prerequisites.connection()
        for name in named & CALL_REFERENCES:
            found[name] = await self.prerequisites.other_call()
        if operation.path.startswith(CONFERENCES):
            member = self.prerequisites.member(path.get("id", ""))
            joins = operation.path.endswith("/join")
            if "call_control_id" in named and (joins or member):
                found["call_control_id"] = await self.prerequisites.call(fresh=True) if joins else member
            if member and "call_control_ids" in named:
                found["call_control_ids"] = member
        if "queue" in named:
            found["queue"] = await self.prerequisites.queue()
        return found

    async def _minimal(self, operation: Operation, path: dict[str, str]) -> tuple[Exchange, tuple[int, ...]]:
        return await self.send(operation, self.session.plan(operation).probes[0], path)

    def _remember(self, exchange: Exchange) -> None:
        """Enter what was created in the ledger: only that is ever deleted."""
        if exchange.response is None or not exchange.response.is_success or json_body(exchange) is None:
            return
        for place in ("data.id", "id", "data.name", "data.phone_number"):
            value = found_at(exchange, place)
            if isinstance(value, str | int):
                self.session.gate.created.add(str(value))


def _bodies(probes: tuple[Probe, ...]) -> list[Probe]:
    taken = (p for p in probes if p.expect == "accept" and p.conformance_class == "requests")
    return [probe for probe in taken if isinstance(probe.body, dict)]


def _settable(values: dict[str, Any], probes: tuple[Probe, ...]) -> dict[str, Any]:
    """Return the values of those properties that a creation can set: what a list is always filtered by must fit it."""
    return {name: value for name, value in values.items() if any(name in probe.body for probe in _bodies(probes))}


def _showing(names: tuple[str, ...], probes: tuple[Probe, ...]) -> list[Probe]:
    """Return accepted probes whose bodies give the properties `names` a value: a filter on what nothing has shows nothing."""
    found: list[Probe] = []
    for name in names:
        having = [probe for probe in _bodies(probes) if probe.body.get(name) not in (None, "")]
        if not any(probe in found for probe in having):
            found += having[:1]
    return found
