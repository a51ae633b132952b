"""The result of a run of mode identity for each model, recomputed from its rows. Pure."""

from collections import Counter
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from analysis.numbers.identity_rows import (
    Given,
    asked_of,
    chosen,
    context_reply,
    counts_of,
    first_token_rows,
    in_order,
    long_reply_of,
    looks_of,
    of_scenarios,
    refused_body,
    repeated_counts,
    setting_reply,
    stated_logprobs,
    tool_replies,
)
from identity import (
    asked,
    context,
    counting,
    first_token,
    honoured,
    logprobs,
    long_reply,
    setting,
    tools,
)
from identity.cells import Cell
from identity.context import Length
from identity.counting import Counting, Kind
from identity.honoured import Honoured
from identity.logprobs import FRESH_S, Weights
from identity.long_reply import LongReply
from identity.looks import Asked, Audit, Verdict, audit, audit_pairs
from identity.power import Detectable, detectable
from identity.reference import Reference
from identity.setting import Setting
from identity.tools import Fidelity
from identity.word import FILTERED
from recording.arms import GATEWAY


@dataclass(frozen=True, slots=True)
class Test:
    """What one test took: requests that were sent, and their known costs (None: none is known)."""

    requests: int
    cost: float | None

    @classmethod
    def of(cls, rows: Sequence[Given]) -> "Test":
        """Of its rows."""
        costs = [row["api_cost"] for row in rows if row["api_cost"] is not None]
        sent = sum(row["sent_offset_s"] is not None for row in rows)
        return cls(sent, sum(costs) if costs else None)


@dataclass(frozen=True, slots=True)
class Identity:
    """One model: who counts, and, against a reference, who answers (None: not asked).

    `settings` are those of which something was asked, with what it took; `weights` is what
    log-probabilities show (None: not asked). `detectable` is what an audit that shows no
    difference would have shown, `cells` those that enrolment chose, `enrolling` what that took,
    `names` what the replies call the model, and how often.
    """

    model: str
    counting: Counting
    counted: Test
    settings: Sequence[tuple[Honoured, Test]]
    lengths: Sequence[tuple[Length, Test]]
    long_reply: tuple[LongReply, Test] | None
    fidelity: tuple[Fidelity, Test] | None
    weights: Weights | None
    weighed: Test
    audit: Audit | None
    audited: Test
    detectable: Detectable | None
    cells: Sequence[Cell]
    enrolling: Test
    names: Mapping[str, int]

    @property
    def differing(self) -> int:
        """How many of its tests say that it differs. A response cache is not one of them: it says
        nothing about the model."""
        verdicts = [self.counting.verdict, self.audit.verdict if self.audit is not None else None]
        verdicts += [test.verdict for test, _ in self.lengths]
        verdicts += [self.long_reply[0].verdict] if self.long_reply is not None else []
        verdicts += [self.fidelity[0].verdict] if self.fidelity is not None else []
        verdicts += [self.weights.verdict] if self.weights is not None else []
        verdicts += [test.verdict for test, _ in self.settings if test.setting is not Setting.CACHE]
        return verdicts.count(Verdict.DIFFERS)

    @property
    def judged(self) -> bool:
        """Whether the most expensive requested test has a verdict: who answers, else who
        counts."""
        test = self.audit if self.audit is not None else self.counting
        return test.verdict is not Verdict.NOT_ENOUGH


def of_model(
    model: str,
    rows: Sequence[Given],
    reference: Reference | None,
    second_route: Sequence[Given] = (),
    dropped: Container[str] = (),
    models: int = 1,
) -> Identity:
    """Judge one of a run's models by all of its rows; `second_route`: those of a live reference;
    `dropped`: fields that the gateway refused and that were then left out."""
    count, looks = of_scenarios(rows, asked.COUNT, asked.STREAM), looks_of(rows)
    beside = looks_of(second_route)
    against_reference = None if reference is None else _audit(reference, looks, beside, models)
    known = reference.tokens if reference is not None else ()
    enrolling = second_route or of_scenarios(rows, asked.CHOOSE, asked.ENROL)
    if not second_route and enrolling:
        enrolling = [*enrolling, *of_scenarios(rows, setting.SEED, tools.SCENARIO)]
        enrolling += first_token_rows(rows)
    names: dict[str, int] = {}
    for row in rows:
        if row["model_returned"]:
            names[row["model_returned"]] = names.get(row["model_returned"], 0) + 1
    count_of = counting.judge(model, counts_of(count), known, repeated_counts(rows))
    return Identity(
        model=model,
        counting=count_of,
        counted=Test.of(count),
        settings=_settings(rows, reference, dropped, models),
        lengths=_lengths(rows, models),
        long_reply=_long_reply(rows, second_route),
        fidelity=_fidelity(rows, reference, models),
        weights=_weights(rows, reference, count_of, models),
        weighed=Test.of(first_token_rows(rows)),
        audit=against_reference,
        audited=Test.of(looks),
        detectable=_detectable(reference, against_reference, models),
        cells=chosen(rows),
        enrolling=Test.of(enrolling),
        names=names,
    )


def _audit(
    reference: Reference, looks: Sequence[Given], beside: Sequence[Given], models: int
) -> Audit:
    """By the reference; by the second route's answers, pair by pair, where it was asked so."""
    if not beside:
        return audit(reference, asked_of(looks), models)
    pairs = list[tuple[Asked, Asked]]()
    for scenario in dict.fromkeys(row["scenario"] for row in looks):
        ours, theirs = (in_order(of_scenarios(rows, scenario)) for rows in (looks, beside))
        pairs += asked.pairs(ours, theirs)
    return audit_pairs(reference.cells, pairs, models)


