"""One check of a run: what was judged, and the result; and the sentence on all that failed."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf
from typing import Literal

from analysis.page.words import Words
from recording.counted import counted
from rules.conditions import Condition

RUN = "the run"
_EXAMPLES = 5


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was judged, and the result.

    `subject` is a phase or RUN. `condition` is None if a `claim` was judged instead of a number.
    `finding` says what was found, and for a claim `finding_zh` says it in Chinese. `wall_s` is how
    many seconds the subject was under load (0: unknown). `value` is the number that was compared,
    in the condition's unit (None: unknown), and `cell` is the table cell for a value that is not a
    single number.
    """

    subject: str
    condition: Condition | None
    verdict: Literal["passed", "failed", "unknown"]
    finding: str
    wall_s: float = 0.0
    value: float | None = None
    claim: str = "complete"
    cell: str = ""
    finding_zh: str = ""

    @property
    def passed(self) -> bool:
        """Whether the check passed; an unknown value does not pass."""
        return self.verdict == "passed"

    @property
    def requirement(self) -> str:
        """What was required: `rpm/m/600: not p95_s>10`."""
        return f"{self.subject}: {f'not {self.condition}' if self.condition else self.claim}"

    def __str__(self) -> str:
        """What was found: `rpm/m/600: p95_s is 12.3 s (fails if >10)`, on one line."""
        if self.condition is None:
            text = f"{self.subject} {self.finding}"
        else:
            text = f"{self.subject}: {self.finding} (fails if {self.condition.bound})"
        return " ".join(text.split())

    def text(self, t: Words) -> str:
        """`str` in the language of `t`; the Chinese leaves out why a value is unknown."""
        subject = "本次运行" if self.subject == RUN else f"{self.subject} "
        if self.condition is None:
            return t(str(self), f"{subject}{self.finding_zh}")
        value_text = "" if self.value is None else figure(self.value, self.condition)
        value_text = self.cell.replace(" (", "（").replace(")", "）") or value_text
        value = f"为 {value_text}" if value_text else "未知"
        if value_text and self.verdict == "unknown":
            value = f"为 {value_text}，无法判定"
        condition = self.condition
        chinese = f"{subject.rstrip()}：{condition.metric} {value}（要求 {condition.requirement}）"
        return t(str(self), chinese)


def sentence(checks: Sequence[Check], t: Words) -> str:
    """What failed, in one sentence; empty if nothing did."""
    failed = [check.text(t) for check in checks if not check.passed]
    if not failed:
        return ""
    if len(checks) == 1:
        return f"{failed[0]}{t.stop}"
    texts = failed[:_EXAMPLES]
    if (more := len(failed) - _EXAMPLES) > 0:
        texts.append(t(f"and {more} more", f"另有 {more} 项"))
    head = t(f"{len(failed)} of {counted(len(checks), 'check')} failed",
             f"{len(checks)} 项检查中 {len(failed)} 项未通过")  # fmt: skip
    return f"{head}{t.colon}{t.clauses(texts)}{t.stop}"


def figure(value: float, condition: Condition) -> str:
    """The value in few digits, but in enough to show on which side of the limit it lies."""
    if value == inf:
        return "-"
    short = f"{value:.6g}" if abs(value) < 1e6 else f"{value:.0f}"
    return short if condition.met(float(short)) == condition.met(value) else repr(value)
