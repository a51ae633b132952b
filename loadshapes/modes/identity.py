"""Mode identity: is it the model that is paid for?

A program per model, the cheapest test first: repeated texts show who counts, then whether settings
are honoured; with `--enrol` questions are chosen and asked afresh, which makes a reference; with
`--reference` its questions are asked in three looks, and no more of them once a look differs. With
`--against` the second route chooses the questions, and then both are asked, pair by pair. What it
means is worked out from the rows by the report (analysis/report/sections/identity.py), by the same
rules.
"""

from collections import Counter
from collections.abc import Generator, Mapping, Sequence
from datetime import UTC, datetime

from identity import asked, context, first_token, long_reply, reference_file, setting, tools
from identity.alpha import LOOKS
from identity.asked import Row
from identity.bank import BANK
from identity.cells import CHOOSING, Cell, choose, enough
from identity.counting import Count
from identity.honoured import restless
from identity.looks import (
    ANSWERS,
    SELF_ALPHA,
    Asked,
    Verdict,
    Why,
    audit,
    audit_pairs,
    counted,
    self_check,
)
from identity.reference import Reference
from identity.texts import COUNTED, STREAMED
from loadshapes.finding import Finding
from loadshapes.identity_outlook import outlook
from loadshapes.modes.mode import Mode
from loadshapes.phase import Phase
from loadshapes.plan import Plan
from loadshapes.program import Program
from loadshapes.schedule import Closed
from loadshapes.task_prefix import task_prefix
from recording.arms import REFERENCE
from recording.errors import MissingOption, OperatorError
from recording.record import RequestRecord
from rules.prices import PriceError
from rules.prices import read as read_prices
from settings.body_profile import BUDGETS, extra_body
from settings.options import Options

NAME = REQUEST = "identity"
AT_ONCE = 4
"""Questions at once: few enough to be no load, enough to be done in minutes."""
BOTH = "both"
"""Where requests go: to both routes, in pairs whose order is drawn."""

_REFUSABLE = (
    setting.PREFIX, first_token.PREFIX, context.PREFIX, long_reply.PREFIX, tools.SCENARIO
)  # fmt: skip
"""Scenarios in which a refusal is an answer."""


def plan(options: Options) -> Plan:
    """Who counts the tokens, and do the answers differ from a reference of yours?

    Raises OperatorError.
    """
    if not options.models:
        raise MissingOption("--model is missing: mode identity needs the models to ask.")
    if options.max_tokens:
        raise OperatorError(
            "mode identity asks what its reference was asked: leave out --max-tokens."
        )
    if options.against and (options.enrol or options.reference):
        raise OperatorError(
            "--against is the reference itself: leave out --enrol and --reference, or --against."
        )
    try:
        context.sizes(options.identity_context)
    except ValueError:
        raise OperatorError(
            f"--identity-context {options.identity_context}: give numbers of tokens from "
            f"{2 * context.SHORT:,} to 2,000,000, separated by commas, e.g. 8000,32000."
        ) from None
    if 0 < options.identity_output < long_reply.LEAST:
        raise OperatorError(
            f"--identity-output {options.identity_output} is too few tokens to tell a cut reply "
            f"from a short one: give {long_reply.LEAST} or more."
        )
    known = _reference(options) if options.reference else None
    try:
        prices = read_prices(options.prices) if options.prices else None
    except PriceError as error:
        raise OperatorError(f"--prices: {error}") from None
    return Plan(
        phases=(),
        unfold=lambda: _program(options, known),
        most_users=min(AT_ONCE, options.max_workers),
        outlook=outlook(options, known, prices),
    )


