"""Our own pages in a real Chromium: the form, the live page, past runs."""

import re
from collections import Counter
from dataclasses import fields as fields_of
from pathlib import Path
from typing import Any

import pytest

from loadshapes.modes import MODES
from recording.arms import GATEWAY, REFERENCE
from settings.option import readers
from settings.options import Options
from tests.simulated import Simulator
from tests.webui.browser import Browser
from tests.webui.conftest import Serve
from tests.webui.server import WebServer

NARROW, WIDE = {"width": 390, "height": 844}, {"width": 1440, "height": 900}
# The least contrast of a text with what is behind it, over the page: WCAG 2.2, 1.4.3 asks for 4.5.
CONTRAST = """() => {
  const rgba = (text) => (text.match(/[\\d.]+/g) ?? []).map(Number);
  const light = ([r, g, b]) => [r, g, b].map((c) => c / 255)
    .map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4))
    .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = (e) => {
    for (; e; e = e.parentElement) {
      const colour = rgba(getComputedStyle(e).backgroundColor);
      if (colour.length === 3 || colour[3] === 1) return colour;
    }
    return [255, 255, 255];
  };
  let worst = [21, ""];
  for (const e of document.querySelectorAll("body *")) {
    const own = [...e.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim());
    if (!own || !e.checkVisibility() || e.closest("svg")) continue;
    const [a, b] = [light(rgba(getComputedStyle(e).color)), light(behind(e))].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    if (ratio < worst[0]) worst = [ratio, e.outerHTML.slice(0, 200)];
  }
  return worst;
}"""
# Inputs and links that nothing names.
UNNAMED = """() => [...document.querySelectorAll("input, select, button, a, table, progress")]
  .filter((e) => e.checkVisibility() && !(e.labels?.length || e.ariaLabel || e.textContent.trim()))
  .map((e) => e.outerHTML)"""


def offered(browser: Browser) -> set[str]:
    """The fields that can be filled in at the moment."""
    names: list[str] = browser.page.eval_on_selector_all(
        ".field :is(input, select)", "all => all.filter(e => !e.disabled).map(e => e.name)"
    )
    return {*names}


def test_a_run_is_started_with_the_keyboard_alone(server: WebServer, browser: Browser) -> None:
    page = browser.page
    page.goto(server.url + "/?mode=smoke")
    page.locator("#first .field").first.wait_for()

    def tab_to(name: str) -> None:
        for _ in range(20):
            page.keyboard.press("Tab")
            if page.evaluate("document.activeElement.name || document.activeElement.id") == name:
                return
        raise AssertionError(f"no Tab leads to {name}")

    tab_to("mode")
    page.keyboard.press("ArrowRight")
    assert page.evaluate("document.activeElement.value") == "ladder"
    tab_to("model")
    page.keyboard.type("m")
    tab_to("steps")
    page.keyboard.press("Control+A")
    page.keyboard.type("1,2")
    page.get_by_text("This would send: 3 requests").wait_for()
    browser.picture("form")
    tab_to("go")
    page.keyboard.press("Enter")
    page.wait_for_url("**/gateway")
    page.get_by_text("finished its plan").wait_for()
    assert [row.phase for row in server.ended().rows()] == ["ladder/m/1", *["ladder/m/2"] * 2]


def test_the_form_offers_what_the_chosen_mode_reads_and_no_more(
    server: WebServer, browser: Browser
) -> None:
    page = browser.page
    page.goto(server.url)
    for mode in MODES:
        page.locator(f"[name=mode][value={mode}]").check()
        mine = [item for item in fields_of(Options) if mode in readers(item)]
        read = {i.name for i in mine if i.metadata["web"] or i.name == "against"}
        by_hand = {"user_count", "spawn_rate", "run_time"} if mode == "interactive" else set()
        assert offered(browser) == (read - {"mode"}) | by_hand, mode
        assert page.locator(f"[data-about={mode}]").is_visible()
        visible_count = page.locator("#first .field:not([hidden])").count()
        assert 1 <= visible_count <= 9, f"{mode} begins with {visible_count} fields"


