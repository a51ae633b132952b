"""Is it the same model under load? The probes of `--identity-share`, part by part."""

from analysis.numbers.identity_course import courses
from analysis.page.blocks import Block, Remark, Section, Text
from analysis.page.columns import Name, table
from analysis.page.identity_parts import filtered, of_parts
from analysis.page.vocabulary import PHASE
from analysis.page.words import Words, integer
from analysis.report.view import View
from identity.mixed import Course, Part
from recording.untrusted_text import quoted

PLACE = 99  # in the report


def section(view: View) -> Section:
    """A sentence and a table per model."""
    t = view.t
    blocks: list[Block] = []
    for model, course in courses(view.run).items():
        blocks += [Text(text) for _, text in _results(t, model, course)]
        blocks.append(_table(t, model, course))
    return Section(t("The same model under load?", "负载下是否仍为同一模型"), blocks)


def remarks(view: View) -> list[Remark]:
    """For the first page: what changed, or that no change is shown."""
    return [
        Remark("good" if same else "note", text)
        for model, course in courses(view.run).items()
        for same, text in _results(view.t, model, course)
    ]


def _results(t: Words, model: str, course: Course) -> list[tuple[bool, str]]:
    """For each result: whether no change is shown, and the sentence."""
    name = t(f"{quoted(model, 60)}: ", f"{quoted(model, 60)}：")
    results, differing = list[tuple[bool, str]](), course.differing
    answers = sum(part.answers for part in course.parts)
    if differing:
        most, parts = differing[0], f"{integer(len(differing))}/{integer(len(course.parts))}"
        where, least = f"{most.phase} {_span(most)}", most.spread.p if most.spread else 1.0
        text = t(
            f"answers changed during the run: {parts} parts differ from the others, most of all "
            f"{where} (p = {least:.2g}). "
            "Possible reasons: another model or version for some requests, another provider, "
            "other sampling settings, a response cache, a guardrail or a hidden prompt.",
            f"运行期间答案有变化：{parts} 段与其余各段有差异，"
            f"其中以 {where} 最明显（p = {least:.2g}）。"
            "可能的原因：部分请求由其他模型或版本应答、供应商不同、"
            "采样参数不同、应答缓存、内容防护或隐藏 prompt。",
        )
        results.append((False, name + text))
    elif len(course.parts) > 1:
        text = t(
            f"no change in its answers is shown: {integer(answers)} probes in "
            f"{integer(len(course.parts))} parts." + _would(t, course.shown),
            f"未见答案变化：{integer(len(course.parts))} 段共 {integer(answers)} 个探测请求。"
            + _would(t, course.shown),
        )
        results.append((True, name + text))
    else:
        text = t(
            f"only {integer(answers)} probes were answered: too few to compare parts of the run.",
            f"仅有 {integer(answers)} 个探测请求得到应答，不足以比较不同时段。",
        )
        results.append((False, name + text))
    if course.filtered:
        results.append((False, name + filtered(t, course.filtered)))
    if len(course.tokens) > 1:
        listed = t.join(
            [integer(n) + t.aside(integer(k)) for n, k in sorted(course.tokens.items())]
        )
        text = t(
            f"identical prompts were counted as {listed} tokens: a hidden prompt that changes "
            "(one with the time of day, say), or several counters.",
            f"完全相同的 prompt 被计为 {listed} 个 token："
            "可能有会变化的隐藏 prompt（如含当前时间），也可能有多个计数器。",
        )
        results.append((False, name + text))
    return results


def _would(t: Words, share: float | None) -> str:
    if share is None:
        return t(
            " So few could not have shown one: give a larger --identity-share or a longer run.",
            "数量过少，本就无法看出变化：请加大 --identity-share 或延长运行。",
        )
    return t(
        f" If {share:.0%} of the answers of one part had been other words, this would have been "
        "detected with 90 % probability; a smaller change may go unnoticed.",
        f"若某一段有 {share:.0%} 的答案变为其他词，有 90 % 的把握发现；更少则未必。",
    )


def _table(t: Words, model: str, course: Course) -> Block:
    return table(
        t,
        course.parts,
        [
            PHASE.of(lambda part: part.phase),
            Name("Into the phase", "阶段内时间").of(_span),
            *of_parts(t),
        ],
        title=model,
        how=t(
            "Probes are part of the load and count in its rates and times. Each part is compared "
            "with all others by an exact permutation test and differs if "
            f"p <= {course.alpha:.2g}, so that at most 1 of 100 runs has a false alarm.",
            "探测请求是负载的一部分，计入速率与时间。每段与其余各段以精确置换检验比较；"
            f"p <= {course.alpha:.2g} 才判为有差异，正常运行的误报概率不超过 1 %。",
        ),
    )


def _span(part: Part) -> str:
    return f"{part.from_s:.0f}–{part.to_s:.0f} s"
