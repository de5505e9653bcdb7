"""Recordings of conferences: begun by command, saved by command or when the conference ends."""

from __future__ import annotations

from typing import TYPE_CHECKING

from telnyx_conformance.emulator.products.calls.legs import stamp
from telnyx_conformance.emulator.products.conferences.events import announce

if TYPE_CHECKING:
    from telnyx_conformance.emulator.products.conferences.conference import Conference

MOST_RECORDINGS = 100
FORMATS = ("mp3", "wav")


class Recording:
    """One recording of everything that is said in a conference, in one channel. Pausing leaves no trace but silence."""

    def __init__(self, conference: Conference, file_format: str) -> None:
        self._conference = conference
        self._format = file_format
        self.id = conference.switch.ids.uuid()
        self._started_at = conference.switch.clock.micros
        if len(conference.recordings) >= MOST_RECORDINGS:
            conference.recordings[0].save()
        conference.recordings.append(self)

    def save(self) -> None:
        """Stop, and tell where the file is."""
        conference = self._conference
        conference.recordings.remove(self)
        url = f"https://example.com/recordings/{self.id}.{self._format}"
        fields = {
            "recording_id": self.id,
            "format": self._format,
            "channels": "single",
            "recording_started_at": stamp(self._started_at),
            "recording_ended_at": stamp(conference.switch.clock.micros),
            "recording_urls": {name: url if name == self._format else None for name in FORMATS},
            "public_recording_urls": dict.fromkeys(FORMATS),
        }
        announce(conference, "conference.recording.saved", conference.owner, fields)
