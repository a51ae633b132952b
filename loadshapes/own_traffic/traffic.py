"""The operator's own traffic: the lines of `--prompts` or `--trace`, as sent to workers. Pure.

Without conversations, request i of a phase takes line i mod n. With conversations, each user
continues one; when it is over, the user begins the next line that its generator has not begun
(tasks/users.py).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256

from loadshapes.own_traffic.line import Json, Line, line
from loadshapes.own_traffic.trace import offsets_s
from recording.counted import counted
from recording.json_values import text_of
from recording.manifest_content import Note
from settings.options import Options

_EXAMPLES = 8  # faults that one sentence names
CHARACTERS_PER_TOKEN = 4


@dataclass(frozen=True, slots=True)
class Traffic:
    """The lines of a file, a trace's in the order of their times.

    `text` is the file as sent to workers, `digest` identifies it in the plan, `offsets_s` are a
    trace's times, `moved` counts rows that came after a row with a later time. `prompt_tokens_max`
    is the size of the largest prompt, by the rule of thumb; `max_tokens_max` the largest budget of
    a line (0: none has one). `notes` describe rows that are not sent exactly as written
    (recording/row_notes.py).
    """

    lines: tuple[Line, ...]
    text: str = field(repr=False)
    digest: str
    offsets_s: tuple[float, ...] = ()
    moved: int = 0
    prompt_tokens_max: int = 0
    max_tokens_max: int = 0
    notes: tuple[Note, ...] = ()

    @property
    def conversations(self) -> bool:
        """Whether any line has turns."""
        return any(line.turns for line in self.lines)

    def outputs(self, otherwise: int | None) -> list[int | None]:
        """Each line's output budget, tokens; `otherwise` if the line has none."""
        return [line.max_tokens or otherwise for line in self.lines]


def refuse(faults: Sequence[str]) -> None:
    """Raises ValueError if there are faults; it names the first ones and counts the others."""
    if faults:
        more = (
            f"; and {counted(len(faults) - _EXAMPLES, 'more line')}"
            if len(faults) > _EXAMPLES
            else ""
        )
        raise ValueError("; ".join(faults[:_EXAMPLES]) + more)


def parse(text: str, trace: bool) -> Traffic:
    """A text in our own format as traffic. Raises ValueError with the number of every faulty
    line.
    """
    lines: list[Line] = []
    rows: list[Json] = []
    faults = []
    for number, written_ in enumerate(text.split("\n"), 1):
        if not written_.strip():
            continue
        try:
            one, row = line(number, written_, trace)
        except ValueError as error:
            faults.append(f"line {number}: {error}")
        else:
            lines.append(one)
            rows.append(row)
    refuse(faults)
    if not lines:
        raise ValueError("it is empty, so there is nothing to send")
    return gathered(lines, rows, text, trace, [])


def gathered(
    lines: list[Line], rows: list[Json], text: str, trace: bool, notes: list[Note]
) -> Traffic:
    """Lines, with the rows and the text they were read from, as traffic; a trace in the order of
    its times.
    """
    digest = sha256(text.encode("utf-8")).hexdigest()[:16]
    largest = max(map(prompt_tokens, lines))
    budget = max(line.max_tokens or 0 for line in lines)
    traffic = Traffic(tuple(lines), text, digest, (), 0, largest, budget, tuple(notes))
    if not trace:
        return traffic
    times = offsets_s(rows)
    order = sorted(range(len(times)), key=times.__getitem__)
    moved = sum(late < early for early, late in zip(times, times[1:], strict=False))
    ordered = tuple(lines[place] for place in order)
    return replace(
        traffic, lines=ordered, offsets_s=tuple(times[place] for place in order), moved=moved
    )


def prompt_tokens(line: Line) -> int:
    """Tokens of a line's prompt by the rule of thumb, without pictures."""
    texts = (text_of(message.get("content")) or "" for message in (*line.messages, *line.turns))
    return line.prompt_tokens or sum(map(len, texts)) // CHARACTERS_PER_TOKEN + 1


def travelled(text: str, options: Options) -> Traffic | None:
    """The traffic that a generator received; None: there is none."""
    return parse(text, trace=options.mode == "replay") if text else None


def undecided(traffic: Traffic, options: Options) -> Sequence[int]:
    """The numbers of the lines without an output budget."""
    if options.max_tokens:
        return ()
    return [line.number for line in traffic.lines if line.max_tokens is None]
