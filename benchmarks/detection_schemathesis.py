"""Schemathesis judges mutants: all its checks, its phases examples, coverage and fuzzing, on the operation of the mutant.

It is given what our suite has: the key, path values and references that exist, lists that are not empty and, as its
documentation advises, values that nobody used before where they must be unique (`command_id`), all through its hooks.
"""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Any

import requests
import schemathesis
from detection_table import named, refusal
from schemathesis.config import SchemathesisConfig
from schemathesis.core.failures import Failure, FailureGroup
from schemathesis.engine import events, from_schema

from telnyx_conformance.contract.bundle import bundle
from telnyx_conformance.contract.document import load_edition
from telnyx_conformance.contract.envelopes import envelope_of
from telnyx_conformance.mutants.certifying import Wire
from telnyx_conformance.mutants.judging import Bench
from telnyx_conformance.plan.probe import Probe
from telnyx_conformance.plan.references import references_in
from telnyx_conformance.run.asking import Asker
from telnyx_conformance.run.calls import Unavailable

if TYPE_CHECKING:
    from telnyx_conformance.contract.model import Operation
    from telnyx_conformance.emulator.core import Emulator
    from telnyx_conformance.emulator.fault import Fault
    from telnyx_conformance.run.profile import Profile

PATIENCE = 10  # seconds, as Schemathesis has it: a busy machine must not look like an answer that never comes
SUCCESS = range(200, 300)
_watched: list[Watch] = []


class Watch:
    """One run on one operation: what it reports that is not `known`, and how many requests it took.

    It ends at the first new failure, which must not be one that the same request shows on the original too, or after
    `seconds` of processor time: who else is busy does not shorten it.
    """

    def __init__(self, served: Served, operation: Operation, known: frozenset[str], seconds: float) -> None:
        self._served, self._operation, self._known = served, operation, set(known)
        self._asker = Asker(served.bench.session, operation, "peer")
        self._path: dict[str, Any] | None = None
        self._is_replaying = False
        self._end = time.process_time() + seconds
        self.found: dict[str, None] = {}
        self.new, self.requests, self.ended = "", 0, ""

    @property
    def key(self) -> str:
        return self._served.bench.session.key(self._asker.account)

    def run(self, schema: Any) -> Watch:
        """Let Schemathesis work until it is done, or this is over."""
        self._stream = from_schema(schema).execute()
        for event in self._stream:
            if isinstance(event, events.NonFatalError):
                self._erred(event.value)
            elif isinstance(event, events.FatalError):
                self._erred(event.exception)
        return self

    def stock(self) -> None:
        """Give a list something to show, as our suite does."""
        if self._operation.method == "GET" and envelope_of(self._served.bench.session.edition, self._operation).is_list:
            try:
                self._served.bench.run(self._asker.stock(self._operation))
            except Unavailable as reason:
                logging.getLogger(__name__).debug("%s", reason)

    def prepare(self, case: Any) -> None:
        """Put what exists into a case where it is meant to be valid, and nothing anywhere else."""
        if self._is_replaying or self._is_over():
            return
        self.requests += 1
        if case.meta is None or case.method.upper() != self._operation.method:
            return
        wrong = {place.value for place, part in case.meta.components.items() if part.mode.is_negative}
        try:
            if case.path_parameters and "path" not in wrong:
                case.path_parameters.update(self._values())
            if isinstance(case.body, dict) and "body" not in wrong:
                case.body.update(self._of_body(case.body))
        except Unavailable:
            return

    def _is_over(self) -> bool:
        if time.process_time() > self._end:
            self.ended = "time limit"
        is_over = bool(self.new or self.ended)
        if is_over:
            self._stream.stop()
        return is_over

    def _values(self) -> dict[str, Any]:
        if self._path is None:
            work = self._asker.prerequisites.path_values(self._operation, fresh=True)
            self._path = self._served.bench.run(work)
        return self._path

    def _of_body(self, body: dict[str, Any]) -> dict[str, Any]:
        probe = Probe(
            id="", operation=self._operation.id, conformance_class="requests", expect="accept", body=body,
            references=references_in({("body", ""): body}),
        )  # fmt: skip
        found = self._served.bench.run(self._asker.references(self._operation, probe, self._path or {}))
        real = {name: value for name, value in found.items() if isinstance(body.get(name), str)}
        if isinstance(body.get("command_id"), str):
            real["command_id"] = self._served.bench.session.fresh("command-")
        return real

    def answered(self, response: Any) -> None:
        """Take note that what was addressed may have been used up."""
        uses_up = self._operation.method == "DELETE" or "/actions/" in self._operation.path
        if uses_up and response.status_code in SUCCESS:
            self._path = None

    def fails(self, failure: Failure, case: Any, response: Any) -> bool:
        """Take note of a failure; return whether Schemathesis is to report it, which ends its work on the operation."""
        if self._is_replaying:
            return True
        name = named(type(failure).__name__, self._operation.id, f"{failure.message} {refusal(response.content)}")
        self.found.setdefault(name)
        if self.new or name in self._known:
            return False
        if self._served.emulator.fault is not None and self._is_of_original(failure, case, response):
            self._known.add(name)
        elif self._served.emulator.fault is not None:
            self.new = name
            self._stream.stop()
        return False

    def _is_of_original(self, failure: Failure, case: Any, response: Any) -> bool:
        emulator, self._is_replaying = self._served.emulator, True
        fault, emulator.fault = emulator.fault, None
        try:
            with requests.Session() as session:
                again = session.send(response.request, timeout=PATIENCE, allow_redirects=False)
            case.validate_response(again)
        except (Failure, FailureGroup) as found:
            return any(type(one) is type(failure) for one in getattr(found, "exceptions", [found]))
        except requests.RequestException:
            return False
        finally:
            emulator.fault, self._is_replaying = fault, False
        return False

    def _erred(self, error: Exception) -> None:
        """Take note of what Schemathesis reports as an error: no answer, a broken connection."""
        name = named(type(error).__name__, self._operation.id, str(error)[:200])
        self.found.setdefault(name)
        if self._served.emulator.fault is not None and name not in self._known:
            self.new = self.new or name
            self._stream.stop()


