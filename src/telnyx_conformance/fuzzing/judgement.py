"""One answer to one generated request: what, if anything, is wrong with it. The suites' checks, no opinion of our own."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import msgspec

from telnyx_conformance.checks import body, errors, status
from telnyx_conformance.checks.finding import Finding, outline
from telnyx_conformance.contract.envelopes import JSON, envelope_of
from telnyx_conformance.contract.fuzz_requirements import ACCEPTED, DOCUMENTED, NO_SERVER_ERROR, REFUSED

if TYPE_CHECKING:
    from collections.abc import Iterator

    from telnyx_conformance.contract.catalogue import ErrorCatalogue
    from telnyx_conformance.contract.exchange import Exchange
    from telnyx_conformance.contract.model import Edition, Operation, ResponseSpec
    from telnyx_conformance.contract.validators import Validator
    from telnyx_conformance.fuzzing.expectation import Breach, Expectation
    from telnyx_conformance.plan.probe import Plan, Probe, Violation

# What any operation may answer besides what it documents: whatever stands between client and resource speaks up too.
GENERAL = frozenset({400, 401, 403, 404, 405, 409, 410, 413, 414, 415, 422, 429})
NOT_ALLOWED_FOR_STATE = frozenset({404, 409, 410})
CURSOR = re.compile(r"cursor|token|\bafter\b|\bbefore\b", re.IGNORECASE)
"""Query parameters that hold what an earlier answer gave."""
ALTERNATIVES = ("oneOf", "anyOf")
SERVER_ERROR, CLIENT_ERROR, REDIRECT = 500, 400, 300
MADE_UP_REFERENCES = frozenset({400, 404, 409, 410, 422})


class Observation(msgspec.Struct, frozen=True, kw_only=True):
    """Something wrong. `kind` is the requirement's; `mark` tells one fault from another of the same kind."""

    kind: str
    mark: str
    finding: Finding

    @property
    def signature(self) -> tuple[str, str]:
        """What two sightings of the same fault share."""
        return self.kind, self.mark


