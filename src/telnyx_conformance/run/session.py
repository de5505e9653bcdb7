"""An open run against one target: sends within the gate's rules, keeps the evidence, knows when the target is down."""

from __future__ import annotations

import asyncio
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from telnyx_conformance.contract.exchange import Exchange, Request
from telnyx_conformance.contract.lifecycles import Lifecycles, load_lifecycles
from telnyx_conformance.contract.validators import Validator, compiled
from telnyx_conformance.plan.planning import plan_operation
from telnyx_conformance.run.plays import Play, Plays
from telnyx_conformance.run.safety import Gate

if TYPE_CHECKING:
    from telnyx_conformance.contract.model import Operation, ResponseSpec
    from telnyx_conformance.inbox.receiver import Inbox
    from telnyx_conformance.plan.probe import Plan
    from telnyx_conformance.run.client import Client
    from telnyx_conformance.run.control import Control
    from telnyx_conformance.run.evidence import EvidenceLog
    from telnyx_conformance.run.settings import Settings
    from telnyx_conformance.run.verdict import Verdict

DOWN_AFTER = 20
THROTTLED = 429
MOST_TRIES = 4
LONGEST_WAIT = 5.0
# A target that throttles this many requests to the end, one after the other, is not asked again.
THROTTLED_OUT_AFTER = 20
MOST_ATTACHED = 8 * 1024 * 1024
# A harmless question: any HTTP answer to it shows that somebody is there.
FIRST_LOOK, SECOND_LOOK = "/phone_numbers", "/billing_groups"