@schemathesis.hook
def before_call(context: Any, case: Any, kwargs: Any) -> None:  # noqa: ARG001 - named by Schemathesis
    _watched[-1].prepare(case)


@schemathesis.hook
def after_call(context: Any, case: Any, response: Any) -> None:  # noqa: ARG001
    _watched[-1].answered(response)


@schemathesis.hook
def filter_failure(context: Any, failure: Any, case: Any, response: Any) -> bool:  # noqa: ARG001
    return _watched[-1].fails(failure, case, response)


class Served:
    """The emulator behind a socket, and Schemathesis with one document. `seconds` is the limit for one run."""

    def __init__(self, *, hardened: bool, examples: int, seconds: float, seed: int = 1) -> None:
        self._examples, self._seconds, self._seed = examples, seconds, seed
        self._document = bundle(load_edition(hardened=hardened))
        self._originals: dict[str, frozenset[str]] = {}  # what is reported there, by operation, once it is asked
        self.bench = Bench(carried=self._carried, seed=seed)
        logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)  # Schemathesis sends what is no HTTP on purpose

    def _carried(self, emulator: Emulator, profile: Profile) -> Wire:
        self.emulator = emulator
        self._wire = Wire(emulator, profile)
        return self._wire

    def judge(self, operation: Operation, fault: Fault) -> Watch:
        """Return what Schemathesis reports on a mutant and not on the original, until the first such failure."""
        watch = self._run(operation, fault, self._originals.get(operation.id, frozenset()))
        if not watch.new or operation.id in self._originals:
            return watch
        self._originals[operation.id] = frozenset(self._run(operation, None, frozenset()).found)
        is_false_alarm = watch.new in self._originals[operation.id]
        return self._run(operation, fault, self._originals[operation.id]) if is_false_alarm else watch

    def _run(self, operation: Operation, fault: Fault | None, known: frozenset[str]) -> Watch:
        with self.bench.planted(fault):
            watch = Watch(self, operation, known, self._seconds)
            _watched[:] = [watch]
            try:
                watch.stock()
                schema = schemathesis.openapi.from_dict(self._part(operation), config=self._config(watch.key))
                return watch.run(schema.include(operation_id=operation.id))
            finally:
                _watched.clear()

    def _part(self, operation: Operation) -> dict[str, Any]:
        """Return the document with the path of the operation only: the same for this operation, and read at once."""
        return {**self._document, "paths": {operation.path: self._document["paths"][operation.path]}}

    def _config(self, key: str) -> SchemathesisConfig:
        return SchemathesisConfig.from_dict({
            "seed": self._seed,
            "base-url": f"{self._wire.base_url}/v2",
            "headers": {"Authorization": f"Bearer {key}"},
            "continue-on-failure": True,
            "request-timeout": PATIENCE,
            "cache": {"enabled": False},
            "generation": {"max-examples": self._examples, "deterministic": True, "database": "none"},
        })  # fmt: skip

    def close(self) -> None:
        self.bench.close()
