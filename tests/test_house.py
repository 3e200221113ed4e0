"""The rules of the house: small files in small folders, named by nouns. `.importlinter` has their order."""

from collections import Counter
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
FILES = [file for top in ("genurl_graph", "datasets", "cli") for file in sorted((REPOSITORY / top).rglob("*.py"))]
# The command line has one file a command.
MOST_MODULES = {REPOSITORY / "cli": 22}


def test_the_top_of_the_package_is_small():
    found = {path.name for path in (REPOSITORY / "genurl_graph").iterdir() if path.is_file()}
    assert found == {"__init__.py", "estimator.py", "exceptions.py", "py.typed"}


def test_no_module_name_begins_with_an_underscore():
    assert [file for file in FILES if file.name.startswith("_") and file.stem not in ("__init__", "__main__")] == []


def test_no_folder_has_too_many_modules():
    folders = Counter(file.parent for file in FILES)
    assert {folder: count for folder, count in folders.items() if count > MOST_MODULES.get(folder, 14)} == {}


def test_no_file_is_too_long():
    lines = {file: len(file.read_text(encoding="utf-8").splitlines()) for file in FILES}
    assert {file: count for file, count in lines.items() if count > 350} == {}


def test_tests_mirror_the_folders():
    folders = {folder for file in FILES if (folder := file.parent.relative_to(REPOSITORY)).name != "presets"}
    mirrored = {Path(*folder.parts[folder.parts[0] == "genurl_graph" :]) for folder in folders}
    assert [folder for folder in sorted(mirrored) if not (REPOSITORY / "tests" / folder).is_dir()] == []
