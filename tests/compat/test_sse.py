"""Server-sent events are read the same however the bytes arrive."""

from hypothesis import given
from hypothesis import strategies as st

from compat.sse import events

ENDS = ["\n", "\r\n", "\r"]
LINES = st.lists(
    st.sampled_from(["data: a", "data:b", "data", ": comment", "", "", "event: x", "id: 1",
                     "data:  é"]),
    max_size=14,
)  # fmt: skip


def oracle(lines: list[str]) -> list[tuple[str, str]]:
    """The standard's rules, line by line."""
    complete, name, data = [], "", []
    for line in [*lines, ""]:
        if not line:
            if data:
                complete.append((name, "\n".join(data)))
            name, data = "", []
        elif line.startswith("data"):
            data.append(line[5:].removeprefix(" "))
        elif line.startswith("event"):
            name = line[7:]
    return complete


@given(LINES, st.sampled_from(ENDS), st.lists(st.integers(0, 200), max_size=6), st.booleans())
def test_events_are_those_of_the_standard_for_any_lines_ends_and_packets(
    lines: list[str], end: str, cuts: list[int], marked: bool
) -> None:
    raw = ("\ufeff" if marked else "").encode() + "".join(line + end for line in lines).encode()
    borders = sorted({0, len(raw), *(cut for cut in cuts if cut < len(raw))})
    pieces = [
        (float(i), raw[a:b]) for i, (a, b) in enumerate(zip(borders, borders[1:], strict=False))
    ]
    assert [(event.name, event.data) for event in events(pieces)] == oracle(lines)


def test_an_event_has_the_time_of_its_last_byte() -> None:
    pieces = [(0.1, b"data: a"), (0.2, b"\n"), (0.3, b"\ndata: b\n\ndata"), (0.4, b": c\n\n")]
    assert [(e.at_s, e.data) for e in events(pieces)] == [(0.3, "a"), (0.3, "b"), (0.4, "c")]


def test_bytes_that_are_not_utf8_become_replacement_characters() -> None:
    (event,) = events([(0.0, b"data: \xe4\xbd\n\n")])
    assert event.data == "\ufffd"
