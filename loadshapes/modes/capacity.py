"""Mode capacity: the highest rate, or concurrency, that still meets the objectives of `--slo`.

It is a program: each trial is a window at the level that the search asks for, and its rows show
whether the level was met. The report computes the result again from the rows, so a search that was
cut short still gives a result.
"""

from collections import Counter
from math import ceil

from loadshapes.level_search import Span, highest
from loadshapes.modes.mode import Mode
from loadshapes.phase import Phase, rpm_count
from loadshapes.plan import Plan
from loadshapes.program import Program
from loadshapes.schedule import Closed, arrivals
from recording.bilingual import Bilingual
from recording.counted import counted
from recording.errors import MissingOption, OperatorError
from recording.record import RequestRecord
from rules.bracket import Trial
from rules.censoring import bears, enough
from rules.objectives import Attained, answers, judge
from rules.slo import Objectives, SloError, ranked
from settings.options import Options

NAME = "capacity"


def plan(options: Options) -> Plan:
    """The highest rate or concurrency per model that still meets the objectives of --slo.

    Raises OperatorError.
    """
    if not options.models:
        raise MissingOption("--model is missing: mode capacity needs the model to load.")
    objectives_of = {model: _objectives(options, model) for model in options.models}
    span = _span(options)
    for objectives in objectives_of.values():
        _see_that_windows_bear(options, objectives, span)
    top = _phase(options, options.models[0], span.highest, 1)
    kind, kind_zh = "requests at once", "个并发请求"
    if options.search == "rate":
        kind, kind_zh = "requests a minute", "RPM "
    windows = span.trials * len(options.models)
    most = windows * (options.duration + options.step_pause) / 60
    return Plan(
        phases=(),
        unfold=lambda: _program(options, objectives_of, span),
        most_users=top.users,
        outlook=Bilingual(
            f"a search between {span.lowest} and {span.highest} {kind}, from {span.first}: at most "
            f"{counted(windows, 'window')} of {options.duration:g} s, about "
            f"{counted(round(most), 'minute')}; how many requests depends on what is found (see "
            "--budget)",
            f"在 {span.lowest} 与 {span.highest} {kind_zh}之间搜索，从 {span.first} 开始："
            f"最多 {windows} 个 {options.duration:g} 秒的窗口，约 {most:.0f} 分钟；"
            "请求数取决于搜索结果（参见 --budget）",
        ),
    )


def _program(options: Options, objectives_of: dict[str, Objectives], span: Span) -> Program:
    for model, objectives in objectives_of.items():
        search = highest(span)
        level, tried = next(search), list[tuple[int, Attained]]()
        windows = Counter[int]()
        while len(tried) < span.trials:
            windows[level] += 1
            phase = _phase(options, model, level, windows[level])
            finding = yield phase
            if finding.cut:  # half a window does not count: the level is tried again
                continue
            rows = [row for row in finding.records if _counts(row, options.warmup)]
            early = len(finding.records) - len(rows)
            planned = len(rows) if phase.count is None else phase.count - early
            attained = judge(rows, planned, phase.users, objectives, bool(finding.halted))
            tried.append((level, attained))
            if not [*answers(tried)][-1]:
                continue
            try:
                level = search.send(
                    Trial(level, attained.met, attained.sure, attained.likely, attained.reliability)
                )
            except StopIteration:
                break


def _counts(row: RequestRecord, warmup_s: float) -> bool:
    """Whether a request was due (closed-loop: sent) after the warm-up."""
    begun_s = row.sent_offset_s if row.scheduled_offset_s is None else row.scheduled_offset_s
    return begun_s is None or begun_s >= warmup_s


