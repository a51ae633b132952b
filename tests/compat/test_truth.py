"""Every verdict on a gateway with known features; no false one in ten healthy runs."""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from compat.check import Check, Setting
from compat.registry import BY_ID, CHECKS
from compat.verdict import Verdict
from simulator import profile
from simulator.features.table import FEATURES, states
from tests.compat.sending import run_all
from tests.simulator.gateway import Gateway, running

WINDOW_TOKENS = 14_000
PROFILE = re.sub(
    r"context_window = [\d_]+", f"context_window = {WINDOW_TOKENS}",
    (profile.PROFILES / "compat.toml").read_text(encoding="utf-8"),
) + "\n[models.sim-reasoner.latency]\nttft_s = 0.01\ntokens_per_s = 240.0\n"  # fmt: skip
CHAT, REASONER = "sim-chat", "sim-reasoner"
OF = {
    surface: [c for c in CHECKS if FEATURES[c.id].surface == surface]
    for surface in ("chat", "responses", "embeddings", "files")
}
OF_CHAT = OF["chat"]
EXPECTED: dict[tuple[str, str], str] = {
    # What a fault of the gateway's looks like where nobody can tell it from the model's.
    ("tool.parallel", "ignored"): "unsure",  # a model may make one call
    ("tool.parallel.stream", "ignored"): "unsure",
    ("seed", "ignored"): "unsure",  # a seed is best effort
    ("image.data", "wrong"): "unsure",  # it arrived; what the model reads is the model's
    ("file.pdf", "wrong"): "unsure",
    ("reasoning.apart", "ignored"): "unsure",  # OpenAI shows no reasoning either
    ("error.context", "ignored"): "unsure",  # the stated window may be too small
    # What is no fault.
    ("fields.accepted", "ignored"): "works",  # no effect can be seen
    ("error.field", "refused"): "works",
    # What the simulator calls so, and its effect is.
    ("error.key", "ignored"): "wrong",
}
"""The verdict of a check whose feature is in a state, where it is not named like the state."""


def setting(surface: str, model: str, seed: object = 1) -> Setting:
    return Setting(
        model, seed=str(seed), reasons=model == REASONER, forced_token=(32, "A"),
        context_tokens=WINDOW_TOKENS, caches_prompts=True,
        embeds=surface == "embeddings", responses=surface == "responses", files=surface == "files",
    )  # fmt: skip


def model_of(name: str) -> str:
    return REASONER if name.startswith("reasoning.") else CHAT


@contextmanager
def gateway(
    folder: Path, features: dict[str, str], tokens_per_s: float | None = None,
    dialect: str = "nonelinear",
) -> Iterator[Gateway]:  # fmt: skip
    """A simulator with these features; all others work."""
    table = "\n[features]\n" + "".join(
        f'"{name}" = "{state}"\n' for name, state in features.items()
    )
    path = folder / "profile.toml"
    speed = rf"tokens_per_s = {tokens_per_s}" if tokens_per_s else r"\g<0>"
    profile = re.sub(r"tokens_per_s = [\d.]+", speed, PROFILE)
    path.write_text(profile + table, encoding="utf-8")
    with running(folder / "ledger.csv", "--profile", path, "--key", "a-key",
                 "--dialect", dialect) as started:  # fmt: skip
        yield started


def verdicts(
    started: Gateway, model: str, seed: object = 1, checks: Sequence[Check] = OF_CHAT,
    soften: bool = True,
) -> dict[str, str]:  # fmt: skip
    setting_of_run = setting(FEATURES[checks[-1].id].surface, model, seed)
    by_check = run_all(started.url, checks, setting_of_run, soften=soften)
    print(*(f"{name}: {finding}" for name, finding in by_check.items()), sep="\n")
    return {name: f"{finding.verdict}" for name, finding in by_check.items()}


def expected(name: str, state: str) -> str:
    return EXPECTED.get((name, state), state)


def test_the_checks_are_the_simulators_features() -> None:
    """Both have the same ids, and those of the chat API are the 47."""
    assert set(BY_ID) == set(FEATURES) and len(OF_CHAT) == 47


