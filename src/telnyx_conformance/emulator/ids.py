"""Identifiers in the forms the API uses, from one seeded source, so that a run can be repeated."""

from __future__ import annotations

import base64
import random
import uuid


class Ids:
    """A source of identifiers; equal seeds give equal sequences."""

    def __init__(self, seed: int | str) -> None:
        self._random = random.Random(seed)  # noqa: S311 - identifiers, not secrets; repeatable on purpose

    def uuid(self) -> str:
        """Return a version 4 UUID."""
        return str(uuid.UUID(int=self._random.getrandbits(128), version=4))

    def digits(self, length: int = 19) -> str:
        """Return a decimal string without a leading zero, as connection ids are."""
        return str(self._random.randrange(10 ** (length - 1), 10**length))

    def call_control_id(self) -> str:
        """Return an opaque call control id, `v3:` and base64url."""
        token = base64.urlsafe_b64encode(self._random.getrandbits(384).to_bytes(48, "big"))
        return "v3:" + token.decode()
