"""Drawing random programs with Hypothesis, and shrinking the first that shows a difference to the smallest that does."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any, ClassVar
from zlib import crc32

import msgspec
from hypothesis import HealthCheck, Phase, Verbosity, seed, settings
from hypothesis import strategies as st
from hypothesis.errors import Flaky
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test
from msgspec.structs import replace

from telnyx_conformance.contract.machines import machines
from telnyx_conformance.contract.model_requirements import CREATE, DIAL
from telnyx_conformance.modelling.program import Program
from telnyx_conformance.modelling.reckoning import Difference
from telnyx_conformance.modelling.steps import Command, Dial, FarEnd, Repeat, RingIn, Step, Wait
from telnyx_conformance.run.calls import Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from telnyx_conformance.run.session import Session

STEPS, MOST_LEGS, SHRINKING_PROGRAMS = 30, 6, 60
DESTINATIONS = ("answers", "busy", "rejects", "rings_out", "not_found")
SETTING = (
    "AnswerCall",
    "BridgeCall",
    "EnqueueCall",
    "HangupCall",
    "TransferCall",
    "CreateConference",
    "JoinConference",
)
SET_OUT: tuple[Step, ...] = (Dial("answers"), Dial("answers"), RingIn(), Wait(3.0))
# A leg in each state: two that are bridged, then answered, queued, in a conference, ended, parked, and one that rings.
EVERY_STATE: tuple[Step, ...] = (
    *(Dial("answers") for _ in range(6)), Wait(3.0), RingIn(), Dial("rings_out"), Command("BridgeCall", 0, 1),
    Command("EnqueueCall", 3), Command(CREATE, 4), Command("HangupCall", 5),
)  # fmt: skip
TOURED, PARTNER = (2, 3, 4, 5, 6, 7, 0), 1  # the leg that is bridged comes last: what is sent to it concerns two
PAUSES = (3.0, 1.0, 40.0, 70.0)
LEGS = st.integers(0, MOST_LEGS - 1)


class Outcome(msgspec.Struct, kw_only=True):
    """What a search found: programs and steps played, and the smallest program that shows a difference."""

    programs: int = 0
    steps: int = 0
    shrinking: int = 0
    difference: Difference | None = None
    program: tuple[Step, ...] = ()
    unavailable: str = ""


class DiffersError(Exception):
    """Raised inside the search when target and model part: Hypothesis shrinks what raises."""


class Search:
    """One search: programs that dwell on the operation `focus`. `run` carries out a coroutine, `is_stopped` ends it."""

    def __init__(self, session: Session, focus: str, run: Callable[[Any], Any], is_stopped: Callable[[], bool]) -> None:
        self.session, self.run, self.is_stopped = session, run, is_stopped
        self.outcome = Outcome()
        self._seed = crc32(f"{session.settings.seed} {focus}".encode())
        by_id = session.edition.by_id
        self.commands = sorted(id_ for id_ in machines()["leg"].commands - {DIAL} if id_ in by_id)
        self.dwelt_on = [focus] if focus in self.commands else self.commands

    @property
    def tour(self) -> tuple[Step, ...]:
        """A leg in each state, and the commands that the search dwells on to each of them."""
        return (*EVERY_STATE, *(Command(each, leg, PARTNER) for leg in TOURED for each in self.dwelt_on))

    def run_programs(self, programs: int) -> None:
        """Play one program that sends the command in every state of a leg, then `programs` random ones; shrink a difference."""
        tour = self.tour
        try:
            found, taken = self._played(tour)
            self.outcome.steps += taken
            if found is None or found.operation not in self.dwelt_on:  # it may hide what is to be found out
                self._play_at_random(programs)
        except Unavailable as reason:
            self.outcome.unavailable = str(reason)
            return
        if found is not None and self.outcome.difference is None:
            self.outcome.difference, self.outcome.program = found, tour[:taken]
        if self.outcome.difference is not None:
            with suppress(Unavailable):  # a target that is gone by now leaves the program as small as it got
                self._slim()

    def _play_at_random(self, programs: int) -> None:
        quiet = settings(
            max_examples=programs, stateful_step_count=STEPS, database=None, deadline=None, print_blob=False,
            phases=[Phase.generate, Phase.shrink], suppress_health_check=list(HealthCheck), report_multiple_bugs=False,
            verbosity=Verbosity.quiet,
        )  # fmt: skip
        machine = type("Programs", (Programs,), {"search": self})
        try:
            run_state_machine_as_test(seed(self._seed)(machine), settings=quiet)
        except DiffersError:
            return
        except Flaky as ended:
            if self.outcome.difference is None:  # nothing was seen to differ, and not all was played
                raise Unavailable(f"the programs could not be played to their end: {ended}") from ended

    def _slim(self) -> None:
        """Leave out one step after the other, as long as the same difference shows: what is left is all needed."""
        place = len(self.outcome.program) - 1
        while place >= 0 and not self.is_stopped():
            shorter = without(self.outcome.program, place)
            found, taken = self._played(shorter)
            if found is not None and found.is_like(self.outcome.difference):
                self.outcome.difference, self.outcome.program = found, shorter[:taken]
                place = min(place, taken)
            place -= 1

    def _played(self, steps: Iterable[Step]) -> tuple[Difference | None, int]:
        """Play a program; return the difference it shows, and after how many steps."""
        self.outcome.programs += 1
        program = Program(self.session)
        try:
            self.run(program.begin())
            taken = 0
            for taken, step in enumerate(steps, 1):
                if isinstance(step, Command | FarEnd) and not program.world.legs:
                    break
                found: Difference | None = self.run(program.step(step))
                if found is not None:
                    return found, taken
        finally:
            program.end()
        return None, taken

    def differs(self, found: Difference, steps: list[Step]) -> None:
        """Keep the smallest program; raise what makes Hypothesis look for a smaller one."""
        if self.outcome.difference is None or len(steps) <= len(self.outcome.program):
            self.outcome.difference, self.outcome.program = found, tuple(steps)
        raise DiffersError


def without(steps: Sequence[Step], place: int) -> tuple[Step, ...]:
    """Return a program without one step. Without a leg, those after it move up, and what was sent to it goes to the next."""
    rest = (*steps[:place], *steps[place + 1 :])
    if not isinstance(steps[place], Dial | RingIn):
        return rest
    gone = sum(isinstance(step, Dial | RingIn) for step in steps[:place])
    return tuple(_moved_up(step, gone) for step in rest)


def _moved_up(step: Step, gone: int) -> Step:
    if isinstance(step, Command):
        return replace(step, leg=step.leg - (step.leg > gone), other=step.other - (step.other > gone))
    return replace(step, leg=step.leg - (step.leg > gone)) if isinstance(step, FarEnd) else step


class Programs(RuleBasedStateMachine):
    """One program; Hypothesis draws the steps."""

    search: ClassVar[Search]

    def __init__(self) -> None:
        super().__init__()
        search = self.search
        self.program = Program(search.session)
        self.steps: list[Step] = []
        search.outcome.programs += 1
        search.outcome.shrinking += search.outcome.difference is not None
        self.is_idle = search.outcome.shrinking > SHRINKING_PROGRAMS
        if not self.is_idle:
            search.run(self.program.begin())

    def act(self, step: Step) -> None:
        """Carry out a step."""
        if self.is_idle or self.search.is_stopped():
            return
        self.steps.append(step)
        self.search.outcome.steps += 1
        found = self.search.run(self.program.step(step))
        if found is not None:
            self.search.differs(found, self.steps)

    @property
    def legs(self) -> int:
        """How many legs there are."""
        return len(self.program.world.legs)

    @initialize()
    def set_out(self) -> None:
        """Begin with two calls that are answered and one that is not: most of what can go wrong needs them."""
        for step in SET_OUT:
            self.act(step)

    @precondition(lambda self: self.legs < MOST_LEGS)
    @rule(destination=st.sampled_from(DESTINATIONS))
    def dial(self, destination: str) -> None:
        """Dial."""
        self.act(Dial(destination))

    @precondition(lambda self: self.legs < MOST_LEGS)
    @rule()
    def ring_in(self) -> None:
        """Let a call come in."""
        self.act(RingIn())

    @precondition(lambda self: self.legs)
    @rule(operation=st.runner().flatmap(lambda self: st.sampled_from(self.search.dwelt_on)), leg=LEGS, other=LEGS)
    def dwell(self, operation: str, leg: int, other: int) -> None:
        """Send the command that the search dwells on."""
        self.act(Command(operation, leg, other))

    @precondition(lambda self: self.legs)
    @rule(operation=st.sampled_from(SETTING), leg=LEGS, other=LEGS)
    def set_the_scene(self, operation: str, leg: int, other: int) -> None:
        """Move a leg into another state."""
        self.act(Command(operation, leg, other))

    @precondition(lambda self: self.legs)
    @rule(operation=st.runner().flatmap(lambda self: st.sampled_from(self.search.commands)), leg=LEGS, other=LEGS)
    def command(self, operation: str, leg: int, other: int) -> None:
        """Send any command."""
        self.act(Command(operation, leg, other))

    @precondition(lambda self: self.program.has_sent)
    @rule()
    def repeat(self) -> None:
        """Send the latest command again."""
        self.act(Repeat())

    @precondition(lambda self: self.legs)
    @rule(act=st.sampled_from(["press", "say", "hang_up"]), leg=LEGS)
    def far_end(self, act: Any, leg: int) -> None:
        """Let the far end act."""
        self.act(FarEnd(act, leg))

    @precondition(lambda self: self.legs)
    @rule(seconds=st.sampled_from(PAUSES))
    def wait(self, seconds: float) -> None:
        """Let time pass."""
        self.act(Wait(seconds))

    def teardown(self) -> None:
        """Stop listening."""
        self.program.end()