def _reference(options: Options) -> Reference:
    """The reference that is asked for, where it may judge the run. Raises OperatorError."""
    name, known = options.reference, reference_file.load(options.reference)
    if options.enrol:
        raise OperatorError("--enrol makes a reference, --reference uses one: give one of them.")
    if len(options.models) > 1:
        raise OperatorError(f"--reference {name} is of one model ({known.model}): name one.")
    if (age := known.age_days(datetime.now(UTC))) > options.reference_days:
        raise OperatorError(
            f"--reference {name} is {age:.0f} days old: enrol it again, or give "
            f"--reference-days {int(age) + 1} if the model has not changed since."
        )
    if known.extra_body != options.extra_body:
        raise OperatorError(
            f"--reference {name} was made with another --extra-body: give the same, or enrol again."
        )
    if self_check(known) <= SELF_ALPHA:
        raise OperatorError(
            f"--reference {name} differs from itself: its first half is not like its second (its "
            "route was mixed, or the model changed). It cannot be used: make another with --enrol."
        )
    return known


def _program(options: Options, known: Reference | None) -> Program:
    for model in options.models:
        ended = yield _phase(options, model, asked.COUNT, len(COUNTED), route=_route(options))
        counts = asked.counts(asked.COUNT, _rows(ended))
        yield _phase(options, model, asked.STREAM, len(STREAMED))
        if options.enrol:
            yield from _enrolled(options, model)
            continue
        yield from _settings(options, model)
        if known is not None and known.logprobs is not None:
            yield from _logprobs(options, model, (known.logprobs.top,))
        if "temperature" not in extra_body(options.extra_body):
            yield from _temperature(options, model, known)
        if options.against:
            yield from _paired(options, model)
        if known is not None:
            if known.tools is not None:
                yield from _calls(options, model)
            if known.seed is not None:
                yield from _seeds(options, model, known.seed.questions)
            yield from _audited(options, model, known.cells, known)
        yield from _lengths(options, model, counts)
        yield from _long_replies(options, model)


def _route(options: Options) -> str:
    """Where requests go that are compared with a second route's, if there is one: to both."""
    return BOTH if options.against else ""


def _calls(options: Options, model: str) -> Program:
    """Calls of a tool, where they are asked for."""
    if options.identity_tools:
        count = tools.ROUNDS * len(tools.WANTED)
        yield _phase(options, model, tools.SCENARIO, count, route=_route(options))


def _lengths(options: Options, model: str, counts: Sequence[Count]) -> Program:
    """Short prompts, then longer ones, until one is refused altogether."""
    line, sizes = context.line_of(counts), context.sizes(options.identity_context)
    if line is None or not sizes:
        return
    for size in (context.SHORT, *sizes):
        rounds = context.SHORT_ROUNDS if size == context.SHORT else context.ROUNDS
        asks = (context.lines(size, line),)
        ended = yield _phase(options, model, f"{context.PREFIX}{size}", rounds, asks)
        if not any(row.success for row in ended.records):
            return


def _long_replies(options: Options, model: str) -> Program:
    """Lists that are longer than their budgets, where they are asked for."""
    size = options.identity_output
    if size and not {*extra_body(options.extra_body)} & {*BUDGETS}:
        for budget, count in long_reply.budgets(size):
            name = f"{long_reply.PREFIX}{budget}"
            yield _phase(options, model, name, count, route=_route(options))


def _settings(options: Options, model: str) -> Program:
    """What each setting is shown by; what the operator sets himself, is not asked."""
    operators_fields = {*extra_body(options.extra_body)}
    for scenario, fields in (
        (setting.CACHE, {"temperature"}),
        (setting.STOP, {"stop", *BUDGETS}),
        (setting.CAP, {*BUDGETS}),
    ):
        if not operators_fields & fields:
            yield _phase(options, model, scenario, setting.COUNTS[scenario])


