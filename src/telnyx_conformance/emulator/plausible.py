"""Values that look like what their field is called, for fields of which nothing is known but name and schema.

Everything is fictional: numbers of the range kept for fiction, hosts and addresses kept for documentation. The same
field of the same record always gets the same value; records differ by their `ordinal`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from email.utils import formatdate
from hashlib import md5
from typing import Any

import msgspec

from telnyx_conformance.emulator.ids import Ids


class Making(msgspec.Struct, frozen=True):
    """What makers need to know of the moment: ids, the time in Unix seconds and as text, and which record it is.

    `ordinal` counts records from 1; 0 stands for what is no record.
    """

    ids: Ids
    now: float
    stamp: str
    ordinal: int = 0


Proposal = Callable[[Making, str, Any], tuple[Any, ...]]
HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
LETTERED_ID = re.compile(r"([A-Za-z]{1,4}_?)([0-9a-f]{8,})")


def snake(name: str) -> str:
    """Return a field's name in lower case with underscores."""
    return HUMP.sub("_", name).lower().replace("-", "_").replace(" ", "_")


def proposals(name: str, example: Any) -> Proposal | None:
    """Return what proposes values for a field called `name`, best first, or `None` when the name tells nothing.

    `example` is the schema's own, `None` without one.
    """
    spelt = snake(name)
    for pattern, proposal in KINDS:
        if pattern.search(spelt):
            return proposal
    return _text if example is None and spelt else None


def _moment(making: Making, _: str, __: Any) -> tuple[Any, ...]:
    return (making.stamp, making.stamp[:10], formatdate(making.now), making.stamp[11:19])


def _phone(making: Making, _: str, __: Any) -> tuple[Any, ...]:
    number = f"1202555{100 + making.ordinal % 100:04d}"
    return ("+" + number, number)


def _email(making: Making, _: str, __: Any) -> tuple[Any, ...]:
    return (f"user{making.ordinal or ''}@example.com",)


def _address(making: Making, name: str, __: Any) -> tuple[Any, ...]:
    return (f"https://example.com/{name}{f'/{making.ordinal}' if making.ordinal else ''}", "example.com")


def _identifier(making: Making, name: str, example: Any) -> tuple[Any, ...]:
    if example is not None and not making.ordinal:
        return (example,)
    if isinstance(example, int):
        return (example + making.ordinal,)
    digest = md5(f"{name}:{making.ordinal}".encode(), usedforsecurity=False).hexdigest()
    uuid = f"{digest[:8]}-{digest[8:12]}-4{digest[13:16]}-a{digest[17:20]}-{digest[20:]}"
    digits = str(10**18 + int(digest, 16) % (9 * 10**18))
    if isinstance(example, str):
        return (_alike(example, uuid, digits, making.ordinal), example)
    return (digits, uuid) if name.endswith("connection_id") else (uuid, digits)


def _alike(example: str, uuid: str, digits: str, ordinal: int) -> str:
    """Return an id of the form of `example`."""
    if UUID.fullmatch(example):
        return uuid
    if example.isdigit():
        return digits[: len(example)]
    lettered = LETTERED_ID.fullmatch(example)
    return lettered[1] + (uuid.replace("-", "") * 2)[: len(lettered[2])] if lettered else f"{example}-{ordinal}"


def _name(making: Making, name: str, example: Any) -> tuple[Any, ...]:
    if isinstance(example, str):
        return (f"{example} {making.ordinal}", example) if making.ordinal > 1 else (example,)
    words = name.replace("_", " ")
    return (f"Sample {words} {making.ordinal}" if making.ordinal else f"Sample {words}",)


def _text(_: Making, name: str, __: Any) -> tuple[Any, ...]:
    words = name.replace("_", " ")
    return (f"Sample {words}", words)


def _fixed(*values: Any) -> Proposal:
    def propose(_: Making, __: str, example: Any) -> tuple[Any, ...]:
        return values if example is None else (example, *values)

    return propose


def _network(making: Making, _: str, __: Any) -> tuple[Any, ...]:
    return (f"192.0.2.{making.ordinal % 250 + 1}", "192.0.2.0/24", "2001:db8::1")


KINDS: tuple[tuple[re.Pattern[str], Proposal], ...] = tuple(
    (re.compile(pattern), proposal)
    for pattern, proposal in (
        (r"\A(after|before|next|previous)\Z", _fixed("")),
        (r"duration|timeout|_time_(ms|secs)", _fixed("30")),
        (r"time_limit|time_frame|time_zone|timezone|date_range|locality_limit", _text),
        (r"_(at|time|timestamp|date|dt)\Z|\A(time|timestamp|date)\Z|\Adate_|_date_", _moment),
        (r"email", _email),
        (r"(\A|_)(url|uri|website|link|href|webhook)s?\Z", _address),
        (r"(\A|_)ip(s|_address|_addresses)?\Z|cidr", _network),
        (r"(\A|_)(id|ids|sid|uuid|guid|ein|imsi_id)\Z|_(id|sid)_", _identifier),
        (r"(\A|_)(phone|tele?phone|msisdn|cli|cld|fax)(_numbers?)?\Z|(\A|_)(from|to|tn|forwards_to)\Z", _phone),
        (r"(caller|called|calling|destination|originating|translated|source|dialed|contact)_numbers?\Z", _phone),
        (r"(\A|_)(mp3|wav)\Z", _address),
        (r"(\A|_)(locality|city)\Z", _fixed("Springfield")),
        (r"(\A|_)(administrative_area|state|state_code)\Z", _fixed("active", "IL")),
        (r"(postal|zip)", _fixed("62701")),
        (r"street|full_address", _fixed("1 Sample Street")),
        (r"country|alpha2|localization", _fixed("US", "USA", "United States")),
        (r"currency", _fixed("USD")),
        (r"language|locale", _fixed("en", "en-US")),
        (r"(cost|price|rate|fee|amount|balance|limit)\Z", _fixed("1.00", "1")),
        (r"(\A|_)code\Z|_codes\Z", _fixed("10001")),
        (r"(\A|_)status\Z", _fixed("active")),
        (r"(\A|_)encoding\Z", _fixed("GSM-7", "utf-8")),
        (r"content_type|mime", _fixed("application/json")),
        (r"(\A|_)names?\Z", _name),
    )
)
