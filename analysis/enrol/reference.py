"""The reference of a run of mode identity with `--enrol`."""

from collections.abc import Sequence
from datetime import UTC, datetime
from urllib.parse import urlsplit

from analysis.numbers.identity_rows import (
    Given,
    asked_of,
    called,
    chosen,
    counts_of,
    looks_of,
    stated_logprobs,
)
from analysis.reading.load import Run, rows
from identity import asked, setting
from identity.counting import steady
from identity.honoured import seeded
from identity.looks import ANSWERS, LEAST_ANSWERED, SELF_ALPHA, halves, self_check
from identity.reference import Reference
from recording.errors import InputError

MODE = "identity"


def of(run: Run, model: str = "") -> Reference:
    """The reference of a model (default: the run's only one). Raises InputError."""
    if run.mode != MODE or not run.options.get("enrol"):
        raise InputError("is no run of --mode identity with --enrol: make one, over a route that "
                         "you trust")  # fmt: skip
    probes = [row for row in rows(run.requests) if row["mode"] == MODE]
    models = [*dict.fromkeys(row["model_requested"] for row in probes)]
    if not model and len(models) != 1:
        raise InputError(f"has several models ({', '.join(models)}): say which, with --model")
    of_model = [row for row in probes if row["model_requested"] == (model or models[0])]
    if not of_model:
        raise InputError(f"never asked {model}, but {', '.join(models)}")
    return _checked(of_rows(run, model or models[0], of_model, urlsplit(run.base_url or "").netloc))


def of_rows(run: Run, model: str, of_model: Sequence[Given], host: str) -> Reference:
    """The reference of a model's rows over one route: of the answers that were asked for afresh, in
    a run of its own or in pairs with another route. Raises InputError."""
    cells = chosen(of_model)
    if not cells:
        raise InputError(
            "has too few questions that the model answers with one word, always alike or in "
            "several ways: a model that thinks first, or errors, cannot be enrolled"
        )
    enrolled = [row for row in of_model if row["scenario"] == asked.ENROL]
    fresh = enrolled or looks_of(of_model)
    answers = asked_of(fresh)
    answered = sum(bool(answer.word) for answer in answers)
    planned = ANSWERS * len(cells) if enrolled else len(fresh)
    if not fresh or answered < LEAST_ANSWERED * planned:
        raise InputError(f"has {answered} answers of {planned} that make a reference: resume it, "
                         "or make another")  # fmt: skip
    first, second = halves(answers)
    likeliest = stated_logprobs(of_model)
    moments = sorted(datetime.fromisoformat(row["timestamp"]) for row in fresh)
    costs = [row["api_cost"] for row in of_model if row["api_cost"] is not None]
    return Reference(
        model=model,
        host=host.rpartition("@")[2],
        began=_utc(moments[0]),
        ended=_utc(moments[-1]),
        cells=tuple(cells),
        first=first,
        second=second,
        tokens=steady(counts_of(of_model)),
        extra_body=str(run.options.get("extra_body") or ""),
        made_by=run.made_by or "",
        requests=sum(row["sent_offset_s"] is not None for row in of_model),
        cost=sum(costs) if costs else None,
        currency=run.currency,
        seed=seeded(asked_of([row for row in of_model if row["scenario"] == setting.SEED])),
        tools=called(of_model),
        logprobs=likeliest if likeliest.enough else None,
    )


def _checked(reference: Reference) -> Reference:
    if (p := self_check(reference)) <= SELF_ALPHA:
        raise InputError(
            f"gives a reference that differs from itself (p = {p:.2g}): the route is mixed, or the "
            "model changed meanwhile. Nothing can be held against it; enrol again"
        )
    return reference


def _utc(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds")
