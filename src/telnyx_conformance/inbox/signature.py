"""Verification of webhook signatures: Ed25519 over timestamp, a bar and the raw body, fresh within 300 seconds."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, Literal

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from telnyx_conformance.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

SIGNATURE_HEADER = "telnyx-signature-ed25519"
TIMESTAMP_HEADER = "telnyx-timestamp"
TOLERANCE_SECONDS = 300
KEY_BYTES = 32
TIMESTAMP_DIGITS = 15  # more than Unix seconds will need; int() of endless digits would cost time

Verdict = Literal["valid", "invalid", "missing", "stale"]


class Verifier:
    """Judges signatures by one public key, the base64 text of its 32 raw bytes, as the portal shows it."""

    def __init__(self, public_key: str) -> None:
        raw = _from_base64(public_key)
        if raw is None or len(raw) != KEY_BYTES:
            raise UsageError(
                "not an Ed25519 public key",
                expected=f"base64 of {KEY_BYTES} bytes",
                got=f"{len(public_key)} characters" if raw is None else f"{len(raw)} bytes",
                advice="copy the public key from the portal, Keys & Credentials",
            )
        self._key = Ed25519PublicKey.from_public_bytes(raw)

    def verdict(self, headers: Mapping[str, str], raw: bytes, now: float) -> Verdict:
        """Judge the signature of `raw`. Header names are lower case; `now` is Unix seconds.

        Missing: one of the two headers is absent. Stale: rightly signed, but more than 300 s ago or ahead.
        """
        if not headers.get(SIGNATURE_HEADER) or not headers.get(TIMESTAMP_HEADER):
            return "missing"
        timestamp, signature = headers[TIMESTAMP_HEADER], _from_base64(headers[SIGNATURE_HEADER])
        if signature is None or not _is_seconds(timestamp):
            return "invalid"
        try:
            self._key.verify(signature, timestamp.encode() + b"|" + raw)
        except InvalidSignature:
            return "invalid"
        return "stale" if abs(now - int(timestamp)) > TOLERANCE_SECONDS else "valid"


def _is_seconds(text: str) -> bool:
    return len(text) <= TIMESTAMP_DIGITS and text.isascii() and text.isdigit()


def _from_base64(text: str) -> bytes | None:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
