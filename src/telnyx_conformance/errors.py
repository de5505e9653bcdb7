"""The exception tree: every error this package raises on purpose.

ConformanceError
├── UsageError               exit 2: a wrong option, name, profile or file
│   ├── UnknownName          no such operation, group, class, edition
│   └── ContractError        a contract file breaks its schema
├── IncompleteError          exit 3: the run could not be completed
│   └── ReportError          a result could not be written
└── HarnessError             exit 3: a probe breaks our own contract; our fault, not the target's

Each says what was expected, what came, where, and what to do; the text is rendered from those fields.
"""

from __future__ import annotations

import difflib
from enum import IntEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable


class ExitCode(IntEnum):
    """What the process tells its caller."""

    CONFORMS = 0
    DOES_NOT_CONFORM = 1
    USAGE = 2
    INCOMPLETE = 3


class ConformanceError(Exception):
    """Base of every error raised on purpose."""

    exit_code = ExitCode.INCOMPLETE

    def __init__(self, problem: str, *, expected: str = "", got: str = "", where: str = "", advice: str = "") -> None:
        self.problem, self.expected, self.got, self.where, self.advice = problem, expected, got, where, advice
        super().__init__(problem)

    def __reduce__(self) -> tuple[Any, ...]:
        """Let it pass from process to process whatever its class asks for to be made."""
        return _restored, (type(self), self.args, self.__dict__)

    def __str__(self) -> str:
        rows = [("where", self.where), ("expected", self.expected), ("got", self.got), ("try", self.advice)]
        return "\n".join([self.problem, *(f"  {name}: {text}" for name, text in rows if text)])


def _restored(kind: type[ConformanceError], arguments: tuple[Any, ...], fields: dict[str, Any]) -> ConformanceError:
    made = kind.__new__(kind, *arguments)
    made.__dict__.update(fields)
    return made


class UsageError(ConformanceError):
    """The caller asked for something that cannot be done as asked."""

    exit_code = ExitCode.USAGE


class UnknownName(UsageError):  # noqa: N818 - reads as the fact it states
    """A name that the contract does not know."""

    def __init__(self, kind: str, name: str, known: Iterable[str], *, where: str = "") -> None:
        self.kind, self.name = kind, name
        near = nearest(name, known)
        advice = f"did you mean {near}?" if near else ""
        super().__init__(f"unknown {kind}: {name}", where=where, advice=advice)


class ContractError(UsageError):
    """A contract file breaks the schema that stands beside it."""


class IncompleteError(ConformanceError):
    """The run could not be completed; what was proven so far is kept."""


class ReportError(IncompleteError):
    """A result could not be written."""


class HarnessError(ConformanceError):
    """A planned probe is not what it claims to be."""


def nearest(name: str, known: Iterable[str]) -> str:
    """Return the known word closest to `name`, or nothing when none is close."""
    words = list(known)
    lowered = {word.lower(): word for word in words}
    if name.lower() in lowered:
        return lowered[name.lower()]
    close = difflib.get_close_matches(name.lower(), list(lowered), n=1, cutoff=0.6)
    return lowered[close[0]] if close else ""
