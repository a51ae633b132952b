"""The columns of a table of parts: stretches of time whose identity probes are compared."""

from typing import Any

from analysis.page.columns import Column
from analysis.page.vocabulary import ANSWERS, EFFECT, P_VALUE, STATED_PROMPT_TOKENS
from analysis.page.words import ABSENT, Words, integer
from identity.mixed import Part


def filtered(t: Words, questions: int) -> str:
    """That so many questions are left out, because a content filter withheld answers to them."""
    one = questions == 1
    return t(
        f"{integer(questions)} question{' is' if one else 's are'} left out, because a content "
        f"filter withheld answers to {'it' if one else 'them'}.",
        f"有 {integer(questions)} 个问题的答案曾被内容过滤拦截，未参与比较。",
    )


def of_parts(t: Words) -> list[Column[Part, Any]]:
    """Columns: a part's answers, how much they differ from the others', its stated tokens."""
    return [
        ANSWERS.of(lambda part: part.answers, integer),
        EFFECT.of(lambda part: f"{part.spread.effect:.2f}" if part.spread else ABSENT),
        P_VALUE.of(lambda part: f"{part.spread.p:.2g}" if part.spread else ABSENT),
        STATED_PROMPT_TOKENS.of(
            lambda part: t.join([integer(n) for n in sorted(part.tokens)]) or ABSENT
        ),
    ]
