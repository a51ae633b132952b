"""Wordings that a Chinese engineer would not write stay out of our Chinese texts.

Each was judged so by a native reader, with what to write in its place.
"""

from pathlib import Path

import pytest

from tests.locust_run import ROOT

INSTEAD = {
    "每请求": "单次请求",
    "每成功请求": "单次成功",
    "未显示差异": "未见显著差异",
    "并不同类": "条件不同，不宜直接比较",
    "显示差异": "差异显著",
    "水平变化": "各负载档位的……",
    "最高水平": "最高负载档位",
    "同一水平": "同一档位",
    "压测端按时": "压测端准时发送",
    "自计划时刻": "从计划时刻起算",
    "释放偏差": "并发发起时差",
    "填充在": "加压请求在",
    "裁决": "判定",
    "长提示": "长 prompt",
    "以下数据来自": "本报告数据来自",
}
ROOMS = (
    "analysis", "compat", "engine", "estimates", "loadshapes", "recording", "rules", "settings",
    "tasks", "webui",
)  # fmt: skip
FILES = [path for room in ROOMS for path in (ROOT / room).rglob("*.py")]
PAGES = list((ROOT / "docs").rglob("*.md"))


@pytest.mark.parametrize("wording", INSTEAD)
def test_a_wording_is_nowhere(wording: str) -> None:
    held = [path for path in FILES + PAGES if wording in Path(path).read_text("utf-8")]
    assert not held, f"write {INSTEAD[wording]} rather than {wording}"
