"""What keeps the contract and yet differs: each variant of the emulator must certify as the emulator itself does.

A suite that refuses one of these raises a false alarm. `because` says what permits the difference.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec

from telnyx_conformance.emulator.fault import Fault
from telnyx_conformance.emulator.ids import Ids
from telnyx_conformance.errors import UnknownName
from telnyx_conformance.mutants import beginnings, bodies, carriage, postings
from telnyx_conformance.mutants.bodies import Changed, Recoded, Resources, each_error, errors
from telnyx_conformance.mutants.carriage import Headed
from telnyx_conformance.mutants.postings import Posted, occurred

if TYPE_CHECKING:
    from datetime import datetime

    from telnyx_conformance.contract.model import Edition

Make = Callable[["Edition"], Fault]
NUMBERS = "JSON Schema counts 1.0 among the integers, and JSON has one kind of number"
TIMES = "date-time is RFC 3339, which leaves the number of digits and the way to write UTC open"
OCCURRED = "occurred_at is documented as ISO 8601, in no particular notation"
OPAQUE = "the documentation calls the id opaque and gives it no length"
ORDER = "JSON objects have no order"
MORE = "the schema lists what must be there, and does not close the object"
DELIVERY = "Telnyx promises neither order nor a single delivery of webhooks"
WORDS = "codes are documented, titles and details are for people"
CONNECTION = "HTTP/1.1 leaves the life of connections to either side (RFC 9112, section 9)"
MEDIA = "types and parameter names of media types have no case, and charset may be left out (RFC 9110, section 8.3)"
DAY = "nothing is documented to depend on the day"


class Variant(msgspec.Struct, frozen=True, kw_only=True):
    """One difference that is no fault. `on_the_wire` says that only a socket shows it."""

    id: str
    because: str
    make: Make
    on_the_wire: bool = False

    def fault(self, edition: Edition) -> Fault:
        """Return what switches the difference on, for one `Emulator` of the edition."""
        return self.make(edition)


def variants() -> tuple[Variant, ...]:
    """Return every variant, always in the same order."""
    return VARIANTS


def variant_called(name: str) -> Variant:
    """Return the variant with an id. Raises `UnknownName` with the nearest one."""
    found = {variant.id: variant for variant in VARIANTS}
    if name not in found:
        raise UnknownName("variant", name, found)
    return found[name]


def _row(name: str, because: str, make: Callable[[], Fault], *, on_the_wire: bool = False) -> Variant:
    return Variant(id=name, because=because, make=lambda _: make(), on_the_wire=on_the_wire)


def _of(name: str, because: str, make: Make) -> Variant:
    return Variant(id=name, because=because, make=make)


def _moments(write: Callable[[datetime], str], *, lists: bool) -> Make:
    return lambda edition: Resources(edition, bodies.with_moments(write), lists=lists)


def _refusals(change: bodies.Change) -> Callable[[], Fault]:
    return lambda: Changed(change, of_refusals=True)


TOO_MANY = {"code": "10015", "title": "Bad Request", "detail": "And this is not right either."}

VARIANTS: tuple[Variant, ...] = (
    # Bodies
    _row("members-reversed", ORDER, lambda: Changed(bodies.reversed_members)),
    _row("members-sorted", ORDER, lambda: Changed(bodies.sorted_members)),
    _row("unknown-members-beside-data", MORE, lambda: Changed(bodies.with_unknown)),
    _of("unknown-members-in-resources", MORE, lambda e: Resources(e, bodies.with_unknown, lists=False)),
    _of("unknown-members-in-items", MORE, lambda e: Resources(e, bodies.with_unknown, lists=True)),
    _row("unknown-members-in-meta", MORE, lambda: Changed(bodies.with_unknown_in_meta)),
    _row("whole-numbers-as-fractions", NUMBERS, lambda: Changed(bodies.whole_as_fractions)),
    _row("json-indented", "white space between the tokens of JSON means nothing", lambda: Recoded(bodies.indented)),
    _row("json-padded", "white space around a JSON document means nothing", lambda: Recoded(bodies.padded)),
    _row("json-escaped", "any character of a JSON string may be escaped", lambda: Recoded(bodies.escaped)),
    _of("times-in-whole-seconds", TIMES, _moments(bodies.seconds_only, lists=False)),
    _of("times-in-microseconds", TIMES, _moments(bodies.microseconds, lists=False)),
    _of("times-with-offset", TIMES, _moments(bodies.with_offset, lists=False)),
    _of("pages-in-no-order", "where no order is asked for and none documented, any will do", bodies.Unordered),
    _row("another-documented-status", "the operation documents several successes with the same body", bodies.OtherStatus),
    # Refusals
    _row("errors-titled-otherwise", WORDS, _refusals(each_error(lambda e: {**e, "title": "Nein, das geht nicht"}))),
    _row("errors-detailed-otherwise", WORDS, _refusals(each_error(lambda e: {**e, "detail": "Das geht so nicht."}))),
    _row("errors-without-detail", "of an error only code and title are required", _refusals(each_error(bodies.without("detail")))),
    _row("errors-without-meta", "of an error only code and title are required", _refusals(each_error(bodies.without("meta")))),
    _row("errors-with-another-help-page", "the address of the help page is documented by example only",
         _refusals(each_error(lambda e: {**e, "meta": {"url": "https://example.com/help"}} if "meta" in e else e))),
    _row("errors-bare", "source and meta are optional, and where nobody is to blame nobody need be named",
         _refusals(each_error(bodies.bare_where_nobody_is_to_blame))),
    _row("errors-with-unknown-members", MORE, _refusals(each_error(bodies.with_unknown))),
    _row("errors-beside-unknown-members", MORE, _refusals(bodies.with_unknown)),
    _row("errors-and-one-more", "a refusal lists whatever was found wrong, also more than one thing",
         _refusals(errors(lambda listed: [*listed, TOO_MANY]))),
    _row("errors-after-another", "nothing is documented about the order of several errors",
         _refusals(errors(lambda listed: [TOO_MANY, *listed]))),
    _row("errors-coded-otherwise", "the catalogue lists several codes for a request without good credentials",
         _refusals(each_error(bodies.another_code_of_the_situation))),
    _row("members-of-refusals-reversed", ORDER, _refusals(bodies.reversed_members)),
    _row("values-refused-by-400", "many operations document 400 for a bad value, and the catalogue accepts either",
         lambda: bodies.OtherRefusal(400)),
    # Headers and connections
    _row("header-names-in-title-case", "names of headers have no case (RFC 9110, section 5.1)", carriage.Titled),
    _row("headers-that-nobody-documents", "an answer may carry any header besides the documented ones",
         lambda: Headed((b"x-request-id", b"4bf92f35-77b3-4da6-a3ce-929d0e0e4736"), (b"server", b"edge"),
                        (b"vary", b"accept-encoding"), (b"set-cookie", b"session=1; HttpOnly"))),
    _row("headers-of-rate-limits", "rate limits are told in headers whatever the answer",
         lambda: Headed((b"x-ratelimit-limit", b"1000"), (b"x-ratelimit-remaining", b"1"), (b"x-ratelimit-reset", b"1"))),
    _row("media-type-without-charset", MEDIA, lambda: Headed(media_type=b"application/json")),
    _row("media-type-in-capitals", MEDIA, lambda: Headed(media_type=b'Application/JSON;Charset="UTF-8"')),
    _row("media-type-with-parameters", "a media type may have parameters that nobody knows",
         lambda: Headed(media_type=b"application/json; charset=utf-8; version=2")),
    _row("bodies-compressed", "a client that names no coding takes any (RFC 9110, section 12.5.3)", carriage.Zipped),
    _row("answers-slow", "no time is documented within which an answer comes", lambda: carriage.Sent("slow")),
    _row("answers-in-chunks", "a body may come in chunks (RFC 9112, section 7.1)", carriage.Unmeasured, on_the_wire=True),
    _row("answers-in-pieces", "a body may come in as many pieces as the network likes", lambda: carriage.Sent("in-pieces"),
         on_the_wire=True),
    _row("connections-closed", CONNECTION, lambda: Headed((b"connection", b"close")), on_the_wire=True),
    # Ids
    _row("other-ids", "ids are random", lambda: beginnings.Numbered(lambda key: Ids(f"2:{key}"))),
    _row("ids-ascending", "an id is a UUID of any version", lambda: beginnings.Numbered(beginnings.Ascending)),
    _row("ids-descending", "an id says nothing about the order of making", lambda: beginnings.Numbered(beginnings.Descending)),
    _row("ids-of-calls-longer", OPAQUE, lambda: beginnings.Numbered(beginnings.Long)),
    _row("ids-of-calls-shorter", OPAQUE, lambda: beginnings.Numbered(beginnings.Short)),
    _row("ids-of-calls-as-uuids", OPAQUE, lambda: beginnings.Numbered(beginnings.Plain)),
    _row("ids-of-ten-digits", "ids of connections are documented as text, by examples of several lengths",
         lambda: beginnings.Numbered(beginnings.FewDigits)),
    # Events
    _row("events-twice", DELIVERY, lambda: postings.Delivered(0.0, times=2)),
    _row("events-late", DELIVERY, lambda: postings.Delivered(0.5)),
    _row("events-in-another-order", DELIVERY, lambda: postings.Delivered(0.75, 0.5, 0.25, 0.0)),
    _row("events-thrice-late-and-in-another-order", DELIVERY, lambda: postings.Delivered(0.75, 0.0, 0.5, times=3)),
    _row("events-with-members-reversed", ORDER, lambda: Posted(postings.documents(bodies.reversed_members))),
    _row("events-indented", "white space between the tokens of JSON means nothing", lambda: postings.Written(bodies.indented)),
    _row("events-escaped", "any character of a JSON string may be escaped", lambda: postings.Written(bodies.escaped)),
    _row("events-with-unknown-members", MORE, lambda: Posted(postings.documents(postings.with_unknown_everywhere))),
    _row("events-without-what-is-null", "a member that is null says as much as one that is left out",
         lambda: Posted(postings.payload(postings.without_absent))),
    _row("events-at-an-offset-of-zero", OCCURRED, lambda: Posted(occurred(bodies.with_offset))),
    _row("events-at-another-offset", OCCURRED, lambda: Posted(occurred(postings.elsewhere))),
    _row("events-in-nanoseconds", OCCURRED, lambda: Posted(occurred(postings.nanoseconds))),
    _row("events-with-a-charset", MEDIA,
         lambda: postings.Headed(lambda h: {**h, "content-type": "application/json; charset=utf-8"})),
    _row("events-with-header-names-in-title-case", "names of headers have no case (RFC 9110, section 5.1)",
         lambda: postings.Headed(lambda headers: {name.title(): value for name, value in headers.items()})),
    # Where an account begins
    _row("begins-on-a-leap-day", DAY, lambda: beginnings.Dated("2028-02-29T23:59:50+00:00")),
    _row("begins-before-the-clocks-change", DAY, lambda: beginnings.Dated("2026-03-29T00:59:55+00:00")),
    _row("begins-at-the-end-of-a-year", DAY, lambda: beginnings.Dated("2025-12-31T23:59:58+00:00")),
    _row("begins-beyond-32-bits", DAY, lambda: beginnings.Dated("2038-01-19T03:14:05+00:00")),
    _row("something-there-before", "an account may hold what this run did not make", beginnings.Furnished),
    _row("oldest-first", "the order of a list is documented for those that can be sorted only", beginnings.OldestFirst),
    _row("pages-of-ten", "the list documents no default for the size of its pages", lambda: beginnings.Paged(10)),
)  # fmt: skip
