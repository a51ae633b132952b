"""Service level objectives: the content of slo.toml, and the objectives of a phase. Pure.

    success_rate = 0.99            # of every phase
    e2e_p99_s = 10

    [mode.tpm]                     # of the phases of a mode, in place of the above
    e2e_p99_s = 30

    [model."gpt-5.4-nano"]         # of the phases of a model, in place of both
    ttft_p95_s = 2

There are two kinds of key. A *request limit* (`ttft_s`, `e2e_s`, `tpot_s`) applies to single
requests: a success meets its limits if no measured time exceeds its limit. A *statement* applies to
a phase: percentiles of the successes, any that conditions take (`e2e_p99_s`, `ttft_p99_9_s`),
shares (`success_rate`, `attainment`), `goodput_rps` and `cost_per_success`.

Goodput counts the requests that meet every request limit. If a time has only percentile limits, the
limit of the highest percentile is also the request limit: a request meets `e2e_p99_s = 10` if it
took at most 10 s. If no limit applies, every success is good.
"""

import math
import re
import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

from recording.errors import InputError
from rules import percentiles
from rules.conditions import Condition

TIMES = ("ttft", "e2e", "tpot")
PERCENTILES = ("p50", "p95", "p99")
REQUEST_LIMITS = tuple(f"{time}_s" for time in TIMES)
AT_MOST = (*(f"{time}_{rank}_s" for time in TIMES for rank in PERCENTILES), "cost_per_success")
SHARES = ("success_rate", "attainment")
AT_LEAST = (*SHARES, "goodput_rps")
KEYS = (*REQUEST_LIMITS, *AT_MOST, *AT_LEAST)
"""The usual keys; times also have keys for other percentiles: `e2e_p90_s`, `ttft_p99_9_s`."""
_TABLES = ("mode", "model")
_DECIMAL = re.compile(r"((?:ttft|e2e|tpot)_p[0-9]{1,2})\Z")


def ranked(key: str) -> tuple[str, Fraction] | None:
    """The time and percentile of a key such as `e2e_p99_9_s`; None: it is not such a key."""
    time, percent = key.split("_")[0], percentiles.of_name(key)
    if time not in TIMES or percent is None or key != f"{time}_{percentiles.label(percent)}_s":
        return None
    return time, percent


def _order(key: str) -> tuple[int, int, Fraction]:
    """The sort order of a key: request limits, percentiles by time, then the rest."""
    if (rank := ranked(key)) is not None:
        return (1, TIMES.index(rank[0]), rank[1])
    return (0 if key in REQUEST_LIMITS else 2, KEYS.index(key), Fraction(0))


class SloError(InputError):
    """An SLO cannot be used; the message is one sentence that names the file and the key."""


@dataclass(frozen=True, slots=True)
class Limit:
    """The longest time a good request may take, seconds, and its key in slo.toml."""

    seconds: float
    key: str


@dataclass(frozen=True, slots=True)
class Objectives:
    """The objectives of one phase: keys and their values; empty if there are none."""

    values: Mapping[str, float]

    def __bool__(self) -> bool:
        return bool(self.values)

    @property
    def limits(self) -> dict[str, Limit]:
        """The request limits by time (`ttft`, `e2e`, `tpot`): stated, or taken from a
        percentile.
        """
        limits = {}
        for key in sorted((key for key in self.values if ranked(key)), key=_order):
            limits[key.split("_")[0]] = Limit(self.values[key], key)  # the highest comes last
        for time, key in zip(TIMES, REQUEST_LIMITS, strict=True):
            if key in self.values:
                limits[time] = Limit(self.values[key], key)
        return {time: limits[time] for time in TIMES if time in limits}

    @property
    def statements(self) -> tuple[Condition, ...]:
        """The statements about the phase, each as the condition that is true if it fails."""
        return tuple(
            Condition(key, "<" if key in AT_LEAST else ">", value)
            for key, value in self.values.items()
            if key not in REQUEST_LIMITS
        )


@dataclass(frozen=True, slots=True)
class Slo:
    """The objectives of slo.toml: for every phase, with overrides by mode and by model."""

    general: Mapping[str, float] = field(default_factory=dict)
    modes: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    models: Mapping[str, Mapping[str, float]] = field(default_factory=dict)

    def of(self, mode: str | None, model: str | None) -> Objectives:
        """The objectives for a model in a mode: for each key the model's value, then the mode's,
        then the general one.
        """
        by_mode, by_model = self.modes.get(mode or "", {}), self.models.get(model or "", {})
        merged = {**self.general, **by_mode, **by_model}
        return Objectives({key: merged[key] for key in sorted(merged, key=_order)})

    @property
    def blind(self) -> bool:
        """Whether times are limited somewhere without a minimum share of successes: then
        refusals pass unnoticed.
        """
        merged = (
            self.of(mode, model) for mode in (None, *self.modes) for model in (None, *self.models)
        )
        return any(
            any(key.split("_")[0] in TIMES for key in limits.values)
            and not any(key in limits.values for key in SHARES)
            for limits in merged
        )

    def as_dict(self) -> dict[str, Any]:
        """The content of slo.toml, for the manifest."""
        content: dict[str, Any] = dict(self.general)
        for name, tables in zip(_TABLES, (self.modes, self.models), strict=True):
            if tables:
                content[name] = {key: dict(table) for key, table in tables.items()}
        return content


