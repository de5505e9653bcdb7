"""A response of the emulated API as a value."""

from __future__ import annotations

from typing import Literal

import msgspec

JSON_HEADER = (b"content-type", b"application/json; charset=utf-8")
Sending = Literal["whole", "slow", "in-pieces", "cut", "never"]


class Reply(msgspec.Struct, frozen=True):
    """A response as it goes out.

    `sending` is how the server sends it: anything but `whole` is asked for by a planted fault. `slow` comes late,
    `in-pieces` byte by byte, `cut` breaks off half-way, `never` keeps the connection open and silent.
    """

    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes
    sending: Sending = "whole"


def json_reply(status: int, body: bytes) -> Reply:
    """Return a JSON response."""
    return Reply(status, [JSON_HEADER, (b"content-length", b"%d" % len(body))], body)
