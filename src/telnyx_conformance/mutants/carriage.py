"""How an answer travels: headers, codings and connections, as HTTP leaves them open."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING

from msgspec.structs import replace

from telnyx_conformance.emulator.fault import Fault
from telnyx_conformance.mutants.rules import with_length

if TYPE_CHECKING:
    from telnyx_conformance.contract.model import Operation
    from telnyx_conformance.emulator.reply import Reply, Sending

Row = tuple[bytes, bytes]
CONTENT_TYPE, CONTENT_LENGTH = b"content-type", b"content-length"


class Headed(Fault):
    """Adds headers, or writes a media type in another way; `media_type` stands for JSON."""

    def __init__(self, *added: Row, media_type: bytes = b"") -> None:
        super().__init__()
        self._added, self._media_type = added, media_type

    def leaves(self, reply: Reply) -> Reply:
        """Change the headers."""
        is_json = dict(reply.headers).get(CONTENT_TYPE, b"").startswith(b"application/json")
        if not self._added and not is_json:
            return reply
        self.bites()
        kept = [row for row in reply.headers if not (self._media_type and is_json and row[0] == CONTENT_TYPE)]
        new = [(CONTENT_TYPE, self._media_type)] if self._media_type and is_json else []
        return replace(reply, headers=[*kept, *new, *self._added])


class Titled(Fault):
    """Writes the names of headers in title case. A server that spells names itself sends them in its own case."""

    def leaves(self, reply: Reply) -> Reply:
        """Change the names."""
        self.bites()
        return replace(reply, headers=[(name.title(), value) for name, value in reply.headers])


class Zipped(Fault):
    """Compresses bodies: a client that names no coding takes any (RFC 9110, section 12.5.3)."""

    def leaves(self, reply: Reply) -> Reply:
        """Compress the body."""
        if not reply.body:
            return reply
        self.bites()
        body = gzip.compress(reply.body, mtime=0)
        return replace(reply, body=body, headers=[*with_length(reply.headers, body), (b"content-encoding", b"gzip")])


class Unmeasured(Fault):
    """Announces no length, so that the server sends in chunks."""

    def leaves(self, reply: Reply) -> Reply:
        """Leave the length out."""
        if not reply.body:
            return reply
        self.bites()
        return replace(reply, headers=[row for row in reply.headers if row[0] != CONTENT_LENGTH])


class Sent(Fault):
    """Sends answers in another way: of one operation, or of all when none is named."""

    def __init__(self, sending: Sending, operation: Operation | None = None) -> None:
        super().__init__()
        self._sending, self._operation = sending, operation

    def answered(self, operation: Operation, reply: Reply) -> Reply:
        """Send the operation's answers so."""
        return self._so(reply) if self._operation is not None and operation.id == self._operation.id else reply

    def leaves(self, reply: Reply) -> Reply:
        """Send every answer so."""
        return self._so(reply) if self._operation is None else reply

    def _so(self, reply: Reply) -> Reply:
        self.bites()
        return replace(reply, sending=self._sending)
