from __future__ import annotations

import pytest

from telnyx_conformance.contract.catalogue import load_errors
from telnyx_conformance.contract.document import load_edition
from telnyx_conformance.errors import UnknownName

ERRORS = load_errors()


def test_every_documented_code_is_there() -> None:
    assert len(ERRORS.codes) == 292
    assert ERRORS.title("10016") == "Phone number must be in +E.164 format"


def test_every_code_that_is_referred_to_exists() -> None:
    referred = {code for codes in ERRORS.kinds.values() for code in codes} | set(ERRORS.fields.values())
    referred |= set(ERRORS.general)
    for situation in ERRORS.situations.values():
        referred |= {*situation.codes, *(code for leniency in situation.also for code in leniency.codes)}
    assert referred - set(ERRORS.codes) == set()


def test_every_group_with_own_field_codes_exists() -> None:
    assert set(load_edition().groups) >= ERRORS.groups


@pytest.mark.parametrize(
    ("kind", "field", "group", "first"),
    [
        ("minimum", "timeout_secs", "Call Commands", "90028"),
        ("minimum", "timeout_secs", "Verify", "10033"),
        ("required", "client_state", "Call Commands", "10004"),
        ("format.base64", "client_state", "Call Commands", "90017"),
        ("format.e164", "from", "Call Commands", "10016"),
        ("format.never-heard-of", "from", "Call Commands", "10015"),
        ("enum", "mute_dtmf", "Call Commands", "10032"),
    ],
)
def test_the_most_specific_code_comes_first(kind: str, field: str, group: str, first: str) -> None:
    assert ERRORS.codes_for(kind, field, group=group)[0] == first


def test_the_format_may_be_named_apart() -> None:
    assert ERRORS.codes_for("format", format_name="e164") == ERRORS.codes_for("format.e164")


def test_the_general_codes_fit_every_rule() -> None:
    assert {kind for kind in ERRORS.kinds if not set(ERRORS.general) <= set(ERRORS.codes_for(kind))} == set()


def test_an_answer_is_accepted_only_when_status_and_code_belong_together() -> None:
    command_to_nobody = ERRORS.situation("unknown_call")
    answers = [(422, "90015"), (404, "10005"), (422, "10005"), (404, "90018"), (200, "90015")]
    assert [command_to_nobody.accepts(*answer) for answer in answers] == [True, True, False, False, False]


def test_a_broken_rule_brings_its_own_codes_to_the_situation() -> None:
    invalid = ERRORS.situation("invalid_body")
    codes = ERRORS.codes_for("maximum")
    assert invalid.accepts(422, "10033", rule_codes=codes)
    assert invalid.accepts(400, "10033", rule_codes=codes)
    assert not invalid.accepts(422, "10005", rule_codes=codes)
    assert not invalid.accepts(500, "10033", rule_codes=codes)


def test_the_documented_status_is_preferred() -> None:
    invalid = ERRORS.situation("invalid_body")
    assert [invalid.status_for(known) for known in (["200", "400"], ["400", "422"], ["200", "default"])] == [
        400,
        422,
        422,
    ]


def test_an_unknown_situation_names_its_neighbour() -> None:
    with pytest.raises(UnknownName) as caught:
        ERRORS.situation("no_credential")
    assert caught.value.advice == "did you mean no_credentials?"


def test_an_unknown_kind_names_its_neighbour() -> None:
    with pytest.raises(UnknownName, match="kind of violation: minimun"):
        ERRORS.codes_for("minimun")
