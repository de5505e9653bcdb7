"""Magic destinations: fictional numbers whose behaviour is data, so that every outcome can be had on purpose."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any, Literal

import msgspec
import yaml

from telnyx_conformance.content import content_root
from telnyx_conformance.emulator.account import Refusal
from telnyx_conformance.emulator.products.calls.detection import Sound
from telnyx_conformance.errors import ContractError

if TYPE_CHECKING:
    from collections.abc import Mapping

PLACE = "fixtures/destinations.yaml"
_NUMBER = re.compile(r"\+[1-9][0-9]{1,14}")
_SIP_URI = re.compile(r"sips?:(?:(?P<user>[^@\s]+)@)?[^@\s]+", re.ASCII)  # as the contract reads it


Outcome = Literal["far_answers", "far_busy", "far_rejects", "far_unknown", "rings_out"]
# What the control API calls the outcomes, which are also triggers in the table of states.
SPOKEN: dict[str, Outcome] = {
    "answers": "far_answers", "busy": "far_busy", "rejects": "far_rejects", "not_found": "far_unknown", "rings_out": "rings_out",
}  # fmt: skip
MOST_OF_AN_ACCOUNT = 1000


class Destination(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the far end does: `outcome` comes `after` seconds unless the caller gives up; `hears` is for detection.

    `presses` are keys that it presses by itself when a gather begins to listen.
    """

    number: str
    outcome: Outcome
    after: float = 0.0
    hears: Sound = Sound()
    presses: Annotated[str, msgspec.Meta(pattern="^[0-9#*]*$")] = ""


class _File(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    default: str
    destinations: dict[str, Destination]


class Destinations:
    """The table of destinations; every other valid number or SIP URI behaves as the default."""

    def __init__(self, by_name: dict[str, Destination], default: Destination) -> None:
        self.by_name = by_name
        self.default = default
        self._by_number = {destination.number: destination for destination in by_name.values()}

    def copied(self) -> Destinations:
        """Return a table of its own for an account, which may change it."""
        return Destinations(dict(self.by_name), self.default)

    def listed(self) -> list[dict[str, Any]]:
        """Return the table as the control API shows it: named numbers first, then those that the account added."""
        names = {destination.number: name for name, destination in self.by_name.items()}
        return [self._shown(names.get(number), destination) for number, destination in self._by_number.items()]

    def put(self, address: str, behaviour: Mapping[str, Any]) -> dict[str, Any]:
        """Let the destination of a name or number behave as the control API says; return it as that shows it.

        Raises `Refusal` for what is neither, and where an account has too many of its own.
        """
        known = self.by_name.get(address)
        number = known.number if known else address
        if known is None and not _NUMBER.fullmatch(number):
            raise Refusal(404, "10005", parameter="destination")
        if number not in self._by_number and len(self._by_number) >= MOST_OF_AN_ACCOUNT:
            raise Refusal(422, "10027", f"An account has at most {MOST_OF_AN_ACCOUNT} destinations.", pointer="/")
        made = Destination(
            number=number,
            outcome=SPOKEN[behaviour["outcome"]],
            after=behaviour.get("after", 0),
            hears=msgspec.convert(behaviour.get("hears", {}), Sound),
            presses=behaviour.get("presses", ""),
        )
        name = next((name for name, destination in self.by_name.items() if destination.number == number), None)
        if name is not None:
            self.by_name[name] = made
        self._by_number[number] = made
        return self._shown(name, made)

    @staticmethod
    def _shown(name: str | None, destination: Destination) -> dict[str, Any]:
        spoken = next(word for word, outcome in SPOKEN.items() if outcome == destination.outcome)
        return {"name": name, **msgspec.to_builtins(destination), "outcome": spoken}

    def find(self, to: str) -> Destination | None:
        """Return what `to` does, a number in E.164 form or a SIP URI with one as its user; `None` if it is neither."""
        if found := self._by_number.get(to):
            return found
        if _NUMBER.fullmatch(to):
            return self.default
        if uri := _SIP_URI.fullmatch(to):
            return self._by_number.get(uri["user"] or "", self.default)
        return None


@cache
def destinations() -> Destinations:
    """Return the packaged table; raise `ContractError` where the file is not as it should be."""
    path = content_root() / PLACE
    try:
        content = msgspec.convert(yaml.load(path.read_bytes(), yaml.CSafeLoader), _File)
        return Destinations(content.destinations, content.destinations[content.default])
    except (OSError, yaml.YAMLError, msgspec.ValidationError, KeyError) as error:
        raise ContractError("the table of destinations cannot be used", got=str(error), where=PLACE) from error
