"""Audio that is never fetched: what would come of playing a file is said by its host, or by whether it was uploaded."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

import msgspec
import yaml

from telnyx_conformance.content import content_root
from telnyx_conformance.errors import ContractError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

PLACE = "fixtures/media.yaml"
# Text is read aloud at this many characters per second, about 150 English words a minute.
CHARACTERS_PER_SECOND = 15
Fate = Literal["playable", "not_found", "unplayable", "refused"]


class AudioTable(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How long a file plays, in `seconds`, and what becomes of files on the `hosts` that do not exist."""

    seconds: float
    hosts: dict[str, Fate]


class Audio(msgspec.Struct, frozen=True, kw_only=True):
    """A file to be played, by its `url`, by the `name` it was uploaded under, or brought along in the command (neither)."""

    url: str = ""
    name: str = ""
    fate: Fate = "playable"

    @property
    def fields(self) -> Mapping[str, str]:
        """Return how events name the file: as the command did, and not at all when it brought the file along."""
        if self.url:
            return {"media_url": self.url}
        return {"media_name": self.name} if self.name else {}


@cache
def audio_table() -> AudioTable:
    """Return the packaged table; raise `ContractError` where the file is not as it should be."""
    path = content_root() / PLACE
    try:
        return msgspec.convert(yaml.load(path.read_bytes(), yaml.CSafeLoader), AudioTable)
    except (OSError, yaml.YAMLError, msgspec.ValidationError) as error:
        raise ContractError("the table of audio cannot be used", got=str(error), where=PLACE) from error


def audio_of(body: Mapping[str, Any], has_media: Callable[[str], bool], *, prefix: str = "") -> Audio:
    """Return the audio that a command names in `<prefix>audio_url` or `<prefix>media_name`, or brings along."""
    url, name = body.get(f"{prefix}audio_url") or "", body.get(f"{prefix}media_name") or ""
    if url:
        return Audio(url=url, fate=audio_table().hosts.get(_host(url), "playable"))
    if name:
        return Audio(name=name, fate="playable" if has_media(name) else "not_found")
    return Audio()


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:  # brackets around what is no address: a host all the same, and none of ours
        return ""


def speech_seconds(text: str) -> float:
    """Return how long a text is spoken, mark-up included."""
    return len(text) / CHARACTERS_PER_SECOND
