"""What manifest.json holds: every field, its type and its meaning. Pure.

The file's schema and the check that every reader relies on (analysis/reading/well_formed.py) are
made from these types. A field that is not `Required` is one that some runs lack: those of an
earlier version, and those that `import` made.
"""

from typing import Annotated, Any, Literal, NamedTuple, Required, TypedDict

Kind = Literal["arrivals", "burst", "steady", "manual"]
"""What manifests call a schedule; `Even`, `Poisson` and `At` are arrivals."""
Scalar = str | float | bool | None


class Keyword(NamedTuple):
    """What a JSON schema can say of a field beside its type."""

    name: str
    value: str | int


Whole = Annotated[int, Keyword("minimum", 0)]


class Program(TypedDict):
    """The Weighbridge that made the run."""

    version: str
    git_commit: str | None


class Host(TypedDict):
    """The machine of the node that commanded."""

    name: str
    system: str
    cores: int | None


class Gateway(TypedDict, total=False):
    """Where requests went: every name, no secret."""

    base_url: Required[Annotated[str | None, "what looks like a secret in it is left out"]]
    simulated: Required[bool]
    source: Annotated[str | None, "what named it: -H, a variable"]
    key_source: Annotated[str | None, "the key's variable"]
    auth: Annotated[str, "bearer, none, or the key's header"]
    headers: Annotated[list[str], "names alone"]
    sdk_variables_sent: list[str]
    sdk_variables_withheld: list[str]


class Note(TypedDict):
    """What was odd in the operator's own traffic (recording/row_notes.py)."""

    kind: str
    count: Whole
    names: list[str]


class Traffic(TypedDict):
    """The operator's own lines."""

    lines: Whole
    notes: list[Note]


_ChangedBody = TypedDict(
    "_ChangedBody",
    {
        "model": str,
        "field": Annotated[str, "the field of the body that was refused"],
        "from": str,
        "to": Annotated[str, "where it goes since, or the field in its place"],
        "status": Whole,
        "said": Annotated[str, "the gateway's words"],
        "phase": str,
        "task_id": str,
    },
)


class ChangedBody(_ChangedBody, total=False):
    """What a gateway refused of a body (recording/body_change.py)."""

    arm: Annotated[str, "the route that refused it, where there are two"]


class Clock(TypedDict):
    """A clock that times are read from."""

    clock: str
    resolution_s: float


class Clocks(TypedDict):
    """`durations` are differences, `labels` the wall clock."""

    durations: Clock
    labels: Clock


class Cancelled(TypedDict):
    """Which requests of a phase are cancelled on purpose, and when (recording/cancel.py)."""

    after_chunks: Annotated[int | None, "after so many chunks with text; 0: before the first"]
    after_s: Annotated[float | None, "so long after it began to be sent"]
    share: float
    seed: str


class PlannedPhase(TypedDict, total=False):
    """A phase (loadshapes/phase.py), the fields of its schedule among its own."""

    name: Required[str]
    mode: Required[str]
    scenario: Required[str]
    model: Required[str]
    kind: Required[Kind]
    count: Required[Annotated[int | None, "requests; null: until its time is over"]]
    duration_s: Annotated[float | None, "its window; null: it has none"]
    poisson: Annotated[str, "the seed of random arrivals; empty: they are even"]
    times_s: Annotated[list[float], "when each is due, where a trace says so"]
    at_most: Annotated[int | None, "most requests of a phase without a count"]
    request: Annotated[str, "what makes each body (tasks/builders.py)"]
    users: Whole
    target: Annotated[int | None, "what it is to reach: RPM, TPM, concurrency or output budget"]
    max_tokens: int | None
    stream: bool
    typed: Annotated[bool, "sent through the SDK's typed surface"]
    task_prefix: str
    first_number: Whole
    climb: Annotated[str | None, "the staircase it is a step of"]
    pause_after_s: float
    skip: Annotated[list[int], "requests that an earlier attempt sent"]
    watched: Annotated[bool, "its rows decide the phases after it"]
    traffic: Annotated[str, "the digest of the operator's own lines"]
    paced: Annotated[bool, "its prompts are sized by `pace`"]
    pace: Annotated[dict[str, float] | None, "what calibration found of the model"]
    ends_on: Annotated[str, "the outcome that ends it"]
    ends_after: Annotated[int, "after so many"]
    not_before_unix_s: float | None
    pairs: Annotated[str, "the seed of the order of its pairs; empty: it takes one route"]
    route: Annotated[str, "the route that all of it takes; empty: the gateway's"]
    stop_rule: Annotated[bool, "whether refusals and failures may end it"]
    cancel: Annotated[Cancelled | None, "which requests are cancelled on purpose; null: none"]
    wall_s: Annotated[float | None, "the wall clock that an imported file states"]


class Manifest(TypedDict, total=False):
    """With what, where and how a run was made."""

    schema_version: Required[int]
    needs_version: Annotated[str, "the oldest Weighbridge that reads the run"]
    run_id: Required[Annotated[str, Keyword("minLength", 1)]]
    started_at: Required[Annotated[str, Keyword("format", "date-time")]]
    mode: Required[str]
    weighbridge: Program
    versions: Annotated[dict[str, str], "of Python and of the packages that matter"]
    host: Host
    gateway: Required[Gateway]
    reference: Annotated[Gateway, "where the second of two routes leads"]
    currency: Required[Annotated[str | None, "of every amount; null: nobody says"]]
    prices: Annotated[dict[str, Any] | None, "the price table (rules/prices.py)"]
    workers: Whole
    options: Required[Annotated[dict[str, Scalar], "as they were asked for"]]
    sent_options: Annotated[list[str], "those that decide what is sent"]
    drawn: Annotated[dict[str, Scalar], "what the run made up for options that were left open"]
    slo: Annotated[dict[str, Any] | None, "the objectives (rules/slo.py)"]
    plan: Required[list[PlannedPhase]]
    traffic: Traffic
    require: Annotated[dict[str, Any], "the features that --require asks for (compat/required.py)"]
    body_changes: Annotated[list[ChangedBody], "fields that the gateway was found to refuse"]
    clock: Clocks
    imported_from: Annotated[list[str], "files of the seed's script that `import` read"]
