"""Reads a run's folder strictly.

A torn last line (the process died while it wrote) is dropped and remarked upon; anything else
that the recorder cannot have written is an error that names the file and the line.
"""

from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

from analysis.reading import cache as cached
from analysis.reading import parts, well_formed
from analysis.reading.columns import schema
from analysis.reading.ended_early import Shortened, shortened
from analysis.reading.merge_parts import unite
from analysis.reading.not_sent import Joined, Unfolded
from analysis.reading.parts import RunError, torn
from analysis.reading.routes import TwoRoutes, planned
from analysis.reading.rows import Memory, Rows, Source
from recording import formats
from recording.arms import REFERENCE, SUFFIX
from recording.bilingual import Bilingual
from recording.counted import counted
from recording.errors import InputError
from recording.events import Event, RunEnd, typed
from recording.in_flight_file import orphans
from recording.json_files import check_is_file, json_of, read_bytes
from recording.lost_rows import lost_rows
from recording.manifest_content import Manifest, PlannedPhase, Scalar

if TYPE_CHECKING:
    from pandas import DataFrame

__all__ = ["Run", "RunError", "load", "rows"]

E = TypeVar("E", bound=Event)


@dataclass(frozen=True, slots=True)
class Run:
    """One run as it was recorded.

    `rows` gives any columns of the requests as a DataFrame. `remarks` are sentences about what
    was odd in the files. `beyond` counts by phase the requests that were not sent and are too many
    to be rows. `percents` are percentiles that a check needs in addition to the run's own.
    """

    folder: Path
    manifest: Manifest
    rows: Rows
    events: list[Event]
    remarks: list[Bilingual]
    beyond: dict[str, int] = field(default_factory=dict)
    percents: tuple[Fraction, ...] = ()

    @property
    def requests(self) -> "DataFrame":
        """All of it: the columns of `recording.record.COLUMNS`, sorted by phase (in the plan's
        order) and request_index, one row per planned request. Text is `str`, int `Int64`, float
        `float64`, bool `boolean`; unknown values are missing, never 0.

        A big run's texts take much memory: ask `rows.frame` for the columns that are needed.
        """
        return self.rows.frame()

    @property
    def run_id(self) -> str:
        """The run's name."""
        return str(self.manifest["run_id"])

    @property
    def plan(self) -> list[PlannedPhase]:
        """The planned phases, in order.

        With two routes the reference's stands after the gateway's (analysis/reading/routes.py).
        """
        return planned(self.manifest["plan"])

    @property
    def options(self) -> dict[str, Scalar]:
        """The run's options; empty: the manifest does not say."""
        return self.manifest.get("options") or {}

    def with_option(self, name: str, value: Scalar) -> "Run":
        """The run as if it had been started with another value of an option."""
        return replace(self, manifest={**self.manifest, "options": self.options | {name: value}})

    @property
    def mode(self) -> str | None:
        """What was measured; None: the manifest does not say."""
        return self.manifest.get("mode")

    @property
    def started_at(self) -> str | None:
        """When it began, ISO 8601; None: not known."""
        return self.manifest.get("started_at")

    @property
    def made_by(self) -> str | None:
        """The version of Weighbridge that made it; None: not known."""
        program = self.manifest.get("weighbridge")
        return program.get("version") if program else None

    @property
    def currency(self) -> str | None:
        """Of every amount; None: not known."""
        return self.manifest.get("currency")

    @property
    def base_url(self) -> str | None:
        """Where its requests went; None: not known."""
        gateway = self.manifest.get("gateway")
        return gateway.get("base_url") if gateway else None

    @property
    def simulated(self) -> bool:
        """Whether the gateway was our simulator."""
        gateway = self.manifest.get("gateway")
        return bool(gateway and gateway.get("simulated"))

    @property
    def interrupted(self) -> bool:
        """Whether the run never said that it had ended."""
        return not self.events_of(RunEnd)

    @property
    def of_reference(self) -> frozenset[str]:
        """The phases whose requests went to the reference of `--against`."""
        routed = {phase["name"] for phase in self.plan if phase.get("route") == REFERENCE}
        named = {name for name in self.rows.bounds if name.endswith(SUFFIX)}
        return frozenset(routed | named)

    def gateway_alone(self) -> "Run":
        """The run without the requests to the reference of `--against`."""
        theirs = self.of_reference
        if not theirs and not any(phase.get("pairs") for phase in self.manifest["plan"]):
            return self
        names = [name for name in self.rows.bounds if name not in theirs]
        plan: list[PlannedPhase] = [
            {**phase, "pairs": ""}
            for phase in self.manifest["plan"]
            if phase.get("route") != REFERENCE
        ]
        manifest: Manifest = {**self.manifest, "plan": plan}
        return replace(self, manifest=manifest, rows=self.rows.of_phases(names))

    def events_of(self, kind: type[E], phase: str | None = None) -> list[E]:
        """The events of one kind, of one phase when it is named."""
        return [
            event
            for event in self.events
            if isinstance(event, kind) and (phase is None or event.phase == phase)
        ]


