"""What the contract says of a generated request: valid, broken (and where), or not to be told.

The generator's own word is not enough: only where it and this project's validators agree is an answer held against the
target.
"""

from __future__ import annotations

import re
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from telnyx_conformance.contract.fields import is_json
from telnyx_conformance.plan.serialise import text_of
from telnyx_conformance.plan.values import filled

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from telnyx_conformance.contract.model import Level
    from telnyx_conformance.contract.validators import Validator
    from telnyx_conformance.plan.planner import Planner
    from telnyx_conformance.plan.probe import Probe

Word = Literal["valid", "broken", "open"]
# How a validator's keyword is called in requirement ids, where the name differs.
NAMED = {"format": ("format", "named-format", "contentEncoding"), "not": ("exclusive",), "type": ("type", "null")}
OF_TEXT = frozenset({"enum", "const", "minLength", "maxLength", "pattern", "format"})
PLAIN_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]{0,300})(?:\.[0-9]{1,300})?", re.ASCII)
EXACT = 2**53
"""Beyond it numbers lose digits in most readers: nothing is held against a target there."""


class Breach(msgspec.Struct, frozen=True, kw_only=True):
    """One rule that a request breaks. `path` leads to the value; `missing` names a member that is not there."""

    location: str
    name: str = ""
    path: tuple[str | int, ...] = ()
    keyword: str = ""
    missing: str = ""

    @property
    def place(self) -> str:
        """The place as requirement ids write it."""
        text = f"request.{self.location}" + (f".{self.name}" if self.name else "")
        for part in (*self.path, *([self.missing] if self.missing else [])):
            text += "[]" if isinstance(part, int) else f".{part}"
        return text

    @property
    def pointer(self) -> str:
        """The JSON pointer of the culprit."""
        parts = (*self.path, *([self.missing] if self.missing else []))
        return "".join(f"/{str(p).replace('~', '~0').replace('/', '~1')}" for p in parts)


class Expectation(msgspec.Struct, frozen=True, kw_only=True):
    """What is to come of a request; `breaches` are the rules it breaks. `alone` tells that there is one culprit to name."""

    word: Word
    breaches: tuple[Breach, ...] = ()
    alone: bool = False


