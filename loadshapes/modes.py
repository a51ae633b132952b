"""Every mode is a plan: options in, phases out. Pure.

To add a mode: write a function here and name it in PLANS (and in `option.MODES`).
"""

from collections.abc import Callable
from dataclasses import replace

from loadshapes import capacity, rate_limit_audit
from loadshapes import own_traffic_plans as own
from loadshapes.phase import ANY_NUMBER, Phase, rpm_count, tpm_count
from loadshapes.plan import Plan
from loadshapes.schedule import Burst, Closed, Manual, arrivals
from loadshapes.token_pacing import CALIBRATION, CALIBRATION_WORDS
from recording.errors import OperatorError
from settings import body_profile
from settings.option_faults import faults
from settings.options import Options

LIGHT_STEP = 20  # the highest step of the article's ladder for a dear model

# The article's models, where --model is not given.
SMOKE_MODELS = ("gpt-5.4-nano", "claude-sonnet-4.6", "gemini-3-flash-preview")
CHEAP_MODELS = ("gpt-5.4-nano", "gemini-3-flash-preview")
TOOL_MODELS = ("gpt-5.4-nano", "gpt-5.4-mini", "claude-sonnet-4.6")
REASONING_MODELS = (
    "gemini-3.1-pro-preview",
    "claude-sonnet-4.6",
    "claude-sonnet-4.6-thinking",
    "gpt-5.4-nano",
    "gpt-5.4-nano-high",
)


def _prefix(options: Options, *parts: object) -> str:
    return "-".join([options.task_id_prefix, *(str(part) for part in parts)])


def smoke(options: Options) -> list[Phase]:
    """One chat per model, then one stream of the first: does it answer at all?"""
    models = options.models or SMOKE_MODELS
    chosen = [(model, False) for model in models] + [(models[0], True)]
    return [
        Phase(
            name=f"smoke/{'stream' if stream else 'chat'}/{model}",
            mode="smoke",
            scenario="stream" if stream else "chat",
            model=model,
            schedule=Closed(1),
            request="greeting",
            users=1,
            max_tokens=options.max_tokens or 64,
            stream=stream,
            typed=True,
            task_prefix=_prefix(options, "smoke", *(["stream"] if stream else []), model, "run-"),
            first_number=1,
        )
        for model, stream in chosen
    ]


def ladder(options: Options) -> list[Phase]:
    """Steps of rising concurrency per model: a burst each, or with `hold` a sustained load."""
    if not options.ladder:
        raise OperatorError("--steps is empty: name at least one concurrency.")
    return [
        Phase(
            name=f"ladder/{model}/{step}",
            mode="ladder",
            scenario="stream" if options.stream else "chat",
            model=model,
            schedule=Closed(None, options.hold) if options.hold else Burst(step),
            request="marker",
            users=step,
            target=step,
            max_tokens=options.max_tokens or 16,
            stream=options.stream,
            task_prefix=_prefix(options, "ladder", model, f"c{step}", "req-"),
            climb=f"ladder/{model}",
            pause_after_s=options.step_pause,
        )
        for model in options.models or CHEAP_MODELS
        for step in options.ladder
    ]


def _window(options: Options, mode: str, request: str, count: Callable[[int], int]) -> list[Phase]:
    if not options.models:
        raise OperatorError(f"--model is missing: mode {mode} needs the model to load.")
    if not options.targets:
        unit = {"rpm": "RPM", "tpm": "TPM"}.get(mode, "rate or concurrency")
        raise OperatorError(f"--target is missing: mode {mode} needs a target {unit}.")
    return [
        Phase(
            name=f"{mode}/{model}/{target}",
            mode=mode,
            scenario="stream" if options.stream else "chat",
            model=model,
            schedule=arrivals(options, count(target), f"{mode}/{model}/{target}"),
            request=request,
            users=min(options.max_workers, count(target)),
            target=target,
            max_tokens=options.max_tokens or 16,
            stream=options.stream,
            task_prefix=_prefix(options, mode, model, f"target-{target}", "req-"),
            climb=f"{mode}/{model}",
        )
        for model in options.models
        for target in options.targets
    ]


