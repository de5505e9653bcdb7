import base64

import jsonschema_rs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from telnyx_conformance.contract import formats
from telnyx_conformance.contract.formats import Format

CHECKED = [f for f in formats.ALL if f.near_misses]


def named(spelling: str) -> Format:
    found = formats.find(spelling)
    assert found is not None
    return found


@pytest.mark.parametrize("made", formats.ALL, ids=lambda f: f.name)
def test_examples_have_their_format(made: Format) -> None:
    assert made.examples
    assert [e for e in made.examples if not made.accepts(e)] == []


@pytest.mark.parametrize("made", CHECKED, ids=lambda f: f.name)
def test_near_misses_do_not_have_the_format(made: Format) -> None:
    assert [e for e in made.near_misses if made.accepts(e)] == []


@pytest.mark.parametrize("made", CHECKED, ids=lambda f: f.name)
def test_the_empty_text_and_a_line_break_have_no_format(made: Format) -> None:
    if made.name not in ("base64", "json-pointer", "regex", "url-or-empty"):
        assert not made.accepts("")
    if made.name not in ("json-pointer", "regex"):  # any character may stand there
        assert not made.accepts(made.examples[0] + "\n")


@pytest.mark.parametrize(
    ("spelling", "name"),
    [
        ("+E.164", "e164"),
        ("E164", "e164"),
        ("e164_phone_number", "e164"),
        ("phone", "e164"),
        ("datetime", "iso-8601"),
        ("datetime-iso8601", "iso-8601"),
        ("UUID", "uuid"),
        ("byte", "base64"),
        ("int64", "integer-text"),
        ("url", "url"),
        ("currency", "iso4217"),
    ],
)
def test_a_spelling_leads_to_its_format(spelling: str, name: str) -> None:
    assert named(spelling).name == name


def test_no_spelling_means_two_formats() -> None:
    words = [word for made in formats.ALL for word in (made.name, *made.spellings)]
    assert len(words) == len(set(words))


@pytest.mark.parametrize("name", sorted(formats.for_jsonschema()))
def test_the_validator_checks_what_the_registry_says(name: str) -> None:
    made = named(name)
    validator = jsonschema_rs.Draft202012Validator(
        {"format": name}, validate_formats=True, formats=formats.for_jsonschema()
    )
    assert all(validator.is_valid(e) for e in made.examples)
    assert not any(validator.is_valid(e) for e in made.near_misses)
    assert validator.is_valid(7)


def test_an_encoding_is_a_format() -> None:
    assert formats.of_schema({"type": "string", "contentEncoding": "base64"}) == named("base64")
    assert formats.of_schema({"type": "string", "format": "never-heard-of"}) is None
    assert formats.of_schema({"type": "string", "format": "password"}) is None


@given(st.uuids().map(str))
def test_every_uuid_is_one(text: str) -> None:
    assert named("uuid").accepts(text)


@given(st.datetimes().map(lambda d: d.isoformat() + "Z"))
def test_every_moment_is_one(text: str) -> None:
    assert named("date-time").accepts(text)
    assert named("datetime").accepts(text)


@given(st.dates().map(str))
def test_every_day_is_one(text: str) -> None:
    assert named("date").accepts(text)
    assert not named("date-time").accepts(text)


@given(st.ip_addresses(v=4).map(str))
def test_every_ipv4_address_is_one(text: str) -> None:
    assert named("ipv4").accepts(text)
    assert not named("ipv4").accepts(text + ".1")


@given(st.binary(max_size=60))
def test_encoded_bytes_are_base64(raw: bytes) -> None:
    text = base64.b64encode(raw).decode()
    assert named("base64").accepts(text)
    assert not named("base64").accepts(text + "!")


@given(st.from_regex(r"\+[1-9][0-9]{6,14}", fullmatch=True))
def test_every_international_number_is_e164(text: str) -> None:
    assert named("e164").accepts(text)
    assert not named("e164").accepts(text.removeprefix("+"))


@given(st.text())
def test_no_check_fails_on_any_text(text: str) -> None:
    assert all(made.accepts(text) in (True, False) for made in formats.ALL)
