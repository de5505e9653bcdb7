"""The proof of one operation's class: send what the plan says, judge each answer, find the culprit when a full probe is refused."""

from __future__ import annotations

import asyncio
from functools import cached_property
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from telnyx_conformance.checks import body, errors, status
from telnyx_conformance.checks.secrecy import keeps_key
from telnyx_conformance.contract.echoes import default_fields, echoed_fields
from telnyx_conformance.contract.envelopes import JSON, envelope_of
from telnyx_conformance.plan.isolation import isolate
from telnyx_conformance.run.asking import Asker
from telnyx_conformance.run.calls import Unavailable
from telnyx_conformance.run.listing import Listing
from telnyx_conformance.run.verdict import Verdict, inconclusive, judged

if TYPE_CHECKING:
    from collections.abc import Iterable

    from telnyx_conformance.checks.finding import Finding
    from telnyx_conformance.contract.exchange import Exchange
    from telnyx_conformance.contract.model import Operation, Requirement, ResponseSpec
    from telnyx_conformance.plan.probe import Probe, Violation
    from telnyx_conformance.run.session import Session

# Which documented refusal a situation shows; whatever else is wrong with a request shows the 422.
MEANT_STATUS = {"no_credentials": "401", "malformed_key": "401", "unknown_key": "401", "unknown_resource": "404",
                "unknown_call": "404"}  # fmt: skip
SCRIPTED = ("pagination", "sort", "filter.")


