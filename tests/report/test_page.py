"""The page in a real browser: readable everywhere, complete, and deaf to what a target would like it to run."""

from __future__ import annotations

import json
import re
import shutil
from typing import TYPE_CHECKING, Any

import pytest

from telnyx_conformance.report.html import embedded
from telnyx_conformance.report.write import write_reports

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HOSTILE = (
    "</script><img src=x onerror=alert(1)><svg/onload=alert(2)>\x00\x07 \u202egnp.exe שלום "
    "<b>bold</b> {{7*7}} ${alert(3)} \u2028 ' \" javascript:alert(4)"
)
SHOWN = "</script><img src=x onerror=alert(1)><svg/onload=alert(2)>⟨U+0000⟩⟨U+0007⟩ ⟨U+202E⟩gnp.exe שלום"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or ""
ARGUMENTS = [
    "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--no-first-run",
]  # fmt: skip
PHONE = {"width": 390, "height": 844}


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory, build: Any) -> dict[str, Path]:
    """Three certificates of realistic size: one that conforms, one with many failures, one of a hostile target."""
    cases: dict[str, dict[str, Any]] = {
        "conforms": {},
        "many": {"failing": 0.2, "undecided": 0.04},
        "hostile": {"requirements": 3000, "failing": 0.1, "hostile": HOSTILE},
    }
    made = {}
    for name, options in cases.items():
        folder = build.realistic(tmp_path_factory.mktemp(name), **options)
        write_reports(folder)
        made[name] = folder / "certificate.html"
    return made


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    if not CHROMIUM:
        pytest.skip("no chromium: apt-get install chromium")
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - needed by these tests only

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield chromium
        chromium.close()


class Visit:
    """A page that is open, with all that it should not have done."""

    def __init__(self, browser: Any, file: Path, **options: Any) -> None:
        self.page = browser.new_page(**options)
        self.wrongs: list[str] = []
        self.page.on("dialog", self._dialog)
        self.page.on("pageerror", lambda error: self.wrongs.append(f"error: {error}"))
        self.page.on("console", lambda message: self.wrongs.append(f"console: {message.text}"))
        self.page.on("request", self._request)
        self.page.set_default_timeout(10_000)
        self.page.goto(file.as_uri())

    def _dialog(self, dialog: Any) -> None:
        self.wrongs.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def _request(self, request: Any) -> None:
        if not request.url.startswith(("file:", "data:")):
            self.wrongs.append(f"request: {request.url}")


@pytest.fixture
def visit(browser: Any, pages: dict[str, Path]) -> Iterator[Any]:
    opened = []

    def open_(name: str, **options: Any) -> Visit:
        opened.append(Visit(browser, pages[name], **options))
        return opened[-1]

    yield open_
    for each in opened:
        each.page.close()
        assert each.wrongs == []


def test_the_page_stays_small_at_thirty_thousand_requirements(pages: dict[str, Path]) -> None:
    assert all(file.stat().st_size < 3_000_000 for file in pages.values())


def test_the_page_asks_for_nothing_from_anywhere(pages: dict[str, Path]) -> None:
    source = pages["many"].read_text()
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', source)
    assert policy is not None
    assert policy[1].startswith("default-src 'none';")
    assert "unsafe" not in policy[1]
    assert re.findall(r"<(?:link|img|script|iframe|object)[^>]*(?:src|href)=\"([^\"]*)", source) == ["data:,"]


def test_embedded_json_cannot_end_its_script() -> None:
    text = embedded({"a": "</script><!-- & \u2028\u2029"})
    assert not re.search("[<>&\u2028\u2029]", text)
    assert json.loads(text) == {"a": "</script><!-- & \u2028\u2029"}


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({}, ""),
        ({"only": [], "classes": [], "shard": "1/1", "allow": []}, ""),
        ({"only": ["TransferCall"], "shard": "2/3"}, "only TransferCall; shard 2/3"),
        ({"classes": ["surface", "headers"]}, "classes surface, headers"),
    ],
)
def test_a_narrowed_run_says_what_it_was_narrowed_to(
    tmp_path: Path, build: Any, arguments: dict[str, Any], told: str
) -> None:
    begun = {**build.run, "arguments": arguments}
    lines = [begun, build.plan([build.planned("A:1")]), build.judged("A:1", "pass"), build.end]
    build.lines(tmp_path / "evidence.ndjson", lines)
    write_reports(tmp_path)
    shown = re.search("narrowed to <bdi>(.*?)</bdi>", (tmp_path / "certificate.html").read_text())
    assert (shown[1] if shown else "") == told


@pytest.mark.browser
def test_a_hostile_target_is_shown_and_runs_nothing(visit: Any) -> None:
    page = visit("hostile").page
    page.fill("#search", "webhooks")
    page.locator("#list .finding summary").first.click()
    got = page.locator(".said.got").first
    assert SHOWN in got.inner_text()
    assert got.locator("*").count() == 0
    assert SHOWN in page.locator(".inside pre").nth(1).inner_text()
    assert page.locator("main img, main b:not(.cell b), main svg").count() == 0
    assert page.locator("script").count() == 2


