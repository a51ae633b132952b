"""What the operator may ask for: every option of a run, its default and its help. Pure.

One table serves the command line, the environment (`WEIGHBRIDGE_<NAME>`), Locust's config files,
the web UI's start form and the manifest. The seed's options keep the seed's names and defaults.
"""

import math
from collections.abc import Iterator
from dataclasses import Field, asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Protocol

from recording import conditions, prices
from recording.mistake import OperatorError
from recording.slo import Slo, SloError
from recording.slo import read as read_slo

MODES = (
    "smoke", "ladder", "rpm", "tpm", "cache", "tools", "reasoning", "vision", "full", "interactive",
    "capacity", "soak", "replay", "limits",
)  # fmt: skip


PROMPTED = ("rpm", "ladder", "interactive", "soak", "capacity")  # modes that take --prompts

# What a visitor of the web UI must not set: it names files, starts programs, or decides how this
# process ends.
NOT_ON_THE_WEB = {"include_in_web_ui": False}


LARGEST = 10**9  # of a target or a step
CONTENTS = ("tools_prompt", "image_text")  # the options whose value is asked or answered
WITHHELD = "withheld by --no-content"


class Parser(Protocol):
    """What we need of an argument parser."""

    def add_argument(self, *names: str, **kwargs: Any) -> Any: ...


