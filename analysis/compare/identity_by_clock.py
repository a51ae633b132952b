"""Whether a model's answers change with the hour or the day: the identity probes of many runs."""

from collections.abc import Mapping, Sequence
from typing import Any

from analysis.numbers.identity_course import probes
from analysis.page.blocks import Block, Text
from analysis.page.columns import Name, table
from analysis.page.identity_parts import filtered, of_parts
from analysis.page.words import Words, integer
from analysis.reading.load import Run
from identity.by_clock import Partition, by_day, by_hour
from identity.mixed import ProbeAnswer
from recording.untrusted_text import quoted

CLOCKS = {
    "hour": (by_hour, Name("Hours of the day (UTC)", "一天中的时段（UTC）")),
    "day": (by_day, Name("Days (UTC)", "日期（UTC）")),
}


def partitions(runs: Sequence[Run]) -> Mapping[str, Mapping[str, Partition]]:
    """By model, then by `hour` and `day`; models without probes are left out."""
    by_model: dict[str, list[ProbeAnswer]] = {}
    for run in runs:
        for model, answers in probes(run).items():
            by_model.setdefault(model, []).extend(answers)
    return {
        model: {clock: split(answers, len(by_model)) for clock, (split, _) in CLOCKS.items()}
        for model, answers in by_model.items()
    }


def blocks(runs: Sequence[Run], t: Words) -> list[Block]:
    """A sentence and a table for each model and clock."""
    return [
        block
        for model, clocks in partitions(runs).items()
        for clock, partition in clocks.items()
        for block in (
            Text(_sentence(t, model, clock, partition) + _filtered(t, partition)),
            _table(t, model, clock, partition),
        )
    ]


def as_list(runs: Sequence[Run]) -> list[dict[str, Any]]:
    """The same as plain data."""
    return [
        {
            "model": model,
            "by": clock,
            "alpha": partition.course.alpha,
            "differing": partition.differing,
            "shown_share": partition.course.shown,
            "parts": [
                {
                    "name": name,
                    "answers": part.answers,
                    "effect": part.spread.effect if part.spread else None,
                    "p": part.spread.p if part.spread else None,
                    "prompt_tokens": {str(n): k for n, k in sorted(part.tokens.items())},
                }
                for name, part in zip(partition.names, partition.course.parts, strict=True)
            ],
        }
        for model, clocks in partitions(runs).items()
        for clock, partition in clocks.items()
    ]


def _sentence(t: Words, model: str, clock: str, partition: Partition) -> str:
    name, course = quoted(model, 60), partition.course
    answers = integer(sum(part.answers for part in course.parts))
    of_day = clock == "hour"
    if partition.differing:
        listed = t.join(partition.differing)
        return t(
            f"{name}: answers {'at' if of_day else 'on'} {listed} (UTC) differ from those of all "
            "other times. Possible reasons: another model or version at these times, another "
            "provider, other sampling settings, a response cache, a guardrail or a hidden prompt.",
            f"{name}：{listed}（UTC）的答案与其余时间有差异。可能的原因：这些时间由其他模型或版本"
            "应答、供应商不同、采样参数不同、应答缓存、内容防护或隐藏 prompt。",
        )
    if len(course.parts) < 2:
        return t(
            f"{name}: {answers} probes are too few, or too close in time, to compare "
            f"{'hours' if of_day else 'days'}.",
            f"{name}：{answers} 个探测请求数量过少或时间过于集中，"
            f"无法比较不同{'时段' if of_day else '日期'}。",
        )
    return t(
        f"{name}: no change with the {'hour' if of_day else 'day'} shown in {answers} answers of "
        f"{integer(len(course.parts))} {'stretches' if of_day else 'dates'}."
        + _power(t, course.shown),
        f"{name}：{integer(len(course.parts))} 个{'时段' if of_day else '日期段'}"
        f"共 {answers} 个答案，未见随{'时段' if of_day else '日期'}变化。"
        + _power(t, course.shown),
    )


def _filtered(t: Words, partition: Partition) -> str:
    questions = partition.course.filtered
    return t.gap + filtered(t, questions) if questions else ""


def _power(t: Words, share: float | None) -> str:
    if share is None:
        return t(
            " They are too few to have shown one: probe more (--identity-share) or run more often.",
            "数量过少，本就无法看出变化：请加大 --identity-share 或增加运行次数。",
        )
    return t(
        f" Had {share:.0%} of the answers of one of them become other words, it would have shown "
        "with 90 %; less may not.",
        f"若其中一段有 {share:.0%} 的答案变为其他词，有 90 % 的把握发现；更少则未必。",
    )


def _table(t: Words, model: str, clock: str, partition: Partition) -> Block:
    rows = list(zip(partition.names, partition.course.parts, strict=True))
    return table(
        t,
        rows,
        [
            CLOCKS[clock][1].of(lambda row: row[0]),
            *(column.on(lambda row: row[1]) for column in of_parts(t)),
        ],
        title=model,
        how=t(
            "Each is compared with all others by an exact permutation test; it differs where "
            f"p <= {partition.course.alpha:.2g}, so that hours and days together alarm in at most "
            "1 of 100 timelines of an honest gateway.",
            "每段与其余各段以精确置换检验比较；"
            f"p <= {partition.course.alpha:.2g} 才判为有差异，正常网关的时间线上时段与日期合计的"
            "误报概率不超过 1 %。",
        ),
    )
