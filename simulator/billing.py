"""What a gateway states and charges in place of the truth, as a profile's `[billing]` says.

The truth is what the model counted, at the profile's prices, with the cache's discount; a request
whose client left is charged for its prompt and for what the model wrote of the reply. The ledger
has the truth in the columns `true_*`, beside what was stated and charged.
"""

from dataclasses import dataclass
from random import Random

from simulator import prices
from simulator.answer import Answer
from simulator.ledger import Row
from simulator.profile import Model


@dataclass(frozen=True, slots=True)
class Counts:
    """The true counts of one request."""

    prompt_tokens: int
    completion_tokens: int
    cached_tokens: int
    cache_write_tokens: int
    reasoning_tokens: int

    def cost(self, model: Model, completion_tokens: int | None = None) -> float:
        """The honest charge, or that for the first `completion_tokens` of the reply."""
        written = self.completion_tokens if completion_tokens is None else completion_tokens
        return prices.cost(
            model.prices, self.prompt_tokens, written, self.cached_tokens, self.cache_write_tokens
        )


def counts(answer: Answer) -> Counts:
    """The true counts; call it before `state` changes the answer."""
    return Counts(
        answer.prompt_tokens,
        answer.completion_tokens,
        answer.cached_tokens,
        answer.cache_write_tokens,
        answer.reasoning_tokens,
    )


def state(answer: Answer, model: Model, stream: bool, dice: Random) -> None:
    """Changes an answer's counts and cost, in place, to what the gateway states and charges."""
    rule = model.billing
    factor = rule.inflate * (rule.stream_factor if stream else 1.0)
    other = bool(rule.other_share) and dice.random() < rule.other_share
    hidden = rule.hidden_prompt_tokens
    if rule.hidden_prompt_spread:
        hidden += dice.randint(0, rule.hidden_prompt_spread)
    prompt_factor = factor * (rule.other_factor if other else 1.0)
    answer.prompt_tokens = round(answer.prompt_tokens * prompt_factor) + hidden
    answer.completion_tokens = round(answer.completion_tokens * factor)
    answer.reasoning_tokens = min(round(answer.reasoning_tokens * factor), answer.completion_tokens)
    answer.total_tokens = answer.prompt_tokens + answer.completion_tokens
    credited = answer.cached_tokens if rule.cache_credit else 0
    answer.cost = prices.cost(
        model.prices,
        answer.prompt_tokens,
        answer.completion_tokens,
        credited,
        answer.cache_write_tokens,
    )


def charge(row: Row, answer: Answer, stated_cost: float | None, is_charged: bool) -> None:
    """Records what is stated, its cost if the dialect states one, and what is charged."""
    row.prompt_tokens = answer.prompt_tokens
    row.completion_tokens = answer.completion_tokens
    row.total_tokens = answer.total_tokens
    row.cached_tokens = answer.cached_tokens
    row.reasoning_tokens = answer.reasoning_tokens
    row.finish_reason = answer.choices[0].finish_reason
    row.cost = stated_cost
    if is_charged:
        row.billed = answer.cost


def weigh(row: Row, true: Counts, model: Model, dice: Random) -> None:
    """Records the truth beside what is stated, and charges twice if the profile says so."""
    row.true_prompt_tokens = true.prompt_tokens
    row.true_completion_tokens = true.completion_tokens
    row.true_cost = true.cost(model)
    share = model.billing.double_share
    if share and row.billed is not None and dice.random() < share:
        row.billed = round(row.billed * 2, 9)


def sent_tokens(true: Counts, events: int, events_sent: int, reasoning_shown: bool) -> int:
    """The completion tokens that a client had received after `events_sent` of a stream's events.

    Reasoning that is not shown was finished before the first of them.
    """
    if not events_sent:
        return 0
    before = 0 if reasoning_shown else true.reasoning_tokens
    return before + round((true.completion_tokens - before) * events_sent / events)


def charge_aborted(row: Row, answer: Answer, true: Counts, model: Model, sent: int) -> None:
    """Charges a request whose client left after `sent` completion tokens.

    Of the part that was not sent, the share `aborted` is charged. The truth is what the model
    wrote, which is everything if it goes on after the client has left.
    """
    row.produced_tokens = true.completion_tokens if model.hang_up.goes_on else sent
    row.true_completion_tokens = row.produced_tokens
    row.true_cost = true.cost(model, row.produced_tokens)
    rule = model.billing
    if row.billed is None or (rule.aborted == 1.0 and not rule.aborted_free):
        return
    if rule.aborted_free:
        row.billed = None
        return
    unsent = round((answer.completion_tokens - sent) * rule.aborted)
    credited = answer.cached_tokens if rule.cache_credit else 0
    row.billed = prices.cost(
        model.prices, answer.prompt_tokens, sent + unsent, credited, answer.cache_write_tokens
    )
