"""A rough estimate of a plan's tokens and time before anything is sent. Pure."""

from collections.abc import Sequence

from engine import bound
from loadshapes.modes import MODES
from loadshapes.own_traffic.trace_slice import lasting
from loadshapes.own_traffic.traffic import Traffic
from loadshapes.own_traffic.traffic import prompt_tokens as line_tokens
from loadshapes.phase import Phase
from loadshapes.plan import Plan
from recording.bilingual import Bilingual
from recording.counted import counted
from recording.json_values import text_of
from recording.record import RequestRecord
from rules.prices import Prices
from settings.options import Options
from tasks.builders import build
from tasks.prompts import Request

CHARACTERS_PER_TOKEN = 4  # of English text; a rule of thumb, other text needs more tokens
ANSWER_S = 5.0  # what an answer is taken to last


def prompt_tokens(request: Request) -> int:
    """Tokens of one prompt, by the rule of thumb; pictures are not counted."""
    return len(text_of(request.content) or "") // CHARACTERS_PER_TOKEN + 1


def seconds(phase: Phase) -> float:
    """How long a phase lasts if every answer takes ANSWER_S; 0 for one without an end."""
    if phase.duration_s is not None:
        return phase.duration_s + ANSWER_S + phase.pause_after_s
    in_turn = 1 if phase.kind == "burst" else (phase.count or 0)
    return in_turn * ANSWER_S + phase.pause_after_s


def estimate(plan: Plan, options: Options, prices: Prices | None = None) -> str:
    """One line: requests, prompt tokens, output tokens at most, minutes, and cost by the table."""
    return estimate_said(plan, options, prices).en


def estimate_said(plan: Plan, options: Options, prices: Prices | None = None) -> Bilingual:
    """The same in both languages."""
    if plan.outlook is not None:
        return plan.outlook
    if MODES[options.mode].bounded:
        return _bounded(plan, options, prices)
    if plan.requests is None:
        return _unbounded(plan, options)
    prompts = sum(round(_prompts(phase, options, plan.traffic)) for phase in plan.phases)
    outputs = [_outputs(phase, plan.traffic) for phase in plan.phases]
    budget = f"{sum(map(int, filter(None, outputs))):,}"
    most = "unlimited" if None in outputs else f"at most {budget}"
    most_zh = "不限" if None in outputs else f"最多 {budget}"
    lasts_s = sum(seconds(phase) for phase in plan.phases)
    cost = _cost(plan, options, prices) if prices else Bilingual("", "")
    return Bilingual(
        f"{counted(plan.requests, 'request')}, about {prompts:,} prompt tokens (at "
        f"{CHARACTERS_PER_TOKEN} "
        f"characters a token), {most} output tokens, about {_lasting(lasts_s)} (at {ANSWER_S:g} "
        f"s an answer){cost.en}",
        f"{plan.requests:,} 个请求，prompt 约 {prompts:,} token（每 token 按 "
        f"{CHARACTERS_PER_TOKEN} 个字符），输出{most_zh} token，"
        f"约 {lasts_s / 60:.1f} 分钟（每次回复按 {ANSWER_S:g} 秒）{cost.zh}",
    )


def _unbounded(plan: Plan, options: Options) -> Bilingual:
    """The same for a plan of as many requests as fit: what one may use. How many there will be,
    and so what they use and cost together, is not known.
    """
    sizes, budgets = list[int](), list[int | None]()
    for phase in plan.phases:
        if phase.traffic and plan.traffic is not None:
            sizes += map(line_tokens, plan.traffic.lines)
            budgets += plan.traffic.outputs(phase.max_tokens)
        else:
            sizes.append(prompt_tokens(build(phase, 0, options)))
            budgets.append(phase.max_tokens)
    stated_budgets = [budget for budget in budgets if budget is not None]
    known, most = len(stated_budgets) == len(budgets), f"{max(stated_budgets, default=0):,}"
    output, output_zh = (f"at most {most}", f"最多 {most}") if known else ("unlimited", "不限")
    lasts_s = sum(seconds(phase) for phase in plan.phases)
    lasts, lasts_zh = f"about {_lasting(lasts_s)}", f"约 {lasts_s / 60:.1f} 分钟"
    if plan.endless:
        lasts, lasts_zh = "until it is stopped", "直到停止"
    return Bilingual(
        f"as many requests as fit, {lasts}; each at most about {max(sizes):,} prompt tokens (at "
        f"{CHARACTERS_PER_TOKEN} characters a token) and {output} output tokens",
        f"请求数不定，{lasts_zh}；单次 prompt 最多约 {max(sizes):,} token（每 token 按 "
        f"{CHARACTERS_PER_TOKEN} 个字符），输出{output_zh} token",
    )