@pytest.mark.parametrize(
    "state",
    [
        pytest.param("ignored", marks=pytest.mark.slow),
        "refused",
        pytest.param("wrong", marks=pytest.mark.slow),
        "broken",
    ],
)
def test_all_features_in_one_state_get_their_verdicts(tmp_path: Path, state: str) -> None:
    """Each feature that can be in the state gets its verdict; each that cannot works.

    Features that share a request with another one have the test of single features.
    """
    alone = (
        {"cache.key", "error.context", "error.model"}
        | {
            c.id
            for c in OF["embeddings"]
            if c.id != "embeddings.plain" and state in ("wrong", "broken")
        }
        | {"embeddings.same", "files.upload"}
    )
    features = {name: state for name in FEATURES if state in states(name) and name not in alone}
    with gateway(tmp_path, features) as started:
        for model, checks in (
            (CHAT, OF_CHAT), (REASONER, OF_CHAT), (CHAT, OF["responses"]), (CHAT, OF["embeddings"]),
            (CHAT, OF["files"]),
        ):  # fmt: skip
            about = [c for c in checks if c.id not in alone and model_of(c.id) == model]
            by_check = verdicts(started, model, checks=about, soften=False)
            wanted = {n: expected(n, state) if n in features else "works" for n in by_check}
            if state == "ignored":
                wanted["tool.loop"] = "unsure"  # without tools there is no call to answer
            assert not {
                name: (verdict, wanted[name]) for name, verdict in by_check.items()
                if verdict != wanted[name]
            }  # fmt: skip


SHARED = {
    "tool.auto": {"tool.loop"},  # which begins with a call
    "responses.plain": {"responses.previous"},  # which begins with a plain one
    "json.schema": {"cache.key"}, "json.schema.stream": {"cache.key"},
    "cache.key": {"json.schema", "json.schema.stream"},
    "files.upload": {"batches.run"},  # which begins with one
    "embeddings.plain": {check.id for check in OF["embeddings"]},
    "embeddings.same": {check.id for check in OF["embeddings"]},
}  # fmt: skip
"""Whose requests are of the same kind: they may become unsure, and never accuse."""
SLOW = [(name, state) for name in FEATURES for state in states(name) if state != "works"]


@pytest.mark.slow
@pytest.mark.parametrize(("name", "state"), SLOW)
def test_a_feature_alone_changes_its_own_verdict_only(
    tmp_path: Path, name: str, state: str
) -> None:  # fmt: skip
    """All 47 checks against a gateway where one feature does not work as it should."""
    model, checks = model_of(name), OF[FEATURES[name].surface]
    with gateway(tmp_path, {name: state}) as started:
        by_check = verdicts(started, model, checks=checks)
    wanted = {check.id: "works" for check in checks}
    if model == CHAT and checks is OF_CHAT:
        wanted |= {"reasoning.effort": "not tried", "reasoning.apart": "not tried"}
    wanted |= {name: expected(name, state)}
    different = {n: (by_check[n], wanted[n]) for n in wanted if by_check[n] != wanted[n]}
    assert not {n: d for n, d in different.items() if n not in SHARED.get(name, ())}
    assert {d[0] for d in different.values()} <= {"unsure"}


@pytest.mark.parametrize("model", [CHAT, REASONER])
def test_every_cell_of_a_healthy_gateway_works(tmp_path: Path, model: str) -> None:
    _healthy(tmp_path, model, range(1))


@pytest.mark.slow
@pytest.mark.parametrize("model", [CHAT, REASONER])
def test_every_cell_of_a_healthy_gateway_works_in_ten_runs(tmp_path: Path, model: str) -> None:
    _healthy(tmp_path, model, range(10))


@pytest.mark.parametrize("surface", ["responses", "embeddings", "files"])
def test_other_surfaces_of_a_healthy_gateway_work(tmp_path: Path, surface: str) -> None:
    with gateway(tmp_path, {}) as started:
        for seed in range(3):
            by_check = verdicts(started, CHAT, seed, OF[surface])
            assert set(by_check.values()) == {"works"}, (seed, by_check)


def _healthy(folder: Path, model: str, seeds: range) -> None:
    with gateway(folder, {}) as started:
        for seed in seeds:
            by_check = verdicts(started, model, seed)
            if model == CHAT:
                assert by_check.pop("reasoning.effort") == Verdict.NOT_TRIED
                assert by_check.pop("reasoning.apart") == Verdict.NOT_TRIED
            assert set(by_check.values()) == {"works"}, (seed, by_check)


DIALECTS: dict[str, dict[str, str]] = {
    "openrouter": {}, "openai": {}, "deepseek": {}, "xai": {}, "anthropic-compat": {}, "byok": {},
    "litellm": {"error.key": "wrong"},  # it says 400, not 401
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("dialect", DIALECTS)
def test_no_dialect_of_a_healthy_gateway_is_accused(tmp_path: Path, dialect: str) -> None:
    """Except for what the dialect really does differently."""
    for model in (CHAT, REASONER):
        with gateway(tmp_path, {}, dialect=dialect) as started:
            by_check = verdicts(started, model)
        accused = {n: v for n, v in by_check.items() if Verdict(v).accuses}
        assert accused == DIALECTS[dialect]
