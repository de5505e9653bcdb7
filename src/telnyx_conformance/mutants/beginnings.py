"""Where an account begins: other ids, another day, things in it that were there before."""

from __future__ import annotations

from binascii import b2a_base64
from datetime import datetime
from typing import TYPE_CHECKING

import msgspec

from telnyx_conformance.emulator.fault import Fault
from telnyx_conformance.emulator.ids import Ids
from telnyx_conformance.emulator.store import Collection, Store
from telnyx_conformance.errors import HarnessError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from telnyx_conformance.contract.model import Operation
    from telnyx_conformance.emulator.account import Account, Ask
    from telnyx_conformance.emulator.fault import Handle
    from telnyx_conformance.emulator.store import Place, Record

REFUSAL = 300
# What an account may hold that somebody else made in it.
THERE_BEFORE = (
    ("/v2/billing_groups", {"name": "There before"}),
    ("/v2/outbound_voice_profiles", {"name": "There before"}),
    ("/v2/call_control_applications", {"application_name": "There before", "webhook_event_url": "https://example.com/h"}),
    ("/v2/ip_connections", {"connection_name": "There before"}),
)  # fmt: skip


class Numbered(Fault):
    """Gives each account another source of ids."""

    def __init__(self, make: Callable[[str], Ids]) -> None:
        super().__init__()
        self._make = make

    def moves_in(self, account: Account) -> None:
        """Exchange the source; every id is another one."""
        self.bites()
        account.ids = self._make(account.key)


class Ascending(Ids):
    """UUIDs of version 7: each is greater than the one before."""

    def __init__(self, seed: int | str) -> None:
        super().__init__(seed)
        self._made = 0

    def uuid(self) -> str:
        """Return a version 7 UUID."""
        self._made += 1
        return f"0198{self._made:04x}-0000-7000-{super().uuid()[19:]}"


class Descending(Ascending):
    """UUIDs of version 4: each is less than the one before."""

    def uuid(self) -> str:
        """Return a version 4 UUID."""
        text = super().uuid()
        return f"{0xFFFFFFFF - self._made:08x}-0000-4000-{text[19:]}"


class Long(Ids):
    """Opaque ids of calls that are twice as long."""

    def call_control_id(self) -> str:
        """Return an opaque call control id."""
        token = b2a_base64(bytes.fromhex(super().uuid().replace("-", "")) * 6, newline=False).decode()
        return "v3:" + token.replace("+", "-").replace("/", "_")


class Short(Ids):
    """Opaque ids of calls that are short."""

    def call_control_id(self) -> str:
        """Return an opaque call control id."""
        return "v3:" + super().uuid().replace("-", "")[:22]


class Plain(Ids):
    """Ids of calls that look like any other id."""

    def call_control_id(self) -> str:
        """Return an opaque call control id."""
        return super().uuid()


class FewDigits(Ids):
    """Numeric ids of ten digits."""

    def digits(self, length: int = 19) -> str:
        """Return a decimal string."""
        return super().digits(min(length, 10))


class Dated(Fault):
    """Lets each account begin on another day."""

    def __init__(self, start: str) -> None:
        super().__init__()
        self._start = datetime.fromisoformat(start).timestamp()

    def moves_in(self, account: Account) -> None:
        """Move its clock there."""
        self.bites()
        account.clock.advance(self._start - account.clock.now)


class OldestFirst(Fault):
    """Lists what was made first before what was made last."""

    def moves_in(self, account: Account) -> None:
        """Exchange the store."""
        self.bites()
        account.store = _Upright()


class _Upright(Store):
    def collection(self, place: Place) -> Collection:
        found = super().collection(place)
        found.__class__ = _UprightCollection
        return found


class _UprightCollection(Collection):
    __slots__ = ()

    def items(self) -> list[tuple[str, Record]]:
        return super().items()[::-1]

    def __iter__(self) -> Iterator[Record]:
        return reversed(list(super().__iter__()))


class Furnished(Fault):
    """Lets each account have some resources before its owner's first request."""

    def furnishes(self, account: Account, handle: Handle) -> None:
        """Create them. Raises `HarnessError` when one is refused."""
        headers = [
            (b"authorization", f"Bearer {account.key}".encode()), (b"content-type", b"application/json"),
        ]  # fmt: skip
        for path, body in THERE_BEFORE if account.key.startswith("KEYTEST") else ():
            reply = handle("POST", path, headers, msgspec.json.encode(body))
            if reply.status >= REFUSAL:
                raise HarnessError("what should be there before is refused", where=path, got=reply.body.decode())
            self.bites()


class Paged(Fault):
    """Gives pages another size where none is asked for and none is documented."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self._size = size

    def asked(self, ask: Ask) -> Ask:
        """Ask for the size."""
        name = _undocumented_size(ask.operation)
        if not name or name in ask.query:
            return ask
        self.bites()
        return msgspec.structs.replace(ask, query={**ask.query, name: self._size})


def _undocumented_size(operation: Operation) -> str:
    """Return the parameter that sizes a list's pages where it documents no default."""
    sizes = (p for p in operation.parameters_in("query") if p.name in {"page[size]", "page_size", "PageSize"})
    return next((p.name for p in sizes if "default" not in p.schema), "")
