"""Makes a target's strings harmless to read: a target may send anything, and a report has to show it and survive it."""

from __future__ import annotations

import hashlib
import re

INVISIBLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]")
FORBIDDEN_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
UNSAFE_IN_NAMES = re.compile(r"[^A-Za-z0-9._-]+")
PLAIN_ID = re.compile(r"[A-Za-z0-9_]+([.-][A-Za-z0-9_]+)*(:[A-Za-z0-9_]+([.-][A-Za-z0-9_]+)*)*")
SURROGATE = re.compile("[\ud800-\udfff]")
LONGEST_NAME = 120


def clipped(text: str, limit: int) -> str:
    """Return at most about `limit` characters, saying how many were left out."""
    return text if len(text) <= limit else f"{text[:limit]}… ({len(text) - limit:,} more characters)"


def visible(text: str) -> str:
    """Return `text` with control and direction-changing characters spelled out, such as `⟨U+202E⟩`."""
    return INVISIBLE.sub(_symbol, SURROGATE.sub("\ufffd", text))


def _symbol(match: re.Match[str]) -> str:
    return f"⟨U+{ord(match[0]):04X}⟩"


def xml_safe(text: str) -> str:
    """Return `text` without characters that XML 1.0 cannot carry, spelled out where there are any."""
    return FORBIDDEN_IN_XML.sub("\ufffd", visible(text))


def file_name(requirement: str) -> str:
    """Return a folder name for a requirement id: readable, safe, different for different ids."""
    readable = UNSAFE_IN_NAMES.sub("-", requirement.replace(":", "--")).strip("-.")
    if PLAIN_ID.fullmatch(requirement) and len(readable) <= LONGEST_NAME:
        return readable
    digest = hashlib.sha256(requirement.encode(errors="surrogatepass")).hexdigest()[:8]
    return f"{readable[:LONGEST_NAME].rstrip('-.')}-{digest}"
