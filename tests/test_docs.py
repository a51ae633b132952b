"""The documentation says what the code says."""

import importlib.util
import re
import shlex
from pathlib import Path

import yaml

from rules.conditions import parse
from settings.options import Options

ROOT = Path(__file__).resolve().parent.parent


def test_generated_pages_are_up_to_date() -> None:
    """`make docs` would change nothing."""
    spec = importlib.util.spec_from_file_location("generate", ROOT / "docs" / "generate.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    stale = [p.name for p, text in module.pages().items() if p.read_text("utf-8") != text]
    assert stale == []


def test_every_make_target_is_listed_by_help() -> None:
    """`make help` names each target of the Makefile."""
    lines = (ROOT / "Makefile").read_text(encoding="utf-8").splitlines()
    targets = {line.split(":")[0] for line in lines if line[:1].islower() and ":" in line}
    described = {line.split(":")[0] for line in lines if "## " in line and line[:1].islower()}
    assert targets == described


def test_the_workflow_of_the_ci_page_is_one() -> None:
    """It is YAML, its options exist, its conditions are some, and it keeps the results."""
    text = (ROOT / "docs" / "how-to" / "ci.md").read_text(encoding="utf-8")
    found = re.search(r"<!-- workflow -->\n```yaml\n(.*?)```", text, re.S)
    assert found is not None
    jobs = yaml.safe_load(found[1])["jobs"]
    steps = [step for job in jobs.values() for step in job["steps"]]
    loads = [shlex.split(step["run"]) for step in steps if "locust" in step.get("run", "")]
    known = {"--" + name.replace("_", "-") for name in Options.__dataclass_fields__}
    assert len(loads) == len(jobs) == 2
    for words in loads:
        assert {word for word in words if word.startswith("--")} <= known | {"--headless"}
        assert parse(words[words.index("--fail-on") + 1])
    assert sum("upload-artifact" in step.get("uses", "") for step in steps) == len(jobs)


def test_the_examples_of_the_distributed_page_name_options_that_exist() -> None:
    """Unit, Dockerfile and compose file start Locust as it can be started."""
    text = (ROOT / "docs" / "how-to" / "distributed.md").read_text(encoding="utf-8")
    found = {
        kind: re.search(rf"<!-- {kind} -->\n```\w+\n(.*?)```", text, re.S)
        for kind in ("unit", "dockerfile", "compose")
    }
    unit, image, compose = (match[1] for match in found.values() if match is not None)
    services = yaml.safe_load(compose)["services"]
    assert services["worker"]["command"] == "--worker --master-host master"
    assert "OPENAI_API_KEY" in services["worker"]["environment"]
    known = {"--" + name.replace("_", "-") for name in Options.__dataclass_fields__}
    locusts = {"--headless", "--master", "--expect-workers"}
    words = shlex.split(services["master"]["command"])
    assert {word for word in words if word.startswith("--")} <= known | locusts
    home = "/opt/weighbridge"
    assert f"ExecStart={home}/.venv/bin/locust --worker" in unit
    assert f"WORKDIR {home}" in image
    assert {volume for one in services.values() for volume in one["volumes"]} == {
        f"results:{home}/results"
    }


def test_the_own_locustfile_that_the_page_shows_is_the_one_that_is_tested() -> None:
    page = (ROOT / "docs" / "how-to" / "own-locustfile.md").read_text(encoding="utf-8")
    assert (ROOT / "docs" / "examples" / "stages.py").read_text(encoding="utf-8") in page
