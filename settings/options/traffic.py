"""The requests: your own prompts, traces, tools and images. Pure."""

from dataclasses import dataclass
from functools import partial

from settings.option import option
from settings.whole_numbers import whole_numbers

PROMPTED = ("rpm", "ladder", "interactive", "soak", "capacity")
"""The modes whose short request is replaced by the lines of `--prompts`."""

_traffic = partial(option, group="traffic")
_cache = partial(_traffic, modes=("cache",))
_tools = partial(_traffic, modes=("tools",))


@dataclass(frozen=True, kw_only=True)
class Traffic:
    """The requests: your own prompts, traces, tools and images."""

    prompts: str = _traffic(
        "",
        "JSONL file of your own requests, sent instead of the short one (docs/how-to/prompts.md)",
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
        "skip rows before this time: seconds from the trace's start (or 1h30m), or an ISO time",
        modes=("replay",),
        sent=True,
    )
    trace_to: str = _traffic("", "skip rows from this time on", modes=("replay",), sent=True)
    speed: float = _traffic(
        1.0, "replay this many times as fast as the trace", modes=("replay",), sent=True, above=0
    )
    same_prompts: bool = _traffic(
        False,
        "send the prompts of the article's script, the same in every run; a cache on the way may "
        "then answer",
        modes=("rpm", "tpm", "ladder", "soak", "capacity", "interactive", "limits"),
        sent=True,
        before=True,
    )
    repeat: int = _traffic(
        3,
        "requests per model; in mode billing, per case and model",
        modes=("cache", "tools", "billing"),
        above=0,
    )
    provoke_429: int = _traffic(
        0,
        "also send up to this many short requests at once, to see whether refusals for the rate "
        "limit (429) are charged (0: none)",
        modes=("billing",),
        sent=True,
        at_least=0,
        at_most=1000,
        web=False,
    )
    prefix_file: str = _cache("", "file with the text of the long prefix", sent=True, web=False)
    prefix_tokens: int = _cache(
        11700, "approximate size of the built-in prefix, tokens", sent=True, above=0
    )
    cache_nonce: str = _cache(
        "fresh",
        "text at the start of the prefix that makes the first request cold (fresh: new text for "
        "every run; none: no such text)",
        sent=True,
    )
    cache_pairs: int = _cache(
        0,
        "also send this many pairs of streams, each with a new prefix twice: cold, then warm",
        at_least=0,
    )
    cache_gaps: str = _cache(
        "", "also repeat a prefix after pauses of these lengths, seconds, e.g. 1,60,300"
    )
    cache_control: str = _cache(
        "off",
        "mark the prefix with Anthropic's cache_control; Claude caches nothing without it",
        choices=("off", "ephemeral"),
        sent=True,
    )
    tools: str = _tools("", "JSON file with your own tools (OpenAI's format)", sent=True, web=False)
    tools_prompt: str = _tools("", "the prompt that goes with your tools", sent=True, content=True)
    tools_expect: str = _tools(
        "",
        'JSON file {"name": ..., "arguments": {...}} that the call must equal',
        sent=True,
        web=False,
    )
    tool_choice: str = _tools("auto", "auto, required, or a function's name", sent=True)
    image: str = _traffic(
        "", "your own image instead of the generated one", modes=("vision",), sent=True, web=False
    )
    image_text: str = _traffic(
        "",
        "the text in your image",
        modes=("vision",),
        sent=True,
        content=True,
        web=False,
    )

    checks: str = _traffic(
        "",
        "which checks to run, by id or pattern, separated by commas, e.g. "
        "tool.*,json.schema,responses.* (empty: those of chat, or of embeddings)",
        modes=("compat",),
    )
    context_tokens: int = _traffic(
        0,
        "the model's context window, tokens; only the check error.context sends more (0: unknown)",
        modes=("compat",),
        at_least=0,
    )

    reference: str = _traffic(
        "",
        "file of what the model answers over a route that you trust, made by "
        "`weighbridge enrol RUN` (docs/how-to/identity.md)",
        modes=("identity",),
        sent=True,
        web=False,
    )
    reference_days: int = _traffic(
        60, "refuse a --reference that is older than this many days", modes=("identity",), above=0
    )
    identity_tools: bool = _traffic(
        False,
        "also ask for 60 tool calls, and compare them with the reference's; the run with --enrol "
        "needs it, too",
        modes=("identity",),
        sent=True,
    )
    identity_context: str = _traffic(
        "",
        "also check whether prompts of these lengths, in tokens, are read in full; separated by "
        "commas, e.g. 8000,32000 (expensive: six requests each)",
        modes=("identity",),
        sent=True,
    )
    identity_output: int = _traffic(
        0,
        "mode identity: also ask whether replies may be as long as this many tokens, or are cut "
        "before, e.g. 4000 (expensive: six long replies; 0: do not)",
        modes=("identity",),
        sent=True,
        at_least=0,
        at_most=200_000,
    )
    enrol: bool = _traffic(
        False,
        "send all requests that a reference is made of (about 1,700 short ones)",
        modes=("identity",),
        sent=True,
    )

    @property
    def gaps_s(self) -> tuple[int, ...]:
        """The numbers of `--cache-gaps`. Raises OperatorError unless they are whole and above 0."""
        return whole_numbers("cache-gaps", self.cache_gaps)
