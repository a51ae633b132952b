"""The cases of `--mode billing` and what each asks; the report reads them too. Pure."""

from dataclasses import dataclass
from typing import Any

from recording.cancel import Cancel

QUESTION = "Write the numbers from 1 to 20, separated by spaces. Ignore the lines below."
TEXTS = (
    "清晨的船队缓缓驶过长江大桥，岸上的人们挥手告别。",
    '{"城市": "上海", "count": 1234567, "ready": true}',
    "THE GATEWAY COUNTS EVERY TOKEN TWICE AT 23:59:07",
)
"""Texts that tokenizers count differently: Han, JSON, capitals and digits."""
COUNTED_REPEATS = (1, 4, 16)
COUNTED = tuple((text, k) for text in range(len(TEXTS)) for k in COUNTED_REPEATS)
"""Text and repeats of each request of the case `count`, which cycles through them."""
SAME, MANY = (0, 8), (0, 80)
"""The prompt of most cases, and one that is long enough for a cache: a text and its repeats."""
CHOICES = 2  # of the case `n`
LONG_QUESTION = "Write the numbers from 1 to 400, separated by spaces."
SHORT_QUESTION = "Answer with ok."
"""Of the requests that are to meet a rate limit."""
LONG_TOKENS = 200
"""The output budget of replies that are cancelled: more than is written within a second."""


@dataclass(frozen=True, slots=True)
class Case:
    """One case: its name in rows, its body fields besides the prompt, and its label in the report.

    `prompt`: text and repeats, where it is one of TEXTS; `max_tokens` its output budget; `cancel`:
    when each request of it is cancelled on purpose.
    """

    name: str
    en: str
    zh: str
    prompt: tuple[int, int] | None = SAME
    max_tokens: int = 64
    stream: bool = False
    cancel: Cancel | None = None


def _long(name: str, en: str, zh: str, **how: Any) -> Case:
    """A case of LONG_QUESTION, whose answer is over only after a while."""
    return Case(name, en, zh, None, LONG_TOKENS, **how)


CASES = (
    Case("plain", "plain", "非流式"),
    Case("count", "repeated texts", "重复文本", None, 16),
    Case("stream", "streamed", "流式", stream=True),
    Case("stream_no_usage", "streamed, usage not asked for", "流式，不索取 usage", stream=True),
    Case("cached", "long prompt again and again", "长 prompt 反复发送", MANY),
    Case("long", "long prompt of other text", "另一段长 prompt", (1, 80)),
    Case("tools", "tool call", "工具调用", None, 256),
    Case("image", "image", "图片", None),
    Case("reasoning", "reasoning", "推理", None, 256),
    Case("cut", "cut by its output budget", "被输出上限截断", SAME, 16),
    Case("n", "two replies (n = 2)", "两个回复（n = 2）"),
    Case("refused", "refused", "被拒绝", None, 16),
    _long("whole", "long reply, streamed to its end", "长回复，流式收完", stream=True),
    _long(
        "left_first", "cancelled before the first token", "首个 token 前取消",
        stream=True, cancel=Cancel(after_chunks=0),
    ),
    _long(
        "left_midway", "cancelled after 3 chunks", "收到 3 个 chunk 后取消",
        stream=True, cancel=Cancel(after_chunks=3),
    ),
    _long(
        "timed_out", "timed out on our side, after 1 s", "我方 1 秒超时",
        cancel=Cancel(after_s=1.0),
    ),
    Case("plain_again", "plain, at the end of a round", "非流式，每轮最后"),
    Case("limited", "many at once, for a refusal (429)", "并发请求，以引出 429", None, 16),
)  # fmt: skip
"""In the order of the report. They are sent in rounds (loadshapes/modes/billing.py): plain requests
come first and last in each. (`limited` comes after all of a run, because a rate limit lasts for a
while.)
"""
NAMED = {case.name: case for case in CASES}
BESIDE = (
    "count", "plain", "stream", "cached", "long", "tools", "image", "reasoning", "cut", "n",
)  # fmt: skip
"""Those that `--against` also sends to the reference: what it counts of the same requests."""
LEFT = tuple(case.name for case in CASES if case.cancel is not None)
"""Those whose requests are cancelled; `whole` is the same reply to its end."""


def prompt(text: int, k: int) -> str:
    """The question, then the text on `k` lines."""
    return "\n".join([QUESTION, *[TEXTS[text]] * k])


def repeats(case: str, index: int) -> tuple[int, int] | None:
    """Text and repeats of request `index` of a case; None: its prompt is not a repeated text."""
    if case == "count":
        return COUNTED[index % len(COUNTED)]
    return NAMED[case].prompt if case in NAMED else None
