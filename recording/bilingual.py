"""One text in both languages of the report and of our pages. Pure."""

from collections.abc import Iterable
from typing import NamedTuple


class Bilingual(NamedTuple):
    """The same text in English and in Chinese."""

    en: str
    zh: str


def joined(clauses: Iterable[Bilingual]) -> Bilingual:
    """Clauses as one sentence."""
    listed = list(clauses)
    return Bilingual("; ".join(one.en for one in listed), "；".join(one.zh for one in listed))
