"""The one registry of string formats.

What each means, how it is checked, values that have it and values that nearly do.

The document spells formats in many ways (`+E.164`, `e164`, `phone`); each spelling leads to one canonical format.
Formats of JSON Schema 2020-12 (section 7.3) are checked as it says; the document's own names are checked leniently,
because nothing defines them.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

import msgspec


class Format(msgspec.Struct, frozen=True, kw_only=True):
    """A canonical format. `near_misses` is empty where any string will do.

    `standard` tells whether JSON Schema defines it.
    """

    name: str
    accepts: Callable[[str], bool]
    examples: tuple[str, ...]
    near_misses: tuple[str, ...] = ()
    spellings: tuple[str, ...] = ()
    standard: bool = False


def _matcher(pattern: str, flags: int = 0) -> Callable[[str], bool]:
    compiled = re.compile(rf"(?:{pattern})\Z", flags | re.ASCII)
    return lambda text: compiled.match(text) is not None


_TIME = r"([01]\d|2[0-3]):[0-5]\d:([0-5]\d|60)(\.\d{1,9})?"
_RFC3339 = _matcher(rf"\d{{4}}-\d\d-\d\d[Tt]{_TIME}([Zz]|[+-]([01]\d|2[0-3]):[0-5]\d)")
_LOOSE_TIME = _matcher(
    r"\d{4}-\d\d-\d\d([Tt ]([01]\d|2[0-3]):[0-5]\d(:([0-5]\d|60)([.,]\d{1,9})?)? ?([Zz]|UTC|[+-]\d\d:?(\d\d)?)?)?"
)
_DAY = _matcher(r"\d{4}-\d\d-\d\d")
_BASE64 = _matcher(r"([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?")
_E164 = r"\+[1-9]\d{6,14}"
_SIP = r"sips?:[^\s@:]+(:[^\s@]*)?(@[^\s@/]+)?"


def _is_day(text: str) -> bool:
    if not _DAY(text[:10]):
        return False
    try:
        date.fromisoformat(text[:10])
    except ValueError:
        return False
    return True


def _is_base64(text: str) -> bool:
    if not _BASE64(text):
        return False
    try:
        base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return False
    return True


def _is_expression(text: str) -> bool:
    try:
        re.compile(text)
    except re.error:
        return False
    return True


def _anything(_: str) -> bool:
    return True


_OCTET = r"(25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)"
_IPV4 = _matcher(rf"{_OCTET}(\.{_OCTET}){{3}}")
_IPV6 = _matcher(r"(?=.*:)([0-9A-Fa-f]{0,4}:){2,7}[0-9A-Fa-f]{0,4}")
_HOST = r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9_~%-]+(\.[A-Za-z0-9_~%-]+)*\.?)"
_REST = r"(:\d{1,5})?([/?#][^\s<>\"{}|\\^`]*)?"
_URL = _matcher(rf"(https?|wss?|ftp|s3|gs)://([^\s@/]+@)?{_HOST}{_REST}", re.IGNORECASE)

ALL: tuple[Format, ...] = (
    Format(
        name="uuid",
        accepts=_matcher(r"[0-9A-Fa-f]{8}-([0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}"),
        examples=("6a09cdc3-8948-47f0-aa62-74ac943d6c58", "3FA85F64-5717-4562-B3FC-2C963F66AFA6"),
        near_misses=("6a09cdc3-8948-47f0-aa62-74ac943d6c5", "not-a-uuid"),
        spellings=("UUID",),
        standard=True,
    ),
    Format(
        name="date-time",
        accepts=lambda text: _RFC3339(text) and _is_day(text),
        examples=("2026-01-31T12:00:00Z", "2026-01-31T12:00:00.250+05:30"),
        near_misses=("2026-01-31 12 o'clock", "2026-13-31T12:00:00Z"),
        standard=True,
    ),
    Format(
        name="iso-8601",
        accepts=lambda text: _LOOSE_TIME(text) and _is_day(text),
        examples=("2026-01-31T12:00:00Z", "2026-01-31T12:00:00.250Z"),
        near_misses=("2026-01-31 12 o'clock", "yesterday"),
        spellings=("datetime", "datetime-iso8601", "date_time", "dateTime", "timestamp"),
    ),
    Format(
        name="datetime-rfc2822",
        accepts=_matcher(rf"([A-Z][a-z]{{2}}, ?)?\d{{1,2}} [A-Z][a-z]{{2}} \d{{4}} {_TIME} ([+-]\d{{4}}|GMT|UTC)"),
        examples=("Sat, 31 Jan 2026 12:00:00 +0000",),
        near_misses=("2026-01-31T12:00:00Z",),
        spellings=("rfc2822",),
    ),
    Format(
        name="date",
        accepts=lambda text: _DAY(text) and _is_day(text),
        examples=("2026-01-31", "2028-02-29"),
        near_misses=("2026-02-30", "31/01/2026"),
        standard=True,
    ),
    Format(
        name="email",
        accepts=_matcher(r"[^\s@]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*"),
        examples=("someone@example.com", "first.last+tag@mail.example.org"),
        near_misses=("someone.example.com", "someone@"),
        standard=True,
    ),
    Format(
        name="uri",
        accepts=_matcher(r"[A-Za-z][A-Za-z0-9+.-]*:[^\s<>\"{}|\\^`]+"),
        examples=("https://example.com/path?query=1", "https://example.org/"),
        near_misses=("not a uri", "example.com/path"),
        standard=True,
    ),
    Format(
        name="url",
        accepts=_URL,
        examples=("https://example.com/path?query=1", "http://example.org/"),
        near_misses=("example.com/path", "https://"),
        spellings=("URL", "http-url"),
    ),
    Format(
        name="url-or-empty",
        accepts=lambda text: not text or _URL(text),
        examples=("https://example.com/path?query=1", ""),
        near_misses=("example.com/path", "https://"),
    ),
    Format(
        name="wss-url",
        accepts=_matcher(rf"wss?://{_HOST}{_REST}", re.IGNORECASE),
        examples=("wss://example.com/media", "ws://example.org/"),
        near_misses=("https://example.com/media", "wss://"),
        spellings=("ws-url", "websocket-url"),
    ),
    Format(
        name="hostname",
        accepts=_matcher(
            r"(?=.{1,253}\Z)[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*"
        ),
        examples=("sip.example.com", "localhost"),
        near_misses=("-example-.com", "two words"),
        standard=True,
    ),
    Format(
        name="ipv4",
        accepts=_IPV4,
        examples=("192.0.2.1", "255.255.255.255"),
        near_misses=("192.0.2.256", "192.0.2"),
        standard=True,
    ),
    Format(
        name="ipv6",
        accepts=_IPV6,
        examples=("2001:db8::1",),
        near_misses=("2001:db8::zz",),
        standard=True,
    ),
    Format(
        name="ip-address",
        accepts=lambda text: _IPV4(text) or _IPV6(text),
        examples=("192.0.2.1", "2001:db8::1"),
        near_misses=("192.0.2.256", "2001:db8::zz"),
        spellings=("ip",),
    ),
    Format(
        name="base64",
        accepts=_is_base64,
        examples=("aGF2ZSBhIG5pY2UgZGF5", "c3RhdGU="),
        near_misses=("not base64!", "c3RhdGU"),
        spellings=("byte",),
    ),
    Format(
        name="e164",
        accepts=_matcher(_E164),
        examples=("+12025550100", "+12025550123"),
        near_misses=("12025550100", "+1202555abcd"),
        spellings=("+E.164", "E.164", "E164", "+e164", "e164_phone_number", "phone", "phone_number", "phone-number"),
    ),
    Format(
        name="sip-uri",
        accepts=_matcher(_SIP),
        examples=("sip:someone@sip.example.com", "sips:someone@sip.example.com"),
        near_misses=("someone@sip.example.com", "sip:"),
        spellings=("sip_uri", "sip"),
    ),
    Format(
        name="e164-or-sip-uri",
        accepts=_matcher(rf"{_E164}|{_SIP}"),
        examples=("+12025550100", "sip:someone@sip.example.com"),
        near_misses=("12025550100", "someone@sip.example.com"),
        spellings=("e164-or-sip",),
    ),
    Format(
        name="e164-or-id",
        accepts=_matcher(rf"{_E164}|\d{{1,40}}|[0-9A-Fa-f]{{8}}-([0-9A-Fa-f]{{4}}-){{3}}[0-9A-Fa-f]{{12}}"),
        examples=("+12025550100", "+12025550123"),  # numbers only: a list holds numbers or ids, not both
        near_misses=("+1202555abcd", "number one"),
    ),
    Format(
        name="integer-text",
        accepts=_matcher(r"[+-]?\d{1,40}"),
        examples=("1293384261075731499", "0"),
        near_misses=("12.5.1", "many"),
        spellings=("int64", "int32", "int", "integer", "long"),
    ),
    Format(
        name="decimal",
        accepts=_matcher(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?"),
        examples=("1.50", "0"),
        near_misses=("1,50 each", "much"),
        spellings=("float", "double", "number", "monetary_value", "money"),
    ),
    Format(
        name="iso4217",
        accepts=_matcher(r"[A-Za-z]{3}"),
        examples=("USD", "EUR"),
        near_misses=("US$", "dollars"),
        spellings=("currency", "iso-4217"),
    ),
    Format(
        name="boolean-text",
        accepts=_matcher(r"true|false", re.IGNORECASE),
        examples=("true", "false"),
        near_misses=("maybe",),
        spellings=("boolean",),
    ),
    Format(
        name="json-pointer",
        accepts=_matcher(r"(/([^~/]|~[01])*)*"),
        examples=("/phone_number", "/items/0"),
        near_misses=("phone_number", "/a~2"),
        standard=True,
    ),
    Format(
        name="regex",
        accepts=_is_expression,
        examples=("^[a-z]+$", "yes|no"),
        near_misses=("(unclosed", "[a-"),
        standard=True,
    ),
    Format(
        name="mime-type",
        accepts=_matcher(r"[\w.+-]+/[\w.+*-]+(\s*;.*)?"),
        examples=("application/pdf", "text/plain"),
        near_misses=("pdf",),
        spellings=("mime_type",),
    ),
    Format(
        name="jwt",
        accepts=_matcher(r"[\w-]+\.[\w-]+\.[\w-]*"),
        examples=("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl",),
        near_misses=("one-part-only",),
    ),
    Format(name="text", accepts=_anything, examples=("text",), spellings=("string", "address", "password")),
    Format(name="binary", accepts=_anything, examples=("sample",)),
)

_BY_NAME: Mapping[str, Format] = {name: made for made in ALL for name in (made.name, *made.spellings)}
# Pure names of meaning, not of JSON Schema: refusing a value because of them is an inference.
ENCODINGS: Mapping[str, str] = {"base64": "base64"}


def find(name: str) -> Format | None:
    """Return the format that `name` spells, `None` for a name that nothing is known about (then any string will do)."""
    return _BY_NAME.get(name)


def for_jsonschema() -> dict[str, Callable[[str], bool]]:
    """Return every spelling with its check, as jsonschema-rs takes custom formats. They only ever see strings."""
    return {name: made.accepts for name, made in _BY_NAME.items() if made.near_misses}


def of_schema(facts: Mapping[str, Any]) -> Format | None:
    """Return the format that `contentEncoding` or `format` of a schema asks for, `None` when none is checked."""
    encoding = facts.get("contentEncoding")
    made = find(ENCODINGS.get(encoding, "")) if isinstance(encoding, str) else None
    if made is None and isinstance(facts.get("format"), str):
        made = find(facts["format"])
    return made if made is not None and made.near_misses else None


FORMATS: Mapping[str, Callable[[str], bool]] = for_jsonschema()
