"""Magic destinations: fictional numbers whose behaviour is data, so that every outcome can be had on purpose."""

from __future__ import annotations

import re
from functools import cache
from typing import Literal

import msgspec
import yaml

from telnyx_conformance.content import content_root
from telnyx_conformance.emulator.products.calls.detection import Sound
from telnyx_conformance.errors import ContractError

PLACE = "fixtures/destinations.yaml"
_NUMBER = re.compile(r"\+[1-9][0-9]{1,14}")
_SIP_URI = re.compile(r"sips?:(?:(?P<user>[^@\s]+)@)?[^@\s]+", re.ASCII)  # as the contract reads it


class Destination(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the far end does: `outcome` comes `after` seconds unless the caller gives up; `hears` is for detection."""

    number: str
    outcome: Literal["far_answers", "far_busy", "far_rejects", "far_unknown", "rings_out"]
    after: float = 0.0
    hears: Sound = Sound()


class _File(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    default: str
    destinations: dict[str, Destination]


class Destinations:
    """The table of destinations; every other valid number or SIP URI behaves as the default."""

    def __init__(self, by_name: dict[str, Destination], default: str) -> None:
        self.by_name = by_name
        self._default = by_name[default]
        self._by_number = {destination.number: destination for destination in by_name.values()}

    def find(self, to: str) -> Destination | None:
        """Return what `to` does, a number in E.164 form or a SIP URI with one as its user; `None` if it is neither."""
        if found := self._by_number.get(to):
            return found
        if _NUMBER.fullmatch(to):
            return self._default
        if uri := _SIP_URI.fullmatch(to):
            return self._by_number.get(uri["user"] or "", self._default)
        return None


@cache
def destinations() -> Destinations:
    """Return the packaged table; raise `ContractError` where the file is not as it should be."""
    path = content_root() / PLACE
    try:
        content = msgspec.convert(yaml.load(path.read_bytes(), yaml.CSafeLoader), _File)
        return Destinations(content.destinations, content.default)
    except (OSError, yaml.YAMLError, msgspec.ValidationError, KeyError) as error:
        raise ContractError("the table of destinations cannot be used", got=str(error), where=PLACE) from error
