"""What gets installed: `datasets/` and `cli/` inside the package, never under their bare names."""

import json
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

REPOSITORY = Path(__file__).resolve().parent.parent
SITE_PACKAGES = Path(click.__file__).parent.parent

# Extras that CI installs.
PINNED = ("test", "lint", "docs", "notebooks", "parquet")

# Isolated (-I) and without the environment's site-packages (-S), where this very package is installed too.
PROBE = """
import json, site, sys
from importlib.util import find_spec
site.addsitedir(sys.argv[1])
bare = [name for name in ("datasets", "cli") if find_spec(name) is not None]
sys.path.append(sys.argv[2])  # for click
import genurl_graph, genurl_graph.cli, genurl_graph.datasets, genurl_graph.config.presets
print(json.dumps({
    "bare": bare,
    "package": genurl_graph.__file__,
    "datasets": genurl_graph.datasets.__file__,
    "cli": genurl_graph.cli.__file__,
    "presets": genurl_graph.config.presets.__file__,
    "karate": genurl_graph.datasets.info("karate").name,
    "commands": genurl_graph.cli.main.list_commands(None),
    "torch": "torch" in sys.modules,
}))
"""


def call(*command: str | Path, cwd: Path) -> str:
    done = subprocess.run([str(word) for word in command], cwd=cwd, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:] + done.stdout[-3000:]
    return done.stdout


def probe(target: Path, cwd: Path) -> dict[str, object]:
    return json.loads(call(sys.executable, "-I", "-S", "-c", PROBE, target, SITE_PACKAGES, cwd=cwd))


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the checkout: building leaves files behind."""
    copy = tmp_path_factory.mktemp("source")
    for folder in ("genurl_graph", "datasets", "cli"):
        shutil.copytree(REPOSITORY / folder, copy / folder, ignore=shutil.ignore_patterns("__pycache__"))
    for file in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(REPOSITORY / file, copy)
    return copy


@pytest.fixture(scope="module")
def wheel(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel as a release builds it: from the source distribution, which lies beside it."""
    folder = tmp_path_factory.mktemp("dist")
    call(sys.executable, "-m", "build", "--no-isolation", "--outdir", folder, source, cwd=folder)
    (built,) = folder.glob("*.whl")
    return built


def project() -> dict[str, Any]:
    found: dict[str, Any] = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
    return found


def requirement(text: str) -> tuple[str, str]:
    """Name, as indices compare it, and least version."""
    name = re.split(r"[\s<>=!~\[;]", text)[0]
    return re.sub(r"[-_.]+", "-", name).lower(), text.partition(">=")[2].strip()


