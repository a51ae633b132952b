"""Mode identity: is it the model that is paid for?

A program per model, the cheapest test first: repeated texts show who counts, then whether settings
are honoured; with `--enrol` questions are chosen and asked afresh, which makes a reference; with
`--reference` its questions are asked in three looks, and no more of them once a look differs. What
it means is worked out from the rows by the report (analysis/report/sections/identity.py), by the
same rules.
"""

from collections import Counter
from collections.abc import Generator, Mapping, Sequence
from datetime import UTC, datetime

from identity import asked, bound, context, first_token, reference_file, setting, tools
from identity.alpha import LOOKS
from identity.asked import Row
from identity.bank import BANK
from identity.bound import Bound
from identity.cells import CHOOSING, Cell, choose, enough
from identity.counting import Count
from identity.first_token import Stated
from identity.honoured import restless
from identity.looks import (
    ANSWERS,
    LEAST_ANSWERED,
    SELF_ALPHA,
    Asked,
    Verdict,
    Why,
    audit,
    counted,
    halves,
    self_check,
)
from identity.reference import Reference, Seeded
from identity.texts import COUNTED, STREAMED
from loadshapes.finding import Finding
from loadshapes.modes.mode import Mode
from loadshapes.phase import Phase
from loadshapes.plan import Plan
from loadshapes.program import Program
from loadshapes.schedule import Closed
from loadshapes.task_prefix import task_prefix
from recording.arms import REFERENCE
from recording.errors import MissingOption, OperatorError
from recording.record import RequestRecord
from rules.prices import PriceError, Prices
from rules.prices import read as read_prices
from settings.body_profile import BUDGETS, extra_body
from settings.options import Options

NAME = REQUEST = "identity"
AT_ONCE = 4
"""Questions at once: few enough to be no load, enough to be done in minutes."""


_REFUSABLE = (setting.PREFIX, first_token.PREFIX, context.PREFIX, tools.SCENARIO)
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
    known = _reference(options) if options.reference else None
    try:
        prices = read_prices(options.prices) if options.prices else None
    except PriceError as error:
        raise OperatorError(f"--prices: {error}") from None
    return Plan(
        phases=(),
        unfold=lambda: _program(options, known),
        most_users=min(AT_ONCE, options.max_workers),
        outlook="; ".join(_outlook(options, model, known, prices) for model in options.models)
        + " (what a gateway adds to a prompt is not in it)",
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
            "route was mixed, or the model changed). It can judge nobody: make another by --enrol."
        )
    return known


def _outlook(options: Options, model: str, known: Reference | None, prices: Prices | None) -> str:
    """What a model may use: bounds, not estimates."""
    price = prices.of(model) if prices else None
    unit = f" {prices.currency}" if prices and prices.currency else ""

    def told(one: Bound) -> str:
        tokens = one.prompt_tokens + one.output_tokens
        text = f"{one.requests} requests and at most {tokens:,} tokens"
        return text + (f" and {price.most_of(*one):.6g}{unit}" if price else "")

    found = [f"{model}: who counts, {told(bound.counting())}"]
    if not options.enrol:
        found.append(
            f"whether settings are honoured, at most {told(bound.settings(known is not None))}"
        )
    if options.enrol or options.against:
        found.append(f"a reference, {told(bound.enrolment(ANSWERS))}")
    if known is not None:
        if known.logprobs is not None:
            found.append(f"log-probabilities, {told(bound.likeliest(1))}")
        if known.seed is not None:
            found.append(f"whether a seed is, {told(bound.seeds())}")
        first, whole = bound.audit(cell.question for cell in known.cells)
        found.append(f"who answers, {told(first)} where it differs at once, else {told(whole)}")
    if options.against:
        found.append(f"who counts there, {told(bound.counting())}")
        found.append(f"log-probabilities, at most {told(bound.likeliest(1))}")
        found.append(f"whether a seed is honoured, at most {told(bound.seeds())}")
        whole = bound.dearest(LOOKS[-1][0])
        found.append(f"who answers, at most {told(whole)}")
    if options.identity_tools:
        found.append(f"tool calls, on each route {told(bound.calls())}")
    if sizes := context.sizes(options.identity_context):
        found.append(f"context length, at most {told(bound.lengths(sizes))}")
    return "; ".join(found)