def option(default: Any, help: str, **kwargs: Any) -> Any:
    """A field that is also a command line option; kwargs go to `add_argument`."""
    return field(default=default, metadata={"help": help, **kwargs})


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """A snapshot of the options of one run."""

    mode: str = option("", "which test to run", choices=("", *MODES))
    model: str = option("", "model, or several with commas between")
    target: str = option("", "target RPM, or TPM in mode tpm; several with commas between")
    duration: float = option(60.0, "length of a window, seconds")
    max_tokens: int = option(0, "output budget of a request, tokens (0: the mode's own)")
    approx_prompt_tokens: int = option(4000, "mode tpm: prompt size that the plan assumes, tokens")
    timeout: float = option(45.0, "longest wait for a whole answer, seconds")
    connect_timeout: float = option(10.0, "longest wait for a connection, seconds")
    max_workers: int = option(
        200, "most requests in flight at once in a window, and users in mode interactive"
    )
    run_id: str = option(
        "", "name of the run and of its folder (empty: made from the time)", **NOT_ON_THE_WEB
    )
    resume: str = option(
        "", "folder of an interrupted run: send what it has not sent", **NOT_ON_THE_WEB
    )
    resume_windows: bool = option(
        False, "with --resume: begin interrupted windows anew", **NOT_ON_THE_WEB
    )
    task_id_prefix: str = option("", "first part of every task_id (empty: the run id)")
    output: str = option(
        "", "also write the rows as JSONL in the seed's format to this path", **NOT_ON_THE_WEB
    )
    results: str = option("results", "folder that holds the run folders", **NOT_ON_THE_WEB)
    tpm_plan: str = option(
        "calibrated",
        "mode tpm: prompts sized by probes and by what answers state, or the seed's arithmetic",
        choices=("calibrated", "seed"),
    )
    arrivals: str = option(
        "constant",
        "windows: evenly spaced requests, or those of a Poisson process (seeded)",
        choices=("constant", "poisson"),
    )
    budget: float = option(
        0.0, "end the run before it costs more than this, in the gateway's currency (0: no limit)"
    )
    budget_tokens: int = option(0, "end the run before it uses more tokens than this (0: no limit)")
    stream: bool = option(
        False, "ask for streamed replies in modes rpm, tpm, ladder, interactive and replay"
    )
    stall_limit: float = option(
        0.5, "streams: a gap between chunks longer than this many seconds is a stall"
    )
    task_id_on_streams: bool = option(False, "send task_id on streamed requests too")
    connections: str = option(
        "warm",
        "keep connections, or open one per request as the seed did (its time then counts)",
        choices=("warm", "cold"),
    )
    grace: float = option(
        -1.0, "seconds after a window in which late requests still go (-1: the timeout)"
    )
    steps: str = option("1,5,10,20,50,100", "mode ladder: concurrency of each step")
    step_pause: float = option(2.0, "mode ladder: pause between steps, seconds")
    hold: float = option(
        0.0, "mode ladder: keep each step's concurrency up for this many seconds (0: one burst)"
    )
    search: str = option(
        "rate",
        "modes capacity and soak: by requests a minute, or by requests at once",
        choices=("rate", "concurrency"),
    )
    precision: float = option(
        0.1, "mode capacity: how close the missed level must come to the met one, a share of it"
    )
    trials: int = option(20, "mode capacity: most windows per model")
    warmup: float = option(
        0.0, "leave the first seconds of every window out of its numbers; their rows are kept"
    )
    prompts: str = option(
        "",
        "modes rpm, ladder, interactive, soak, capacity: JSONL file with requests of your own, "
        "sent in place of the short one (docs/how-to/prompts.md)",
        **NOT_ON_THE_WEB,
    )
    trace: str = option(
        "",
        "mode replay: JSONL file of requests with their times (docs/how-to/replay.md)",
        **NOT_ON_THE_WEB,
    )
    speed: float = option(1.0, "mode replay: how many times as fast as the trace")
    repeat: int = option(3, "modes cache and tools: requests per model")
    prefix_file: str = option(
        "", "mode cache: file whose text is the long prefix", **NOT_ON_THE_WEB
    )
    prefix_tokens: int = option(11700, "mode cache: size of the built-in prefix, tokens, about")
    cache_nonce: str = option(
        "fresh",
        "mode cache: text at the start of the prefix, so that run 1 is cold (fresh: new text for "
        "every run, none: no such text)",
    )
    cache_pairs: int = option(
        0, "mode cache: also so many pairs of streams, each a new prefix twice: cold, then warm"
    )
    cache_gaps: str = option(
        "", "mode cache: also repeat a prefix after pauses of so many seconds, e.g. 1,60,300"
    )
    cache_control: str = option(
        "off",
        "mode cache: mark the prefix with Anthropic's cache_control, as Claude needs",
        choices=("off", "ephemeral"),
    )
    tools: str = option(
        "", "mode tools: JSON file with your own tools (OpenAI's format)", **NOT_ON_THE_WEB
    )
    tools_prompt: str = option("", "mode tools: the prompt that goes with your tools")
    tools_expect: str = option(
        "",
        'mode tools: JSON file {"name": ..., "arguments": {...}} the call must equal',
        **NOT_ON_THE_WEB,
    )
    tool_choice: str = option("auto", "mode tools: auto, required, or a function's name")
    image: str = option(
        "", "mode vision: your own image instead of the generated one", **NOT_ON_THE_WEB
    )
    image_text: str = option(
        "", "mode vision: the text that is readable in your image", **NOT_ON_THE_WEB
    )
    limits_most: int = option(1000, "mode limits: most requests of one attempt to reach the limit")
    stop_rule: str = option(
        "on",
        "end a climb or a window on many 429, 5xx and timeouts, and what is refused from the start",
        choices=("on", "off"),
    )
    stop_error_rate: float = option(0.2, "share of such failures at which the stop rule acts")
    stop_window: int = option(20, "over how many of the last completed requests")
    fail_on: str = option(
        "",
        "end with exit code 1 where one of these is true, e.g. success_rate<0.99,p95_s>10,cost>0.5 "
        "(docs/ci.md lists them all)",
        **NOT_ON_THE_WEB,
    )
    slo: str = option(
        "",
        "TOML file with the service level objectives: goodput and attainment are counted by it "
        "(docs/slo.md)",
        **NOT_ON_THE_WEB,
    )
    junit: str = option(
        "", "write what --fail-on judged to this file, as JUnit XML", **NOT_ON_THE_WEB
    )
    metrics_port: int = option(
        0, "serve Prometheus metrics of the run on this port (0: do not)", **NOT_ON_THE_WEB
    )
    metrics_host: str = option(
        "127.0.0.1", "address that the metrics are served on", **NOT_ON_THE_WEB
    )
    quick: bool = option(
        False, "mode full: 10 s windows, only the higher target of each, short pauses"
    )
    dry_run: bool = option(
        False, "print the plan and what it may use, and send nothing", **NOT_ON_THE_WEB
    )
    lang: str = option("en", "language of the report", choices=("en", "zh"))
    no_content: bool = option(
        False,
        "keep what was asked and answered out of every file: no content, no check_detail, no "
        "error message of the gateway's, no --tools-prompt or --image-text (--resume asks for them "
        "again)",
    )
    cost_field: str = option(
        "",
        "where the gateway states a request's cost, if not in usage.cost: a path in the reply's "
        "body, e.g. billing.charge, or a header's name",
    )
    currency: str = option("", "unit of the gateway's costs, e.g. CNY or USD (empty: as known)")
    prices: str = option(
        "",
        "price table (TOML): costs that the gateway does not state, and a check of those it does "
        "(docs/cost.md)",
        **NOT_ON_THE_WEB,
    )
    simulator: bool = option(
        False, "start the embedded simulator and send everything to it", **NOT_ON_THE_WEB
    )
    simulator_profile: str = option(
        "seed", "the simulator's profile: seed, fast or a TOML file", **NOT_ON_THE_WEB
    )
    simulator_args: str = option(
        "", "more arguments for the simulator, as on its command line", **NOT_ON_THE_WEB
    )
    simulator_log: str = option(
        "", "file for the simulator's own log of every request", **NOT_ON_THE_WEB
    )
    seed: int = option(0, "seed of every random choice")

    @classmethod
    def of(cls, namespace: object) -> "Options":
        """The snapshot of parsed arguments (any object with our options as attributes)."""
        return cls(**{name: getattr(namespace, name) for name in cls.__dataclass_fields__})

    @property
    def models(self) -> tuple[str, ...]:
        """The models of `--model`, in order."""
        return tuple(name.strip() for name in self.model.split(",") if name.strip())

    @property
    def targets(self) -> tuple[int, ...]:
        """The numbers of `--target`; OperatorError if they are not whole and above 0."""
        return _whole_numbers("target", self.target)

    @property
    def ladder(self) -> tuple[int, ...]:
        """The numbers of `--steps`; OperatorError if they are not whole and above 0."""
        return _whole_numbers("steps", self.steps)

    @property
    def gaps_s(self) -> tuple[int, ...]:
        """The numbers of `--cache-gaps`; OperatorError if they are not whole and above 0."""
        return _whole_numbers("cache-gaps", self.cache_gaps)

    @property
    def grace_s(self) -> float:
        """Seconds after a window in which a late request is still sent."""
        return self.timeout if self.grace < 0 else self.grace

    def objectives(self) -> Slo | None:
        """What `--slo` says; None without it. Raises SloError."""
        return read_slo(Path(self.slo), MODES) if self.slo else None

    def faults(self) -> Iterator[str]:
        """Every value that cannot be used, a sentence each."""
        if not self.mode:
            yield f"--mode is missing: say which test to run ({', '.join(MODES)})."
        elif self.mode not in MODES:
            yield f"--mode {self.mode} is unknown: use one of {', '.join(MODES)}."
        for item in fields(self):
            value, allowed = getattr(self, item.name), item.metadata.get("choices")
            if item.name != "mode" and allowed and value not in allowed:
                yield f"{_flag(item)} {value} is unknown: use {' or '.join(allowed)}."
        for item in fields(self):
            value = getattr(self, item.name)
            if isinstance(value, float) and not math.isfinite(value):
                yield f"{_flag(item)} must be a number of seconds, not {value}."
        for name in ("duration", "timeout", "connect_timeout", "approx_prompt_tokens",
                     "max_workers", "repeat", "prefix_tokens", "stop_window", "precision",
                     "stall_limit", "trials", "speed", "limits_most"):  # fmt: skip
            if not getattr(self, name) > 0:
                yield f"--{name.replace('_', '-')} must be above 0, not {getattr(self, name):g}."
        for name in ("max_tokens", "step_pause", "hold", "budget", "budget_tokens", "warmup",
                     "cache_pairs"):  # fmt: skip
            if getattr(self, name) < 0:
                yield f"--{name.replace('_', '-')} must not be below 0."
        if not 0 <= self.metrics_port < 65536:
            yield f"--metrics-port must be from 0 to 65535, not {self.metrics_port}."
        window_s = self.hold if self.mode == "ladder" else self.duration
        if self.warmup and self.warmup >= window_s > 0:
            yield f"--warmup must be shorter than the window of {window_s:g} s."
        if not 0 < self.stop_error_rate <= 1:
            yield f"--stop-error-rate must be above 0 and at most 1, not {self.stop_error_rate:g}."
        if self.prompts and self.mode not in PROMPTED:
            yield f"--prompts is for modes {', '.join(PROMPTED)}: leave it away in {self.mode}."
        if self.trace and self.mode != "replay":
            yield f"--trace is for mode replay: leave it away in {self.mode}."
        try:
            conditions.parse(self.fail_on)
        except conditions.ConditionError as error:
            yield str(error)
        try:
            self.objectives()
        except SloError as error:
            yield f"--slo {error}"
        if not self.slo and any(word in self.fail_on for word in ("attainment", "goodput_rps")):
            yield "--fail-on asks for attainment or goodput_rps: give the objectives with --slo."
        try:
            if self.prices and not self.resume:  # a run that goes on keeps the table it began with
                prices.read(self.prices)
        except prices.PriceError as error:
            yield f"--prices: {error}"
        if self.run_id and not _is_folder_name(self.run_id):
            yield "--run-id names a folder: use letters, digits, '.', '_' and '-' only."


