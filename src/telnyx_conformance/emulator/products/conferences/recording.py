"""Recordings of conferences: begun by command, saved by command or when the conference ends."""

from __future__ import annotations

from typing import TYPE_CHECKING

from telnyx_conformance.emulator.products.calls.recordings import MICROS_PER_MILLI, Recorded, keep_recording
from telnyx_conformance.emulator.products.conferences.events import announce

if TYPE_CHECKING:
    from telnyx_conformance.emulator.products.conferences.conference import Conference

MOST_RECORDINGS = 100


class Recording:
    """One recording of everything that is said in a conference, in one channel. What is said in a pause is left out."""

    def __init__(self, conference: Conference, file_format: str) -> None:
        self._conference = conference
        self._format = file_format
        self.id = conference.switch.ids.uuid()
        self._started_at = conference.switch.clock.micros
        self._paused_at: int | None = None
        self._left_out = 0
        if len(conference.recordings) >= MOST_RECORDINGS:
            conference.recordings[0].save()
        conference.recordings.append(self)

    def pause(self) -> None:
        """Leave out what is said from now on."""
        if self._paused_at is None:
            self._paused_at = self._conference.switch.clock.micros

    def resume(self) -> None:
        """Record again."""
        if self._paused_at is not None:
            self._left_out += self._conference.switch.clock.micros - self._paused_at
            self._paused_at = None

    def save(self) -> None:
        """Stop, let the recording be read, and tell where its file is."""
        conference = self._conference
        conference.recordings.remove(self)
        self.resume()
        now = conference.switch.clock.micros
        recorded = Recorded(
            id=self.id, format=self._format, channels="single", started_at=self._started_at, ended_at=now,
            millis=(now - self._started_at - self._left_out) // MICROS_PER_MILLI, conference_id=conference.id,
        )  # fmt: skip
        keep_recording(conference.switch.registry, recorded, conference.owner, now)
        announce(conference, "conference.recording.saved", conference.owner, recorded.payload)