class Session:
    """One worker's connection to the target. `clients` maps a server name (`api`, `storage`) to the client that reaches it."""

    def __init__(
        self,
        settings: Settings,
        evidence: EvidenceLog,
        clients: dict[str, Client],
        *,
        control: Control | None,
        inbox: Inbox,
        worker: str,
        attach: bool = False,
    ) -> None:
        self.settings, self.evidence, self.clients = settings, evidence, clients
        self.control, self.inbox, self.worker = control, inbox, worker
        self.gate = Gate(settings.profile)
        self.down = ""
        self.events_come = True
        self.waits_in_vain = 0
        self._failures_in_a_row = self._throttled_in_a_row = 0
        self._looking = asyncio.Lock()
        self._in_flight = asyncio.Semaphore(settings.profile.in_flight)
        self._attach = attach
        self._attached: list[bytes] = []
        self._attached_size = 0
        self._validators: dict[tuple[str, str, str], Validator] = {}
        self._plans: dict[str, Plan] = {}
        self._fresh = 0
        self.event_validators: dict[str, Validator] = {}
        self._plays = Plays()

    @cached_property
    def edition(self) -> Any:
        """The edition under test."""
        return self.settings.edition

    @cached_property
    def lifecycles(self) -> Lifecycles:
        """How the edition's resources come to be."""
        return load_lifecycles(self.settings.edition.name)

    @property
    def speaks(self) -> Literal["spoken", "absent", "unclaimed"]:
        """Whether the target speaks the control API, or nobody claims that it does."""
        if self.control is not None:
            return "spoken"
        return "absent" if self.settings.profile.claims.control else "unclaimed"

    def begin_anew(self, worker: str) -> None:
        """Go on as another worker: with accounts of its own, and with nothing held against the target."""
        self.worker, self.down, self.events_come, self.waits_in_vain = worker, "", True, 0
        self._failures_in_a_row = self._throttled_in_a_row = 0
        self._plays.forget()

    def key(self, account: str = "") -> str:
        """Return the API key of this worker's account. Emulators make every `KEYTEST…` key an account of its own."""
        key = self.settings.profile.key
        if not self.settings.profile.has_accounts:
            return key
        return "_".join(part for part in (key, self.worker, account) if part)

    def fresh(self, stem: str = "") -> str:
        """Return a text that no other request of this run carries."""
        self._fresh += 1
        return f"{stem}{self.settings.seed}-{self.worker}-{self._fresh}"

    def authorization(self, account: str = "") -> tuple[str, str]:
        """Return the Authorization header of an account."""
        return ("authorization", f"Bearer {self.key(account)}")

    async def send(
        self, operation: Operation, request: Request, *, probe: str, record: bool = True
    ) -> tuple[Exchange, tuple[int, ...]]:
        """Send one request and return the exchange with the numbers of its evidence. Throttled requests are tried again."""
        client = self.clients.get(operation.server)
        if client is None:
            return Exchange(request=request, error=f"the profile names no URL for the {operation.server} server"), ()
        async with self._in_flight:
            if self.down:
                return Exchange(request=request, error=self.down), ()
            exchange = await self._patiently(client, request)
        numbers = (self.keep(exchange, operation, probe),) if record else ()
        if _is_throttled(exchange):  # the evidence shows the answer, which says nothing about the request
            throttled = f"throttled to the end: {MOST_TRIES} tries, each answered with {THROTTLED}"
            return Exchange(request=request, error=throttled), numbers
        return exchange, numbers

    def keep(self, exchange: Exchange, operation: Operation, probe: str) -> int:
        """Write an exchange to the evidence and return its number."""
        client = self.clients.get(operation.server, self.clients["api"])
        number = self.evidence.exchange(exchange, probe=probe, operation=operation.id, base_url=client.base_url)
        if self._attach and self._attached_size < MOST_ATTACHED:
            self._attached.append(self.evidence.last)
            self._attached_size += len(self.evidence.last)
        return number

    def take_attached(self) -> bytes:
        """Return the exchanges since the last call as NDJSON, as the evidence has them; the first ones when there are very many."""
        taken, self._attached, self._attached_size = self._attached, [], 0
        return b"".join(taken)

    def keep_play(self, sequence: str, proven: str, verdicts: list[Verdict]) -> None:
        """Keep what a sequence showed until the class `proven` asks for it too."""
        self._plays.keep(sequence, proven, Play(tuple(verdicts), tuple(self._attached)))

    def take_play(self, sequence: str, proven: str) -> list[Verdict] | None:
        """Return what was kept for a class and forget it, its exchanges being attached anew; `None` when there is nothing."""
        play = self._plays.take(sequence, proven)
        if play is None:
            return None
        self._attached += play.attached
        self._attached_size += sum(map(len, play.attached))
        return list(play.verdicts)

    async def _patiently(self, client: Client, request: Request) -> Exchange:
        exchange = await client.send(request)
        for attempt in range(1, MOST_TRIES):
            if self.down or not _is_throttled(exchange):
                break
            await asyncio.sleep(_wait(exchange, attempt))
            exchange = await client.send(request)
        self._throttled_in_a_row = self._throttled_in_a_row + 1 if _is_throttled(exchange) else 0
        self._failures_in_a_row = self._failures_in_a_row + 1 if exchange.response is None else 0
        if self._throttled_in_a_row >= THROTTLED_OUT_AFTER:
            self.down = (
                f"the target throttles every request: {self._throttled_in_a_row} were tried {MOST_TRIES} times each"
            )
        if self._failures_in_a_row >= DOWN_AFTER and not self._looking.locked():
            await self._look_again(exchange.error)
        return exchange

    async def _look_again(self, error: str) -> None:
        """Tell a target that is down from an operation that always breaks: ask what worked when the run began."""
        async with self._looking:
            headers = (self.authorization(),)
            seen = await self.clients["api"].send(Request(method="GET", path=FIRST_LOOK, headers=headers))
        self._failures_in_a_row = 0
        if seen.response is None:
            self.down = f"the target stopped answering: {error}"

    async def answers_others(self, operation: Operation) -> bool:
        """Whether the target answers a harmless question about something else than an operation does."""
        path = next(path for path in (FIRST_LOOK, SECOND_LOOK) if path != operation.path)
        other = next(o for o in self.edition.operations if (o.method, o.path) == ("GET", path))
        asked = Request(method="GET", path=path, headers=(self.authorization(),))
        return (await self.send(other, asked, probe="", record=False))[0].response is not None

    def response_validator(self, operation: Operation, response: ResponseSpec) -> Validator | None:
        """Return the compiled schema of a response's JSON body, `None` when it documents none."""
        schema = response.content.get("application/json")
        if not schema:
            return None
        key = (operation.id, response.status, "application/json")
        if key not in self._validators:
            self._validators[key] = compiled(self.edition.document, schema, "response")
        return self._validators[key]

    def plan(self, operation: Operation) -> Plan:
        """Return an operation's plan, made once per worker. Its first probe is the minimal one."""
        if operation.id not in self._plans:
            self._plans[operation.id] = plan_operation(
                self.edition, operation, self.settings.seed, self.settings.strength
            )
        return self._plans[operation.id]

    def record(self, verdicts: list[Verdict], *, probes: int, lower_bound: int) -> None:
        """Write the verdicts of one proof, to the disk: what is proven survives whatever happens next."""
        self.evidence.record("plan", {"requirements": [], "probes": probes, "lower_bound": lower_bound})
        for verdict in verdicts:
            self.evidence.record("verdict", {**msgspec.to_builtins(verdict), "worker": self.worker})
        self.evidence.flush()

    async def close(self) -> None:
        """Close everything that was opened; what was proven is written first."""
        try:
            end = {
                "requests": self.evidence.exchanges, "events": self.evidence.events, "interrupted": bool(self.down),
                "control": self.speaks,
            }  # fmt: skip
            self.evidence.record("end", end)
            self.evidence.close()
        finally:
            await self.inbox.stop()
            for client in self.clients.values():
                await client.close()


def _is_throttled(exchange: Exchange) -> bool:
    return exchange.response is not None and exchange.response.status == THROTTLED


def _wait(exchange: Exchange, attempt: int) -> float:
    response = exchange.response
    named = response.header("retry-after") or response.header("x-ratelimit-reset") if response else ""
    try:
        return min(max(float(named), 0.0), LONGEST_WAIT)
    except ValueError:
        return min(0.25 * float(2**attempt), LONGEST_WAIT)
