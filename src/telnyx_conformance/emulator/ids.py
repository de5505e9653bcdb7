"""Identifiers in the forms the API uses, from one seeded source, so that a run can be repeated.

They are made for every leg and every event, so they are put together by hand: a `uuid.UUID` object costs four times
as much.
"""

from __future__ import annotations

import random
from binascii import b2a_base64


class Ids:
    """A source of identifiers; equal seeds give equal sequences."""

    def __init__(self, seed: int | str) -> None:
        self._random = random.Random(seed)  # noqa: S311 - identifiers, not secrets; repeatable on purpose
        self._bits = self._random.getrandbits

    def uuid(self) -> str:
        """Return a version 4 UUID."""
        bits = self._bits(128)
        text = f"{bits:032x}"
        variant = "89ab"[bits & 3]
        return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-{variant}{text[17:20]}-{text[20:]}"

    def digits(self, length: int = 19) -> str:
        """Return a decimal string without a leading zero, as connection ids are."""
        return str(self._random.randrange(10 ** (length - 1), 10**length))

    def call_control_id(self) -> str:
        """Return an opaque call control id, `v3:` and base64url."""
        token = b2a_base64(self._random.randbytes(48), newline=False).decode()
        return "v3:" + token.replace("+", "-").replace("/", "_")
