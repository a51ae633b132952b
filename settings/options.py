"""What the operator may ask for: every option of a run, its default and its help. Pure.

One table serves the command line, the environment (`WEIGHBRIDGE_<NAME>`), Locust's config files,
the web UI's start form, the documentation and the manifest. The seed's options keep the seed's
names and defaults.
"""

import shlex
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from recording.errors import OperatorError
from rules.slo import Slo
from rules.slo import read as read_slo
from settings.known_modes import known
from settings.option import GROUPS, option, withheld

WINDOWS = ("rpm", "tpm", "soak", "capacity")
PROMPTED = ("rpm", "ladder", "interactive", "soak", "capacity")
"""The modes whose short request gives way to the lines of `--prompts`."""
BY_HAND = ("interactive",)
"""The mode in which a person is at hand: no stop rule ends it."""

LARGEST = 10**9  # of a target or a step
WITHHELD = "withheld by --no-content"


_gateway, _load, _traffic, _money, _judging, _output, _simulator = (
    partial(option, group=name) for name in GROUPS
)
_cache = partial(_traffic, modes=("cache",))
_tools = partial(_traffic, modes=("tools",))


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """A snapshot of the options of one run."""

    # load
    mode: str = _load("", "which test to run")
    model: str = _load("", "model, or several with commas between")
    target: str = _load(
        "", "target RPM, or TPM in mode tpm; several with commas between", modes=WINDOWS
    )
    duration: float = _load(60.0, "length of a window, seconds", modes=WINDOWS, seconds=True)
    max_tokens: int = _load(0, "output budget of a request, tokens (0: the mode's own)")
    max_workers: int = _load(
        200,
        "most requests in flight at once in a window, and users in mode interactive",
        modes=(*WINDOWS, "interactive", "replay", "limits"),
    )
    stream: bool = _load(
        False, "ask for streamed replies", modes=(*WINDOWS, "ladder", "interactive", "replay")
    )
    arrivals: str = _load(
        "constant",
        "evenly spaced requests, or those of a Poisson process (seeded)",
        choices=("constant", "poisson"),
        modes=WINDOWS,
        sent=True,
    )
    approx_prompt_tokens: int = _load(
        4000, "prompt size that the plan assumes, tokens", modes=("rpm", "tpm", "limits"), sent=True
    )
    tpm_plan: str = _load(
        "calibrated",
        "prompts sized by probes and by what answers state, or the seed's arithmetic",
        choices=("calibrated", "seed"),
        modes=("rpm", "tpm"),
        sent=True,
    )
    grace: float = _load(
        -1.0,
        "seconds after a window in which late requests still go (-1: the timeout)",
        modes=(*WINDOWS, "replay", "limits"),
        seconds=True,
        sent=True,
    )
    warmup: float = _load(
        0.0,
        "leave the first seconds of every window out of its numbers; their rows are kept",
        modes=(*WINDOWS, "ladder", "replay"),
        seconds=True,
        sent=True,
    )
    steps: str = _load("1,5,10,20,50,100", "concurrency of each step", modes=("ladder",))
    step_pause: float = _load(
        2.0, "pause between steps, seconds", modes=("ladder", "capacity"), seconds=True
    )
    hold: float = _load(
        0.0,
        "keep each step's concurrency up for this many seconds (0: one burst)",
        modes=("ladder",),
        seconds=True,
    )
    search: str = _load(
        "rate",
        "by requests a minute, or by requests at once",
        choices=("rate", "concurrency"),
        modes=("capacity", "soak"),
    )
    precision: float = _load(
        0.1,
        "how close the missed level must come to the met one, a share of it",
        modes=("capacity",),
    )
    trials: int = _load(20, "most windows per model", modes=("capacity",))
    limits_most: int = _load(
        1000, "most requests of one attempt to reach the limit", modes=("limits",)
    )
    quick: bool = _load(
        False, "10 s windows, only the higher target of each, short pauses", modes=("full",)
    )
    parts: str = _load(
        "",
        "which of its modes to run, e.g. ladder,rpm, in its own order (empty: all)",
        modes=("full",),
    )
    seed: int = _load(0, "seed of every random choice")
    resume: str = _load(
        "", "folder of an interrupted run: send what it has not sent", anew=True, web=False
    )
    resume_windows: bool = _load(
        False, "with --resume: begin interrupted windows anew", anew=True, web=False
    )
    dry_run: bool = _load(False, "print the plan and what it may use, and send nothing", web=False)
    # gateway
    timeout: float = _gateway(
        45.0, "longest wait for a whole answer, seconds", seconds=True, sent=True
    )
    connect_timeout: float = _gateway(
        10.0, "longest wait for a connection, seconds", seconds=True, sent=True
    )
    max_reply_mb: float = _gateway(
        64.0,
        "longest reply, MB (10^6 bytes), as received and as unpacked; the rest of a longer one is "
        "not read, and it is reply_too_large",
        sent=True,
    )
    task_id: str = _gateway(
        "auto",
        "where a request's task_id goes: the body, OpenAI's metadata, the header X-Task-ID, or "
        "nowhere (auto: the body, and the header where the gateway refuses that)",
        choices=("auto", "body", "metadata", "header", "off"),
        sent=True,
    )
    output_budget_field: str = _gateway(
        "auto",
        "field of the output budget (auto: max_tokens, and the other where the gateway refuses it)",
        choices=("auto", "max_tokens", "max_completion_tokens"),
        sent=True,
    )
    stream_usage: str = _gateway(
        "auto",
        "ask streams for their usage with stream_options (auto: until the gateway refuses that)",
        choices=("auto", "on", "off"),
        sent=True,
    )
    extra_body: str = _gateway(
        "",
        "JSON object with more fields for every request's body; null removes a field, also one of "
        "ours (docs/how-to/request-body.md)",
        sent=True,
        web=False,
        content=True,
    )
    connections: str = _gateway(
        "warm",
        "keep connections, or open one per request as the seed did (its time then counts)",
        choices=("warm", "cold"),
        sent=True,
    )
    gateway: str = _gateway(
        "",
        "a gateway by its name: its base URL is NAME_BASE_URL, its key NAME_API_KEY "
        "(docs/how-to/corporate-network.md)",
        web=False,
    )
    auth: str = _gateway(
        "auto",
        "how the key is sent: bearer, api-key, none, or the name of a header that takes it (auto: "
        "bearer, and api-key where the base URL has an api-version)",
        web=False,
    )
    header: str = _gateway(
        "",
        "NAME=VALUE, a header of every request; repeatable. A value may hold {task_id}, {run_id} "
        "and {env:NAME}, and is written nowhere",
        repeatable=True,
        web=False,
    )
    key_command: str = _gateway(
        "",
        "program that prints the key, run without a shell; it is asked again after HTTP 401",
        web=False,
    )
    trace_headers: str = _gateway(
        "on",
        "send a traceparent (W3C) and an x-request-id with every request, derived from its row",
        choices=("on", "off"),
        web=False,
    )
    ca_file: str = _gateway(
        "", "PEM file of certificate authorities to trust too", anew=True, web=False
    )
    client_cert: str = _gateway(
        "", "PEM file of the certificate that the gateway asks of us", anew=True, web=False
    )
    client_key: str = _gateway(
        "", "PEM file of its private key, if it is not in the same file", anew=True, web=False
    )
    task_id_prefix: str = _gateway("", "first part of every task_id (empty: the run id)")
    task_id_on_streams: bool = _gateway(False, "send task_id on streamed requests too", sent=True)
    # traffic
    prompts: str = _traffic(
        "",
        "JSONL file with requests of your own, "
        "sent in place of the short one (docs/how-to/prompts.md)",
        modes=PROMPTED,
        in_full=False,
        sent=True,
        web=False,
    )
    trace: str = _traffic(
        "",
        "JSONL file of requests with their times (docs/how-to/replay.md)",
        modes=("replay",),
        sent=True,
        web=False,
    )
    trace_from: str = _traffic(
        "",
        "leave out what comes before: seconds from the trace's start (or 1h30m), or an ISO time",
        modes=("replay",),
        sent=True,
    )
    trace_to: str = _traffic("", "leave out what comes from then on", modes=("replay",), sent=True)
    speed: float = _traffic(
        1.0, "how many times as fast as the trace", modes=("replay",), sent=True
    )
    same_prompts: bool = _traffic(
        False,
        "send the seed's wording, the same in every run, so that caches on the way may answer",
        modes=("rpm", "tpm", "ladder", "soak", "capacity", "interactive", "limits"),
        sent=True,
    )
    repeat: int = _traffic(3, "requests per model", modes=("cache", "tools"))
    prefix_file: str = _cache("", "file whose text is the long prefix", sent=True, web=False)
    prefix_tokens: int = _cache(11700, "size of the built-in prefix, tokens, about", sent=True)
    cache_nonce: str = _cache(
        "fresh",
        "text at the start of the prefix, so that run 1 is cold (fresh: new text for "
        "every run, none: no such text)",
        sent=True,
    )
    cache_pairs: int = _cache(
        0, "also so many pairs of streams, each a new prefix twice: cold, then warm"
    )
    cache_gaps: str = _cache(
        "", "also repeat a prefix after pauses of so many seconds, e.g. 1,60,300"
    )
    cache_control: str = _cache(
        "off",
        "mark the prefix with Anthropic's cache_control, as Claude needs",
        choices=("off", "ephemeral"),
        sent=True,
    )
    tools: str = _tools("", "JSON file with your own tools (OpenAI's format)", sent=True, web=False)
    tools_prompt: str = _tools("", "the prompt that goes with your tools", sent=True, content=True)
    tools_expect: str = _tools(
        "",
        'mode tools: JSON file {"name": ..., "arguments": {...}} the call must equal',
        sent=True,
        web=False,
    )
    tool_choice: str = _tools("auto", "auto, required, or a function's name", sent=True)
    image: str = _traffic(
        "", "your own image instead of the generated one", modes=("vision",), sent=True, web=False
    )
    image_text: str = _traffic(
        "",
        "the text that is readable in your image",
        modes=("vision",),
        sent=True,
        content=True,
        web=False,
    )
    # money
    budget: float = _money(
        0.0,
        "end the run before it costs more than this, in the gateway's currency (0: no limit)",
        anew=True,
    )
    budget_tokens: int = _money(
        0, "end the run before it uses more tokens than this (0: no limit)", anew=True
    )
    cost_field: str = _money(
        "",
        "where the gateway states a request's cost, if not in usage.cost: a path in the reply's "
        "body, e.g. billing.charge, or a header's name",
    )
    currency: str = _money("", "unit of the gateway's costs, e.g. CNY or USD (empty: as known)")
    prices: str = _money(
        "",
        "price table (TOML): costs that the gateway does not state, and a check of those it does "
        "(docs/cost.md)",
        web=False,
    )
    # judging
    fail_on: str = _judging(
        "",
        "end with exit code 1 where one of these is true, e.g. success_rate<0.99,p95_s>10,cost>0.5 "
        "(docs/ci.md lists them all)",
        anew=True,
        web=False,
    )
    slo: str = _judging(
        "",
        "TOML file with the service level objectives: goodput and attainment are counted by it "
        "(docs/slo.md)",
        web=False,
    )
    junit: str = _judging(
        "", "write what --fail-on judged to this file, as JUnit XML", anew=True, web=False
    )
    stop_rule: str = _judging(
        "on",
        "end a climb or a window on many 429, 5xx and timeouts, and what is refused from the start",
        choices=("on", "off"),
        not_modes=BY_HAND,
    )
    stop_error_rate: float = _judging(
        0.2, "share of such failures at which the stop rule acts", not_modes=BY_HAND
    )
    stop_window: int = _judging(
        20, "over how many of the last completed requests", not_modes=BY_HAND
    )
    percentiles: str = _judging(
        "50,95,99", "which percentiles the report's tables show, e.g. 50,90,99,99.9"
    )
    stall_limit: float = _judging(
        0.5, "streams: a gap between chunks longer than this many seconds is a stall", seconds=True
    )
    # output
    results: str = _output("results", "folder that holds the run folders", web=False)
    run_id: str = _output(
        "", "name of the run and of its folder (empty: made from the time)", web=False
    )
    output: str = _output(
        "", "also write the rows as JSONL in the seed's format to this path", anew=True, web=False
    )
    lang: str = _output("en", "language of the report", choices=("en", "zh"), anew=True)
    no_content: bool = _output(
        False,
        "keep what was asked and answered out of every file: no content, no check_detail, no "
        "error message of the gateway's, no --tools-prompt, --image-text or --extra-body (--resume "
        "asks for them again)",
    )
    web_names: str = _output(
        "",
        "more host names under which a browser may call the web UI, with commas between",
        anew=True,
        web=False,
    )
    metrics_port: int = _output(
        0, "serve Prometheus metrics of the run on this port (0: do not)", anew=True, web=False
    )
    metrics_host: str = _output(
        "127.0.0.1", "address that the metrics are served on", anew=True, web=False
    )
    # simulator
    simulator: bool = _simulator(
        False, "start the embedded simulator and send everything to it", web=False
    )
    simulator_profile: str = _simulator(
        "seed", "the simulator's profile: seed, fast or a TOML file", web=False
    )
    simulator_args: str = _simulator(
        "", "more arguments for the simulator, as on its command line", web=False
    )
    simulator_log: str = _simulator(
        "", "file for the simulator's own log of every request", anew=True, web=False
    )

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
    def headers(self) -> tuple[str, ...]:
        """What `--header` says, one text each."""
        return tuple(line for line in self.header.splitlines() if line.strip())

    def public(self) -> "Options":
        """The options without what is secret: of headers their names, of a command its program."""
        try:
            program = (shlex.split(self.key_command) or [""])[0].rpartition("/")[2]
        except ValueError:
            program = "(unreadable)"
        names = "\n".join(line.partition("=")[0].strip() for line in self.headers)
        return replace(self, header=names, key_command=program)

    @property
    def grace_s(self) -> float:
        """Seconds after a window in which a late request is still sent."""
        return self.timeout if self.grace < 0 else self.grace

    def objectives(self) -> Slo | None:
        """What `--slo` says; None without it. Raises SloError."""
        return read_slo(Path(self.slo), known()) if self.slo else None


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


def as_dict(options: Options) -> dict[str, Any]:
    """The options as a plain dictionary, for a generator. They hold no secret."""
    return asdict(options)


def as_kept(options: Options) -> dict[str, Any]:
    """The options as the manifest keeps them: with `--no-content`, none of what is asked."""
    kept = as_dict(options)
    return withheld(kept, Options, WITHHELD) if options.no_content else kept
