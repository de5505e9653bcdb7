"""Faults of media streams, planted where an account's messages and datagrams leave."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from telnyx_conformance.emulator.fault import Fault

if TYPE_CHECKING:
    from telnyx_conformance.emulator.account import Account
    from telnyx_conformance.mutants.mutant import Mutant

OTHER = "00000000-0000-4000-8000-00000000e15e"


class StreamFault(Fault):
    """Bends the messages of every stream of an account in one aspect: the mutant's variant."""

    def __init__(self, mutant: Mutant) -> None:
        super().__init__()
        self._aspect = mutant.variant

    def moves_in(self, account: Account) -> None:
        """Bend what leaves a new account."""
        if self._aspect == "packets":
            account.lines.garble = self._garbled
        else:
            account.lines.bend = self._bent

    def _garbled(self, _: bytes) -> bytes:
        self.bites()
        return b"no RTP"

    def _bent(self, text: str) -> list[str]:
        message: dict[str, Any] = msgspec.json.decode(text)
        event = message["event"]
        if self._aspect == "flow":
            if event == "connected":
                self.bites()
                return []
            return [text]
        if self._aspect == "numbers" and event == "media":
            message["sequence_number"] = "1"
        elif self._aspect == "identity" and event == "start":
            message["stream_id"] = OTHER
        elif self._aspect == "format" and event == "media":
            message["media"]["payload"] = "%"
        elif self._aspect == "tracks" and event == "media":
            message["media"]["track"] = "sideways"
        elif self._aspect == "digits" and event == "dtmf":
            message["dtmf"]["digit"] = "#" if message["dtmf"]["digit"] != "#" else "*"
        else:
            return [text]
        self.bites()
        return [msgspec.json.encode(message).decode()]
