"""The cells of a run of mode compat, judged again from the evidence."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from analysis.reading.atomic_file import replace_text
from analysis.reading.load import Run, rows
from compat import evidence_file
from compat.attribution import cause
from compat.cells import Cell, as_json, from_json
from compat.evidence import Evidence
from compat.known import DIRECT, direct_of_manifest, of_manifest
from compat.replay import Changed, finish
from compat.required import Judged, Required, judge, parse
from compat.survey import Survey
from compat.verdict import Verdict
from recording.errors import InputError
from recording.events import BudgetSpent, PaymentRequired, Stopped
from recording.json_files import json_of, read_bytes
from recording.untrusted_text import as_json as text_of

MODE = "compat"
FILE = "compat.json"
NEEDED = ("phase", "request_index", "mode", "model_requested", "task_id", "api_cost", "success",
          "check_detail")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Features:
    """What a run found: `cells` by model, in the checks' order. `ended` says for each model why its
    checks ended early, `mute` lists the models that answered nothing. `required` are the judged
    cells that `--require` asks for."""

    cells: tuple[Cell, ...] = ()
    models: tuple[str, ...] = ()
    ended: Mapping[str, str] = field(default_factory=dict)
    mute: tuple[str, ...] = ()
    required: tuple[Judged, ...] = ()

    @property
    def of_gateway(self) -> list[Cell]:
        """The cells of the gateway's own route."""
        return [cell for cell in self.cells if not cell.arm]

    @property
    def tried(self) -> list[Cell]:
        """Those of the gateway's own route that were tried."""
        return [cell for cell in self.of_gateway if cell.verdict is not Verdict.NOT_TRIED]

    @property
    def working(self) -> list[Cell]:
        """Those that work."""
        return [cell for cell in self.of_gateway if cell.verdict is Verdict.WORKS]


def of(run: Run) -> Features:
    """The features of a run; without any where it is of another mode."""
    options = run.manifest.get("options") or {}
    if options.get("mode") != MODE:
        return Features()
    models = tuple(
        dict.fromkeys(n.strip() for n in str(options.get("model", "")).split(",") if n.strip())
    )
    try:
        features = _features(run, models)
    except (Changed, InputError):  # of a version whose checks were others: as they were judged then
        features = Features(tuple(read(run.folder)), models)
    required = _required(run)
    if required is None:
        return features
    return Features(
        features.cells, models, features.ended, features.mute,
        tuple(judge(required, features.cells, models)),
    )  # fmt: skip


def write(features: Features, folder: Path) -> Path:
    """Write compat.json. Raises OSError."""
    replace_text(folder / FILE, text_of(as_json(features.cells)) + "\n")
    return folder / FILE


def read(folder: Path) -> list[Cell]:
    """The cells of a compat.json, or of the one in a folder. Raises InputError."""
    path = folder / FILE if folder.is_dir() else folder
    try:
        return from_json(json_of(read_bytes(path)))
    except OSError as error:
        raise InputError(
            f"{path} cannot be read ({error.strerror}): give a run of mode compat."
        ) from None
    except InputError as error:
        raise InputError(f"{path}: {error}") from None


def _features(run: Run, models: Iterable[str]) -> Features:
    stored_evidence = evidence_file.read(run.folder)
    places = {id(evidence): place for place, evidence in stored_evidence.items()}
    sent = _Sent(run)
    cells, ended, mute = list[Cell](), dict[str, str](), list[str]()
    for model in models:
        survey = of_manifest(model, run.manifest, run.run_id)
        finish(survey, stored_evidence, _unsent(run))
        of_model = [*_cells(survey, places, sent)]
        direct = direct_of_manifest(survey, run.manifest, run.run_id)
        if direct is not None:
            finish(direct, stored_evidence, _unsent(run))
            of_model = _with_causes(of_model, [*_cells(direct, places, sent)], model)
        cells += of_model
        if survey.ended:
            ended[model] = survey.ended
        if survey.mute:
            mute.append(model)
    return Features(tuple(cells), tuple(models), ended, tuple(mute))


def _with_causes(gateway: Sequence[Cell], direct: Sequence[Cell], model: str) -> list[Cell]:
    """The cells of both routes; those of the gateway with the cause that the other one shows."""
    there = {cell.check: cell.verdict for cell in direct}
    return [
        *(replace(cell, cause=cause(cell.verdict, there.get(cell.check))) for cell in gateway),
        *(replace(cell, model=model, arm=DIRECT) for cell in direct),
    ]


def _cells(
    survey: Survey, places: Mapping[int, evidence_file.Place], sent: "_Sent"
) -> Iterable[Cell]:
    model, findings = survey.setting.model, survey.findings()
    for check in survey.checks:
        trial, finding = survey.trials[check.id], findings[check.id]
        telling: Evidence | None = trial.telling
        place = places.get(id(telling)) if telling is not None else None
        yield Cell(
            check=check.id,
            model=model,
            verdict=finding.verdict,
            evidence=finding.fact,
            request_id=telling.request_id if telling is not None else "",
            task_id=sent.tasks.get(place, "") if place is not None else "",
            cost=sent.costs.get((survey.name, check.id)),
            status=telling.status if telling is not None else None,
            sent=sent.counts.get((survey.name, check.id), 0),
        )


class _Sent:
    """What the rows say: requests and their cost by survey and check; the task_id by place. A sum
    is unknown if the cost of one reply in it is (a stream without usage)."""

    def __init__(self, run: Run) -> None:
        self.counts: dict[tuple[str, str], int] = {}
        self.costs: dict[tuple[str, str], float] = {}
        self.tasks: dict[evidence_file.Place, str] = {}
        untold: set[tuple[str, str]] = set()
        for row in rows(run.rows.frame(list(NEEDED))):
            key = (str(row["phase"]).rpartition("/")[0], _check(row["check_detail"]))
            if not key[1]:
                continue
            self.counts[key] = self.counts.get(key, 0) + 1
            if row["api_cost"] is not None:
                self.costs[key] = self.costs.get(key, 0.0) + row["api_cost"]
            elif row["success"]:
                untold.add(key)
            self.tasks[(row["phase"], int(row["request_index"]))] = row["task_id"] or ""
        for key in untold:
            self.costs.pop(key, None)


def _check(detail: str | None) -> str:
    try:
        parsed = json.loads(detail or "{}")
    except ValueError:
        return ""
    return str(parsed.get("check") or "") if isinstance(parsed, dict) else ""


def _unsent(run: Run) -> str:
    """Why a request of the run was not sent."""
    for kind, why in (
        (BudgetSpent, "the budget is spent"),
        (PaymentRequired, "the gateway wants payment (HTTP 402)"),
        (Stopped, "the run was stopped"),
    ):
        if run.events_of(kind):
            return why
    return "the run ended before it was sent"


def _required(run: Run) -> Required | None:
    """What `--require` asks for, as the manifest keeps it."""
    content = run.manifest.get("require")
    return parse(content) if isinstance(content, dict) else None
