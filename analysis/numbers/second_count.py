"""A second count of the same requests, by the reference of `--against`. Pure.

Counts of two routes are held against each other only where one tokenizer counts at both: every
repeated text is then one factor times the reference's count, and a constant more. Where no factor
fits, another tokenizer counts or another model answers there, and nothing is concluded. Of output
only replies are compared that are the same, without reasoning; where the reference counts one reply
in two ways, none.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from analysis.numbers.billing_findings import Finding, Kind
from analysis.numbers.billing_rows import FEWEST, Row, by_table, counted, known
from analysis.numbers.token_line import HIDDEN_TOKENS, TokenLine
from recording.exact_amount import money_sum
from recording.record import CONTENT_LIMIT_CHARS
from rules.billing_cases import NAMED, repeats
from rules.line_fit import EXACT, slopes
from rules.prices import Prices

CONVERTED = 0.25
"""Share by which tools or pictures may count more because a gateway rewrites the request."""
TEXT_TOKENS, CALL_TOKENS = 1, 4
"""How many tokens the same reply may differ by: an end token; white space in a call's arguments."""
_PLAIN = ("plain", "plain_again")
_COMPARED = ("plain", "stream", "cached", "long", "tools", "image", "cut", "plain_again")
"""Cases of which output is compared."""


@dataclass(frozen=True, slots=True)
class SecondCount:
    """The reference's prompt tokens, and how the gateway's relate to them.

    `counts`: of a case's prompt (text and repeats, where it has them); one that the reference
    counts in two ways is not in it. `factor`: the range of factors from the reference's counts of
    repeated texts to the gateway's; None: none fits, or too little is stated. `offset`: this many
    tokens more in every prompt; None: not one number. `replies`: completion tokens of the replies
    that the reference counts in one way. `sufficient`: whether it stated enough.
    """

    counts: Mapping[tuple[str, Any], int]
    factor: tuple[float, float] | None = None
    offset: int | None = None
    replies: Mapping[tuple[Any, ...], int] = field(default_factory=dict)
    sufficient: bool = False

    @property
    def compares(self) -> bool:
        """Whether one factor lies between the two counts, so that an inflation would be seen."""
        return self.factor is not None

    @property
    def alike(self) -> bool:
        """Whether both count repeated texts alike, but for a constant."""
        return self.offset is not None

    def count(self, row: Row) -> int | None:
        """What the reference states of the prompt of one of the gateway's rows."""
        case = row["scenario"]
        place = repeats(case, row["request_index"])
        count = self.counts.get((case, place))
        return self.counts.get(("plain", place)) if count is None and place is not None else count

    def total(self, rows: Sequence[Row]) -> int | None:
        """The same of every row of a case that has a count; None: not known."""
        counts = [self.count(row) for row in rows if counted(row)]
        return sum(filter(None, counts)) if counts and None not in counts else None


def second_count(by_case: Mapping[str, Sequence[Row]], beside: Sequence[Row]) -> SecondCount | None:
    """What the reference counts, beside the gateway's rows; None: it was not asked."""
    if not beside:
        return None
    prompt_counts = defaultdict[tuple[str, Any], set[int]](set)
    for row in beside:
        if counted(row):
            place = repeats(row["scenario"], row["request_index"])
            prompt_counts[row["scenario"], place].add(int(row["prompt_tokens"]))
    counts = {key: min(values) for key, values in prompt_counts.items() if len(values) == 1}
    points = [
        (counts["count", place], int(row["prompt_tokens"]))
        for row in by_case.get("count", ())
        if counted(row) and ("count", place := repeats("count", row["request_index"])) in counts
    ]
    if len({x for x, _ in points}) < FEWEST:
        return SecondCount(counts)
    apart = {y - x for x, y in points}
    offset = min(apart) if len(apart) == 1 else None
    return SecondCount(counts, slopes(points, EXACT), offset, _replies(beside), sufficient=True)


def findings_beside(
    second: SecondCount | None,
    by_case: Mapping[str, Sequence[Row]],
    line: TokenLine | None,
    earlier: Sequence[Finding],
    model: str,
    prices: Prices | None,
) -> list[Finding]:
    """What the reference's counts show; of output also what plain replies do, without any."""
    kinds = {finding.kind for finding in earlier}
    findings = []
    if second is not None and Kind.INFLATED not in kinds and _above(second, line):
        assert second.factor is not None
        findings.append(Finding(Kind.ABOVE_REFERENCE, amount=second.factor[0]))
    if second is not None and second.offset is not None:
        if second.offset > HIDDEN_TOKENS and Kind.HIDDEN_PROMPT not in kinds:
            findings.append(Finding(Kind.HIDDEN_PROMPT, amount=second.offset))
        findings += _prompts(second, by_case, model, prices)
    reported = {
        finding.case for finding in [*earlier, *findings] if finding.kind is not Kind.OVER_BUDGET
    }
    if {Kind.INFLATED, Kind.ABOVE_REFERENCE} & {*kinds, *(finding.kind for finding in findings)}:
        return findings  # for output the same factor is reported already
    return findings + [
        finding
        for finding in _outputs(second, by_case, model, prices)
        if finding.case not in reported
    ]


