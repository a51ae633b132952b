"""Mode replay: can it take our traffic? Pure except for the file of `--trace`."""

import logging
from dataclasses import replace
from datetime import datetime

from loadshapes.modes.mode import Mode
from loadshapes.own_prompts import see_that_a_budget_can_be_kept
from loadshapes.own_traffic.file import read
from loadshapes.own_traffic.trace import LONGEST_S, due_times_s, window_s
from loadshapes.own_traffic.trace_slice import LONG_SILENCE_S, Slice, lasting
from loadshapes.own_traffic.traffic import Traffic
from loadshapes.phase import Phase
from loadshapes.plan import Plan
from loadshapes.schedule import At
from recording.errors import MissingOption, OperatorError
from recording.row_notes import Notes
from settings.options import Options

log = logging.getLogger("weighbridge")


def plan(options: Options) -> Plan:
    """A trace at its own times, open-loop, to `--model` or to the one model that it names."""
    if not options.trace:
        raise MissingOption("--trace is missing: mode replay needs the file of requests and times.")
    try:
        part = Slice.of(options.trace_from, options.trace_to)
    except ValueError as error:
        raise OperatorError(str(error)) from None
    traffic = read(options.trace, "trace", trace=True, part=part)
    see_that_a_budget_can_be_kept(traffic, options)
    models = options.models or tuple(dict.fromkeys(line.model for line in traffic.lines))
    if len(models) != 1 or not models[0]:
        named = ", ".join(model or "none" for model in models)
        raise OperatorError(
            f"mode replay loads one model at a time, and the lines name {named}: name one with "
            "--model, and all lines are sent to it."
        )
    model, times = models[0], due_times_s(traffic.offsets_s, options.speed)
    traffic = _silence(traffic, times[0], part, options.speed)
    window = window_s(times)
    if window > LONGEST_S:
        raise OperatorError(
            f"--speed {options.speed:g} makes it last over a year: give a higher speed."
        )
    if traffic.moved:
        log.warning(
            "%s: rows do not stand in the order of their times (in %d places); they are sent in it",
            options.trace,
            traffic.moved,
        )
    phase = Phase(
        name=f"replay/{model}",
        mode="replay",
        scenario="stream" if options.stream else "chat",
        model=model,
        schedule=At(len(times), window, times),
        request="traffic",
        users=min(options.max_workers, len(times)),
        target=max(1, round(len(times) / window * 60)),
        max_tokens=options.max_tokens or None,
        stream=options.stream,
        task_prefix=f"{options.task_id_prefix}-replay-{model}-req-",
        climb=f"replay/{model}",
        traffic=traffic.digest,
    )
    return Plan((phase,), traffic=traffic)


def _silence(traffic: Traffic, first_s: float, part: Slice, speed: float) -> Traffic:
    """Note a first request that is minutes away, usually a slice whose offset was not
    subtracted.
    """
    if first_s < LONG_SILENCE_S:
        return traffic
    notes = Notes()
    if isinstance(part.begin, datetime):
        notes.add("silence_dated", [lasting(first_s)])
    else:
        notes.add("silence", [lasting(first_s)], int(first_s * speed + (part.begin or 0.0)))
    return replace(traffic, notes=(*traffic.notes, *notes.as_list()))


MODE = Mode(
    name="replay",
    place=130,
    question=("can it take our traffic?", "能否承受我们自己的流量"),
    sends=(
        "the requests of `--trace FILE` at their own times, `--speed` times as fast",
        "按 `--trace FILE` 中各请求的原始时间发送，`--speed` 为倍速",
    ),
    plan=plan,
    example=("--model", "gpt-5.4-nano", "--trace", "trace.jsonl"),
    page="how-to/replay.md",
)
