"""The result of a run of mode identity for each model, recomputed from its rows. Pure."""

import json
from collections import Counter
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

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
from identity.asked import Row
from identity.bank import BANK
from identity.called import Called
from identity.cells import Cell, choose, enough
from identity.context import Length
from identity.counting import Count, Counting, Kind
from identity.first_token import Stated
from identity.honoured import Honoured, Reply
from identity.logprobs import FRESH_S, Weights
from identity.long_reply import LongReply
from identity.looks import Asked, Audit, Verdict, audit, audit_pairs
from identity.power import Detectable, detectable
from identity.reference import Reference
from identity.setting import Setting
from identity.tools import Fidelity
from recording.arms import GATEWAY
from recording.json_values import mapping
from recording.outcome import Outcome

Given = Mapping[str, Any]
"""A row, by its columns."""


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
    count, looks = _of(rows, asked.COUNT, asked.STREAM), looks_of(rows)
    beside = looks_of(second_route)
    judged = None if reference is None else _judged(reference, looks, beside, models)
    known = reference.tokens if reference is not None else ()
    enrolling = second_route or _of(rows, asked.CHOOSE, asked.ENROL)
    if not second_route and enrolling:
        enrolling = [*enrolling, *_of(rows, setting.SEED, tools.SCENARIO)]
        enrolling += _likeliest(rows)
    names: dict[str, int] = {}
    for row in rows:
        if row["model_returned"]:
            names[row["model_returned"]] = names.get(row["model_returned"], 0) + 1
    count_of = counting.judge(model, counts_of(count), known)
    return Identity(
        model=model,
        counting=count_of,
        counted=Test.of(count),
        settings=_settings(rows, reference, dropped, models),
        lengths=_lengths(rows, models),
        long_reply=_long_reply(rows, second_route),
        fidelity=_fidelity(rows, reference, models),
        weights=_weights(rows, reference, count_of, models),
        weighed=Test.of(_likeliest(rows)),
        audit=judged,
        audited=Test.of(looks),
        detectable=_detectable(reference, judged, models),
        cells=chosen(rows),
        enrolling=Test.of(enrolling),
        names=names,
    )


def _judged(
    reference: Reference, looks: Sequence[Given], beside: Sequence[Given], models: int
) -> Audit:
    """By the reference; by the second route's answers, pair by pair, where it was asked so."""
    if not beside:
        return audit(reference, asked_of(looks), models)
    pairs = list[tuple[Asked, Asked]]()
    for scenario in dict.fromkeys(row["scenario"] for row in looks):
        ours, theirs = (_in_order(_of(rows, scenario)) for rows in (looks, beside))
        pairs += asked.pairs(ours, theirs)
    return audit_pairs(reference.cells, pairs, models)


def _detectable(
    reference: Reference | None, judged: Audit | None, models: int
) -> Detectable | None:
    if reference is None or judged is None or judged.verdict is not Verdict.NOT_SHOWN:
        return None
    return detectable(reference, models)


def _fidelity(
    rows: Sequence[Given], reference: Reference | None, models: int
) -> tuple[Fidelity, Test] | None:
    own = _of(rows, tools.SCENARIO)
    if not own or reference is None:
        return None
    return tools.judge(reference.tools, _calls(own), len(own), models), Test.of(own)


def called(rows: Sequence[Given]) -> Called | None:
    """What a reference keeps of its tool calls; None: there are too few."""
    own = _of(rows, tools.SCENARIO)
    shown = _calls(own)
    return tools.counted(shown) if own and len(shown) >= 0.8 * len(own) else None


def _calls(rows: Sequence[Given]) -> list[tools.Reply]:
    """What answered rows show; a reply without a call is a wrong one."""
    facts = [_fact(row) for row in rows]
    return [
        tools.Reply(fact["valid"] is True, fact.get("exact") is True)
        for fact in facts
        if "valid" in fact
    ]


