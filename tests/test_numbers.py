"""Numbers that we send must be taken by a target that knows each country's numbering plan (docs/decisions/0006)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import phonenumbers
import pytest
import yaml

from telnyx_conformance.content import content_root
from telnyx_conformance.contract import formats
from telnyx_conformance.contract.document import load_edition
from telnyx_conformance.plan.planning import plan_operation

if TYPE_CHECKING:
    from collections.abc import Iterator

NUMBER = re.compile(r"\+[1-9]\d{6,14}\Z", re.ASCII)
E164 = formats.find("e164")


def is_possible(text: str) -> bool:
    try:
        return bool(phonenumbers.is_possible_number(phonenumbers.parse(text)))
    except phonenumbers.NumberParseException:
        return False


def numbers_in(value: Any) -> Iterator[str]:
    if isinstance(value, str) and NUMBER.match(value):
        yield value
    for part in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from numbers_in(part)


def test_every_number_of_an_accepted_probe_is_possible_in_its_country() -> None:
    edition = load_edition()
    probes = [p for operation in edition.operations for p in plan_operation(edition, operation).probes]
    sent = {n for p in probes if p.expect == "accept" for n in numbers_in([p.body, p.query, p.path])}
    assert len(sent) > 50
    assert {number for number in sent if not is_possible(number)} == set()


def test_every_destination_is_possible_in_its_country() -> None:
    named = set(numbers_in(yaml.safe_load((content_root() / "fixtures" / "destinations.yaml").read_text("utf-8"))))
    fictional = {f"+120255501{last:02d}" for last in range(100)}
    assert {number for number in named | fictional if not is_possible(number)} == set()


def test_examples_of_the_format_are_possible() -> None:
    assert E164 is not None
    assert [text for text in E164.examples if not is_possible(text)] == []


@pytest.mark.parametrize("number", ["+1234567890", "+1202555010", "+999123456789"])
def test_the_library_would_say_more_than_the_shape(number: str) -> None:
    """Were it otherwise, nothing would have been decided."""
    assert E164 is not None
    assert (E164.accepts(number), is_possible(number)) == (True, False)