def _temperature(options: Options, model: str, known: Reference | None) -> Program:
    """Questions with many answers, at temperature 0: as many again where these vary, else how much
    they do at 1, unless a reference says it."""
    if known is not None:
        questions = _varied(known.cells, known.counts())[: setting.COLD_QUESTIONS]
    else:
        count = setting.WARM_ROUNDS * len(setting.WARM_QUESTIONS)
        ended = yield _phase(options, model, setting.WARM, count, setting.WARM_QUESTIONS)
        questions = [*setting.chosen(_strays(_questions_asked(ended)))]
    if len(questions) < setting.LEAST_VARIED:
        return
    ended = yield _phase(options, model, setting.COLD, setting.COLD_ANSWERS, questions)
    if any(row.refused_sends for row in ended.records):
        return
    if restless(_questions_asked(ended)):
        yield _phase(options, model, setting.COLD_MORE, setting.COLD_ANSWERS, questions)
    elif known is None:
        count = setting.FREE_ROUNDS * len(questions)
        yield _phase(options, model, setting.FREE, count, questions)


def _logprobs(options: Options, model: str, tops: Sequence[int]) -> Program:
    """Log-probabilities of the first token, of fewer tokens where so many are refused (by the
    second route, if there is one)."""
    if {"logprobs", "top_logprobs", "temperature"} & {*extra_body(options.extra_body)}:
        return
    route, count = _route(options), first_token.ROUNDS * len(first_token.PROMPTS)
    for top in tops:
        ended = yield _phase(options, model, f"{first_token.PREFIX}{top}", count, route=route)
        if any(row.success for row in _of(ended, REFERENCE if route else "")):
            return


def _varied(cells: Sequence[Cell], answers: Mapping[int, Mapping[str, int]]) -> list[int]:
    """The questions with many answers, those whose usual one is rarest first."""
    shares = [
        (max(by_answer.values()) / sum(by_answer.values()), cell.question)
        for cell in cells
        if cell.kind == "spread" and (by_answer := answers.get(cell.question))
    ]
    return [question for _, question in sorted(shares)]


def _strays(answers: Sequence[Asked]) -> dict[int, int]:
    """Of each question: answers that are not its commonest."""
    counts = counted(answers)
    return {
        question: sum(by_answer.values()) - max(by_answer.values())
        for question, by_answer in counts.items()
    }


def _seeds(options: Options, model: str, questions: Sequence[int]) -> Program:
    """Each of the questions several times, with one seed."""
    if questions and not {"seed", "temperature"} & {*extra_body(options.extra_body)}:
        count = setting.SEED_ROUNDS * len(questions)
        yield _phase(options, model, setting.SEED, count, questions, _route(options))


def _chosen(
    options: Options, model: str, route: str = ""
) -> Generator[Phase, Finding, tuple[Sequence[Cell], Sequence[int]]]:
    """Questions that are chosen by ten answers each, and those of them to ask with a seed; none
    where too few can be."""
    everything, count = range(len(BANK)), CHOOSING * len(BANK)
    ended = yield _phase(options, model, asked.CHOOSE, count, everything, route)
    words: dict[int, list[str]] = {}
    for answer in _questions_asked(ended):
        if answer.word:
            words.setdefault(answer.question, []).append(answer.word)
    cells = choose(words)
    if not enough(cells):
        return (), ()
    counts = {cell.question: Counter(words[cell.question]) for cell in cells}
    return cells, _varied(cells, counts)[: setting.SEED_QUESTIONS]


def _enrolled(options: Options, model: str) -> Program:
    """The chosen questions are asked afresh: those answers are the reference."""
    cells, varied = yield from _chosen(options, model)
    if cells:
        questions = [cell.question for cell in cells]
        yield _phase(options, model, asked.ENROL, ANSWERS * len(cells), questions)
        yield from _calls(options, model)
        yield from _logprobs(options, model, first_token.TOPS)
        yield from _seeds(options, model, varied)


def _paired(options: Options, model: str) -> Program:
    """The second route chooses the questions; what is compared, both are asked in pairs."""
    cells, varied = yield from _chosen(options, model, REFERENCE)
    if cells:
        yield from _calls(options, model)
        yield from _logprobs(options, model, first_token.TOPS)
        yield from _seeds(options, model, varied)
        yield from _audited(options, model, cells)


