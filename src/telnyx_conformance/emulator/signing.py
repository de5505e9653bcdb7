"""The signature of webhooks: Ed25519 over timestamp, a bar and the raw body; in API v1 an HMAC over the raw body."""

from __future__ import annotations

import base64
import hashlib
import hmac

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

# The test key is derived from this phrase, so that a receiver may be given the public key before anything runs. It
# protects nothing: whoever reads this can sign.
TEST_KEY_PHRASE = "telnyx-conformance: the emulator's webhook key"


class Signer:
    """Signs webhooks with one key; the built-in test key unless 32 bytes of another are given."""

    def __init__(self, seed: bytes | None = None) -> None:
        self._key = Ed25519PrivateKey.from_private_bytes(seed or hashlib.sha256(TEST_KEY_PHRASE.encode()).digest())
        raw = self._key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        self.public_key: str = base64.b64encode(raw).decode()

    def headers(self, timestamp: int, body: bytes) -> dict[str, str]:
        """Return the two headers that prove `body` at `timestamp` (Unix seconds, by the wall)."""
        stamp = str(timestamp)
        signature = self._key.sign(stamp.encode() + b"|" + body)
        return {"telnyx-signature-ed25519": base64.b64encode(signature).decode(), "telnyx-timestamp": stamp}

    def legacy_headers(self, secret: str, body: bytes) -> dict[str, str]:
        """Return the header of API v1: HMAC-SHA256 over the raw body, in hexadecimal (docs/decisions/0007-api-v1-signature.md)."""
        return {"x-telnyx-signature": hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()}