def _phase(options: Options, model: str, level: int, number: int) -> Phase:
    """The window of one trial: the `number`-th at its level."""
    rate = options.search == "rate"
    count = rpm_count(level, options.duration) if rate else None
    name = f"{NAME}/{model}/{level}/{number}"
    return Phase(
        name=name,
        mode=NAME,
        scenario="stream" if options.stream else "chat",
        model=model,
        schedule=Closed(None, options.duration)
        if count is None
        else arrivals(options, count, name),
        request="marker",
        users=min(options.max_workers, count) if count is not None else level,
        target=level,
        max_tokens=options.max_tokens or 16,
        stream=options.stream,
        task_prefix=f"{options.task_id_prefix}-{NAME}-{model}-{level}-try-{number}-req-",
        pause_after_s=options.step_pause,
        watched=True,
    )


def _objectives(options: Options, model: str) -> Objectives:
    """The objectives by which levels are judged. Raises OperatorError."""
    try:
        slo = options.objectives()
    except SloError as error:
        raise OperatorError(f"--slo {error}") from None
    if slo is None:
        raise MissingOption("--slo is missing: mode capacity needs objectives to search by.")
    objectives = slo.of(NAME, model)
    if not objectives.statements:
        raise OperatorError(
            f"--slo {options.slo} has no objective for {model} in mode capacity: write one."
        )
    if "goodput_rps" in objectives.values:
        raise OperatorError(
            f"--slo {options.slo}: goodput_rps rises with the rate, so a capacity cannot be "
            "searched by it: use attainment."
        )
    timed = [key for key in objectives.values if key.startswith(("ttft", "tpot"))]
    if timed and not options.stream:
        raise OperatorError(f"--slo {options.slo}: {timed[0]} applies to streams: add --stream.")
    return objectives


def _see_that_windows_bear(options: Options, objectives: Objectives, span: Span) -> None:
    """Raise OperatorError if the lowest rate sends too few requests for a percentile beyond P99.

    For a concurrency this is not known in advance: a window with too few says so
    (rules/objectives.py).
    """
    judged_s = options.duration - options.warmup
    lowest_count = rpm_count(span.lowest, judged_s)
    for key in objectives.values if options.search == "rate" else ():
        named = ranked(key)
        if named is not None and not bears(named[1], lowest_count):
            least = enough(named[1])
            raise OperatorError(
                f"--slo {options.slo}: {key} takes {least} requests in a window, and the lowest "
                f"level, {span.lowest} RPM, sends {lowest_count} in {judged_s:g} s: give "
                "--duration "
                f"{ceil(least * 60 / span.lowest + options.warmup)}, or three levels in --target "
                f"of which the lowest is {ceil(least * 60 / judged_s)} or more."
            )


def _span(options: Options) -> Span:
    """The range of the search: `--target` is the first level, or lowest, first and highest."""
    targets = options.targets
    rate = options.search == "rate"
    lowest, first, top = (
        (6, 60, 6000) if rate else (1, min(4, options.max_workers), options.max_workers)
    )
    if len(targets) == 1:
        first = targets[0]
        lowest, top = min(lowest, first), max(top, first)
    elif len(targets) == 3:
        lowest, first, top = targets
    elif targets:
        raise OperatorError(
            "--target of mode capacity is the first level to try, or three: lowest, first and "
            f"highest; not {options.target}."
        )
    if not lowest <= first <= top:
        raise OperatorError(f"--target {options.target}: the levels must not decrease.")
    if not rate and top > options.max_workers:
        raise OperatorError(
            f"--target {options.target}: concurrency {top} needs as many --max-workers, not "
            f"{options.max_workers}."
        )
    return Span(
        lowest=lowest, first=first, highest=top, precision=options.precision, trials=options.trials
    )


MODE = Mode(
    name=NAME,
    place=110,
    question=(
        "how much load can it take and still meet your objectives?", "在达到目标的前提下能承受多少",
    ),
    sends=(
        "windows at the levels that a search chooses (`--slo FILE`)",
        "由搜索选定负载档位的多个窗口（`--slo FILE`）",
    ),
    plan=plan,
    example=(
        "--model", "gpt-5.4-nano", "--slo", "slo.toml", "--target", "240,240,480",
        "--duration", "5", "--step-pause", "0.5",
    ),
    page="how-to/capacity.md",
)  # fmt: skip
