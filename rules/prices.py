"""prices.toml: the expected cost of a request from its tokens. Pure.

    currency = "CNY"                # optional: the unit of every number below

    [models."gpt-5.4-nano"]         # an exact name, as asked for in the request
    input = 1.4                     # per million prompt tokens
    cached_input = 0.14             # per million of them read from the cache (absent: as input)
    cache_write = 1.75              # per million of them written to the cache (absent: as input)
    output = 8.75                   # per million completion tokens, reasoning included
    per_request = 0.0               # fee of one request, whatever its tokens
    minimum = 0.0                   # least charge of one request
    decimals = 6                    # the charge is rounded half up to so many (absent: not at all)

    [models."claude-*"]             # names that begin so; the longest fitting name wins
    [models."*"]                    # every other model

A model that matches no name has no price: its cost stays unknown.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from decimal import ROUND_CEILING, ROUND_HALF_UP, Context, Decimal
from pathlib import Path
from typing import Any

from recording.errors import InputError

PRICED = (
    "prompt_tokens", "completion_tokens", "cached_tokens", "cache_write_tokens",
    "reasoning_tokens", "total_tokens", "tokens_beside",
)  # fmt: skip
"""The columns that `Prices.cost` takes after the model, in its order."""
MOST_DECIMALS = 15
DEAREST = 10**9  # of any price
_MILLION = Decimal(1_000_000)
_WIDE = Context(prec=80)  # enough digits to round whatever a gateway claims to have counted


class PriceError(InputError):
    """A price table cannot be used; the message is one sentence that names the file and the key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """One model's prices: money per million tokens, and money per request."""

    input: float
    output: float
    cached_input: float | None = None
    cache_write: float | None = None
    per_request: float = 0.0
    minimum: float = 0.0
    decimals: int | None = None

    def charge(self, prompt: int, completion: int, cached: int, written: int) -> float:
        """Money for one request; `cached` and `written` are part of `prompt`, tokens."""
        tokens = (
            (prompt - cached - written) * _exact(self.input)
            + cached * _exact(self.input if self.cached_input is None else self.cached_input)
            + written * _exact(self.input if self.cache_write is None else self.cache_write)
            + completion * _exact(self.output)
        )
        return self._billed(tokens, ROUND_HALF_UP)

    def most(self, prompt: int, completion: int) -> float:
        """The highest charge for this many tokens, whatever the cache does."""
        dearest = max(self.input, self.cached_input or 0.0, self.cache_write or 0.0)
        tokens = prompt * _exact(dearest) + completion * _exact(self.output)
        return self._billed(tokens, ROUND_CEILING)

    def most_of(self, requests: int, prompt: int, completion: int) -> float:
        """The highest charge for this many requests with this many tokens in all."""
        step = (
            0.0 if self.decimals is None else 10.0**-self.decimals
        )  # each request is rounded separately
        return self.most(prompt, completion) + requests * (self.per_request + self.minimum + step)

    def _billed(self, millionths: Decimal, rounding: str) -> float:
        money = millionths / _MILLION + _exact(self.per_request)
        if self.decimals is not None:
            money = money.quantize(Decimal(1).scaleb(-self.decimals), rounding, _WIDE)
        return float(max(money, _exact(self.minimum)))


@dataclass(frozen=True, slots=True)
class Prices:
    """A price table: prices by model name or pattern, in one currency (None: not stated)."""

    models: Mapping[str, Price]
    currency: str | None = None

    def of(self, model: str) -> Price | None:
        """The price of a model: by its name, otherwise by the longest matching pattern `begin*`."""
        if model in self.models:
            return self.models[model]
        fitting = [
            name for name in self.models if name.endswith("*") and model.startswith(name[:-1])
        ]
        return self.models[max(fitting, key=len)] if fitting else None

    def cost(
        self,
        model: str,
        prompt: int | None,
        completion: int | None,
        cached: int | None = None,
        cache_write: int | None = None,
        reasoning: int | None = None,
        total: int | None = None,
        beside: str | None = None,
    ) -> float | None:
        """The expected cost of a request; None: the model has no price, or its tokens are unknown.

        Cached and written tokens that the gateway did not state count as none. Counts that do not
        add up (negative, or more cached than asked) have no cost. `reasoning` and `total` tell
        whether reasoning is part of `completion`, `beside` whether cached tokens are of `prompt`.
        """
        price = self.of(model)
        if price is None or prompt is None or completion is None:
            return None
        cached, written = cached or 0, cache_write or 0
        prompt = prompt_in_all(prompt, cached, written, beside)
        if min(prompt, completion, cached, written, prompt - cached - written) < 0:
            return None
        output = output_tokens(prompt, completion, reasoning, total)
        return price.charge(prompt, output, cached, written)

    def worst(self, model: str, prompt_tokens: int, max_tokens: int | None) -> float | None:
        """The highest possible cost of a request before it is sent; None: unknown.

        That is the whole prompt at its highest price, and the whole output budget.
        """
        price = self.of(model)
        return None if price is None or not max_tokens else price.most(prompt_tokens, max_tokens)

    def unrounded(self) -> "Prices":
        """The same prices, whose charges are not rounded."""
        return Prices({n: replace(p, decimals=None) for n, p in self.models.items()}, self.currency)

    def as_dict(self) -> dict[str, Any]:
        """The table as plain data, for the manifest and for messages to workers."""
        models = {name: asdict(price) for name, price in self.models.items()}
        return {"currency": self.currency, "models": models}

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any] | None) -> "Prices | None":
        """The inverse of `as_dict`; None for None."""
        if not plain:
            return None
        models = {name: Price(**price) for name, price in plain["models"].items()}
        return cls(models, plain.get("currency"))


