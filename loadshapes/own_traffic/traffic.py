"""Own traffic: the lines of `--prompts` or `--trace` as they travel, made into requests. Pure.

Without conversations request i of a phase takes line i mod n. With any, each user carries one on:
when it is over, the user begins the next line that its generator has not begun (tasks/users.py).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Any

from loadshapes.own_traffic.line import Json, Line, line
from loadshapes.own_traffic.trace import offsets_s
from loadshapes.plan import Phase
from settings.options import Options
from tasks.prompts import Request
from tasks.reply import Message, text_of

EXAMPLES = 8  # faults that one sentence names
CHARACTERS_PER_TOKEN = 4

# Common short words: one token each, with the space before it, in the tokenizers we know.
WORDS = (  # noqa: SIM905 (a list of so many quotes cannot be read)
    "time year people way day man thing woman life child world school state family student group "
    "country problem hand part place case week company system program question work number night"
).split()
LEAD_TOKENS = 20  # about what the words around the padding count


@dataclass(frozen=True, slots=True)
class Traffic:
    """The lines of a file, a trace's in the order of their times.

    `text` is the file as it travels to workers, `digest` names it in the plan, `offsets_s` are a
    trace's times, `moved` says how often a row stood after one of a later time.
    `prompt_tokens_max` is the size of the largest prompt, by the rule of thumb; `max_tokens_max`
    the largest budget of a line (0: none has one). `notes` say what of the file is not sent as it
    stands (recording/row_notes.py).
    """

    lines: tuple[Line, ...]
    text: str = field(repr=False)
    digest: str
    offsets_s: tuple[float, ...] = ()
    moved: int = 0
    prompt_tokens_max: int = 0
    max_tokens_max: int = 0
    notes: tuple[dict[str, Any], ...] = ()

    @property
    def conversations(self) -> bool:
        """Whether any line has turns."""
        return any(one.turns for one in self.lines)

    def request(self, phase: Phase, index: int) -> Request:
        """Request `index` of a phase: its line's, of a conversation the first turn."""
        return request(self.lines[index % len(self.lines)], phase, index)

    def outputs(self, otherwise: int | None) -> list[int | None]:
        """Each line's output budget, tokens; `otherwise` where the line has none."""
        return [one.max_tokens or otherwise for one in self.lines]


def parse(text: str, trace: bool) -> Traffic:
    """A text in our own shape as traffic. Raises ValueError with every faulty line's number."""
    lines: list[Line] = []
    found: list[Json] = []
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
            found.append(row)
    if faults:
        more = f"; and {len(faults) - EXAMPLES} more lines" if len(faults) > EXAMPLES else ""
        raise ValueError("; ".join(faults[:EXAMPLES]) + more)
    if not lines:
        raise ValueError("it is empty, so there is nothing to send")
    return gathered(lines, found, text, trace, [])


def gathered(
    lines: list[Line], found: list[Json], text: str, trace: bool, notes: list[dict[str, Any]]
) -> Traffic:
    """Lines, with the rows and the text that they were read of, as traffic; a trace's in order."""
    digest = sha256(text.encode("utf-8")).hexdigest()[:16]
    largest = max(map(prompt_tokens, lines))
    budget = max(one.max_tokens or 0 for one in lines)
    made = Traffic(tuple(lines), text, digest, (), 0, largest, budget, tuple(notes))
    if not trace:
        return made
    times = offsets_s(found)
    order = sorted(range(len(times)), key=times.__getitem__)
    moved = sum(late < early for early, late in zip(times, times[1:], strict=False))
    ordered = tuple(lines[place] for place in order)
    return replace(
        made, lines=ordered, offsets_s=tuple(times[place] for place in order), moved=moved
    )


def prompt_tokens(one: Line) -> int:
    """Tokens of a line's prompt, by the rule of thumb; pictures are not counted."""
    texts = (text_of(message.get("content")) or "" for message in (*one.messages, *one.turns))
    return one.prompt_tokens or sum(map(len, texts)) // CHARACTERS_PER_TOKEN + 1


def travelled(text: str, options: Options) -> Traffic | None:
    """The traffic that a generator was sent; None: there is none."""
    return parse(text, trace=options.mode == "replay") if text else None


def request(one: Line, phase: Phase, index: int) -> Request:
    """A line as a request; of a conversation its first turn."""
    messages: list[Json] = [*one.messages, *one.turns[:1]]
    if one.prompt_tokens is not None:
        messages = [{"role": "user", "content": padding(one.prompt_tokens, phase.task_id(index))}]
    said = "\n".join(text_of(message.get("content")) or "" for message in messages)
    return Request(said, messages=messages, extra=dict(one.settings), place=_place(one))


def _place(one: Line) -> dict[str, Any]:
    return {"line": one.number, **one.name}


def padding(prompt_tokens: int, name: str) -> str:
    """A prompt of about so many tokens. It begins with what `name` makes, so none is cached."""
    head = f"{sha256(name.encode()).hexdigest()[:6]}: tell a long story with these words:"
    words = [WORDS[place % len(WORDS)] for place in range(prompt_tokens - LEAD_TOKENS)]
    return " ".join([head, *words])


class Conversation:
    """One user's way through a line's turns: each is sent after the gateway's reply to the last."""

    def __init__(self, one: Line, phase: Phase) -> None:
        self.phase = phase
        self._line = one
        self._history: list[Json] = list(one.messages)
        self._left = list(one.turns)
        self._turns = len(one.turns)
        self._answered = True

    @property
    def over(self) -> bool:
        """No turn is left, or the last one got no reply that could be answered."""
        return not self._left or not self._answered

    def turn(self) -> Request:
        """The next turn, with all that was said before it."""
        self._history.append(self._left.pop(0))
        self._answered = False
        said = "\n".join(text_of(message.get("content")) or "" for message in self._history)
        extra = dict(self._line.settings)
        place = {**_place(self._line), "turn": self._turns - len(self._left)}
        return Request(
            said, messages=list(self._history), extra=extra, heard=self._hear, place=place
        )

    def _hear(self, reply: Message) -> None:
        if reply.content and not reply.tool_calls:
            self._history.append({"role": "assistant", "content": reply.content})
            self._answered = True


def begin(one: Line, phase: Phase) -> Conversation:
    """A line as a conversation; one of `messages` alone is a single turn of all of them."""
    if one.turns:
        return Conversation(one, phase)
    *before, last = one.messages
    return Conversation(replace(one, messages=tuple(before), turns=(last,)), phase)


def undecided(traffic: Traffic, options: Options) -> Sequence[int]:
    """The numbers of the lines that no output budget limits."""
    if options.max_tokens:
        return ()
    return [one.number for one in traffic.lines if one.max_tokens is None]
