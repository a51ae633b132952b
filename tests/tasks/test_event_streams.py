"""One way to read an event stream:

equal content is equal, whatever the line ends and segments. Judged by `whatwg`, which follows
html.spec.whatwg.org 9.2.6 to the letter, one character at a time.
"""

import json
from collections.abc import Callable, Iterator

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from recording.record import COLUMNS
from tasks.event_stream import Decoder
from tests.tasks.scripted_server import STREAM_HEAD, WHOLE_STREAM, answer_once, chunked, sse
from tests.tasks.sending import send
from tests.tasks.test_requests import TIMES


def whatwg(body: bytes) -> list[str]:
    """The data of every event of a complete body, by the letter of the standard."""
    text = body.decode().removeprefix("\ufeff")
    lines, line, at = list[str](), "", 0
    while at < len(text):
        if text[at] == "\r":
            lines.append(line)
            line, at = "", at + (2 if text[at + 1 : at + 2] == "\n" else 1)
        elif text[at] == "\n":
            lines.append(line)
            line, at = "", at + 1
        else:
            line, at = line + text[at], at + 1
    events, data = list[str](), ""
    for line in lines:  # what no line end follows is discarded
        if line == "":
            if data:
                events.append(data.removesuffix("\n"))
            data = ""
        elif not line.startswith(":"):
            field, colon, value = line.partition(":")
            if field == "data":
                data += value.removeprefix(" ") + "\n"
    return [data for data in events if data]


def pieces(body: bytes, cuts: list[int]) -> Iterator[bytes]:
    places = sorted({0, len(body), *(cut % (len(body) + 1) for cut in cuts)})
    return (body[a:b] for a, b in zip(places, places[1:], strict=False))


def events_of(body: bytes, cuts: list[int] | None = None) -> list[str]:
    return [event.data for event in Decoder().iter_bytes(pieces(body, cuts or []))]


ENDS = st.sampled_from(["\n", "\r", "\r\n"])
LINES = st.sampled_from(
    ["data: {}", "data: x", "data:x", "data:  y", "data", "data:", "", "", "", ": c", ":", "id: 1"]
    + ["event: message", "retry: 3", "data: é\u2028\x85", "datas: no", " data: no", "data: [DONE]"]
    + ['data: {"a": "b: c"}', "unknown", "data: \ufeff"]
)
BODIES = st.tuples(
    st.sampled_from(["", "\ufeff"]), st.lists(st.tuples(LINES, ENDS), max_size=24)
).map(lambda made: (made[0] + "".join(a + b for a, b in made[1])).encode())
CUTS = st.lists(st.integers(0, 400), max_size=12)


@given(BODIES, CUTS)
@example(b"data: {}\r\n\r\n", [9, 10, 11])
@example(b"data: {}\r\r", [9])
@example(b"\xef\xbb\xbfdata: {}\r\n\n", [1, 2])
def test_events_are_those_of_the_standard(body: bytes, cuts: list[int]) -> None:
    """With an empty line at the end, since what follows the last one is read too."""
    body += b"\n\n"
    assert events_of(body, cuts) == whatwg(body)


TOKEN = 'data: {"choices": [{"delta": {"content": "x"}}]}'
ERROR = '{"error": {"message": "engine died"}}'
REPAIRS = {
    "a bare error": [TOKEN, "", ERROR, "", "data: [DONE]", ""],
    "a bare error at the end": [TOKEN, "", ERROR],
    "a bare error under a comment": [TOKEN, "", ": it failed", ERROR, ""],
    "a bare error right under a token": [TOKEN, ERROR, ""],
    "a bare error right before the end": [TOKEN, "", ERROR, "data: [DONE]", ""],
    "a bare error on many lines": [TOKEN, "", *json.dumps(json.loads(ERROR), indent=1).split("\n")],
    "a bare list of one error": [TOKEN, "", f"[{ERROR}]", ""],
    "an error in a field": [TOKEN, "", f"error: {ERROR}", ""],
    "a named error": [TOKEN, "", "event: error", f"data: {ERROR}", ""],
    "a named error of text": [TOKEN, "", "event: error", "data: engine died", ""],
    "a named error, its name last": [TOKEN, "", "data: engine died", "event: error", ""],
    "no last empty line": [TOKEN, "", 'data: {"usage": {}}'],
    "DONE without its empty line": [TOKEN, "", "data: [DONE]"],
    "one event on two lines": ['data: {"choices":', "data: []}", "", "data: [DONE]", ""],
    "nothing but an error": [ERROR, ""],
}