def load(folder: Path, unsent_rows: int | None = None) -> Run:
    """The run in a folder, or in that of a file of it (RUN/report.html). Raises RunError.

    `unsent_rows`: at most this many rows are made for requests that were not sent
    (analysis/reading/not_sent.py). 0: no rows are made for requests in flight either, whether their
    process died or is still running.
    """
    if folder.is_file() and (folder.parent / "manifest.json").is_file():
        folder = folder.parent
    if not folder.is_dir():
        raise RunError(f"there is no run folder {folder}: give the path of one.")
    if not (folder / "manifest.json").exists():
        raise RunError(
            f"{folder} is not a run, it has no manifest.json: give the folder that a run made."
        )
    remarks: list[Bilingual] = []
    try:
        manifest = _manifest(folder / "manifest.json")
        events = _events(folder / "events.jsonl", remarks)
        source = _source(folder, remarks, formats.needs(manifest))
        if unsent_rows != 0:
            source = _with_lost(source, folder, manifest)
        where = str(folder / "events.jsonl")
        unsent = Unfolded(events, manifest["plan"], source, where, unsent_rows)
        remarks += _beyond(unsent.beyond)
        if len(unsent):
            source = Joined(source, len(source.column("phase")), unsent)
    except OSError as error:
        raise RunError(
            f"{error.filename or folder} cannot be read ({error.strerror}): let this user read it."
        ) from None
    plan = shortened(manifest["plan"], events, source)
    lengths_s = {
        now["name"]: now["duration_s"]
        for was, now in zip(manifest["plan"], plan, strict=True)
        if now is not was and now["duration_s"] is not None
    }
    if lengths_s:
        source = Shortened(source, lengths_s)
    manifest = {**manifest, "plan": plan}
    if any(phase.get("pairs") for phase in manifest["plan"]):
        source = TwoRoutes(source, manifest["plan"])
    order = [phase["name"] for phase in planned(manifest["plan"])]
    return Run(folder, manifest, Rows(source, *unite(source, order, remarks)), events, remarks,
        unsent.beyond,
    )  # fmt: skip


def _with_lost(source: Source, folder: Path, manifest: Manifest) -> Source:
    """The rows, and one of each request that was in flight when its process died."""
    try:
        died = lost_rows(orphans(folder), manifest["run_id"], manifest["plan"])
    except InputError as error:
        raise RunError(f"{folder}: {error}: restore the file, or remove it.") from None
    if not died:
        return source
    return Joined(source, len(source.column("phase")), Memory(parts.table_of(died)))


def _beyond(counts: dict[str, int]) -> list[Bilingual]:
    """A remark that some requests that were never sent have no row."""
    if not counts:
        return []
    more = sum(counts.values())
    return [
        Bilingual(
            f"{counted(more, 'more request was', 'more requests were')} never sent than the rows "
            "show; the numbers count them.",
            f"另有 {more:,} 个未发出的请求未列为记录；统计数字已计入。",
        )
    ]


def _source(folder: Path, remarks: list[Bilingual], made_by: str) -> Source:
    import pyarrow as pa

    paths = sorted(folder.glob("requests-*.csv"))
    for path in paths:
        try:
            check_is_file(path)
        except InputError as error:
            raise RunError(f"{path} {error}: restore it.") from None
    if (cache := cached.opened(folder, paths, remarks, made_by)) is not None:
        return cache
    tables = [table for path in paths for table in parts.tables(path, remarks, made_by)]
    return Memory(pa.concat_tables([schema().empty_table(), *tables]))


def rows(frame: "DataFrame") -> list[dict[str, Any]]:
    """The frame as dictionaries of plain Python values; what is missing is None."""
    plain = frame.astype(object)
    return [
        {str(k): v for k, v in row.items()}
        for row in plain.where(frame.notna(), None).to_dict("records")
    ]


def _manifest(path: Path) -> Manifest:
    try:
        manifest = well_formed.cleaned(json_of(read_bytes(path)))
    except InputError as error:
        raise RunError(f"{path} {error}: restore the file.") from None
    if not isinstance(manifest, dict) or not isinstance(manifest.get("run_id"), str):
        raise RunError(f"{path} does not name its run: restore the file.")
    if not isinstance(manifest.get("plan"), list):
        raise RunError(f"{path} holds no plan: restore the file.")
    try:
        formats.check(manifest.get("schema_version"), formats.needs(manifest))
        well_formed.manifest(manifest)
    except formats.FormatError as error:
        raise RunError(f"{path} {error}.") from None
    except well_formed.NotWellFormed as error:
        raise RunError(f"{path}: {error}; restore the file.") from None
    return cast(Manifest, manifest)


def _events(path: Path, remarks: list[Bilingual]) -> list[Event]:
    try:
        lines = read_bytes(path).split(b"\n")
    except FileNotFoundError:
        remarks.append(Bilingual(f"{path.name} is missing.", f"缺少 {path.name}。"))
        return []
    except InputError as error:
        raise RunError(f"{path} {error}: restore it.") from None
    if lines.pop():
        remarks.append(torn(path, len(lines) + 1))
    events = []
    for number, text in enumerate(lines, 1):
        try:
            line = well_formed.cleaned(json_of(text))
            if not isinstance(line, dict) or not isinstance(line.get("event"), str):
                raise InputError("not an event")
            well_formed.event(line)
            events.append(typed(line))
        except well_formed.NotWellFormed as error:
            raise RunError(f"{path}, line {number}: {error}; restore the file.") from None
        except InputError:
            raise RunError(f"{path}, line {number}: not an event; restore the file.") from None
        except ValueError as error:
            raise RunError(f"{path}, line {number}: {error}; restore the file.") from None
    return events
