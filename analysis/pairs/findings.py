"""What breaks a comparison: one class per finding, with its evidence and its sentence. Pure."""

from dataclasses import dataclass
from typing import ClassVar

from analysis.page.words import Words, integer, milliseconds, percent
from recording.outcome import Outcome

ALL = frozenset({"ttft", "tpot", "total", "cost", "success"})
_ANSWERS = ALL - {"success"}
_TIMES = frozenset({"ttft", "tpot", "total"})


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that breaks a comparison; `forbids` names the metrics it makes not comparable."""

    name: ClassVar[str] = ""
    forbids: ClassVar[frozenset[str]] = frozenset()

    def clause(self, t: Words) -> str:
        """What was found, with its evidence."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class NoSuccess(Finding):
    """A route that answered all of its `requests` with errors, most of them `outcome`."""

    name = "no_success"
    forbids = _ANSWERS
    of_reference: bool
    requests: int
    outcome: str
    status: int

    def clause(self, t: Words) -> str:
        """Which route failed and how, and what to do if it does not know the model."""
        en, zh = ("the reference", "参照") if self.of_reference else ("the gateway", "网关")
        count, how = integer(self.requests), f"{self.outcome}, HTTP {self.status}"
        text = t(
            f"{en} answered none of {count} requests with success (mostly {how})",
            f"{zh}的 {count} 个请求无一成功（多为 {how}）",
        )
        if self.of_reference and self.outcome == Outcome.NOT_FOUND:
            text += t(
                "; if it has another name for the model, give --against-model OURS=THEIRS",
                "；若模型在那里另有名称，请用 --against-model OURS=THEIRS",
            )
        return text


@dataclass(frozen=True, slots=True)
class RateLimited(Finding):
    """How many answers of either route were 429."""

    name = "rate_limited"
    forbids = ALL
    gateway: int
    reference: int

    def clause(self, t: Words) -> str:
        """How many answers of 429 each route gave."""
        counts = f"{integer(self.gateway)} + {integer(self.reference)}"
        return t(
            f"both routes were rate limited ({counts} answers of 429, gateway + reference)",
            f"两条路由均被限流（429 应答：网关 + 参照 {counts} 个）",
        )


@dataclass(frozen=True, slots=True)
class SharedLimit(Finding):
    """By how much each route's remaining limit falls per request sent on either route.

    At 1 for both, the routes share one limit.
    """

    name = "shared_limit"
    forbids = frozenset({"success"})
    gateway: float
    reference: float

    def clause(self, t: Words) -> str:
        """That the routes share one limit."""
        return t(
            "both routes share one rate limit, so refusals on one may be caused by the other",
            "两条路由消耗同一限额，其一被拒可能由另一条引起",
        )


@dataclass(frozen=True, slots=True)
class Cached(Finding):
    """The shares of the prompt tokens that came from a cache."""

    name = "cached"
    forbids = _ANSWERS
    gateway: float
    reference: float

    def clause(self, t: Words) -> str:
        """Both shares."""
        a, b = percent(self.gateway, 1), percent(self.reference, 1)
        return t(
            f"{a} of the gateway's prompt tokens came from a cache, {b} of the reference's",
            f"网关有 {a} 的 prompt token 来自缓存，参照为 {b}",
        )


@dataclass(frozen=True, slots=True)
class Warmed(Finding):
    """The same shares by the order of sending; whether that changes a time, `order` tests."""

    name = "warmed"
    second: float
    first: float

    def clause(self, t: Words) -> str:
        """Both shares."""
        first, second = percent(self.first, 1), percent(self.second, 1)
        return t(
            f"the second request of a pair found the first one's prompt in a cache ({second} of "
            f"its tokens, {first} of the first one's)",
            f"每对的后一个请求命中前一个的 Prompt Cache（缓存占比 {second}，前者 {first}）",
        )


@dataclass(frozen=True, slots=True)
class Replayed(Finding):
    """In how many pairs both routes gave one stored reply."""

    name = "replayed"
    forbids = _ANSWERS
    replayed: int
    pairs: int

    def clause(self, t: Words) -> str:
        """In how many pairs that was so."""
        part = f"{integer(self.replayed)}/{integer(self.pairs)}"
        return t(
            f"both routes returned the same stored reply (id and time) in {part} pairs",
            f"{part} 对中两条路由返回了同一份缓存的应答（id 与时间相同）",
        )


@dataclass(frozen=True, slots=True)
class OtherModel(Finding):
    """The models that each route names."""

    name = "other_model"
    forbids = _ANSWERS
    gateway: tuple[str, ...]
    reference: tuple[str, ...]

    def clause(self, t: Words) -> str:
        """Both routes' names."""
        a, b = t.join(self.gateway), t.join(self.reference)
        return t(
            f"the routes name different models ({a}; {b})", f"两条路由返回的模型名不同（{a}；{b}）"
        )


@dataclass(frozen=True, slots=True)
class OtherPrompt(Finding):
    """In how many pairs one body was counted as two different lengths, and each route's median."""

    name = "other_prompt"
    forbids = _ANSWERS
    unlike: int
    pairs: int
    gateway_tokens: float
    reference_tokens: float

    def clause(self, t: Words) -> str:
        """In how many pairs that was so, and the medians."""
        part = f"{integer(self.unlike)}/{integer(self.pairs)}"
        counts = f"{self.gateway_tokens:g}, {self.reference_tokens:g}"
        return t(
            f"identical bodies were counted as prompts of different length in {part} pairs "
            f"(medians {counts} tokens)",
            f"{part} 对中相同请求体的 prompt token 数不同（中位数 {counts}）",
        )


@dataclass(frozen=True, slots=True)
class Buffered(Finding):
    """The shares of the streams that came all at once, so that one route's TTFT means nothing."""

    name = "buffered"
    forbids = frozenset({"ttft", "tpot"})
    gateway: float
    reference: float

    def clause(self, t: Words) -> str:
        """Both shares."""
        a, b = percent(self.gateway, 0), percent(self.reference, 0)
        return t(
            f"one route holds streams back and releases them all at once ({a} of the gateway's, "
            f"{b} of the reference's)",
            f"其中一条路由缓冲流式应答后一次性放出（网关 {a}，参照 {b}）",
        )


@dataclass(frozen=True, slots=True)
class Late(Finding):
    """P99 of the send lag of the later route, seconds."""

    name = "late"
    forbids = _TIMES
    lag_s: float

    def clause(self, t: Words) -> str:
        """How late."""
        lag = milliseconds(self.lag_s)
        return t(
            f"the generator sent too late to measure such short times (P99 of the send lag {lag})",
            f"压测端发送滞后过大（P99 {lag}）",
        )


@dataclass(frozen=True, slots=True)
class UnlikeLengths(Finding):
    """In how many pairs the two replies are equally long."""

    name = "unlike_lengths"
    forbids = frozenset({"total"})
    alike: int
    pairs: int

    def clause(self, t: Words) -> str:
        """In how many pairs that was so."""
        part = f"{integer(self.alike)}/{integer(self.pairs)}"
        return t(f"only {part} pairs have replies of equal length", f"仅 {part} 对的应答长度相同")
