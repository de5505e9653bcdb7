"""The conferences of one account: those that are on by name, all by id, the ended ones for as long as there is room."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from telnyx_conformance.emulator.products.conferences.conference import Conference

MOST_CONFERENCES = 1000


class ConferenceBook:
    """Conferences by id and name. Beyond the bound the oldest that has ended is forgotten."""

    def __init__(self, limit: int = MOST_CONFERENCES) -> None:
        self._by_id: dict[str, Conference] = {}
        self._limit = limit

    def add(self, conference: Conference) -> None:
        """Keep a new conference."""
        if len(self._by_id) >= self._limit:
            ended = next((id_ for id_, other in self._by_id.items() if other.is_over), None)
            if ended is not None:
                del self._by_id[ended]
        self._by_id[conference.id] = conference

    def get(self, id_: str) -> Conference | None:
        """Return the conference of that id."""
        return self._by_id.get(id_)

    def find(self, key: str) -> Conference | None:
        """Return the conference of that id, else the latest of that name."""
        return self._by_id.get(key) or next((one for one in reversed(self._by_id.values()) if one.title == key), None)

    def active(self, name: str) -> Conference | None:
        """Return the conference of that name that is on: there is one at most, and it is the latest."""
        found = self.find(name)
        return found if found is not None and not found.is_over else None

    def soonest_last(self) -> list[Conference]:
        """Return all conferences, the one that expires last first, and the newest first where they expire together."""
        newest_first = list(reversed(self._by_id.values()))
        return sorted(newest_first, key=lambda one: -one.expires_at)