def _lengths(rows: Sequence[Given], models: int) -> list[tuple[Length, Test]]:
    """What each length shows, and what its requests took; the first also counts those of the short
    prompt."""
    by_size: dict[int, list[Given]] = {}
    for row in rows:
        if str(row["scenario"]).startswith(context.PREFIX):
            size = int(str(row["scenario"]).removeprefix(context.PREFIX))
            by_size.setdefault(size, []).append(row)
    shown = {size: [_recalled(row) for row in group] for size, group in by_size.items()}
    lengths = context.judge(shown, context.line_of(counts_of(rows)), models)
    short = by_size.get(context.SHORT, [])
    return [
        (length, Test.of(by_size[length.size] + (short if place == 0 else [])))
        for place, length in enumerate(lengths)
    ]


def _long_reply(
    rows: Sequence[Given], second_route: Sequence[Given]
) -> tuple[LongReply, Test] | None:
    """Whether long replies are cut; None: not asked for."""
    own, beside = (
        [row for row in each if str(row["scenario"]).startswith(long_reply.PREFIX)]
        for each in (rows, second_route)
    )
    if not own:
        return None
    size = max(int(row["max_tokens"]) for row in own)
    shown, theirs = ([_listed(row) for row in each] for each in (own, beside))
    return long_reply.judge(size, shown, theirs), Test.of(own)


def _listed(row: Given) -> long_reply.Reply:
    """Reasoning may be among the completion tokens or beside them: both together are not fewer than
    the reply has."""
    fact, tokens = _fact(row), row["completion_tokens"]
    lines = fact.get("lines")
    return long_reply.Reply(
        int(row["request_index"]),
        int(row["max_tokens"]),
        None if tokens is None else int(tokens) + int(row["reasoning_tokens"] or 0),
        fact.get("cut") is True,
        lines if isinstance(lines, int) else None,
        fact.get("pure") is True,
        _refused(row),
    )


def _recalled(row: Given) -> context.Reply:
    recalled = _fact(row).get("recalled")
    codes = [code is True for code in recalled] if isinstance(recalled, list) else []
    tokens = row["prompt_tokens"]
    return context.Reply(
        codes if len(codes) == len(context.DEPTHS) else None,
        None if tokens is None else int(tokens),
        _refused(row),
    )


def _weights(
    rows: Sequence[Given], reference: Reference | None, count: Counting, models: int
) -> Weights | None:
    """What the log-probabilities show; None: not asked for, or the run makes a reference."""
    own = _likeliest(rows)
    if not own or reference is None:
        return None
    if reference.logprobs is not None:
        own = _of(own, f"{first_token.PREFIX}{reference.logprobs.top}") or own
    alone = counting.judge(reference.model, counts_of(rows))
    same = count.kind is not Kind.VARIES and not (count.unexplained or alone.unexplained)
    asked_s = min(datetime.fromisoformat(row["timestamp"]).timestamp() for row in own)
    age_s = abs(asked_s - datetime.fromisoformat(reference.ended).timestamp())
    return logprobs.judge(
        reference.logprobs,
        stated(own),
        len(own),
        same_prompts=same,
        fresh=age_s <= FRESH_S,
        models=models,
    )


def _likeliest(rows: Iterable[Given]) -> list[Given]:
    return [row for row in rows if str(row["scenario"]).startswith(first_token.PREFIX)]


def stated(rows: Sequence[Given]) -> Stated:
    """The stated log-probabilities of some rows, without repeated replies."""
    by_prompt: list[list[Mapping[str, float]]] = [[] for _ in first_token.PROMPTS]
    counted, top = set[tuple[int, str]](), 0
    for row in sorted(_likeliest(rows), key=lambda row: row["request_index"]):
        fact = _fact(row)
        place, by_token = fact.get("prompt"), mapping(fact.get("logprobs"))
        if not by_token or not isinstance(place, int) or place >= len(by_prompt):
            continue
        key = (place, row["completion_id"] or f"row {row['request_index']}")
        if key not in counted:
            counted.add(key)
            top = int(str(row["scenario"]).removeprefix(first_token.PREFIX))
            by_prompt[place].append({str(token): float(value) for token, value in by_token.items()})
    return Stated(top, tuple(map(tuple, by_prompt)))


