"""Mode limits: what rate limit a gateway advertises, what it enforces, and whether its waits hold.

A program per model, with short requests and few of them:

    look     one request: which limits do its headers state, how long does it take?
    fill     as fast as it goes until the first refusal: how many are let through?
    wait     one request just before the stated Retry-After is over, and one just after
    half     a minute later, half as many at once;
    again    15 s after that, until a dozen refusals;
    last     62 s after it, until a dozen refusals: what a bucket, a fixed and a sliding window
             let through in these three is not the same
    soon     31 s after its last refusal, until a dozen refusals: what any window of up to 30 s
             has forgotten, and one of a minute has not
    later    31 s after that, the same again
    long     another minute later, one long prompt: how many tokens is it?
    tokens   long prompts until the first refusal

The report derives the result from the rows (rules/rate_limit.py,
analysis/report/sections/limits.py).
"""

from collections.abc import Generator, Sequence
from math import ceil
from typing import Any

from loadshapes.finding import Finding
from loadshapes.modes.mode import Mode
from loadshapes.phase import Phase
from loadshapes.plan import Plan
from loadshapes.program import Program
from loadshapes.schedule import At, Closed
from recording.bilingual import Bilingual
from recording.errors import MissingOption
from recording.outcome import Outcome
from recording.record import RequestRecord
from rules.rate_limit import SHORTEST_S, WINDOW_S, refused_until
from settings.options import Options

NAME = "limits"
FILL_S = 30.0  # longest attempt to reach the limit
HURRY_S = 8.0  # in which the advertised limit should be reached
AGAIN_S, LAST_S = 15.0, WINDOW_S + 2.0  # after the half
CLEAN_S = WINDOW_S + 1.0  # after which every window has forgotten
SHORT_S = SHORTEST_S + 1.0  # after which every window of seconds has forgotten
LONGEST_WAIT_S = 2 * WINDOW_S  # a longer wait is tested when every window has forgotten
APART_S = 0.3  # how far from the end of a stated wait the two requests are, at least
READY_S = 1.5  # from the end of a phase to the first request of the next
EVIDENCE = 12  # refusals, which cost nothing, that tell the kinds of limit apart
LONG_AT_ONCE = 20
UNADVERTISED_PROMPTS = 50  # long prompts that are tried where no token limit is stated


def plan(options: Options) -> Plan:
    """How the rate limits of each model really work, within a budget.

    Raises OperatorError.
    """
    if not options.models:
        raise MissingOption("--model is missing: mode limits needs the model to ask.")
    if not (options.budget or options.budget_tokens):
        raise MissingOption(
            "mode limits sends until it is refused: give --budget or --budget-tokens."
        )
    return Plan(
        phases=(),
        unfold=lambda: _program(options),
        most_users=options.max_workers,
        outlook=Bilingual(
            "an audit of rate limits: about 5 minutes a model, and about six times as many short "
            f"requests as the limit lets through in a minute, at most {options.limits_most} in "
            "each of six attempts, and long prompts up to the token limit (see --budget)",
            "核查限流：每个模型约 5 分钟，短请求约为每分钟限额的六倍，"
            f"六次试探每次最多 {options.limits_most} 个，另有达到 token 限额为止的长 prompt"
            "（参见 --budget）",
        ),
    )


def _program(options: Options) -> Program:
    for model in options.models:
        yield from _audit(options, model)


