"""Each table of results says when, by which code and how it was made; the README's is that of the stored runs."""

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent
BENCHMARKS = REPOSITORY / "tests" / "benchmarks"
RUNS = sorted((BENCHMARKS / "results").glob("*.json"))
OVERVIEW = REPOSITORY / "docs" / "results.md"
PAGES = sorted((REPOSITORY / "docs" / "results").glob("*.md"))
RUN = re.compile(r"\*Run \d{4}-\d\d-\d\d[^*]*`([0-9a-f]{7})`", re.DOTALL)
COMMAND = re.compile(r"^(?:python (tests/benchmarks/\w+\.py)|genurl-graph \w+)(.*)$", re.MULTILINE)
TABLE = re.compile(r"^(?:\|.*\n)+", re.MULTILINE)


def tables(page: Path) -> list[re.Match[str]]:
    return list(TABLE.finditer(page.read_text(encoding="utf-8")))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_each_table_names_its_date_its_commit_and_its_command(page: Path) -> None:
    text, found = page.read_text(encoding="utf-8"), tables(page)
    assert found
    # A run named above the first section is that of all tables which name none themselves.
    above = text.partition("\n## ")[0]
    whole = bool(RUN.search(above) and COMMAND.search(above))
    untold = []
    for table in found:
        # Otherwise the run stands below the table, in the same section; several tables may share it.
        rest = text[table.end() :].partition("\n## ")[0]
        told = RUN.search(rest)
        if not whole and not (told and COMMAND.search(text, table.end() + told.start())):
            untold.append(table.group().splitlines()[0])
    assert untold == []


@pytest.mark.parametrize("page", [OVERVIEW, *PAGES], ids=lambda page: page.stem)
def test_no_cell_is_longer_than_a_line(page: Path) -> None:
    rows = [row for table in tables(page) for row in table.group().splitlines()]
    cells = [re.sub(r"\]\([^)]*\)", "]", cell.strip()) for row in rows for cell in row.split("|")]
    assert [cell for cell in cells if len(cell) > 60] == []


@pytest.mark.parametrize("page", [OVERVIEW, *PAGES], ids=lambda page: page.stem)
def test_commands_are_those_of_scripts_in_the_repository(page: Path) -> None:
    shared = (BENCHMARKS / "shared.py").read_text(encoding="utf-8")
    unknown = []
    for script, words in COMMAND.findall(page.read_text(encoding="utf-8").replace("\\\n", " ")):
        if script:  # the options of genurl-graph are looked at by test_docs.py
            source = (REPOSITORY / script).read_text(encoding="utf-8") + shared
            options = re.findall(r"(?<= )--[a-z-]+", words)
            unknown += [f"{script} {option}" for option in options if f'"{option}"' not in source]
    assert unknown == []


def test_commits_are_those_of_the_repository() -> None:
    def git(*words: str, told: str | None = None) -> str:
        run = subprocess.run(["git", "-C", REPOSITORY, *words], input=told, capture_output=True, text=True, check=False)
        return run.stdout if run.returncode == 0 else ""

    if git("rev-parse", "--is-shallow-repository").strip() != "false":
        pytest.skip("the history of the repository is not here")
    named = {commit for page in PAGES for commit in re.findall(r"`([0-9a-f]{7})`", page.read_text(encoding="utf-8"))}
    named |= {commit for file in RUNS for commit in commits(json.loads(file.read_text(encoding="utf-8")))}
    assert len(named) > 20
    answer = git("cat-file", "--batch-check", told="\n".join(sorted(named)))
    assert [line for line in answer.splitlines() if " commit " not in line] == []


def commits(tree: object) -> Iterator[str]:
    """The commits that a file of runs names."""
    if isinstance(tree, dict):
        for key, value in tree.items():
            yield from [value] if key in ("commit", "entered") else commits(value)


def runs(tree: dict) -> Iterator[dict]:
    """Each run of a file: what is found below a seed."""
    for key, value in tree.items():
        if isinstance(value, dict) and key not in ("own", "judged", "settings"):
            yield from (value.values() if {*value} and all(seed.isdigit() for seed in value) else runs(value))


@pytest.mark.parametrize("file", RUNS, ids=lambda file: file.stem)
def test_each_stored_run_names_its_commit(file: Path) -> None:
    # "commit" computed the run; "entered" is the first that holds it, of runs from before the commit was stored.
    found = list(runs(json.loads(file.read_text(encoding="utf-8"))))
    assert len(found) > 10
    assert [run for run in found if not {"commit", "entered"} & run.keys()] == []


def test_the_table_of_the_readme_is_that_of_the_stored_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(BENCHMARKS)
    import readme_table

    page = readme_table.README.read_text(encoding="utf-8")
    made = readme_table.table(json.loads(readme_table.RUNS.read_text(encoding="utf-8")))
    assert readme_table.replaced(page, made) == page
    assert made.count("\n| ") >= len(readme_table.METHODS)