class Expecting:
    """Reads requests of one operation by its contract. `levels` maps requirement ids to how binding they are."""

    def __init__(self, planner: Planner, levels: Mapping[str, Level]) -> None:
        self._planner, self._operation = planner, planner.operation
        self._levels = levels
        self._validators: dict[str, Validator | None] = {}

    def of(self, probe: Probe) -> Expectation:
        """Return what the contract, the generator agreeing, expects of a probe."""
        if probe.path or probe.method:
            return Expectation(word="open")
        found = list(self._breaches(probe))
        breaches = tuple(b for b in found if b is not None)
        binding = tuple(b for b in breaches if self._is_binding(probe, b))
        if None in found:
            return Expectation(word="open", breaches=breaches)
        if binding and probe.expect == "refuse":
            return Expectation(word="broken", breaches=binding, alone=len(breaches) == 1)
        if not breaches and probe.expect == "accept":
            return Expectation(word="valid")
        return Expectation(word="open", breaches=breaches)

    def told(self, probe: Probe) -> Probe:
        """Return the probe with the contract's own word for `expect`, for generators that have none."""
        breaks = any(b is not None for b in self._breaches(probe))
        return msgspec.structs.replace(probe, expect="refuse" if breaks else "accept")

    def _breaches(self, probe: Probe) -> Iterator[Breach | None]:
        """Yield each rule that is broken, and `None` where it cannot be told how the value reads on the wire."""
        yield from self._of_body(probe)
        for location, values in (("query", probe.query), ("header", probe.headers)):
            names = {
                p.name.lower() if location == "header" else p.name for p in self._operation.parameters_in(location)
            }
            if any((n.lower() if location == "header" else n) not in names for n in values):
                yield None  # a bracketed or unknown name: how it is read is the target's to say
            for parameter in self._operation.parameters_in(location):
                if parameter.name in values:
                    yield from self._of_text(location, parameter.name, values[parameter.name])
                elif parameter.required and location == "query":
                    yield Breach(location=location, name=parameter.name, keyword="required")

    def _of_body(self, probe: Probe) -> Iterator[Breach | None]:
        described = self._operation.body
        if described is None:
            return
        if probe.raw is not None:
            yield from self._of_bytes(probe)
        elif probe.body is None:
            if described.required:
                yield Breach(location="body", keyword="required")
        else:
            validator = self._validator(probe.media_type)
            found = list(_errors("body", "", validator, filled(probe.body))) if validator else []
            if is_json(probe.media_type) and not _is_inexact(probe.body):
                yield from found
            else:  # in a form every value is text: what was no text may read as right
                yield from (breach if _is_plain(probe.body, breach) else None for breach in found)

    def _of_bytes(self, probe: Probe) -> Iterator[Breach | None]:
        if not is_json(probe.media_type):
            yield None
            return
        try:
            value = msgspec.json.decode(probe.raw or b"")
        except (msgspec.DecodeError, ValueError, RecursionError):
            yield Breach(location="body", keyword="malformed") if probe.raw else None
            return
        if value is None:  # a body that says null may count as none at all
            yield None
            return
        validator = self._validator(probe.media_type)
        if validator is not None and not _is_inexact(value):
            yield from _errors("body", "", validator, value)

    def _of_text(self, location: str, name: str, value: Any) -> Iterator[Breach | None]:
        validator = self._planner.validator((location, name))
        if validator is None:
            return
        wire = filled(value)
        readings = [wire] if isinstance(wire, dict | list) else list(_readings(text_of(wire)))
        if any(validator.is_valid(reading) for reading in readings):
            if any(_is_inexact(reading) for reading in readings):
                yield None
            return
        if any(validator.is_valid(reading) for reading in _loose_readings(text_of(wire))):
            yield None
            return
        if isinstance(wire, dict | list) or text_of(wire) == "" or _is_inexact(wire):
            yield None
            return
        yield next(_errors(location, name, validator, readings[-1]), None)

    def _validator(self, media_type: str) -> Validator | None:
        if media_type not in self._validators:
            same = media_type == self._planner.media_type
            self._validators[media_type] = (
                self._planner.validator(("body", "")) if same else self._planner.validator_for(media_type)
            )
        return self._validators[media_type]

    @cached_property
    def _levels_of_places(self) -> dict[str, dict[str, Level]]:
        found: dict[str, dict[str, Level]] = {}
        for name, level in self._levels.items():
            _, place, kind = name.split(":", 2)
            found.setdefault(place, {})[kind.partition("=")[0]] = level
        return found

    def _is_binding(self, probe: Probe, breach: Breach) -> bool:
        """Tell whether the broken rule is more than a MAY. Null where it is not wanted is one of those, mostly."""
        known = self._levels_of_places.get(breach.place, {})
        if breach.location == "body" and not breach.missing and breach.keyword not in ("malformed", "required"):
            whole = probe.body if probe.raw is None else msgspec.json.decode(probe.raw)
            if _at(whole, breach.path) is None:
                return known.get("null", "MAY") != "MAY"
        levels = [known[kind] for kind in NAMED.get(breach.keyword, (breach.keyword,)) if kind in known]
        return not levels or any(level != "MAY" for level in levels)


def _errors(location: str, name: str, validator: Validator, value: Any) -> Iterator[Breach]:
    for error in validator.iter_errors(value):
        keyword = str(error.kind.name)
        yield Breach(
            location=location,
            name=name,
            path=tuple(error.instance_path),
            keyword=keyword,
            missing=str(error.kind.property).strip('"') if keyword == "required" else "",
        )


def _readings(text: str) -> Iterator[Any]:
    """Yield what a text stands for as everybody reads it: a number, a truth value, itself; one of it or a list of one."""
    plain: list[Any] = [{"true": True, "false": False}[text]] if text in ("true", "false") else []
    if PLAIN_NUMBER.fullmatch(text):
        plain += [int(text)] if text.lstrip("-").isdigit() else []
        plain.append(float(text))
    plain.append(text)
    yield from ([one] for one in plain)
    yield from plain


def _loose_readings(text: str) -> Iterator[Any]:
    """Yield what some readers take a text for besides."""
    if text.strip().lower() in ("true", "false", "1", "0", "yes", "no", "on", "off", "t", "f", "y", "n"):
        yield True
    yield None
    for read in (int, float):
        try:
            yield read(text)
        except (ValueError, OverflowError):
            continue
    parts = text.split(",")
    yield parts
    yield [next(_readings(part))[0] for part in parts]


def _is_plain(body: Any, breach: Breach) -> bool:
    """Tell whether a form breaks a rule however its texts are read."""
    return bool(breach.missing) or (breach.keyword in OF_TEXT and isinstance(_at(body, breach.path), str))


def _is_inexact(value: Any) -> bool:
    """Tell whether a value holds a number that readers may round."""
    if isinstance(value, dict):
        return any(_is_inexact(part) for part in value.values())
    if isinstance(value, list):
        return any(_is_inexact(part) for part in value)
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) > EXACT


def _at(value: Any, path: tuple[str | int, ...]) -> Any:
    for part in path:
        try:
            value = value[part]
        except (KeyError, IndexError, TypeError):
            return ...
    return value
