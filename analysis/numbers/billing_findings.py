"""The findings of a bill: in which case, and by how much. Pure."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Kind(StrEnum):
    """What can be found."""

    INFLATED = "inflated"  # every count is the tokenizer's times one factor
    OTHER_TOKENIZER = "other_tokenizer"  # counted as another tokenizer than the model's counts
    NO_LINE = "no_line"  # one prompt is counted in several ways
    HIDDEN_PROMPT = "hidden_prompt"  # tokens in every prompt that were not sent
    STATED_OTHERWISE = (
        "stated_otherwise"  # the prompt of this case is counted differently from a plain one
    )
    OVER_BUDGET = "over_budget"  # more output than was allowed
    OFF_PRICE = "off_price"  # even plain replies do not cost what the price table says
    CHARGED_OTHERWISE = "charged_otherwise"  # this case does not cost what its tokens do
    NOT_TOLD_FROM_TIME = "not_told_from_time"  # or the price was another while it was asked
    SINGLE_CHARGES = "single_charges"  # a few requests that cost other than their like
    CHARGED_AFTER = "charged_after"  # what was sent right after this case costs otherwise
    READ_AGAIN = "read_again"  # what is read from the cache a second time costs otherwise
    MINIMUM_CHARGE = "minimum_charge"  # no request costs less, whatever its tokens
    ROUNDED_UP = "rounded_up"  # each charge, to a decimal that is coarser than what is due
    CACHE_NOT_CREDITED = "cache_not_credited"  # tokens from the cache cost as much as any others
    REFUSED_CHARGED = "refused_charged"  # a refusal states a cost
    PRICE_CHANGED = "price_changed"  # during the run: costs are not judged
    ABOVE_REFERENCE = "above_reference"  # every count is the reference's times one factor
    PROMPT_ABOVE_REFERENCE = "prompt_above_reference"  # the prompt of this case alone
    OUTPUT_ABOVE_REFERENCE = "output_above_reference"  # the same reply has fewer tokens there
    OUTPUT_OTHERWISE = "output_otherwise"  # the same reply has fewer tokens in plain requests


_MONEY = (
    Kind.OFF_PRICE, Kind.CHARGED_OTHERWISE, Kind.NOT_TOLD_FROM_TIME, Kind.SINGLE_CHARGES,
    Kind.CHARGED_AFTER, Kind.READ_AGAIN, Kind.MINIMUM_CHARGE, Kind.ROUNDED_UP,
    Kind.CACHE_NOT_CREDITED, Kind.REFUSED_CHARGED, Kind.PRICE_CHANGED,
)  # fmt: skip
_MORE = (Kind.STATED_OTHERWISE, Kind.CHARGED_OTHERWISE, Kind.CHARGED_AFTER, Kind.READ_AGAIN)
"""These are faults only if they cost more."""
OF_OUTPUT = (Kind.OUTPUT_ABOVE_REFERENCE, Kind.OUTPUT_OTHERWISE)
_GRAVE = (
    Kind.INFLATED, Kind.CACHE_NOT_CREDITED, Kind.REFUSED_CHARGED, Kind.ABOVE_REFERENCE,
    Kind.PROMPT_ABOVE_REFERENCE, *OF_OUTPUT, Kind.MINIMUM_CHARGE, Kind.ROUNDED_UP,
    Kind.SINGLE_CHARGES,
)  # fmt: skip
_UNITS = {
    Kind.INFLATED: "times", Kind.ABOVE_REFERENCE: "times", Kind.HIDDEN_PROMPT: "tokens",
    Kind.STATED_OTHERWISE: "tokens", Kind.PROMPT_ABOVE_REFERENCE: "tokens",
    Kind.OUTPUT_ABOVE_REFERENCE: "tokens", Kind.OUTPUT_OTHERWISE: "tokens",
    **dict.fromkeys(_MONEY, "money"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding: in which case (None: in all), by how much, in how many requests.

    `amount`: tokens or money; of `inflated` and `above_reference` the least factor that fits.
    `worth`: what tokens cost by the price table, money (None: not known). `slight`: so small, or so
    plain, that it need not be a fault. `hits`: of the case's requests only those that read from the
    cache; `partly`: only those with some of its prompts. `beside_plain`: compared with plain
    requests, not with the table. `at_least`: the amount may be higher. `cases` are those of single
    requests, each with how many; `factor`: each charge is so many times what is due; `each`: what
    each request costs, or the unit to which it is rounded, money (0: neither).
    """

    kind: Kind
    case: str | None = None
    amount: float = 0.0
    rows: int = 0
    worth: float | None = None
    slight: bool = False
    hits: bool = False
    partly: bool = False
    beside_plain: bool = False
    at_least: bool = False
    cases: tuple[tuple[str, int], ...] = ()
    factor: float = 0.0
    each: float = 0.0

    @property
    def grave(self) -> bool:
        """Whether it costs the customer and does not happen on a healthy gateway."""
        if self.slight or (self.kind is Kind.STATED_OTHERWISE and self.case == "n"):
            return False
        return self.kind in _GRAVE or (self.kind in _MORE and self.amount > 0)

    @property
    def unit(self) -> str:
        """What its amount is in: `money`, `tokens`, `times`; empty: it has none."""
        return _UNITS.get(self.kind, "")

    def as_dict(self) -> dict[str, Any]:
        """What JSON files hold of it."""
        return {
            "kind": self.kind.value,
            "case": self.case,
            "grave": self.grave,
            "amount": self.amount if self.unit else None,
            "unit": self.unit or None,
            "worth": self.worth,
            "requests": self.rows,
        }
