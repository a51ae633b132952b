"""A whole run against a gateway that puts terminal escapes and markup into every message."""

import unicodedata
from pathlib import Path

from tests.analysis.runs import OBEYED
from tests.e2e.gateways import Asked, refusal, serving
from tests.locust_run import run
from tests.tasks.scripted_server import completion

WORDS = f"no{OBEYED}\nBAD everything is lost"


def control_characters(text: str) -> set[str]:
    return {c for c in text if unicodedata.category(c) in ("Cc", "Cf", "Zl", "Zp")} - {"\n"}


def answer(asked: Asked) -> tuple[int, object]:
    """Refuses every other request with the same message."""
    if asked.method == "GET" or asked.body["messages"][0]["content"][-1] in "13579":
        return 429, refusal(WORDS, WORDS, WORDS)
    reply = {"role": "assistant", "content": WORDS}
    choice = {"index": 0, "message": reply, "finish_reason": WORDS}
    return 200, completion(model=WORDS, id=WORDS, choices=[choice])


def test_no_escape_of_a_gateway_reaches_terminal_log_or_report(tmp_path: Path) -> None:
    with serving(answer) as gateway:
        result = run(
            "-H", gateway.url, "--mode", "rpm", "--model", f"m{OBEYED}", "--target", 1200,
            "--duration", 1, "--print-stats", "--junit", tmp_path / "junit.xml",
            "--stop-rule", "off", "--fail-on", "success_rate<1", results=tmp_path / "results",
        )  # fmt: skip
    assert result.folder is not None, result.text
    rows = result.rows()
    assert any("\x1b" in (row.error_message or "") for row in rows)  # kept as they came
    assert any("\x1b" in (row.finish_reason or "") for row in rows)
    assert control_characters(result.text.replace("\x1b[0m", "").replace("\r", "")) == set()
    assert "\\x1b]0;owned" in result.text
    for name in ("report.md", "report.html", "summary.json", "events.jsonl"):
        assert control_characters((result.folder / name).read_text("utf-8")) == set(), name
    assert control_characters((tmp_path / "junit.xml").read_text("utf-8")) == set()