def _is_folder_name(text: str) -> bool:
    return text.strip(".") != "" and all(c.isalnum() or c in "._-" for c in text)


def _whole_numbers(name: str, text: str) -> tuple[int, ...]:
    try:
        numbers = tuple(int(part) for part in str(text).split(",") if part.strip())
    except ValueError:
        raise OperatorError(
            f"--{name} takes whole numbers with commas between, not {text!r}."
        ) from None
    if any(number < 1 for number in numbers):
        raise OperatorError(f"--{name} must be above 0, not {text}.")
    if any(number > LARGEST for number in numbers):
        raise OperatorError(f"--{name} {text} is beyond {LARGEST}: give a smaller number.")
    return numbers


def _flag(item: "Field[Any]") -> str:
    return "--" + item.name.replace("_", "-")


def add_arguments(parser: Parser) -> None:
    """Declare every option to a parser (Locust's, or any like argparse's)."""
    for item in fields(Options):
        more = dict(item.metadata)
        if isinstance(item.default, bool):
            more["action"] = "store_true"
        else:
            more["type"] = type(item.default)
        parser.add_argument(
            _flag(item), default=item.default, env_var=f"WEIGHBRIDGE_{item.name.upper()}", **more
        )


def as_dict(options: Options) -> dict[str, Any]:
    """The options as a plain dictionary, for a generator. They hold no secret."""
    return asdict(options)


def as_kept(options: Options) -> dict[str, Any]:
    """The options as the manifest keeps them: with `--no-content`, none of what is asked."""
    kept = as_dict(options)
    if options.no_content:
        kept |= {name: WITHHELD for name in CONTENTS if kept[name]}
    return kept
