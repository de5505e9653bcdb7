"""Recordings as resources: what the application reads under `/recordings` is what the event told it.

Used for calls and for conferences: times are microseconds of the account's clock.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from telnyx_conformance.emulator.products.calls.legs import stamp

if TYPE_CHECKING:
    from collections.abc import Mapping

    from telnyx_conformance.emulator.products.calls.legs import Leg
    from telnyx_conformance.emulator.registry import Registry

STORAGE = "https://recordings.example.com"
FORMATS = ("mp3", "wav")
MICROS_PER_MILLI = 1_000


class Recorded(msgspec.Struct, frozen=True, kw_only=True):
    """What was recorded: `format` mp3 or wav, `channels` single or dual.

    `millis` is how long the file plays, which pauses and trimming shorten.
    """

    id: str
    format: str
    channels: str
    started_at: int
    ended_at: int
    millis: int
    conference_id: str = ""

    @property
    def payload(self) -> dict[str, Any]:
        """What the event that tells of it says about it."""
        return {
            "recording_id": self.id,
            "recording_started_at": stamp(self.started_at),
            "recording_ended_at": stamp(self.ended_at),
            "channels": self.channels,
            "format": self.format,
            "recording_urls": {form: url if form == self.format else None for form, url in self.urls.items()},
            "public_recording_urls": dict.fromkeys(FORMATS),
        }

    @property
    def urls(self) -> dict[str, str]:
        """Where its file could be fetched, by form: the resource has both, the event names the one that was asked for."""
        return {form: f"{STORAGE}/{self.id}.{form}" for form in FORMATS}


def keep_recording(registry: Registry, recorded: Recorded, leg: Leg | None, now: int) -> None:
    """Let `GET /recordings` show a recording of `leg`, or of a conference that was recorded through it."""
    record: dict[str, Any] = {
        "record_type": "recording",
        "source": "conference" if recorded.conference_id else "call",
        "conference_id": recorded.conference_id or None,
        "channels": recorded.channels,
        "recording_started_at": stamp(recorded.started_at),
        "recording_ended_at": stamp(recorded.ended_at),
        "duration_millis": recorded.millis,
        "download_urls": recorded.urls,
        "status": "completed",
        "created_at": stamp(now),
        "updated_at": stamp(now),
    }
    if leg is not None:
        record |= _of(leg)
    registry.keep("recordings", recorded.id, {key: value for key, value in record.items() if value is not None})


def keep_transcription(
    registry: Registry, key: str, recorded: Recorded, text: str | None, times: tuple[int, int]
) -> None:
    """Let `GET /recording_transcriptions` show the text of a recording, or that it is being written (`None`).

    `times` are when the transcription was begun and when it last changed.
    """
    record = {
        "record_type": "recording_transcription",
        "recording_id": recorded.id,
        "duration_millis": recorded.millis,
        "status": "in-progress" if text is None else "completed",
        "transcription_text": text or "",
        "created_at": stamp(times[0]),
        "updated_at": stamp(times[1]),
    }
    registry.keep("recording_transcriptions", key, record)


def storage_problem(credentials: Mapping[str, Any] | None) -> str:
    """Return why an application's own storage takes no recording, in the words of `call.recording.error`; empty if it does.

    Nothing is fetched or stored: credentials are judged by their form alone.
    """
    if credentials is None:
        return ""
    configuration = credentials.get("configuration") or {}
    backend = credentials.get("backend")
    if backend == "gcs":
        try:
            msgspec.json.decode(configuration.get("credentials") or "{}", type=dict[str, Any])
        except msgspec.DecodeError:
            return "Invalid credentials json"
    elif backend not in ("s3", "azure"):
        return "Unsupported backend"
    if not configuration.get("bucket"):
        return "Failed to authorize with storage using custom credentials"
    return ""


def _of(leg: Leg) -> dict[str, Any]:
    return {
        "call_control_id": leg.call_control_id,
        "call_leg_id": leg.leg_id,
        "call_session_id": leg.session_id,
        "connection_id": leg.connection_id,
        "from": leg.from_,
        "to": leg.to,
    }
