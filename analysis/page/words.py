"""The report's two languages, and the format of numbers in cells. An unknown value is `-`."""

from collections.abc import Iterable
from dataclasses import dataclass
from math import floor
from typing import Literal

Lang = Literal["en", "zh"]
ABSENT = "-"
_SYMBOLS = {"CNY": "¥", "USD": "$", "EUR": "€", "GBP": "£", "JPY": "JP¥"}


@dataclass(frozen=True, slots=True)
class Words:
    """Speaks one language and one currency. Both wordings stand where they are used."""

    lang: Lang
    currency: str | None = None

    def __call__(self, en: str, zh: str) -> str:
        """The wording in this language."""
        return zh if self.lang == "zh" else en

    def join(self, parts: Iterable[str]) -> str:
        """Parts as a list in a sentence."""
        return self(", ", "、").join(parts)

    def clauses(self, parts: Iterable[str]) -> str:
        """Clauses of one sentence."""
        return self("; ", "；").join(parts)

    @property
    def stop(self) -> str:
        """The end of a sentence."""
        return self(".", "。")

    @property
    def colon(self) -> str:
        """The separator between a subject and the statement about it."""
        return self(": ", "：")

    @property
    def gap(self) -> str:
        """The separator between two sentences."""
        return self(" ", "")

    def money(self, amount: float | None, unknown: int = 0) -> str:
        """An amount in the run's currency, with what is not in it.

        To the millionth, as the article writes it; finer where that would be off by 1 % or more.
        """
        if amount is None:
            return ABSENT if not unknown else self(f"unknown ({unknown})", f"未知（{unknown}）")
        symbol = _SYMBOLS.get(self.currency or "", f"{self.currency} " if self.currency else "")
        off = abs(amount) / 100
        digits = next((d for d in (6, 9) if abs(round(amount, d) - amount) <= off), 12)
        rest = self(f" (+{unknown} unknown)", f"（另 {unknown} 条未知）") if unknown else ""
        return f"{symbol}{amount:,.{digits}f}{rest}"

    def yes(self, value: bool | None) -> str:
        """Yes, no, or not known."""
        return ABSENT if value is None else self("yes", "是") if value else self("no", "否")


def seconds(value: float | None) -> str:
    """`2.112s`, as the article writes it."""
    return ABSENT if value is None else f"{value:.3f}s"


def milliseconds(value: float | None) -> str:
    """`0.71 ms`."""
    return ABSENT if value is None else f"{value * 1000:,.2f} ms"


def integer(value: float | None) -> str:
    """`167,375`."""
    return ABSENT if value is None else f"{int(value):,}"


def rate(value: float | None) -> str:
    """`10,458.187`."""
    return ABSENT if value is None else f"{value:,.3f}"


def percent(share: float | None, digits: int = 2) -> str:
    """`99.83%`; rounded down, so that `100%` means all of them."""
    if share is None:
        return ABSENT
    scale: int = 10**digits
    shown = floor(share * 100 * scale + 1e-9) / scale
    return f"{shown:.{digits}f}".rstrip("0").rstrip(".") + "%" if digits else f"{shown:.0f}%"


def ratio(part: int | None, whole: int | None) -> str:
    """`599/600`."""
    return f"{ABSENT if part is None else part}/{ABSENT if whole is None else whole}"


def tally(counts: dict[str, int]) -> str:
    """`200:599, None:1`, as the article writes it."""
    return ", ".join(f"{name}:{count}" for name, count in counts.items()) or ABSENT
