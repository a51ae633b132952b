"""Profiles: which models the gateway serves, their speed and prices, and how they count tokens.

A profile is a TOML file. Its top-level tables (`[latency]`, `[prices]`, `[tokens]`, `[cache]`,
`[reasoning]`, `[reply]` ...) are defaults; `[models."NAME".latency]` and so on override single keys
for one model. `[features]` lists what does not work (`simulator.features`). `simulator/profiles/`
ships `seed`, `fast` and `compat`; any other name is read as a path.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from types import UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

PROFILES = Path(__file__).parent / "profiles"


class ProfileError(Exception):
    """Raised if a profile cannot be found, read or understood; says where and why."""


@dataclass(frozen=True, slots=True)
class Latency:
    """How long a model takes. The time to the first token is the sum of a body, prefill, queueing
    and, for some requests, a stall; the other tokens follow at a constant speed."""

    fixed_s: float | None = None  # plain replies take exactly this long, seconds
    ttft_s: float = 0.0  # median of the body, which is what a short prompt takes, seconds
    spread: float = 0.0  # sigma of the body's lognormal distribution
    prefill_s_per_1k: float = 0.0  # median of the prefill per 1,000 prompt tokens, seconds
    prefill_spread: float = 0.0  # sigma of the prefill's lognormal distribution
    tokens_per_s: float = 0.0  # speed after the first token; 0: all tokens at once
    burst_free: int = 0  # requests within one second that are served without queueing
    burst_s: float = 0.0  # queueing per square root of the requests beyond that, seconds
    stall_share: float = 0.0  # share of the requests that stall
    stall_s: float = 0.0  # median stall at 600 requests a minute, seconds; in proportion
    stall_spread: float = 0.0  # sigma of the stall's lognormal distribution
    drift_amplitude: float = 0.0  # all times rise and fall by this share, as a sine
    drift_period_s: float = 60.0  # period of that sine, seconds, from the start of the process

    def __post_init__(self) -> None:
        """Refuses a drift that would make times zero or negative."""
        if self.drift_amplitude >= 1 or self.drift_period_s <= 0:
            raise ProfileError("drift_amplitude must be below 1, and drift_period_s above 0")


@dataclass(frozen=True, slots=True)
class Prices:
    """Prices per million tokens, in the profile's currency."""

    input: float = 0.0  # prompt tokens
    cached_input: float | None = None  # prompt tokens read from the cache; by default as `input`
    cache_write: float | None = None  # tokens written to it; by default as `input`, not reported
    output: float = 0.0  # completion tokens, reasoning included
    minimum: float = 0.0  # minimum charge of one request
    decimals: int = 6  # costs are rounded half up to this many decimals


@dataclass(frozen=True, slots=True)
class Billing:
    """How what is stated and charged differs from the truth, which the ledger keeps."""

    inflate: float = 1.0  # factor of all stated counts
    hidden_prompt_tokens: int = 0  # tokens added to every prompt
    stream_factor: float = 1.0  # factor of the counts of streams, compared with plain replies
    cache_credit: bool = True  # false: cached tokens are stated, but charged in full
    double_share: float = 0.0  # share of the requests that are charged twice, but state one charge
    aborted: float = 1.0  # share charged of the rest that a client who left did not receive
    aborted_free: bool = False  # true: requests whose client left are free
    hidden_prompt_spread: int = 0  # up to this many hidden tokens are added, at random
    other_share: float = 0.0  # share of the requests whose prompts another tokenizer counts
    other_factor: float = 1.1  # how many times as many tokens that one counts


@dataclass(frozen=True, slots=True)
class Answers:
    """Answers to prompts that ask for one word, as mode identity does."""

    weights: int = 0  # which model: each number gives other answers, always the same; 0: prose
    temperature: float = 1.0  # factor of the request's temperature
    wrong_calls: float = 0.0  # share of the tool calls whose arguments are empty
    unsteady: float = 0.0  # share of the answers at temperature 0 that are drawn as at 1
    quantised: float = 0.0  # sigma of the fixed error of each log-probability
    jitter: float = 0.0  # sigma of an error that is new in each stated log-probability
    other: int = 0  # `weights` of another model, which answers a share of the requests
    share: float = 0.0  # that share
    from_hour: int = 0  # the other model answers from this hour of the day (UTC)
    to_hour: int = 24  # until this one


