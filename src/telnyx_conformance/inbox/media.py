"""Audio for commands that ask for a URL of it: a second of a quiet tone, made here and small enough to be fetched at once."""

from __future__ import annotations

import io
import math
import struct
import wave
from functools import cache

RATE = 8_000  # telephone audio: 8 kHz, 16 bits, mono
HERTZ = 440
LOUDNESS = 2_000


@cache
def tone(seconds: float = 1.0) -> bytes:
    """Return a WAV file that sounds for so long."""
    samples = (round(LOUDNESS * math.sin(2 * math.pi * HERTZ * n / RATE)) for n in range(int(RATE * seconds)))
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(RATE)
        out.writeframes(b"".join(struct.pack("<h", sample) for sample in samples))
    return file.getvalue()
