"""Waivers: known, accepted deviations, each with a reason, a link, an owner and a day on which it ends.

A waiver is a reviewed line, not a switch: one that is no longer needed, has ended, or matches nothing fails the run.
"""

from __future__ import annotations

import datetime as dt
import re
from functools import cache
from typing import TYPE_CHECKING, Any

import msgspec
import yaml

from telnyx_conformance.errors import UsageError, nearest

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

FIELDS = ("requirement", "reason", "link", "owner", "expires")
SHAPE = f"a list whose items have {', '.join(FIELDS)}"


class Waiver(msgspec.Struct, frozen=True, kw_only=True):
    """One accepted deviation. `requirement` is an id or a pattern (`*` is any text); `expires` is its last day."""

    requirement: str
    reason: str
    link: str
    owner: str
    expires: dt.date

    def matches(self, requirement: str) -> bool:
        """Tell whether this waiver speaks of the requirement."""
        return requirement == self.requirement or bool(_pattern(self.requirement).fullmatch(requirement))


@cache
def _pattern(glob: str) -> re.Pattern[str]:
    """Compile a glob. Only `*` is special: ids may hold `?`, `[` and `]`."""
    return re.compile(".*".join(re.escape(part) for part in glob.split("*")), re.DOTALL)


def read_waivers(path: Path, known: Collection[str] = ()) -> tuple[Waiver, ...]:
    """Read a waivers file. `known` are requirement ids: a waiver of none of them is refused with the nearest one.

    Raises:
        UsageError: the file cannot be read or an entry is not a waiver; it names the place and what is expected there.

    """
    try:
        document = yaml.load(path.read_bytes(), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 - both are safe
    except OSError as error:
        raise UsageError("the waivers cannot be read", where=str(path), got=error.strerror or str(error)) from error
    except (yaml.YAMLError, ValueError) as error:
        raise UsageError("the waivers are not YAML", where=_where(path, error), got=str(error)) from error
    if document is None:
        return ()
    if not isinstance(document, list):
        raise UsageError("the waivers are not a list", where=str(path), expected=SHAPE, got=type(document).__name__)
    waivers = tuple(_waiver(entry, f"{path}, waiver {number}") for number, entry in enumerate(document, 1))
    seen: set[str] = set()
    for number, waiver in enumerate(waivers, 1):
        where = f"{path}, waiver {number}"
        if waiver.requirement in seen:
            raise UsageError(
                "a requirement is waived twice", where=where, got=waiver.requirement, advice="keep one of the two"
            )
        seen.add(waiver.requirement)
        if known and not any(waiver.matches(requirement) for requirement in known):
            near = nearest(waiver.requirement, known)
            raise UsageError(
                "a waiver matches no requirement",
                where=where,
                got=waiver.requirement,
                advice=f"did you mean {near}?" if near else "see the ids with `contract show`",
            )
    return waivers


def _waiver(entry: Any, where: str) -> Waiver:
    if not isinstance(entry, dict):
        raise UsageError("a waiver is not a mapping", where=where, expected=", ".join(FIELDS), got=repr(entry))
    for key in entry:
        if key not in FIELDS:
            near = nearest(str(key), FIELDS)
            advice = f"did you mean {near}?" if near else ""
            raise UsageError(f"unknown key: {key}", where=where, expected=", ".join(FIELDS), advice=advice)
    for field in FIELDS:
        value = entry.get(field)
        if value is None or (field != "expires" and not (isinstance(value, str) and value.strip())):
            raise UsageError(
                f"a waiver needs {field}",
                where=where,
                expected="a day such as 2026-12-31" if field == "expires" else "a text that is not empty",
                got="nothing" if value is None else repr(value),
            )
    return Waiver(**{**entry, "expires": _day(entry["expires"], where)})


def _day(value: Any, where: str) -> dt.date:
    """Return a day. YAML reads `2026-12-31` as a date by itself; in quotes it is a text."""
    if isinstance(value, dt.date) and not isinstance(value, dt.datetime):
        return value
    try:
        return dt.date.fromisoformat(value)
    except (TypeError, ValueError):
        raise UsageError(
            "expires is not a day", where=where, expected="a day such as 2026-12-31", got=repr(value)
        ) from None


def _where(path: Path, error: Exception) -> str:
    mark = getattr(error, "problem_mark", None)
    return f"{path}:{mark.line + 1}" if mark is not None else str(path)