def _program(options: Options, known: Reference | None) -> Program:
    for model in options.models:
        found = yield _phase(options, model, asked.COUNT, len(COUNTED))
        counts = asked.counts(asked.COUNT, _rows(found.records))
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
            live = yield from _enrolled(options, model, REFERENCE)
            if live is not None and self_check(live) > SELF_ALPHA:
                if live.logprobs is not None:
                    yield from _logprobs(options, model, (live.logprobs.top,))
                yield from _seeds(options, model, live.seed.questions if live.seed else ())
                yield from _audited(options, model, live)
        if options.against or (known is not None and known.tools is not None):
            yield from _calls(options, model)
        if known is not None:
            if known.seed is not None:
                yield from _seeds(options, model, known.seed.questions)
            yield from _audited(options, model, known)
        yield from _lengths(options, model, counts)


def _calls(options: Options, model: str, route: str = "") -> Program:
    """Calls of a tool, where they are asked for."""
    if options.identity_tools:
        yield _phase(options, model, tools.SCENARIO, tools.ROUNDS * len(tools.WANTED), route=route)


def _lengths(options: Options, model: str, counts: Sequence[Count]) -> Program:
    """Short prompts, then longer ones, until one is refused altogether."""
    line, sizes = context.line_of(counts), context.sizes(options.identity_context)
    if line is None or not sizes:
        return
    for size in (context.SHORT, *sizes):
        rounds = context.SHORT_ROUNDS if size == context.SHORT else context.ROUNDS
        asks = (context.lines(size, line),)
        found = yield _phase(options, model, f"{context.PREFIX}{size}", rounds, asks)
        if not any(row.success for row in found.records):
            return


def _settings(options: Options, model: str) -> Program:
    """What each setting is shown by; what the operator sets himself, is not asked."""
    given = {*extra_body(options.extra_body)}
    for scenario, fields in (
        (setting.CACHE, {"temperature"}),
        (setting.STOP, {"stop", *BUDGETS}),
        (setting.CAP, {*BUDGETS}),
    ):
        if not given & fields:
            yield _phase(options, model, scenario, setting.COUNTS[scenario])


def _temperature(options: Options, model: str, known: Reference | None) -> Program:
    """Questions with many answers, at temperature 0: as many again where these vary, else how much
    they do at 1, unless a reference says it."""
    if known is not None:
        questions = _varied(known.cells, known.counts())[: setting.COLD_QUESTIONS]
    else:
        count = setting.WARM_ROUNDS * len(setting.WARM_QUESTIONS)
        found = yield _phase(options, model, setting.WARM, count, setting.WARM_QUESTIONS)
        questions = [*setting.chosen(_strays(_asked(found.records)))]
    if len(questions) < setting.LEAST_VARIED:
        return
    found = yield _phase(options, model, setting.COLD, setting.COLD_ANSWERS, questions)
    if any(row.refused_sends for row in found.records):
        return
    if restless(_asked(found.records)):
        yield _phase(options, model, setting.COLD_MORE, setting.COLD_ANSWERS, questions)
    elif known is None:
        count = setting.FREE_ROUNDS * len(questions)
        yield _phase(options, model, setting.FREE, count, questions)


def _logprobs(
    options: Options, model: str, tops: Sequence[int], route: str = ""
) -> Generator[Phase, Finding, int | None]:
    """Log-probabilities of the first token, of fewer tokens where so many are refused; how many
    were stated (None: none)."""
    if {"logprobs", "top_logprobs", "temperature"} & {*extra_body(options.extra_body)}:
        return None
    for top in tops:
        count, scenario = (
            first_token.ROUNDS * len(first_token.PROMPTS),
            f"{first_token.PREFIX}{top}",
        )
        found = yield _phase(options, model, scenario, count, route=route)
        if any(row.success for row in found.records):
            return top
    return None


def _varied(cells: Sequence[Cell], said: Mapping[int, Mapping[str, int]]) -> list[int]:
    """The questions with many answers, those whose usual one is rarest first."""
    shares = [
        (max(own.values()) / sum(own.values()), cell.question)
        for cell in cells
        if cell.kind == "spread" and (own := said.get(cell.question))
    ]
    return [question for _, question in sorted(shares)]


def _strays(answers: Sequence[Asked]) -> dict[int, int]:
    """Of each question: answers that are not its commonest."""
    said = counted(answers)
    return {question: sum(own.values()) - max(own.values()) for question, own in said.items()}