def read(path: Path, modes: Collection[str] = ()) -> Slo:
    """The SLO in a TOML file. Raises SloError.

    `modes` are the existing modes, if the caller knows them: a table for any other is refused.
    """
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SloError(
            f"{path} cannot be read ({error.strerror}): write a TOML file with objectives such as "
            "e2e_p95_s = 10, one per line (docs/how-to/slo.md)."
        ) from None
    except UnicodeDecodeError:
        raise SloError(f"{path} is not UTF-8 text: write it in UTF-8.") from None
    except tomllib.TOMLDecodeError as error:
        raise SloError(f"{path} is not valid TOML: {str(error).rstrip('.')}; fix it.") from None
    return parse(content, str(path), modes)


def parse(content: Mapping[str, Any], source: str, modes: Collection[str] = ()) -> Slo:
    """The SLO of a TOML document, or of a manifest. Raises SloError; `source` names it there."""
    general = {key: value for key, value in content.items() if key not in _TABLES}
    tables = [_tables(content.get(name, {}), source, name) for name in _TABLES]
    slo = Slo(_values(general, source, ""), *tables)
    for name in slo.modes:
        if modes and name not in modes:
            raise SloError(f"{source}: [mode.{name}] is not a mode: use one of {', '.join(modes)}.")
    if not any((slo.general, *slo.modes.values(), *slo.models.values())):
        raise SloError(f"{source} holds no objective: give one or more of {', '.join(KEYS)}.")
    for mode in (None, *slo.modes):
        for model in (None, *slo.models):
            _see_that_limits_are_judged(slo.of(mode, model), source)
    return slo


def _see_that_limits_are_judged(objectives: Objectives, source: str) -> None:
    """A limit on single requests judges no phase: alone, it would be an SLO that nothing can
    fail.
    """
    request_limits = [key for key in REQUEST_LIMITS if key in objectives.values]
    if request_limits and "attainment" not in objectives.values:
        raise SloError(
            f"{source}: {request_limits[0]} limits single requests: add attainment, the share from "
            "0 to 1 of requests that must meet it."
        )


def _tables(content: Any, source: str, name: str) -> dict[str, dict[str, float]]:
    if not isinstance(content, Mapping):
        raise SloError(
            f"{source}: {name} must be a table: write [{name}.NAME] above its objectives."
        )
    tables = {}
    for key, table in content.items():
        if not isinstance(table, Mapping):
            raise SloError(
                f"{source}: {name}.{key} holds no objectives: put them under [{name}.NAME] above "
                "them."
            )
        tables[str(key)] = _values(table, source, f"{name}.{key}.")
    return tables


def _values(table: Mapping[str, Any], source: str, place: str) -> dict[str, float]:
    values = {}
    for key, value in table.items():
        named = f"{source}: {place}{key}"
        if isinstance(value, Mapping):
            if stem := _DECIMAL.match(key):
                raise SloError(
                    f"{named}.{next(iter(value), '')}: write {_written(stem[1], value)}."
                )
            raise SloError(
                f"{named} is a table: objectives are at the top of the file, under [mode.NAME] or "
                'under [model.NAME]; put names with dots in quotes, e.g. [model."gpt-5.4"].'
            )
        if key not in KEYS and ranked(key) is None:
            raise SloError(
                f"{named} is unknown: use {', '.join(KEYS)}, another percentile as e2e_p90_s or "
                "e2e_p99_9_s, [mode.NAME], [model.NAME]."
            )
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise SloError(f"{named} must be a number, not {value!r}.")
        if not math.isfinite(value):
            raise SloError(f"{named} must be a finite number, not {value}.")
        if key in SHARES and not 0 <= value <= 1:
            raise SloError(f"{named} must be a share from 0 to 1, not {value:g}.")
        if key == "cost_per_success" and value < 0:
            raise SloError(f"{named} must not be below 0, not {value:g}.")
        if key not in (*SHARES, "cost_per_success") and not value > 0:
            raise SloError(f"{named} must be above 0, not {value:g}.")
        values[key] = float(value)
    return values


def _written(stem: str, table: Mapping[str, Any]) -> str:
    """The intended spelling of `e2e_p99.9_s`, which TOML reads as a table."""
    return f"{stem}_{next(iter(table), '')}, with _ for the decimal point"
