"""Whose request is it? The bearer token names the account; without a good one there is no account."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

# Keys that every emulator accepts, so that each test may have an account, and so a universe, of its own.
TEST_KEY = re.compile(r"KEYTEST[A-Za-z0-9_-]{0,120}\Z")
WELL_FORMED = re.compile(r"[A-Za-z0-9._~+/=-]{4,512}\Z")
# Signature version 4 of object storage: the key stands in the credential's first part; the signature is not verified.
SIGNATURE = re.compile(r"AWS4-HMAC-SHA256 Credential=([^/,\s]{1,200})/")
PUBLIC = "public"
MOST_REMEMBERED = 4096


class Unauthenticated(Exception):  # noqa: N818 - a fact about the request
    """No usable credentials; `situation` is one of `no_credentials`, `malformed_key`, `unknown_key`."""

    def __init__(self, situation: str, detail: str) -> None:
        super().__init__(situation)
        self.situation, self.detail = situation, detail


class Credentials:
    """The keys that are accepted, and a memory of header values that were good."""

    def __init__(self, keys: Iterable[str] = ()) -> None:
        self._keys = frozenset(keys)
        self._good: dict[bytes, str] = {}

    def key_of(self, header: bytes | None) -> str:
        """Return the key that an Authorization header carries. Raises `Unauthenticated`."""
        if header is None:
            raise Unauthenticated("no_credentials", "The request carries no Authorization header.")
        known = self._good.get(header)
        if known is None:
            known = self._checked(header.decode("latin-1").strip())
            if len(self._good) >= MOST_REMEMBERED:
                self._good.clear()
            self._good[header] = known
        return known

    def _checked(self, text: str) -> str:
        if not text:
            raise Unauthenticated("no_credentials", "The Authorization header is empty.")
        signed = SIGNATURE.match(text)
        scheme, _, token = text.partition(" ")
        key = signed.group(1) if signed else token.strip()
        if not signed and (scheme.lower() != "bearer" or not WELL_FORMED.match(key)):
            raise Unauthenticated("malformed_key", "The Authorization header is not 'Bearer' and a key.")
        if key not in self._keys and not TEST_KEY.match(key):
            raise Unauthenticated("unknown_key", f"No key {key[:12]}… with the provided secret is known here.")
        return key
