"""The media of a leg as bytes: 20 ms of silence in the codecs of the telephone, bare or as RTP."""

from __future__ import annotations

import struct

FRAME_MILLIS = 20
SAMPLES = 160  # 20 ms at 8 kHz, one byte each
SAMPLE_RATE = 8_000
SILENCE = {"PCMU": b"\xff" * SAMPLES, "PCMA": b"\xd5" * SAMPLES}
PAYLOAD_TYPES = {"PCMU": 0, "PCMA": 8}  # RFC 3551, section 6
VERSION = 0x80  # RFC 3550, section 5.1: version 2, no padding, extension or contributors
# Real media are a frame each 20 ms. Virtual time is let pass by the hour: one frame then stands for a second of it.
REAL_SECONDS, VIRTUAL_SECONDS = FRAME_MILLIS / 1000, 1.0


def interval(mode: str) -> float:
    """Return the seconds from one frame to the next on a clock of that mode."""
    return REAL_SECONDS if mode == "real" else VIRTUAL_SECONDS


def rtp_packet(number: int, source: int, codec: str = "PCMU") -> bytes:
    """Return the packet of that number, from 0, of the synchronisation source `source`."""
    header = struct.pack(
        ">BBHII", VERSION, PAYLOAD_TYPES[codec], number & 0xFFFF, number * SAMPLES & 0xFFFFFFFF, source
    )
    return header + SILENCE[codec]
