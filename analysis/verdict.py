"""What a reader must know before the numbers: is the run whole, and may it be trusted?"""

from typing import Any

from analysis import generators
from analysis.flags import flags
from analysis.page import Remark
from analysis.punctuality import GAP_SHARE
from analysis.sections import View
from analysis.told import told
from analysis.words import Words, integer, milliseconds, seconds
from recording.lateness import GRAIN_S, LAG_SHARE

_EXAMPLES = 5


def verdicts(view: View) -> list[Remark]:
    """Every verdict on the run, the gravest first."""
    found = [
        *_whole(view),
        *_accounts(view),
        *_stops(view),
        *_generator(view),
        *_losses(view),
        *flags(view),
    ]
    order = {"bad": 0, "note": 1, "good": 2}
    return sorted(found, key=lambda remark: order[remark.level])


def _whole(view: View) -> list[Remark]:
    """Whether the run ended, ran all it planned, and left whole files."""
    t, run = view.t, view.run
    found = []
    if run.interrupted:
        text = t(
            "The run was interrupted: it never recorded its end. What it had finished is below.",
            "本次运行被中断：没有结束记录。以下为中断前已完成的部分。",
        )
        found.append(Remark("bad", text))
    ends = run.events_of("run_end")
    completed = bool(ends) and ends[-1].get("completed") is not False  # a resumed run has several
    stops = [] if completed else [*run.events_of("stopped"), *run.events_of("ended")]
    for event in stops:
        where = t(f" in {event['phase']}", f"（{event['phase']}）") if event.get("phase") else ""
        text = t(f"The run was stopped before its end{where}", f"运行被提前停止{where}")
        found.append(Remark("note", _sentence(t, text, told(t, event))))
    if not stops and ends and not completed:
        text = t("The run ended before its plan was done.", "运行在计划完成前结束。")
        found.append(Remark("note", text))
    missing = not_run(view)
    if missing:
        shown = view.t.join(missing[:_EXAMPLES]) + (" …" if len(missing) > _EXAMPLES else "")
        text = t(
            f"{len(missing)} planned phases have no requests: {shown}.",
            f"{len(missing)} 个计划阶段没有请求：{shown}。",
        )
        found.append(Remark("note", text))
    found += [Remark("note", t(*odd)) for odd in run.remarks]
    return found


def _accounts(view: View) -> list[Remark]:
    """What became of the budget, and of token windows that could not be calibrated."""
    t, found = view.t, []
    for event in view.run.events_of("accounts")[-1:]:
        for unit in ("money", "tokens"):
            said = event.get(unit)
            if not said:
                continue
            shown = t.money if unit == "money" else integer
            limit, spent = shown(said["limit"]), shown(said["spent"])
            most = shown(max(0.0, said["largest_underestimate"]))
            name = t({"money": "Budget", "tokens": "Token budget"}[unit],
                     {"money": "预算", "tokens": "Token 预算"}[unit])  # fmt: skip
            text = t(
                f"{name}: {spent} of {limit} used, all attempts included; the worst case that was "
                f"set aside for a request was exceeded by {most} at the most, and "
                f"{said['unstated']} requests that state no cost count at theirs.",
                f"{name}：共使用 {spent} / {limit}（含历次尝试）；"
                f"单个请求超出预留最坏情况至多 {most}，"
                f"{said['unstated']} 个未给出费用的请求按最坏情况计。",
            )
            found.append(Remark("note" if said["spent"] <= said["limit"] else "bad", text))
    for event in view.run.events_of("uncalibrated"):
        text = t(
            f"{event['phase']}: its calibration states no tokens, so its prompts were sized by the "
            "seed's arithmetic.",
            f"{event['phase']}：校准请求未给出 token 数，按原脚本的算法确定 prompt 长度。",
        )
        found.append(Remark("note", text))
    return found


def not_run(view: View) -> list[str]:
    """The planned phases of which no row exists."""
    ran = {phase["phase"] for phase in view.phases}
    return [phase["name"] for phase in view.run.plan if phase["name"] not in ran]


def _stops(view: View) -> list[Remark]:
    t = view.t
    return [
        Remark(
            "bad",
            _sentence(
                t,
                t(
                    f"The stop rule ended {event.get('phase')}",
                    f"停止规则终止了 {event.get('phase')}",
                ),
                told(t, event),
            ),
        )
        for event in view.run.events_of("stop_rule")
    ]


