"""The package, built and installed alone as pipx or uv tool would: it runs from any folder."""

import subprocess
import sys
import sysconfig
import tarfile
import tomllib
import zipfile
from importlib.metadata import version
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from tests import test_imports as imports
from tests.locust_run import ROOT, environment

OTHER_FILES = {".css", ".html", ".js", ".toml"}  # that our packages read beside their modules
ROOMS = [room for room in imports.ROOMS if room != "weighbridge"]


@pytest.fixture(scope="module")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the sdist, and the wheel that is built from the sdist's content."""
    folder = tmp_path_factory.mktemp("dist")
    _hatchling("sdist", ROOT, folder)
    (sdist,) = folder.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        archive.extractall(folder / "source", filter="data")
    (source,) = (folder / "source").iterdir()
    _hatchling("wheel", source, folder)
    return folder


def _hatchling(target: str, source: Path, folder: Path) -> None:
    pytest.importorskip("hatchling")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", target, "-d", str(folder)],
        cwd=source, capture_output=True, check=True, timeout=120,
    )  # fmt: skip


def test_the_wheel_holds_all_our_modules_in_one_package(dist: Path) -> None:
    (wheel,) = dist.glob("*.whl")
    held = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    assert {name.split("/")[0] for name in held} == {"weighbridge"}
    wanted = {
        f"weighbridge/_home/{path.relative_to(ROOT)}"
        for room in ROOMS
        for path in (ROOT / room).rglob("*")
        if path.suffix in {".py", *OTHER_FILES}
    }
    assert wanted | {"weighbridge/_home/locustfile.py", "weighbridge/_home/COMMIT"} <= held


def test_an_installed_weighbridge_runs_from_any_folder(dist: Path, tmp_path: Path) -> None:
    """In an environment of its own that has our dependencies and nothing of the checkout."""
    (wheel,) = dist.glob("*.whl")
    env = {name: value for name, value in environment().items() if name != "PYTHONPATH"}
    home = tmp_path / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(home)], check=True)
    python = home / "bin" / "python"
    subprocess.run(
        [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet", "--no-deps",
         "--no-index", str(wheel)], check=True, env=env, timeout=120,
    )  # fmt: skip
    (place,) = home.glob("lib/python*/site-packages")
    # Dependencies as they are here; what else stands there goes last, so that it cannot help.
    (place / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    folder = tmp_path / "somewhere"
    folder.mkdir()

    def weighbridge(*words: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [str(home / "bin" / "weighbridge"), *words], cwd=folder, env=env, timeout=120,
            capture_output=True, text=True, stdin=subprocess.DEVNULL,
        )  # fmt: skip

    printed = weighbridge("--version").stdout
    head = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True)
    assert head.returncode != 0 or head.stdout[:12] in printed
    ran = weighbridge("full", "--simulator", "--simulator-profile", "fast", "--quick", "--parts",
                      "smoke,cache,vision", "--model", "gpt-5.4-nano", "--repeat", "1")  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    (run,) = (folder / "results").iterdir()
    assert (run / "report.html").is_file()
    where = subprocess.run(
        [str(python), "-c", "import weighbridge, tasks, analysis; print(tasks.__file__)"],
        cwd=folder, env=env, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    assert where.startswith(str(place / "weighbridge" / "_home"))
    exported = weighbridge("export", str(run), "--output", "rows.csv")
    assert exported.returncode == 0, exported.stderr
    assert (folder / "rows.csv").is_file()


def test_the_packages_dependencies_are_those_of_requirements_in() -> None:
    """The same names, and every range holds the version that we test with."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    stated = {
        requirement.name: requirement for requirement in map(Requirement, project["dependencies"])
    }
    lines = (ROOT / "requirements.in").read_text("utf-8").splitlines()
    direct = {line.strip() for line in lines if line.strip() and not line.startswith("#")}
    assert set(stated) == direct
    pins = {}
    for line in (ROOT / "requirements.txt").read_text("utf-8").splitlines():
        name, equals, pinned = line.strip().partition("==")
        if equals:
            pins[name.lower()] = pinned
    for name, requirement in stated.items():
        assert requirement.specifier.contains(pins[name.lower()]), name
        assert requirement.specifier.contains(version(name)), name
