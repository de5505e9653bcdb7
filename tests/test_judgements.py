from __future__ import annotations

from collections import Counter
from copy import deepcopy
from pathlib import Path
from typing import Any

import msgspec
import pytest

from telnyx_conformance.contract.document import load_edition
from telnyx_conformance.contract.expressed import problems
from telnyx_conformance.contract.judgements import (
    OUTCOMES,
    Judgement,
    Line,
    judgements_of,
    load_judgements,
    rejections,
    tally,
)
from telnyx_conformance.errors import ContractError

EDITION = load_edition()
JUDGED = load_judgements()


def told(*judgements: Judgement, document: dict[str, Any] | None = None) -> list[ContractError]:
    return [found for _, found in problems(document or EDITION.document, judgements)]


def judged(owner: str, field: str, kind: str, **more: Any) -> Judgement:
    given = {"location": "body", "outcome": "keyword", **more}
    return Judgement(group="Call Commands", owner=owner, field=field, kind=kind, **given)


def test_every_judgement_is_expressed_in_the_hardened_contract_as_it_claims() -> None:
    assert [str(found) for found in told(*JUDGED)] == []


def test_the_published_contract_alone_does_not_say_most_of_it() -> None:
    plain = load_edition(hardened=False).document
    claimed = [judgement for judgement in JUDGED if judgement.outcome in ("keyword", "rule")]
    missing = [number for number, _ in problems(plain, claimed)]
    assert len(missing) > 0.9 * len(claimed)


def test_every_rejected_or_explained_row_has_a_reason() -> None:
    silent = [j for j in JUDGED if j.outcome in ("rejected", "explained", "corrected") and len(j.because) < 10]
    assert silent == []


def test_every_group_and_operation_named_exists() -> None:
    assert {judgement.group for judgement in JUDGED} <= set(EDITION.groups)


PLANTED = [
    (judged("SpeakRequest", "payload", "pattern"), "claims", ""),
    (judged("SpeakRequest", "payload_type", "required_if"), None, ""),
    (judged("SpeakRequest", "command_id", "required_if"), "claims", ""),
    (judged("SpeakRequest", "payload", "other", outcome="rule", rule="once"), "claims", ""),
    (judged("SpeakRequest", "command_id", "other", outcome="rule", rule="once"), None, ""),
    (judged("SpeakRequest", "paylod", "maxLength"), "unknown field", "did you mean payload?"),
    (judged("SpeekRequest", "payload", "maxLength"), "unknown owner", "did you mean SpeakRequest?"),
    (judged("ListFaxes", "filter[direction][eq]", "enum", location="query"), None, ""),
    (judged("ListFaxes", "filter[direction][eq]", "pattern", location="query"), None, ""),
    (judged("ListFaxes", "filter[direction][eq]", "minimum", location="query"), "claims", ""),
    (
        judged("ListFaxes", "filter[directon][eq]", "enum", location="query"),
        "unknown field",
        "did you mean filter[direction][eq]?",
    ),
    (judged("BridgeRequest", "queue", "mutually_exclusive"), None, ""),
    (judged("BridgeRequest", "ringtone", "mutually_exclusive"), "claims", ""),
    (judged("From", "", "format"), None, ""),
    (judged("From", "", "maxLength"), "claims", ""),
    (judged("SpeakRequest", "payload", "maxLength", outcome="rejected", because="planted for this test"), None, ""),
    (judged("SpeakRequest", "nothing", "naming", outcome="explained", because="planted for this test"), None, ""),
]


@pytest.mark.parametrize(("row", "problem", "advice"), PLANTED)
def test_a_planted_row_that_claims_what_is_not_there_is_caught(
    row: Judgement, problem: str | None, advice: str
) -> None:
    found = told(row)
    if problem is None:
        assert found == []
    else:
        assert [(problem in one.problem, one.advice) for one in found] == [(True, advice)]


