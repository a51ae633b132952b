"""A check is data: what it sends, its upper bound, and how its answers are judged. Pure."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Any, NamedTuple

from compat import untried
from compat.evidence import Evidence
from compat.verdict import Finding, Verdict
from recording.bilingual import Bilingual

CHAT, RESPONSES, EMBEDDINGS, MODELS, FILES, BATCHES = (
    "/chat/completions", "/responses", "/embeddings", "/models", "/files", "/batches",
)  # fmt: skip
Body = dict[str, Any]
_BYTES_PER_TOKEN = 3  # fewer than any common tokenizer takes for English and JSON
_FORMAT_TOKENS = 12
THINKING_TOKENS = 500
"""What a reasoning model may use on top of the tokens of its answer."""


@dataclass(frozen=True, slots=True)
class Setting:
    """The model that a check is made for, and what is known about it.

    `seed` and `round` determine the nonces; `tokens_field` is the name of the budget's field that
    the model accepts. Nothing is guessed: what is unknown is None, and the checks that need it are
    not tried.
    """

    model: str
    seed: str = "0"
    round: int = 0
    reasons: bool = False
    tokens_field: str = "max_tokens"
    tokens_field_given: bool = False  # whether the operator set it
    forced_token: tuple[int, str] | None = (
        None  # a token id of its tokenizer, and that token's text
    )
    context_tokens: int | None = None  # as the operator states it
    longest_context_tokens: int = 200_000  # the most that error.context may send
    caches_prompts: bool | None = None  # whether the operator says that it caches prompts
    keyed: bool = True  # whether the key is the only credential that is sent
    lacks: frozenset[str] = frozenset()  # ids of checks that the operator says it does not support
    embeds: bool = False  # an embedding model
    responses: bool = False  # whether the Responses API is to be checked
    files: bool = False  # whether files and batches are to be checked

    def word(self, *names: object) -> str:
        """A nonce such as KORVAL-4821, different for each check, name and round."""
        path = "/".join(str(part) for part in (self.seed, self.model, self.round, *names))
        digest = sha256(path.encode()).digest()
        letters = "".join(
            ("BDFGKLMNPRSTVZ" if place % 2 == 0 else "AEIOU")[byte % (14 if place % 2 == 0 else 5)]
            for place, byte in enumerate(digest[:5])
        )
        return f"{letters}L-{1000 + int.from_bytes(digest[8:12]) % 9000}"

    def digits(self, *names: object) -> str:
        """A nonce of six digits, for pictures."""
        path = "/".join(str(part) for part in (self.seed, self.model, self.round, *names))
        return str(100_000 + int.from_bytes(sha256(path.encode()).digest()[:8]) % 900_000)


@dataclass(frozen=True, slots=True)
class Ask:
    """One request. `output_tokens` bounds the reply, `media_tokens` what pictures and files add.

    `wrong_key`: send a key that is not the operator's. `close_after_events`: close the stream after
    that many events. `wait_s`: seconds to wait after the previous request. `file`: the text of a
    file that is sent together with the body's fields, as a form.
    """

    body: Body | None
    output_tokens: int = 0
    path: str = CHAT
    method: str = "POST"
    media_tokens: int = 0
    known_prompt_tokens: int | None = None
    wrong_key: bool = False
    close_after_events: int | None = None
    wait_s: float = 0.0
    file: str | None = None

    @property
    def prompt_tokens(self) -> int:
        """An upper bound of the prompt's tokens."""
        if self.known_prompt_tokens is not None or self.body is None:
            return self.known_prompt_tokens or 0
        counted = {k: v for k, v in self.body.items() if k in _COUNTED}
        text = json.dumps(_without_media(counted), ensure_ascii=False, separators=(",", ":"))
        return -(-len(text.encode()) // _BYTES_PER_TOKEN) + _FORMAT_TOKENS + self.media_tokens

    def again(self, **changes: Any) -> "Ask":
        """The same request with some of its fields changed."""
        return replace(self, **changes)


_COUNTED = ("messages", "input", "instructions", "tools", "response_format", "text")


def _without_media(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _without_media(v) for k, v in value.items()}
    if isinstance(value, list):
        return [_without_media(v) for v in value]
    return "" if isinstance(value, str) and value.startswith("data:") else value


class Bound(NamedTuple):
    """The most requests, and tokens in and out."""

    requests: int = 0
    prompt_tokens: int = 0
    output_tokens: int = 0

    def plus(self, other: "Bound") -> "Bound":
        return Bound(*(a + b for a, b in zip(self, other, strict=True)))

    def times(self, factor: int) -> "Bound":
        return Bound(*(factor * part for part in self))

    @property
    def tokens(self) -> int:
        return self.prompt_tokens + self.output_tokens


def bound_of(asks: Sequence[Ask]) -> Bound:
    """The most that these requests may use."""
    return Bound(
        len(asks), sum(a.prompt_tokens for a in asks), sum(a.output_tokens for a in asks)
    )  # fmt: skip


Asks = Callable[[Setting], Sequence[Ask]]
Judge = Callable[[Setting, Sequence[Evidence]], Finding]
Then = Callable[[Setting, Sequence[Evidence]], Sequence[Ask]]


def nothing_more(setting: Setting, answers: Sequence[Evidence]) -> Sequence[Ask]:
    """No further requests: most checks know all of theirs beforehand."""
    return ()


def always(setting: Setting) -> Bilingual | None:
    """No reason against it: most checks can be tried with any model."""
    return None


@dataclass(frozen=True, slots=True)
class Check:
    """One feature of the API, and how to find out whether it works.

    `asks` gives a round's first requests; `then` gives those that follow from the answers and is
    called until it returns none. `then_bound` bounds the latter in all (`then_works`: they are
    sent even if the check works). `names` are the words of a clear refusal. `untried` says why the
    check cannot be tried. `guarantee`: a promise that one counter-example refutes. `feature` is
    what the user's code sets; `if_ignored` and `if_wrong` say what then happens in that code.
    """

    id: str
    group: str
    title: Bilingual
    feature: str
    asks: Asks
    judge: Judge
    names: Sequence[str]
    if_ignored: Bilingual | None = None
    if_wrong: Bilingual | None = None
    if_refused: Bilingual | None = None
    if_broken: Bilingual | None = None
    needs: Sequence[str] = ("chat.plain",)
    guarantee: bool = False
    then: Then = nothing_more
    then_bound: Callable[[Setting], Bound] = field(default=lambda setting: Bound())
    then_works: bool = True
    untried: Callable[[Setting], Bilingual | None] = always
    surface: str = "chat"

    def not_tried(self, setting: Setting) -> Bilingual | None:
        """Why this check is not made for this model; None if it is made."""
        if self.id in setting.lacks:
            return untried.LACKS
        if (self.surface == "embeddings") != setting.embeds and self.surface != "any":
            return untried.EMBEDS if setting.embeds else untried.NO_EMBEDS
        if self.surface == "responses" and not setting.responses:
            return untried.NO_RESPONSES
        if self.surface == "files" and not setting.files:
            return untried.NO_FILES
        why = self.untried(setting)
        if why is None and setting.context_tokens is not None and self.id != "error.context":
            longest = max((ask.prompt_tokens for ask in self.asks(setting)), default=0)
            if longest > setting.context_tokens:
                return Bilingual(
                    f"up to {longest} tokens do not fit the model's {setting.context_tokens}",
                    f"最多 {longest} 个 token，超出模型的 {setting.context_tokens}",
                )
        return why

    def bound(self, setting: Setting, works: bool = False) -> Bound:
        """The most that one round may use (if the check `works`); nothing if it is not tried."""
        if self.not_tried(setting) is not None:
            return Bound()
        first = bound_of(self.asks(setting))
        return first if works and not self.then_works else first.plus(self.then_bound(setting))

    def in_code(self, verdict: Verdict) -> Bilingual | None:
        """What a verdict other than works means in the user's code."""
        name = self.feature
        sentences = {
            Verdict.IGNORED: self.if_ignored or Bilingual(
                f"{name} changes nothing, and no error says so",
                f"设置 {name} 没有任何作用，也不会报错",
            ),
            Verdict.REFUSED: self.if_refused or Bilingual(
                f"the call with {name} raises BadRequestError: leave it out for this model",
                f"带 {name} 的调用会抛出 BadRequestError：对该模型请不要使用它",
            ),
            Verdict.WRONG: self.if_wrong or Bilingual(
                f"what {name} gives breaks the contract: check every reply before you use it",
                f"{name} 的结果不符合接口约定：使用前须逐个校验应答",
            ),
            Verdict.BROKEN: self.if_broken or Bilingual(
                f"the call with {name} raises APIError; clients retry it, and fail in the end",
                f"带 {name} 的调用会抛出 APIError；客户端重试后仍会失败",
            ),
            Verdict.UNSURE: Bilingual(
                f"do not rely on {name} before it has been checked again",
                f"在重新检查之前，请不要依赖 {name}",
            ),
            Verdict.NOT_TRIED: Bilingual(
                f"nothing is known about {name}", f"尚不清楚 {name} 是否可用",
            ),
        }  # fmt: skip
        return sentences.get(verdict)
