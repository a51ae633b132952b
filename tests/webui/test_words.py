"""Our pages have both languages: every text they use exists, and none is left in English."""

import re

import pytest

from settings.options import Options
from tests.locust_run import ROOT
from tests.webui.conftest import Serve
from webui import fields, words

STATIC, PAGES = ROOT / "webui" / "static", ROOT / "webui" / "pages"
# Names and abbreviations that are the same in both languages.
SAME = {
    "JavaScript",
    "UTC",
    "URL",
    "base",
    "RPM",
    "TPM",
    "P50",
    "P95",
    "P99",
    "TTFT",
    "CSV",
    "JSONL",
    "HTML",
    "SIMULATED",
    "token",
    "Locust",
    "https",
    "host",
    "v1",
}


@pytest.mark.parametrize("table", [words.columns, words.files, words.texts])
def test_the_chinese_texts_are_chinese(table: object) -> None:
    """Apart from names of measures and formats they have no Latin words."""
    for text in table("zh").values():  # type: ignore[operator]
        assert set(re.findall(r"[A-Za-z]\w+", text)) <= SAME, text


def test_every_word_that_a_script_names_exists() -> None:
    known = words.texts("en").keys()
    for path in STATIC.glob("*.js"):
        script = path.read_text(encoding="utf-8")
        assert set(re.findall(r"\bwords\.(\w+)", script)) <= known, path
    keys = re.findall(r'key: "(\w+)", lines: \[(.*?)\]', (STATIC / "charts.js").read_text("utf-8"))
    named = {f"chart_{key}" for key, _ in keys}
    named |= {f"line_{line}" for _, lines in keys for line in re.findall(r"\w+", lines)}
    assert len(keys) == 4 and named <= known


def test_a_page_names_words_that_exist() -> None:
    for path in PAGES.glob("*.html"):
        named = re.findall(r"\bt\.(\w+)", path.read_text(encoding="utf-8"))
        assert set(named) <= words.texts("en").keys(), path


def test_no_script_and_no_page_has_a_text_of_its_own() -> None:
    """Every visible text comes from webui/words.py."""
    for path in PAGES.glob("*.html"):
        page = re.sub(r"\{[%{].*?[%}]\}", "", path.read_text(encoding="utf-8"))
        texts = re.findall(r">([^<>]*[A-Za-z][^<>]*)<", page)
        assert set(map(str.strip, texts)) <= {"Weighbridge", "- Weighbridge"}, path
    for path in STATIC.glob("*.js"):
        script = re.sub(r"//.*", "", path.read_text(encoding="utf-8"))
        assert not re.findall(r'textContent = "[A-Za-z]', script), path


def test_every_field_of_the_form_has_its_words_in_both_languages() -> None:
    """A label and a help text; a new option of the form gets them in settings/chinese.py."""
    for english, chinese in zip(fields.groups(Options(), "en"), fields.groups(Options(), "zh"),
                                strict=True):  # fmt: skip
        assert english.purpose != chinese.purpose
        for field, other in zip(english.fields, chinese.fields, strict=True):
            assert field.help and re.search(r"[\u4e00-\u9fff]", other.help), field.name


def test_a_server_with_lang_zh_shows_chinese(serve: Serve) -> None:
    """The tab's columns, the links, the charts' page and the words of its scripts."""
    server = serve("--lang", "zh", "--simulator", "--simulator-profile", "fast")
    form = server.open("/").read().decode()
    assert "能稳定在什么速率" in form and "窗口时长" in form and 'lang="zh-CN"' in form
    index = server.open("/locust").read().decode()
    for title in words.files("zh").values():
        assert title in index or title.encode("ascii", "backslashreplace").decode() in index, title
    page = server.open("/gateway").read().decode()
    assert '<html lang="zh-CN">' in page and "尚无运行" in page and "{" not in page
    assert server.open("/gateway/report.html").read().decode() == "报告在运行结束后生成。\n"
    for wrong, said in (
        (
            {"mode": "rpm", "model": "m"},
            "缺少“目标速率”：rpm 模式需要目标 RPM。",
        ),
        ({"mode": "interactive", "model": "m", "user_count": 0}, "用户数至少为 1。"),
    ):
        refused = server.swarm(**wrong)
        assert (refused["success"], refused["message"]) == (False, said)
    server.start(mode="interactive", model="m", user_count=1)
    server.wait(lambda: server.gateway()[0]["ok"] if server.gateway() else 0, "a success")
    state = server.json("/gateway/state")
    assert state["columns"] == words.columns("zh", "CNY") and state["words"] == words.texts("zh")
    assert server.gateway()[0]["planned"] == "直至停止"
    server.stop()
    assert "压测报告" in (server.ended().folder / "report.html").read_text("utf-8")  # type: ignore[operator]