@dataclass(frozen=True, slots=True)
class HangUp:
    """What happens to a reply whose client has left."""

    goes_on: bool = False  # true: the model finishes the reply all the same


@dataclass(frozen=True, slots=True)
class Ports:
    """What the ports of one process (`--also-port`) share."""

    share_limits: bool = False  # one bucket for all ports and keys, like one upstream account
    share_cache: bool = False  # one prompt cache and one response cache


@dataclass(frozen=True, slots=True)
class TokenRules:
    """How a model counts tokens: a multiple of those of o200k, plus what the chat format adds."""

    scale: float = 1.0  # factor of the tokens of o200k
    cl100k: bool = False  # true: prompts are counted by the tokenizer cl100k instead of o200k
    per_request: int = 3  # tokens added to every prompt
    per_message: int = 3  # tokens added for every message
    per_reply: int = 0  # tokens added to every reply
    per_tool_prompt: int = 0  # tokens added to a prompt that offers tools
    per_tool_call: int = 0  # tokens added for every tool call
    per_image: int = 196  # tokens of an image, or of a file besides its text
    reads: int | None = None  # tokens that are read of a prompt, at its end; by default all
    context_window: int | None = None  # longer prompts are refused; by default there is no limit


@dataclass(frozen=True, slots=True)
class CacheRules:
    """Which prompts are cached, and how much of each. A prompt is cached in whole blocks, from its
    beginning."""

    enabled: bool = True  # false: nothing is cached
    explicit: bool = False  # true: only prompts that are marked with `cache_control` are cached
    block_tokens: int = 128  # length of a block, tokens
    min_tokens: int = 1024  # shorter prompts are not cached
    tail_tokens: int = 0  # length of a prompt's end that is never cached, tokens
    hit_share: float = 1.0  # share of the possible hits that are hits
    ttl_s: float = 300.0  # lifetime of a block since its last use, seconds


@dataclass(frozen=True, slots=True)
class Reasoning:
    """How much a model reasons before it answers."""

    tokens: int = 0  # median length of the reasoning, tokens; 0: it does not reason
    spread: float = 0.0  # sigma of its lognormal distribution
    slack_tokens: tuple[int, ...] = (0,)  # tokens left of a budget that ends it; one is drawn
    visible: bool = True  # whether the text of the reasoning is returned


@dataclass(frozen=True, slots=True)
class Reply:
    """Replies to prompts that do not dictate one, and the gateway's own limit of all replies."""

    tokens: int = 40  # their length, tokens
    list_lines: int = 0  # median length of a long list that the model ends by itself; 0: all lines
    list_spread: float = 0.0  # sigma of its lognormal distribution
    cap_tokens: int | None = None  # longer replies are cut, whatever was asked for; by default none
    cap_finished: bool = False  # true: a reply that is cut there says that it is finished


@dataclass(frozen=True, slots=True)
class Model:
    """One served model."""

    name: str
    owner: str = "simulator"
    latency: Latency = Latency()
    prices: Prices = Prices()
    tokens: TokenRules = TokenRules()
    cache: CacheRules = CacheRules()
    reasoning: Reasoning = Reasoning()
    reply: Reply = Reply()
    billing: Billing = Billing()
    hang_up: HangUp = HangUp()
    answers: Answers = Answers()


@dataclass(frozen=True, slots=True)
class Profile:
    """The models of a gateway by name; `any_model`: unknown names are served by `default`."""

    name: str
    default: Model
    models: Mapping[str, Model]
    currency: str = "CNY"
    any_model: bool = False
    ports: Ports = Ports()
    features: Mapping[str, Any] = field(default_factory=dict)  # simulator.features reads them
    schedule: tuple[Mapping[str, Any], ...] = ()  # simulator.schedule reads it

    def model(self, name: str) -> Model | None:
        """The model called `name`, or None if the gateway does not know it."""
        exact = self.models.get(name)
        if exact is None and self.any_model:
            return replace(self.default, name=name)
        return exact

    def revised(self, section: str, **changes: Any) -> "Profile":
        """This profile with keys of one section changed in every model (CLI overrides)."""

        def revise(model: Model) -> Model:
            # replace() checks the section's name: an unknown one raises TypeError.
            return replace(model, **{section: replace(getattr(model, section), **changes)})

        models = {name: revise(model) for name, model in self.models.items()}
        return replace(self, default=revise(self.default), models=models)


