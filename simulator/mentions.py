"""What a prompt names: the places, dates, numbers and quoted words a tool call can be filled from.

No language model is at work here, only what people do when they write test prompts: name the
parameter (`city: Shanghai`), put the value in quotes, write a proper noun after a preposition, or
at least with a capital letter in the middle of a sentence.
"""

import re
from collections.abc import Sequence
from typing import Any

_FORMATS = {
    "date": r"\b\d{4}-\d{2}-\d{2}\b",
    "time": r"\b\d{2}:\d{2}(?::\d{2})?(?:Z|[+-]\d{2}:\d{2})?",
    "date-time": r"\b\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d+)?(?:Z|[+-]\d{2}:\d{2})",
    "email": r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+",
    "uri": r"https?://[^\s\"'<>]+[^\s\"'<>.,)]",
    "uuid": r"\b[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\b",
    "ipv4": r"\b(?:\d{1,3}\.){3}\d{1,3}\b",
}
_QUOTED = re.compile(r"[\"“「『`]([^\"”」』`\n]{1,120})[\"”」』`]|(?<!\w)'([^'\n]{1,120})'(?!\w)")
_PROPER = r"[A-Z][\w'-]*(?:[ ](?:[A-Z][\w'-]*|de|of|la))*"
_PLACED = re.compile(rf"\b(?:in|for|at|of|to|from|near|about|named|called)\s+({_PROPER})")
_CAPITAL = re.compile(rf"(?<=[^.!?:\s])\s+({_PROPER})|(?<=[\u4e00-\u9fff])\s*({_PROPER})")
_HAN_PLACE = re.compile(
    r"(?:查询|查一下|查|在|去|到)([\u4e00-\u9fff]{2,4}?)(?:的|市|天气|今天|明天)"
)
_IDENTIFIER = re.compile(r"\b[A-Z]{1,6}[-_]?\d[\w-]*\b|#\d+\b")
_WORDS = re.compile(r"[A-Za-z]+")
_NUMBER = re.compile(r"(?<![\w.-])-?\d+(?:\.\d+)?(?![\w-])")


class Mentions:
    """The values in one prompt; texts and numbers are handed out once each, in order."""

    def __init__(self, prompt: str) -> None:
        self.prompt = prompt
        self._taken: set[str] = set()

    def names(self, name: str) -> bool:
        """Whether the prompt speaks of a parameter of that name."""
        words = [word.lower() for word in _words(name)]
        return bool(words) and all(
            re.search(rf"\b{re.escape(word)}", self.prompt, re.IGNORECASE) for word in words
        )

    def text(self, name: str) -> str | None:
        """The text meant for the parameter `name`; None where the prompt has none left."""
        assigned = self._assigned(name)
        if assigned is not None:
            return assigned
        for candidate in self._candidates():
            if candidate not in self._taken:
                self._taken.add(candidate)
                return candidate
        return None

    def listed(self, name: str) -> int:
        """How many texts are left for a list of that name."""
        return sum(1 for text in dict.fromkeys(self._candidates()) if text not in self._taken)

    def formatted(self, form: str) -> str | None:
        """The first text of a JSON Schema format that was not handed out yet."""
        return self.matching(_FORMATS[form]) if form in _FORMATS else None

    def matching(self, pattern: str) -> str | None:
        """The first word or run of characters matching a regular expression."""
        try:
            loose = pattern.removeprefix("^").removesuffix("$")
            found = re.finditer(rf"(?<![\w-])(?:{loose})(?![\w-])", self.prompt)
            texts = [match[0] for match in found if match[0]]
        except re.error:
            return None
        text = next((text for text in texts if text not in self._taken), None)
        if text is not None:
            self._taken.add(text)
        return text

    def number(
        self, name: str, low: float, high: float, whole: bool, step: float | None
    ) -> int | float | None:
        """The number meant for `name`: beside the name, else the first that fits."""
        words = "|".join(map(re.escape, _words(name))) or "$^"
        near = re.search(
            rf"\b(?:{words})\w*\W{{0,3}}(?:is|of|to|=|:)?\s*(-?\d+(?:\.\d+)?)"
            rf"|(-?\d+(?:\.\d+)?)\s*(?:{words})",
            self.prompt,
            re.IGNORECASE,
        )
        texts = [near[1] or near[2]] if near else []
        texts += [text for text in _NUMBER.findall(self.prompt) if text not in self._taken]
        for text in texts:
            number = float(text)
            fits = low <= number <= high and (not step or number % step == 0)
            if fits and (not whole or number.is_integer()):
                self._taken.add(text)
                return int(number) if whole else number
        return None

    def boolean(self, name: str, default: Any) -> bool:
        """Whether the prompt asks for it; `without`, `no` and `not` before the name deny it."""
        words = "|".join(map(re.escape, _words(name))) or "$^"
        denial = rf"\b(?:no|not|without|don't|disable)\W+(?:\w+\W+)?(?:{words})"
        if re.search(denial, self.prompt, re.IGNORECASE):
            return False
        return default if isinstance(default, bool) else True

    def one_of(self, options: Sequence[Any]) -> Any | None:
        """The first option named in the prompt, by its place in it."""
        found = self.all_of(options)
        return found[0] if found else None

    def all_of(self, options: Sequence[Any]) -> list[Any]:
        """Every option named in the prompt, in its order."""
        places = []
        for option in options:
            if isinstance(option, str) and option:
                spelled = re.escape(option).replace("_", "[_ -]")
                found = re.search(rf"(?<![^\W_]){spelled}", self.prompt, re.IGNORECASE)
                if found:
                    places.append((found.start(), option))
        return [option for _, option in sorted(places)]

    def _assigned(self, name: str) -> str | None:
        """`name: value`, `name = value` or `name is value`."""
        label = r"[\s_-]?".join(map(re.escape, _words(name)))
        if not label:
            return None
        found = re.search(
            rf"\b{label}\s*(?:[:=]|\bis\b)\s*[\"'“]?([^\n,;\"'”]+?)[\"'”]?(?=[\n,;\"'”]|\.(?:\s|$)|$)",
            self.prompt,
            re.IGNORECASE,
        )
        if found is None:
            return None
        text = found[1].strip()
        self._taken.add(text)
        return text or None

    def _candidates(self) -> list[str]:
        quoted = [match[1] or match[2] for match in _QUOTED.finditer(self.prompt)]
        placed = _PLACED.findall(self.prompt)
        capital = [match[1] or match[2] for match in _CAPITAL.finditer(self.prompt)]
        han = _HAN_PLACE.findall(self.prompt)
        named = _IDENTIFIER.findall(self.prompt)
        return [*quoted, *placed, *named, *han, *capital]


def _words(name: str) -> list[str]:
    """The words of an identifier: `order_id`, `orderId` -> order, id."""
    return _WORDS.findall(re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).replace("_", " "))
