"""What a bill charges for requests that were cancelled on purpose, of mode billing. Pure.

They are compared with the same reply in full (the case `whole`) on the same bill, so no price is
needed. A cancelled request is reported as charged in full only if the gateway had time to notice:
the whole reply takes twice as long as the request was held, and a second longer. There is no
verdict if the bill lacks the whole replies, if those do not cost the same, or if a reply of 16
tokens costs as much: then length has no price.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import fsum
from typing import Any

from analysis.numbers.pricing import last_decimal
from recording.exact_amount import money_sum
from recording.outcome import Outcome
from rules.billing_cases import LEFT

Row = Mapping[str, Any]
FEWEST = 2
TIMES_AS_LONG, LONGER_S = 2.0, 1.0
"""How much longer than it was held a whole reply must take."""
_ALIKE = 0.1  # share by which whole replies may differ
_LENGTH_COUNTS = 0.9  # a short reply must cost less than this share of a long one


class ChargeVerdict(StrEnum):
    """What the bill shows of a case."""

    NOTHING = "nothing"  # none of its requests is charged
    PART = "part"  # less than a whole reply
    WHOLE = "whole"  # every request is charged as a whole reply
    TOO_SHORT = "too_short"  # as a whole one, but the reply may have been complete by then
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class CancelledCharge:
    """One case: how many requests were cancelled, and what the bill charges for them.

    `charged` is their sum, `whole` the cost of as many whole replies; None: not known. `held_s` is
    the longest that one was held, `whole_s` the shortest that a whole reply took.
    """

    model: str
    case: str
    requests: int
    said: ChargeVerdict
    charged: float | None = None
    whole: float | None = None
    held_s: float | None = None
    whole_s: float | None = None


def judge(
    model: str, rows: Sequence[Row], billed: Mapping[str, float], by_task: bool
) -> list[CancelledCharge]:
    """Judge the cancelled requests of a model; `billed`: what the bill charges, by task_id.

    A cancelled request missing from a bill with the whole replies was charged nothing, if the bill
    names task_ids (`by_task`) or the gateway had stated its own id for the request.
    """
    whole_replies = [row for row in rows if row["scenario"] == "whole" and row["success"]]
    short = [row for row in rows if row["scenario"] in ("count", "cut") and row["success"]]
    known = _known(whole_replies, billed)
    by_length = known is not None and _length_counts(known, _known(short, billed))
    charges = []
    for case in LEFT:
        cancelled_rows = [
            row for row in rows if row["scenario"] == case and row["outcome"] == Outcome.ABANDONED
        ]
        if not cancelled_rows:
            continue
        unjudged = CancelledCharge(model, case, len(cancelled_rows), ChargeVerdict.UNKNOWN)
        named = all(
            by_task or row["task_id"] in billed or row["gateway_request_id"]
            for row in cancelled_rows
        )
        judgeable = known and by_length and named and len(cancelled_rows) >= FEWEST
        charges.append(
            _of_case(unjudged, cancelled_rows, whole_replies, known, billed)
            if judgeable and known
            else unjudged
        )
    return charges


def _known(rows: Sequence[Row], billed: Mapping[str, float]) -> list[float] | None:
    """The charges of FEWEST or more requests, if all of them are on the bill."""
    costs = [billed[row["task_id"]] for row in rows if row["task_id"] in billed]
    return costs if len(costs) >= FEWEST and len(costs) == len(rows) else None


def _length_counts(whole_costs: Sequence[float], short: Sequence[float] | None) -> bool:
    """Whether whole replies cost the same, and more than short ones."""
    if (
        short is None
        or min(whole_costs) <= 0
        or max(whole_costs) - min(whole_costs) > _ALIKE * max(whole_costs)
    ):
        return False
    return min(short) < _LENGTH_COUNTS * min(whole_costs)


def _of_case(
    unjudged: CancelledCharge,
    cancelled_rows: Sequence[Row],
    whole_replies: Sequence[Row],
    known: Sequence[float],
    billed: Mapping[str, float],
) -> CancelledCharge:
    costs = [billed.get(row["task_id"], 0.0) for row in cancelled_rows]
    unit = last_decimal([*known, *costs])
    held_times_s = [row["elapsed_sec"] for row in cancelled_rows if row["elapsed_sec"] is not None]
    took = [row["elapsed_sec"] for row in whole_replies if row["elapsed_sec"] is not None]
    held_s, whole_s = max(held_times_s, default=None), min(took, default=None)
    if max(costs) < unit / 2:
        verdict = ChargeVerdict.NOTHING
    elif min(costs) < min(known) - 1.5 * unit:
        verdict = ChargeVerdict.PART
    else:
        verdict = (
            ChargeVerdict.WHOLE if _time_to_notice(held_s, whole_s) else ChargeVerdict.TOO_SHORT
        )
    mean = fsum(known) / len(known)
    return CancelledCharge(
        unjudged.model,
        unjudged.case,
        len(cancelled_rows),
        verdict,
        money_sum(costs),
        mean * len(cancelled_rows),
        held_s,
        whole_s,
    )


def _time_to_notice(held_s: float | None, whole_s: float | None) -> bool:
    """Whether a gateway that stops when its client leaves would have written less."""
    if held_s is None or whole_s is None:
        return False
    return whole_s >= max(TIMES_AS_LONG * held_s, held_s + LONGER_S)
