"""The result of mode identity: the numbers of each model, and the run's reference."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from analysis.enrol.reference import of_rows
from analysis.numbers.identity import Identity, of_model
from analysis.report.view import View
from identity.reference import Reference, read
from recording.arms import GATEWAY, REFERENCE
from recording.errors import InputError
from recording.events import BodyChanged
from recording.untrusted_text import as_json

MODE = "identity"


def numbers(view: View) -> list[Identity]:
    """What the run shows about each of its models, over the gateway's route."""
    planned = {phase["name"]: phase["model"] for phase in view.run.plan}
    models = dict.fromkeys(_model(planned, row) for row in view.rows(MODE))
    rows = {model: _of(view, model) for model in models}
    return [
        of_model(
            model,
            gateway_rows,
            reference_of(view, model),
            _of(view, model, REFERENCE),
            _dropped(view, model),
            max(len(rows), len(str(view.run.options.get("model") or "").split(","))),
        )
        for model, gateway_rows in rows.items()
        if gateway_rows
    ]


def _dropped(view: View, model: str) -> set[str]:
    """The fields of the model's bodies that the gateway refused."""
    changes = [event.change for event in view.run.events_of(BodyChanged)]
    return {change.field for change in changes if change.model == model and change.arm != REFERENCE}


def reference_of(view: View, model: str) -> Reference | None:
    """The run's reference, from its manifest or from the rows of the second route.

    None if it has none, or none that this version can use.
    """
    enrolled = view.run.manifest.get("enrolled")
    try:
        if isinstance(enrolled, dict):
            return read(as_json(enrolled))
        if reference_rows := _of(view, model, REFERENCE):
            facts = view.run.manifest.get("reference")
            address = str(facts["base_url"]) if facts else ""
            return of_rows(view.run, model, reference_rows, urlsplit(address).netloc)
    except InputError:  # a version that asked differently, or too few answers
        pass
    return None


def _of(view: View, model: str, arm: str = GATEWAY) -> list[dict[str, Any]]:
    """The rows of a model on a route; both requests of a pair have the same `request_index`."""
    planned = {phase["name"]: phase["model"] for phase in view.run.plan}
    paired = {phase["name"] for phase in view.run.plan if phase.get("pairs")}
    return [
        row | {"request_index": row["request_index"] // 2} if row["phase"] in paired else row
        for row in view.rows(MODE)
        if _model(planned, row) == model and (row["arm"] or GATEWAY) == arm
    ]


def _model(planned: Mapping[str, str], row: Mapping[str, Any]) -> str:
    """Its name over the gateway's route: the second route may call the model otherwise."""
    return planned.get(row["phase"]) or str(row["model_requested"])