def test_a_keyword_that_is_taken_out_of_the_contract_is_missed() -> None:
    document = deepcopy(EDITION.document)
    payload = document["components"]["schemas"]["SpeakRequest"]["properties"]["payload"]
    row = judged("SpeakRequest", "payload", "maxLength")
    assert told(row, document=document) == []
    del payload["maxLength"]
    assert [found.problem for found in told(row, document=document)] == [
        "a judgement claims what the contract does not say"
    ]


def test_the_tally_counts_every_row_once_by_kind_and_once_by_group() -> None:
    counted = tally(JUDGED)
    for lines in (counted.by_kind, counted.by_group):
        assert sum(line.total for line in lines) == len(JUDGED)
        assert len({line.name for line in lines}) == len(lines)
        assert [line.total for line in lines] == sorted((line.total for line in lines), reverse=True)
    outcomes = Counter(judgement.outcome for judgement in JUDGED)
    assert {o: sum(line.counts.get(o, 0) for line in counted.by_group) for o in OUTCOMES} == {
        o: outcomes[o] for o in OUTCOMES
    }


def test_the_tally_of_a_few_rows() -> None:
    rows = [
        judged("A", "a", "enum"),
        judged("A", "b", "enum", outcome="rejected"),
        judged("B", "c", "unit", outcome="rule"),
    ]
    counted = tally(msgspec.structs.replace(row, group=group) for row, group in zip(rows, ("X", "X", "Y"), strict=True))
    assert counted.by_kind == (
        Line(name="enum", counts={"keyword": 1, "rejected": 1}),
        Line(name="unit", counts={"rule": 1}),
    )
    assert counted.by_group == (
        Line(name="X", counts={"keyword": 1, "rejected": 1}),
        Line(name="Y", counts={"rule": 1}),
    )


def written(folder: Path, row: str) -> Path:
    (folder / "judgements").mkdir()
    (folder / "judgements" / "pets.yaml").write_text(f"group: Pets\njudgements:\n- {row}\n")
    return folder


def test_the_rows_of_a_file_are_read_in_order_contradictions_last(tmp_path: Path) -> None:
    folder = written(tmp_path, "{owner: Pet, in: body, field: age, kind: maximum, as: keyword}")
    with (folder / "judgements" / "pets.yaml").open("a") as file:
        row = "{owner: Pet, in: body, field: age, kind: enum_drift, as: explained, because: two lists of one thing}"
        file.write(f"inconsistencies:\n- {row}\n")
    assert [(j.group, j.kind, j.outcome) for j in load_judgements(folder)] == [
        ("Pets", "maximum", "keyword"),
        ("Pets", "enum_drift", "explained"),
    ]


@pytest.mark.parametrize(
    "row",
    [
        "{owner: Pet, in: body, field: age, kind: maximum, as: rejected}",
        "{owner: Pet, in: body, field: age, kind: maximum, as: rule}",
        "{owner: Pet, in: body, field: age, kind: maximum, as: keyword, rule: once}",
        "{owner: Pet, in: body, field: age, kind: maximun, as: keyword}",
        "{owner: Pet, in: body, field: age, kind: maximum, as: dropped}",
        "{owner: Pet, in: cookie, field: age, kind: maximum, as: keyword}",
        "{owner: Pet, in: body, kind: maximum, as: keyword}",
    ],
)
def test_a_row_that_says_too_little_or_too_much_is_refused(tmp_path: Path, row: str) -> None:
    with pytest.raises(ContractError) as raised:
        load_judgements(written(tmp_path, row))
    assert "pets.yaml" in raised.value.where


def test_the_page_of_what_became_nothing_lists_it_all() -> None:
    page = (Path(__file__).parent.parent / "docs" / "rejected.md").read_text(encoding="utf-8")
    assert page == rejections(JUDGED), "write docs/rejected.md anew: rejections(load_judgements())"
    rejected = [judgement for judgement in JUDGED if judgement.outcome == "rejected"]
    assert [judgement for judgement in rejected if judgement.because not in page] == []


def test_a_reason_that_holds_a_bar_would_break_the_table() -> None:
    assert [judgement for judgement in JUDGED if "|" in judgement.because] == []


def test_contradictions_need_no_key_of_their_own() -> None:
    assert list(judgements_of({"group": "Pets", "judgements": []})) == []