def _audited(
    options: Options, model: str, cells: Sequence[Cell], known: Reference | None = None
) -> Program:
    """The questions, look by look, until one differs from the reference (None: from the second
    route) or nothing can be said."""
    questions, before = [cell.question for cell in cells], 0
    sent, pairs = list[Asked](), list[tuple[Asked, Asked]]()
    for rounds, _ in LOOKS:
        more, route = (rounds - before) * len(questions), "" if known is not None else BOTH
        ended = yield _phase(options, model, f"{asked.LOOK}-{rounds}", more, questions, route)
        if known is not None:
            sent += _questions_asked(ended)
        else:
            pairs += asked.pairs(_rows(ended), _rows(ended, REFERENCE))
        models = len(options.models)
        result = audit(known, sent) if known is not None else audit_pairs(cells, pairs, models)
        before = rounds
        if result.verdict is Verdict.DIFFERS or result.why not in (None, Why.UNFINISHED):
            return


def _questions_asked(ended: Finding) -> list[Asked]:
    return asked.questions_asked(_rows(ended))


def _rows(ended: Finding, route: str = "") -> list[Row]:
    """What is needed of a phase's records, in order."""
    return [
        Row(row.outcome, row.check_detail, row.completion_id,
            ended.phase.number(row.request_index), row.prompt_tokens, row.attempt)
        for row in sorted(_of(ended, route), key=lambda row: row.request_index)
    ]  # fmt: skip


def _of(ended: Finding, route: str) -> list[RequestRecord]:
    """The records of a phase; of pairs, those over a route (empty: the gateway's)."""
    theirs = route == REFERENCE
    alone = not ended.phase.pairs
    return [row for row in ended.records if alone or (row.arm == REFERENCE) == theirs]


def _phase(
    options: Options,
    model: str,
    scenario: str,
    count: int,
    asks: Sequence[int] = (),
    route: str = "",
) -> Phase:
    at = f"{scenario}-{route}" if route == REFERENCE else scenario
    name = f"{NAME}/{at}/{model}"
    return Phase(
        name=name,
        mode=NAME,
        scenario=scenario,
        model=model,
        schedule=Closed(count),
        request=REQUEST,
        users=min(AT_ONCE, options.max_workers, count) if asks else 1,
        max_tokens=_output_tokens(scenario),
        stream=scenario == asked.STREAM,
        task_prefix=task_prefix(options, NAME, model, at, "req-"),
        route=route if route == REFERENCE else "",
        pairs=f"{options.seed}/{name}" if route == BOTH else "",
        watched=bool(asks) or scenario.startswith((first_token.PREFIX, asked.COUNT)),
        asks=tuple(asks),
        stop_rule=not scenario.startswith(_REFUSABLE),
    )


def _output_tokens(scenario: str) -> int:
    """The budget of each reply."""
    if scenario == tools.SCENARIO:
        return tools.OUTPUT_TOKENS
    if scenario.startswith(context.PREFIX):
        return context.OUTPUT_TOKENS
    if scenario.startswith(long_reply.PREFIX):
        return int(scenario.removeprefix(long_reply.PREFIX))
    return setting.output_tokens(scenario)


MODE = Mode(
    name=NAME,
    place=150,
    question=("is it the model that you pay for?", "应答的是不是你付费的模型"),
    sends=(
        "about 180 short requests (at most 210): repeated texts that show who counts, then whether "
        "settings are honoured; with `--reference` also up to 960 questions with one-word answers",
        "约 180 个短请求（至多 210 个）：用重复文本核对由谁计数，再核对参数是否生效；"
        "给出 `--reference` 时另发至多 960 个只答一词的问题",
    ),
    plan=plan,
    example=("--model", "gpt-5.4-nano"),
    page="how-to/identity.md",
)
