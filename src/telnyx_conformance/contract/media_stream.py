"""What an application receives of a media stream: the messages of a WebSocket, or datagrams, in order of arrival."""

from __future__ import annotations

import base64
import binascii
from typing import Any

import msgspec


class StreamMessage(msgspec.Struct, frozen=True, kw_only=True):
    """One message or datagram. `connection` counts the connections to one address from 0; datagrams have none (-1)."""

    raw: bytes
    connection: int = -1

    @property
    def document(self) -> dict[str, Any]:
        """What a message decodes to, empty where it is no JSON object."""
        try:
            return msgspec.json.decode(self.raw, type=dict[str, Any])
        except (msgspec.DecodeError, UnicodeDecodeError):
            return {}

    @property
    def event(self) -> str:
        """Such as `media`."""
        return str(self.document.get("event", ""))

    @property
    def content(self) -> dict[str, Any]:
        """What a message of its kind carries, such as the object `start` of a start message."""
        content = self.document.get(self.event)
        return content if isinstance(content, dict) else {}

    @property
    def audio(self) -> bytes:
        """The payload of a media message, empty where it is not base64."""
        try:
            return base64.b64decode(str(self.content.get("payload", "")), validate=True)
        except (binascii.Error, ValueError):
            return b""
