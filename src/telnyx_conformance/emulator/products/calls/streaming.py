"""Streaming: the media of a leg goes to a WebSocket, which the emulator really connects to; what comes back is played."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

from telnyx_conformance.emulator.clock import MICROS
from telnyx_conformance.emulator.products.calls.activity import Activity, Command, Feature, going_on, refusal
from telnyx_conformance.emulator.products.calls.media_frames import SAMPLE_RATE, interval
from telnyx_conformance.emulator.products.calls.stream_messages import Script, said

if TYPE_CHECKING:
    from collections.abc import Mapping

    from telnyx_conformance.emulator.lines import Line
    from telnyx_conformance.emulator.products.calls.activity import Body
    from telnyx_conformance.emulator.products.calls.legs import Leg
    from telnyx_conformance.emulator.products.calls.switch import Switch

TRACKS = {"inbound_track": ("inbound",), "outbound_track": ("outbound",), "both_tracks": ("inbound", "outbound")}
MP3_SECONDS = 1.0  # how long a file plays cannot be told without decoding it; one a second may be sent
MOST_MARKS = 1_000


class Stream(Activity):
    """The stream of one leg, and the listener of its line."""

    name = "stream"

    def __init__(self, switch: Switch, leg: Leg, body: Body, user_id: str) -> None:
        super().__init__(switch, leg)
        self.id = switch.ids.uuid()
        self.digit = self.text = ""  # facts of the triggers `digit` and `message`
        self._url: str = body.get("stream_url", "")
        self._track: str = body.get("stream_track", "inbound_track")
        self._plays_files = body.get("stream_bidirectional_mode", "mp3") == "mp3"
        self._is_dialogflow = bool(body.get("enable_dialogflow")) and not self._url
        codec = body.get("stream_codec", "default")
        self._script = Script(leg, self.id, user_id, "PCMU" if codec == "default" else codec)
        self._line: Line | None = None
        self._marks: deque[tuple[int, str]] = deque(maxlen=MOST_MARKS)
        self._playing_until = 0
        self._file_at = -MICROS

    def payload(self, event_type: str) -> Mapping[str, Any]:
        """Return where the media went, or was to go."""
        if event_type != "streaming.failed":
            return {"stream_id": self.id, "stream_url": self._url}
        return {
            "stream_id": self.id,
            "failure_reason": "connection_failed",
            "stream_params": {"stream_url": self._url, "track": self._track},
            "stream_type": "dialogflow" if self._is_dialogflow else "websocket",
        }

    # What the line tells

    def connected(self) -> None:
        """Hear that the application listens."""
        self.happen("connected")

    def refused(self, why: str) -> None:  # noqa: ARG002 - the event has one reason for all of them
        """Hear that nobody listens."""
        self.happen("refused")

    def heard(self, text: str) -> None:
        """Hear what the application says."""
        self.happen("message", text=text)

    def closed(self) -> None:
        """Hear that the application has left."""
        self.happen("far_closed")

    # What the table says

    def do_connect(self) -> None:
        """Connect, which is decided later unless it is out of the question."""
        self._line = self.switch.lines.connect(self._url, self)

    def do_open(self) -> None:
        """Say what comes, then the first frames."""
        self._say(self._script.connected())
        self._say(self._script.start())
        self.do_send_frames()

    def do_send_frames(self) -> None:
        """Send a frame of each track, and more as time passes."""
        for track in TRACKS[self._track]:
            self._say(self._script.media(track))
        self.later(interval(self.switch.clock.mode), "frame_due", guard=True)

    def do_send_digit(self) -> None:
        """Tell that the far end pressed a key."""
        self._say(self._script.dtmf(self.digit, self.switch.clock.micros))

    def do_listen(self) -> None:
        """Do what the application asks for: play, tell when all was played, or play no more."""
        message = said(self.text)
        now = self.switch.clock.micros
        if message.error:
            self._say(self._script.error(message.error))
        elif message.kind == "media" and self._plays_files and now - self._file_at < MICROS:
            self._say(self._script.error("rate_limit_reached"))
        elif message.kind == "media":
            self._file_at = now
            seconds = MP3_SECONDS if self._plays_files else message.size / SAMPLE_RATE
            self._playing_until = max(now, self._playing_until) + round(seconds * MICROS)
        elif message.kind == "mark":
            self._marks.append((self._playing_until, message.name))
            self.do_return_marks()
        else:
            self._playing_until = now
            self._marks = deque(((now, name) for _, name in self._marks), maxlen=MOST_MARKS)
            self.do_return_marks()

    def do_return_marks(self) -> None:
        """Give back the marks up to which all was played, and come again for the next."""
        now = self.switch.clock.micros
        while self._marks and self._marks[0][0] <= now:
            self._say(self._script.mark(self._marks.popleft()[1]))
        if self._marks:
            self.later((self._marks[0][0] - now) / MICROS, "played_out")

    def do_say_goodbye(self) -> None:
        """Say that nothing follows."""
        self._say(self._script.stop())

    def do_hang_up(self) -> None:
        """Close the connection, or stop making it."""
        if self._line is not None:
            self._line.close()

    def _say(self, message: str) -> None:
        if self._line is not None:
            self._line.send(message)


class Streaming(Feature):
    """The commands that stream a leg, once, and not while it is forked."""

    def __init__(self, switch: Switch) -> None:
        super().__init__(switch)
        self._user_id = ""
        self.commands = {
            "StartCallStreaming": Command(self._start, self._may_start),
            "StopCallStreaming": Command(self._stop, self._may_stop),
        }

    def begin(self, leg: Leg, body: Body) -> None:
        """Stream from the answer, unless the leg is streamed already."""
        if body.get("stream_url") and not going_on(leg, "stream", "fork"):
            self._stream(leg, body, "stream_from_answer")

    @staticmethod
    def _may_start(leg: Leg, _: Body) -> None:
        if going_on(leg, "stream", "fork"):
            raise refusal("stream", "streaming", "StartCallStreaming")

    def _start(self, leg: Leg, body: Body) -> None:
        self._stream(leg, body, "StartCallStreaming")

    def _stream(self, leg: Leg, body: Body, trigger: str) -> None:
        self._user_id = self._user_id or self.switch.ids.uuid()
        Stream(self.switch, leg, body, self._user_id).happen(trigger)

    @staticmethod
    def _may_stop(leg: Leg, _: Body) -> None:
        if not going_on(leg, "stream"):
            raise refusal("stream", "new", "StopCallStreaming")

    def _stop(self, leg: Leg, body: Body) -> None:
        for stream in [one for one in leg.activities or () if isinstance(one, Stream)]:
            if body.get("stream_id") in (None, stream.id):
                stream.happen("StopCallStreaming")