def rpm(options: Options) -> list[Phase]:
    """Short requests at a fixed rate, one window per model and target."""
    return _window(options, "rpm", "marker", lambda target: rpm_count(target, options.duration))


def tpm(options: Options) -> list[Phase]:
    """Long prompts at a fixed rate, one window per model and target.

    A calibration per model goes first and sizes the prompts; `--tpm-plan seed` does without.
    """
    tokens = options.approx_prompt_tokens
    windows = _window(
        options, "tpm", "padded", lambda target: tpm_count(target, options.duration, tokens)
    )
    if options.tpm_plan == "seed":
        return windows
    made: list[Phase] = []
    for window in windows:
        if all(window.model != phase.model for phase in made):
            made.append(_calibration(options, window))
        made.append(replace(window, paced=True))
    return made


def _calibration(options: Options, window: Phase) -> Phase:
    """Two short padded requests of the window's model, one after the other."""
    return Phase(
        name=f"tpm/{window.model}/{CALIBRATION}",
        mode=CALIBRATION,
        scenario=CALIBRATION,
        model=window.model,
        schedule=Closed(len(CALIBRATION_WORDS)),
        request="padded",
        users=1,
        max_tokens=window.max_tokens,
        stream=window.stream,
        task_prefix=_prefix(options, CALIBRATION, window.model, "run-"),
        first_number=1,
        watched=True,
    )


def cache(options: Options) -> list[Phase]:
    """The same long prefix again and again, one request at a time; then what was asked for more."""
    return [
        phase
        for model in options.models or CHEAP_MODELS[:1]
        for phase in (
            _probe(options, "cache", "cache", model, 16),
            *_cache_pairs(options, model),
            *_cache_gaps(options, model),
        )
    ]


def _cache_pairs(options: Options, model: str) -> list[Phase]:
    """Streams in pairs with a new prefix each: cold, then warm.

    A marked prefix (cache_control) may cost more to write: unmarked ones show what it is without.
    """
    kinds = {"pairs": 2 * options.cache_pairs} if options.cache_pairs else {}
    if kinds and options.cache_control != "off":
        kinds["plain"] = options.cache_pairs
    return [
        _probe(options, "cache", kind, model, 16, count=count, stream=True)
        for kind, count in kinds.items()
    ]


def _cache_gaps(options: Options, model: str) -> list[Phase]:
    """One prefix, written and then asked for again after each pause; the target is the pause, s."""
    if not options.gaps_s:
        return []
    rests = (0, *options.gaps_s)
    return [
        replace(
            _probe(options, "cache", "gap", model, 16, count=1),
            name=f"cache/gap-{rest}/{model}",
            target=rest,
            task_prefix=_prefix(options, "cache", model, f"gap-{rest}", "run-"),
            pause_after_s=float(pause),
        )
        for rest, pause in zip(rests, (*rests[1:], 0), strict=True)
    ]


def tools(options: Options) -> list[Phase]:
    """A tool call, `repeat` times per model."""
    return [
        _probe(options, "tools", "tools", model, 256) for model in options.models or TOOL_MODELS
    ]


def reasoning(options: Options) -> list[Phase]:
    """A question that invites reasoning, once plain and once streamed, per model."""
    return [
        _probe(options, "reasoning", scenario, model, 64, count=1, stream=scenario == "stream")
        for model in options.models or REASONING_MODELS
        for scenario in ("plain", "stream")
    ]


def vision(options: Options) -> list[Phase]:
    """An image to read, at a small and at a large output budget, per model."""
    budgets = (options.max_tokens,) if options.max_tokens else (64, 512)
    return [
        replace(
            _probe(options, "vision", "vision", model, budget, count=1),
            name=f"vision/{model}/{budget}",
            target=budget,
            max_tokens=budget,
            task_prefix=_prefix(options, "vision", model, budget, "run-"),
        )
        for model in options.models or ("GLM-4.6V",)
        for budget in budgets
    ]


