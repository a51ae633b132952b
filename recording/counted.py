"""A number of things in English: `1 request`, `1,200 requests`. Pure."""

import re


def counted(count: int, one: str, many: str = "") -> str:
    """The count and the word for what is counted, as one or as many.

    `one` may go on in a verb, `request was`; then `many` is given: `requests were`.
    """
    return f"{count:,} {one if count == 1 else many or plural(one)}"


def plural(noun: str) -> str:
    """The regular plural: requests, replies, successes."""
    if re.search(r"[^aeiou]y$", noun):
        return f"{noun[:-1]}ies"
    return f"{noun}es" if noun.endswith(("s", "x", "ch", "sh")) else f"{noun}s"
