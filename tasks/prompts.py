"""What one request asks: its body, the marker it expects, and who judges the reply. Pure.

To add a kind of request: write a builder here, or in tasks/probes/, and name it in
tasks/catalogue.py.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from loadshapes.options import Options
from loadshapes.pacing import CALIBRATION, CALIBRATION_WORDS
from loadshapes.plan import Phase
from tasks.reply import Message
from tasks.values import Json

# The seed's padding: it plans with six tokens a word, whatever the tokenizer makes of it.
PADDING_WORD = "NONELINEAR_TPM_EVAL_STATIC_TEXT"
SEED_TOKENS_PER_WORD = 6


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a probe thinks of a reply: `check` is `pass` or `fail`, `detail` says why (JSON)."""

    check: str
    detail: str


@dataclass(frozen=True, slots=True)
class Request:
    """One request: what goes into its body beside model and stream, and what should come back.

    `messages` are sent as they are, else one of the user's with `content`. `heard` gets a reply
    that is `ok`. `place` is where own traffic comes from: `line` of its file, and `turn`, from 1.
    """

    content: str | list[dict[str, Any]]
    marker: str | None = None
    extra: dict[str, Any] = field(default_factory=dict)
    judge: Callable[[Message], Judgement] | None = None
    messages: Sequence[Json] | None = None
    heard: Callable[[Message], None] | None = None
    place: Mapping[str, int] = field(default_factory=dict)


Builder = Callable[[Phase, int, Options], Request]


def marker(phase: Phase, index: int, options: Options) -> Request:
    """The seed's short request: the reply should be `ok-<index>`."""
    return Request(f"Reply exactly: ok-{index}", marker=f"ok-{index}")


def padded(phase: Phase, index: int, options: Options, words: int | None = None) -> Request:
    """The seed's long request: the reply should be `TPM-OK-<index>`.

    Its length is `words`; else that of a calibration probe; else what the seed takes for
    `--approx-prompt-tokens`.
    """
    if words is None and phase.scenario == CALIBRATION:
        words = CALIBRATION_WORDS[index]
    if words is None:
        words = max(1, int(options.approx_prompt_tokens / SEED_TOKENS_PER_WORD))
    padding = " ".join([PADDING_WORD] * words)
    return Request(
        "You are testing throughput. Read the following static text and reply exactly "
        f"with TPM-OK-{index}.\n\n{padding}",
        marker=f"TPM-OK-{index}",
    )


def greeting(phase: Phase, index: int, options: Options) -> Request:
    """A smoke request in plain words."""
    return Request("In one short sentence, say hello and name one use of an API gateway.")


def body(phase: Phase, index: int, request: Request, options: Options) -> dict[str, Any]:
    """The JSON body: the seed's fields in the seed's order, then what the request adds.

    A streamed request asks for its usage, and carries no task_id unless the options say so (the
    seed's convention).
    """
    made: dict[str, Any] = {
        "model": phase.model,
        "messages": request.messages or [{"role": "user", "content": request.content}],
        "max_tokens": phase.max_tokens,
        "stream": phase.stream,
    }
    if phase.max_tokens is None or "max_completion_tokens" in request.extra:
        del made["max_tokens"]  # the line's own budget, or the gateway's
    if phase.stream:
        made["stream_options"] = {"include_usage": True}
    if not phase.stream or options.task_id_on_streams:
        made["task_id"] = phase.task_id(index)
    made.update(request.extra)
    return made
