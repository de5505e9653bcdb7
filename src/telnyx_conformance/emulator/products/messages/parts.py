"""How a text travels: as GSM-7 or UTF-16, in one part or in several shorter ones."""

from __future__ import annotations

import math

# The default alphabet of GSM 03.38, and its extension, whose characters take two places.
BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ ÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡"
    "ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
EXTENSION = frozenset("\f^{}\\[~]|€")
# Places in a text that is sent alone, and in each part of one that is not.
PLACES = {"GSM-7": (160, 153), "UTF-16": (70, 67)}
MOST_PARTS = 10


def encoded(text: str) -> tuple[str, int]:
    """Return the encoding that `text` needs, and how many parts it makes (at least one)."""
    if all(character in BASIC or character in EXTENSION for character in text):
        encoding, length = "GSM-7", len(text) + sum(character in EXTENSION for character in text)
    else:
        encoding, length = "UTF-16", len(text.encode("utf-16-le", "surrogatepass")) // 2
    alone, together = PLACES[encoding]
    return encoding, 1 if length <= alone else math.ceil(length / together)
