"""Removing secrets: a key is found in whatever form a target may echo it, before anything else reads the answer."""

from __future__ import annotations

import base64
import html
import json
import re
from typing import TYPE_CHECKING
from urllib.parse import quote, quote_plus

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

REDACTED = "[redacted]"
BASE64_BLOCK = 3


class Redactor:
    """Replaces every secret, and each of its usual encodings, by `[redacted]`, in whatever case it stands."""

    def __init__(self, secrets: Iterable[str]) -> None:
        forms = {form.lower() for secret in secrets if secret for form in _forms(secret)}
        self._forms = tuple(sorted(forms, key=len, reverse=True))
        self._pattern = re.compile(b"|".join(map(re.escape, self._forms)), re.IGNORECASE)

    def __call__(self, data: bytes) -> bytes:
        """Return the bytes without any secret."""
        lowered = data.lower()
        if not any(form in lowered for form in self._forms):
            return data
        return self._pattern.sub(REDACTED.encode(), data)

    def text(self, text: str) -> str:
        """Return the text without any secret."""
        return self(text.encode(errors="surrogatepass")).decode(errors="surrogatepass")


def _forms(secret: str) -> Iterator[bytes]:
    raw = secret.encode()
    in_json = json.dumps(secret)[1:-1]
    texts = (in_json, in_json.replace("/", "\\/"), json.dumps(in_json)[1:-1], html.escape(secret), quote(secret, safe=""),
             quote_plus(secret), "".join(f"%{byte:02x}" for byte in raw),
             "".join(f"\\u{ord(letter):04x}" for letter in secret), raw.hex())  # fmt: skip
    yield raw
    yield from (text.encode() for text in texts)
    for before in range(BASE64_BLOCK):
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            yield _inside(encode(bytes(before) + raw), before, len(raw))


def _inside(encoded: bytes, before: int, length: int) -> bytes:
    """Return the digits of a base64 text that the secret alone decides, whatever stands before and after it."""
    first = -(-before * 8 // 6)
    last = (before + length) * 8 // 6
    return encoded[first:last]
