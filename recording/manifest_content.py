"""The content of manifest.json: every field, its type and its meaning. Pure.

The file's schema and the check that every reader relies on (analysis/reading/well_formed.py) are
generated from these types. Some runs lack the fields that are not `Required`: runs of an earlier
version, and runs made by `import`.
"""

from typing import Annotated, Any, Literal, NamedTuple, Required, TypedDict

Kind = Literal["arrivals", "burst", "steady", "manual"]
"""The kinds of schedule in manifests; `Even`, `Poisson` and `At` are `arrivals`."""
Scalar = str | float | bool | None


class Keyword(NamedTuple):
    """What a JSON schema can say about a field besides its type."""

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
    """Where requests went: every name, but no secret."""

    base_url: Required[Annotated[str | None, "parts that look like a secret are left out"]]
    simulated: Required[bool]
    source: Annotated[str | None, "where it came from: -H, a variable"]
    key_source: Annotated[str | None, "the key's variable"]
    auth: Annotated[str, "bearer, none, or the key's header"]
    headers: Annotated[list[str], "names alone"]
    sdk_variables_sent: list[str]
    sdk_variables_withheld: list[str]


class Note(TypedDict):
    """A peculiarity of the operator's own traffic (recording/row_notes.py)."""

    kind: str
    count: Whole
    names: list[str]


class Traffic(TypedDict):
    """The operator's own requests."""

    lines: Whole
    notes: list[Note]


_ChangedBody = TypedDict(
    "_ChangedBody",
    {
        "model": str,
        "field": Annotated[str, "the field of the body that was refused"],
        "from": str,
        "to": Annotated[str, "where it has gone since, or the field that replaced it"],
        "status": Whole,
        "said": Annotated[str, "the gateway's words"],
        "phase": str,
        "task_id": str,
    },
)


class ChangedBody(_ChangedBody, total=False):
    """A field that a gateway refused in bodies (recording/body_change.py)."""

    arm: Annotated[str, "the route that refused it, where there are two"]


class Clock(TypedDict):
    """A clock that supplies times."""

    clock: str
    resolution_s: float


class Clocks(TypedDict):
    """`durations` are differences of one clock, `labels` come from the wall clock."""

    durations: Clock
    labels: Clock


class Cancelled(TypedDict):
    """Which requests of a phase are cancelled on purpose, and when (recording/cancel.py)."""

    after_chunks: Annotated[int | None, "after this many chunks with text; 0: before the first"]
    after_s: Annotated[float | None, "this many seconds after sending began"]
    share: float
    seed: str


class PlannedPhase(TypedDict, total=False):
    """A phase (loadshapes/phase.py), together with the fields of its schedule."""

    name: Required[str]
    mode: Required[str]
    scenario: Required[str]
    model: Required[str]
    kind: Required[Kind]
    count: Required[
        Annotated[
            int | None,
            "number of number of number of number of number of "
            "number of number of number of number of number of "
            "number of number of number of number of number of "
            "number of number of number of number of number of "
            "number of number of number of number of number of "
            "number of number of number of number of number of "
            "number of requests; null: until its time is over",
        ]
    ]
    duration_s: Annotated[float | None, "length of its window, seconds; null: it has none"]
    poisson: Annotated[str, "the seed of random arrivals; empty: arrivals are even"]
    times_s: Annotated[list[float], "when each request is due, if a trace says so"]
    at_most: Annotated[int | None, "limit on the requests of a phase without a count"]
    request: Annotated[str, "what makes each body (tasks/builders.py)"]
    users: Whole
    target: Annotated[int | None, "its target: RPM, TPM, concurrency or output budget"]
    max_tokens: int | None
    stream: bool
    typed: Annotated[bool, "sent through the SDK's typed surface"]
    task_prefix: str
    first_number: Whole
    climb: Annotated[str | None, "the ladder it is a step of"]
    pause_after_s: float
    skip: Annotated[list[int], "the requests that an earlier attempt has sent"]
    watched: Annotated[bool, "its rows decide the phases after it"]
    traffic: Annotated[str, "the digest of the operator's own requests"]
    paced: Annotated[bool, "its prompts are sized by `pace`"]
    pace: Annotated[dict[str, float] | None, "what calibration found about the model"]
    ends_on: Annotated[str, "the outcome that ends it"]
    ends_after: Annotated[int, "after this many of them"]
    not_before_unix_s: float | None
    pairs: Annotated[str, "the seed for the order of its pairs; empty: it takes one route"]
    route: Annotated[str, "the route that all its requests take; empty: the gateway's"]
    stop_rule: Annotated[bool, "whether refusals and failures may end it"]
    cancel: Annotated[Cancelled | None, "which requests are cancelled on purpose; null: none"]
    asks: Annotated[list[int], "the questions of mode identity that it asks in turn"]
    probe_every: Annotated[int, "every so many-th request is a probe of identity; 0: none"]
    wall_s: Annotated[float | None, "the wall clock that an imported file states"]


class Manifest(TypedDict, total=False):
    """What made a run, where, and with which options."""

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
    currency: Required[Annotated[str | None, "the currency of every amount; null: unknown"]]
    prices: Annotated[dict[str, Any] | None, "the price table (rules/prices.py)"]
    workers: Whole
    options: Required[Annotated[dict[str, Scalar], "as the operator gave them"]]
    sent_options: Annotated[list[str], "those that decide what is sent"]
    drawn: Annotated[dict[str, Scalar], "values that the run chose for options left open"]
    slo: Annotated[dict[str, Any] | None, "the objectives (rules/slo.py)"]
    plan: Required[list[PlannedPhase]]
    traffic: Traffic
    require: Annotated[dict[str, Any], "the features that --require asks for (compat/required.py)"]
    enrolled: Annotated[dict[str, Any], "the --reference of mode identity (identity/reference.py)"]
    body_changes: Annotated[list[ChangedBody], "fields that the gateway refused"]
    clock: Clocks
    imported_from: Annotated[list[str], "files of the seed's script that `import` read"]
