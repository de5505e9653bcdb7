"""A waivers file is read strictly: every wrong entry is named with its place and the nearest right word."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import pytest

from telnyx_conformance.errors import UsageError
from telnyx_conformance.report.waivers import Waiver, read_waivers

if TYPE_CHECKING:
    from pathlib import Path

GOOD = "{requirement: 'A:1', reason: known, link: 'https://example.test/1', owner: voice, expires: 2026-12-31}"


def written(tmp_path: Path, text: str) -> Path:
    (tmp_path / "waivers.yaml").write_text(text)
    return tmp_path / "waivers.yaml"


def test_a_waiver_is_read_with_all_its_fields(tmp_path: Path) -> None:
    (waiver,) = read_waivers(written(tmp_path, f"- {GOOD}"))
    assert waiver == Waiver(
        requirement="A:1", reason="known", link="https://example.test/1", owner="voice", expires=dt.date(2026, 12, 31)
    )


def test_a_day_in_quotes_is_a_day_too(tmp_path: Path) -> None:
    (waiver,) = read_waivers(written(tmp_path, f"- {GOOD.replace('2026-12-31', repr('2026-12-31'))}"))
    assert waiver.expires == dt.date(2026, 12, 31)


@pytest.mark.parametrize(
    ("text", "problem", "advice"),
    [
        ("{a: 1}", "not a list", ""),
        ("- word", "not a mapping", ""),
        ("- [", "not YAML", ""),
        ("- {bad: 2026-99-99}", "not YAML", ""),
        (f"- {GOOD.replace('reason', 'raeson')}", "unknown key: raeson", "did you mean reason?"),
        (f"- {GOOD.replace('owner: voice, ', '')}", "needs owner", ""),
        (f"- {GOOD.replace('known', repr(''))}", "needs reason", ""),
        (f"- {GOOD.replace('voice', '[a]')}", "needs owner", ""),
        (f"- {GOOD.replace('2026-12-31', 'soon')}", "expires is not a day", ""),
        (f"- {GOOD}\n- {GOOD}", "waived twice", "keep one of the two"),
        (f"- {GOOD.replace('A:1', 'TransferCal:x')}", "matches no requirement", "did you mean TransferCall:x?"),
    ],
)
def test_a_wrong_file_is_refused_and_says_where_and_why(tmp_path: Path, text: str, problem: str, advice: str) -> None:
    with pytest.raises(UsageError, match=problem) as caught:
        read_waivers(written(tmp_path, text), known=["A:1", "TransferCall:x"])
    assert "waivers.yaml" in caught.value.where
    assert caught.value.advice == advice


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read") as caught:
        read_waivers(tmp_path / "missing.yaml")
    assert "missing.yaml" in caught.value.where


def test_an_empty_file_waives_nothing(tmp_path: Path) -> None:
    assert read_waivers(written(tmp_path, "# nothing yet\n")) == ()


@pytest.mark.parametrize(
    ("pattern", "requirement", "matches"),
    [
        ("A:*", "A:request.body.x:type", True),
        ("*:webhooks.*", "A:webhooks.answered:order", True),
        ("A:page[size]", "A:page[size]", True),
        ("A:page[*]:*", "A:page[size]:minimum", True),
        ("A:page[size]", "A:pages", False),
        ("A:?", "A:x", False),
        ("A:1", "A:12", False),
    ],
)
def test_only_the_star_is_a_wildcard(pattern: str, requirement: str, matches: bool) -> None:  # noqa: FBT001 - a table
    waiver = Waiver(requirement=pattern, reason="r", link="l", owner="o", expires=dt.date(2026, 1, 1))
    assert waiver.matches(requirement) is matches