SECTIONS = (
    "latency", "prices", "tokens", "cache", "reasoning", "reply", "billing", "hang_up", "answers",
)  # fmt: skip


def load(name: str) -> Profile:
    """Reads the profile called `name`, or the file at that path.

    Raises ProfileError with the file, the key and what is wrong with it.
    """
    path = PROFILES / f"{name}.toml"
    if not path.is_file():
        path = Path(name)
        if not path.is_file():
            known = ", ".join(sorted(file.stem for file in PROFILES.glob("*.toml")))
            raise ProfileError(f"no profile {name!r}: neither one of {known} nor a readable file")
    try:
        text = path.read_text(encoding="utf-8")
        return parse(tomllib.loads(text), path.stem)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, ProfileError) as error:
        raise ProfileError(f"profile {path}: {error}") from error


def parse(table: Mapping[str, Any], name: str) -> Profile:
    """A profile from its TOML table. Raises ProfileError."""
    known = {"currency", "any_model", "models", "features", "ports", "schedule", *SECTIONS}
    _refuse_unknown(table, known, "at the top")
    default = _model("simulated", Model("simulated"), {key: table.get(key, {}) for key in SECTIONS})
    models: dict[str, Model] = {}
    for model_name, settings in _table(table.get("models", {}), "models").items():
        _refuse_unknown(_table(settings, model_name), {"owner", *SECTIONS}, f"in {model_name}")
        models[model_name] = _model(model_name, default, settings)
    currency, any_model = table.get("currency", "CNY"), table.get("any_model", False)
    if not isinstance(currency, str):
        raise ProfileError("currency must be a string")
    if not isinstance(any_model, bool):
        raise ProfileError("any_model must be true or false")
    if not models and not any_model:
        raise ProfileError("it serves no model: name some under [models] or set any_model = true")
    features = _table(table.get("features", {}), "features")
    ports = _section(Ports(), _table(table.get("ports", {}), "ports"), "ports")
    schedule = table.get("schedule", [])
    if not isinstance(schedule, list):
        raise ProfileError("schedule must be tables: [[schedule]]")
    windows = tuple(_table(window, "schedule") for window in schedule)
    return Profile(name, default, models, currency, any_model, ports, features, windows)


def _model(name: str, base: Model, settings: Mapping[str, Any]) -> Model:
    changes: dict[str, Any] = {"name": name, "owner": settings.get("owner", base.owner)}
    for section in SECTIONS:
        table = _table(settings.get(section, {}), section)
        changes[section] = _section(getattr(base, section), table, f"{name}.{section}")
    return replace(base, **changes)


def _section(base: Any, table: Mapping[str, Any], where: str) -> Any:
    _refuse_unknown(table, {item.name for item in fields(base)}, f"in {where}")
    hints = get_type_hints(type(base))
    return replace(base, **{k: _value(v, hints[k], f"{where}.{k}") for k, v in table.items()})


def _value(value: Any, hint: Any, where: str) -> Any:
    if get_origin(hint) is tuple:
        if not isinstance(value, list) or not value:
            raise ProfileError(f"{where} must be a list of whole numbers")
        return tuple(_value(item, int, where) for item in value)
    kinds = get_args(hint) if get_origin(hint) in (Union, UnionType) else (hint,)
    if bool in kinds and isinstance(value, bool):
        return value
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if number and (float in kinds or (int in kinds and isinstance(value, int))):
        if value < 0:
            raise ProfileError(f"{where} must not be negative")
        return float(value) if float in kinds else value
    kind = "true or false" if bool in kinds else "a number" if float in kinds else "whole"
    raise ProfileError(f"{where} must be {kind}, not {value!r}")


def _table(value: Any, where: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise ProfileError(f"{where} must be a table")
    return value


def _refuse_unknown(table: Mapping[str, Any], known: set[str], where: str) -> None:
    unknown = sorted(set(table) - known)
    if unknown:
        raise ProfileError(f"unknown key {unknown[0]!r} {where}; known: {', '.join(sorted(known))}")