class OperationProof:
    """One class of one operation. `probes` and `lower_bound` tell the size of the plan once it is proven."""

    def __init__(self, session: Session, operation: Operation, proven: str) -> None:
        self._session, self._operation, self._proven = session, operation, proven
        self._asker = Asker(session, operation, proven)
        self._plan = session.plan(operation)
        self.probes = 0
        self.lower_bound = 0

    async def prove(self, requirements: list[Requirement]) -> list[Verdict]:
        """Return the verdicts of every probe of the class."""
        try:
            return await self._prove(requirements)
        finally:
            self._asker.close()

    async def _prove(self, requirements: list[Requirement]) -> list[Verdict]:
        if not requirements:
            return []
        if self._proven == "envelopes":
            return await self._envelopes(requirements)
        chosen = [p for p in self._plan.probes if p.conformance_class == self._proven]
        if self._proven == "requests":  # elsewhere each probe is its own bound: a ratio of them would only flatter
            self.probes, self.lower_bound = len(chosen), self._plan.bounds.get(self._proven, 0)
        refused = [p for p in chosen if p.expect == "refuse"]
        accepted = [p for p in chosen if p.expect == "accept"]
        verdicts = [v for part in await asyncio.gather(*map(self._refuse, refused)) for v in part]
        verdicts += [v for part in await asyncio.gather(*map(self._accept, accepted)) for v in part]
        return verdicts + self._unheard(verdicts)

    async def _answered(self, probe: Probe, exchange: Exchange, seen: tuple[int, ...]) -> list[Verdict]:
        """Judge whether the operation answers at all: its silence is a fault when it lasts while others are answered."""
        if self._proven != "surface" or self._operation.server != "api":
            return []
        name = f"{self._operation.id}:route:answers"
        if exchange.response is None:
            try:
                exchange, seen = await self._asker.ask(probe)
            except Unavailable as reason:
                return [inconclusive(name, str(reason), probe=probe.id)]
            if exchange.response is None and not await self._session.answers_others(self._operation):
                return [inconclusive(name, exchange.error, probe=probe.id, exchanges=seen)]
        return [judged(name, status.is_answered(exchange), probe=probe.id, exchanges=seen)]

    def _unheard(self, verdicts: list[Verdict]) -> list[Verdict]:
        """Say why nothing can be said about the key where no answer came at all."""
        name = f"{self._operation.id}:auth:secret"
        silence = next((v.actual for v in verdicts if v.verdict == "inconclusive"), "")
        is_judged = any(v.requirement == name for v in verdicts)
        return [inconclusive(name, silence)] if silence and self._tells_keys and not is_judged else []

    @property
    def _tells_keys(self) -> bool:
        """Whether this proof is the one that looks for keys in answers."""
        return self._proven == "surface" and self._operation.server == "api" and self._operation.secured

    def _secret(self, probe: Probe, exchange: Exchange, seen: tuple[int, ...]) -> list[Verdict]:
        if not self._tells_keys:
            return []
        return [judged(f"{self._operation.id}:auth:secret", keeps_key(exchange), probe=probe.id, exchanges=seen)]

    async def _refuse(self, probe: Probe) -> list[Verdict]:
        violation = probe.violation
        if violation is None:
            return []
        named = [violation.requirement, violation.pointer_requirement, violation.code_requirement]
        try:
            exchange, seen = await self._asker.ask(probe)
        except Unavailable as reason:
            return [inconclusive(name, str(reason), probe=probe.id) for name in named if name]
        if exchange.response is None:
            return [inconclusive(name, exchange.error, probe=probe.id, exchanges=seen) for name in named if name]
        finding = status.is_refused(exchange, violation.statuses)
        verdicts = [judged(violation.requirement, finding, probe=probe.id, exchanges=seen)]
        if finding is None or exchange.response.is_refusal:
            verdicts += self._wording(exchange, violation, probe, seen)
        else:
            silence = "what should have been refused was not: there is no wording to judge"
            verdicts += [inconclusive(n, silence, probe=probe.id, exchanges=seen) for n in named[1:] if n]
        return verdicts + self._secret(probe, exchange, seen)

    def _wording(
        self, exchange: Exchange, violation: Violation, probe: Probe, seen: tuple[int, ...]
    ) -> Iterable[Verdict]:
        if violation.pointer_requirement:
            finding = (
                errors.names_parameter(exchange, violation.parameter)
                if violation.parameter
                else errors.names_pointer(exchange, violation.pointers)
            )
            yield judged(violation.pointer_requirement, finding, probe=probe.id, exchanges=seen)
        if violation.code_requirement:
            finding = errors.has_fitting_code(exchange, self._codes(violation))
            yield judged(violation.code_requirement, finding, probe=probe.id, exchanges=seen)

    def _codes(self, violation: Violation) -> tuple[str, ...]:
        catalogue = self._session.settings.errors
        if not violation.kind:
            situation = catalogue.situation(violation.situation)
            return tuple(dict.fromkeys([*situation.codes, *(c for also in situation.also for c in also.codes)]))
        field = violation.pointer.rsplit("/", 1)[-1] if violation.pointer else violation.parameter
        return catalogue.codes_for(violation.kind, field, group=self._operation.group)

    async def _accept(self, probe: Probe) -> list[Verdict]:
        try:
            exchange, seen = await self._asker.ask(probe, fresh=self._uses_up)
        except Unavailable as reason:
            return [inconclusive(name, str(reason), probe=probe.id) for name in probe.covers]
        if exchange.response is None:
            unjudged = [inconclusive(name, exchange.error, probe=probe.id, exchanges=seen) for name in probe.covers]
            return unjudged + await self._answered(probe, exchange, seen)
        finding = self._acceptance(exchange)
        if finding is not None and not exchange.response.is_fault and len(probe.covers) > 1:
            return await self._culprits(probe, finding, seen)
        verdicts = [judged(name, finding, probe=probe.id, exchanges=seen) for name in probe.covers]
        return verdicts + self._secret(probe, exchange, seen) + await self._answered(probe, exchange, seen)

    async def _culprits(self, probe: Probe, finding: Finding, seen: tuple[int, ...]) -> list[Verdict]:
        """Send each value that a refused probe carries alone; when all of them are taken, it is their company that is refused."""
        alone = isolate(self._session.edition, self._operation, probe)
        single = [v for part in await asyncio.gather(*map(self._accept, alone)) for v in part]
        if all(v.verdict == "pass" for v in single):
            return [judged(name, finding, probe=probe.id, exchanges=seen) for name in probe.covers]
        judgeable = {v.requirement for v in single}
        reason = "the request that carries it was refused"
        left = (name for name in probe.covers if name not in judgeable)
        return single + [inconclusive(name, reason, probe=probe.id, exchanges=seen) for name in left]

    def _acceptance(self, exchange: Exchange) -> Finding | None:
        if self._proven == "surface":
            return status.is_not(exchange, (404, 405, 501), "the operation is routed")
        return status.is_accepted(exchange)

    @cached_property
    def _echoed(self) -> tuple[str, ...]:
        return echoed_fields(self._session.edition, self._operation)

    @cached_property
    def _defaults(self) -> dict[str, Any]:
        return default_fields(self._session.edition, self._operation)

    @property
    def _uses_up(self) -> bool:
        """Whether a request that is carried out may leave its resource unfit for the next."""
        path = self._operation.path
        leaves = path == "/conferences/{id}/actions/leave"
        return self._operation.method == "DELETE" or path.startswith("/calls/{call_control_id}/actions") or leaves

    async def _envelopes(self, requirements: list[Requirement]) -> list[Verdict]:
        wanted = {r.id for r in requirements}
        accepted = [p for p in self._plan.probes if p.conformance_class == "requests" and p.expect == "accept"]
        refused = {
            (p.violation.situation, p.violation.kind): p
            for p in self._plan.probes
            if p.violation is not None and p.method == "" and p.conformance_class in ("requests", "surface", "headers")
        }
        lacking = await self._stocked()
        judgements = [*map(self._success, accepted), *map(self._refusal, refused.values())]
        verdicts = [v for part in await asyncio.gather(*judgements) for v in part if v.requirement in wanted]
        scripted = [r for r in requirements if r.place.startswith(SCRIPTED)]
        if scripted:
            verdicts += await self._listing(scripted, lacking)
        judged_already = {v.requirement for v in verdicts}
        silence = "no request of this kind was refused: there is no error body to judge"
        return verdicts + [
            inconclusive(r.id, silence)
            for r in requirements
            if r.place.startswith("error.") and r.id not in judged_already
        ]

    async def _success(self, probe: Probe) -> list[Verdict]:
        response = self._operation.success
        place = f"{self._operation.id}:response.{response.status}"
        kinds = ("status", "content-type", "empty", "schema", "envelope", "echo", "default")
        try:
            exchange, seen = await self._asker.ask(probe, fresh=self._uses_up)
        except Unavailable as reason:
            return [inconclusive(f"{place}:{kind}", str(reason), probe=probe.id) for kind in kinds]
        if exchange.response is None:
            return [inconclusive(f"{place}:{kind}", exchange.error, probe=probe.id, exchanges=seen) for kind in kinds]
        findings = {"status": status.status_is_documented(exchange, self._operation)}
        if status.is_accepted(exchange) is None:
            findings |= self._body_findings(exchange, self._documented(exchange))
        else:
            silence = "the request was refused: there is no success body to judge"
            return [
                judged(f"{place}:status", findings["status"], probe=probe.id, exchanges=seen),
                *(inconclusive(f"{place}:{k}", silence, probe=probe.id, exchanges=seen) for k in kinds[1:]),
            ]
        return [judged(f"{place}:{kind}", f, probe=probe.id, exchanges=seen) for kind, f in findings.items()]

    def _documented(self, exchange: Exchange) -> ResponseSpec:
        came = str(exchange.response.status) if exchange.response else ""
        return next((r for r in self._operation.responses if r.status == came), self._operation.success)

    def _body_findings(self, exchange: Exchange, response: ResponseSpec) -> dict[str, Finding | None]:
        findings: dict[str, Finding | None] = {}
        if self._operation.method == "HEAD":
            return {"content-type": body.has_media_type(exchange, {"*/*": {}}) if response.content else None}
        findings["content-type" if response.content else "empty"] = body.has_media_type(exchange, response.content)
        validator = self._session.response_validator(self._operation, response)
        if validator is not None and exchange.response is not None:
            findings["schema"] = body.satisfies(exchange, validator)
            envelope = envelope_of(self._session.edition, self._operation)
            if envelope.slot:
                findings["envelope"] = body.has_envelope(exchange, {envelope.slot: list if envelope.is_list else dict})
        repeated = body.repeated(exchange, self._echoed)
        if repeated:
            findings["echo"] = body.echoes(repeated)
        left_out = body.left_out(exchange, self._defaults)
        if left_out:
            findings["default"] = body.has_defaults(left_out)
        return findings

    async def _refusal(self, probe: Probe) -> list[Verdict]:
        violation = probe.violation
        if violation is None:
            return []
        requirement = f"{self._operation.id}:error.{MEANT_STATUS.get(violation.situation, '422')}:schema"
        try:
            exchange, seen = await self._asker.ask(probe)
        except Unavailable as reason:
            return [inconclusive(requirement, str(reason), probe=probe.id)]
        if exchange.response is None:
            return [inconclusive(requirement, exchange.error, probe=probe.id, exchanges=seen)]
        if status.is_refused(exchange, violation.statuses) is not None:
            return []  # the requests class says so; here only the wording of refusals is judged
        came = exchange.response.status
        documented = next(
            (r for r in self._operation.responses if r.status == str(came)),
            next((r for r in self._operation.responses if r.status == "default"), None),
        )
        validator = self._session.response_validator(self._operation, documented) if documented else None
        finding = errors.has_error_envelope(exchange)
        if finding is None and validator is not None:
            finding = body.satisfies(exchange, validator)
        if finding is not None and validator is not None and documented is not None and not self._is_telnyx(documented):
            finding = body.satisfies(exchange, validator)
        return [judged(requirement, finding, probe=probe.id, exchanges=seen)]

    def _is_telnyx(self, response: ResponseSpec) -> bool:
        """Whether a documented refusal is Telnyx's own envelope: some products document another body."""
        schema = self._session.edition.resolve(response.content.get(JSON, {}))
        return not schema.get("properties") or "errors" in schema["properties"]

    async def _stocked(self) -> str:
        """Give a list something to show before it is looked at; return why that cannot be done, nothing when it can."""
        if self._operation.method != "GET" or not envelope_of(self._session.edition, self._operation).is_list:
            return ""
        try:
            await self._asker.stock(self._operation)
        except Unavailable as reason:
            return str(reason)
        return ""

    async def _listing(self, requirements: list[Requirement], lacking: str) -> list[Verdict]:
        if lacking:
            return [inconclusive(r.id, lacking) for r in requirements]
        minimal = next(p for p in self._plan.probes if p.expect == "accept" and p.conformance_class == "requests")

        async def ask(query: dict[str, object]) -> tuple[Exchange, tuple[int, ...]]:
            return await self._asker.ask(replace(minimal, query={**minimal.query, **query}))

        try:
            return await Listing(self._session.edition, self._operation, ask).prove(requirements)
        except Unavailable as reason:
            return [inconclusive(r.id, str(reason)) for r in requirements]