def _detectable(
    reference: Reference | None, result: Audit | None, models: int
) -> Detectable | None:
    if reference is None or result is None or result.verdict is not Verdict.NOT_SHOWN:
        return None
    usable_cells = tuple(cell for cell in reference.cells if cell.question not in result.filtered)
    return detectable(replace(reference, cells=usable_cells), models)


def _fidelity(
    rows: Sequence[Given], reference: Reference | None, models: int
) -> tuple[Fidelity, Test] | None:
    tool_rows = of_scenarios(rows, tools.SCENARIO)
    if not tool_rows or reference is None:
        return None
    return tools.judge(reference.tools, tool_replies(tool_rows), len(tool_rows), models), Test.of(
        tool_rows
    )


def _lengths(rows: Sequence[Given], models: int) -> list[tuple[Length, Test]]:
    """What each length shows, and what its requests took; the first also counts those of the short
    prompt."""
    by_size: dict[int, list[Given]] = {}
    for row in rows:
        if str(row["scenario"]).startswith(context.PREFIX):
            size = int(str(row["scenario"]).removeprefix(context.PREFIX))
            by_size.setdefault(size, []).append(row)
    replies_by_size = {
        size: [context_reply(row) for row in group] for size, group in by_size.items()
    }
    lengths = context.judge(replies_by_size, context.line_of(counts_of(rows)), models)
    short = by_size.get(context.SHORT, [])
    return [
        (length, Test.of(by_size[length.size] + (short if place == 0 else [])))
        for place, length in enumerate(lengths)
    ]


def _long_reply(
    rows: Sequence[Given], second_route: Sequence[Given]
) -> tuple[LongReply, Test] | None:
    """Whether long replies are cut; None: not asked for."""
    here, beside = (
        [row for row in each if str(row["scenario"]).startswith(long_reply.PREFIX)]
        for each in (rows, second_route)
    )
    if not here:
        return None
    size = max(int(row["max_tokens"]) for row in here)
    replies, theirs = ([long_reply_of(row) for row in each] for each in (here, beside))
    return long_reply.judge(size, replies, theirs), Test.of(here)


def _weights(
    rows: Sequence[Given], reference: Reference | None, count: Counting, models: int
) -> Weights | None:
    """What the log-probabilities show; None: not asked for, or the run makes a reference."""
    logprob_rows = first_token_rows(rows)
    if not logprob_rows or reference is None:
        return None
    if reference.logprobs is not None:
        logprob_rows = (
            of_scenarios(logprob_rows, f"{first_token.PREFIX}{reference.logprobs.top}")
            or logprob_rows
        )
    alone = counting.judge(reference.model, counts_of(rows))
    same = count.kind is not Kind.VARIES and not (count.unexplained or alone.unexplained)
    asked_s = min(datetime.fromisoformat(row["timestamp"]).timestamp() for row in logprob_rows)
    age_s = abs(asked_s - datetime.fromisoformat(reference.ended).timestamp())
    return logprobs.judge(
        reference.logprobs,
        stated_logprobs(logprob_rows),
        len(logprob_rows),
        same_prompts=same,
        fresh=age_s <= FRESH_S,
        models=models,
    )


def _settings(
    rows: Sequence[Given], reference: Reference | None, dropped: Container[str], models: int
) -> list[tuple[Honoured, Test]]:
    """The settings of which something was asked, the cheapest test first."""
    settings = []
    for which, scenarios in honoured.SCENARIOS.items():
        of_setting = [
            row for row in of_scenarios(rows, *scenarios) if (row["arm"] or GATEWAY) == GATEWAY
        ]
        if of_setting and not (which is Setting.SEED and reference is None):
            settings.append(
                (_honoured(which, of_setting, reference, dropped, models), Test.of(of_setting))
            )
    return settings


def _honoured(
    which: Setting,
    of_setting: Sequence[Given],
    reference: Reference | None,
    dropped: Container[str],
    models: int,
) -> Honoured:
    match which:
        case Setting.CACHE:
            return honoured.cache([setting_reply(row) for row in of_setting])
        case Setting.STOP:
            return honoured.stop([setting_reply(row) for row in of_setting])
        case Setting.CAP:
            return honoured.cap([setting_reply(row) for row in of_setting])
    refused = which in dropped or 2 * sum(refused_body(row) for row in of_setting) > len(of_setting)
    if which is Setting.SEED:
        seed = reference.seed if reference is not None else None
        return honoured.seed(asked_of(of_setting), seed, refused=refused, models=models)
    free: dict[int, list[str]] = {}
    for answer in asked_of(of_scenarios(of_setting, setting.FREE)):
        if answer.word and answer.word != FILTERED:
            free.setdefault(answer.question, []).append(answer.word)
    parts = [
        asked_of(of_scenarios(of_setting, scenario))
        for scenario in (setting.COLD, setting.COLD_MORE)
    ]
    if not free and reference is not None:
        questions = {answer.question for answer in parts[0]}
        counts = reference.counts()
        free = {q: [*Counter(counts[q]).elements()] for q in questions if q in counts}
    parts = [part for part in parts if part]
    return honoured.temperature(parts, free, refused=refused, models=models)
