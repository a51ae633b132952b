"""The Containerfile and the Kubernetes manifests fit together, and start what exists.

Without a container engine or a cluster: strict models of the fields that we use check the structure
(names and types from the Kubernetes API reference), and the image's steps are checked by their
words.
"""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any, Literal

import pytest
import yaml
from pydantic import BaseModel, ConfigDict

from settings.options import Options
from tests.locust_run import ROOT, environment

FOLDER = ROOT / "deploy" / "kubernetes"
STEPS = [line.split(None, 1) for line in (ROOT / "Containerfile").read_text("utf-8").splitlines()]


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class KeyRef(Strict):
    name: str
    key: str


class ValueFrom(Strict):
    secretKeyRef: KeyRef


class Variable(Strict):
    name: str
    value: str | None = None
    valueFrom: ValueFrom | None = None


class Port(Strict):
    name: str
    containerPort: int


class Mount(Strict):
    name: str
    mountPath: str


class Container(Strict):
    name: str
    image: str
    args: list[str]
    env: list[Variable]
    resources: dict[Literal["requests", "limits"], dict[Literal["cpu", "memory"], str]]
    securityContext: dict[str, Any]
    ports: list[Port] = []
    volumeMounts: list[Mount]


class Claim(Strict):
    claimName: str


class Volume(Strict):
    name: str
    persistentVolumeClaim: Claim | None = None
    emptyDir: dict[str, str] | None = None


class PodSpec(Strict):
    restartPolicy: Literal["Never", "OnFailure"]
    enableServiceLinks: bool
    automountServiceAccountToken: bool
    terminationGracePeriodSeconds: int
    securityContext: dict[str, bool | int]
    containers: list[Container]
    volumes: list[Volume]


class Labels(Strict):
    labels: dict[str, str]


class Template(Strict):
    metadata: Labels
    spec: PodSpec


class JobSpec(Strict):
    backoffLimit: int
    completions: int
    parallelism: int
    template: Template


class Named(Strict):
    name: str


class Job(Strict):
    apiVersion: Literal["batch/v1"]
    kind: Literal["Job"]
    metadata: Named
    spec: JobSpec


def _read(name: str) -> dict[str, Any]:
    held: dict[str, Any] = yaml.safe_load((FOLDER / name).read_text("utf-8"))
    return held


def _job(name: str) -> JobSpec:
    return Job.model_validate(_read(name)).spec


def test_the_master_waits_for_as_many_workers_as_there_are() -> None:
    args = _job("master.yaml").template.spec.containers[0].args
    workers = _job("workers.yaml")
    expected = int(args[args.index("--expect-workers") + 1])
    assert expected == workers.completions == workers.parallelism


def test_the_service_selects_the_master() -> None:
    service, master = _read("service.yaml"), _job("master.yaml").template
    assert service["spec"]["selector"] == master.metadata.labels
    (port,) = service["spec"]["ports"]
    assert port["targetPort"] == port["port"] == master.spec.containers[0].ports[0].containerPort
    args = _job("workers.yaml").template.spec.containers[0].args
    assert args == ["--worker", "--master-host", service["metadata"]["name"]]


@pytest.mark.parametrize("name", ["master.yaml", "workers.yaml"])
def test_the_key_comes_from_the_secret_and_results_go_to_a_volume(name: str) -> None:
    spec = _job(name).template.spec
    (container,) = spec.containers
    (key,) = [one for one in container.env if one.name == "OPENAI_API_KEY"]
    secret = _read("secret.example.yaml")
    assert key.value is None and key.valueFrom is not None
    assert key.valueFrom.secretKeyRef.name == secret["metadata"]["name"]
    assert key.valueFrom.secretKeyRef.key in secret["stringData"]
    assert [one.name for one in container.volumeMounts] == [one.name for one in spec.volumes]
    home = dict(STEPS)["WORKDIR"]
    assert container.volumeMounts[0].mountPath == f"{home}/results"
    assert spec.securityContext["runAsUser"] == int(dict(STEPS)["USER"])


def test_only_the_master_needs_the_volume() -> None:
    """So ReadWriteOnce is enough."""
    claims = [_job(n).template.spec.volumes[0] for n in ("master.yaml", "workers.yaml")]
    claim = claims[0].persistentVolumeClaim
    assert claim is not None and claims[1].persistentVolumeClaim is None
    assert claim.claimName == _read("storage.yaml")["metadata"]["name"]


def test_the_options_of_the_master_exist() -> None:
    args = _job("master.yaml").template.spec.containers[0].args
    known = {"--" + name.replace("_", "-") for name in Options.__dataclass_fields__}
    named = {word for word in args if word.startswith("--")}
    assert named <= known | {"--headless", "--master", "--expect-workers"}


def test_the_page_shows_the_containerfile() -> None:
    page = (ROOT / "docs" / "how-to" / "distributed.md").read_text("utf-8")
    block = re.search(r"<!-- dockerfile -->\n```\w+\n(.*?)```", page, re.S)
    assert block is not None
    assert block[1] == (ROOT / "Containerfile").read_text("utf-8")


def test_the_image_installs_the_versions_that_the_tests_ran_with() -> None:
    """Its pip step would install nothing here: every pinned version is present."""
    (install,) = [words for step, words in STEPS if step == "RUN" and words.startswith("pip ")]
    words = install.split()[1:]
    completed = subprocess.run(
        [sys.executable, "-m", "pip", *words, "--dry-run", "--no-index"],
        cwd=ROOT, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert completed.returncode == 0, completed.stderr
    assert "Would install" not in completed.stdout


def test_the_entry_point_of_the_image_starts_from_the_copied_files(tmp_path: Path) -> None:
    """The files that git tracks, less .dockerignore, are a complete Weighbridge."""
    tracked = subprocess.run(
        ["git", "ls-files", "--cached"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    ignored = {line for line in (ROOT / ".dockerignore").read_text("utf-8").splitlines() if line}
    assert {".env", ".git", ".venv", "results"} <= ignored
    for name in tracked:
        if name.split("/")[0] not in ignored and (ROOT / name).is_file():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_bytes((ROOT / name).read_bytes())
    (entry,) = json.loads(dict(STEPS)["ENTRYPOINT"])
    args = _job("master.yaml").template.spec.containers[0].args
    at = args.index("--mode")
    env = {name: value for name, value in environment().items() if name != "PYTHONPATH"}
    completed = subprocess.run(
        [str(Path(sys.executable).parent / entry), "--headless", *args[at:], "--simulator",
         "--dry-run"],
        cwd=tmp_path, env=env, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert completed.returncode == 0, completed.stderr


def test_an_action_has_the_same_version_in_all_workflows_and_pages() -> None:
    """Our workflow once named versions that no longer ran, while the page showed newer ones."""
    files = [*ROOT.glob(".github/workflows/*.yml"), *ROOT.glob("docs/**/*.yml")]
    files += ROOT.glob("docs/**/*.md")
    used = {found for path in files
            for found in re.findall(r"uses: (\S+)@(\S+)", path.read_text("utf-8"))}  # fmt: skip
    assert used and len(used) == len({action for action, _ in used}), sorted(used)
