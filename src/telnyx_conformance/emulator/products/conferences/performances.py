"""What is played or said to a conference: to everybody, or to one participant at a time.

One thing is heard at a time: what begins ends what was heard before by the same audience.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from telnyx_conformance.emulator.products.conferences.events import announce

if TYPE_CHECKING:
    from collections.abc import Mapping

    from telnyx_conformance.emulator.products.conferences.conference import Conference
    from telnyx_conformance.emulator.products.conferences.participants import Participant

Kind = Literal["playback", "speak"]


class Performance:
    """Something that is heard for `seconds`, or till it is stopped; by `participant`, or without one by everybody.

    `fields` go into its events. Participants who were spared it are remembered: they hear nothing that could be stopped.
    """

    def __init__(
        self,
        conference: Conference,
        participant: Participant | None,
        kind: Kind,
        fields: Mapping[str, Any],
        seconds: float | None,
    ) -> None:
        self._conference, self._participant, self.kind = conference, participant, kind
        self._fields = {"creator_call_session_id": conference.owner.session_id, **fields}
        self.spared: set[Participant] = set()
        self._place = participant or conference
        if self._place.performance is not None:
            self._place.performance.end()
        self._place.performance = self
        self._timer = None if seconds is None else conference.switch.clock.at(seconds, self.end)
        self._tell("started")

    def end(self) -> None:
        """Be over, and say so."""
        if self._timer is not None:
            self._timer.cancel()
        self._place.performance = None
        self._tell("ended")

    def spare(self, participant: Participant) -> None:
        """Stop what everybody hears for one of them; it is over when nobody hears it any more."""
        if participant not in self.spared:
            self.spared.add(participant)
            event_type = f"conference.participant.{self.kind}.ended"
            announce(self._conference, event_type, participant.leg, self._fields)
            if self.spared >= set(self._conference.members):
                self.end()

    def _tell(self, what: str) -> None:
        who = "conference" if self._participant is None else "conference.participant"
        leg = None if self._participant is None else self._participant.leg
        announce(self._conference, f"{who}.{self.kind}.{what}", leg, self._fields)