@pytest.mark.browser
def test_even_a_script_that_got_into_the_page_would_not_run(
    pages: dict[str, Path], browser: Any, tmp_path: Path
) -> None:
    """The policy is the second wall: what escaping missed, it stops."""
    planted = pages["conforms"].read_text().replace(
        "</main>", "<script>alert(1)</script><img src=x onerror=alert(2)><p id=after>after</p></main>", 1
    )  # fmt: skip
    (tmp_path / "planted.html").write_text(planted)
    visit = Visit(browser, tmp_path / "planted.html")
    assert visit.page.locator("#after").inner_text() == "after"
    visit.page.close()
    assert any("Content Security Policy" in wrong for wrong in visit.wrongs)
    assert not [wrong for wrong in visit.wrongs if wrong.startswith("dialog")]


@pytest.mark.browser
def test_the_grid_has_every_group_and_tells_verdicts_without_colour(visit: Any) -> None:
    page = visit("many").page
    assert page.locator("tr[data-group]").count() == 128
    failing = page.locator(".cell.fail").first
    assert re.fullmatch(r"✗ \d+/\d+", " ".join(failing.inner_text().split())) is not None
    assert "failed" in failing.get_attribute("title")
    assert page.locator(".cell.pass i").first.inner_text() == "✓"


@pytest.mark.browser
def test_a_cell_opens_to_its_failing_and_its_passing_requirements(visit: Any) -> None:
    page = visit("many").page
    cell = page.locator(".cell.fail").first
    failing, planned = map(int, cell.inner_text().replace("✗", "").split("/"))
    cell.click()
    drawer = page.locator(".drawer")
    while drawer.locator(".more").count():
        drawer.locator(".more").first.click()
    assert drawer.locator(".finding.fail").count() == failing
    others = drawer.locator(".finding:not(.fail)").count()
    told = drawer.locator(".passing summary").all_inner_texts()
    passing = [int(number) for number in re.findall(r"(\d+) passed", "\n".join(told))]
    assert failing + others + sum(passing) == planned
    drawer.locator(".passing summary").first.click()
    assert drawer.locator(".passing").first.locator("li").count() == passing[0]
    cell.click()
    assert page.locator(".drawer").count() == 0


@pytest.mark.browser
def test_a_webhook_failure_shows_request_answer_and_a_lane_per_leg(visit: Any) -> None:
    page = visit("many").page
    page.fill("#search", "webhooks.answered:order")
    page.locator("#list .finding summary").first.click()
    lanes = page.locator(".lanes").first
    assert lanes.locator(".head").all_inner_texts()[1:] == ["requests", "leg A", "leg B"]
    assert lanes.locator(".mark").count() == 7
    assert "signature invalid" in lanes.locator(".mark.ill").inner_text()
    assert "+14.000 s" in lanes.inner_text()
    assert '"$TELNYX_API_KEY"' in page.locator(".inside pre").first.inner_text()


@pytest.mark.browser
def test_searching_and_filtering_narrow_what_is_shown_and_say_when_nothing_is_left(visit: Any) -> None:
    page = visit("many").page
    page.fill("#search", "no such requirement")
    assert page.locator("#list .finding").count() == 0
    assert page.locator("#found").inner_text().startswith("0 of ")
    page.fill("#search", "")
    page.locator("#verdicts button", has_text="inconclusive").click()
    assert page.locator("#list .finding:not(.inconclusive)").count() == 0
    page.fill("#filter", "brands")
    assert 0 < page.locator("tr[data-group]:visible").count() < 10
    page.fill("#filter", "zzzz")
    assert page.locator("#no-rows").is_visible()


@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", ["conforms", "many", "hostile"])
def test_the_page_fits_a_phone_in_light_and_dark(visit: Any, name: str, scheme: str) -> None:
    page = visit(name, viewport=PHONE, color_scheme=scheme).page
    if name != "conforms":
        page.fill("#search", "webhooks")
        page.locator("#list .finding summary").first.click()
        inner, outer = (page.locator(where).first.bounding_box() for where in ("#list .said.got", "#list .finding"))
        assert inner["x"] + inner["width"] <= outer["x"] + outer["width"]
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    cell = page.locator(".cell").first
    cell.scroll_into_view_if_needed()
    box = cell.bounding_box()
    assert 0 <= box["x"] < box["x"] + box["width"] <= 390
    assert box["height"] >= 30


@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_from_its_background(visit: Any, scheme: str) -> None:
    """WCAG's 4.5 to 1, for everything that has a colour of its own."""
    page = visit("many", color_scheme=scheme).page
    page.locator("#list .finding summary").first.click()
    for selector in (
        "h1",
        ".figure p:last-child",
        ".cell.pass",
        ".cell.fail",
        ".finding .where",
        ".said.got",
        ".level",
        ".key",
    ):
        assert page.locator(selector).first.evaluate(CONTRAST) >= 4.5, selector


CONTRAST = """element => {
  const channels = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const light = (colour) => {
    const linear = (c) => (c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
    const [r, g, b] = channels(colour).slice(0, 3).map((c) => linear(c / 255));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  let behind = element;
  while (behind && (channels(getComputedStyle(behind).backgroundColor)[3] ?? 1) === 0) behind = behind.parentElement;
  const both = [light(getComputedStyle(element).color), light(getComputedStyle(behind).backgroundColor)];
  const [high, low] = both.sort((a, b) => b - a);
  return (high + 0.05) / (low + 0.05);
}"""


@pytest.mark.browser
def test_everything_but_the_lists_is_there_without_javascript(browser: Any, pages: dict[str, Path]) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(pages["many"].as_uri())
    assert page.locator("h1").inner_text() == "Does not conform"
    assert page.locator("tr[data-group]").count() == 128
    assert "need JavaScript" in page.locator("noscript").inner_text()
    context.close()