def test_a_chinese_server_says_in_chinese_what_cannot_be_compared(
    serve: Serve, browser: Browser
) -> None:
    server, page = serve("--lang", "zh", "--simulator", "--simulator-profile", "fast"), browser.page
    for form in ({"mode": "smoke"}, {"mode": "ladder", "steps": "1"}):
        server.start(model="m", **form)
        server.ended()
    page.goto(server.url + "/gateway/compare?run=" + "&run=".join(server.folders()))
    told = page.inner_text(".alert")
    assert "模式：smoke / ladder" in told and "阶段 ladder/m/1 仅见于 ladder-" in told
    left = re.sub(r"[\w/.-]*\d[\w/.-]*|smoke(/\w+)*|ladder|--force", "", told, flags=re.A)
    assert re.findall(r"[A-Za-z]+", left) == []
    browser.errors.clear()  # HTTP 409


def test_a_chinese_server_refuses_in_chinese(serve: Serve, browser: Browser) -> None:
    server, page = serve("--lang", "zh", "--simulator", "--simulator-profile", "fast"), browser.page
    page.goto(server.url + "/?mode=rpm")
    page.locator("[name=model]").fill("m")
    page.locator("[name=timeout]").evaluate("e => { e.value = 'soon' }")
    page.get_by_text("尚不能开始：").wait_for()
    page.locator("[name=go], #go").first.click()
    alert = page.get_by_role("alert")
    alert.filter(has_text="“超时”应为秒数，或 90s、1m、1h30m 这样的时长").wait_for()
    browser.picture("refused-zh")


def test_a_reference_is_chosen_in_the_form_and_both_routes_are_sent_to(
    server: WebServer, browser: Browser
) -> None:
    """Only references that the operator configured can be chosen, and an embedded simulator."""
    page = browser.page
    page.goto(server.url + "/?mode=rpm")
    for name, value in {"model": "gpt-5.4-nano", "target": "120", "duration": "2"}.items():
        page.locator(f"[name={name}]").fill(value)
    chosen = page.locator("[name=against]")
    chosen.evaluate("e => { e.closest('details').open = true }")
    assert chosen.locator("option").all_inner_texts()[1:] == ["simulator"]
    chosen.select_option("simulator")
    page.get_by_role("button", name="Start").click()
    page.wait_for_url("**/gateway")
    page.get_by_text("finished its plan").wait_for()
    rows = server.ended().rows()
    assert Counter(row.arm for row in rows) == {GATEWAY: 4, REFERENCE: 4}
    assert {row.outcome for row in rows} == {"ok"}


def test_a_refused_start_is_reported_beside_the_form_and_its_field_is_shown(
    server: WebServer, browser: Browser
) -> None:
    page = browser.page
    before = server.folders()
    page.goto(server.url + "/?mode=rpm")
    page.locator("[name=model]").fill("m")
    page.locator("[name=target]").fill("60")
    page.locator("[name=timeout]").evaluate("e => { e.value = 'soon' }")
    page.get_by_role("button", name="Start").click()
    alert = page.get_by_role("alert")
    alert.filter(has_text="“Timeout” takes a number of seconds").wait_for()
    assert page.locator("[name=timeout]").is_visible(), "its group is opened"
    assert page.locator("[name=timeout]").get_attribute("aria-invalid") == "true"
    assert page.evaluate("document.activeElement.name") == "timeout"
    assert page.url.startswith(server.url + "/?") and server.folders() == before
    page.locator("[name=timeout]").fill("45")
    page.locator("[name=mode][value=replay]").check()
    page.get_by_text("Give it on the command line that starts this server").wait_for()


def test_the_live_page_shows_failures_the_time_left_and_why_the_run_ended(
    simulator: type[Simulator], serve: Serve, browser: Browser
) -> None:
    faulty = simulator("--profile", "fast", "--fault", "error_502=0.5")
    server = serve("-H", faulty.url)
    server.start(mode="rpm", model="m", target="600,1200", duration="8", budget="5",
                 stop_rule="off")  # fmt: skip
    page = browser.page
    page.goto(server.url + "/gateway")
    page.get_by_text("server_error (HTTP 502)").first.wait_for()
    words = server.json("/gateway/state")["failures"][0]["said"]
    assert words and words in page.inner_text("#gateway-said")
    facts = page.inner_text("#gateway-facts")
    assert re.search(r"Now\s+rpm/m/600 \(\d/\d\)\s+Next\s+rpm/m/1200\s+Time left\s+about 0:", facts)
    assert re.search(r"Budget used\s+[\d.]+ of 5", facts)
    browser.picture("live")
    page.get_by_role("button", name="Stop").click()
    page.get_by_text("the run was stopped by hand").wait_for()
    assert page.locator("#gateway-stop").is_hidden()
    server.ended()
    server.process.kill()
    page.get_by_role("alert").filter(has_text="does not answer").wait_for()
    # The server was killed: what it was answering just then was cut, or not taken at all.
    browser.errors = [complaint for complaint in browser.errors if "net::ERR_" not in complaint]


