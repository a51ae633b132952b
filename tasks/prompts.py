"""One request: its body, the marker it expects, and the judge of the reply. Pure.

To add a kind of request, write a file in tasks/probes/ with its builder in `BUILDERS`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any

from compat.check import Ask
from compat.evidence import Evidence
from loadshapes.phase import Phase
from loadshapes.token_pacing import CALIBRATION, CALIBRATION_WORDS
from recording.json_values import Json
from settings.body_profile import BUDGETS, METADATA, BodyProfile, extra_body
from settings.options import Options
from tasks.reply import Message

# The seed's padding; it assumes six tokens per word, whatever the tokenizer.
PADDING_WORD = "NONELINEAR_TPM_EVAL_STATIC_TEXT"
SEED_TOKENS_PER_WORD = 6


@dataclass(frozen=True, slots=True)
class Judgement:
    """A probe's verdict on a reply: `check` is `pass` or `fail`, `detail` is the reason (JSON).

    `counted`: the detail is a word of an answer to a question of ours, which --no-content keeps.
    """

    check: str
    detail: str
    counted: bool = False


@dataclass(frozen=True, slots=True)
class Raw:
    """A check's request: `ask` is all of it. `keep` is called with the reply and the secrets
    that it must not show. `named`: by its task_id, in a header.
    """

    check: str
    ask: Ask
    keep: Callable[[Evidence, Sequence[str]], None]
    named: bool = True


@dataclass(frozen=True, slots=True)
class Request:
    """One request: its body fields besides model and stream, and the expected reply.

    `messages` are sent as they are, else one of the user's with `content`. `heard` gets a reply
    that is `ok`. `place` is where it comes from: own traffic's `line` of its file, and `turn`, from
    1; or its `check`. `raw` is sent as it is, by its own bytes (tasks/raw_exchange.py). `named`:
    its body has the task_id even where it is streamed. `without`: fields that its body leaves out.
    """

    content: str | list[dict[str, Any]]
    marker: str | None = None
    extra: dict[str, Any] = field(default_factory=dict)
    judge: Callable[[Message], Judgement] | None = None
    messages: Sequence[Json] | None = None
    heard: Callable[[Message], None] | None = None
    place: Mapping[str, Any] = field(default_factory=dict)
    raw: Raw | None = None
    named: bool = False
    without: tuple[str, ...] = ()


Builder = Callable[[Phase, int, Options], Request]


def nonce(phase: Phase, index: int, options: Options) -> str:
    """A prefix that makes the prompt new to every cache: a hash of run and request.

    Fifteen digits are as many tokens in every prompt; letters would not be. Empty with
    `--same-prompts`.
    """
    if options.same_prompts:
        return ""
    name = f"{options.run_id}/{phase.name}/{phase.task_prefix}{phase.first_number + index}"
    digest = int.from_bytes(blake2b(name.encode("utf-8", "replace"), digest_size=8).digest())
    return f"[{digest % 10**15:015d}] "


def marker(phase: Phase, index: int, options: Options) -> Request:
    """The seed's short request, after a nonce: the reply should be `ok-<index>`."""
    text = f"{nonce(phase, index, options)}Reply exactly: ok-{index}"
    return Request(text, marker=f"ok-{index}")


def padded(phase: Phase, index: int, options: Options, words: int | None = None) -> Request:
    """The seed's long request, after a nonce: the reply should be `TPM-OK-<index>`.

    Its length is `words`, otherwise that of a calibration probe, otherwise the seed's length for
    `--approx-prompt-tokens`.
    """
    if words is None and phase.scenario == CALIBRATION:
        words = CALIBRATION_WORDS[index]
    if words is None:
        words = max(1, int(options.approx_prompt_tokens / SEED_TOKENS_PER_WORD))
    padding = " ".join([PADDING_WORD] * words)
    return Request(
        f"{nonce(phase, index, options)}You are testing throughput. Read the following static "
        f"text and reply exactly with TPM-OK-{index}.\n\n{padding}",
        marker=f"TPM-OK-{index}",
    )


def greeting(phase: Phase, index: int, options: Options) -> Request:
    """A smoke request in plain words."""
    return Request("In one short sentence, say hello and name one use of an API gateway.")


def body(
    phase: Phase,
    index: int,
    request: Request,
    options: Options,
    ways: BodyProfile | None = None,
    model: str = "",
) -> dict[str, Any]:
    """The JSON body: the seed's fields in the seed's order, what the request adds, --extra-body.

    A streamed request asks for its usage, and carries no task_id unless the options say so (the
    seed's convention). `ways` is the model's body profile (default: from the options), `model` the
    route's name for it (default: the phase's).
    """
    ways = ways or BodyProfile.of(options)
    content: dict[str, Any] = {
        "model": model or phase.model,
        "messages": request.messages or [{"role": "user", "content": request.content}],
    }
    output_budget = {name: request.extra[name] for name in BUDGETS if name in request.extra}
    if ways.budget and output_budget:  # the last of them is the one that counts, whatever its name
        output_budget = {ways.budget: output_budget.get(BUDGETS[1], output_budget.get(BUDGETS[0]))}
    elif not output_budget and phase.max_tokens is not None:
        output_budget = {ways.budget or BUDGETS[0]: phase.max_tokens}
    content.update(output_budget)  # none: the gateway's own
    content["stream"] = phase.stream
    if phase.stream and ways.stream_usage:
        content["stream_options"] = {"include_usage": True}
    named = not phase.stream or options.task_id_on_streams or request.named
    if named and not ways.task_id:
        content["task_id"] = phase.task_id(index)
    content.update((k, v) for k, v in request.extra.items() if k not in BUDGETS)
    if named and ways.task_id == METADATA:
        content["metadata"] = {**content.get("metadata", {}), "task_id": phase.task_id(index)}
    if not ways.temperature and not phase.traffic:
        content.pop("temperature", None)
    for name in request.without:
        content.pop(name, None)
    for name, value in extra_body(options.extra_body).items():
        if value is None:
            content.pop(name, None)
        else:
            content[name] = value
    return content
