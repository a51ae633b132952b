"""Reasoning inside the content, plain and streamed, cut anywhere."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.stream import StreamedReply
from tasks.thinking import TAGS, split
from tests.tasks.scripted_server import answer_once, completion, delta, json_reply, streaming
from tests.tasks.sending import send

words = st.text(alphabet="ab <>/\n", max_size=12)


@given(st.sampled_from(sorted(TAGS.items())), words, words)
def test_reasoning_between_tags_is_removed_from_the_content(
    tags: tuple[str, str], thought: str, rest: str
) -> None:
    """The drawn words have too few letters to hold a whole tag."""
    opening, closing = tags
    assert split(f"\n{opening}{thought}{closing}\n\n{rest}") == (thought.strip(), rest.lstrip())
    assert split(opening + thought) == (thought.strip(), "")  # cut by its budget


@pytest.mark.parametrize("text", [
    "ok-0", "", "  ok", "<thin", "I would write <think> here, then </think>.",
    "Use `</think>` to close it.", "a </think> b", "<b>bold</b>",
])  # fmt: skip
def test_a_text_that_mentions_tags_is_no_reasoning(text: str) -> None:
    assert split(text) == (None, text)


def test_a_closing_tag_alone_on_its_line_ends_the_reasoning() -> None:
    """Templates that end with the opening tag leave it out of the reply."""
    assert split("Let me see.\n</think>\n\nok-0") == ("Let me see.", "ok-0")


@given(st.lists(st.integers(0, 40), max_size=12), st.booleans())
def test_the_first_visible_token_is_the_first_after_the_reasoning(
    cuts: list[int], opened: bool
) -> None:
    """Wherever the chunks are cut; the oracle counts characters."""
    text = ("<think>" if opened else "") + "Well, one.\n</think>\n\nok-0"
    places = sorted({0, *(cut for cut in cuts if cut < len(text)), len(text)})
    pieces = [text[a:b] for a, b in zip(places, places[1:], strict=False)]
    streamed = StreamedReply()
    for number, piece in enumerate(pieces):
        streamed.add(delta(content=piece), float(number))
    message = streamed.finish()
    begin = text.index("ok-0")
    owner = next(n for n, (a, b) in enumerate(zip(places, places[1:], strict=False)) if b > begin)
    assert (message.inner_reasoning, message.content) == ("Well, one.", "ok-0")
    assert streamed.first_visible == owner
    assert streamed.token_times == [float(n) for n in range(len(pieces))]


@pytest.mark.parametrize("stream", [False, True])
def test_a_row_says_where_the_reasoning_was_and_judges_the_rest(
    serve: Callable[..., Any], stream: bool
) -> None:
    text = "<think>\nThe user wants ok-0.\n</think>\n\nok-0"
    plain = json_reply(completion(text))
    chunks = [delta(content=text[i : i + 4]) for i in range(0, len(text), 4)]
    stream_bytes = streaming(*chunks, delta("stop"))
    row = send(serve(answer_once(stream_bytes if stream else plain)).base_url, stream=stream)
    assert (row.outcome, row.content, row.marker_ok) == ("ok", "ok-0", True)
    assert (row.reasoning_in_content, row.reasoning_content_present) == (True, False)


def test_the_row_of_a_reply_without_tags_says_so(serve: Callable[..., Any]) -> None:
    row = send(serve(answer_once(json_reply(completion()))).base_url)
    assert (row.reasoning_in_content, row.content) == (False, "ok-0")


def test_reasoning_that_uses_up_the_budget_leaves_no_visible_token(
    serve: Callable[..., Any],
) -> None:
    stream_bytes = streaming(delta(content="<think>"), delta(content="Hm, "), delta("length"))
    row = send(serve(answer_once(stream_bytes)).base_url, stream=True)
    assert (row.content, row.first_visible_s, row.reasoning_in_content) == (None, None, True)
    assert row.ttft_s is not None
