"""The manifest of a running run: decided phases and changed bodies."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path

from compat import required
from identity import reference_file
from loadshapes.phase import Phase
from loadshapes.plan import Plan
from recording.body_change import BodyChange
from recording.manifest import manifest, write_json
from recording.manifest_content import Manifest
from rules.slo import Slo
from settings import option
from settings.endpoint import Endpoint
from settings.money import Tariff
from settings.options import Options, as_kept
from settings.resume import drawn_values


def place_of(names: Sequence[str], begun: Collection[str]) -> int:
    """Where a phase that is about to run stands among the planned: after all that began."""
    return max((place for place, name in enumerate(names, 1) if name in begun), default=0)


def opening(
    options: Options,
    given: Options,
    plan: Plan,
    *,
    endpoint: Endpoint,
    reference: Endpoint | None,
    tariff: Tariff,
    objectives: Slo | None,
    workers: int,
) -> Manifest:
    """What the manifest of a new run says: `options` are those of the run, `given` as asked for."""
    content = manifest(
        options.run_id,
        options=as_kept(given),
        sent_options=option.names(Options, "sent"),
        drawn_options=drawn_values(options, given),
        plan=plan.as_dicts(),
        gateway=endpoint.facts(),
        currency=tariff.currency,
        workers=workers,
        slo=None if objectives is None else objectives.as_dict(),
        prices=tariff.plain,
    )
    if reference is not None:
        content["reference"] = reference.facts()
    if (traffic := plan.traffic) is not None:
        content["traffic"] = {"lines": len(traffic.lines), "notes": list(traffic.notes)}
    if options.reference:
        content["enrolled"] = reference_file.load(options.reference).as_dict()
    if options.require:
        content["require"] = required.content(Path(options.require))
    return content


class RunManifest:
    """manifest.json of a run; every change is written at once."""

    def __init__(self, folder: Path, content: Manifest, phases: Sequence[Phase]) -> None:
        """Write it, with the phases that are known beforehand. Raises OSError."""
        self._path, self._content = folder / "manifest.json", content
        for phase in phases:
            self._enter(phase, ())
        self._write()

    def enter(self, phase: Phase, begun: Collection[str]) -> None:
        """Have a phase in the plan, as it is run, after those that have `begun`."""
        if self._enter(phase, begun):
            self._write()

    def change_bodies(self, changes: Sequence[BodyChange]) -> None:
        """What gateways were found to refuse of bodies, so far."""
        self._content["body_changes"] = [change.as_dict() for change in changes]
        self._write()

    def _enter(self, phase: Phase, begun: Collection[str]) -> bool:
        planned = self._content["plan"]
        entry = replace(phase, skip=()).as_dict()
        place = next((i for i, p in enumerate(planned) if p["name"] == phase.name), None)
        if place is None:
            planned.insert(place_of([p["name"] for p in planned], begun), entry)
        elif planned[place] == entry:
            return False
        else:
            planned[place] = entry
        return True

    def _write(self) -> None:
        write_json(self._path, self._content)