def _audit(options: Options, model: str) -> Program:
    first_look = yield _phase(options, model, "look", users=1, schedule=Closed(1))
    requests, tokens = _advertised(first_look.records)
    most = min(options.limits_most, 2 * requests + 10 if requests else options.limits_most)
    latency_s = max((row.elapsed_sec or 0.0 for row in first_look.records), default=0.0) or 1.0
    users = min(options.max_workers, most, ceil((requests or most) * latency_s / HURRY_S))
    fill = yield _fill(options, model, "fill", users=users, most=most)
    limit, ended = _admitted(fill.records), _ended(fill)
    if ended is None:  # an earlier attempt at the run: how long ago is unknown
        return
    refused = [row for row in fill.records if row.outcome == Outcome.RATE_LIMITED]
    if refused and limit:
        wait = yield from _wait(options, model, fill, ended)
        clean = (_ended(wait) or ended) + CLEAN_S
        most = min(options.limits_most, ceil(1.5 * limit) + 15)
        half = max(1, limit // 2)
        begin = {"again": clean + AGAIN_S, "last": clean + LAST_S}
        yield _phase(
            options,
            model,
            "half",
            users=min(users, half),
            schedule=Closed(half),
            not_before_unix_s=clean,
        )
        for step, at in begin.items():
            last = yield _fill(
                options, model, step, users=users, most=most, ends_after=EVIDENCE,
                not_before_unix_s=at,
            )  # fmt: skip
            ended = _ended(last) or ended
        for step in ("soon", "later"):
            last = yield _fill(
                options, model, step, users=users, most=most, ends_after=EVIDENCE,
                not_before_unix_s=ended + SHORT_S,
            )  # fmt: skip
            ended = _ended(last) or ended
    long = yield _phase(
        options, model, "long", users=1, schedule=Closed(1), request="padded",
        not_before_unix_s=ended + CLEAN_S,
    )  # fmt: skip
    size = max((row.total_tokens or 0 for row in long.records), default=0)
    prompts = min(most, UNADVERTISED_PROMPTS)
    if tokens and size:
        prompts = min(options.limits_most, ceil(1.5 * tokens / size) + 3)
    users = min(options.max_workers, prompts, LONG_AT_ONCE)
    yield _fill(options, model, "tokens", users=users, most=prompts, request="padded")


def _wait(
    options: Options, model: str, fill: Finding, ended: float
) -> Generator[Phase, Finding, Finding]:
    """Two requests around the end of the stated wait, or one if its end is too near or too far."""
    until = refused_until(fill.records, fill.t0_unix_s or 0.0)
    if until is None:
        return fill
    apart_s = APART_S + 0.05 * until.wait_s
    # A wait in whole seconds was rounded up, so it may be over up to a second earlier.
    before = until.at_unix_s - apart_s - (1.0 if until.wait_s == int(until.wait_s) else 0.0)
    after = until.at_unix_s + apart_s
    times = (before, after) if before >= ended + READY_S else (max(after, ended + READY_S),)
    if after > ended + LONGEST_WAIT_S:
        times = (ended + CLEAN_S,)
    finding = yield _phase(
        options,
        model,
        "wait",
        schedule=At(len(times), times[-1] - times[0] + 1.0, tuple(at - times[0] for at in times)),
        users=2,
        not_before_unix_s=times[0],
    )
    return finding


def _fill(options: Options, model: str, step: str, *, users: int, most: int, **more: Any) -> Phase:
    """Requests as fast as possible, until the first refusal."""
    return _phase(
        options, model, step, users=max(1, users), schedule=Closed(None, FILL_S, most),
        ends_on=Outcome.RATE_LIMITED.value, **more,
    )  # fmt: skip


def _phase(options: Options, model: str, step: str, **more: Any) -> Phase:
    settings: dict[str, Any] = {
        "name": f"{NAME}/{model}/{step}",
        "mode": NAME,
        "scenario": step,
        "model": model,
        "request": "marker",
        "max_tokens": options.max_tokens or 16,
        "task_prefix": f"{options.task_id_prefix}-{NAME}-{model}-{step}-req-",
        "watched": True,
    }
    return Phase(**(settings | more))


def _advertised(rows: Sequence[RequestRecord]) -> tuple[int | None, int | None]:
    """The limits on requests and tokens that the headers state."""
    requests = [row.ratelimit_limit_requests for row in rows if row.ratelimit_limit_requests]
    tokens = [row.ratelimit_limit_tokens for row in rows if row.ratelimit_limit_tokens]
    return (requests[-1] if requests else None), (tokens[-1] if tokens else None)


def _admitted(rows: Sequence[RequestRecord]) -> int:
    return sum(row.http_status is not None and row.outcome != Outcome.RATE_LIMITED for row in rows)


def _ended(finding: Finding) -> float | None:
    """When the last answer of a phase came, unix seconds; None: not in this attempt."""
    if finding.t0_unix_s is None:
        return None
    offsets = [row.done_offset_s for row in finding.records if row.done_offset_s is not None]
    return finding.t0_unix_s + max(offsets, default=0.0)


MODE = Mode(
    name=NAME,
    place=140,
    question=(
        "which rate limits does it advertise, and which does it enforce?",
        "声明了哪些限流、实际执行哪些",
    ),
    sends=(
        "a climb until it refuses, then one request just before and one just after its Retry-After "
        "(needs a budget)",
        "逐步加压直到被拒绝，再在其 Retry-After 前后各发一个请求（需要预算）",
    ),
    plan=plan,
    example=("--model", "gpt-5.4-nano", "--budget", "5", "--limits-most", "40"),
    page="how-to/limits.md",
)  # fmt: skip