class Judge:
    """Judges the answers of one operation. `validator_of` gives the compiled schema of a response."""

    def __init__(
        self,
        edition: Edition,
        operation: Operation,
        plan: Plan,
        errors_known: ErrorCatalogue,
        validator_of: Any,
    ) -> None:
        self._edition, self._operation = edition, operation
        self._errors, self._validator_of = errors_known, validator_of
        self._violations = {p.violation.requirement: p.violation for p in plan.probes if p.violation is not None}
        self._minimal = plan.probes[0]

    def observe(self, probe: Probe, expected: Expectation, exchange: Exchange) -> Iterator[Observation]:
        """Yield what is wrong with an answer; nothing for one that is as it should be, or cannot be judged."""
        response = exchange.response
        if response is None:
            return
        if response.status >= SERVER_ERROR:
            wrong = Finding(check="status", expected="2xx or 4xx: the server does not fail", actual=outline(exchange))
            yield Observation(kind=NO_SERVER_ERROR, mark=str(response.status), finding=wrong)
        elif response.status < REDIRECT:
            yield from self._success(exchange)
            if expected.word == "broken":
                yield self._taken(expected, exchange)
        else:
            yield from self._refusal(exchange, expected)
            if expected.word == "valid":
                yield from self._turned_away(probe, exchange)

    def _success(self, exchange: Exchange) -> Iterator[Observation]:
        wrong = status.status_is_documented(exchange, self._operation)
        if wrong is not None:
            yield _shape("status", wrong)
            return
        spec = self._spec(exchange) or self._operation.success
        if self._operation.method != "HEAD":
            wrong = body.has_media_type(exchange, spec.content)
            if wrong is not None:
                yield _shape("media-type", wrong)
                return
        validator = self._validator_of(self._operation, spec)
        if validator is None:
            return
        wrong = body.satisfies(exchange, validator)
        if wrong is None:
            envelope = envelope_of(self._edition, self._operation)
            if envelope.slot:
                wrong = body.has_envelope(exchange, {envelope.slot: list if envelope.is_list else dict})
        if wrong is not None:
            yield _shape(wrong.expected, wrong)

    def _taken(self, expected: Expectation, exchange: Exchange) -> Observation:
        breach = expected.breaches[0]
        statuses = self._statuses(breach)
        wrong = status.is_refused(exchange, statuses)
        told = "; ".join(f"{b.place} breaks {b.keyword}" for b in expected.breaches[:3])
        finding = Finding(
            check="status", expected=f"{wrong.expected if wrong else ''} ({told})", actual=outline(exchange)
        )
        return Observation(kind=REFUSED, mark=f"{breach.place}:{breach.keyword}", finding=finding)

    def _refusal(self, exchange: Exchange, expected: Expectation) -> Iterator[Observation]:
        came = exchange.response.status if exchange.response else 0
        spec = self._spec(exchange)
        if came < CLIENT_ERROR or (spec is None and came not in GENERAL):
            told = ", ".join(r.status for r in self._operation.responses)
            wrong = Finding(check="status", expected=f"a documented status: {told}", actual=outline(exchange))
            yield _shape(f"status-{came}", wrong)
            return
        shape = self._error_shape(exchange, spec)
        if shape is not None:
            yield _shape("error-envelope", shape)
            return
        if expected.word == "broken":
            yield from self._wording(expected, exchange, came)

    def _wording(self, expected: Expectation, exchange: Exchange, came: int) -> Iterator[Observation]:
        """Judge how a broken request is refused; one breach only has one culprit to name."""
        statuses = {code for breach in expected.breaches for code in self._statuses(breach)}
        if came not in statuses and came not in NOT_ALLOWED_FOR_STATE:
            wrong = status.is_refused(exchange, statuses)
            if wrong is not None:
                finding = msgspec.structs.replace(wrong, check="status")
                yield Observation(kind=REFUSED, mark=f"status-{came}", finding=finding)
            return
        violation = self._violation(expected.breaches[0]) if expected.alone else None
        if violation is None or came in NOT_ALLOWED_FOR_STATE or violation.pointer_requirement == "":
            return
        pointing = self._pointing(exchange, expected.breaches[0], violation)
        if pointing is not None:
            yield Observation(kind=REFUSED, mark="pointer", finding=pointing)
        if expected.breaches[0].keyword in ALTERNATIVES:
            return  # the code, too, may be that of the nearest alternative's flaw
        coded = errors.has_fitting_code(exchange, self._codes(violation))
        if coded is not None:
            yield Observation(kind=REFUSED, mark="code", finding=coded)

    def _pointing(self, exchange: Exchange, breach: Breach, violation: Violation) -> Finding | None:
        if breach.location != "body":
            return errors.names_parameter(exchange, violation.parameter) if violation.parameter else None
        if breach.keyword in ALTERNATIVES and _names_within(exchange, breach.pointer):
            return None
        return errors.names_pointer(exchange, _pointers(breach, violation))

    def _turned_away(self, probe: Probe, exchange: Exchange) -> Iterator[Observation]:
        came = exchange.response.status if exchange.response else 0
        if came in MADE_UP_REFERENCES and self._names_more(probe):
            return  # it names things that nobody made; the refusal may well be about them
        first = next(errors.error_objects(exchange), {})
        source = first.get("source")
        where = source.get("pointer") or source.get("parameter") if isinstance(source, dict) else ""
        wrong = status.is_accepted(exchange)
        if wrong is not None:
            finding = msgspec.structs.replace(wrong, check="status")
            yield Observation(
                kind=ACCEPTED, mark=f"{came} {first.get('code', '')} {where or ''}".strip(), finding=finding
            )

    def _names_more(self, probe: Probe) -> bool:
        """Tell whether a case names resources, or places in a list, that the minimal request does not."""
        if any(CURSOR.search(name) for name in probe.query):
            return True
        return bool(set(probe.references.values()) - set(self._minimal.references.values()))

    def _error_shape(self, exchange: Exchange, spec: ResponseSpec | None) -> Finding | None:
        wrong = errors.has_error_envelope(exchange)
        validator: Validator | None = self._validator_of(self._operation, spec) if spec else None
        if wrong is None or validator is None or spec is None:
            return wrong
        schema = self._edition.resolve(spec.content.get(JSON, {}))
        if not schema.get("properties") or "errors" in schema["properties"]:
            return wrong
        return body.satisfies(exchange, validator)  # some products document a body of their own for refusals

    def _spec(self, exchange: Exchange) -> ResponseSpec | None:
        came = str(exchange.response.status) if exchange.response else ""
        by_status = {r.status.upper(): r for r in self._operation.responses}
        return by_status.get(came) or by_status.get(f"{came[:1]}XX") or by_status.get("DEFAULT")

    def _violation(self, breach: Breach) -> Violation | None:
        """Return the planned violation of the same rule at the same place: the plan knows how it may be refused."""
        ident = f"{self._operation.id}:{breach.place}"
        names = (breach.keyword, "named-format", "contentEncoding") if breach.keyword == "format" else (breach.keyword,)
        return next((v for name in names if (v := self._violations.get(f"{ident}:{name}")) is not None), None)

    def _statuses(self, breach: Breach) -> tuple[int, ...]:
        known = self._violation(breach)
        if known is not None:
            return known.statuses
        situation = "invalid_body" if breach.location == "body" else "invalid_parameter"
        named = {
            "malformed": "malformed_json",
            "required": situation if breach.path or breach.missing else "missing_body",
        }
        wanted = self._errors.situation(
            named.get(breach.keyword, situation) if breach.location == "body" else situation
        )
        return tuple(dict.fromkeys((*wanted.statuses, *self._errors.situation(situation).statuses)))

    def _codes(self, violation: Violation) -> tuple[str, ...]:
        field = violation.pointer.rsplit("/", 1)[-1] if violation.pointer else violation.parameter
        return self._errors.codes_for(violation.kind, field, group=self._operation.group)


def no_answer(error: str) -> Observation:
    """Return the observation that a request was left without an answer, while others get theirs."""
    finding = Finding(check="answered", expected="an answer, as other requests get", actual=error)
    return Observation(kind=NO_SERVER_ERROR, mark="no-answer", finding=finding)


def _shape(mark: str, finding: Finding) -> Observation:
    return Observation(kind=DOCUMENTED, mark=mark, finding=finding)


def _names_within(exchange: Exchange, pointer: str) -> bool:
    """Tell whether an error blames a place inside: of what fits no alternative, the nearest one's flaw is as good."""
    sources = (error.get("source") for error in errors.error_objects(exchange))
    return any(isinstance(s, dict) and str(s.get("pointer", "")).startswith(f"{pointer}/") for s in sources)


def _pointers(breach: Breach, violation: Violation) -> tuple[str, ...]:
    """Return the pointers that name the culprit. Deep in lists the plan's own indices are replaced by those that came."""
    own = breach.pointer or "/"
    if any(isinstance(part, int) for part in breach.path):
        return (own, *(own[:n] for n, letter in enumerate(own) if letter == "/" and n))
    return tuple(dict.fromkeys((own, *violation.pointers)))