def test_wheel_holds_every_source_file_inside_the_package(wheel: Path, source: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    assert {name.split("/")[0] for name in names if ".dist-info/" not in name} == {"genurl_graph"}
    expected = {
        str(Path(inside) / path.relative_to(source / folder))
        for folder, inside in (
            ("genurl_graph", "genurl_graph"),
            ("datasets", "genurl_graph/datasets"),
            ("cli", "genurl_graph/cli"),
        )
        for path in (source / folder).rglob("*")
        if path.suffix in {".py", ".toml", ".typed", ".html", ".css", ".js"}
    }
    assert expected - names == set()
    assert "genurl_graph/cli/__init__.py" in expected
    assert "genurl_graph/plotting/explorer/page.html" in expected
    assert any(name.startswith("genurl_graph/config/presets/") and name.endswith(".toml") for name in names)


def test_source_distribution_holds_what_it_is_built_from(wheel: Path) -> None:
    (archive,) = wheel.parent.glob("*.tar.gz")
    with tarfile.open(archive) as opened:
        names = {name.partition("/")[2] for name in opened.getnames()}
    assert {"pyproject.toml", "README.md", "LICENSE", "datasets/registry.toml", "cli/embed.py"} <= names
    assert {name.split("/")[0] for name in names} & {"tests", "notebooks", "docs"} == set()


def test_conda_recipe_asks_for_what_pip_asks_for() -> None:
    recipe = yaml.safe_load((REPOSITORY / "recipe" / "recipe.yaml").read_text())
    there = {"torch": "pytorch", "torch-geometric": "pytorch-geometric", "matplotlib": "matplotlib-base"}
    asked = {there.get(name, name): least for name, least in map(requirement, project()["dependencies"])}
    python = ("python", project()["requires-python"].removeprefix(">="))
    assert dict(map(requirement, recipe["requirements"]["run"])) == {**asked, python[0]: python[1]}
    assert recipe["context"]["version"] == project()["version"]
    (command,) = recipe["build"]["python"]["entry_points"]
    assert dict([command.split(" = ")]) == project()["scripts"]


def test_image_is_built_from_files_that_are_there() -> None:
    lines = (REPOSITORY / "Dockerfile").read_text().replace("\\\n", " ").splitlines()
    copied = [words[1:-1] for line in lines if (words := line.split())[:1] == ["COPY"] and "--from" not in line]
    sources = {name for names in copied for name in names}
    assert all((REPOSITORY / name).exists() for name in sources)
    # .dockerignore lets these through and nothing else.
    ignored = (REPOSITORY / ".dockerignore").read_text().splitlines()
    assert {line[1:] for line in ignored if line.startswith("!")} == sources
    # All that the wheel is built from.
    assert {"pyproject.toml", "README.md", "LICENSE", "genurl_graph", "datasets", "cli"} <= sources
    users = [line.split()[1] for line in lines if line.startswith("USER")]
    assert users
    assert users[-1].split(":")[0] not in ("0", "root")


def test_release_publishes_what_was_tried_without_a_password() -> None:
    text = (REPOSITORY / ".github" / "workflows" / "release.yml").read_text()
    jobs = yaml.safe_load(text)["jobs"]
    assert (jobs["try"]["needs"], jobs["publish"]["needs"]) == ("build", "try")
    assert jobs["publish"]["permissions"] == {"id-token": "write"}
    assert "secrets." not in text
    # Trusted publishing is bound to this environment.
    assert jobs["publish"]["environment"] == "release"


def test_every_extra_is_explained() -> None:
    page = (REPOSITORY / "docs" / "installation.md").read_text()
    rows = [line.split("|")[1] for line in page.splitlines() if line.startswith("| `")]
    assert sorted(re.findall(r"`(\w+)`", "".join(rows))) == sorted(project()["optional-dependencies"])


def test_wheel_names_the_licence_and_the_command(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        texts = {name.split("/", 1)[1]: archive.read(name).decode() for name in archive.namelist() if "-info/" in name}
    assert "genurl-graph = genurl_graph.cli:main" in texts["entry_points.txt"]
    assert "License-Expression: MIT" in texts["METADATA"]
    assert "The genurl-graph developers" in texts["licenses/LICENSE"]


@pytest.mark.parametrize("kind", ["wheel", "editable"])
def test_installed_package_leaves_bare_names_alone(kind: str, wheel: Path, source: Path, tmp_path: Path) -> None:
    target, elsewhere = tmp_path / "site", tmp_path / "elsewhere"
    elsewhere.mkdir()
    what = [wheel] if kind == "wheel" else ["--no-build-isolation", "--editable", source]
    pip = (sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index")
    call(*pip, "--target", target, *what, cwd=elsewhere)
    found = probe(target, elsewhere)
    assert found["bare"] == []
    root = target / "genurl_graph" if kind == "wheel" else source
    inside = root if kind == "wheel" else source / "genurl_graph"
    folders = {"package": inside, "presets": inside / "config" / "presets"}
    folders |= {name: root / name for name in ("datasets", "cli")}
    assert {name: Path(str(found[name])).parent for name in folders} == folders
    assert found["karate"] == "karate"
    assert "embed" in found["commands"]  # type: ignore[operator]
    assert found["torch"] is False


def test_public_names_are_found_and_unknown_ones_are_not() -> None:
    import genurl_graph

    # What TAB offers: no helper of this module, and everything that it offers is there.
    offered = [name for name in dir(genurl_graph) if name not in genurl_graph.__all__]
    assert offered == [*genurl_graph._MODULES]
    assert set(genurl_graph.__all__) <= set(dir(genurl_graph))
    for name in dir(genurl_graph):
        assert getattr(genurl_graph, name) is not None
    assert genurl_graph.__version__.count(".") == 2
    with pytest.raises(AttributeError, match="nonsense"):
        _ = genurl_graph.nonsense


def test_constraints_pin_every_direct_dependency() -> None:
    lines = (REPOSITORY / "constraints.txt").read_text().splitlines()
    pins = [line for line in lines if line and not line.startswith("#")]
    assert all(re.fullmatch(r"[A-Za-z0-9._-]+==[0-9][0-9A-Za-z.]*", pin) for pin in pins)
    extras = project()["optional-dependencies"]
    wanted = [*project()["dependencies"], *(need for name in PINNED for need in extras[name])]
    assert {requirement(need)[0] for need in wanted} - {requirement(pin)[0] for pin in pins} == set()
