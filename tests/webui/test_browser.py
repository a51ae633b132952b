"""Locust's page with our part of it in a real Chromium, as a person uses it."""

import re
from pathlib import Path

import pytest

from tests.simulated import Simulator
from tests.webui.browser import Browser
from tests.webui.conftest import Serve
from tests.webui.server import WebServer

HOSTILE = "<img src=x onerror=window.broken=1>"


def number(caption: str, label: str) -> float:
    """What a chart's title says; browser and Python round a half in the last place differently."""
    match = re.match(rf"{label}: ([\d,.]+)", caption)
    assert match, caption
    return float(match[1].replace(",", ""))


@pytest.mark.long
def test_a_person_runs_a_ladder_a_window_and_users_by_hand(
    server: WebServer, browser: Browser, tmp_path: Path
) -> None:
    """Start, watch, stop, start another mode, ramp, download: all with one server process."""
    browser.start(server, mode="ladder", model="m", steps="1,2,4,8,16,32", stepPause="0.5")
    browser.tab("Gateway")
    browser.until(lambda: len(browser.cells()) >= 2, "the tab fills")
    assert browser.cells()[0][:5] == ["ladder/m/1", "1", "1", "0", "1"]
    browser.until(lambda: len(browser.cells()) >= 4, "the tab is updated")
    browser.until(
        lambda: browser.page.locator("#gateway-charts svg path.line").count() == 4, "charts"
    )
    browser.picture("ladder")
    browser.page.get_by_role("button", name="Stop").click()
    browser.page.get_by_role("button", name="New").wait_for()

    browser.start(server, mode="rpm", model="m", target="600", duration="2")
    browser.until(lambda: browser.cells() and browser.cells()[0][0] == "rpm/m/600", "the window")
    browser.page.get_by_role("button", name="New").wait_for()
    browser.until(lambda: server.gateway()[0]["ok"] == 20, "the window ends")

    browser.start(server, mode="interactive", model="m", userCount="2", spawnRate="5")
    browser.until(lambda: browser.cells()[0][3] == "2", "two in flight")
    browser.edit(userCount="6", spawnRate="10")
    browser.until(lambda: browser.cells()[0][3] == "6", "six in flight")
    browser.picture("interactive")
    browser.edit(userCount="1", spawnRate="10")
    browser.until(lambda: browser.cells()[0][3] == "1", "one in flight")
    browser.page.get_by_role("button", name="Stop").click()
    browser.page.get_by_role("button", name="New").wait_for()

    browser.until(lambda: server.json("/gateway/state")["report"], "the report")
    browser.tab("Download Data")
    for link, end in (("run's report", "report.html"), ("rows (CSV)", "requests.csv")):
        with browser.page.expect_download() as started:
            browser.page.get_by_text(link).click()
        path = tmp_path / end
        started.value.save_as(path)
        assert started.value.suggested_filename == f"{server.newest().name}-{end}"
        assert path.stat().st_size > 1000
    browser.page.goto(server.url + "/gateway")
    browser.page.locator("#gateway-table td").first.wait_for()
    browser.picture("page")


def test_the_charts_have_the_tables_numbers_and_a_line_for_each_phase(
    server: WebServer, browser: Browser
) -> None:
    server.start(mode="ladder", model="m", steps="1,8", step_pause="1")
    server.ended()
    browser.page.goto(server.url + "/gateway")
    browser.page.locator("#gateway-charts figcaption").first.wait_for()
    row = server.gateway()[-1]
    captions = browser.page.locator("#gateway-charts figcaption").all_inner_texts()
    assert number(captions[0], "Requests per minute") == pytest.approx(row["rpm"], abs=0.0501)
    assert captions[1] == f"Tokens per minute: {row['tpm']:,} (ladder/m/8)"
    assert re.search(r": \d+\.\d{3} \(ladder/m/8\)$", captions[2])
    assert number(captions[2], "Latency P95, s") == pytest.approx(row["p95"], abs=0.000501)
    cost = sum(each["cost"] for each in server.gateway())
    assert re.search(r": \d+\.\d{6}", captions[3])
    assert number(captions[3], "Cost so far") == pytest.approx(cost, abs=0.000000501)
    marks = browser.page.locator("[data-chart=rpm] .mark title").all_text_contents()
    assert marks == ["ladder/m/1", "ladder/m/8"]
    lines = browser.page.locator("[data-chart=rpm] .line").get_attribute("d") or ""
    dots = browser.page.locator("[data-chart=rpm] .dot").count()
    assert lines.count("M") == 2 and dots == 2, "a burst of a moment is a dot"
    browser.picture("bursts")