def _settings(
    rows: Sequence[Given], reference: Reference | None, dropped: Container[str], models: int
) -> list[tuple[Honoured, Test]]:
    """The settings of which something was asked, the cheapest test first."""
    settings = []
    for which, scenarios in honoured.SCENARIOS.items():
        of_setting = [row for row in _of(rows, *scenarios) if (row["arm"] or GATEWAY) == GATEWAY]
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
            return honoured.cache([_shown(row) for row in of_setting])
        case Setting.STOP:
            return honoured.stop([_shown(row) for row in of_setting])
        case Setting.CAP:
            return honoured.cap([_shown(row) for row in of_setting])
    refused = which in dropped or 2 * sum(_refused(row) for row in of_setting) > len(of_setting)
    if which is Setting.SEED:
        seed = reference.seed if reference is not None else None
        return honoured.seed(asked_of(of_setting), seed, refused=refused, models=models)
    free: dict[int, list[str]] = {}
    for answer in asked_of(_of(of_setting, setting.FREE)):
        if answer.word:
            free.setdefault(answer.question, []).append(answer.word)
    parts = [asked_of(_of(of_setting, scenario)) for scenario in (setting.COLD, setting.COLD_MORE)]
    if not free and reference is not None:
        questions = {answer.question for answer in parts[0]}
        counts = reference.counts()
        free = {q: [*Counter(counts[q]).elements()] for q in questions if q in counts}
    parts = [part for part in parts if part]
    return honoured.temperature(parts, free, refused=refused, models=models)


def _shown(row: Given) -> Reply:
    fact = _fact(row)
    numbers = ("completion_created", "completion_tokens", "reasoning_tokens", "max_tokens")
    created, tokens, thought, cap = (
        None if row[name] is None else int(row[name]) for name in numbers
    )
    return Reply(
        int(row["request_index"]), fact or None, _refused(row), row["completion_id"], created,
        tokens, thought, cap,
    )  # fmt: skip


def _fact(row: Given) -> Mapping[str, Any]:
    """What an answered row's reply showed."""
    try:
        return mapping(json.loads(row["check_detail"] or "{}")) if row["success"] else {}
    except ValueError:
        return {}


def _refused(row: Given) -> bool:
    """Whether it was refused because of its body."""
    return bool(row["outcome"] == Outcome.BAD_REQUEST)


def chosen(rows: Iterable[Given]) -> list[Cell]:
    """The cells chosen by the answers of the phase `choose`; none if those are too few."""
    words: dict[int, list[str]] = {}
    for answer in asked_of(_of(rows, asked.CHOOSE)):
        if answer.word and answer.question < len(BANK):
            words.setdefault(answer.question, []).append(answer.word)
    cells = choose(words)
    return cells if enough(cells) else []


def asked_of(rows: Sequence[Given]) -> list[Asked]:
    """The questions of some rows in the order of their phases, and their words."""
    questions: list[Asked] = []
    for phase in dict.fromkeys(row["phase"] for row in rows):
        of_phase = [row for row in rows if row["phase"] == phase]
        questions += asked.asked(_in_order(of_phase))
    return questions


def _in_order(rows: Iterable[Given]) -> list[Row]:
    return [_row(row) for row in sorted(rows, key=lambda row: row["request_index"])]


def counts_of(rows: Sequence[Given]) -> list[Count]:
    """The stated tokens of the repeated texts, plain and streamed."""
    return [
        count
        for scenario in (asked.COUNT, asked.STREAM)
        for count in asked.counts(scenario, map(_row, _of(rows, scenario)))
    ]


def _row(row: Given) -> Row:
    tokens = row["prompt_tokens"]
    return Row(
        row["outcome"],
        row["check_detail"],
        row["completion_id"],
        int(row["request_index"]),
        None if tokens is None else int(tokens),
        row["attempt"],
    )


def _of(rows: Iterable[Given], *scenarios: str) -> list[Given]:
    return [row for row in rows if row["scenario"] in scenarios]


def looks_of(rows: Iterable[Given]) -> list[Given]:
    """The rows of the looks, the first look first."""
    prefix = f"{asked.LOOK}-"
    looks = [row for row in rows if str(row["scenario"]).startswith(prefix)]
    return sorted(looks, key=lambda row: int(str(row["scenario"]).removeprefix(prefix)))