def _seeds(options: Options, model: str, questions: Sequence[int], route: str = "") -> Program:
    """Each of the questions several times, with one seed."""
    if questions and not {"seed", "temperature"} & {*extra_body(options.extra_body)}:
        count = setting.SEED_ROUNDS * len(questions)
        yield _phase(options, model, setting.SEED, count, questions, route)


def _enrolled(
    options: Options, model: str, route: str = ""
) -> Generator[Phase, Finding, Reference | None]:
    """Questions are chosen by ten answers each, and asked afresh: those are the reference."""
    everything = range(len(BANK))
    if route:
        yield _phase(options, model, asked.COUNT, len(COUNTED), route=route)
    found = yield _phase(options, model, asked.CHOOSE, CHOOSING * len(BANK), everything, route)
    said: dict[int, list[str]] = {}
    for one in _asked(found.records):
        if one.word:
            said.setdefault(one.question, []).append(one.word)
    cells = choose(said)
    if not enough(cells):
        return None
    questions = [cell.question for cell in cells]
    count = ANSWERS * len(cells)
    found = yield _phase(options, model, asked.ENROL, count, questions, route)
    answers = _asked(found.records)
    varied = _varied(cells, {question: Counter(said[question]) for question in questions})
    varied = varied[: setting.SEED_QUESTIONS]
    yield from _calls(options, model, route)
    top = yield from _logprobs(options, model, first_token.TOPS, route)
    yield from _seeds(options, model, varied, route)
    if sum(bool(one.word) for one in answers) < LEAST_ANSWERED * count:
        return None
    first, second = halves(answers)
    seed = Seeded(tuple(varied), 0, 0)  # what it shows, the report works out of the rows
    likeliest = None if top is None else Stated(top, ())
    return Reference(model, "", "", "", tuple(cells), first, second, seed=seed, logprobs=likeliest)


def _audited(options: Options, model: str, known: Reference) -> Program:
    """The reference's questions, look by look, until one differs or nothing can be said."""
    questions, sent, before = [cell.question for cell in known.cells], list[Asked](), 0
    for rounds, _ in LOOKS:
        more = (rounds - before) * len(questions)
        found = yield _phase(options, model, f"{asked.LOOK}-{rounds}", more, questions)
        sent += _asked(found.records)
        seen, before = audit(known, sent), rounds
        if seen.verdict is Verdict.DIFFERS or seen.why not in (None, Why.UNFINISHED):
            return


def _asked(records: Sequence[RequestRecord]) -> list[Asked]:
    return asked.asked(_rows(records))


def _rows(records: Sequence[RequestRecord]) -> list[Row]:
    return [
        Row(row.outcome, row.check_detail, row.completion_id, row.request_index, row.prompt_tokens)
        for row in sorted(records, key=lambda row: row.request_index)
    ]


def _phase(
    options: Options,
    model: str,
    scenario: str,
    count: int,
    asks: Sequence[int] = (),
    route: str = "",
) -> Phase:
    at = f"{scenario}-{route}" if route else scenario
    long = scenario.startswith(context.PREFIX)
    return Phase(
        name=f"{NAME}/{at}/{model}",
        mode=NAME,
        scenario=scenario,
        model=model,
        schedule=Closed(count),
        request=REQUEST,
        users=min(AT_ONCE, options.max_workers, count) if asks else 1,
        max_tokens=tools.OUTPUT_TOKENS
        if scenario == tools.SCENARIO
        else context.OUTPUT_TOKENS
        if long
        else setting.output_tokens(scenario),
        stream=scenario == asked.STREAM,
        task_prefix=task_prefix(options, NAME, model, at, "req-"),
        route=route,
        watched=bool(asks) or scenario.startswith((first_token.PREFIX, asked.COUNT)),
        asks=tuple(asks),
        stop_rule=not scenario.startswith(
            (setting.PREFIX, first_token.PREFIX, context.PREFIX, tools.SCENARIO)
        ),
    )


MODE = Mode(
    name=NAME,
    place=150,
    question=("is it the model that you pay for?", "应答的是否为你付费购买的模型"),
    sends=(
        "repeated texts that show who counts (14 requests), then whether settings are honoured (up "
        "to 230); with `--reference` up to 960 questions with one-word answers",
        "用重复文本核对由谁计数（14 个请求），再核对参数是否生效（至多 230 个）；"
        "给出 `--reference` 时再发至多 960 个只答一词的问题",
    ),
    plan=plan,
    example=("--model", "gpt-5.4-nano"),
    page="how-to/identity.md",
)
