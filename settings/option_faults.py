"""The faults of a run's options, one sentence each. Pure."""

import math
from collections.abc import Iterator
from dataclasses import fields

from recording.errors import OperatorError
from rules import conditions, percentiles, prices
from rules.slo import SloError
from settings.command_line import nearest
from settings.known_modes import known
from settings.model_names import model_names
from settings.option import flag, out_of_bounds
from settings.options import Options


def faults(options: Options) -> Iterator[str]:
    """Every value that cannot be used."""
    mode, modes = options.mode, known()
    if not mode:
        yield f"--mode is missing: choose a test ({', '.join(modes)})."
    elif mode not in modes:
        near = nearest(mode, modes)
        suggestion = f"did you mean {near}? Or " if near else ""
        yield f"--mode {mode} is unknown: {suggestion}use one of {', '.join(modes)}."
    yield from _values(options)
    if not options.slo and any(word in options.fail_on for word in ("attainment", "goodput_rps")):
        yield "--fail-on uses attainment or goodput_rps: give the objectives with --slo."
    yield from _files(options)
    if options.cancel_share != Options.cancel_share and not options.cancel_after:
        yield "--cancel-share sets how many requests are cancelled: add --cancel-after to set when."
    if options.against_model and not options.against:
        yield "--against-model names models of a reference: give the reference with --against."
    if (options.against_header or options.against_key_command) and not options.against:
        yield (
            "--against-header and --against-key-command belong to a reference: give --against, too."
        )
    if options.precision_ms and not options.against:
        yield "--precision-ms is about what the gateway adds to a reference: give --against."
    try:
        model_names(options.against_model)
    except OperatorError as error:
        yield str(error)
    if options.run_id and not _is_folder_name(options.run_id):
        yield "--run-id names a folder: use only letters, digits, '.', '_' and '-'."


def _values(options: Options) -> Iterator[str]:
    for item in fields(options):
        value, allowed = getattr(options, item.name), item.metadata["choices"]
        if allowed and value not in allowed:
            yield f"{flag(item.name)} {value} is unknown: use {' or '.join(allowed)}."
        if isinstance(value, str) and not _is_text(value):
            yield f"{flag(item.name)} contains bytes that are not UTF-8 text: write it again."
        if isinstance(value, float) and not math.isfinite(value):
            yield f"{flag(item.name)} must be a finite number, not {value}."
        if bounds := out_of_bounds(item, value):
            yield f"{flag(item.name)} must be {bounds}, not {value:g}."
    window_s = options.hold if options.mode == "ladder" else options.duration
    if options.warmup and options.warmup >= window_s > 0:
        yield f"--warmup must be shorter than the window of {window_s:g} s."


def _files(options: Options) -> Iterator[str]:
    try:
        conditions.parse(options.fail_on)
    except conditions.ConditionError as error:
        yield str(error)
    try:
        percentiles.parse(options.percentiles)
    except percentiles.PercentError as error:
        yield str(error)
    try:
        options.objectives()
    except SloError as error:
        yield f"--slo {error}"
    try:
        if options.prices and not options.resume:  # a resumed run keeps its table
            prices.read(options.prices)
    except prices.PriceError as error:
        yield f"--prices: {error}"


def _is_folder_name(text: str) -> bool:
    return text.strip(".") != "" and all(c.isalnum() or c in "._-" for c in text)


def _is_text(value: str) -> bool:
    """A byte of the command line that is not UTF-8 cannot be written to a file."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True
