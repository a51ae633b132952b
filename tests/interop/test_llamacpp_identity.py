"""Mode identity on llama.cpp: real inference of one model's weights, quantised, and of others.

The model has random weights and sixty words, so the order of what is found carries over to real
models, the numbers do not.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from identity.logprobs import TOLERATED_NATS, Weights
from identity.looks import Audit, Verdict
from tests.e2e.test_identity import enrol, found
from tests.interop.servers import free_port, installed, needs_linux, serving
from tests.interop.test_xllamacpp import VERSION
from tests.locust_run import run

pytestmark = [needs_linux, pytest.mark.golden]
Serve = Callable[..., str]
LOOKED = ("--mode", "identity", "--model", "tiny", "--loglevel", "WARNING")


@pytest.fixture(scope="module")
def serve(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serve]:
    """Starts a server of the model with these options of tiny_model.py; its base URL."""
    python = installed("xllamacpp", VERSION, f"xllamacpp=={VERSION}", "gguf==0.19.0") / "python"
    script = str(Path(__file__).with_name("tiny_model.py"))
    with ExitStack() as servers:

        def start(*options: str) -> str:
            folder, port = tmp_path_factory.mktemp("llama"), free_port()
            command = [str(python), script, str(folder / "m.gguf"), str(port), "--talks", *options]
            return servers.enter_context(serving(command, port, folder / "log")) + "/v1"

        yield start


@pytest.fixture(scope="module")
def reference(serve: Serve, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of the whole weights."""
    folder = tmp_path_factory.mktemp("enrolled")
    done = run("-H", serve(), *LOOKED, "--enrol", results=folder / "r")
    assert done.code == 0 and done.folder is not None, done.text
    made = enrol(done.folder, folder / "reference.json")
    assert made.returncode == 0, made.stderr
    cells = json.loads((folder / "reference.json").read_text(encoding="utf-8"))["cells"]
    assert len(cells) >= 12
    return folder / "reference.json"


def audited(url: str, reference: Path, results: Path) -> tuple[Audit, Weights]:
    """What the words say, and what the log-probabilities of the first token do."""
    found_here = found(run("-H", url, *LOOKED, "--reference", reference, results=results))
    audit, weights = found_here.audit, found_here.weights
    assert audit is not None and weights is not None
    print(f"{results.name}: {audit}\n{weights}")
    assert weights.rows == weights.asked == 30, "the server states them in every reply"
    assert found_here.differing == sum(
        one.verdict is Verdict.DIFFERS for one in (audit, weights)
    ), "nothing else differs"
    return audit, weights


def test_the_same_weights_are_not_accused(serve: Serve, reference: Path, tmp_path: Path) -> None:
    """Each audit errs in at most 1 of 100: of two, both do in 1 of 10,000. The same inference has
    the same log-probabilities, whatever the prompt cache holds."""
    url = serve()
    told = [audited(url, reference, tmp_path / f"same {n}") for n in range(2)]
    assert Verdict.NOT_SHOWN in [audit.verdict for audit, _ in told]
    for _, weights in told:
        assert weights.verdict is Verdict.NOT_SHOWN
        assert weights.gap is not None and weights.gap < 0.001
        assert weights.smallest is not None and weights.smallest < 0.1


def test_other_weights_differ_at_the_first_look(
    serve: Serve, reference: Path, tmp_path: Path
) -> None:
    audit, weights = audited(serve("--seed", "1"), reference, tmp_path / "other weights")
    assert audit.verdict is weights.verdict is Verdict.DIFFERS
    assert len(audit.looks) == 1 and audit.asked <= 96, "not the 960 of all looks"


@pytest.mark.parametrize(
    ("kind", "verdicts"),
    [
        ("Q8_0", {Verdict.NOT_SHOWN, Verdict.DIFFERS}),  # beyond what words show: either may be
        ("Q5_0", {Verdict.NOT_SHOWN, Verdict.DIFFERS}),
        ("Q4_0", {Verdict.DIFFERS}),
    ],
)
def test_coarse_weights_differ(
    serve: Serve, reference: Path, tmp_path: Path, kind: str, verdicts: set[Verdict]
) -> None:
    """Log-probabilities show what words do not: here even 8 bits."""
    audit, weights = audited(serve("--type", kind), reference, tmp_path / kind)
    assert audit.verdict in verdicts
    assert weights.verdict is Verdict.DIFFERS
    assert weights.gap is not None and weights.gap > TOLERATED_NATS
