"""Compares an account's balances before and after a run with the cost of its rows.

What an account has spent only grows; what it has left also grows with a payment, so it is the
second choice. A difference need not be the gateway's error: other explanations are listed with it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from analysis.reading.load import Run, RunError
from analysis.reconcile.joining import known
from analysis.reconcile.logs.entry import inner, money, number
from analysis.reconcile.logs.oneapi import QUOTA_PER_USD
from recording.errors import InputError
from recording.exact_amount import exact_amount
from recording.json_files import json_of, read_bytes
from recording.outcome import FACTS, Outcome

Body = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Account:
    """What an account states: the amounts spent and left, in units of which `per_unit` make one
    `currency`, and `finest`, its smallest step. None: it does not say."""

    kind: str
    spent: Decimal | None
    remaining: Decimal | None
    paid_in: Decimal | None = None
    requests: int | None = None
    currency: str = "USD"
    per_unit: Decimal = Decimal(1)
    finest: Decimal = Decimal(0)


def _openrouter(body: Body) -> Account | None:
    if "total_credits" not in body or "total_usage" not in body:
        return None
    paid, spent = money(body["total_credits"]), money(body["total_usage"])
    remaining = None if paid is None or spent is None else paid - spent
    return Account("OpenRouter /credits", spent, remaining, paid)


def _quota(body: Body) -> Account | None:
    if "quota" not in body and "used_quota" not in body:
        return None
    return Account(
        "one-api/new-api quota", number(body.get("used_quota")), number(body.get("quota")),
        requests=_count(body.get("request_count")), per_unit=QUOTA_PER_USD, finest=Decimal(1),
    )  # fmt: skip


def _openrouter_key(body: Body) -> Account | None:
    if "usage" not in body or "limit_remaining" not in body:
        return None
    return Account("OpenRouter /key", number(body["usage"]), number(body["limit_remaining"]))


def _token_usage(body: Body) -> Account | None:
    """new-api's `/api/usage/token`, which an API key may ask; of an unlimited one nothing is left.

    Source: controller/token.go, GetTokenUsage.
    """
    if body.get("object") != "token_usage":
        return None
    left = None if body.get("unlimited_quota") is True else number(body.get("total_available"))
    return Account(
        "new-api token usage", number(body.get("total_used")), left,
        per_unit=QUOTA_PER_USD, finest=Decimal(1),
    )  # fmt: skip


def _billing_usage(body: Body) -> Account | None:
    """`/dashboard/billing/usage`: hundredths of the currency, by steps of one quota.

    Source: one-api's controller/billing.go, GetUsage.
    """
    if body.get("object") != "list" or "total_usage" not in body:
        return None
    cents = Decimal(100)
    return Account(
        "one-api/new-api billing usage", number(body["total_usage"]), None,
        per_unit=cents, finest=cents / QUOTA_PER_USD,
    )  # fmt: skip


def _litellm(body: Body) -> Account | None:
    info = inner(body.get("info", body.get("user_info")))
    if "spend" not in info:
        return None
    spent, most = money(info["spend"]), money(info.get("max_budget"))
    remaining = None if spent is None or most is None else most - spent
    return Account("LiteLLM key info", spent, remaining, most)


_READERS: tuple[Callable[[Body], Account | None], ...] = (
    _openrouter, _openrouter_key, _litellm, _token_usage, _billing_usage, _quota,
)  # fmt: skip
"""Each is asked in this order whether a saved answer is of its kind."""


def _count(value: object) -> int | None:
    count = number(value)
    return None if count is None else int(count)


@dataclass(frozen=True, slots=True)
class Balances:
    """Two balances of one account and what the run's rows cost, exactly, in one currency.

    `charged` is what the account was charged between them; None: they are not comparable. `ours`
    is the sum of the rows whose cost is known; `unknown` counts the answered ones whose cost is
    not, `failed` those that failed after they were sent, with no cost stated. `tolerance` is what
    rounding explains.
    """

    before: Account
    after: Account
    charged: Decimal
    by_left: bool
    ours: Decimal
    counted: int
    unknown: int
    failed: int
    currency: str
    same_currency: bool
    tolerance: Decimal

    @property
    def difference(self) -> Decimal | None:
        """Charged minus ours; None: they are in different currencies."""
        return self.charged - self.ours if self.same_currency else None

    @property
    def agrees(self) -> bool:
        """Whether the difference is explained by rounding, or cannot be judged."""
        return self.difference is None or abs(self.difference) <= self.tolerance

    @property
    def paid_in(self) -> Decimal | None:
        """What was paid into the account between them; None: not stated."""
        if self.before.paid_in is None or self.after.paid_in is None:
            return None
        return self.after.paid_in - self.before.paid_in

    @property
    def other_requests(self) -> int | None:
        """How many more requests the account counts than the run has rows that were answered."""
        if self.before.requests is None or self.after.requests is None:
            return None
        return self.after.requests - self.before.requests - self.counted


def read(path: Path, per_unit: Decimal | None = None, currency: str = "") -> Account:
    """Read a saved answer of an account. Raises RunError and OSError."""
    try:
        body = json_of(read_bytes(path), exact=True)
    except InputError as error:
        raise RunError(f"{path} {error}: give the answer of the gateway as it was.") from None
    body = inner(body)
    for each in (body, inner(body.get("data"))):
        for reader in _READERS:
            if (account := reader(each)) and (
                account.spent is not None or account.remaining is not None
            ):
                if per_unit is not None and account.per_unit != QUOTA_PER_USD:
                    raise RunError(
                        f"leave out --quota-per-unit: {path} has no quota, {account.kind} counts "
                        "money."
                    )
                return Account(
                    account.kind, account.spent, account.remaining, account.paid_in,
                    account.requests,
                    currency or account.currency, per_unit or account.per_unit, account.finest,
                )  # fmt: skip
    raise RunError(
        f"{path} is not a balance that Weighbridge knows: give the answer of OpenRouter's "
        "/credits or /key, of /api/user/self, /api/usage/token or /dashboard/billing/usage "
        "(one-api, new-api), or of LiteLLM's /key/info."
    )


_COLUMNS = ("outcome", "api_cost")
_MAY_BE_CHARGED = frozenset(
    outcome
    for outcome in Outcome
    if outcome not in (Outcome.OK, Outcome.DROPPED) and not FACTS[outcome].free
)


def balances(run: Run, before: Account, after: Account, tolerance: float | None) -> Balances:
    """Compare the balances with the run. Raises RunError where they are of two kinds."""
    if before.kind != after.kind:
        raise RunError(
            f"--balance-before is of {before.kind} and --balance-after of {after.kind}: give both "
            "of one account."
        )
    by_left = before.spent is None or after.spent is None
    earlier, later = (after.remaining, before.remaining) if by_left else (before.spent, after.spent)
    if earlier is None or later is None:
        raise RunError("the two balances have no number in common: give two of one kind.")
    frame = run.gateway_alone().rows.frame(list(_COLUMNS))
    outcomes, costs = (known(frame[name]) for name in _COLUMNS)
    amounts = [exact_amount(float(cost)) for cost in costs if cost is not None]
    blank = [Outcome(o) for o, cost in zip(outcomes, costs, strict=True) if cost is None and o]
    allowed = (
        Decimal(repr(tolerance))
        if tolerance is not None
        else _rounding(amounts, before.finest / before.per_unit)
    )
    return Balances(
        before, after, (later - earlier) / before.per_unit, by_left,
        sum(amounts, Decimal(0)), len(amounts),
        sum(outcome is Outcome.OK for outcome in blank),
        sum(outcome in _MAY_BE_CHARGED for outcome in blank),
        before.currency, run.currency in (None, before.currency), allowed,
    )  # fmt: skip


def _rounding(amounts: list[Decimal], finest: Decimal) -> Decimal:
    """The difference that rounding explains: half of each charge's last decimal, or one quota.

    The last decimal is that of the most exact amount, taken as the precision of all costs.
    """
    exponents = [e for a in amounts if isinstance(e := a.normalize().as_tuple().exponent, int)]
    last = Decimal(1).scaleb(max(min(exponents, default=-9), -9))
    return max(last / 2, finest) * max(1, len(amounts))