def _generator(view: View) -> list[Remark]:
    """Whether the requests left when they were due, and what came was read when it came."""
    t = view.t
    judged = [phase for phase in view.phases if phase["generator_limited"] is not None]
    limited = [phase for phase in judged if phase["generator_limited"]]
    found = []
    for phase in limited:
        name = phase["phase"]
        text = t(
            f"{name} is generator-limited, do not trust it", f"{name} 受压测端限制，结果不可信"
        )
        if held := _held(view, name):
            text = t(
                f"{name} was held back by its budget, do not trust its rate: {integer(held)} "
                "requests waited until what was in flight left enough for their worst case "
                "(give a larger budget)",
                f"{name} 受预算限制，其速率不可信：{integer(held)} "
                "个请求等待在途请求释放足够的最坏情况预留（请提高预算）",
            )
        found.append(Remark("bad", _sentence(t, text, t.clauses(_lateness(t, phase)))))
    if judged and not limited:
        sends = [p["send_lag_p99_s"] for p in judged if p["send_lag_p99_s"] is not None]
        loops = [p["loop_lag_p99_s"] for p in judged if p["loop_lag_p99_s"] is not None]
        worst = [
            t(f"{what} {milliseconds(max(lags))}", f"{zh} {milliseconds(max(lags))}")
            for what, zh, lags in (("send", "发送", sends), ("event loop", "事件循环", loops))
            if lags
        ]
        text = t(
            "The generator kept time: the P99 lag of its sends and of its event loop stayed within "
            f"the limits of every phase (worst: {t.join(worst)}).",
            f"压测端按时：各阶段发送与事件循环的 P99 滞后均在上限之内（最大：{t.join(worst)}）。",
        )
        found.append(Remark("good", text))
    return found


def _held(view: View, phase: str) -> int:
    """How many requests of a phase waited for the budget."""
    return sum(end.get("held_by_budget", 0) for end in view.run.events_of("phase_end", phase))


def _lateness(t: Words, phase: dict[str, Any]) -> list[str]:
    """Which of the generator's lags exceeds which limit, a clause each."""
    clauses = []
    sent, loop = phase["send_lag_p99_s"], phase["loop_lag_p99_s"]
    measured, name = phase["latency_p50_s"], t("the median latency", "中位延迟")
    if _above(sent, phase["send_lag_limit_s"]):
        lag, limit = milliseconds(sent), milliseconds(phase["send_lag_limit_s"])
        share = _share(t, LAG_SHARE, name, measured)
        clauses.append(
            t(
                f"P99 send lag {lag} exceeds {limit}, {share}",
                f"P99 发送滞后 {lag} 超过 {limit}（{share}）",
            )
        )
    if phase["ttft_p50_s"] is not None:
        measured, name = phase["ttft_p50_s"], t("the median TTFT", "中位 TTFT")
    gap = t("the median gap between chunks", "chunk 间隔中位数")
    for limit_s, share in (
        (phase["loop_lag_limit_s"], _share(t, LAG_SHARE, name, measured)),
        (phase["chunk_lag_limit_s"], _share(t, GAP_SHARE, gap, phase["inter_chunk_p50_s"])),
    ):
        if _above(loop, limit_s):
            lag, limit = milliseconds(loop), milliseconds(limit_s)
            clauses.append(
                t(
                    f"the generator read what came up to {lag} late (P99 lag of its event loop), "
                    f"more than {limit}, {share}",
                    f"压测端读取应答最多迟 {lag}（事件循环 P99 滞后），超过 {limit}（{share}）",
                )
            )
    return clauses


def _above(lag_s: float | None, limit_s: float | None) -> bool:
    return lag_s is not None and limit_s is not None and lag_s > limit_s


def _share(t: Words, share: float, name: str, measured_s: float | None) -> str:
    """Where a limit comes from: a share of what was measured, or the grain of time itself."""
    if measured_s is None or share * measured_s < GRAIN_S:
        return t("the least that can be told from noise", "可与噪声区分的最小值")
    value = seconds(measured_s)
    return t(f"{share:.0%} of {name} ({value})", f"{name} {value} 的 {share:.0%}")


def _losses(view: View) -> list[Remark]:
    """What was planned and never sent, and what became of those who were to send it."""
    t = view.t
    found = []
    dropped = [phase for phase in view.phases if phase["dropped"]]
    if dropped:
        where = t.join(f"{phase['phase']} {phase['dropped']}" for phase in dropped[:_EXAMPLES])
        total = integer(sum(phase["dropped"] for phase in dropped))
        text = t(
            f"{total} planned requests were never sent ({where}).",
            f"{total} 个计划请求未发出（{where}）。",
        )
        found.append(Remark("note", text))
    unsaid = sum(p["planned"] - p["recorded"] for p in view.phases)
    if unsaid:
        text = t(
            f"{integer(unsaid)} planned requests left no row.",
            f"{integer(unsaid)} 个计划请求没有记录。",
        )
        found.append(Remark("note", text))
    return found + generators.remarks(view)


def _sentence(t: Words, head: str, why: str) -> str:
    stop = t(".", "。")
    return f"{head}{t(': ', '：')}{why.removesuffix('.')}{stop}" if why else f"{head}{stop}"
