"""The report's two languages, and the formats of numbers in cells. An unknown value is `-`."""

from collections.abc import Iterable
from dataclasses import dataclass
from math import floor
from typing import Literal

from recording.exact_amount import exact_amount

Lang = Literal["en", "zh"]
ABSENT = "-"
_SYMBOLS = {"CNY": "¥", "USD": "$", "EUR": "€", "GBP": "£", "JPY": "JP¥"}


@dataclass(frozen=True, slots=True)
class Words:
    """One language and one currency; code gives both wordings, `t("yes", "是")`."""

    lang: Lang
    currency: str | None = None

    def __call__(self, en: str, zh: str) -> str:
        """The wording in this language."""
        return zh if self.lang == "zh" else en

    def join(self, parts: Iterable[str]) -> str:
        """The parts as a list within a sentence."""
        return self(", ", "、").join(parts)

    def clauses(self, parts: Iterable[str]) -> str:
        """The parts as clauses of one sentence."""
        return self("; ", "；").join(parts)

    @property
    def stop(self) -> str:
        """The full stop."""
        return self(".", "。")

    @property
    def colon(self) -> str:
        """The separator between a subject and the statement about it."""
        return self(": ", "：")

    @property
    def gap(self) -> str:
        """The separator between two sentences."""
        return self(" ", "")

    def first_sentence(self, text: str) -> str:
        """The first sentence of a text, without its full stop."""
        return text.split(self.stop + self.gap)[0].removesuffix(self.stop)

    def aside(self, text: str) -> str:
        """A text in brackets behind another."""
        return self(f" ({text})", f"（{text}）")

    def shortened(self, listed: str, left_out: int) -> str:
        """A list, with a mark at its end if items are left out."""
        return self(f"{listed} …", f"{spaced(listed).lstrip()}等") if left_out > 0 else listed

    def money(self, amount: float | None, unknown: int = 0) -> str:
        """An amount in the run's currency, and the number of `unknown` costs that it lacks.

        It is rounded to the millionth, as in the article, or more finely if that would be off by
        1 % or more.
        """
        if amount is None:
            return ABSENT if not unknown else self(f"unknown ({unknown})", f"未知（{unknown}）")
        off = abs(amount) / 100
        digits = next((d for d in (6, 9) if abs(round(amount, d) - amount) <= off), 12)
        rest = self(f" (+{unknown} unknown)", f"（另 {unknown} 条未知）") if unknown else ""
        return f"{self._symbol}{amount:,.{digits}f}{rest}"

    def exact_money(self, amount: float) -> str:
        """An amount in the run's currency to its last decimal, with at least six."""
        digits = f"{exact_amount(amount):f}".partition(".")[2].rstrip("0")
        return f"{self._symbol}{amount:,.{max(6, len(digits))}f}"

    @property
    def _symbol(self) -> str:
        return _SYMBOLS.get(self.currency or "", f"{self.currency} " if self.currency else "")

    def yes(self, value: bool | None) -> str:
        """Yes or no; `-` if unknown."""
        return ABSENT if value is None else self("yes", "是") if value else self("no", "否")


def spaced(name: str) -> str:
    """A name within a Chinese sentence: with a space where it begins or ends in Latin letters."""
    before, after = (" " if end.isascii() else "" for end in (name[:1], name[-1:]))
    return f"{before}{name}{after}"


def seconds(value: float | None) -> str:
    """`2.112s`, as in the article."""
    return ABSENT if value is None else f"{value:.3f}s"


def milliseconds(value: float | None) -> str:
    """Seconds as milliseconds: `0.71 ms`."""
    return ABSENT if value is None else f"{value * 1000:,.2f} ms"


def integer(value: float | None) -> str:
    """A whole number: `167,375`."""
    return ABSENT if value is None else f"{int(value):,}"


def rate(value: float | None) -> str:
    """A rate with three decimals: `10,458.187`."""
    return ABSENT if value is None else f"{value:,.3f}"


def percent(share: float | None, digits: int = 2) -> str:
    """A share as `99.83%`, rounded down so that `100%` means all."""
    if share is None:
        return ABSENT
    scale: int = 10**digits
    rounded = floor(share * 100 * scale + 1e-9) / scale
    return f"{rounded:.{digits}f}".rstrip("0").rstrip(".") + "%" if digits else f"{rounded:.0f}%"


def ratio(part: int | None, whole: int | None) -> str:
    """A part and the whole: `599/600`."""
    return f"{ABSENT if part is None else part}/{ABSENT if whole is None else whole}"


def tally(counts: dict[str, int]) -> str:
    """Counts by name: `200:599, None:1`, as in the article."""
    return ", ".join(f"{name}:{count}" for name, count in counts.items()) or ABSENT