def prompt_in_all(prompt: int, cached: int, written: int, beside: str | None) -> int:
    """All prompt tokens, including those that a dialect counts separately (`tokens_beside`)."""
    names = (beside or "").split()
    return prompt + cached * ("cached" in names) + written * ("cache_write" in names)


def output_tokens(prompt: int, completion: int, reasoning: int | None, total: int | None) -> int:
    """The completion tokens including the reasoning, which xAI and others add only to the total."""
    beside = reasoning is not None and reasoning > 0 and total == prompt + completion + reasoning
    return completion + (reasoning or 0) if beside else completion


def read(path: str | Path) -> Prices:
    """The price table in a TOML file. Raises PriceError."""
    try:
        table = tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise PriceError(
            f"the price table {path} cannot be read ({error.strerror}): give another path."
        ) from None
    except ValueError as error:  # not UTF-8, not TOML
        raise PriceError(f"the price table {path} is not valid TOML; fix it: {error}.") from None
    try:
        return _table(table)
    except _Fault as fault:
        raise PriceError(f"fix the price table {path}: {fault}.") from None


class _Fault(ValueError):
    """A fault in a table; the message does not name the file."""


def _table(table: Mapping[str, Any]) -> Prices:
    _refuse_unknown(table, {"currency", "models"}, "")
    currency, models = table.get("currency"), table.get("models")
    if currency is not None and (not isinstance(currency, str) or not currency.strip()):
        raise _Fault(f"currency must be a name such as CNY or USD, not {currency!r}")
    if not isinstance(models, Mapping) or not models:
        raise _Fault('it has no model: write a table such as [models."gpt-5.4-nano"]')
    return Prices({name: _price(name, entry) for name, entry in models.items()}, currency)


def _price(name: str, entry: object) -> Price:
    where = f'models."{name}"'
    if not isinstance(entry, Mapping):
        raise _Fault(f"{where} must be a table, not {entry!r}")
    if "*" in name[:-1]:
        raise _Fault(f"{where}: a * is allowed only at the end of a name")
    _refuse_unknown(entry, {field.name for field in fields(Price)}, f" in {where}")
    for key in ("input", "output"):
        if key not in entry:
            raise _Fault(f"{where}.{key} is missing")
    numbers: dict[str, Any] = {k: _number(v, f"{where}.{k}") for k, v in entry.items()}
    decimals = entry.get("decimals")
    if decimals is not None:
        if not isinstance(decimals, int) or decimals > MOST_DECIMALS:
            raise _Fault(f"{where}.decimals must be a whole number up to {MOST_DECIMALS}")
        numbers["decimals"] = decimals
    return Price(**numbers)


def _number(value: object, where: str) -> float:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or not 0 <= value <= DEAREST:  # type: ignore[operator]
        raise _Fault(f"{where} must be a number from 0 to {DEAREST}, not {value!r}")
    return float(value)  # type: ignore[arg-type]


def _refuse_unknown(table: Mapping[str, Any], known: set[str], where: str) -> None:
    unknown = sorted(set(table) - known)
    if unknown:
        raise _Fault(f"{unknown[0]!r}{where} is unknown: use {', '.join(sorted(known))}")


def _exact(price: float) -> Decimal:
    """A price exactly as written: 0.14, not the nearest binary fraction."""
    return Decimal(repr(price))
