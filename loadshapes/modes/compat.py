"""Mode compat: does every feature of the API work through the gateway?

There is one program per model: each wave of compat/survey.py is a phase, and the next wave depends
on the replies (evidence.jsonl in the run's folder). So an interrupted run can be resumed where it
stopped, and its cells can be computed again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from compat import evidence_file, known
from compat.bound import outlook
from compat.check import Bound
from compat.replay import answers, phase_name
from compat.required import content, parse
from compat.survey import AT_ONCE, MOST_LOOKS, Survey, Wave
from loadshapes.modes.mode import Mode
from loadshapes.phase import Phase
from loadshapes.plan import Plan
from loadshapes.program import Program
from loadshapes.schedule import Closed
from loadshapes.task_prefix import task_prefix
from recording.arms import REFERENCE
from recording.bilingual import Bilingual, joined
from recording.counted import counted
from recording.errors import InputError, MissingOption, OperatorError
from recording.json_files import json_of, read_bytes
from recording.json_values import mapping
from recording.record import RequestRecord
from rules.conditions import parse as parse_conditions
from rules.prices import PriceError, Prices
from rules.prices import read as read_prices
from settings.options import Options

NAME = REQUEST = "compat"


def plan(options: Options) -> Plan:
    """Which features of the API work, are ignored, refused, wrong or broken, for each model.

    Raises OperatorError.
    """
    if not options.models:
        raise MissingOption("--model is missing: mode compat needs the models to check.")
    if options.no_content:
        raise OperatorError(
            "mode compat judges replies from evidence.jsonl, which --no-content would keep empty: "
            "leave it out; of your own texts, it sends only tools and schemas (--require)."
        )
    if options.task_id in ("body", "metadata"):
        raise OperatorError(
            f"--task-id {options.task_id} would add a field to every body that mode compat checks: "
            "leave it out (the task_id goes in a header), or give off."
        )
    if any(condition.metric == "success_rate" for condition in parse_conditions(options.fail_on)):
        raise OperatorError(
            "--fail-on success_rate would count the refusals that the checks of mode compat ask "
            "for: leave it out, and say with --require what must work."
        )
    if options.require:
        _check_required(options)
    try:
        prices = read_prices(options.prices) if options.prices else None
    except PriceError as error:
        raise OperatorError(f"--prices: {error}") from None
    return Plan(
        phases=(),
        unfold=lambda: _program(options),
        most_users=AT_ONCE,
        outlook=joined(_outlook(options, model, prices) for model in options.models),
    )


def _check_required(options: Options) -> None:
    """Check that `--require` can be read and requires something of the run's models."""
    required = parse(_manifest(options)["require"], f"--require {options.require}")
    if not any(required.of(model) for model in options.models):
        raise OperatorError(
            f"--require {options.require} requires nothing of {', '.join(options.models)}: name "
            "them there, or check other models."
        )


def survey_of(options: Options, model: str) -> Survey:
    """The checks of a model, before any answer. Raises OperatorError."""
    return known.of_manifest(model, _manifest(options), options.run_id)


def direct_of(options: Options, survey: Survey) -> Survey | None:
    """After a survey: the checks that are also sent to the reference of `--against`."""
    return known.direct_of_manifest(survey, _manifest(options), options.run_id)


def _manifest(options: Options) -> Mapping[str, Any]:
    """What decides the checks: as the run's manifest says it, once there is one. A run that goes on
    has the operator's own tools from there, whatever has become of their files."""
    try:
        return mapping(json_of(read_bytes(folder_of(options) / "manifest.json")))
    except (OSError, InputError):
        auth, headers = options.auth, list(options.headers)
        manifest: dict[str, Any] = {
            "options": asdict(options), "gateway": {"auth": auth, "headers": headers},
        }  # fmt: skip
        return manifest | ({"require": content(Path(options.require))} if options.require else {})


def folder_of(options: Options) -> Path:
    """The folder of the run."""
    return Path(options.results).resolve() / options.run_id


def _outlook(options: Options, model: str, prices: Prices | None) -> Bilingual:
    """Exact bounds, not estimates, of what the checks of a model may use."""
    survey = survey_of(options, model)
    bounds = outlook(survey.checks, survey.setting, MOST_LOOKS)
    price = prices.of(model) if prices else None
    unit = f" {prices.currency}" if prices and prices.currency else ""

    def text_of(bound: Bound) -> Bilingual:
        cost = f"{price.most_of(*bound):.6g}{unit}" if price else ""
        return Bilingual(
            f"{counted(bound.requests, 'request')} and at most {bound.tokens:,} tokens"
            + (f" and {cost}" if price else ""),
            f"{bound.requests:,} 个请求、至多 {bound.tokens:,} token"
            + (f"、{cost}" if price else ""),
        )

    once, reasoning, most = map(text_of, (bounds.once, bounds.reasoning, bounds.most))
    again = Bilingual("", "")
    if options.against:
        again = Bilingual(
            ", and as much again by --against, of what does not work",
            "；对不可用的功能，--against 至多再用同样多",
        )
    return Bilingual(
        f"{model}: {once.en} where every feature works ({reasoning.en} if it reasons); no more "
        f"than {most.en} where none does{again.en}",
        f"{model}：若全部功能可用，{once.zh}（推理模型为 {reasoning.zh}）；"
        f"若全部不可用，不超过 {most.zh}{again.zh}",
    )


def _program(options: Options) -> Program:
    for model in options.models:
        survey = survey_of(options, model)
        yield from _checked(options, model, survey)
        if (direct := direct_of(options, survey)) is not None:
            yield from _checked(options, model, direct, REFERENCE)


def _checked(options: Options, model: str, survey: Survey, route: str = "") -> Program:
    """The waves of a survey, a phase each."""
    waves, ended = survey.waves(), None
    wave = next(waves, None)
    while wave is not None:
        finding = yield replace(_phase(options, model, survey, wave, ended), route=route)
        if finding.t0_unix_s is not None:
            ended = finding.t0_unix_s + _lasted_s(finding.records)
        evidence = evidence_file.read(folder_of(options))
        try:
            wave = waves.send(answers(survey, wave, evidence))
        except StopIteration:
            return


def _phase(options: Options, model: str, survey: Survey, wave: Wave, ended: float | None) -> Phase:
    name = phase_name(survey, wave)
    begins = ended + wave.wait_s if ended is not None and wave.wait_s else None
    return Phase(
        name=name,
        mode=NAME,
        scenario=NAME,
        model=model,
        schedule=Closed(len(wave.turns)),
        request=REQUEST,
        users=min(wave.users, len(wave.turns)),
        max_tokens=max(turn.ask.output_tokens for turn in wave.turns),
        task_prefix=task_prefix(options, name.replace("/", "-"), "req-"),
        watched=True,
        not_before_unix_s=begins,
        stop_rule=False,
    )


def _lasted_s(rows: Sequence[RequestRecord]) -> float:
    return max((row.done_offset_s or 0.0 for row in rows), default=0.0)


MODE = Mode(
    name=NAME,
    place=145,
    question=("does every feature of the API work through it?", "接口的各项功能是否都可用"),
    sends=(
        "47 checks, about 90 short requests per model, each of which only a working feature can "
        "answer correctly",
        "47 项检查，每个模型约 90 个短请求；只有功能真正可用才能答对",
    ),
    plan=plan,
    example=("--model", "gpt-5.4-nano"),
    page="how-to/compat.md",
    one_process=True,
)