def _probe(
    options: Options,
    mode: str,
    scenario: str,
    model: str,
    max_tokens: int,
    count: int | None = None,
    stream: bool = False,
) -> Phase:
    """A few requests of one kind, one after another.

    Their task_ids name the scenario, where it is not the mode's own one.
    """
    own = scenario == mode or (mode, scenario) == ("reasoning", "plain")
    return Phase(
        name=f"{mode}/{scenario}/{model}" if scenario != mode else f"{mode}/{model}",
        mode=mode,
        scenario=scenario,
        model=model,
        schedule=Closed(count or options.repeat),
        request=mode,
        users=1,
        max_tokens=options.max_tokens or max_tokens,
        stream=stream,
        task_prefix=_prefix(options, mode, model, *([] if own else [scenario]), "run-"),
        first_number=1,
    )


def full(options: Options) -> list[Phase]:
    """The article's programme: smoke, ladder, rpm, tpm, cache, tools, reasoning, vision.

    `--model` narrows it to models of yours, `--parts` to some of its parts.
    """
    rates, token_rates, window = "300,600", "50000,100000", options
    if options.quick:
        rates, token_rates = "600", "100000"
        window = replace(options, duration=10.0)
        options = replace(options, step_pause=min(options.step_pause, 0.5))
    cheap = ",".join(options.models or CHEAP_MODELS)
    programme: dict[str, Callable[[], list[Phase]]] = {
        "smoke": lambda: smoke(options),
        "ladder": lambda: [*ladder(replace(options, model=cheap)), *_light_ladder(options)],
        "rpm": lambda: rpm(replace(window, model=cheap, target=options.target or rates)),
        "tpm": lambda: tpm(replace(window, model=cheap, target=token_rates)),
        "cache": lambda: cache(options),
        "tools": lambda: tools(options),
        "reasoning": lambda: reasoning(options),
        "vision": lambda: vision(options),
    }
    return [phase for part in options.chosen_parts for phase in programme[part]()]


def _light_ladder(options: Options) -> list[Phase]:
    """The article's lower steps of a dear model; none where the operator names models."""
    light = [str(step) for step in options.ladder if step <= LIGHT_STEP]
    if options.models or not light:
        return []
    return ladder(replace(options, model="claude-sonnet-4.6", steps=",".join(light)))


def interactive(options: Options) -> list[Phase]:
    """As many users as a person says (-u, -r, -t), each sending when its last reply is there."""
    if len(options.models) != 1:
        raise OperatorError(
            f"mode interactive loads one model at a time: name one with --model, not "
            f"{len(options.models)}."
        )
    model = options.models[0]
    return [
        Phase(
            name=f"interactive/{model}",
            mode="interactive",
            scenario="stream" if options.stream else "chat",
            model=model,
            schedule=Manual(),
            request="marker",
            users=ANY_NUMBER,
            max_tokens=options.max_tokens or 16,
            stream=options.stream,
            task_prefix=_prefix(options, "interactive", model, "req-"),
        )
    ]


def soak(options: Options) -> list[Phase]:
    """One long window per model and target: a rate, or with `search` a concurrency."""
    if options.search == "rate":
        return _window(
            options, "soak", "marker", lambda target: rpm_count(target, options.duration)
        )
    held = _window(options, "soak", "marker", lambda target: target)
    return [
        replace(
            phase,
            name=f"soak/{phase.model}/c{phase.target}",
            schedule=Closed(None, options.duration),
            users=phase.target or 1,
            task_prefix=_prefix(options, "soak", phase.model, f"c{phase.target}", "req-"),
        )
        for phase in held
    ]


PLANS: dict[str, Callable[[Options], list[Phase] | Plan]] = {
    "smoke": smoke,
    "ladder": ladder,
    "rpm": rpm,
    "tpm": tpm,
    "cache": cache,
    "tools": tools,
    "reasoning": reasoning,
    "vision": vision,
    "full": full,
    "interactive": interactive,
    "soak": soak,
    "capacity": capacity.plan,
    "replay": own.replay,
    "limits": rate_limit_audit.plan,
}


def plan(options: Options) -> Plan:
    """The plan of a mode. Raises OperatorError, with every fault, if it cannot be run."""
    found = [*faults(options), *body_profile.faults(options)]
    if found:
        raise OperatorError(" ".join(found))
    made = PLANS[options.mode](options)
    if not isinstance(made, Plan):
        made = Plan(tuple(made))
    if options.prompts:
        made = own.prompted(made, options)
    found = made.validate()
    if found:
        raise OperatorError(" ".join(found))
    return made
