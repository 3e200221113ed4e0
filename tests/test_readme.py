"""The README is for someone who has a minute: short, without long lines of tables, and each line of it works.

Its commands and its Python are run by test_docs.py.
"""

import re
import subprocess
import tomllib
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
TEXT = (REPOSITORY / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```", TEXT, flags=re.DOTALL | re.MULTILINE)


def test_it_is_short():
    assert len(TEXT.splitlines()) <= 110
    assert all(len([line for line in code.splitlines() if line.strip()]) <= 5 for _, code in BLOCKS)
    cells = [cell.strip() for line in TEXT.splitlines() if line.startswith("|") for cell in line.split("|")]
    assert max(map(len, cells)) <= 40


def test_every_block_is_run():
    assert {language for language, _ in BLOCKS} <= {"sh", "python", "text"}
    shell = "".join(code for language, code in BLOCKS if language == "sh").replace("\\\n", " ")
    lines = shell.splitlines()
    assert all(line.startswith(("genurl-graph ", "make ")) for line in lines)


def test_its_output_is_that_of_the_page_that_explains_it():
    page = (REPOSITORY / "docs" / "python-modules.md").read_text(encoding="utf-8")
    outputs = [code for language, code in BLOCKS if language == "text"]
    assert len(outputs) == 1
    assert outputs[0] in page


def test_targets_of_make_exist():
    targets = re.findall(
        r"\bmake ([a-z]+)\b", "".join(code for _, code in BLOCKS) + "".join(re.findall("`[^`]*`", TEXT))
    )
    assert {"run", "test", "docs"} <= {*targets}
    for target in {*targets}:
        words = ["make", "--dry-run", "--always-make", target]
        done = subprocess.run(words, cwd=REPOSITORY, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr


def test_extras_exist():
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
    assert {*re.findall(r"pip install '\.\[(\w+)\]'", TEXT)} <= {*project["optional-dependencies"]}


def test_links_and_pictures_exist():
    links = [link for link in re.findall(r"\]\(([^)#]+)", TEXT) if "://" not in link]
    assert [link for link in links if not (REPOSITORY / link).exists()] == []
    assert len(links) > 15