def _above(second: SecondCount, line: TokenLine | None) -> bool:
    """Whether every factor that fits is above 1, and no known tokenizer says otherwise."""
    if line is not None and (line.no_line or line.other or line.inflation is not None):
        return False  # the model's own tokenizer is known: it has decided
    return second.factor is not None and second.factor[0] > 1


def _prompts(
    second: SecondCount, by_case: Mapping[str, Sequence[Row]], model: str, prices: Prices | None
) -> list[Finding]:
    """The cases without a repeated text whose prompts count more than at the reference."""
    findings = []
    for name, rows in by_case.items():
        case = NAMED.get(name)
        if case is None or case.prompt is not None or name == "count":
            continue
        counts = [(row, count) for row in rows if counted(row) and (count := second.count(row))]
        more = [row["prompt_tokens"] - count - (second.offset or 0) for row, count in counts]
        if len(more) < FEWEST or min(more) <= 0:
            continue
        slight = all(
            extra <= CONVERTED * count for extra, (_, count) in zip(more, counts, strict=True)
        )
        rows_more = [(row, extra) for (row, _), extra in zip(counts, more, strict=True)]
        worth = _worth(rows_more, "prompt_tokens", model, prices)
        findings.append(
            Finding(Kind.PROMPT_ABOVE_REFERENCE, name, sum(more), len(more), worth, slight)
        )
    return findings


# ---- output


def _outputs(
    second: SecondCount | None,
    by_case: Mapping[str, Sequence[Row]],
    model: str,
    prices: Prices | None,
) -> list[Finding]:
    """The cases whose replies count more than the same replies at the reference, or when plain."""
    plain = _replies([row for name in _PLAIN for row in by_case.get(name, ())])
    theirs = second.replies if second is not None and second.alike else {}
    findings = []
    for name, rows in by_case.items():
        for kind, replies in (
            (Kind.OUTPUT_ABOVE_REFERENCE, theirs),
            (Kind.OUTPUT_OTHERWISE, plain),
        ):
            more = [
                (row, row["completion_tokens"] - replies[key])
                for row in rows
                if (key := _reply(row)) is not None and key in replies
            ]
            least = CALL_TOKENS if name == "tools" else TEXT_TOKENS
            if len(more) < FEWEST or any(extra <= least for _, extra in more):
                continue
            if name == "tools" and len({extra for _, extra in more}) > 1:
                continue  # arguments of other lengths
            worth = _worth(more, "completion_tokens", model, prices)
            findings.append(Finding(kind, name, sum(extra for _, extra in more), len(more), worth))
            break
    return findings


def _replies(rows: Sequence[Row]) -> dict[tuple[Any, ...], int]:
    """Completion tokens of each reply that came several times and was counted in one way."""
    reply_counts = defaultdict[tuple[Any, ...], list[int]](list)
    for row in rows:
        if (key := _reply(row)) is not None:
            reply_counts[key].append(int(row["completion_tokens"]))
    return {
        key: values[0]
        for key, values in reply_counts.items()
        if len(values) >= FEWEST and len({*values}) == 1
    }


def _reply(row: Row) -> tuple[Any, ...] | None:
    """What two rows with the same reply have in common; None: what came is not known."""
    if row["scenario"] not in _COMPARED or not row["success"]:
        return None
    thought = [row.get(name) for name in ("reasoning_tokens", "reasoning_content_present")]
    if not known(row["completion_tokens"]) or any(known(value) and value for value in thought):
        return None
    if row["scenario"] == "tools":
        passed = str(row.get("check") or "").split()[:1] == ["pass"]
        calls = row.get("tool_calls")
        return ("call", calls) if passed and known(calls) else None
    content = row.get("content")
    if not known(content) or not content or len(content) >= CONTENT_LIMIT_CHARS:
        return None
    return ("text", content, row["finish_reason"])


def _worth(
    more: Sequence[tuple[Row, int]], column: str, model: str, prices: Prices | None
) -> float | None:
    """What this many additional tokens cost by the price table, money; None: not known."""
    paid = []
    for row, tokens in more:
        total = row["total_tokens"] - tokens if known(row["total_tokens"]) else None
        less = {**row, column: row[column] - tokens, "total_tokens": total}
        as_counted, due = by_table(row, model, prices), by_table(less, model, prices)
        if as_counted is None or due is None:
            return None
        paid.append(as_counted - due)
    return money_sum(paid)
