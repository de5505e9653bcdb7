"""Every kind of requirement.

Its class, how binding it is unless hardened otherwise, what it says, and who gives the verdict.

A kind that nobody judges must not be enumerated. `judge` names the part that decides: `probes` are sent by the plan (an
accepted one proves what it covers, a refused one its violation), `checks` look at any exchange of the operation,
`scenario` is a run's own script. Levels: a keyword of the schema is a MUST; what the schema says only by a name that
nothing defines, or what follows from the general behaviour of the API, is a SHOULD; what is inferred is a MAY.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from telnyx_conformance.contract.model import Level

Judge = Literal["probes", "checks", "scenario"]


class Kind(msgspec.Struct, frozen=True):
    """A row of `KINDS`. The statement's `{place}`, `{argument}` and `{types}` are filled in."""

    conformance_class: str
    level: Level
    statement: str
    judge: Judge


def _request(level: Level, statement: str) -> Kind:
    return Kind("requests", level, statement, "probes")


def _life(level: Level, statement: str) -> Kind:
    return Kind("lifecycles", level, statement, "scenario")


KINDS: dict[str, Kind] = {
    # The request as a whole
    "minimal": _request("MUST", "a request with nothing but what is required is accepted"),
    "malformed": _request("MUST", "a body that is not JSON is refused"),
    "content-type": _request("SHOULD", "a body of an undocumented media type is refused"),
    "media": _request("MUST", "a body sent as {argument} is accepted"),
    # One place of it
    "required": _request("MUST", "a request without {place} is refused"),
    "type": _request("MUST", "{place} takes {types} and nothing else"),
    "accepted": _request("MUST", "a value of {place} is accepted"),
    "nullable": _request("MUST", "{place} takes null"),
    "null": _request("MAY", "null for {place} is refused"),
    "member": _request("MUST", "{place} takes {argument}"),
    "enum": _request("MUST", "a value of {place} that is not listed is refused"),
    "const": _request("MUST", "{place} takes {argument} and nothing else"),
    "minimum": _request("MUST", "{place} is at least {argument}"),
    "maximum": _request("MUST", "{place} is at most {argument}"),
    "exclusiveMinimum": _request("MUST", "{place} is above {argument}"),
    "exclusiveMaximum": _request("MUST", "{place} is below {argument}"),
    "multipleOf": _request("MUST", "{place} is a multiple of {argument}"),
    "minLength": _request("MUST", "{place} has at least {argument} characters"),
    "maxLength": _request("MUST", "{place} has at most {argument} characters"),
    "pattern": _request("MUST", "{place} matches {argument}"),
    "format": _request("MUST", "{place} has the format {argument}"),
    "named-format": _request("SHOULD", "{place} has the format {argument}"),
    "minItems": _request("MUST", "{place} has at least {argument} items"),
    "maxItems": _request("MUST", "{place} has at most {argument} items"),
    "uniqueItems": _request("MUST", "{place} has no item twice"),
    "minProperties": _request("MUST", "{place} has at least {argument} members"),
    "additionalProperties": _request("MUST", "{place} has no members but the documented ones"),
    "exclusive": _request("MUST", "{argument} do not stand together in {place}"),
    "dependentRequired": _request("MUST", "in {place}, the first of {argument} asks for the second"),
    "required-if": _request("MUST", "in {place}, {argument}"),
    "allowed-if": _request("MUST", "in {place}, {argument}"),
    "narrowed": _request("MUST", "in {place}, {argument}"),
    "alternative": _request("MUST", "{place} takes the alternative {argument}"),
    "oneOf": _request("MUST", "a value of {place} that fits none of its alternatives is refused"),
    "anyOf": _request("MUST", "a value of {place} that fits none of its alternatives is refused"),
    "pointer": _request("SHOULD", "a refusal because of {place} names it as the culprit"),
    "code": _request("SHOULD", "a refusal because of {place} has an error code that fits"),
    # Surface
    "route:exists": Kind("surface", "MUST", "the operation is routed", "probes"),
    "route:answers": Kind("surface", "MUST", "a valid request is answered, and to the end", "checks"),
    "auth:missing": Kind("surface", "MUST", "without credentials it is refused", "probes"),
    "auth:malformed": Kind("surface", "MUST", "with credentials that are no bearer token it is refused", "probes"),
    "auth:unknown": Kind("surface", "MUST", "with a key that was never issued it is refused", "probes"),
    "auth:secret": Kind("surface", "SHOULD", "the key that a request carries stands in no answer to it", "checks"),
    "method:not-allowed": Kind("surface", "SHOULD", "a method that the path does not document is refused", "probes"),
    "resource:unknown": Kind("surface", "SHOULD", "a resource that does not exist is not found", "probes"),
    # Envelopes
    "response:status": Kind("envelopes", "MUST", "success is answered with a documented status", "checks"),
    "response:content-type": Kind("envelopes", "MUST", "a success body has a documented media type", "checks"),
    "response:empty": Kind("envelopes", "MUST", "success is answered without a body", "checks"),
    "response:schema": Kind("envelopes", "MUST", "a success body satisfies its schema", "checks"),
    "response:envelope": Kind("envelopes", "SHOULD", "a success body carries its resource where documented", "checks"),
    "response:echo": Kind("envelopes", "SHOULD", "what was asked for comes back as it was asked", "checks"),
    "response:default": Kind("envelopes", "SHOULD", "what was left out comes back with its documented default", "checks"),
    "error:schema": Kind("envelopes", "SHOULD", "a refusal has the documented body", "checks"),
    "pagination:size": Kind("envelopes", "MUST", "a page holds no more items than asked for", "scenario"),
    "pagination:default": Kind("envelopes", "MUST", "a page has its documented size where none is asked for", "scenario"),
    "pagination:number": Kind("envelopes", "MUST", "two pages share no item", "scenario"),
    "pagination:totals": Kind("envelopes", "SHOULD", "the totals agree with the pages", "scenario"),
    "pagination:beyond-end": Kind("envelopes", "SHOULD", "a page after the last one is empty", "scenario"),
    "filter:applies": Kind("envelopes", "SHOULD", "a filter leaves nothing that does not fit it", "scenario"),
    "sort:order": Kind("envelopes", "SHOULD", "items come in the order asked for", "scenario"),
    # Lifecycles
    "lifecycles:readable": _life("MUST", "what it creates can be read, and is as it was asked for"),
    "lifecycles:listed": _life("MUST", "what it creates is in the list"),
    "lifecycles:distinct": _life("MUST", "what it creates has an id that nothing else has or had"),
    "lifecycles:once": _life("SHOULD", "one request creates one resource"),
    "lifecycles:default": _life("SHOULD", "a field that is left out has its documented default"),
    "lifecycles:kept": _life("MUST", "looking at a resource changes nothing about it"),
    "lifecycles:changed": _life("MUST", "what it sets is read back, and the latest change wins"),
    "lifecycles:merged": _life("MUST", "the fields that it does not name stay as they are"),
    "lifecycles:alone": _life("MUST", "nothing but what it names is touched"),
    "lifecycles:gone": _life("MUST", "what it deletes can neither be read nor listed"),
    "lifecycles:again": _life("SHOULD", "what is deleted cannot be deleted again"),
    "lifecycles:isolated": _life("MUST", "it does not reach what belongs to another account"),
    # Headers
    "headers:accept": Kind("headers", "MUST", "asking for the documented media type is accepted", "probes"),
    "headers:content-type-charset": Kind("headers", "SHOULD", "a charset beside the media type is accepted", "probes"),
    "headers:authorization-case": Kind("headers", "SHOULD", "the authorization scheme may be in lower case", "probes"),
}  # fmt: skip
