"""Which modules are in the graph."""

import sys
from pathlib import Path

import pytest

from genurl_graph.datasets.python_modules.sources import LEFT_OUT, find_modules
from genurl_graph.exceptions import InputError


def write(folder: Path, *files: str) -> None:
    for file in files:
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        (folder / file).touch()


def test_packages_and_files_in_the_order_of_their_names(tmp_path: Path):
    write(tmp_path, "json/__init__.py", "json/decoder.py", "ast.py", "email/mime/text.py", "__future__.py")
    assert list(find_modules(tmp_path)) == ["__future__", "ast", "email.mime.text", "json", "json.decoder"]
    assert find_modules(tmp_path)["json"] == tmp_path / "json/__init__.py"


def test_tests_programs_private_modules_and_what_is_packaged_apart_are_left_out(tmp_path: Path):
    write(tmp_path, "ast.py", "unittest/test/support.py", "json/__main__.py", "_strptime.py", "importlib/_abc.py")
    write(tmp_path, "site-packages/numpy.py", "mine.py", "encodings/cp437.py", "test/regrtest.py")
    write(tmp_path, *(f"{name}/__init__.py" for name in LEFT_OUT))
    assert list(find_modules(tmp_path)) == ["ast"]


def test_a_python_without_sources_is_refused(tmp_path: Path):
    with pytest.raises(InputError, match=r"standard library: found no sources; expected files such as argparse.py"):
        find_modules(tmp_path)


def test_all_are_modules_of_this_python():
    found = find_modules()
    assert {name.partition(".")[0] for name in found} <= sys.stdlib_module_names
    assert {"email.mime.text", "asyncio.events", "argparse"} <= found.keys()