def _bounded(plan: Plan, options: Options, prices: Prices | None) -> Bilingual:
    """The same for a mode with known prompts: the most it may use."""
    each = [(phase, bound.of_phase(phase, options)) for phase in plan.phases]
    most = bound.together([one for _, one in each])
    output = "unlimited" if most.output_tokens is None else f"at most {most.output_tokens:,}"
    minutes = sum(map(seconds, plan.phases)) / 60
    picture = f"{bound.IMAGE_TOKENS + bound.TILE_TOKENS:,}"
    zh = "不限" if most.output_tokens is None else f"最多 {most.output_tokens:,}"
    text_zh = (
        f"{plan.requests:,} 个请求，prompt 最多 {most.prompt_tokens:,} token（每字节 1 "
        f"token，每张图片至少 {picture}），输出"
        f"{zh} token，约 {minutes:.1f} 分钟（每次回复按 {ANSWER_S:g} 秒）"
    )
    text = (
        f"{counted(plan.requests or 0, 'request')}, at most {most.prompt_tokens:,} prompt tokens "
        f"(one a byte, {picture} or more a picture), {output} output tokens, "
        f"about {_lasting(sum(map(seconds, plan.phases)))} (at {ANSWER_S:g} s an answer)"
    )
    cost, burst = _most_cost(each, prices), [one for one in each if one[0].ends_on]
    if not burst:
        return Bilingual(f"{text}{cost.en}", f"{text_zh}{cost.zh}")
    count = sum(phase.count or 0 for phase, _ in burst)
    used, its_cost = bound.together([one for _, one in burst]), _most_cost(burst, prices)
    return Bilingual(
        f"{text}{cost.en}; of these --provoke-429: at most {counted(count, 'request')}, "
        f"{used.prompt_tokens:,} prompt tokens, {used.output_tokens or 0:,} output tokens"
        f"{its_cost.en}, fewer if headers state a lower limit",
        f"{text_zh}{cost.zh}；其中 --provoke-429：最多 {count:,} 个请求，prompt "
        f"{used.prompt_tokens:,} token，输出 {used.output_tokens or 0:,} token{its_cost.zh}，"
        "若应答头给出的限额更低则更少",
    )


def _most_cost(each: Sequence[tuple[Phase, bound.Bound]], prices: Prices | None) -> Bilingual:
    """The most that phases may cost, as the end of a sentence; empty without prices."""
    if prices is None:
        return Bilingual("", "")
    priced = [
        price.most_of(phase.count or 0, used.prompt_tokens, used.output_tokens)
        for phase, used in each
        if (price := prices.of(phase.model)) is not None and used.output_tokens is not None
    ]
    unit = f" {prices.currency}" if prices.currency else ""
    rest = len(each) - len(priced)
    en = f" ({counted(rest, 'phase has', 'phases have')} no price or no end)" if rest else ""
    zh = f"（{rest} 个阶段没有单价或没有终点）" if rest else ""
    return Bilingual(
        f", at most {sum(priced):.6g}{unit} by the price table{en}",
        f"，按价格表最多 {sum(priced):.6g}{unit}{zh}",
    )


def _cost(plan: Plan, options: Options, prices: Prices) -> Bilingual:
    """What the plan costs by the price table, if every answer uses its whole output budget."""
    cost, unpriced = 0.0, 0
    for phase in plan.phases:
        count, outputs = phase.count or 0, _outputs(phase, plan.traffic)
        each = round(_prompts(phase, options, plan.traffic) / count) if count else 0
        output = phase.max_tokens
        if phase.traffic:
            output = None if outputs is None or not count else -(-outputs // count)
        worst = prices.worst(phase.model, each, output)
        if worst is None or phase.count is None or outputs is None:
            unpriced += 1
        else:
            cost += count * worst
    unit = f" {prices.currency}" if prices.currency else ""
    rest = (
        f" ({counted(unpriced, 'phase has', 'phases have')} no price or no end)" if unpriced else ""
    )
    rest_zh = f"（{unpriced} 个阶段没有单价或没有终点）" if unpriced else ""
    return Bilingual(
        f", about {cost:.6g}{unit} by the price table if every answer is that long{rest}",
        f"，按价格表最多约 {cost:.6g}{unit}{rest_zh}",
    )


def _prompts(phase: Phase, options: Options, traffic: Traffic | None) -> float:
    """Prompt tokens of a phase: a paced window's are its target's, own traffic's the lines'."""
    if phase.paced and phase.target is not None and phase.duration_s is not None:
        return phase.target * phase.duration_s / 60
    if phase.traffic and traffic is not None:
        sizes = [line_tokens(one) for one in traffic.lines]
        return sum(sizes[index % len(sizes)] for index in range(phase.count or 0))
    return (phase.count or 0) * prompt_tokens(build(phase, 0, options))


def _outputs(phase: Phase, traffic: Traffic | None) -> int | None:
    """Output tokens of a phase at most; None: some line of own traffic has no budget."""
    if phase.traffic and traffic is not None:
        budgets = traffic.outputs(phase.max_tokens)
        sent = [budgets[index % len(budgets)] for index in range(phase.count or 0)]
        return None if None in budgets else sum(filter(None, sent))
    return (phase.count or 0) * (phase.max_tokens or 0)


def by_calibration(probes: Sequence[RequestRecord], plan: Plan) -> str:
    """What the paced windows of a calibrated model will use, in one line; empty: nobody knows.

    Their cost is taken from what the probes cost a token: a padded prompt is nearly all of it.
    """
    counted = [row for row in probes if row.success and row.total_tokens]
    windows = [
        p for p in plan.phases if p.paced and counted and p.model == probes[0].model_requested
    ]
    if not windows:
        return ""
    tokens = sum((p.target or 0) * (p.duration_s or 0.0) / 60 for p in windows)
    text = f"calibrated; the windows of this model will use about {tokens:,.0f} tokens"
    priced = [row for row in counted if row.api_cost is not None]
    if not priced:
        return f"{text}, at a cost that nobody stated"
    cost = sum(row.api_cost or 0.0 for row in priced)
    each = cost / sum(row.total_tokens or 0 for row in priced)
    return f"{text}, at a cost of about {tokens * each:.6g} by the probes'"


def _lasting(seconds_: float) -> str:
    """Minutes, as long as these are read easily."""
    return f"{seconds_ / 60:.1f} minutes" if seconds_ < 2 * 3600 else lasting(seconds_)
