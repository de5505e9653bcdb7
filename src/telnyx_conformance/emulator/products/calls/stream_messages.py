"""The messages of a media stream, as both sides write them: JSON texts, numbered where the documentation numbers them."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, Any

import msgspec

from telnyx_conformance.emulator.products.calls.legs import stamp
from telnyx_conformance.emulator.products.calls.media_frames import FRAME_MILLIS, SAMPLE_RATE, SILENCE

if TYPE_CHECKING:
    from telnyx_conformance.emulator.products.calls.legs import Leg

PROTOCOL = "1.0.0"
ERRORS = {
    "unknown_error": 100_002,
    "malformed_frame": 100_003,
    "invalid_media": 100_004,
    "rate_limit_reached": 100_005,
}


class Script:
    """What the emulator says on one stream: each method returns the next message."""

    def __init__(self, leg: Leg, stream_id: str, user_id: str, encoding: str) -> None:
        self._leg, self._stream_id, self._user_id, self._encoding = leg, stream_id, user_id, encoding
        self._number = 0
        self._chunks: dict[str, int] = {}
        self._silence = base64.b64encode(SILENCE[encoding]).decode()

    @staticmethod
    def connected() -> str:
        """Return what is said first."""
        return _text({"event": "connected", "version": PROTOCOL})

    def start(self) -> str:
        """Return what tells of which call the media is, and of what form."""
        leg = self._leg
        return self._numbered("start", {
            "user_id": self._user_id,
            "call_control_id": leg.call_control_id,
            "call_session_id": leg.session_id,
            "from": leg.from_,
            "to": leg.to,
            "client_state": leg.client_state,
            "media_format": {"encoding": self._encoding, "sample_rate": SAMPLE_RATE, "channels": 1},
        })  # fmt: skip

    def media(self, track: str) -> str:
        """Return the next 20 ms of a track, `inbound` or `outbound`."""
        chunk = self._chunks[track] = self._chunks.get(track, 0) + 1
        return self._numbered("media", {
            "track": track,
            "chunk": str(chunk),
            "timestamp": str((chunk - 1) * FRAME_MILLIS),
            "payload": self._silence,
        })  # fmt: skip

    def dtmf(self, digit: str, now: int) -> str:
        """Return that a key was pressed."""
        return self._numbered("dtmf", {"digit": digit}, occurred_at=stamp(now))

    def mark(self, name: str) -> str:
        """Return that all was played that was sent before the mark of that name."""
        return self._numbered("mark", {"name": name})

    def error(self, title: str) -> str:
        """Return that something the application said was of no use."""
        detail = title.replace("_", " ").capitalize()
        payload = {"code": ERRORS[title], "title": title, "detail": detail}
        return _text({"event": "error", "stream_id": self._stream_id, "payload": payload})

    def stop(self) -> str:
        """Return what is said last."""
        return self._numbered("stop", {"user_id": self._user_id, "call_control_id": self._leg.call_control_id})

    def _numbered(self, event: str, content: dict[str, Any], **more: Any) -> str:
        self._number += 1
        return _text({
            "event": event, "sequence_number": str(self._number), "stream_id": self._stream_id, **more, event: content,
        })  # fmt: skip


class Said(msgspec.Struct, frozen=True):
    """What an application said: `kind` is `media`, `mark` or `clear`, or the `error` that it is answered with."""

    kind: str
    size: int = 0
    name: str = ""
    error: str = ""


def said(text: str) -> Said:
    """Return what a message of an application means."""
    try:
        message = msgspec.json.decode(text, type=dict[str, Any])
    except msgspec.DecodeError:
        return Said("", error="malformed_frame")
    kind = message.get("event")
    content = message.get(str(kind))
    if kind == "clear":
        return Said("clear")
    if kind not in ("media", "mark") or not isinstance(content, dict):
        return Said("", error="malformed_frame")
    if kind == "mark":
        name = content.get("name")
        return Said("mark", name=name) if isinstance(name, str) else Said("", error="malformed_frame")
    try:
        size = len(base64.b64decode(str(content.get("payload")), validate=True))
    except binascii.Error:
        return Said("", error="invalid_media")
    return Said("media", size=size) if size else Said("", error="invalid_media")


def _text(message: dict[str, Any]) -> str:
    return msgspec.json.encode(message).decode()