def meant(data: str) -> object:
    return data if data == "[DONE]" else json.loads(data)


@given(st.data())
@pytest.mark.parametrize("case", REPAIRS)
def test_repairs_hold_for_every_line_end_and_segmentation(case: str, data: st.DataObject) -> None:
    """Errors are found too: tokens, then the error, by what the SDK reads as one."""
    lines = REPAIRS[case]
    plain = "\n".join(lines).encode()
    body = data.draw(st.sampled_from(["", "\ufeff"]))
    for line, is_last in zip(lines, [False] * (len(lines) - 1) + [True], strict=True):
        end = data.draw(ENDS) if line or not is_last else "\r\n"
        if not line and end == "\n" and body.endswith("\r"):
            end = "\r\n"  # a line feed behind a CR would end the line before
        body += line + ("" if line and is_last else end)
    decoded = events_of(body.encode(), data.draw(CUTS))
    assert [meant(one) for one in decoded] == [meant(one) for one in events_of(plain)]
    assert ("engine died" in "".join(decoded)) == ("error" in case)


@pytest.mark.parametrize("end", ["\n", "\r", "\r\n"])
def test_an_event_is_delivered_as_soon_as_its_empty_line_has_come(end: str) -> None:
    """Not with the next segment: a CR at a segment's end is a line end already."""
    given_out = list[str]()

    def body() -> Iterator[bytes]:
        for number in range(3):
            yield f"data: {number}{end}{end}".encode()
            assert len(given_out) == number + 1

    for event in Decoder().iter_bytes(body()):
        given_out.append(event.data)
    assert given_out == ["0", "1", "2"]


@pytest.mark.parametrize(
    "body", [b"<!DOCTYPE html>\n\n<title>No</title>", b"  \n<html>", b"\xef\xbb\xbf<html>\r\n\r\n"]
)
def test_an_html_page_is_no_stream_and_is_kept(body: bytes) -> None:
    for size in (1, 5, 1000):
        decoder = Decoder()
        cut = (body[at : at + size] for at in range(0, len(body), size))
        assert list(decoder.iter_bytes(cut)) == []
        assert decoder.foreign is not None and b"html" in decoder.foreign.lower()


def test_events_are_read_under_a_json_content_type_and_json_is_kept() -> None:
    for body, events in ((b'{"a":\n\n1}', 0), (b"[1]", 0), (b"data: {}\n\n", 1)):
        decoder = Decoder()
        decoder.is_json = True
        assert len(list(decoder.iter_bytes(iter([body])))) == events
        assert (decoder.foreign is None) == bool(events)


DIFFER = {*TIMES, "response_bytes"}
WHOLE = b"".join(sse(WHOLE_STREAM))
ROWS = {
    "a whole stream": (WHOLE, "ok", 7),
    "no last empty line": (WHOLE.removesuffix(b"data: [DONE]\n\n").rstrip(b"\n"), "ok", 7),
    "a bare error": (b"%s%s\n\ndata: [DONE]\n\n" % (sse(WHOLE_STREAM)[1], ERROR.encode()),
                     "stream_error", None),
}  # fmt: skip


@pytest.mark.parametrize("typed", [False, True], ids=["post", "typed"])
@pytest.mark.parametrize("case", ROWS)
def test_rows_are_equal_for_every_line_end_and_on_both_surfaces(
    serve: Callable[..., object], case: str, typed: bool
) -> None:
    body, outcome, tokens = ROWS[case]
    rows = []
    for end in (b"\n", b"\r", b"\r\n"):
        reply = STREAM_HEAD + b"".join(chunked(b"\xef\xbb\xbf" + body.replace(b"\n", end)))
        row = send(serve(answer_once(reply)).base_url, stream=True, typed=typed)  # type: ignore[attr-defined]
        assert (row.outcome, row.total_tokens) == (outcome, tokens)
        rows.append(
            [getattr(row, name) for name in COLUMNS if name not in (*TIMES, "response_bytes")]
        )
    assert rows[0] == rows[1] == rows[2]