def test_an_unknown_cost_is_called_unknown_and_not_drawn(
    server: WebServer, browser: Browser
) -> None:
    """Nor is a second without an answer, and a line does not cross it."""
    page = browser.page
    page.goto(server.url + "/gateway")
    latencies = [1.0, 1.2, None, 3.0, 2.0]
    state = {
        "words": server.json("/gateway/state")["words"], "currency": "CNY", "point_s": 10,
        "marks": [{"phase": "rpm/m/60", "second": 0}],
        "rows": [{"phase": "rpm/m/60", "rpm": 0, "tpm": 0, "p95": None, "cost": "unknown"}],
        "points": [{"phase": "rpm/m/60", "second": i + 1, "rpm": 0, "failed": 60, "tpm": 0,
                    "p95": p95, "cost": None} for i, p95 in enumerate(latencies)],
    }  # fmt: skip
    page.evaluate(
        "state => { const place = document.createElement('div'); place.id = 'drawn';"
        " document.body.append(place); gatewayCharts.show(place, state); }",
        state,
    )
    assert page.inner_text("#drawn [data-chart=cost] figcaption") == "Cost so far: unknown"
    assert page.inner_text("#drawn [data-chart=p95] figcaption") == "Latency P95, s"
    assert page.inner_text("#drawn [data-chart=rpm] figcaption").endswith("; failed (red)")
    assert page.locator("#drawn .line.cost").get_attribute("d") == ""
    p95 = page.locator("#drawn .line.p95").get_attribute("d") or ""
    assert [part.count(",") for part in p95.split("M")[1:]] == [2, 2]


def test_the_gateway_tab_follows_a_run_that_was_started_elsewhere(
    server: WebServer, browser: Browser
) -> None:
    server.start(mode="ladder", model="m", steps="1", step_pause="0")
    server.ended()
    browser.page.goto(server.url + "/locust?tab=gateway")
    browser.until(lambda: [row[0] for row in browser.cells()] == ["ladder/m/1"], "the first run")
    server.start(mode="smoke", model="n")
    last = server.ended()
    browser.until(lambda: "smoke/chat/n" in str(browser.cells()), "the second run")
    assert last.folder and last.folder.name in browser.page.inner_text("#gateway-run")
    assert "ladder/m" not in browser.page.inner_text("body")


def test_a_wrong_form_shows_the_sentence_and_stays(server: WebServer, browser: Browser) -> None:
    browser.start(server, mode="rpm", model="m", target="many")
    browser.page.get_by_text("“Target” takes whole numbers").wait_for()
    browser.picture("refused")
    assert browser.page.get_by_role("button", name="Start", exact=True).is_visible()


def test_no_name_and_no_gateway_message_runs_as_html(
    simulator: type[Simulator], serve: Serve, browser: Browser
) -> None:
    """The model's name, task ids and the gateway's errors contain a script tag."""
    faulty = simulator("--profile", "fast", "--fault", "error_502=0.5")
    server = serve("-H", faulty.url)
    browser.start(server, mode="rpm", model=HOSTILE, target="600", duration="1",
                  taskIdPrefix=HOSTILE, stopRule="off")  # fmt: skip
    for name in ("Gateway", "Statistics", "Failures", "Exceptions", "Logs", "Charts"):
        browser.tab(name)
        browser.page.wait_for_timeout(300)
    browser.page.get_by_role("button", name="New").wait_for()
    browser.tab("Gateway")
    browser.until(lambda: HOSTILE in browser.page.inner_text("#gateway-table"), "the name as text")
    for path in ("/locust?tab=gateway", "/gateway", "/stats/report"):
        browser.page.goto(server.url + path)
        browser.page.wait_for_timeout(1100)
        assert HOSTILE in browser.page.inner_text("body")
        assert browser.page.evaluate("window.broken") is None
        assert browser.page.locator("img[onerror]").count() == 0


def test_the_policy_lets_no_inline_script_run(server: WebServer, browser: Browser) -> None:
    """Even if a tag got into a page, its script would not run."""
    for path in ("/", "/locust", "/gateway", "/gateway/runs", "/stats/report"):
        browser.page.goto(server.url + path)
        browser.page.evaluate(
            "() => { const d = document.createElement('div'); document.body.append(d);"
            f" d.innerHTML = '{HOSTILE}'; }}"
        )
        browser.page.wait_for_timeout(300)
        assert browser.page.evaluate("window.broken") is None
    assert any("Content Security Policy" in error for error in browser.errors)
    browser.errors.clear()


def test_a_refused_edit_is_reported_where_it_was_clicked(
    server: WebServer, browser: Browser
) -> None:
    """Locust's own page closes the dialog as if the change had been made."""
    browser.start(server, mode="rpm", model="m", target="600", duration="60")
    browser.page.get_by_role("button", name="Edit").wait_for()
    browser.edit(userCount="5", spawnRate="5")
    alert = browser.page.get_by_role("alert").filter(has_text="keeps to its plan: stop it first")
    alert.wait_for()
    browser.picture("refused-edit")
    browser.page.locator("#gateway-refusal button").click()
    browser.until(lambda: browser.page.locator("#gateway-refusal").is_hidden(), "it can be closed")
    browser.page.get_by_role("button", name="Stop").click()
    browser.page.get_by_role("button", name="New").wait_for()
    browser.start(server, mode="rpm", model="m", target="1000000", duration="10")
    browser.page.get_by_text("press Start once more").wait_for()
    browser.picture("asked-about")
    assert browser.page.locator("#gateway-refusal").is_hidden(), "the page says it by itself"
