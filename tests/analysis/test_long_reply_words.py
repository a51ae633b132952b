"""What the report says of replies that are cut."""

import pytest

from analysis.page.words import Words
from analysis.report.identity_long_reply import sentence
from identity.long_reply import LongReply
from identity.looks import Verdict


@pytest.mark.parametrize("stated", [True, False])
@pytest.mark.parametrize(
    ("two_routes", "advice"),
    [(False, "by the same test with --against."), (True, "The second route allows more: ask for")],
)
def test_a_limit_that_is_not_stated_comes_with_what_to_do(
    stated: bool, two_routes: bool, advice: str
) -> None:
    cut = LongReply(4000, Verdict.DIFFERS, 4, 4, tokens=1000, stated=stated)
    text = sentence(Words("en"), cut, two_routes)
    assert advice in text and "at most 1,000 tokens here" in text
    assert ("They claim to be finished" in text) is not stated
    assert "1,000 个 token" in sentence(Words("zh"), cut, two_routes)
