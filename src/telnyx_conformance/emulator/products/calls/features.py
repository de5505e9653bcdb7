"""All features of calls, in the order in which they begin what was asked for with a call."""

from __future__ import annotations

from typing import TYPE_CHECKING

from telnyx_conformance.emulator.products.calls.assistants import Assistants
from telnyx_conformance.emulator.products.calls.bridging import Bridging
from telnyx_conformance.emulator.products.calls.forking import Forking
from telnyx_conformance.emulator.products.calls.gathering import Gathering
from telnyx_conformance.emulator.products.calls.playing import Playing
from telnyx_conformance.emulator.products.calls.queues import Queues
from telnyx_conformance.emulator.products.calls.recording import RecordingCommands
from telnyx_conformance.emulator.products.calls.signalling import Signalling
from telnyx_conformance.emulator.products.calls.siprec import Siprec
from telnyx_conformance.emulator.products.calls.streaming import Streaming
from telnyx_conformance.emulator.products.calls.suppressing import Suppressing
from telnyx_conformance.emulator.products.calls.transcribing import Transcribing
from telnyx_conformance.emulator.products.conferences.commands import Conferences

if TYPE_CHECKING:
    from collections.abc import Callable

    from telnyx_conformance.emulator.products.calls.activity import Feature
    from telnyx_conformance.emulator.products.calls.switch import Switch

FEATURES: tuple[Callable[[Switch], Feature], ...] = (
    Queues,
    Bridging,
    Conferences,
    Playing,
    Gathering,
    Signalling,
    RecordingCommands,
    Transcribing,
    Streaming,
    Forking,
    Siprec,
    Suppressing,
    Assistants,
)