def test_users_are_changed_by_hand_on_the_live_page(server: WebServer, browser: Browser) -> None:
    server.start(mode="interactive", model="m", user_count=1, spawn_rate=10)
    page = browser.page
    page.goto(server.url + "/gateway")
    page.get_by_label("Users", exact=True).fill("0")
    page.get_by_role("button", name="Change").click()
    page.get_by_text("must be at least 1").wait_for()
    page.get_by_label("Users", exact=True).fill("3")
    page.get_by_role("button", name="Change").click()
    server.wait(lambda: server.gateway()[0]["flight"] == 3, "three in flight")
    page.get_by_role("button", name="Stop").click()
    page.get_by_text("finished its plan").wait_for()
    server.ended()


def test_past_runs_are_listed_opened_compared_and_downloaded(
    server: WebServer, browser: Browser, tmp_path: Path
) -> None:
    for _ in range(2):
        server.start(mode="rpm", model="m", target=1800, duration=1)
        last = server.ended().folder
    assert last is not None
    page = browser.page
    page.goto(server.url + "/gateway/runs")
    row = page.locator("#runs tbody tr").first
    assert last.name in row.inner_text() and "30" in row.inner_text()
    browser.picture("runs")
    with page.expect_download() as saved:
        row.get_by_role("link", name="CSV").click()
    saved.value.save_as(tmp_path / "rows.csv")
    assert len((tmp_path / "rows.csv").read_text("utf-8").splitlines()) == 31
    with page.expect_download() as saved:
        row.get_by_role("link", name="report", exact=True).click()
    assert saved.value.suggested_filename == f"{last.name}-report.html"
    for box in page.get_by_role("checkbox").all()[:2]:
        box.check()
    page.get_by_role("button", name="Compare").click()
    page.wait_for_url("**/gateway/compare?*")
    assert last.name in page.inner_text("body") or "not alike" in page.inner_text("body")
    page.goto(server.url + "/gateway/runs")
    page.locator("#runs tbody tr").first.get_by_role("link", name=last.name).click()
    page.wait_for_url("**/report.html")
    assert last.name in page.inner_text("body")
    assert page.locator("h1").evaluate("e => getComputedStyle(e).fontSize") != "32px", (
        "it is styled"
    )


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_is_readable_on_a_narrow_screen_and_has_enough_contrast(
    server: WebServer, browser: Browser, scheme: str
) -> None:
    if not server.folders():
        server.start(mode="smoke", model="m")
        server.ended()
    browser.page.emulate_media(color_scheme=scheme)
    for path in ("/?mode=rpm", "/gateway", "/gateway/runs", "/gateway/compare"):
        browser.page.set_viewport_size(WIDE)
        browser.page.goto(server.url + path)
        for size in (NARROW, WIDE):
            browser.page.set_viewport_size(size)
            browser.page.wait_for_timeout(150)
            for group in browser.page.locator("details").all():
                group.evaluate("e => { e.open = true }")
            wide: Any = browser.page.evaluate("document.documentElement.scrollWidth")
            assert wide <= size["width"], (path, size)
            ratio, where = browser.page.evaluate(CONTRAST)
            assert ratio >= 4.5, (path, ratio, where)
            assert browser.page.evaluate(UNNAMED) == [], path
            browser.picture(f"{path.strip('/').replace('/', '-')[:7]}-{size['width']}-{scheme}")
    browser.errors = [
        complaint for complaint in browser.errors if "400 (BAD REQUEST)" not in complaint
    ]


def test_options_set_on_the_command_line_are_shown_without_secrets(
    gateway: Simulator, serve: Serve
) -> None:
    server = serve("-H", gateway.url, "--header", "X-Team=hidden-value", "--gateway", "")
    page = server.open("/").read().decode()
    assert "X-Team" in page and "hidden-value" not in page
    assert 'value="simulator"' in page, "a reference may be chosen"
