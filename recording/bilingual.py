"""One text in both languages of the report and of our pages. Pure."""

from typing import NamedTuple


class Bilingual(NamedTuple):
    """The same text in English and in Chinese."""

    en: str
    zh: str
